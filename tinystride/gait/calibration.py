"""Estimate gyroscope bias and accelerometer offset, from moments of standing and from the strides."""

from typing import NamedTuple

import numpy as np

from tinystride.gait.events import find_strides, movement
from tinystride.gait.strapdown import GRAVITY_MPS2, integrate, resample_between

# A window of standing has three parts: a second of standing contains one, half a second does not.
STANDING_PART_S = 0.2
STANDING_PARTS = 3
# A foot sways just before a step, so it must stand on for this time after a window.
STANDING_GUARD_S = 0.15
MAX_STANDING_RADPS = 0.2
# Maximum spread in a window, over all axes. A person who stands still has 0.003 rad/s and 0.03 m/s²
# (ipol-healthy); ten times these values can still be standing, but the stances of a walk are above.
STANDING_GYR_RADPS = 0.04
STANDING_ACC_MPS2 = 0.3
MAX_BIAS_RADPS = 0.1
MAX_LOST_SHARE = 0.1
# SD of a window's bias, per axis: a minimum, and a share of the spread between its parts. On simulated slow
# walkers and ipol-healthy, the median error of all three axes is 0.001 rad/s + 0.4 of that spread.
STANDING_BIAS_SD_RADPS = 0.0008
ERROR_PER_SPREAD = 0.4
# Apparent rotation of gravity in a sensor at rest, from noise alone.
GRAVITY_TURN_NOISE_RADPS = 0.002
# A window with a larger SD contains less information than ten strides.
MAX_STANDING_BIAS_SD_RADPS = 0.015
# SD of the tilt at a stride's end. One stride measures the bias with an error of 1.5 deg/s, which is more
# than the bias of most sensors. So the bias from strides has half of the weight after PRIOR_STRIDES strides.
STRIDE_TILT_SD_RAD = 0.03
PRIOR_STRIDES = 4.0
# A stride that ends with a larger tilt (slope, stumble) has a lower weight.
TILT_SD_RAD = 0.1
# SD of the bias from strides alone, however many there are (simulated slow walkers).
STRIDE_BIAS_SD_RADPS = 0.004
# A bias that changes steadily is removed if its change is MIN_TREND_SDS standard deviations. The maximum is
# 3.0 in 154 recordings of the measured sets and ipol-healthy; with a change of 3 deg/s it is 5.3 to 20 in 12
# simulated walks and 7.3 to 14 in 13 of 16 recordings, whose strides are long or whose foot stands.
MIN_TREND_SDS = 4.5
MIN_TREND_STRIDES = 4
# SD of the difference between the biases of two moments of standing, per axis, beside that of the windows.
EPISODE_SD_RADPS = 0.005
EPISODE_PAUSE_S = 1.0  # moments of standing are this far apart
MIN_TILT_SD_RAD = 0.01
MAD_TO_SD = 1.4826
# SD of the prior of the bias and of its change, in SD of the tilt per second: it has hardly any weight.
TREND_PRIOR_SD = 3.0
# SD of the bias if it changed by 1, because the change may not be steady.
TREND_SD_PER_CHANGE = 0.125
# The ends of a running foot have larger errors.
MAX_WALKING_MPS = 2.0


class _Standing(NamedTuple):
    """Windows in which the foot stands.

    first: [k] first sample; bias: [k, 3], rad/s; force: [k, 3], mean specific force, m/s²; variance: [k], of
    the bias of each axis, (rad/s)²
    """

    first: np.ndarray
    bias: np.ndarray
    force: np.ndarray
    variance: np.ndarray


class Calibrated(NamedTuple):
    """Samples without gyroscope bias and with a specific force of 9.80665 m/s² at rest.

    Attributes:
        acc_mps2: [n, 3], specific force
        gyr_radps: [n, 3], angular rate
        stands: true if the foot stood still for 0.6 s
        bias_sd_radps: SD of the bias of a horizontal axis
    """

    acc_mps2: np.ndarray
    gyr_radps: np.ndarray
    stands: bool
    bias_sd_radps: float


