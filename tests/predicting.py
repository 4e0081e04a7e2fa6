"""Small networks for the tests of predictions, trained in seconds on a few simulated people."""

import functools
from pathlib import Path

import numpy as np
import pandas as pd

from tinystride.datasets.recording import FEET, Recording
from tinystride.datasets.simulator import simulate_walk
from tinystride.datasets.virtual_sensor import VirtualSensor
from tinystride.datasets.walker import SimulatedSubject
from tinystride.gait.strides import gather_strides
from tinystride.learning.estimators import choose
from tinystride.learning.features import make_examples
from tinystride.learning.prediction import Network

SPEEDS_MPS = (0.8, 1.2, 1.6)
ESTIMATORS = {
    "strapdown-residual": ("strapdown-residual", {}),
    "direct": (
        "direct",
        {"filters": [8, 8], "kernels": [5, 5], "strides": [1, 1], "dense": [], "learning_rate": 5e-3},
    ),
    "paper": ("direct", {"preset": "paper"}),
}


@functools.cache
def models(name: str) -> tuple[bytes, bytes]:
    """float32 and int8 .tflite of one of ESTIMATORS."""
    from tinystride.learning.quantization import quantize
    from tinystride.learning.training import train

    estimator, changes = ESTIMATORS[name]
    settings = choose(estimator, **{"epochs": 10, "batch_size": 16, **changes})
    training, validation = (make_examples(*_walked(), [f"simulated/{s}"], settings) for s in ("A", "B"))
    # The output of some seeds is nearly constant, so int8 would hold it at its limit.
    model = train(training, validation, settings, seed=4).model
    result = quantize(model, training, validation, _walked()[1], calibration_strides=100)
    return result.float32, result.int8


def network(name: str = "strapdown-residual", int8: bool = False) -> Network:
    return Network.load(models(name)[int8])


def write_csv(recording: Recording, path: Path, acc_unit_mps2=1.0, gyr_unit_radps=1.0) -> Path:
    """Write a recording as csv with time stamps, without its lost samples; return the path."""
    lost = np.zeros(recording.n_samples, dtype=bool)
    for first, stop in recording.gaps:
        lost[first:stop] = True
    columns = {"time_s": np.arange(recording.n_samples) / recording.rate_hz}
    for name, samples in (
        ("acc", recording.acc_mps2 / acc_unit_mps2),
        ("gyr", recording.gyr_radps / gyr_unit_radps),
    ):
        columns |= {f"{name}_{axis}": samples[:, i] for i, axis in enumerate("xyz")}
    pd.DataFrame(columns)[~lost].to_csv(path, index=False)
    return path


@functools.cache
def _walked():
    """(table, signals) of two people at three speeds."""
    recordings = []
    for number, name in enumerate("AB"):
        rng = np.random.default_rng([77, number])
        subject, sensor = SimulatedSubject.draw(rng, name), VirtualSensor.draw(rng)
        recordings += [
            simulate_walk(
                subject,
                foot=foot,
                speed_mps=speed,
                n_strides=15,
                seed=number,
                sensor=sensor,
                trial=f"{speed}",
            )
            for speed in SPEEDS_MPS
            for foot in FEET
        ]
    strides = gather_strides(recordings)
    return strides.table, strides.signals
