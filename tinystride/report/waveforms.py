"""Strides to look at one by one: what the sensor felt and what integrating it gives."""

from typing import Any

import numpy as np
import pandas as pd

from tinystride.evaluation.judging import column_of
from tinystride.gait.signals import StrideSignals
from tinystride.gait.strapdown import de_drifted, integrate, resample

SIGNIFICANT_DIGITS = 4
LENGTHS = {"reference": "stride_length_cm", "int8": column_of("int8"), "strapdown": column_of("strapdown")}


def choose_strides(judged: pd.DataFrame, count: int) -> pd.DataFrame:
    """Up to `count` of one set's strides, from the most underestimated to the most overestimated by int8."""
    error_cm = (judged["int8_cm"] - judged["stride_length_cm"]).dropna().sort_values(kind="stable")
    places = np.unique(np.linspace(0, len(error_cm) - 1, count).round().astype(int))
    return judged.loc[error_cm.index[places]] if len(error_cm) else judged.iloc[:0]


def waveforms(strides: pd.DataFrame, signals: StrideSignals) -> list[dict]:
    """What a page needs to draw each of the strides, in their order.

    strides: rows of the judged strides; signals: of at least these

    Each is {"id", "duration_s", lengths of LENGTHS in cm, "gyr_radps", "acc_mps2", "velocity_mps" and
    "drifting_mps" (before de-drifting): three lists, forward, left and up; "forward_cm", "height_cm": the
    sensor's path, whose end is the integral's length}. Signals are canonical foot axes, velocities are in the
    frame of the first mid-stance; the path is seen from the side, along the line between both mid-stances.
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
    """With as many digits as can be seen in a figure."""
    if np.ndim(values):
        return [_short(value) for value in values]
    return float(f"{float(values):.{SIGNIFICANT_DIGITS}g}")
