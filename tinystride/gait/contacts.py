"""Find initial contacts (the foot touches the floor) and terminal contacts (it has left the floor).

Each contact is a weighted mean of instants that a shoe-worn sensor shows around it. The weights were fitted
(Huber loss) to the hand-checked events of the odd-numbered people of ipol-healthy. docs/parameters.md shows
the errors on the even-numbered people.
"""

import numpy as np

from tinystride.gait.filters import moving_mean

PITCH_WINDOW_S = 0.03
# Three instants show the initial contact: the pitch rate crosses zero as the heel comes down; it is at its
# maximum while the foot is loaded; and JERK_SHARE of the squared jerk around the contact has passed.
CROSSING_WEIGHT, LOADING_WEIGHT, JERK_WEIGHT = 0.084, 0.502, 0.414
CONTACT_OFFSET_S = -0.0114
JERK_SHARE = 0.2
BEFORE_CROSSING_S, AFTER_CROSSING_S = 0.06, 0.12
# Two instants show the terminal contact: the maximum of the pitch rate at push-off, and its fall to half.
FALL_WEIGHT = 0.789
FALL_OFFSET_S = -0.0009


def contact_samples(
    acc_mps2: np.ndarray, gyr_radps: np.ndarray, rate_hz: float, bounds: np.ndarray
) -> np.ndarray:
    """Return the initial and the terminal contact within each stride, [2, n] fractional sample numbers.

    A contact that the samples do not show is NaN.

    Args:
        acc_mps2: [N, 3], in the canonical foot frame
        gyr_radps: [N, 3], in the canonical foot frame
        rate_hz: sampling rate
        bounds: [n, 2] mid-stances, fractional sample numbers
    """
    pitch_rate = moving_mean(gyr_radps[:, 1], max(1, round(PITCH_WINDOW_S * rate_hz)))
    jerk = np.zeros(len(acc_mps2))
    jerk[1:] = (np.diff(acc_mps2, axis=0) ** 2).sum(axis=1)
    found = np.full((2, len(bounds)), np.nan)
    whole = np.clip(np.rint(bounds).astype(int), 0, len(pitch_rate) - 1)
    for i, (start, end) in enumerate(whole):
        if end - start < 3:
            continue
        swing = start + int(pitch_rate[start:end].argmin())
        found[0, i] = _initial_contact(pitch_rate, jerk, swing, end, rate_hz)
        found[1, i] = _terminal_contact(pitch_rate, start, swing, rate_hz)
    return found


def _initial_contact(pitch_rate: np.ndarray, jerk: np.ndarray, swing: int, end: int, rate_hz: float) -> float:
    """Return the first initial contact between the swing's minimum of the pitch rate and the end; or NaN."""
    rising = np.flatnonzero((pitch_rate[swing:end] < 0) & (pitch_rate[swing + 1 : end + 1] >= 0))
    if not len(rising):
        return np.nan
    before = swing + int(rising[0])
    crossing = before + pitch_rate[before] / (pitch_rate[before] - pitch_rate[before + 1])
    stop = min(int(np.ceil(crossing + AFTER_CROSSING_S * rate_hz)), len(pitch_rate))
    loading = _peak(pitch_rate, before + int(pitch_rate[before:stop].argmax()))
    first = max(int(np.floor(crossing - BEFORE_CROSSING_S * rate_hz)), 0)
    # The jerk of sample i is that between the samples i - 1 and i: its place is half a sample earlier.
    total = np.cumsum(jerk[first:stop])
    if total[-1] <= 0:
        return np.nan
    impact = first - 0.5 + float(np.interp(JERK_SHARE, total / total[-1], np.arange(len(total))))
    mean = CROSSING_WEIGHT * crossing + LOADING_WEIGHT * loading + JERK_WEIGHT * impact
    return min(mean + CONTACT_OFFSET_S * rate_hz, float(end))


def _terminal_contact(pitch_rate: np.ndarray, start: int, swing: int, rate_hz: float) -> float:
    """Return the terminal contact between the start and the swing's minimum of the pitch rate; or NaN."""
    peak = start + int(pitch_rate[start : swing + 1].argmax())
    if pitch_rate[peak] <= 0:
        return np.nan
    half = pitch_rate[peak] / 2
    fallen = np.flatnonzero(pitch_rate[peak : swing + 1] <= half)
    if not len(fallen):
        return np.nan
    after = peak + int(fallen[0])
    fall = after - 1 + (pitch_rate[after - 1] - half) / (pitch_rate[after - 1] - pitch_rate[after])
    top = _peak(pitch_rate, peak)
    return top + FALL_WEIGHT * (fall - top) + FALL_OFFSET_S * rate_hz


def _peak(values: np.ndarray, at: int) -> float:
    """Return the place of the maximum of a parabola through a sample and its two neighbours."""
    if not 0 < at < len(values) - 1:
        return float(at)
    left, middle, right = values[at - 1 : at + 2]
    curvature = left - 2 * middle + right
    return at + 0.5 * float(np.clip((left - right) / curvature, -1, 1)) if curvature < 0 else float(at)
