"""Compare how fast training schedules reach the same validation error. Imports TensorFlow."""

import time
from collections.abc import Callable, Mapping

import pandas as pd

from tinystride.learning.estimators import Settings
from tinystride.learning.features import Examples
from tinystride.learning.training import Epoch, train


def compare_schedules(
    training: Examples,
    validation: Examples,
    schedules: Mapping[str, Settings],
    *,
    seed: int,
    on_epoch: Callable[[Epoch], None] = lambda epoch: None,
) -> pd.DataFrame:
    """Train with each of some settings and record the time of each epoch.

    Args:
        training: strides to train on
        validation: strides to validate on
        schedules: {name: settings}
        seed: seed of the random choices
        on_epoch: called after each epoch

    Returns:
        one row per epoch: schedule, epoch, seconds, train_rmse_cm, validation_rmse_cm; seconds are
            wall-clock time from
        the start of the training, compilation included
    """
    rows = []
    for name, settings in schedules.items():
        start = time.perf_counter()

        def note(epoch: Epoch, name: str = name, start: float = start) -> None:
            seconds = time.perf_counter() - start
            rows.append((name, epoch.number, seconds, epoch.train_rmse_cm, epoch.validation_rmse_cm))
            on_epoch(epoch)

        train(training, validation, settings, seed=seed, on_epoch=note)
    columns = ["schedule", "epoch", "seconds", "train_rmse_cm", "validation_rmse_cm"]
    return pd.DataFrame(rows, columns=columns)


def seconds_to_reach(curves: pd.DataFrame, schedule: str, validation_rmse_cm: float) -> float:
    """Return the time at which a schedule first reached a validation error, infinity if it did not.

    Args:
        curves: as `compare_schedules` returns them
        schedule: its name
        validation_rmse_cm: error to reach
    """
    own = curves[curves["schedule"] == schedule]
    reached = own[own["validation_rmse_cm"] <= validation_rmse_cm]
    return float(reached["seconds"].min()) if len(reached) else float("inf")
