"""Decide whether a foot moves like the foot that the recording names."""

import numpy as np

from tinystride.gait.walking import POINTS, means, shifted

# A right foot is pushed to the left as it leaves the floor, and rolls outwards there and before it lands.
# Weights of the roll (eight values, rad) and of the lateral acceleration times the squared duration (eight
# values, m), for eighths of the stride between mid-stances, aligned as in walking.template_correlation.
# Fitted by logistic regression to the ordinary strides of the measured sets and ipol-healthy, scaled so that
# the median recording has the score 1. Every recording of a foot that walks forwards has a score of 0.2 and
# more; with weights fitted without its wearer, every recording but one (vicon) has a score above 0. In all
# four recordings of the first two trials of ipol-healthy's subject 4, the sensors must be exchanged. fmt: off
WEIGHTS = np.array(
    [-0.05, 0.19, 0.15, -0.06, 0.17, 0.22, -0.14, -0.19, -0.22, -0.11, 0.12, 0.01, 0.01, 0.03, -0.07, -0.03]
)
# fmt: on
# Limits the score of one unusual stride.
MAX_SIDE_SCORE = 2.0
# A mean score below this shows the other foot.
MAX_OTHER_FOOT_SCORE = -0.2
MIN_SIDE_STRIDES = 3


def side_scores(
    acc_mps2: np.ndarray, gyr_radps: np.ndarray, duration_s: np.ndarray, shift: np.ndarray
) -> np.ndarray:
    """Return the score [n] of each stride, -2 to 2: about 1 for the named foot, about -1 for the other foot.

    Args:
        acc_mps2: [n, points, 3], in the canonical foot frame of the named foot, points a multiple of
            walking.POINTS
        gyr_radps: [n, points, 3], likewise
        duration_s: [n]
        shift: [n], as walking.template_correlation returns it
    """

    def eighths(values: np.ndarray) -> np.ndarray:
        return means(shifted(means(values, POINTS), -shift), len(WEIGHTS) // 2)

    roll_rad = eighths(gyr_radps[..., 0] * duration_s[:, None])
    sideways_m = eighths(acc_mps2[..., 1] * duration_s[:, None] ** 2)
    return np.clip(np.hstack([roll_rad, sideways_m]) @ WEIGHTS, -MAX_SIDE_SCORE, MAX_SIDE_SCORE)


def is_other_foot(
    acc_mps2: np.ndarray, gyr_radps: np.ndarray, duration_s: np.ndarray, shift: np.ndarray
) -> bool:
    """Return whether n ordinary strides of walking show the other foot; false below MIN_SIDE_STRIDES strides.

    Args:
        acc_mps2: [n, points, 3], as for `side_scores`
        gyr_radps: [n, points, 3], as for `side_scores`
        duration_s: [n]
        shift: [n], as for `side_scores`
    """
    if len(shift) < MIN_SIDE_STRIDES:
        return False
    return float(side_scores(acc_mps2, gyr_radps, duration_s, shift).mean()) < MAX_OTHER_FOOT_SCORE
