"""Whether a foot moves like the foot that it is said to be."""

import numpy as np

from tinystride.gait.walking import POINTS, means, shifted

# Seen as a right foot, a foot is pushed to the left as it leaves the ground, and rolls outwards there and
# before it lands. Weights of roll (eight values, rad) and of lateral acceleration times the squared duration
# (eight values, m), in eighths of the stride between mid-stances, aligned as in walking.likeness. Fitted by
# logistic regression to the ordinary strides of the measured sets and ipol-healthy, so that the median
# recording scores 1. Every recording of a foot that walks forwards scores 0.2 and more; fitted without its
# wearer, all but one of vicon score above 0. In all four recordings of ipol-healthy's subject 4, first two
# trials, sensors must be exchanged.
# fmt: off
WEIGHTS = np.array([-0.05, 0.19, 0.15, -0.06, 0.17, 0.22, -0.14, -0.19,
                    -0.22, -0.11, 0.12, 0.01, 0.01, 0.03, -0.07, -0.03])
# fmt: on
# A stride of an unusual movement counts at most so much.
MAX_SCORE = 2.0
OTHER_FOOT = -0.2
FEWEST_STRIDES = 3


def side_scores(
    acc_mps2: np.ndarray, gyr_radps: np.ndarray, duration_s: np.ndarray, shift: np.ndarray
) -> np.ndarray:
    """Return scores [n], -2 to 2: near 1 for a stride of the foot that was said, near -1 for the other one.

    acc_mps2, gyr_radps: [n, points, 3], in the canonical foot frame, points a multiple of walking.POINTS
    duration_s: [n]; shift: [n] as walking.likeness gives it
    """

    def eighths(values: np.ndarray) -> np.ndarray:
        return means(shifted(means(values, POINTS), -shift), len(WEIGHTS) // 2)

    roll_rad = eighths(gyr_radps[..., 0] * duration_s[:, None])
    sideways_m = eighths(acc_mps2[..., 1] * duration_s[:, None] ** 2)
    return np.clip(np.hstack([roll_rad, sideways_m]) @ WEIGHTS, -MAX_SCORE, MAX_SCORE)


def is_other_foot(
    acc_mps2: np.ndarray, gyr_radps: np.ndarray, duration_s: np.ndarray, shift: np.ndarray
) -> bool:
    """Return whether n ordinary strides of walking show the other foot; arguments as of `side_scores`."""
    if len(shift) < FEWEST_STRIDES:
        return False
    return float(side_scores(acc_mps2, gyr_radps, duration_s, shift).mean()) < OTHER_FOOT
