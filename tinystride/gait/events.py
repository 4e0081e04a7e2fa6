"""Find strides and gait events of one foot from its inertial sensor.

A stride lies between two mid-stances, at which the motion energy is lowest. The motion energy is the
statistic of zero-velocity detectors of foot-mounted navigation over 80 ms (Skog et al., IEEE TBME 2010,
57(11), 2657-2666): the energy of the gyroscope, and the difference between the specific force and that of the
standing foot, because a foot also stops turning for a moment in mid-swing. Nothing depends on the mounting of
the sensor, and every event is known half a second after it.
"""

from functools import reduce
from itertools import pairwise

import numpy as np

from tinystride.gait.filters import interpolated, moving_mean, moving_minimum
from tinystride.gait.strapdown import GRAVITY_MPS2, rotation_matrices

ENERGY_WINDOW_S = 0.08
# At a low rate, the energy window has few samples: four at 50 Hz. Below MIN_RATE_HZ, samples are interpolated
# to about FINE_RATE_HZ, which finds more exact mid-stances of fast walking.
MIN_RATE_HZ, FINE_RATE_HZ = 100.0, 200.0
# Motion is the square root of the motion energy, rad/s: of the angular rate and of the difference between the
# specific force and that of the standing foot, which counts 1 rad/s per MPS2_PER_RADPS. A foot below
# STATIONARY_THRESHOLD stands. Stances of running have up to 2.4 rad/s. A walking foot has 1 rad/s and more at
# its turning point in the air; there it is tilted, by about 60 degrees since the last stance.
MPS2_PER_RADPS = 2.5
STATIONARY_THRESHOLD = 0.8
MAX_STANCE_MOTION = 2.4
# At 3 m/s and more, a running foot rolls over its sole at up to 6.3 rad/s. This is still little compared with
# its swing: 0.22 to 0.35 of the mean motion within a stance interval on both sides. Other minima with as much
# motion have 0.40 and more (measured sets).
MAX_RUNNING_MOTION, MAX_RUNNING_SHARE = 6.5, 0.37
MAX_TILT_RAD = 0.5
# A foot that is carried level does not tilt, but it moves more than MAX_MOTION_RATIO times as much as the
# stances before and after it.
MAX_MOTION_RATIO = 5.0
MIN_STANCE_INTERVAL_S = 0.35
# A foot that turns on the spot may pause in the air for a moment. A stance above STATIONARY_THRESHOLD is
# never so soon before or after another stance, neither in walking nor in running.
MIN_MOVING_INTERVAL_S = 0.65
# Except for fast runners, whose strides take 0.55 s; but the motion of their stances is similar: adjacent
# stances differ by less than MAX_RUNNING_RATIO.
MIN_RUNNING_INTERVAL_S = 0.5
MAX_RUNNING_RATIO = 2.0
# Integral of the motion over a swing: 0.8 and more in 99 % of the strides of ipol-healthy, below 0.5 in 99 %
# of its stances. The angular rate alone would miss a foot that is carried level.
MIN_SWING_RAD = 0.5
# If a foot rests for longer than PAUSE_S, the stride before ends within SOON_S after the foot has come to
# rest, and the next stride begins within SOON_S before the foot leaves.
PAUSE_S = 1.2
SOON_S = 0.3
# Mid-stance is the mean of the stance phase with the stationarity weights 1 / (motion² + MOTION_FLOOR²)². If
# one instant has by far the lowest motion, as in fast walking, it is that instant. If the foot is at rest for
# a longer time, it is the middle of that time and does not depend on noise.
MOTION_FLOOR = 0.3
# The pitch rate turns positive this time before the hand-checked contact (median of 3,428 in ipol-healthy).
CONTACT_AFTER_CROSSING_S = 0.026
PITCH_WINDOW_S = 0.03


