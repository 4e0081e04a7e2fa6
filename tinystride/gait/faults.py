"""Find faults of a recording in its samples: overflow, repeated samples, a delay between the sensors."""

from dataclasses import replace

import numpy as np

from tinystride.datasets.recording import Recording
from tinystride.gait.strapdown import GRAVITY_MPS2, POINTS, Resampler, integrate

MAD_TO_SD = 1.4826
# Full scales of common sensors for which overflow is searched, m/s² and rad/s. Larger full scales are rarely
# exceeded, so there a jump is more often an impact.
ACC_FULL_SCALES_MPS2 = GRAVITY_MPS2 * np.array([2.0, 4.0, 8.0])
GYR_FULL_SCALES_RADPS = np.deg2rad([125.0, 250.0, 500.0, 1000.0])
# Counts that overflow use the range up to its ends, and jump by more than half of it when they wrap around.
# A recording needs MIN_JUMPS jumps. Impacts alone cause so many in at most 1 of 42 recordings of a measured
# set, but in 5 of 55 recordings of ipol-healthy at 100 Hz.
REACHED_SHARE = 0.96
MIN_JUMPS = 3
# The sensor of a foot that turns this fast never repeats all six values. If a larger share of the samples
# repeats the sample before, that share of the stream was lost.
MOVING_RADPS = 0.8
MAX_REPEATED_SHARE = 0.2
# Range and step of the delay between the sensors.
MAX_LAG_S, LAG_STEP_S = 0.05, 0.005
# A smaller disagreement is not corrected: slow walkers have less, and a delay affects them less.
MIN_DISAGREEMENT_MPS = 0.03
LAG_STRIDES = 24
MIN_LAG_STRIDES = 4
# Disagreement combines the spread of the vertical excess velocity with its median, which varies between
# sensors (0.05 to 0.17 m/s without a fault). A correction must reduce the disagreement and the spread to less
# than these shares.
MEDIAN_WEIGHT = 0.3
MAX_LEFT_SHARE, MAX_SPREAD_SHARE = 0.6, 0.75
# A sensor that is shaken has a larger spread even without a delay, so its delay cannot be found.
MAX_SPREAD_MPS = 0.06
# A larger median has another cause, a wrong rate or scale, and is flagged.
MAX_MEDIAN_MPS = 0.25


def overflowed(recording: Recording) -> np.ndarray:
    """Return the samples [N] next to a jump that occurs when a count does not fit its integer type, bool.

    Args:
        recording: with the samples as recorded, not calibrated
    """
    marked = np.zeros(recording.n_samples, dtype=bool)
    for samples, scales in (
        (recording.acc_mps2, ACC_FULL_SCALES_MPS2),
        (recording.gyr_radps, GYR_FULL_SCALES_RADPS),
    ):
        maximum = np.abs(samples).max(initial=0.0)
        reached = scales[(maximum >= REACHED_SHARE * scales) & (maximum <= 1.002 * scales)]
        if len(reached):
            wraps = (samples[1:] * samples[:-1] < 0) & (np.abs(np.diff(samples, axis=0)) > reached[0])
            jumps = 1 + np.flatnonzero(wraps.any(axis=1))
            if len(jumps) >= MIN_JUMPS:
                marked[jumps] = True
    return marked


def repeated(recording: Recording) -> np.ndarray:
    """Return the samples [N] that repeat the sample before in all axes while the foot turns, bool.

    Args:
        recording: recording of one foot
    """
    samples = np.column_stack([recording.acc_mps2, recording.gyr_radps])
    same = np.zeros(len(samples), dtype=bool)
    same[1:] = (samples[1:] == samples[:-1]).all(axis=1)
    return same & moving(recording)


def moving(recording: Recording) -> np.ndarray:
    """Return the samples [N] in which the foot turns faster than MOVING_RADPS, bool.

    Args:
        recording: recording of one foot
    """
    return np.linalg.norm(recording.gyr_radps, axis=1) > MOVING_RADPS