def calibrate(
    acc_mps2: np.ndarray, gyr_radps: np.ndarray, rate_hz: float, lost: np.ndarray | None = None
) -> Calibrated:
    """Return the samples without gyroscope bias and accelerometer offset.

    1. Bias from standing: the mean angular rate in windows of 0.6 s, minus the rotation of gravity from the
       first part of the window to the last. The more the parts differ, the lower is the weight of a window.
    2. Bias from strides: integrated over a stride, it tilts gravity at the end of the stride.
    3. Combine both by least squares, each weighted by its variance.
    4. If strides and moments of standing clearly show that the bias changes, remove a line in time first.

    If |acc| at rest is not 9.80665 m/s², the difference is assumed to be an offset along the vertical and not
    a gain, because then both feet of a walk cover the same distance (ipol-healthy: left against right -0.2 %;
    with a gain -2.7 %; uncorrected 0.9 %).

    Args:
        acc_mps2: [n, 3], in any axes fixed to the foot
        gyr_radps: [n, 3], in the same axes
        rate_hz: sampling rate
        lost: [n] bool, samples that were lost and interpolated, which may look like standing; None: no sample
    """
    standing = _standing(acc_mps2, gyr_radps, rate_hz, lost)
    bias, force, sd_radps = _from_standing(standing)
    stands = sd_radps <= MAX_STANDING_BIAS_SD_RADPS
    trend, change_radps = _bias_trend(acc_mps2, gyr_radps - bias, rate_hz, standing, bias)
    gyr_radps = gyr_radps - trend
    if sd_radps > 2 * STANDING_BIAS_SD_RADPS:
        change, sd_radps = _bias_from_strides(acc_mps2, gyr_radps - bias, rate_hz, sd_radps)
        bias = bias + change
    if not stands:
        force = movement(acc_mps2, gyr_radps, rate_hz)[2]
    excess = np.linalg.norm(force) - GRAVITY_MPS2
    if not stands:
        sd_radps = float(np.hypot(sd_radps, STRIDE_BIAS_SD_RADPS))
    sd_radps = float(np.hypot(sd_radps, TREND_SD_PER_CHANGE * change_radps))
    acc_mps2 = acc_mps2 - excess * force / np.linalg.norm(force)
    return Calibrated(acc_mps2, gyr_radps - bias, bool(stands), sd_radps)


def _standing(
    acc_mps2: np.ndarray, gyr_radps: np.ndarray, rate_hz: float, lost: np.ndarray | None
) -> _Standing:
    """Return the windows in which the foot stands."""
    part = max(1, round(STANDING_PART_S * rate_hz))
    guard = round(STANDING_GUARD_S * rate_hz)
    n = len(gyr_radps) - STANDING_PARTS * part + 1
    if n < 1:
        return _Standing(np.zeros(0, int), np.zeros((0, 3)), np.zeros((0, 3)), np.zeros(0))
    gyr, gyr_square = _part_means(gyr_radps, part), _part_means(gyr_radps**2, part)
    acc, acc_square = _part_means(acc_mps2, part), _part_means(acc_mps2**2, part)
    first = np.arange(n)
    gyr, acc = (
        np.stack([values[first + k * part] for k in range(STANDING_PARTS)], 1) for values in (gyr, acc)
    )
    gyr_spread, acc_spread = (
        np.sqrt(
            np.maximum(
                np.mean([square[first + k * part] for k in range(STANDING_PARTS)], axis=0)
                - values.mean(axis=1) ** 2,
                0,
            ).sum(axis=1)
        )
        for square, values in ((gyr_square, gyr), (acc_square, acc))
    )
    bias = without_rotation(gyr, acc, part / rate_hz)
    moves = np.append(np.linalg.norm(gyr_radps, axis=1) > MAX_STANDING_RADPS, np.zeros(guard, dtype=bool))
    moving = np.append(0, np.cumsum(moves))
    standing = (
        (gyr_spread < STANDING_GYR_RADPS)
        & (acc_spread < STANDING_ACC_MPS2)
        & (np.abs(bias) < MAX_BIAS_RADPS).all(axis=1)
        & (moving[first + STANDING_PARTS * part + guard] == moving[first + STANDING_PARTS * part])
    )
    if lost is not None:
        total = np.append(0, np.cumsum(lost))
        standing &= total[first + STANDING_PARTS * part] - total[first] <= MAX_LOST_SHARE * 3 * part
    return _Standing(
        np.flatnonzero(standing),
        bias[standing],
        acc[standing].mean(axis=1),
        window_variance(gyr[standing]),
    )


