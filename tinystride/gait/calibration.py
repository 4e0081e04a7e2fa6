"""Gyroscope bias and accelerometer offset, from moments of standing and from the strides themselves."""

from typing import NamedTuple

import numpy as np

from tinystride.gait.events import find_strides, movement
from tinystride.gait.strapdown import GRAVITY_MPS2, integrate, resample_between

# Standing is looked for in windows of three parts, so that a second of it holds one and half a second none.
STANDING_PART_S = 0.2
STANDING_PARTS = 3
# The last moment before a step sways: what a window says counts if the foot stands on for as long.
STANDING_GUARD_S = 0.15
MAX_STANDING_RADPS = 0.2
# Spread over the axes of a sensor on a person who stands still: 0.003 rad/s and 0.03 m/s² (ipol-healthy);
# ten times as much can still be standing, while the most stationary stance of a walk is above.
STANDING_GYR_RADPS = 0.04
STANDING_ACC_MPS2 = 0.3
LARGEST_BIAS_RADPS = 0.1
LARGEST_LOST_SHARE = 0.1
# Error of a window's bias, SD of an axis: a floor, and a share of the spread between its parts. On simulated
# slow walkers and on ipol-healthy the median error of all three axes is 0.001 rad/s + 0.4 of that spread.
STANDING_BIAS_SD_RADPS = 0.0008
ERROR_PER_SPREAD = 0.4
# Gravity turns in a resting sensor by at most so much, from noise alone.
GRAVITY_TURN_NOISE_RADPS = 0.002
# A window with a larger error than this says less than ten strides do.
MAX_STANDING_BIAS_SD_RADPS = 0.015
# A stride shows the gyroscope's bias to 1.5 deg/s only, which sensors rarely have: believe it from some on.
STRIDE_TILT_SD_RAD = 0.03
STRIDES_TO_BELIEVE = 4.0
# Ends of strides that are further from upright than this (slopes, stumbles) count less.
USUAL_TILT_RAD = 0.1
# What strides alone say is off by as much in slow walkers, however many there are (simulated people).
STRIDE_BIAS_SD_RADPS = 0.004


class Calibrated(NamedTuple):
    """Samples [n, 3] without gyroscope bias and with a specific force of 9.80665 m/s² at rest.

    stands: whether the foot stood still for 0.6 s
    bias_sd_radps: how well the bias of a horizontal axis is known, SD
    """

    acc_mps2: np.ndarray
    gyr_radps: np.ndarray
    stands: bool
    bias_sd_radps: float


def calibrate(
    acc_mps2: np.ndarray, gyr_radps: np.ndarray, rate_hz: float, lost: np.ndarray | None = None
) -> Calibrated:
    """Return the samples without the sensor's errors that standing and strides show.

    acc_mps2, gyr_radps: [n, 3], in any axes fixed to the foot

    lost: [n] bool, samples that were lost and interpolated (None: none): a straight line is not standing

    1. Windows of 0.6 s in which the foot stands show the bias: the mean angular rate, less the rotation that
       gravity shows from the first part to the last. The more the parts differ, the less a window counts.
    2. Strides show the bias, too: integrated over a stride, it tilts gravity at the stride's end.
    3. Both are combined by least squares, each weighted by its variance.

    If |acc| at rest is not 9.80665 m/s², the difference is taken for an offset along the vertical, not for a
    gain: the feet of one walk then go equally far (ipol-healthy: left against right -0.2 %; with a gain
    -2.7 %, uncorrected 0.9 %).
    """
    bias, force, sd_radps = _from_standing(acc_mps2, gyr_radps, rate_hz, lost)
    stands = sd_radps <= MAX_STANDING_BIAS_SD_RADPS
    if sd_radps > 2 * STANDING_BIAS_SD_RADPS:
        change, sd_radps = _bias_from_strides(acc_mps2, gyr_radps - bias, rate_hz, sd_radps)
        bias = bias + change
    if not stands:
        force = movement(acc_mps2, gyr_radps, rate_hz)[2]
    excess = np.linalg.norm(force) - GRAVITY_MPS2
    if not stands:
        sd_radps = float(np.hypot(sd_radps, STRIDE_BIAS_SD_RADPS))
    acc_mps2 = acc_mps2 - excess * force / np.linalg.norm(force)
    return Calibrated(acc_mps2, gyr_radps - bias, bool(stands), sd_radps)


