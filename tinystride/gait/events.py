"""Strides and gait events of one foot from its inertial sensor.

A stride is what happens between two moments of least movement. Movement is measured over 80 ms as in the
zero-velocity detectors of foot-mounted navigation (Skog et al., IEEE TBME 2010, 57(11), 2657-2666): by the
energy of the gyroscope, and by how far the specific force is from that of the standing foot, since a foot
also stops turning for a moment in mid-swing. Nothing depends on how the sensor is mounted, and everything is
known half a second after it has happened.
"""

from functools import reduce
from itertools import pairwise

import numpy as np

from tinystride.gait.filters import moving_mean, moving_minimum
from tinystride.gait.strapdown import GRAVITY_MPS2, rotation_matrices

ENERGY_WINDOW_S = 0.08
# Unrest is in rad/s: angular rate, and by how much the specific force differs from that of the standing foot.
# A foot below CALM stands. Running feet stand at up to 2.4, and walking feet turn round in the air at 1 and
# more; these two differ by the tilt since the last stance, some 60 degrees at the turning point.
MPS2_PER_RADPS = 2.5
CALM = 0.8
LARGEST_STANCE_UNREST = 2.4
# At 3 m/s and more a running foot rolls over at up to 6.3 rad/s, which is still small against its swing: 0.22
# to 0.35 of the mean motion within a stance interval on both sides. Other minima of as much motion have 0.40
# and more (measured sets).
LARGEST_RUNNING_UNREST, LARGEST_RUNNING_SHARE = 6.5, 0.37
LARGEST_TILT_RAD = 0.5
# A foot that is carried level does not tilt; but the stances around it are calmer by more than stances are
# calmer than others.
MUCH_CALMER = 5.0
SMALLEST_STANCE_INTERVAL_S = 0.35
# A foot that turns on the spot may pause in the air for a moment. Whether walking or running, none stands at
# more than CALM so soon before or after it stood elsewhere.
SMALLEST_UNCALM_INTERVAL_S = 0.65
# Fast runners do, with a stride in 0.55 s; but none of their stances is much calmer than the next.
SMALLEST_RUNNING_INTERVAL_S = 0.5
ALIKE = 2.0
# Unrest of a swing, summed over time: 0.8 and more in 99 % of the strides of ipol-healthy, below 0.5 in 99 %
# of its stances. The angular rate alone would miss a foot that is carried level.
SMALLEST_SWING_RAD = 0.5
# Where a foot rests for longer, a stride ends soon after it has come to rest and the next begins soon before
# it leaves: at the calmest of that much time.
PAUSE_S = 1.2
SOON_S = 0.3
# Mid-stance is the mean of the stance phase with weights 1 / (unrest² + floor²)². Where one instant is the
# calmest by far, as in fast walking, it is that; where the foot lies still for long, the middle, not chance.
UNREST_FLOOR_RADPS = 0.3
# The pitch rate turns positive 26 ms before the hand-checked contact (median of 3,428 in ipol-healthy).
CONTACT_AFTER_CROSSING_S = 0.026
PITCH_WINDOW_S = 0.03


