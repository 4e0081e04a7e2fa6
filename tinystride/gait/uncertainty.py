"""Estimate the standard deviation of a stride's length from the errors that the integral shows at its end.

A correct integral ends upright, at the height where it began and without velocity. The remaining tilt, height
and unusual forward velocity show how wrong the length may be. A low sampling rate loses a part of each
impact. The variances of these causes add up.

The weights are fitted to all measured sets and to copies of them, thinned to 50 Hz or clipped at 400 deg/s,
so that about 95 % of the errors are within 1.96 SD. studies/interval_weights.py fits them, and tests them on
a set that they were not fitted to.
"""

import numpy as np

from tinystride.gait.flags import heading_change_deg
from tinystride.gait.strapdown import Strapdown

# SD of the length, cm: of every stride; per m of unusual forward excess; per sine of the tilt at the end; per
# m of height difference, which a level floor does not have; and per second of sampling interval.
BASE_SD_CM = 0.8
SD_PER_EXCESS_CM_PER_M = 5.2
SD_PER_TILT_CM = 15.3
SD_PER_HEIGHT_CM_PER_M = 31.8
SD_PER_INTERVAL_CM_PER_S = 241.0
# SD of the length, cm, per 2 sin(turn / 2): in a turn, points of the foot cover different distances. The fit
# gives 2.36, but then 98.4 % of the errors of `vicon`, a set with many turns, are within the interval.
SD_PER_TURN_CM = 2.0


def length_sd_cm(strapdown: Strapdown, unusual_m: np.ndarray, rate_hz: float) -> np.ndarray:
    """Return the standard deviation [n] of each stride's length, cm, BASE_SD_CM or more.

    Args:
        strapdown: integral of n strides
        unusual_m: [n], forward strapdown.untilted_excess_m minus the usual excess of strapdown.impact_share,
            without the part that strapdown.correct_tilt explains
        rate_hz: sampling rate
    """
    return np.sqrt(error_causes(strapdown, unusual_m, rate_hz) ** 2 @ WEIGHTS**2)


WEIGHTS = np.array(
    [
        BASE_SD_CM,
        SD_PER_EXCESS_CM_PER_M,
        SD_PER_TILT_CM,
        SD_PER_HEIGHT_CM_PER_M,
        SD_PER_INTERVAL_CM_PER_S,
        SD_PER_TURN_CM,
    ]
)


def error_causes(strapdown: Strapdown, unusual_m: np.ndarray, rate_hz: float) -> np.ndarray:
    """Return the possible causes of an error of each length, [n, 6], in the order and units of WEIGHTS.

    Args:
        strapdown: integral of n strides
        unusual_m: [n], forward strapdown.untilted_excess_m minus the usual excess of strapdown.impact_share,
            without the part that strapdown.correct_tilt explains
        rate_hz: sampling rate
    """
    return np.column_stack(
        [
            np.ones(len(unusual_m)),
            unusual_m,
            np.sin(strapdown.tilt_rad),
            strapdown.displacement_m[:, 2],
            np.full(len(unusual_m), 1 / rate_hz),
            2 * np.sin(np.deg2rad(np.abs(heading_change_deg(strapdown.orientation))) / 2),
        ]
    )