def _from_standing(
    acc_mps2: np.ndarray, gyr_radps: np.ndarray, rate_hz: float, lost: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray, float]:
    """Return bias [3], specific force [3] and the bias's SD in rad/s; zero, zero and inf without standing."""
    part = max(1, round(STANDING_PART_S * rate_hz))
    guard = round(STANDING_GUARD_S * rate_hz)
    n = len(gyr_radps) - STANDING_PARTS * part + 1
    if n < 1:
        return np.zeros(3), np.zeros(3), np.inf
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
        & (np.abs(bias) < LARGEST_BIAS_RADPS).all(axis=1)
        & (moving[first + STANDING_PARTS * part + guard] == moving[first + STANDING_PARTS * part])
    )
    if lost is not None:
        total = np.append(0, np.cumsum(lost))
        standing &= total[first + STANDING_PARTS * part] - total[first] <= LARGEST_LOST_SHARE * 3 * part
    if not standing.any():
        return np.zeros(3), np.zeros(3), np.inf
    variance = window_variance(gyr[standing])
    # Neighbouring windows err alike: the mean is as good as its best windows, not better.
    weight = variance**-2
    return (
        np.average(bias[standing], axis=0, weights=weight),
        np.average(acc[standing].mean(axis=1), axis=0, weights=weight),
        float(np.sqrt(np.average(variance, weights=weight))),
    )


def window_variance(gyr_radps: np.ndarray) -> np.ndarray:
    """Return the variance [n], (rad/s)², of the bias from windows with the means [n, 3, 3] of their parts."""
    return STANDING_BIAS_SD_RADPS**2 + ERROR_PER_SPREAD**2 * gyr_radps.var(axis=1).sum(axis=1)


def without_rotation(gyr_radps: np.ndarray, acc_mps2: np.ndarray, part_s: float) -> np.ndarray:
    """Return bias [n, 3] from the means [n, 3, 3] of three parts of part_s: without gravity's rotation.

    A foot that rolls over slowly turns at a steady rate that looks like a bias, but gravity turns with it.
    What is less than the accelerometer's noise makes of gravity's direction is left alone.
    """
    up = acc_mps2 / np.maximum(np.linalg.norm(acc_mps2, axis=2, keepdims=True), 1e-12)
    turned = np.cross((up[:, 2] - up[:, 0]) / (2 * part_s), up[:, 1])
    square = (turned**2).sum(axis=1, keepdims=True)
    share = square / (square + GRAVITY_TURN_NOISE_RADPS**2)
    # Between the middles of the first and the last part the rate is, by the trapezoidal rule:
    return (gyr_radps[:, 0] + 2 * gyr_radps[:, 1] + gyr_radps[:, 2]) / 4 - share * turned


def _part_means(values: np.ndarray, part: int) -> np.ndarray:
    """Return means over `part` samples from each sample on, [n - part + 1, 3]."""
    total = np.concatenate([np.zeros((1, 3)), np.cumsum(values, axis=0)])
    return (total[part:] - total[:-part]) / part


def _bias_from_strides(
    acc_mps2: np.ndarray, gyr_radps: np.ndarray, rate_hz: float, sd_radps: float
) -> tuple[np.ndarray, float]:
    """Return the gyroscope's bias [3] and its SD, by least squares: it tilts gravity at a stride's end.

    sd_radps: SD of the bias that standing left; inf: unknown. The SD that is returned is that of a horizontal
    axis: a bias about the vertical turns the stride and does not change its length. With R(t) the
    orientation, a bias b turns the end by ∫R b dt, of which gravity shows the horizontal part.
    """
    strides = find_strides(acc_mps2, gyr_radps, rate_hz)
    prior = STRIDES_TO_BELIEVE + (STRIDE_TILT_SD_RAD / sd_radps) ** 2
    if not len(strides):
        return np.zeros(3), float(STRIDE_TILT_SD_RAD / np.sqrt(prior))
    samples = resample_between(np.column_stack([acc_mps2, gyr_radps]), rate_hz, strides)
    duration_s = (strides[:, 1] - strides[:, 0]) / rate_hz
    orientation = integrate(samples[..., :3], samples[..., 3:], duration_s).orientation
    up = np.einsum("nij,nj->ni", orientation[:, -1], samples[:, -1, :3])
    x, y, _ = (up / np.linalg.norm(up, axis=1, keepdims=True)).T
    tilt = np.column_stack([-y, x])  # rotation vector from the vertical to `up`, horizontal part
    lever_s = (orientation.mean(axis=1) * duration_s[:, None, None])[:, :2]
    weight = 1 / (1 + (x**2 + y**2) / USUAL_TILT_RAD**2)
    information = np.einsum("n,nki,nkj->ij", weight, lever_s, lever_s) + prior * np.eye(3)
    covariance = np.linalg.inv(information)
    vertical = samples[:, 0, :3].sum(axis=0)
    vertical /= np.linalg.norm(vertical)
    horizontal = (np.trace(covariance) - vertical @ covariance @ vertical) / 2
    bias = np.linalg.solve(information, np.einsum("n,nki,nk->i", weight, lever_s, tilt))
    return bias, float(STRIDE_TILT_SD_RAD * np.sqrt(horizontal))