def find_strides(acc_mps2: np.ndarray, gyr_radps: np.ndarray, rate_hz: float) -> np.ndarray:
    """The two mid-stances that bound each stride, as fractional sample numbers [n, 2], in order.

    acc_mps2, gyr_radps: [N, 3], calibrated, in any axes fixed to the foot. Consecutive strides share their
    mid-stance except around a pause. Empty where the foot never moves or never rests.
    """
    _, unrest, stance_force = movement(acc_mps2, gyr_radps, rate_hz)
    moved = np.cumsum(np.where(unrest > CALM, unrest, 0)) / rate_hz
    stances: list[list[int]] = []
    rotation, since = np.eye(3), 0
    for candidate in _calmest(unrest, rate_hz):
        if stances and unrest[candidate] > CALM:
            rotation, since = rotation @ _rotation(gyr_radps[since:candidate], rate_hz), candidate
            if _tilt_rad(rotation, stance_force) > LARGEST_TILT_RAD:
                continue
        if not stances or moved[candidate] - moved[stances[-1][-1]] > SMALLEST_SWING_RAD:
            stances.append([candidate])
        else:
            stances[-1].append(candidate)
        rotation, since = np.eye(3), candidate
    stances = _apart(stances, unrest, rate_hz)
    moving = {limit: np.flatnonzero(unrest >= limit) for limit in (CALM, LARGEST_STANCE_UNREST)}
    bounds = [_mid_stances(stance, unrest, moving, rate_hz) for stance in stances]
    strides = np.array([(a[1], b[0]) for a, b in pairwise(bounds)]).reshape(-1, 2)
    # Two stances that a foot hardly leaves in between may share their calm, and so its middle.
    return strides[np.diff(strides)[:, 0] > ENERGY_WINDOW_S * rate_hz]


