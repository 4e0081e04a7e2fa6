"""Share of the drift that arises at initial contact (firmware/stride.inc)."""

import math

import numpy as np

from tinystride.firmware import constants as c


class Impacts:
    """Mean excess velocity times duration of earlier strides (struct tinystride_impacts)."""

    def __init__(self) -> None:
        self._n = 0
        self._mean_m = np.zeros(2)
        self._deviation_m = np.array([c.USUAL_FORWARD_EXCESS_M, c.USUAL_VERTICAL_EXCESS_M])

    def update(self, excess_m: np.ndarray) -> None:
        """Update means and mean absolute deviations by a stride, like strapdown.impact_share.

        Args:
            excess_m: [3] excess velocity times duration, m, see strapdown.untilted_excess_m
        """
        self._n = min(self._n + 1, c.MAX_EXCESS_STRIDES)
        limit = c.MAX_EXCESS_RATIO * self._deviation_m
        change = np.clip(excess_m[[0, 2]] - self._mean_m, -limit, limit)
        self._deviation_m = self._deviation_m + (np.abs(change) - self._deviation_m) / (
            self._n + np.array([c.USUAL_FORWARD_STRIDES, c.USUAL_VERTICAL_STRIDES])
        )
        self._mean_m = self._mean_m + change / (
            self._n + np.array([c.USUAL_FORWARD_MEAN_STRIDES, c.USUAL_VERTICAL_MEAN_STRIDES])
        )

    def error_m(self, contact: float, excess_m: np.ndarray, unexplained: float) -> np.ndarray:
        """Return the error [2], m, of a drift correction by a line in time, like strapdown.with_impacts.

        The line is wrong if the drift arises at initial contact.

        Args:
            contact: initial contact as a share of the stride, 0 to 1; NaN if not found
            excess_m: [3] excess velocity times duration, m
            unexplained: part of it that is not due to the tilt at the start
        """
        contact = c.USUAL_CONTACT if math.isnan(contact) else min(max(contact, c.MIN_CONTACT), c.MAX_CONTACT)
        forward, vertical = self._deviation_m**2
        # The correction starts small and grows with the number of strides.
        share = min(1.0, vertical / (forward + 1e-12)) * (
            1 - c.UNCERTAIN_STRIDES / (self._n + c.USUAL_FORWARD_MEAN_STRIDES)
        )
        return (contact - 0.5) * share * unexplained * np.array([self.unusual_m(excess_m[0]), excess_m[1]])

    def unusual_m(self, excess_m: float) -> float:
        """Return the difference of a stride's forward excess from the mean of the strides so far, m.

        Args:
            excess_m: forward excess velocity times duration, m
        """
        return float(excess_m - self._mean_m[0])
