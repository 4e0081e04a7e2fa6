"""How sure a stride's length is, from what the integral shows of its own error.

An integral that is right ends upright, at the height where it began and without velocity. The tilt,
height and unusual forward velocity that are left at a stride's end show how wrong its length may be. A low
sampling rate loses a part of each impact. The variances of these causes add up.

The weights are fitted to all measured sets and to copies of them, thinned to 50 Hz or clipped at 400 deg/s,
so that 1.96 SD hold about 95 % of the errors. Fitted without a set, they hold 91 to 98 % of its errors.
"""

import numpy as np

from tinystride.gait.strapdown import Strapdown

# SD of the length, cm: of every stride; per m of unusual forward excess; per unit of the sine of the tilt at
# the end; per m of height that a level floor does not have; and per second of sampling interval.
BASE_SD_CM = 1.18
SD_PER_EXCESS_CM_PER_M = 3.34
SD_PER_TILT_CM = 37.5
SD_PER_HEIGHT_CM_PER_M = 44.7
SD_PER_INTERVAL_CM_PER_S = 215.0


def length_sd_cm(
    strapdown: Strapdown, acc_mps2: np.ndarray, duration_s: np.ndarray, usual_m: float, rate_hz: float
) -> np.ndarray:
    """Return the standard deviation [n] of each stride's length, cm, at least BASE_SD_CM.

    strapdown: of n strides; acc_mps2: [n, points, 3] as it was integrated; duration_s: [n]
    usual_m: usual forward excess velocity times duration, from strapdown.impact_share
    rate_hz: sampling rate
    """
    return np.sqrt(error_causes(strapdown, acc_mps2, duration_s, usual_m, rate_hz) ** 2 @ WEIGHTS**2)


WEIGHTS = np.array(
    [BASE_SD_CM, SD_PER_EXCESS_CM_PER_M, SD_PER_TILT_CM, SD_PER_HEIGHT_CM_PER_M, SD_PER_INTERVAL_CM_PER_S]
)


def error_causes(
    strapdown: Strapdown, acc_mps2: np.ndarray, duration_s: np.ndarray, usual_m: float, rate_hz: float
) -> np.ndarray:
    """Return what may put each length wrong, [n, 5], in the order and units of WEIGHTS.

    Arguments as of `length_sd_cm`.
    """
    force = np.einsum("nij,nj->ni", strapdown.orientation[:, -1], acc_mps2[:, -1])
    size_mps2 = np.maximum(np.linalg.norm(force, axis=1), 1e-9)
    return np.column_stack(
        [
            np.ones(len(duration_s)),
            strapdown.excess_mps[:, 0] * duration_s - usual_m,
            np.hypot(force[:, 0], force[:, 1]) / size_mps2,
            strapdown.displacement_m[:, 2],
            np.full(len(duration_s), 1 / rate_hz),
        ]
    )
