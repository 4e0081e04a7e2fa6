"""Recorded strides as worse sensors, or a worse front end, would have given them."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from tinystride.gait import strapdown
from tinystride.gait.signals import StrideSignals

GYRO_BIAS_RADPS = np.deg2rad(1.0)
MOUNTING_RAD = np.deg2rad(5.0)
CUT_JITTER_S = 0.02
HIGHEST_THINNED_HZ = 100.0


def gyro_bias(signals: StrideSignals, rng: np.random.Generator) -> StrideSignals:
    """1 deg/s on each axis, of a random sign for each stride, that calibration has not seen."""
    bias = GYRO_BIAS_RADPS * rng.choice([-1.0, 1.0], (len(signals), 3))
    return replace(signals, gyr_radps=signals.gyr_radps + np.repeat(bias, np.diff(signals.offset), axis=0))


def turned_frame(signals: StrideSignals, rng: np.random.Generator) -> StrideSignals:
    """The foot frame is found 5 degrees (SD, about each axis) wrong, each stride another way."""
    turn = strapdown.rotation_matrices(rng.normal(0, MOUNTING_RAD, (len(signals), 3)))
    own = np.repeat(turn, np.diff(signals.offset), axis=0)
    return replace(
        signals,
        acc_mps2=np.einsum("ni,nij->nj", signals.acc_mps2, own),
        gyr_radps=np.einsum("ni,nij->nj", signals.gyr_radps, own),
    )


def cut_jitter(signals: StrideSignals, rng: np.random.Generator) -> StrideSignals:
    """Both mid-stances are found 20 ms (SD) wrong."""
    shift = rng.normal(0, CUT_JITTER_S, signals.mid_stance.shape) * signals.rate_hz[:, None]
    last = np.diff(signals.offset)[:, None] - 1
    return replace(signals, mid_stance=np.clip(signals.mid_stance + shift, 0, last))


def thinned(signals: StrideSignals, rng: np.random.Generator) -> StrideSignals:
    """Every second sample of what was recorded at more than 100 Hz, without an anti-alias filter before."""
    step = np.where(signals.rate_hz > HIGHEST_THINNED_HZ, 2, 1)
    lengths = np.diff(signals.offset)
    within = np.arange(signals.offset[-1]) - np.repeat(signals.offset[:-1], lengths)
    kept = within % np.repeat(step, lengths) == 0
    return replace(
        signals,
        rate_hz=signals.rate_hz / step,
        offset=np.concatenate([[0], np.cumsum(-(-lengths // step))]),
        mid_stance=signals.mid_stance / step[:, None],
        initial_contact=signals.initial_contact / step[:, None],
        acc_mps2=signals.acc_mps2[kept],
        gyr_radps=signals.gyr_radps[kept],
    )


def as_recorded(signals: StrideSignals, rng: np.random.Generator) -> StrideSignals:
    return signals


SENSORS: dict[str, Callable[[StrideSignals, np.random.Generator], StrideSignals]] = {
    "as recorded": as_recorded,
    "gyroscope bias 1 deg/s": gyro_bias,
    "frame turned 5 deg": turned_frame,
    "mid-stances 20 ms off": cut_jitter,
    "half the rate": thinned,
}
