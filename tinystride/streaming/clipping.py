"""Repair of a clipped gyroscope by gravity and vertical velocity at the ends (firmware/clipping.inc)."""

from dataclasses import dataclass

import numpy as np

from tinystride.firmware import constants as c
from tinystride.gait.strapdown import (
    POINTS,
    align_to_gravity,
    correct_tilt,
    integrate,
    rotation_matrices,
    tilt_variance,
)


@dataclass(frozen=True)
class Run:
    """A run of samples in which an axis of the gyroscope is clipped.

    Attributes:
        first: number of the first sample
        n: number of samples
        axis: 0 to 2, in sensor axes
        sign: 1 at the positive full scale, -1 at the negative one
    """

    first: int
    n: int
    axis: int
    sign: int


def add_lost_rotation(
    acc_mps2: np.ndarray,
    gyr_radps: np.ndarray,
    axes: np.ndarray,
    duration_s: float,
    runs: list[Run],
    start: float,
    rate_hz: float,
) -> tuple[np.ndarray, float]:
    """Add the rotation that clipping lost to the angular rate of a stride.

    Args:
        acc_mps2: [64, 3] calibrated specific force in sensor axes, m/s²
        gyr_radps: [64, 3] calibrated angular rate in sensor axes, rad/s
        axes: [3, 3] rotation from sensor axes to the foot
        duration_s: duration of the stride, s
        runs: last runs of clipped samples
        start: mid-stance at the start, fractional sample number
        rate_hz: sampling rate, Hz

    Returns:
        repaired: [64, 3] angular rate, rad/s
        repaired_rad: added rotation, rad; 0 if no run lies in the stride
    """
    step = duration_s * rate_hz / (POINTS - 1)
    ends = start + step * (np.arange(POINTS) + 0.5)
    time_s = (
        np.array(
            [
                np.maximum(
                    np.minimum(run.first + run.n - 0.5, ends) - np.maximum(run.first - 0.5, ends - step), 0
                )
                for run in runs
            ]
        ).reshape(-1, POINTS)
        / rate_hz
    )
    time_s[:, 0] = 0
    if not time_s.any():
        return gyr_radps, 0.0
    repaired, _, covariance, up = _integrated(
        acc_mps2, gyr_radps, axes, duration_s, runs, time_s, rate_hz, np.zeros(3)
    )
    correction = np.zeros(3)
    if up[2] > 0:
        samples = (acc_mps2 @ axes.T)[None], (repaired @ axes.T)[None], np.array([duration_s])
        end_mps = correct_tilt(integrate(*samples), *samples, rate_hz)[0].velocity_mps[0, -1]
        slope = np.array([up[1], -up[0]]) / up[2]
        missing = np.append(slope / (1 + 0.28 * (slope @ slope)), -end_mps[2])
        # A lost rotation turns all later changes of the velocity.
        effect = np.array([[1, 0, 0], [0, 1, 0], [end_mps[1], -end_mps[0], -1]])
        variance = np.diag(_end_variance(acc_mps2[[0, -1]], repaired[[0, -1]]))
        correction = effect.T @ np.linalg.solve(effect @ covariance @ effect.T + variance, missing)
    return _integrated(acc_mps2, gyr_radps, axes, duration_s, runs, time_s, rate_hz, correction)[:2]


def _end_variance(acc_mps2: np.ndarray, gyr_radps: np.ndarray) -> list[float]:
    """Return the variances of the tilt about two axes, rad², and of the vertical velocity, (m/s)².

    acc_mps2, gyr_radps: samples [2, 3] at both ends of the stride
    """
    tilt = c.STRIDE_TILT_SD_RAD**2 + float(tilt_variance(acc_mps2, gyr_radps).sum())
    return [tilt, tilt, c.VERTICAL_SD_MPS**2 + c.VERTICAL_PER_RADPS_M**2 * float((gyr_radps**2).sum())]


def _integrated(
    acc_mps2: np.ndarray,
    gyr_radps: np.ndarray,
    axes: np.ndarray,
    duration_s: float,
    runs: list[Run],
    time_s: np.ndarray,
    rate_hz: float,
    correction: np.ndarray,
) -> tuple[np.ndarray, float, np.ndarray, np.ndarray]:
    """Integrate a stride and add the lost rotation.

    Args:
        acc_mps2: as in add_lost_rotation
        gyr_radps: as in add_lost_rotation
        axes: as in add_lost_rotation
        duration_s: as in add_lost_rotation
        runs: as in add_lost_rotation
        time_s: [runs, 64] time of each run within the interval of each point, s
        rate_hz: as in add_lost_rotation
        correction: [3] estimate_correction of the C

    Returns:
        repaired angular rate [64, 3]; added rotation, rad; covariance [3, 3] before the correction: of the
        rotation about two axes, rad, and of the vertical velocity that it would cause by the velocity at its
        time, m/s; specific force [3] at the end, m/s²
    """
    step_s = duration_s / (POINTS - 1)
    orientation = align_to_gravity((acc_mps2[0] @ axes.T)[None])[0] @ axes
    repaired, repaired_rad, covariance = gyr_radps.copy(), 0.0, np.zeros((3, 3))
    acceleration, velocity = orientation @ acc_mps2[0] - [0, 0, c.GRAVITY], np.zeros(3)
    for point in range(1, POINTS):
        for run, own_s in zip(runs, time_s[:, point], strict=True):
            if own_s > 0:
                span_s = run.n / rate_hz
                share = min(span_s / c.LONG_CLIPPING_S, 1.0)
                x, y = run.sign * orientation[:2, run.axis]
                effect = np.array([x, y, x * velocity[1] - y * velocity[0]])
                prior = (c.CLIPPING_SD_RADPS * share) ** 2 * span_s
                lost = c.CLIPPING_RADPS * share + prior * (effect @ correction)
                lost = min(max(lost, 0.0), c.MAX_CLIPPING_RADPS)
                repaired[point, run.axis] += run.sign * lost * own_s / step_s
                repaired_rad += lost * own_s
                covariance += prior * own_s * np.outer(effect, effect)
        turned = (repaired[point - 1] + repaired[point]) / 2 * step_s
        orientation = orientation @ rotation_matrices(turned)
        before, acceleration = acceleration, orientation @ acc_mps2[point] - [0, 0, c.GRAVITY]
        velocity = velocity + (before + acceleration) / 2 * step_s
    return repaired, repaired_rad, covariance, orientation @ acc_mps2[-1]
