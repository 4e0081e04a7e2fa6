"""Whether a foot moves like the foot that it is said to be."""

import numpy as np

from tinystride.gait.walking import POINTS, means, shifted, unit

# Seen as a right foot, a foot is pushed to the left as it leaves the ground, and rolls outwards there and
# before it lands. Roll, and lateral acceleration times the squared duration, in eighths of the stride between
# mid-stances, aligned as in walking.likeness: mean and SD of the means of 216 recordings of ipol-healthy.
# Each subject compared with the mean of the others, all are told right with a score above 0.1; in all four
# recordings of subject 4's first two trials sensors must be exchanged.
ROLL_RAD = np.array([-0.11, 0.25, 0.80, -0.44, 0.73, 0.26, -0.41, -0.06])
ROLL_SD_RAD = np.array([0.13, 0.26, 0.54, 0.43, 0.52, 0.32, 0.34, 0.11])
SIDEWAYS_M = np.array([-0.06, -0.70, 2.52, 2.23, 0.78, -0.66, -0.88, -0.11])
SIDEWAYS_SD_M = np.array([0.18, 0.63, 1.22, 2.01, 1.58, 1.74, 0.89, 0.27])
MEAN = np.concatenate([ROLL_RAD / ROLL_SD_RAD, SIDEWAYS_M / SIDEWAYS_SD_M])
OTHER_FOOT = -0.1
FEWEST_STRIDES = 3


def side_score(
    acc_mps2: np.ndarray, gyr_radps: np.ndarray, duration_s: np.ndarray, shift: np.ndarray
) -> float:
    """From 1, strides of the foot that was said, to -1, strides of the other one.

    acc_mps2, gyr_radps: [n, points, 3], in the canonical foot frame, points a multiple of walking.POINTS
    duration_s: [n]; shift: [n] as walking.likeness gives it
    """

    def mean(values: np.ndarray) -> np.ndarray:
        return means(shifted(means(values, POINTS), -shift), len(ROLL_RAD)).mean(axis=0)

    roll_rad = mean(gyr_radps[..., 0] * duration_s[:, None])
    sideways_m = mean(acc_mps2[..., 1] * duration_s[:, None] ** 2)
    own = np.concatenate([roll_rad / ROLL_SD_RAD, sideways_m / SIDEWAYS_SD_M])
    return float(unit(own) @ unit(MEAN))


def is_other_foot(
    acc_mps2: np.ndarray, gyr_radps: np.ndarray, duration_s: np.ndarray, shift: np.ndarray
) -> bool:
    """The verdict on a recording from its n strides of walking; see side_score."""
    return len(shift) >= FEWEST_STRIDES and side_score(acc_mps2, gyr_radps, duration_s, shift) < OTHER_FOOT
