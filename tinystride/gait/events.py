"""Strides and gait events of one foot from its inertial sensor.

A stride is what happens between two moments of least movement. The moment itself is where the gyroscope shows
the least energy over 80 ms (Skog et al., IEEE TBME 2010, 57(11), 2657-2666, "angular rate energy detector");
whether the foot stands there or only turns round in mid-swing is read off the accelerometer as well, which
shows the standing foot's gravity in the first case only. Nothing depends on how the sensor is mounted, and
everything is known less than half a second later.
"""

import numpy as np

from tinystride.gait.filters import moving_mean

ENERGY_WINDOW_S = 0.08
# Unrest is in rad/s: angular rate, and by how much the specific force differs from that of the standing foot.
# Running feet stand at up to 1.7, walking feet turn round at 1.5 and more.
MPS2_PER_RADPS = 2.5
LARGEST_STANCE_UNREST = 1.8
SMALLEST_STANCE_INTERVAL_S = 0.35
# Against the stances before and after it, the turning point of a swing shows several times their unrest.
NEIGHBOUR_RATIO = 2.5
NEIGHBOURS_WITHIN_S = 1.6
# A foot turns by 2 rad and more in a stride, less than this when it only shifts its load.
MOVING_UNREST = 0.8
SMALLEST_SWING_RAD = 1.0
# Where a foot stands for longer, a stride ends at the first calm moment and the next begins at the last.
PAUSE_S = 1.0
# The pitch rate turns positive 26 ms before the hand-checked contact (median of 3,428 in ipol-healthy).
CONTACT_AFTER_CROSSING_S = 0.026
PITCH_WINDOW_S = 0.03


def find_strides(acc_mps2: np.ndarray, gyr_radps: np.ndarray, rate_hz: float) -> np.ndarray:
    """The two mid-stances that bound each stride, as sample numbers [n, 2] (int64), in order.

    acc_mps2, gyr_radps: [N, 3], calibrated, in any axes fixed to the foot. Consecutive strides share their
    mid-stance except around a pause. Empty where the foot never moves or never rests.
    """
    energy, unrest = movement(acc_mps2, gyr_radps, rate_hz)
    candidates = _without_turning_points(_calmest(unrest, rate_hz), unrest, rate_hz)
    if len(candidates) < 2:
        return np.zeros((0, 2), dtype=np.int64)
    turned_rad = np.cumsum(np.where(unrest > MOVING_UNREST, np.sqrt(energy), 0)) / rate_hz
    swings = np.flatnonzero(np.diff(turned_rad[candidates]) > SMALLEST_SWING_RAD)
    stances = np.split(candidates, swings + 1)
    arrival = [_mid_stance(stance, 0, energy, unrest, rate_hz) for stance in stances]
    departure = [_mid_stance(stance, -1, energy, unrest, rate_hz) for stance in stances]
    return np.column_stack([departure[:-1], arrival[1:]]).astype(np.int64)


def movement(acc_mps2: np.ndarray, gyr_radps: np.ndarray, rate_hz: float) -> tuple[np.ndarray, np.ndarray]:
    """Gyroscope energy [N], rad²/s², and unrest [N], rad/s, over 80 ms around each sample."""
    window = max(3, round(ENERGY_WINDOW_S * rate_hz))
    energy = moving_mean((gyr_radps**2).sum(axis=1), window)
    force = moving_mean(acc_mps2, window)
    calm = _minima(energy, round(SMALLEST_STANCE_INTERVAL_S * rate_hz))
    calm = calm[energy[calm] <= np.median(energy[calm])]
    standing_force = np.median(force[calm], axis=0)
    deviation = np.linalg.norm(force - standing_force, axis=1) / MPS2_PER_RADPS
    return energy, np.sqrt(energy + deviation**2)


def initial_contacts(gyr_radps: np.ndarray, rate_hz: float, strides: np.ndarray) -> np.ndarray:
    """Initial contact within each stride, as a fractional sample number [n]; NaN where there is no swing.

    gyr_radps: [N, 3] in the canonical foot frame; strides: [n, 2] mid-stances. The pitch rate is negative
    while the foot swings forward and positive as it comes down on its heel: contact is where it changes, a
    little later by what the hand-checked events of ipol-healthy say.
    """
    pitch_rate = moving_mean(gyr_radps[:, 1], max(1, round(PITCH_WINDOW_S * rate_hz)))
    return np.array([_contact(pitch_rate, start, end) for start, end in strides]) + (
        CONTACT_AFTER_CROSSING_S * rate_hz
    )


def _contact(pitch_rate: np.ndarray, start: int, end: int) -> float:
    swing = start + int(pitch_rate[start:end].argmin())
    rising = np.flatnonzero((pitch_rate[swing:end] < 0) & (pitch_rate[swing + 1 : end + 1] >= 0))
    if not len(rising):
        return np.nan
    before = swing + int(rising[0])
    return before + pitch_rate[before] / (pitch_rate[before] - pitch_rate[before + 1])


def _minima(values: np.ndarray, apart: int) -> np.ndarray:
    """Local minima, the lowest first choice, none within `apart` samples of a lower one; in order."""
    padded = np.concatenate([[np.inf], values, [np.inf]])
    local = np.flatnonzero((values <= padded[:-2]) & (values < padded[2:]))
    taken = np.zeros(len(values), dtype=bool)
    chosen = []
    for index in local[np.argsort(values[local], kind="stable")]:
        if not taken[index]:
            chosen.append(index)
            taken[max(0, index - apart) : index + apart + 1] = True
    return np.array(sorted(chosen), dtype=np.int64)


def _calmest(unrest: np.ndarray, rate_hz: float) -> np.ndarray:
    minima = _minima(unrest, round(SMALLEST_STANCE_INTERVAL_S * rate_hz))
    return minima[unrest[minima] < LARGEST_STANCE_UNREST]


def _without_turning_points(candidates: np.ndarray, unrest: np.ndarray, rate_hz: float) -> np.ndarray:
    while len(candidates) > 2:
        value = unrest[candidates]
        neighbours = np.maximum(value[:-2], value[2:])
        turning = (
            (value[1:-1] > NEIGHBOUR_RATIO * neighbours)
            & (value[1:-1] > MOVING_UNREST)
            & (candidates[2:] - candidates[:-2] < NEIGHBOURS_WITHIN_S * rate_hz)
        )
        if not turning.any():
            break
        candidates = np.delete(candidates, np.flatnonzero(turning) + 1)
    return candidates


def _mid_stance(stance: np.ndarray, side: int, energy: np.ndarray, unrest: np.ndarray, rate_hz: float) -> int:
    """The sample of least gyroscope energy near the calmest candidate of a stance (paused: first or last)."""
    paused = stance[-1] - stance[0] >= PAUSE_S * rate_hz
    centre = stance[side] if paused else stance[unrest[stance].argmin()]
    reach = round(0.1 * rate_hz)
    first = max(0, centre - reach)
    return first + int(energy[first : centre + reach + 1].argmin())