def synchronized(
    recording: Recording, acc_mps2: np.ndarray, gyr_radps: np.ndarray, mid_stances: np.ndarray
) -> Recording | None:
    """Return the recording with the delay between its sensors removed; None if no delay is found.

    If one stream is early, the specific force is rotated wrongly during the swing, in proportion to the
    angular rate. So the vertical velocity at the end of the strides is wrong and scatters. A shift of one
    stream that clearly reduces both is taken as the delay.

    Args:
        recording: recording of one foot
        acc_mps2: [N, 3], its samples, calibrated and in the foot frame
        gyr_radps: [N, 3], likewise
        mid_stances: [n, 2], fractional sample numbers
    """
    lag_s = _lag_s(acc_mps2, gyr_radps, recording.rate_hz, mid_stances)
    if lag_s == 0:
        return None
    return replace(recording, gyr_radps=_shifted(recording.gyr_radps, lag_s * recording.rate_hz))


def _lag_s(acc_mps2: np.ndarray, gyr_radps: np.ndarray, rate_hz: float, mid_stances: np.ndarray) -> float:
    """Return the delay of the gyroscope, s, -MAX_LAG_S to MAX_LAG_S, positive if it is late; 0 if unclear."""
    strides = mid_stances[
        np.linspace(0, len(mid_stances) - 1, min(len(mid_stances), LAG_STRIDES)).astype(int)
    ]
    if len(strides) < MIN_LAG_STRIDES:
        return 0.0
    # Samples read after the last one: half an interval, and the delay of the filter (0.03 s).
    missing = int(np.diff(strides).max() / POINTS + 0.1 * rate_hz) + 2
    resampler = Resampler(np.column_stack([acc_mps2, gyr_radps]), rate_hz, missing)
    last = len(acc_mps2) - 1
    acc = resampler.between(strides)[..., :3]
    duration_s = np.diff(strides)[:, 0] / rate_hz

    def remaining(lag: int) -> tuple[float, float]:
        shifted = np.clip(strides + lag * LAG_STEP_S * rate_hz, 0, last)
        return _disagreement_mps(acc, resampler.between(shifted)[..., 3:], duration_s)

    steps, own = round(MAX_LAG_S / LAG_STEP_S), remaining(0)
    direction = 1 if remaining(2) < remaining(-2) else -1
    best, minimum = 0, own
    for lag in range(2, steps + 1):
        now = remaining(direction * lag)
        if now >= minimum:
            break
        best, minimum = direction * lag, now
    shares = np.divide(minimum, own)
    clear = (
        (shares < [MAX_LEFT_SHARE, MAX_SPREAD_SHARE]).all()
        and MIN_DISAGREEMENT_MPS < own[0] < np.hypot(own[1], MEDIAN_WEIGHT * MAX_MEDIAN_MPS)
        and minimum[1] < MAX_SPREAD_MPS
    )
    return best * LAG_STEP_S if clear else 0.0


def _disagreement_mps(acc: np.ndarray, gyr: np.ndarray, duration_s: np.ndarray) -> tuple[float, float]:
    """Return disagreement and spread of the vertical velocity at the ends of n strides, m/s.

    acc: [n, points, 3], m/s²; gyr: [n, points, 3], rad/s; duration_s: [n]
    """
    vertical_mps = integrate(acc, gyr, duration_s).excess_mps[:, 2]
    median = np.median(vertical_mps)
    spread = MAD_TO_SD * np.median(np.abs(vertical_mps - median))
    return float(np.hypot(spread, MEDIAN_WEIGHT * median)), float(spread)


def _shifted(samples: np.ndarray, by: float) -> np.ndarray:
    """Return samples [N, 3] interpolated `by` samples later; beyond the ends, the end values."""
    place = np.arange(len(samples)) + by
    return np.column_stack([np.interp(place, np.arange(len(samples)), axis) for axis in samples.T])
