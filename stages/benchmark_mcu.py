"""Build models/built/c for cores, run it in an emulator, count bytes and instructions: results/mcu."""

import numpy as np
from tqdm import tqdm

from stages.common import C_LIBRARY, INT8_TFLITE, RAW, RESULTS, STRIDES, run_stage
from tinystride.codegen.reader import read_graph
from tinystride.codegen.tflm import example_inputs
from tinystride.datasets.loading import load_recordings
from tinystride.datasets.recording import Recording
from tinystride.files import atomic_folder, write_json
from tinystride.gait.strides import read_strides
from tinystride.learning.features import stride_features
from tinystride.learning.prediction import Network
from tinystride.mcu import Stream, benchmark_estimator, benchmark_model

EXTREMES = 30
# Short names, because they are columns of a table of experiments.
HEADLINE = {
    "net": ("network", ("flash_bytes", "ram_bytes", "instructions")),
    "estimator": (
        "estimator",
        ("flash_bytes", "ram_bytes", "instructions_per_stride", "share_of_64_mhz_percent"),
    ),
}


def evenly(there: int, wanted: int) -> np.ndarray:
    return np.unique(np.linspace(0, there - 1, min(there, wanted)).round().astype(int))


def stride_inputs(vectors: int, seed: int) -> np.ndarray:
    """Return the network inputs of recorded strides, followed by extreme inputs."""
    network, signals = Network.load(INT8_TFLITE), read_strides(STRIDES).signals
    chosen = signals.select(signals.stride_id[evenly(len(signals), vectors)])
    features = stride_features(chosen, network.features, network.points)
    recorded = network.inputs(features.values[features.reason == ""]).reshape(-1, network.points * 6)
    return np.concatenate([recorded, example_inputs(read_graph(INT8_TFLITE), EXTREMES, seed)])


def to_stream(recording: Recording) -> Stream:
    samples = np.column_stack([recording.acc_mps2, recording.gyr_radps])
    samples[recording.lost] = np.nan
    return Stream(recording.rate_hz, recording.foot, samples, tuple(np.nan_to_num(recording.saturation)))


def streams(of_each_set: int) -> list[Stream]:
    sets: dict[str, list[Recording]] = {}
    for recording in load_recordings(RAW):
        sets.setdefault(recording.dataset, []).append(recording)
    return [to_stream(own[i]) for own in sets.values() for i in evenly(len(own), of_each_set)]


def main(parameters: dict) -> None:
    options = parameters["benchmark"]
    inputs = stride_inputs(options["vectors"], parameters["seed"])
    streamed = streams(options["recordings"]) if (C_LIBRARY / "include/tinystride.h").exists() else []
    metrics = {}
    for core in tqdm(options["cores"], desc="benchmark", unit="core"):
        metrics[core] = {"network": benchmark_model(INT8_TFLITE, core, inputs=inputs, library=C_LIBRARY)}
        if streamed:
            metrics[core]["estimator"] = benchmark_estimator(C_LIBRARY, streamed, core)
    first = options["cores"][0]
    headline = {
        short: {name: metrics[first][part][name] for name in names}
        for short, (part, names) in HEADLINE.items()
        if part in metrics[first]
    }
    with atomic_folder(RESULTS / "mcu") as folder:
        write_json(folder / "headline.json", {"core": first, **headline})
        write_json(folder / "metrics.json", metrics)


if __name__ == "__main__":
    run_stage("benchmark-mcu", main)