def find_strides(acc_mps2: np.ndarray, gyr_radps: np.ndarray, rate_hz: float) -> np.ndarray:
    """Return the two mid-stances that bound each stride, [n, 2] fractional sample numbers, in order of time.

    Consecutive strides share a mid-stance, except before and after a pause. The result is empty if the foot
    never moves or never rests.

    Args:
        acc_mps2: [N, 3], calibrated, in any axes fixed to the foot
        gyr_radps: [N, 3], calibrated, in the same axes
        rate_hz: sampling rate
    """
    if rate_hz < MIN_RATE_HZ:
        factor = round(FINE_RATE_HZ / rate_hz)
        fine_acc, fine_gyr = (interpolated(each, factor) for each in (acc_mps2, gyr_radps))
        return find_strides(fine_acc, fine_gyr, factor * rate_hz) / factor
    _, motion, stance_force = movement(acc_mps2, gyr_radps, rate_hz)
    moved = np.cumsum(np.where(motion > STATIONARY_THRESHOLD, motion, 0)) / rate_hz
    stances: list[list[int]] = []
    rotation, since = np.eye(3), 0
    for candidate in _stance_candidates(motion, rate_hz):
        if stances and motion[candidate] > STATIONARY_THRESHOLD:
            rotation, since = rotation @ _rotation(gyr_radps[since:candidate], rate_hz), candidate
            if _tilt_rad(rotation, stance_force) > MAX_TILT_RAD:
                continue
        if not stances or moved[candidate] - moved[stances[-1][-1]] > MIN_SWING_RAD:
            stances.append([candidate])
        else:
            stances[-1].append(candidate)
        rotation, since = np.eye(3), candidate
    stances = _reject_close(stances, motion, rate_hz)
    moving = {limit: np.flatnonzero(motion >= limit) for limit in (STATIONARY_THRESHOLD, MAX_STANCE_MOTION)}
    bounds = [_mid_stances(stance, motion, moving, rate_hz) for stance in stances]
    strides = np.array([(a[1], b[0]) for a, b in pairwise(bounds)]).reshape(-1, 2)
    # Two stances with hardly any motion between them may have the same stationary time and middle.
    return strides[np.diff(strides)[:, 0] > ENERGY_WINDOW_S * rate_hz]


