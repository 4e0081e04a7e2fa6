"""How soon different schedules get a network to the same validation error. Imports TensorFlow."""

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
    """Train with each of the named settings; one row an epoch: schedule, epoch, seconds, train_rmse_cm,
    validation_rmse_cm. Seconds are of the wall clock from the start of the training, compilation included.
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
    """When the schedule first erred as little as that or less; infinity if never."""
    own = curves[curves["schedule"] == schedule]
    reached = own[own["validation_rmse_cm"] <= validation_rmse_cm]
    return float(reached["seconds"].min()) if len(reached) else float("inf")
