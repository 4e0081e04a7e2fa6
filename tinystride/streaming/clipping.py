"""Repair of a clipped gyroscope: gravity at both mid-stances shows what was lost (firmware/clipping.inc)."""

from dataclasses import dataclass

import numpy as np

from tinystride.firmware import constants as c
from tinystride.gait.strapdown import POINTS, level, rotation_matrices


@dataclass(frozen=True)
class Run:
    """Samples at full scale of an axis of the gyroscope: number of the first, how many, axis, sign."""

    first: int
    n: int
    axis: int
    sign: int


def put_back(
    acc_mps2: np.ndarray,
    gyr_radps: np.ndarray,
    axes: np.ndarray,
    duration_s: float,
    runs: list[Run],
    start: float,
    rate_hz: float,
) -> tuple[np.ndarray, float]:
    """Return the angular rate [64, 3] of a stride with what clipping lost put back, and the latter, rad.

    acc_mps2, gyr_radps: [64, 3] in sensor axes, calibrated; axes: [3, 3] from there to the foot
    runs: the last ones so far; start: sample at which the stride starts
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
        acc_mps2, gyr_radps, axes, duration_s, runs, time_s, rate_hz, np.zeros(2)
    )
    correction = np.zeros(2)
    if up[2] > 0:
        slope = np.array([up[1], -up[0]]) / up[2]
        missing_rad = slope / (1 + 0.28 * (slope @ slope))
        variance = _tilt_variance(acc_mps2[[0, -1]], repaired[[0, -1]])
        correction = np.linalg.solve(covariance + variance * np.eye(2), missing_rad)
    return _integrated(acc_mps2, gyr_radps, axes, duration_s, runs, time_s, rate_hz, correction)[:2]


def _tilt_variance(acc_mps2: np.ndarray, gyr_radps: np.ndarray) -> float:
    """How badly gravity tells the tilt, rad², from samples [2, 3] at both ends of a stride."""
    pushed = np.linalg.norm(acc_mps2, axis=1) / c.GRAVITY - 1
    turning = c.CLIPPING_TILT_PER_RADPS**2 * (gyr_radps**2).sum(axis=1)
    return float(c.STRIDE_TILT_SD_RAD**2 + (pushed**2 + turning).sum())


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
    """Return the repaired rate [64, 3], the rotation put back, the covariance [2, 2] that the tilt at the end
    has before gravity is used, and the specific force [3] there.

    time_s: [runs, 64] of each run within each point's interval; correction: [2], see weigh_gravity of the C
    """
    step_s = duration_s / (POINTS - 1)
    orientation = level((acc_mps2[0] @ axes.T)[None])[0] @ axes
    repaired, put_rad, covariance = gyr_radps.copy(), 0.0, np.zeros((2, 2))
    for point in range(1, POINTS):
        for run, own_s in zip(runs, time_s[:, point], strict=True):
            if own_s > 0:
                span_s = run.n / rate_hz
                share = min(span_s / c.LONG_CLIPPING_S, 1.0)
                lever = run.sign * orientation[:2, run.axis]
                prior = (c.CLIPPING_SD_RADPS * share) ** 2 * span_s
                lost = c.CLIPPING_RADPS * share + prior * (lever @ correction)
                lost = min(max(lost, 0.0), c.MAX_CLIPPING_RADPS)
                repaired[point, run.axis] += run.sign * lost * own_s / step_s
                put_rad += lost * own_s
                covariance += prior * own_s * np.outer(lever, lever)
        turned = (repaired[point - 1] + repaired[point]) / 2 * step_s
        orientation = orientation @ rotation_matrices(turned)
    return repaired, put_rad, covariance, orientation @ acc_mps2[-1]
