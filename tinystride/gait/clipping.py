"""Repair a gyroscope that was clipped at its full scale: gravity shows how much rotation was lost."""

from itertools import pairwise

import numpy as np

from tinystride.gait.calibration import STRIDE_TILT_SD_RAD
from tinystride.gait.strapdown import (
    GRAVITY_MPS2,
    POINTS,
    Strapdown,
    integrate,
    resample_between,
    tilt_variance,
)

# Prior of the lost rate, by which a foot exceeds the full scale while a sensor axis is clipped: mean and SD.
# The measured sets, clipped at 300 to 500 deg/s, exceed it by 0.4 to 1.5 rad/s. Both are proportional to the
# time that the axis is clipped, up to LONG_CLIPPING_S.
CLIPPING_RADPS, CLIPPING_SD_RADPS = 1.0, 1.5
LONG_CLIPPING_S = 0.08
MAX_CLIPPING_RADPS = 15.0
# SD of the excess velocity at the end of a stride, horizontal and vertical, also of a sensor that is shaken
# at contact, and the increase of the latter per angular rate of a foot that rolls over its sole. The
# horizontal velocity depends on when a run lost its rotation, which is unknown.
HORIZONTAL_SD_MPS = 1.0
VERTICAL_SD_MPS, VERTICAL_PER_RADPS_M = 0.6, 0.05
# After LONG_CLIPPING_S, the SD of the lost rate still grows, up to this multiple.
MAX_LONG_CLIPPING = 3.0
ROUNDS = 2


