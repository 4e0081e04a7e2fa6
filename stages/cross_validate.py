"""Train and quantize one fold's network, estimate its test subjects: results/cross_validate/<fold>."""

import sys

from tqdm import tqdm

from stages.common import RESULTS, SPLIT, STRIDES, run_stage, validated_kwargs
from tinystride.errors import ParameterError
from tinystride.files import atomic_folder, read_json, write_bytes, write_json
from tinystride.gait.strides import read_strides
from tinystride.learning.cross_validation import cross_validate
from tinystride.learning.estimators import choose
from tinystride.learning.quantization import quantize

FOLD = sys.argv[1]


def main(parameters: dict) -> None:
    settings = choose(parameters["estimator"], **parameters["train"])
    options = validated_kwargs("quantize", parameters, quantize)
    strides, folds = read_strides(STRIDES), read_json(SPLIT)["folds"]
    part = next((part for part in folds if str(part["fold"]) == FOLD), None)
    if part is None:
        raise ParameterError(f"params.yaml: folds: no fold {FOLD}; number them from 0 to {len(folds) - 1}")
    with tqdm(total=settings.epochs, desc=f"fold {FOLD}", unit="epoch") as bar:
        fold = cross_validate(
            strides.table,
            strides.signals,
            part,
            settings,
            seed=parameters["seed"],
            on_epoch=lambda _: bar.update(),
            **options,
        )
    with atomic_folder(RESULTS / "cross_validate" / FOLD) as folder:
        write_bytes(folder / "stride_int8.tflite", fold.quantized.int8)
        fold.predictions.to_csv(folder / "predictions.csv", index=False)
        best = fold.training.epochs[fold.training.best]
        write_json(
            folder / "metrics.json",
            {
                "test": part["test"],
                "best_epoch": best.number,
                "validation_rmse_cm": best.validation_rmse_cm,
                "int8_minus_float32": fold.quantized.difference,
            },
        )


if __name__ == "__main__":
    run_stage("cross-validate", main)
