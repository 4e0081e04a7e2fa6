"""Quality flags of walking, of the configured foot and of the sensors (firmware/plausibility.inc)."""

import math

import numpy as np

from tinystride.firmware import constants as c
from tinystride.gait.side import side_scores
from tinystride.gait.strapdown import Strapdown
from tinystride.gait.walking import is_walking, template_correlation
from tinystride.streaming.integrate import Integral
from tinystride.streaming.state import FLAG, NOT_ORDINARY


class Checks:
    """Results of earlier strides that the checks use (struct tinystride_checks)."""

    def __init__(self) -> None:
        self._walking_strides = 1
        self._side_strides = self._ordinary_strides = 0
        self._end_means, self._side_score = np.zeros(3), 0.0

    def walking_flags(
        self, integral: Integral, duration_s: float, residual_score: float, reverses: bool, flags: int
    ) -> int:
        """Return "not-walking" and "wrong-foot", if they apply to a stride.

        Args:
            integral: integral of the stride
            duration_s: duration, s
            residual_score: sum of the squares of drift and tilt at the end, relative to their limits
            reverses: True if the foot moved against the direction of the last strides
            flags: other flags of the stride
        """
        raised = 0
        correlation, shift = template_correlation(integral.gyr[None])
        not_walking = not is_walking(integral.gyr[None], correlation, residual_score) or (
            reverses and not flags & FLAG["turn"]
        )
        # Single strides of other activities may look like walking. So the stride after a stride that is not
        # walking is flagged, too, unless the last three strides before were walking.
        before = self._walking_strides
        if not_walking or before == 0:
            raised |= FLAG["not-walking"]
        self._walking_strides = (
            int(before == c.MAX_WALKING_STRIDES) if not_walking else min(before + 1, c.MAX_WALKING_STRIDES)
        )
        # Only ordinary strides of walking, of a foot at rest at both ends, distinguish the feet.
        ordinary = not (flags | raised) & ~(FLAG["no-standing"] | FLAG["saturated"])
        at_rest = integral.moving <= c.MAX_SIDE_VARIANCE
        if ordinary and at_rest and self._is_other_foot(integral, duration_s, shift):
            raised |= FLAG["wrong-foot"]
        return raised

    def _is_other_foot(self, integral: Integral, duration_s: float, shift: np.ndarray) -> bool:
        """Update the mean score of the foot by a stride; return whether it is that of the other foot."""
        self._side_strides = min(self._side_strides + 1, c.MAX_SIDE_STRIDES)
        score = side_scores(integral.acc[None], integral.gyr[None], np.array([duration_s]), shift)[0]
        self._side_score += float(score - self._side_score) / self._side_strides
        return self._side_strides >= c.MIN_SIDE_STRIDES and self._side_score < c.MAX_OTHER_FOOT_SCORE

    def sensors_disagree(
        self, flags: int, integral: Integral, duration_s: float, repaired_rad: float, stood: bool
    ) -> bool:
        """Update the means of the ends by a stride without NOT_ORDINARY flags.

        An end is the vertical velocity plus the weighted height, which should be zero.

        Args:
            flags: flags of the stride
            integral: integral of the stride
            duration_s: duration of the stride, s
            repaired_rad: rotation that a clipped gyroscope lost, of which a part may not be repaired
            stood: True if standing was detected, which shows the force at rest

        Returns:
            True if the ends are like those of a delay between the sensors; a wrong scale or sampling rate has
            similar effects
        """
        if not flags & NOT_ORDINARY:
            height_m = float(integral.displacement_m[2]) - c.USUAL_HEIGHT_M
            end = float(integral.result.velocity_mps[0, -1, 2]) + c.END_PER_HEIGHT * height_m / duration_s
            end = min(max(end, -c.MAX_OUTLIER_VERTICAL_MPS), c.MAX_OUTLIER_VERTICAL_MPS)
            left_mps = c.VERTICAL_PER_REPAIR_MPS * repaired_rad
            clear, late = end - min(max(end, -left_mps), left_mps), integral.late_mps
            self._ordinary_strides = min(self._ordinary_strides + 1, c.MAX_ORDINARY_STRIDES)
            values = np.array([clear * late, late * late, clear * clear])
            self._end_means += (values - self._end_means) / self._ordinary_strides
        # The part of the ends that a delay explains has the mean square `both` / `late`.
        both, late, all_ = self._end_means[0] ** 2, self._end_means[1], self._end_means[1:].prod()
        if self._ordinary_strides < c.MIN_ORDINARY_STRIDES:
            return bool(
                late > c.MIN_LATE_MPS**2
                and both > (c.MAX_EARLY_LAG_S * late) ** 2
                and both > c.MIN_EARLY_SHARE * all_
            )
        steady_mps = c.MAX_STEADY_VERTICAL_MPS if stood else c.MAX_STEADY_UNCALIBRATED_MPS
        return bool(
            both > c.MAX_VERTICAL_MPS**2 * late
            or (
                both > steady_mps**2 * late
                and both > (c.MAX_LAG_S * late) ** 2
                and both > c.MIN_LATE_SHARE * all_
            )
        )


def integral_flags(integral: Integral, duration_s: float, length_cm: float, drift: float, tilt: float) -> int:
    """Return the flags that depend on the integral of a stride alone.

    Args:
        integral: integral of the stride
        duration_s: duration, s
        length_cm: length, cm
        drift: sum of the squared velocities at the end, each relative to its maximum
        tilt: squared horizontal specific force at the end, relative to the maximum slope, (m/s²)²
    """
    raised = {
        "turn": _turns(integral.result),
        "climb": abs(integral.displacement_m[2]) > max(c.MAX_CLIMB_M, c.CLIMB_SLOPE / 100 * length_cm),
        "unusual-duration": not c.MIN_DURATION_S <= duration_s <= c.MAX_DURATION_S,
        "unsteady": drift > 1 or tilt > integral.up[2] ** 2,
        "out-of-range": not c.MIN_LENGTH_CM <= length_cm <= c.MAX_LENGTH_CM,
    }
    return sum(FLAG[name] for name, is_raised in raised.items() if is_raised)


def has_dead_axis(samples: np.ndarray) -> bool:
    """Return whether a sensor axis was constant throughout the stride.

    Args:
        samples: [n, 6] blocks of the stride, counts
    """
    return bool((samples == samples[:1]).all(axis=0).any())


def _turns(result: Strapdown) -> bool:
    """Return whether the heading changed by more than 30 degrees."""
    (a, b), (x, y) = result.orientation[0, 0, :2, 0], result.orientation[0, -1, :2, 0]
    return a * x + b * y < c.COS_MAX_TURN * math.hypot(a * x + b * y, a * y - b * x)