def repair(
    acc_mps2: np.ndarray,
    gyr_radps: np.ndarray,
    rate_hz: float,
    mid_stances: np.ndarray,
    clipped: np.ndarray,
    axes: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the angular rate [N, 3] with the estimated lost rate added, and the added rotation [n], rad.

    Gravity shows the vertical direction at both mid-stances, so the rotation in between is known except for
    the heading. Each run of clipped samples of an axis has lost an unknown rate, the same in all of its
    samples, of known mean and SD. The tilt and the excess velocity of the integral at the end of the stride
    determine these rates and the tilt at the start by least squares, weighted by their accuracy. So a short
    clipping is changed little. In running, the foot is not at rest: gravity contributes less, the velocity
    more.

    Args:
        acc_mps2: [N, 3], calibrated, in the canonical foot frame
        gyr_radps: [N, 3], calibrated, in the canonical foot frame
        rate_hz: sampling rate
        mid_stances: [n, 2], fractional sample numbers
        clipped: [N, 3], 1 or -1 if a sensor axis is at its positive or negative full scale, otherwise 0
        axes: [3, 3], row i is the angular rate in the foot frame of 1 rad/s about sensor axis i
    """
    first, stop, axis, sign = _runs(clipped)
    place = (first + stop - 1) / 2
    stride = np.searchsorted(mid_stances[:, 0], place, "right") - 1
    inside = (stride >= 0) & (place <= mid_stances[stride, 1])
    first, stop, stride, place = first[inside], stop[inside], stride[inside], place[inside]
    direction, span_s = (sign[:, None] * axes[axis])[inside], (stop - first) / rate_hz
    share = np.minimum(span_s / LONG_CLIPPING_S, 1.0)
    lost_radps = CLIPPING_RADPS * share
    repaired_rad = np.zeros(len(mid_stances))
    if not len(first):
        return gyr_radps.copy(), repaired_rad
    affected, own = np.unique(stride, return_inverse=True)
    bounds = mid_stances[affected]
    duration_s = np.diff(bounds)[:, 0] / rate_hz
    expected_radps = lost_radps.copy()
    prior = (CLIPPING_SD_RADPS * np.minimum(span_s / LONG_CLIPPING_S, MAX_LONG_CLIPPING)) ** 2
    # The integral gets the rotation of each run at one point, the middle of the run.
    point = np.rint((place - bounds[own, 0]) / np.diff(bounds)[own, 0] * (POINTS - 1)).astype(int)
    for _ in range(ROUNDS):
        repaired = _add_rotation(gyr_radps, first, stop, direction, lost_radps)
        samples = resample_between(np.column_stack([acc_mps2, repaired]), rate_hz, bounds)
        integral = integrate(samples[..., :3], samples[..., 3:], duration_s)
        missing, variance, start_variance = _end_errors(integral, samples)
        # Effect of 1 rad/s in each run, and of 1 rad about each horizontal axis at the start.
        rotation = np.einsum("nij,nj->ni", integral.orientation[own, point], direction * span_s[:, None])
        effect = _effect(integral, duration_s, own, point, rotation)
        every = np.arange(len(affected))
        tilting = [_effect(integral, duration_s, every, 0 * every, axis) for axis in np.eye(3)[:2]]
        for number in range(len(affected)):
            runs = own == number
            effects = np.vstack([effect[runs], *(each[number] for each in tilting)])
            gain = np.append(prior[runs], [start_variance[number]] * 2)[:, None] * effects
            covariance = effects.T @ gain + np.diag(variance[number])
            change = missing[number] + effect[runs].T @ (lost_radps[runs] - expected_radps[runs])
            estimate = gain @ np.linalg.solve(covariance, change)
            lost_radps[runs] = expected_radps[runs] + estimate[: runs.sum()]
        lost_radps = np.clip(lost_radps, 0, MAX_CLIPPING_RADPS)
    np.add.at(repaired_rad, stride, lost_radps * span_s)
    return _add_rotation(gyr_radps, first, stop, direction, lost_radps), repaired_rad


def _runs(clipped: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return first sample, end, axis and sign of each run [k] of nonzero values in `clipped` [N, 3]."""
    runs = [
        (first, stop, axis, clipped[first, axis])
        for axis in range(3)
        for first, stop in pairwise(np.flatnonzero(np.diff(clipped[:, axis], prepend=0, append=0)))
        if clipped[first, axis]
    ]
    first, stop, axis, sign = np.array(runs).reshape(-1, 4).T
    return first.astype(int), stop.astype(int), axis.astype(int), sign


def _add_rotation(
    gyr_radps: np.ndarray, first: np.ndarray, stop: np.ndarray, direction: np.ndarray, lost_radps: np.ndarray
) -> np.ndarray:
    """Return the angular rate [N, 3] with the lost rate [k] of each run added in its direction [k, 3]."""
    repaired = gyr_radps.copy()
    for begin, end, lost in zip(first, stop, direction * lost_radps[:, None], strict=True):
        repaired[begin:end] += lost
    return repaired


def _end_errors(integral: Strapdown, samples: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the negative errors of n integrals at the end, their variances, and that of the start tilt.

    The five errors are the horizontal rotation about two axes, rad, and the excess velocity, m/s: [n, 5]. A
    foot that is not at rest is accelerated, so its tilt is less certain; see `tilt_variance`.

    integral: integral of n strides; samples: [n, points, 6], as integrated
    """
    up = np.einsum("nij,nj->ni", integral.orientation[:, -1], samples[:, -1, :3])
    sine = np.maximum(np.hypot(up[:, 0], up[:, 1]), 1e-12)
    missing_rad = np.column_stack([up[:, 1], -up[:, 0]]) * (np.arctan2(sine, up[:, 2]) / sine)[:, None]
    rate_radps = np.linalg.norm(samples[:, [0, -1], 3:], axis=2).max(axis=1)
    start, end = (tilt_variance(samples[:, k, :3], samples[:, k, 3:]) for k in (0, -1))
    tilt = STRIDE_TILT_SD_RAD**2 + end
    horizontal = np.full(len(tilt), HORIZONTAL_SD_MPS**2)
    vertical = VERTICAL_SD_MPS**2 + (VERTICAL_PER_RADPS_M * rate_radps) ** 2
    missing = np.column_stack([missing_rad, -integral.excess_mps])
    return missing, np.column_stack([tilt, tilt, horizontal, horizontal, vertical]), start


def _effect(
    integral: Strapdown, duration_s: np.ndarray, stride: np.ndarray, point: np.ndarray, rotation: np.ndarray
) -> np.ndarray:
    """Return the change of the errors of `_end_errors` by k rotations, [k, 5].

    A rotation turns all later acceleration and the gravity in it.

    integral, duration_s: of n strides
    stride, point: [k], when the foot is rotated
    rotation: [k, 3] or [3], in the frame of the start, rad
    """
    later = integral.velocity_mps[stride, -1] - integral.velocity_mps[stride, point]
    later[:, 2] += GRAVITY_MPS2 * duration_s[stride] * (1 - point / (POINTS - 1))
    velocity = np.cross(rotation, later)
    return np.column_stack([np.broadcast_to(rotation[..., :2], (len(stride), 2)), velocity])
