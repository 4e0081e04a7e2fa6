"""Change recorded strides as worse sensors or a worse front end would."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from tinystride.gait import strapdown
from tinystride.gait.signals import StrideSignals
from tinystride.learning.augmentation import half_rate

GYRO_BIAS_RADPS = np.deg2rad(1.0)
MOUNTING_RAD = np.deg2rad(5.0)
CUT_JITTER_S = 0.02


def gyro_bias(signals: StrideSignals, rng: np.random.Generator) -> StrideSignals:
    """Add 1 deg/s to each axis, with a random sign for each stride; the calibration does not see it."""
    bias = GYRO_BIAS_RADPS * rng.choice([-1.0, 1.0], (len(signals), 3))
    return replace(signals, gyr_radps=signals.gyr_radps + np.repeat(bias, np.diff(signals.offset), axis=0))


def turned_frame(signals: StrideSignals, rng: np.random.Generator) -> StrideSignals:
    """Turn the foot frame of each stride by a random angle, SD 5 degrees about each axis."""
    turn = strapdown.rotation_matrices(rng.normal(0, MOUNTING_RAD, (len(signals), 3)))
    own = np.repeat(turn, np.diff(signals.offset), axis=0)
    return replace(
        signals,
        acc_mps2=np.einsum("ni,nij->nj", signals.acc_mps2, own),
        gyr_radps=np.einsum("ni,nij->nj", signals.gyr_radps, own),
    )


def cut_jitter(signals: StrideSignals, rng: np.random.Generator) -> StrideSignals:
    """Shift both mid-stances by a random time, SD 20 ms."""
    shift = rng.normal(0, CUT_JITTER_S, signals.mid_stance.shape) * signals.rate_hz[:, None]
    last = np.diff(signals.offset)[:, None] - 1
    return replace(signals, mid_stance=np.clip(signals.mid_stance + shift, 0, last))


def thinned(signals: StrideSignals, rng: np.random.Generator) -> StrideSignals:
    """Keep every second sample, without an anti-alias filter."""
    return half_rate(signals, 0)


def as_recorded(signals: StrideSignals, rng: np.random.Generator) -> StrideSignals:
    return signals


SENSORS: dict[str, Callable[[StrideSignals, np.random.Generator], StrideSignals]] = {
    "as recorded": as_recorded,
    "gyroscope bias 1 deg/s": gyro_bias,
    "frame turned 5 deg": turned_frame,
    "mid-stances 20 ms off": cut_jitter,
    "half the rate": thinned,
}
