"""Faults that the samples of a recording show: overflow, repeated samples, a gyroscope out of step."""

from dataclasses import replace

import numpy as np

from tinystride.datasets.recording import Recording
from tinystride.gait.strapdown import GRAVITY_MPS2, POINTS, Resampler, integrate

MAD_TO_SD = 1.4826
# Full scales of common sensors up to which overflow is looked for, m/s² and rad/s. Faster ones are exceeded
# rarely, and there a jump is more often an impact.
ACC_FULL_SCALES_MPS2 = GRAVITY_MPS2 * np.array([2.0, 4.0, 8.0])
GYR_FULL_SCALES_RADPS = np.deg2rad([125.0, 250.0, 500.0, 1000.0])
# Counts that overflow fill the range up to its ends, and jump by more than half of it where they wrap around.
# Three jumps in one recording: at most 1 of 42 recordings of a measured set has as many from impacts alone,
# but 5 of 55 of ipol-healthy at 100 Hz.
REACHED_SHARE = 0.96
MIN_JUMPS = 3
# A foot that turns this fast never repeats all six values; a stream in which more than this share of the
# samples repeats the one before has lost as many.
MOVING_RADPS = 0.8
MAX_REPEATED_SHARE = 0.2
# The gyroscope is shifted against the accelerometer by up to this time to find where they agree best.
MAX_LAG_S, LAG_STEP_S = 0.05, 0.005
# Less than this may be anything: slow walkers have less, and lose less by it.
MIN_DISAGREEMENT_MPS = 0.03
LAG_STRIDES = 24
MIN_LAG_STRIDES = 4
# Agreement is the spread of the vertical excess velocity, and its median, which varies between sensors (0.05
# to 0.17 m/s where nothing is wrong). A shift has to leave less than these shares of both, and of the spread.
MEDIAN_WEIGHT = 0.3
MAX_LEFT_SHARE, MAX_SPREAD_SHARE = 0.6, 0.75
# A sensor that is shaken scatters more than this, whatever its clock: nothing can be said of that.
MAX_SPREAD_MPS = 0.06
# A larger median has other causes, a wrong rate or scale, and is flagged.
MAX_MEDIAN_MPS = 0.25


def overflowed(recording: Recording) -> np.ndarray:
    """Return which samples [N] are next to a wrap-around of counts that did not fit their integer type."""
    marked = np.zeros(recording.n_samples, dtype=bool)
    for samples, scales in (
        (recording.acc_mps2, ACC_FULL_SCALES_MPS2),
        (recording.gyr_radps, GYR_FULL_SCALES_RADPS),
    ):
        largest = np.abs(samples).max(initial=0.0)
        reached = scales[(largest >= REACHED_SHARE * scales) & (largest <= 1.002 * scales)]
        if len(reached):
            wraps = (samples[1:] * samples[:-1] < 0) & (np.abs(np.diff(samples, axis=0)) > reached[0])
            jumps = 1 + np.flatnonzero(wraps.any(axis=1))
            if len(jumps) >= MIN_JUMPS:
                marked[jumps] = True
    return marked


def repeated(recording: Recording) -> np.ndarray:
    """Return which samples [N] repeat the one before, in all axes, while the foot turns."""
    samples = np.column_stack([recording.acc_mps2, recording.gyr_radps])
    same = np.zeros(len(samples), dtype=bool)
    same[1:] = (samples[1:] == samples[:-1]).all(axis=1)
    return same & moving(recording)


def moving(recording: Recording) -> np.ndarray:
    """Return in which samples [N] the foot turns."""
    return np.linalg.norm(recording.gyr_radps, axis=1) > MOVING_RADPS


def synchronized(
    recording: Recording, acc_mps2: np.ndarray, gyr_radps: np.ndarray, mid_stances: np.ndarray
) -> Recording | None:
    """Return the recording with its gyroscope in step with its accelerometer; None if it is already.

    acc_mps2, gyr_radps: [N, 3], calibrated, in the foot frame; mid_stances: [n, 2] fractional samples

    If one stream is early, the specific force is turned wrongly while the foot swings, the more the faster
    the foot turns: the vertical velocity at the end is off, and scatters. If a shift of one stream makes both
    much smaller, that is taken for the delay.
    """
    lag_s = _lag_s(acc_mps2, gyr_radps, recording.rate_hz, mid_stances)
    if lag_s == 0:
        return None
    return replace(recording, gyr_radps=_shifted(recording.gyr_radps, lag_s * recording.rate_hz))


def _lag_s(acc_mps2: np.ndarray, gyr_radps: np.ndarray, rate_hz: float, mid_stances: np.ndarray) -> float:
    strides = mid_stances[
        np.linspace(0, len(mid_stances) - 1, min(len(mid_stances), LAG_STRIDES)).astype(int)
    ]
    if len(strides) < MIN_LAG_STRIDES:
        return 0.0
    # Beyond the last sample: half an interval, and the delay of the filter (0.03 s).
    missing = int(np.diff(strides).max() / POINTS + 0.1 * rate_hz) + 2
    resampler = Resampler(np.column_stack([acc_mps2, gyr_radps]), rate_hz, missing)
    last = len(acc_mps2) - 1
    acc = resampler.between(strides)[..., :3]
    duration_s = np.diff(strides)[:, 0] / rate_hz

    def left(lag: int) -> tuple[float, float]:
        shifted = np.clip(strides + lag * LAG_STEP_S * rate_hz, 0, last)
        return _disagreement_mps(acc, resampler.between(shifted)[..., 3:], duration_s)

    steps, own = round(MAX_LAG_S / LAG_STEP_S), left(0)
    direction = 1 if left(2) < left(-2) else -1
    best, least = 0, own
    for lag in range(2, steps + 1):
        now = left(direction * lag)
        if now >= least:
            break
        best, least = direction * lag, now
    shares = np.divide(least, own)
    clear = (
        (shares < [MAX_LEFT_SHARE, MAX_SPREAD_SHARE]).all()
        and MIN_DISAGREEMENT_MPS < own[0] < np.hypot(own[1], MEDIAN_WEIGHT * MAX_MEDIAN_MPS)
        and least[1] < MAX_SPREAD_MPS
    )
    return best * LAG_STEP_S if clear else 0.0


def _disagreement_mps(acc: np.ndarray, gyr: np.ndarray, duration_s: np.ndarray) -> tuple[float, float]:
    """Return disagreement and spread, m/s, of the vertical velocity at the ends of strides [n].

    acc: [n, points, 3], m/s²; gyr: [n, points, 3], rad/s; duration_s: [n]
    """
    vertical_mps = integrate(acc, gyr, duration_s).excess_mps[:, 2]
    median = np.median(vertical_mps)
    spread = MAD_TO_SD * np.median(np.abs(vertical_mps - median))
    return float(np.hypot(spread, MEDIAN_WEIGHT * median)), float(spread)


def _shifted(samples: np.ndarray, by: float) -> np.ndarray:
    """Return samples [N, 3] read `by` samples later; the ends are repeated."""
    place = np.arange(len(samples)) + by
    return np.column_stack([np.interp(place, np.arange(len(samples)), axis) for axis in samples.T])
