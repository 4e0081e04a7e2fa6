"""Repair a gyroscope that was clipped at its full scale: gravity shows how much rotation was lost."""

from itertools import pairwise

import numpy as np

from tinystride.gait.calibration import STRIDE_TILT_SD_RAD
from tinystride.gait.strapdown import GRAVITY_MPS2, POINTS, Strapdown, integrate, resample_between

# Prior of the lost rate, by which a foot exceeds the full scale while a sensor axis is clipped: mean and SD.
# The measured sets, clipped at 300 to 500 deg/s, exceed it by 0.4 to 1.5 rad/s. Both are proportional to the
# time that the axis is clipped, up to LONG_CLIPPING_S.
CLIPPING_RADPS, CLIPPING_SD_RADPS = 1.0, 1.5
LONG_CLIPPING_S = 0.08
MAX_CLIPPING_RADPS = 15.0
# Tilt of the specific force per angular rate of a foot that rolls over its sole at mid-stance, s.
CLIPPING_TILT_PER_RADPS = 0.1
# SD of the vertical velocity at the end of a stride on level floor, also of a sensor that is shaken at
# contact, and its increase per angular rate of a foot that rolls over its sole. Only fast runners, who lose
# several rad/s, exceed it.
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
    samples, of known mean and SD. The tilt and the vertical velocity of the integral at the end of the stride
    determine these rates by least squares, weighted by the accuracy of both. So a short clipping is changed
    little. In running, the foot is not at rest: gravity contributes less, the vertical velocity more.

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
        missing, variance = _end_errors(integral, samples)
        # Effect of 1 rad/s in each run: horizontal rotation in the frame of the start, and the change of the
        # vertical velocity, because the later acceleration is rotated.
        rotation = np.einsum("nij,nj->ni", integral.orientation[own, point], direction * span_s[:, None])[
            :, :2
        ]
        later = integral.velocity_mps[own, -1] - integral.velocity_mps[own, point]
        effect = np.column_stack([rotation, rotation[:, 0] * later[:, 1] - rotation[:, 1] * later[:, 0]])
        for number in range(len(affected)):
            runs = own == number
            gain = prior[runs, None] * effect[runs]
            covariance = effect[runs].T @ gain + np.diag(variance[number])
            change = missing[number] + effect[runs].T @ (lost_radps[runs] - expected_radps[runs])
            lost_radps[runs] = expected_radps[runs] + gain @ np.linalg.solve(covariance, change)
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


def _end_errors(integral: Strapdown, samples: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the negative errors of the integral at the end of n strides, and their variances, each [n, 3].

    The three values are the horizontal rotation about two axes, rad, and the vertical velocity, m/s. A foot
    that is not at rest is accelerated, so its tilt is less certain; |acc| and the angular rate show by how
    much.

    integral: integral of n strides; samples: [n, points, 6], as integrated
    """
    up = np.einsum("nij,nj->ni", integral.orientation[:, -1], samples[:, -1, :3])
    sine = np.maximum(np.hypot(up[:, 0], up[:, 1]), 1e-12)
    missing_rad = np.column_stack([up[:, 1], -up[:, 0]]) * (np.arctan2(sine, up[:, 2]) / sine)[:, None]
    ends = samples[:, [0, -1]]
    pushed = np.linalg.norm(ends[..., :3], axis=2) / GRAVITY_MPS2 - 1
    rate_radps = np.linalg.norm(ends[..., 3:], axis=2)
    tilt = STRIDE_TILT_SD_RAD**2 + (pushed**2 + (CLIPPING_TILT_PER_RADPS * rate_radps) ** 2).sum(axis=1)
    vertical = VERTICAL_SD_MPS**2 + (VERTICAL_PER_RADPS_M * rate_radps.max(axis=1)) ** 2
    missing = np.column_stack([missing_rad, -integral.excess_mps[:, 2]])
    return missing, np.column_stack([tilt, tilt, vertical])
