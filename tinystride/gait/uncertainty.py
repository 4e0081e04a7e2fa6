"""Estimate the standard deviation of a stride's length from what the stride shows about its own errors.

A correct integral ends at the height where it began, and without vertical velocity. The remaining height and
velocity show how wrong the length may be. Shaking at contact leaves both, too, but strapdown.with_impacts
corrects its effect, so only the rest of them counts. More doubt comes from this correction itself, from
rotation between two samples, from rotation that a clipped gyroscope lost, and from a turn. The variances of
these causes add up.

The weights are fitted to all measured sets and to copies of them, thinned to half the rate or to 50 Hz, or
clipped at 400 deg/s, so that about 95 % of the errors are within 1.96 SD. studies/interval_weights.py fits
them, and tests them on a set that they were not fitted to.
"""

import numpy as np

from tinystride.gait.flags import heading_change_deg
from tinystride.gait.strapdown import Strapdown, height_lost_m, limited_contact

# SD of the length, cm: of every stride; per m of height that a level floor does not have; per m/s of vertical
# velocity at the end; per m of doubt about the correction for shaking at contact; per rad of rotation in one
# sampling interval; and per rad that the repair of a clipped gyroscope added.
BASE_SD_CM = 0.75
SD_PER_HEIGHT_CM_PER_M = 36.0
SD_PER_VERTICAL_CM_PER_MPS = 13.5
SD_PER_DOUBT_CM_PER_M = 75.0
SD_PER_ROTATION_CM_PER_RAD = 58.0
SD_PER_REPAIR_CM_PER_RAD = 13.4
# SD of the length, cm, per root of 2 sin(turn / 2): in a turn, points of the foot cover different distances.
# The root fits the errors of `vicon` better than the sine itself.
SD_PER_TURN_CM = 2.0

WEIGHTS = np.array(
    [
        BASE_SD_CM,
        SD_PER_HEIGHT_CM_PER_M,
        SD_PER_VERTICAL_CM_PER_MPS,
        SD_PER_DOUBT_CM_PER_M,
        SD_PER_ROTATION_CM_PER_RAD,
        SD_PER_REPAIR_CM_PER_RAD,
        SD_PER_TURN_CM,
    ]
)


def length_sd_cm(causes: np.ndarray) -> np.ndarray:
    """Return the standard deviation [n] of each stride's length, cm, BASE_SD_CM or more.

    Args:
        causes: [n, 7], as `error_causes` returns them
    """
    return np.sqrt(causes**2 @ WEIGHTS**2)


def error_causes(
    strapdown: Strapdown,
    gyr_radps: np.ndarray,
    excess_m: np.ndarray,
    duration_s: np.ndarray,
    contact: np.ndarray,
    impacts: tuple[float, float],
    explained: np.ndarray,
    repaired_rad: np.ndarray,
    rate_hz: float,
) -> np.ndarray:
    """Return the possible causes of an error of each length, [n, 7], in the order and units of WEIGHTS.

    Of a stride's own excess, the part that came at contact is known on average only. If both parts are
    independent, with variances in the ratio share to 1 - share, the variance of the part is proportional to
    share (1 - share).

    Args:
        strapdown: integral of n strides
        gyr_radps: [n, points, 3], as integrated
        excess_m: [n, 3], as strapdown.untilted_excess_m returns it
        duration_s: [n]
        contact: [n], time from start to contact as a share of the duration; NaN if unknown
        impacts: part of the drift that comes at contact and usual forward excess, as strapdown.impact_share
            returns them
        explained: [n], part of the excess due to the tilt at the start, as strapdown.correct_tilt returns it
        repaired_rad: [n], rotation that the repair of a clipped gyroscope added
        rate_hz: sampling rate
    """
    share, usual_m = impacts
    vertical_m = excess_m[:, 2]
    unusual_m = (excess_m[:, 0] - usual_m) * (1 - explained)
    turn_rad = np.deg2rad(np.abs(heading_change_deg(strapdown.orientation)))
    return np.column_stack(
        [
            np.ones(len(duration_s)),
            strapdown.displacement_m[:, 2] - share * height_lost_m(vertical_m, contact),
            (1 - share) * vertical_m / duration_s,
            unusual_m * (limited_contact(contact) - 0.5) * np.sqrt(share * (1 - share)),
            np.sqrt((gyr_radps**2).sum(axis=2).mean(axis=1)) / rate_hz,
            repaired_rad,
            np.sqrt(2 * np.sin(turn_rad / 2)),
        ]
    )