def movement(
    acc_mps2: np.ndarray, gyr_radps: np.ndarray, rate_hz: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the inputs of the stance detection: energy, motion and the specific force of the standing foot.

    A foot that is carried level turns as little as a standing foot. But it is accelerated, so its specific
    force changes and differs from gravity.

    Args:
        acc_mps2: [N, 3], calibrated, in any axes fixed to the foot
        gyr_radps: [N, 3], calibrated, in the same axes
        rate_hz: sampling rate

    Returns:
        energy of the gyroscope [N], rad²/s²; motion [N], rad/s, the square root of the motion energy;
        specific force [3] of the standing foot, m/s², from the most stationary moments
    """
    window = max(3, round(ENERGY_WINDOW_S * rate_hz))
    energy = moving_mean((gyr_radps**2).sum(axis=1), window)
    force = moving_mean(acc_mps2, window)
    size = np.linalg.norm(force, axis=1)
    variance = moving_mean((acc_mps2**2).sum(axis=1), window) - size**2
    pushed = (np.maximum(variance, 0) + (size - GRAVITY_MPS2) ** 2) / MPS2_PER_RADPS**2
    stationary = _minima(energy + pushed, rate_hz)
    weights = _stationarity_weight((energy + pushed)[stationary])
    stance_force = np.average(force[stationary], axis=0, weights=weights)
    deviation = np.linalg.norm(force - stance_force, axis=1) / MPS2_PER_RADPS
    return energy, np.sqrt(energy + deviation**2), stance_force


def initial_contacts(gyr_radps: np.ndarray, rate_hz: float, strides: np.ndarray) -> np.ndarray:
    """Return the initial contact within each stride, [n] fractional sample numbers; NaN without a swing.

    The pitch rate is negative while the foot swings forward and positive as it comes down on its heel. The
    contact is the change of sign plus CONTACT_AFTER_CROSSING_S.

    Args:
        gyr_radps: [N, 3], in the canonical foot frame
        rate_hz: sampling rate
        strides: [n, 2] mid-stances, fractional sample numbers
    """
    pitch_rate = moving_mean(gyr_radps[:, 1], max(1, round(PITCH_WINDOW_S * rate_hz)))
    return np.array([_contact(pitch_rate, start, end) for start, end in np.rint(strides).astype(int)]) + (
        CONTACT_AFTER_CROSSING_S * rate_hz
    )


def _contact(pitch_rate: np.ndarray, start: int, end: int) -> float:
    """Return the zero crossing of the pitch rate after its minimum in the swing, or NaN."""
    swing = start + int(pitch_rate[start:end].argmin())
    rising = np.flatnonzero((pitch_rate[swing:end] < 0) & (pitch_rate[swing + 1 : end + 1] >= 0))
    if not len(rising):
        return np.nan
    before = swing + int(rising[0])
    return before + pitch_rate[before] / (pitch_rate[before] - pitch_rate[before + 1])


def _minima(values: np.ndarray, rate_hz: float) -> np.ndarray:
    """Return the samples that are minimal within a stance interval on both sides; the first of equal ones."""
    reach = round(MIN_STANCE_INTERVAL_S * rate_hz)
    minima = np.flatnonzero(values == moving_minimum(values, reach))
    return minima[np.diff(minima, prepend=-reach - 1) > reach]


def _stance_candidates(motion: np.ndarray, rate_hz: float) -> np.ndarray:
    """Return the samples at which the foot may stand: minima of the motion that are not in the air.

    A minimum is in the air if the adjacent minima have much less motion. A running foot may move more, if it
    moves far more before and after.
    """
    minima = _minima(motion, rate_hz)
    around = moving_mean(motion, max(1, round(2 * MIN_STANCE_INTERVAL_S * rate_hz)))
    runs = (motion < MAX_RUNNING_MOTION) & (motion < MAX_RUNNING_SHARE * around)
    minima = minima[((motion < MAX_STANCE_MOTION) | runs)[minima]]
    own = motion[minima]
    padded = np.pad(own, 1, constant_values=np.inf)
    neighbour = np.maximum(padded[:-2], padded[2:])
    return minima[(own <= STATIONARY_THRESHOLD) | (own <= MAX_MOTION_RATIO * neighbour)]


def _reject_close(stances: list[list[int]], motion: np.ndarray, rate_hz: float) -> list[list[int]]:
    """Return the stances without those above STATIONARY_THRESHOLD that are too close to another stance."""
    kept: list[list[int]] = []
    for stance in stances:
        if kept and stance[0] - kept[-1][-1] < MIN_MOVING_INTERVAL_S * rate_hz:
            before, own = (motion[each].min() for each in (kept[-1], stance))
            similar = (
                STATIONARY_THRESHOLD < before < MAX_RUNNING_RATIO * own
                and STATIONARY_THRESHOLD < own < MAX_RUNNING_RATIO * before
            )
            if similar and stance[0] - kept[-1][-1] >= MIN_RUNNING_INTERVAL_S * rate_hz:
                kept.append(stance)
                continue
            if own > STATIONARY_THRESHOLD and own >= before:
                continue
            if before > STATIONARY_THRESHOLD:
                kept.pop()
        kept.append(stance)
    return kept


def _rotation(gyr_radps: np.ndarray, rate_hz: float) -> np.ndarray:
    """Return the rotation matrix [3, 3] of all samples [n, 3] together."""
    return reduce(np.matmul, rotation_matrices(gyr_radps / rate_hz), np.eye(3))


def _tilt_rad(rotation: np.ndarray, stance_force: np.ndarray) -> float:
    """Return the angle between the upward axis of the foot and the vertical after `rotation` [3, 3]."""
    up = stance_force / np.linalg.norm(stance_force)
    return float(np.arccos(np.clip(up @ rotation @ up, -1, 1)))


def _mid_stances(
    stance: list[int], motion: np.ndarray, moving: dict[float, np.ndarray], rate_hz: float
) -> tuple[float, float]:
    """Return the mid-stance that ends the stride before and that which begins the next; equal without pause.

    moving: {threshold: samples with at least that motion} for STATIONARY_THRESHOLD and MAX_STANCE_MOTION
    """
    arrival, departure = _stationary_bounds(stance, moving[STATIONARY_THRESHOLD], len(motion))
    if departure - arrival > PAUSE_S * rate_hz:
        soon = round(SOON_S * rate_hz)
        return _weighted_instant(motion, arrival, arrival + soon), _weighted_instant(
            motion, departure - soon, departure
        )
    lowest = stance[int(motion[stance].argmin())]
    reach = round(PAUSE_S / 2 * rate_hz)
    if motion[lowest] >= MAX_STANCE_MOTION:
        return float(lowest), float(lowest)
    first, stop = _stationary_bounds([lowest], moving[MAX_STANCE_MOTION], len(motion))
    mid_stance = _weighted_instant(motion, max(first, lowest - reach), min(stop, lowest + reach))
    return mid_stance, mid_stance


def _stationary_bounds(stance: list[int], moving: np.ndarray, n: int) -> tuple[int, int]:
    """Return first sample and end of the time around a stance that has no sample of `moving`.

    stance: candidates of the stance; moving: samples above a threshold, in order; n: number of samples
    """
    before = np.searchsorted(moving, stance[0]) - 1
    after = np.searchsorted(moving, stance[-1], "right")
    return int(moving[before]) + 1 if before >= 0 else 0, int(moving[after]) if after < len(moving) else n


def _weighted_instant(motion: np.ndarray, first: int, stop: int) -> float:
    """Return the mean sample number from first to stop, with stationarity weights."""
    weight = _stationarity_weight(motion[first:stop] ** 2)
    return first + float(weight @ np.arange(stop - first) / weight.sum())


def _stationarity_weight(motion_squared: np.ndarray) -> np.ndarray:
    """Return the weight of each sample in the mean of a stance."""
    return (motion_squared + MOTION_FLOOR**2) ** -2
