"""Signals of single strides: samples of the sensor, and velocity and path from integrating them."""

from typing import Any

import numpy as np
import pandas as pd

from tinystride.evaluation.out_of_fold import column_of
from tinystride.gait.signals import StrideSignals
from tinystride.gait.strapdown import de_drifted, integrate, resample

SIGNIFICANT_DIGITS = 4
LENGTHS = {"reference": "stride_length_cm", "int8": column_of("int8"), "strapdown": column_of("strapdown")}


def choose_strides(strides: pd.DataFrame, count: int) -> pd.DataFrame:
    """Return strides evenly spread over the error, from the most underestimated to the most overestimated.

    Args:
        strides: strides of one set, with int8_cm and stride_length_cm
        count: how many, at most
    """
    error_cm = (strides["int8_cm"] - strides["stride_length_cm"]).dropna().sort_values(kind="stable")
    rows = np.unique(np.linspace(0, len(error_cm) - 1, count).round().astype(int))
    return strides.loc[error_cm.index[rows]] if len(error_cm) else strides.iloc[:0]


def waveforms(strides: pd.DataFrame, signals: StrideSignals) -> list[dict]:
    """Return the signals of each stride, in the order given, rounded for drawing.

    Args:
        strides: rows of results/evaluate/strides.csv
        signals: signals of at least these strides

    Returns:
        A dictionary for each stride:
        id, duration_s
        reference, int8, strapdown: lengths, cm
        gyr_radps, acc_mps2: [3, points], canonical foot axes (forward, left, up)
        velocity_mps, drifting_mps: [3, points], frame of the first mid-stance; the latter before the drift
            is removed
        forward_cm, height_cm: [points], path of the sensor seen from the side, along the line between both
            mid-stances; its end is the integral's length
    """
    if strides.empty:
        return []
    acc_mps2, gyr_radps, duration_s = resample(signals.select(strides["stride_id"]))
    integral = integrate(acc_mps2, gyr_radps, duration_s)
    velocity_mps, position_m = de_drifted(integral, gyr_radps, duration_s)
    heading = integral.displacement_m[:, None, :2] / (integral.length_cm[:, None, None] / 100)
    forward_cm = 100 * (position_m[..., :2] * heading).sum(axis=-1)
    return [
        {
            "id": row.stride_id,
            "duration_s": _short(duration_s[i]),
            **{name: _short(getattr(row, column)) for name, column in LENGTHS.items()},
            "gyr_radps": _short(gyr_radps[i].T),
            "acc_mps2": _short(acc_mps2[i].T),
            "velocity_mps": _short(velocity_mps[i].T),
            "drifting_mps": _short(integral.velocity_mps[i].T),
            "forward_cm": _short(forward_cm[i]),
            "height_cm": _short(100 * position_m[i, :, 2]),
        }
        for i, row in enumerate(strides.itertuples())
    ]


def _short(values: Any) -> float | list:
    """Round to as many digits as a plot can show."""
    if np.ndim(values):
        return [_short(value) for value in values]
    return float(f"{float(values):.{SIGNIFICANT_DIGITS}g}")
