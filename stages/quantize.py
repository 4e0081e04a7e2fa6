"""Convert the network to float32 and int8 .tflite, compare their errors: models/built/stride_*.tflite."""

from stages.common import (
    FLOAT32,
    FLOAT32_TFLITE,
    INT8_TFLITE,
    RAW,
    RESULTS,
    SPLIT,
    STRIDES,
    run_stage,
    validated_kwargs,
)
from tinystride.files import atomic_folder, read_json, write_bytes, write_json
from tinystride.gait.strides import read_strides
from tinystride.learning.features import make_examples
from tinystride.learning.prediction import predict_subjects
from tinystride.learning.quantization import quantize
from tinystride.learning.training import TrainedModel


def main(parameters: dict) -> None:
    options = validated_kwargs("quantize", parameters, quantize)
    model = TrainedModel.load(FLOAT32)
    strides, final = read_strides(STRIDES), read_json(SPLIT)["final"]
    training, validation = (
        make_examples(strides.table, strides.signals, final[side], model.settings)
        for side in ("train", "validation")
    )
    source = read_json(RAW / "sources.json")["source"]
    quantized = quantize(
        model, training, validation, strides.signals, description={"source": source}, **options
    )
    calibration, size = quantized.calibration, {"parameters": model.settings.n_parameters}
    write_bytes(FLOAT32_TFLITE, quantized.float32)
    write_bytes(INT8_TFLITE, quantized.int8)
    predictions = predict_subjects(
        strides.table, strides.signals, final["test"], float32=model.predict, int8=quantized.int8
    )
    with atomic_folder(RESULTS / "quantize") as folder:
        predictions.to_csv(folder / "predictions.csv", index=False)
        write_json(folder / "calibration_strides.json", calibration.stride_id)
        write_json(folder / "headline.json", size)
        write_json(
            folder / "metrics.json",
            {
                **size,
                "multiply_accumulates": model.settings.n_multiply_accumulates,
                "tflite_bytes": {"float32": len(quantized.float32), "int8": len(quantized.int8)},
                "int8_minus_float32": quantized.difference,
                "calibration": {
                    "n_strides": len(calibration.stride_id),
                    "min_length_cm": calibration.length_cm.min(),
                    "max_length_cm": calibration.length_cm.max(),
                },
            },
        )


if __name__ == "__main__":
    run_stage("quantize", main)