def movement(
    acc_mps2: np.ndarray, gyr_radps: np.ndarray, rate_hz: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Gyroscope energy [N], rad²/s², and unrest [N], rad/s, of each sample; specific force [3] at stance.

    The standing foot's force is that of the stillest moments. A foot that is carried level turns as little as
    one that stands; but it is pushed, so its specific force changes and is not as large as gravity.
    """
    window = max(3, round(ENERGY_WINDOW_S * rate_hz))
    energy = moving_mean((gyr_radps**2).sum(axis=1), window)
    force = moving_mean(acc_mps2, window)
    size = np.linalg.norm(force, axis=1)
    variance = moving_mean((acc_mps2**2).sum(axis=1), window) - size**2
    pushed = (np.maximum(variance, 0) + (size - GRAVITY_MPS2) ** 2) / MPS2_PER_RADPS**2
    stillest = _minima(energy + pushed, rate_hz)
    weights = _calmness((energy + pushed)[stillest])
    stance_force = np.average(force[stillest], axis=0, weights=weights)
    deviation = np.linalg.norm(force - stance_force, axis=1) / MPS2_PER_RADPS
    return energy, np.sqrt(energy + deviation**2), stance_force


def initial_contacts(gyr_radps: np.ndarray, rate_hz: float, strides: np.ndarray) -> np.ndarray:
    """Initial contact within each stride, as a fractional sample number [n]; NaN where there is no swing.

    gyr_radps: [N, 3] in the canonical foot frame; strides: [n, 2] mid-stances. The pitch rate is negative
    while the foot swings forward and positive as it comes down on its heel: contact is where it changes, a
    little later by what the hand-checked events of ipol-healthy say.
    """
    pitch_rate = moving_mean(gyr_radps[:, 1], max(1, round(PITCH_WINDOW_S * rate_hz)))
    return np.array([_contact(pitch_rate, start, end) for start, end in np.rint(strides).astype(int)]) + (
        CONTACT_AFTER_CROSSING_S * rate_hz
    )


def _contact(pitch_rate: np.ndarray, start: int, end: int) -> float:
    swing = start + int(pitch_rate[start:end].argmin())
    rising = np.flatnonzero((pitch_rate[swing:end] < 0) & (pitch_rate[swing + 1 : end + 1] >= 0))
    if not len(rising):
        return np.nan
    before = swing + int(rising[0])
    return before + pitch_rate[before] / (pitch_rate[before] - pitch_rate[before + 1])


def _minima(values: np.ndarray, rate_hz: float) -> np.ndarray:
    """Samples that are lowest within a stance interval before and after them; the first one of equals."""
    reach = round(SMALLEST_STANCE_INTERVAL_S * rate_hz)
    minima = np.flatnonzero(values == moving_minimum(values, reach))
    return minima[np.diff(minima, prepend=-reach - 1) > reach]


def _calmest(unrest: np.ndarray, rate_hz: float) -> np.ndarray:
    """Samples at which the foot may stand: calmest within reach, and not in the air between calm stances.

    A running foot may move more, if it moves far more before and after.
    """
    minima = _minima(unrest, rate_hz)
    around = moving_mean(unrest, max(1, round(2 * SMALLEST_STANCE_INTERVAL_S * rate_hz)))
    runs = (unrest < LARGEST_RUNNING_UNREST) & (unrest < LARGEST_RUNNING_SHARE * around)
    minima = minima[((unrest < LARGEST_STANCE_UNREST) | runs)[minima]]
    own = unrest[minima]
    padded = np.pad(own, 1, constant_values=np.inf)
    neighbour = np.maximum(padded[:-2], padded[2:])
    return minima[(own <= CALM) | (own <= MUCH_CALMER * neighbour)]


def _apart(stances: list[list[int]], unrest: np.ndarray, rate_hz: float) -> list[list[int]]:
    """Without those at which the foot is not calm and that follow or are followed too soon by another."""
    kept: list[list[int]] = []
    for stance in stances:
        if kept and stance[0] - kept[-1][-1] < SMALLEST_UNCALM_INTERVAL_S * rate_hz:
            before, own = (unrest[each].min() for each in (kept[-1], stance))
            alike = CALM < before < ALIKE * own and CALM < own < ALIKE * before
            if alike and stance[0] - kept[-1][-1] >= SMALLEST_RUNNING_INTERVAL_S * rate_hz:
                kept.append(stance)
                continue
            if own > CALM and own >= before:
                continue
            if before > CALM:
                kept.pop()
        kept.append(stance)
    return kept


def _rotation(gyr_radps: np.ndarray, rate_hz: float) -> np.ndarray:
    return reduce(np.matmul, rotation_matrices(gyr_radps / rate_hz), np.eye(3))


def _tilt_rad(rotation: np.ndarray, stance_force: np.ndarray) -> float:
    """Angle by which the foot's upward axis has left the vertical after turning by `rotation` [3, 3]."""
    up = stance_force / np.linalg.norm(stance_force)
    return float(np.arccos(np.clip(up @ rotation @ up, -1, 1)))


def _mid_stances(
    stance: list[int], unrest: np.ndarray, moving: dict[float, np.ndarray], rate_hz: float
) -> tuple[float, float]:
    """Mid-stance that ends the stride before, and the one that begins the next: the same unless paused.

    moving: for CALM and LARGEST_STANCE_UNREST the samples of at least as much unrest
    """
    arrival, departure = _around(stance, moving[CALM], len(unrest))
    if departure - arrival > PAUSE_S * rate_hz:
        soon = round(SOON_S * rate_hz)
        return _calmest_instant(unrest, arrival, arrival + soon), _calmest_instant(
            unrest, departure - soon, departure
        )
    calmest = stance[int(unrest[stance].argmin())]
    reach = round(PAUSE_S / 2 * rate_hz)
    if unrest[calmest] >= LARGEST_STANCE_UNREST:
        return float(calmest), float(calmest)
    first, stop = _around([calmest], moving[LARGEST_STANCE_UNREST], len(unrest))
    mid_stance = _calmest_instant(unrest, max(first, calmest - reach), min(stop, calmest + reach))
    return mid_stance, mid_stance


def _around(stance: list[int], moving: np.ndarray, n: int) -> tuple[int, int]:
    """First sample and end of what reaches from a stance's first candidate to its last without `moving`."""
    before = np.searchsorted(moving, stance[0]) - 1
    after = np.searchsorted(moving, stance[-1], "right")
    return int(moving[before]) + 1 if before >= 0 else 0, int(moving[after]) if after < len(moving) else n


def _calmest_instant(unrest: np.ndarray, first: int, stop: int) -> float:
    weight = _calmness(unrest[first:stop] ** 2)
    return first + float(weight @ np.arange(stop - first) / weight.sum())


def _calmness(unrest_squared: np.ndarray) -> np.ndarray:
    return (unrest_squared + UNREST_FLOOR_RADPS**2) ** -2
