"""Train networks of several recipes and evaluate them out of fold, with sensors as recorded and worse."""

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
from tqdm import tqdm

from studies.common import BASELINE, compare_with_baseline, measured_parts
from tinystride.gait import strapdown
from tinystride.gait.strides import StrideSet
from tinystride.learning.cross_validation import cross_validate
from tinystride.learning.estimators import Settings
from tinystride.learning.prediction import predict
from tinystride.learning.split import subject_names

WITHOUT_LEVER_ARM = "integral without lever arm"


def compare(
    strides: StrideSet,
    split: dict,
    recipes: Mapping[str, Settings],
    sensors: Mapping[str, Callable],
    *,
    seed: int,
    resamples: int,
    calibration_strides: int,
) -> pd.DataFrame:
    """Return `compare_with_baseline` against the integral for each set, sensor and estimator.

    The estimators are both integrals and an int8 network of each recipe ({name: settings}), trained on each
    of `measured_parts`. Further columns: set, sensor, estimator, parameters and multiply_accumulates.
    """
    epochs = sum(settings.epochs for settings in recipes.values())
    parts = measured_parts(strides.table, split)
    with tqdm(total=epochs * len(parts), desc="training", unit="epoch") as bar:
        found = [
            _estimates(
                strides, part, recipes, sensors, seed,
                calibration_strides=calibration_strides, on_epoch=lambda _: bar.update(),
            )
            for part in parts
        ]  # fmt: skip
    rows = []
    for sensor in sensors:
        tested, lengths = (pd.concat([part[sensor][k] for part in found]) for k in (0, 1))
        for dataset, own in tested.groupby("dataset"):
            of_set = lengths.loc[own.index]
            for name in of_set:
                size = recipes.get(name)
                rows.append(
                    {
                        "set": dataset,
                        "sensor": sensor,
                        "estimator": name,
                        "parameters": size.n_parameters if size else 0,
                        "multiply_accumulates": size.n_multiply_accumulates if size else 0,
                        **compare_with_baseline(
                            own, of_set[name], of_set[BASELINE], seed=seed, resamples=resamples
                        ),
                    }
                )
    return pd.DataFrame(rows)


def _estimates(strides, part, recipes, sensors, seed, **training) -> dict:
    """Return {sensor: (test strides of the part [n rows], lengths in cm with one column per estimator)}."""
    table, signals = strides.table, strides.signals
    networks = {
        name: cross_validate(table, signals, part, settings, seed=seed, **training).quantized.int8
        for name, settings in recipes.items()
    }
    rows = table[table["usable"] & subject_names(table).isin(part["test"])]
    recorded = signals.select(rows["stride_id"])
    found = {}
    for sensor, change in sensors.items():
        sensed = change(recorded, np.random.default_rng(seed))
        samples = strapdown.resample(sensed)
        lengths = {
            WITHOUT_LEVER_ARM: strapdown.integrate(*samples, lever_arm_m=0.0).length_cm,
            BASELINE: strapdown.integrate(*samples).length_cm,
        }
        lengths |= {name: predict(int8, sensed, lengths[BASELINE]) for name, int8 in networks.items()}
        found[sensor] = rows, pd.DataFrame(lengths, index=rows.index)
    return found
