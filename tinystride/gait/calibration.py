"""Gyroscope bias and accelerometer offset, as the sensor shows them while the foot rests."""

import numpy as np

from tinystride.gait.events import find_strides, movement
from tinystride.gait.filters import moving_mean
from tinystride.gait.strapdown import GRAVITY_MPS2, integrate, resample_between

STANDING_WINDOW_S = 1.0
# Spread over the axes of a sensor on somebody who stands still: 0.003 rad/s and 0.03 m/s² (ipol-healthy);
# ten times as much still is standing, while the calmest stance of a walk is above.
STANDING_GYR_RADPS = 0.04
STANDING_ACC_MPS2 = 0.3
LARGEST_BIAS_RADPS = 0.1
LARGEST_LOST_SHARE = 0.1
# A stride shows the gyroscope's bias to 1.5 deg/s only, which sensors rarely have: believe it from some on.
STRIDES_TO_BELIEVE = 4.0
# Ends of strides that are further from upright than this (slopes, stumbles) count less.
USUAL_TILT_RAD = 0.1


def calibrate(
    acc_mps2: np.ndarray, gyr_radps: np.ndarray, rate_hz: float, lost: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray, bool]:
    """Samples [n, 3] without gyroscope bias and with a specific force of 9.80665 m/s² at rest.

    Both are read off all moments of standing. If nobody stands, the last value is False, gravity is that of
    the mid-stances, and the bias is what best lets every stride end as upright as it began.

    lost: [n] bool, samples that were lost and interpolated (None: none was): a straight line is no standing

    What |acc| at rest has too much is taken for an offset along the vertical, not for a gain: the feet of one
    walk then go equally far (ipol-healthy: left against right -0.2 %; with a gain -2.7 %, uncorrected 0.9 %).
    """
    standing, gyr_mean, acc_mean, weight = _standing(acc_mps2, gyr_radps, rate_hz)
    if lost is not None:
        share = moving_mean(lost.astype(float), round(STANDING_WINDOW_S * rate_hz))
        standing &= share <= LARGEST_LOST_SHARE
    if standing.any():
        bias = np.average(gyr_mean[standing], axis=0, weights=weight[standing])
        force = np.average(acc_mean[standing], axis=0, weights=weight[standing])
    else:
        bias = _bias_from_strides(acc_mps2, gyr_radps, rate_hz)
        force = movement(acc_mps2, gyr_radps, rate_hz)[2]
    excess = np.linalg.norm(force) - GRAVITY_MPS2
    return acc_mps2 - excess * force / np.linalg.norm(force), gyr_radps - bias, bool(standing.any())


def _standing(acc_mps2, gyr_radps, rate_hz):
    """Which samples [n] are amid a second of standing, the means [n, 3] over it, and their weight [n]."""
    window = round(STANDING_WINDOW_S * rate_hz)
    gyr_mean, gyr_spread = _mean_and_spread(gyr_radps, window)
    acc_mean, acc_spread = _mean_and_spread(acc_mps2, window)
    standing = (
        (gyr_spread < STANDING_GYR_RADPS)
        & (acc_spread < STANDING_ACC_MPS2)
        & (np.abs(gyr_mean) < LARGEST_BIAS_RADPS).all(axis=1)
    )
    return standing, gyr_mean, acc_mean, 1 / (gyr_spread**2 + 1e-6)


def _mean_and_spread(values: np.ndarray, window: int) -> tuple[np.ndarray, np.ndarray]:
    mean = moving_mean(values, window)
    variance = moving_mean(values**2, window) - mean**2
    return mean, np.sqrt(np.maximum(variance, 0).sum(axis=1))


def _bias_from_strides(acc_mps2: np.ndarray, gyr_radps: np.ndarray, rate_hz: float) -> np.ndarray:
    """Gyroscope bias [3] by least squares: integrated over a stride, it tilts gravity at the stride's end.

    With R(t) the orientation, a bias b turns the end by ∫R b dt, of which gravity shows the horizontal part.
    """
    strides = find_strides(acc_mps2, gyr_radps, rate_hz)
    if not len(strides):
        return np.zeros(3)
    samples = resample_between(np.column_stack([acc_mps2, gyr_radps]), rate_hz, strides)
    duration_s = (strides[:, 1] - strides[:, 0]) / rate_hz
    orientation = integrate(samples[..., :3], samples[..., 3:], duration_s).orientation
    up = np.einsum("nij,nj->ni", orientation[:, -1], samples[:, -1, :3])
    x, y, _ = (up / np.linalg.norm(up, axis=1, keepdims=True)).T
    tilt = np.column_stack([-y, x])  # rotation vector from the vertical to `up`, horizontal part
    lever_s = (orientation.mean(axis=1) * duration_s[:, None, None])[:, :2]
    weight = 1 / (1 + (x**2 + y**2) / USUAL_TILT_RAD**2)
    information = np.einsum("n,nki,nkj->ij", weight, lever_s, lever_s) + STRIDES_TO_BELIEVE * np.eye(3)
    return np.linalg.solve(information, np.einsum("n,nki,nk->i", weight, lever_s, tilt))