def _from_standing(standing: _Standing) -> tuple[np.ndarray, np.ndarray, float]:
    """Return bias [3], specific force [3] and SD of the bias, rad/s; zeros and inf without standing."""
    if not len(standing.first):
        return np.zeros(3), np.zeros(3), np.inf
    # The errors of adjacent windows are correlated: the mean is as good as its best windows, not better.
    weight = standing.variance**-2
    return (
        np.average(standing.bias, axis=0, weights=weight),
        np.average(standing.force, axis=0, weights=weight),
        float(np.sqrt(np.average(standing.variance, weights=weight))),
    )


def _bias_trend(
    acc_mps2: np.ndarray, gyr_radps: np.ndarray, rate_hz: float, standing: _Standing, bias: np.ndarray
) -> tuple[np.ndarray, float]:
    """Return a bias that is a line in time, [n, 3] rad/s, and its horizontal change during the strides.

    The line is fitted to the tilts at the ends of the strides (see `_bias_from_strides`) and to the biases of
    the moments of standing. It is zero if the bias does not clearly change.

    gyr_radps: [n, 3], after subtracting `bias`; standing: windows, before subtracting it
    """
    constant = np.zeros((1, 3)), 0.0
    strides = find_strides(acc_mps2, gyr_radps, rate_hz)
    if len(strides) < MIN_TREND_STRIDES:
        return constant
    tilt, effect_s, speed_mps, up = _stride_tilts(acc_mps2, gyr_radps, rate_hz, strides)
    walks = speed_mps < MAX_WALKING_MPS
    middle = strides.mean(axis=1)[walks]
    if len(middle) < MIN_TREND_STRIDES:
        return constant
    tilt, effect_s = tilt[walks], effect_s[walks]
    centre, span = middle.mean(), np.ptp(middle)

    def with_line(effect: np.ndarray, place: np.ndarray) -> np.ndarray:
        return np.concatenate([effect, effect * ((place - centre) / span)[:, None, None]], axis=2)

    effect = with_line(effect_s, middle)
    begins = np.diff(standing.first, prepend=-np.inf) > EPISODE_PAUSE_S * rate_hz
    episodes = np.split(np.arange(len(standing.first)), np.flatnonzero(begins)[1:]) if begins.any() else []
    parts = [_Standing(*(values[own] for values in standing)) for own in episodes]
    means = [_from_standing(part) for part in parts]
    places = np.array([part.first.mean() for part in parts])
    of_standing = with_line(np.tile(np.eye(3), (len(parts), 1, 1)), places)
    measured = np.array([mean[0] - bias for mean in means]).reshape(-1, 3)
    variance = np.array([mean[2] ** 2 for mean in means]) + EPISODE_SD_RADPS**2
    weight, sd_rad = 1 / (1 + (tilt**2).sum(axis=1) / TILT_SD_RAD**2), STRIDE_TILT_SD_RAD
    for _ in range(3):
        information = np.einsum("n,nki,nkj->ij", weight, effect, effect) / sd_rad**2
        information += np.einsum("n,nki,nkj->ij", 1 / variance, of_standing, of_standing)
        information += np.eye(6) / (TREND_PRIOR_SD * sd_rad) ** 2
        total = np.einsum("n,nki,nk->i", weight, effect, tilt) / sd_rad**2
        line = np.linalg.solve(
            information, total + np.einsum("n,nki,nk->i", 1 / variance, of_standing, measured)
        )
        residual = tilt - effect @ line
        sd_rad = max(MAD_TO_SD * float(np.median(np.abs(residual))), MIN_TILT_SD_RAD)
        weight = 1 / (1 + (residual**2).sum(axis=1) / (2 * sd_rad) ** 2)
    change = line[3:]
    covariance = np.linalg.inv(information)[3:, 3:]
    if change @ np.linalg.solve(covariance, change) < MIN_TREND_SDS**2:
        return constant
    place = (np.arange(len(gyr_radps)) - centre) / span
    return line[:3] + place[:, None] * change, float(np.linalg.norm(change - (change @ up) * up))


def window_variance(gyr_radps: np.ndarray) -> np.ndarray:
    """Return the variance [n] of the bias from n windows, (rad/s)².

    Args:
        gyr_radps: [n, 3, 3], mean angular rate of the three parts of each window
    """
    return STANDING_BIAS_SD_RADPS**2 + ERROR_PER_SPREAD**2 * gyr_radps.var(axis=1).sum(axis=1)


