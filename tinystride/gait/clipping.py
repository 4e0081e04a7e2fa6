"""Repair of a gyroscope that was clipped at its full scale: gravity tells how much rotation was lost."""

from itertools import pairwise

import numpy as np

from tinystride.gait.calibration import STRIDE_TILT_SD_RAD
from tinystride.gait.strapdown import GRAVITY_MPS2, integrate, resample_between

# By how much a foot exceeds the full scale where it does, SD: 115 deg/s. Clipped at 400 deg/s, the measured
# sets exceed that by 50 to 200 deg/s.
EXCEEDS_RADPS = 1.0
MAX_EXCEEDS_RADPS = 15.0
# Tilt of the specific force per angular rate of a foot that rolls at mid-stance.
TILT_PER_RADPS = 0.1
ROUNDS = 3


def repair(
    acc_mps2: np.ndarray,
    gyr_radps: np.ndarray,
    rate_hz: float,
    mid_stances: np.ndarray,
    clipped: np.ndarray,
) -> np.ndarray:
    """Return the angular rate [N, 3] with what clipping lost put back where it was lost.

    acc_mps2, gyr_radps: [N, 3], calibrated, canonical foot frame
    mid_stances: [n, 2], fractional sample numbers
    clipped: [N, 3], in the same frame: unit vector of each clipped sensor axis times its sign, summed; zero
        where nothing was clipped

    At both mid-stances gravity tells the pitch, so the rotation in between is known. What the integral lacks
    goes into the clipped samples of its sign, as parabolas over each run of them. It is weighed against how
    well gravity tells the tilt, so that little clipping is changed little.
    """
    weight = _parabolas(clipped[:, 1])
    duration_s = (mid_stances[:, 1] - mid_stances[:, 0]) / rate_hz
    bounds = np.rint(mid_stances).astype(int)
    total = np.vstack(
        [np.zeros(2), np.cumsum(np.column_stack([np.maximum(weight, 0), np.maximum(-weight, 0)]), 0)]
    )
    span_s = (total[bounds[:, 1]] - total[bounds[:, 0]]) / rate_hz  # of positive and of negative pitch
    affected = np.flatnonzero(span_s.sum(axis=1) > 0)
    repaired = gyr_radps.copy()
    if not len(affected):
        return repaired
    direction = clipped / np.maximum(np.abs(clipped[:, 1:2]), 0.3) * np.abs(weight)[:, None]
    for _ in range(ROUNDS):
        samples = resample_between(np.column_stack([acc_mps2, repaired]), rate_hz, mid_stances[affected])
        orientation = integrate(samples[..., :3], samples[..., 3:], duration_s[affected]).orientation
        # Pitch of the foot at the end, by the integral less by gravity, about the foot's own axis.
        expected, found = orientation[:, -1, 2], samples[:, -1, :3]
        missing_rad = np.arctan2(expected[:, 0], expected[:, 2]) - np.arctan2(found[:, 0], found[:, 2])
        for stride, missing, variance in zip(affected, missing_rad, _tilt_variance(samples), strict=True):
            first, stop = bounds[stride]
            sign = 1 if missing > 0 else -1
            span = span_s[stride, 0 if sign > 0 else 1]
            prior = (EXCEEDS_RADPS * span) ** 2
            if span > 0:
                rate = abs(missing) * prior / (prior + variance) / span
                own = direction[first:stop] * (np.sign(weight[first:stop]) == sign)[:, None]
                repaired[first:stop] += min(rate, MAX_EXCEEDS_RADPS) * own
    return repaired


def _tilt_variance(samples: np.ndarray) -> np.ndarray:
    """Return how badly gravity tells the rotation between two mid-stances [n], rad².

    samples: [n, points, 6]; a foot that is not at rest is accelerated, too, as its |acc| and its turning show
    """
    ends = samples[:, [0, -1]]
    pushed = np.linalg.norm(ends[..., :3], axis=2) / GRAVITY_MPS2 - 1
    turning = TILT_PER_RADPS * np.linalg.norm(ends[..., 3:], axis=2)
    return STRIDE_TILT_SD_RAD**2 + (pushed**2 + turning**2).sum(axis=1)


def _parabolas(pitch: np.ndarray) -> np.ndarray:
    """Return weights [N]: over each run of one sign a parabola of mean 1, with that sign; elsewhere zero."""
    sign = np.sign(np.where(np.abs(pitch) > 0.3, pitch, 0))
    edges = np.flatnonzero(np.diff(sign, prepend=0, append=0))
    weight = np.zeros(len(pitch))
    for first, stop in pairwise(edges):
        if sign[first]:
            place = (np.arange(stop - first) + 0.5) / (stop - first)
            shape = place * (1 - place)
            weight[first:stop] = sign[first] * shape / shape.mean()
    return weight