def without_rotation(gyr_radps: np.ndarray, acc_mps2: np.ndarray, part_s: float) -> np.ndarray:
    """Return the bias [n, 3] of n windows, rad/s: the mean angular rate minus the rotation of gravity.

    A foot that rolls over slowly turns at a steady rate, which looks like a bias; but gravity turns with it.
    A rotation of gravity below GRAVITY_TURN_NOISE_RADPS is noise and is not subtracted.

    Args:
        gyr_radps: [n, 3, 3], means of the three parts of each window
        acc_mps2: [n, 3, 3], likewise
        part_s: duration of a part
    """
    up = acc_mps2 / np.maximum(np.linalg.norm(acc_mps2, axis=2, keepdims=True), 1e-12)
    turned = np.cross((up[:, 2] - up[:, 0]) / (2 * part_s), up[:, 1])
    square = (turned**2).sum(axis=1, keepdims=True)
    share = square / (square + GRAVITY_TURN_NOISE_RADPS**2)
    # Mean rate between the middles of the first and the last part, by the trapezoidal rule.
    return (gyr_radps[:, 0] + 2 * gyr_radps[:, 1] + gyr_radps[:, 2]) / 4 - share * turned


def _part_means(values: np.ndarray, part: int) -> np.ndarray:
    """Return the means of `part` samples from each sample on, [n - part + 1, 3]."""
    total = np.concatenate([np.zeros((1, 3)), np.cumsum(values, axis=0)])
    return (total[part:] - total[:-part]) / part


def _bias_from_strides(
    acc_mps2: np.ndarray, gyr_radps: np.ndarray, rate_hz: float, sd_radps: float
) -> tuple[np.ndarray, float]:
    """Return the gyroscope bias [3] and its SD, rad/s, by least squares.

    A bias tilts gravity at the end of a stride: with the orientation R(t), a bias b turns the end by ∫R b dt,
    and gravity shows the horizontal part of this rotation. The returned SD is that of a horizontal axis,
    because a bias about the vertical turns the stride and does not change its length.

    sd_radps: SD of the bias after `_from_standing`; inf if unknown
    """
    strides = find_strides(acc_mps2, gyr_radps, rate_hz)
    prior = PRIOR_STRIDES + (STRIDE_TILT_SD_RAD / sd_radps) ** 2
    if not len(strides):
        return np.zeros(3), float(STRIDE_TILT_SD_RAD / np.sqrt(prior))
    tilt, effect_s, _, vertical = _stride_tilts(acc_mps2, gyr_radps, rate_hz, strides)
    weight = 1 / (1 + (tilt**2).sum(axis=1) / TILT_SD_RAD**2)
    information = np.einsum("n,nki,nkj->ij", weight, effect_s, effect_s) + prior * np.eye(3)
    covariance = np.linalg.inv(information)
    horizontal = (np.trace(covariance) - vertical @ covariance @ vertical) / 2
    bias = np.linalg.solve(information, np.einsum("n,nki,nk->i", weight, effect_s, tilt))
    return bias, float(STRIDE_TILT_SD_RAD * np.sqrt(horizontal))


def _stride_tilts(
    acc_mps2: np.ndarray, gyr_radps: np.ndarray, rate_hz: float, strides: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return the tilt at the end of n strides, rad, the effect of a bias on it, the speed, and the vertical.

    Returns:
        [n, 2], horizontal part of the rotation from the vertical to gravity at the end; [n, 2, 3], rad per
        rad/s; [n], m/s; [3], unit vector in the axes of the sensor
    """
    samples = resample_between(np.column_stack([acc_mps2, gyr_radps]), rate_hz, strides)
    duration_s = (strides[:, 1] - strides[:, 0]) / rate_hz
    integral = integrate(samples[..., :3], samples[..., 3:], duration_s)
    orientation = integral.orientation
    up = np.einsum("nij,nj->ni", orientation[:, -1], samples[:, -1, :3])
    x, y, _ = (up / np.linalg.norm(up, axis=1, keepdims=True)).T
    effect_s = (orientation.mean(axis=1) * duration_s[:, None, None])[:, :2]
    vertical = samples[:, 0, :3].sum(axis=0)
    return (
        np.column_stack([-y, x]),
        effect_s,
        integral.length_cm / 100 / duration_s,
        vertical / np.linalg.norm(vertical),
    )
