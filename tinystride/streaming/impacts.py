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
        factor = self._since(contact) * self._share() * unexplained
        return factor * np.array([self._unusual_m(excess_m[0]), excess_m[1]])

    def variance_cm2(
        self, contact: float, excess_m: np.ndarray, unexplained: float, height_m: float, duration_s: float
    ) -> float:
        """Return the variance of a length, cm², due to drift, like gait.uncertainty.error_causes.

        Args:
            contact: initial contact as a share of the stride, 0 to 1; NaN if not found
            excess_m: [3] excess velocity times duration, m
            unexplained: part of it that is not due to the tilt at the start
            height_m: height difference between both mid-stances, m
            duration_s: duration of the stride, s
        """
        since, share, vertical_m = self._since(contact), self._share(), excess_m[2]
        height = c.SD_PER_HEIGHT_CM_PER_M * (height_m + share * since * vertical_m)
        vertical = c.SD_PER_VERTICAL_CM_PER_MPS * (1 - share) * vertical_m / duration_s
        doubt = c.SD_PER_DOUBT_CM_PER_M * since * unexplained * self._unusual_m(excess_m[0])
        return float(height**2 + vertical**2 + share * (1 - share) * doubt**2)

    def _since(self, contact: float) -> float:
        """Return the time from the middle of the stride to the contact, as a share of the duration."""
        if math.isnan(contact):
            return c.USUAL_CONTACT - 0.5
        return min(max(contact, c.MIN_CONTACT), c.MAX_CONTACT) - 0.5

    def _share(self) -> float:
        """Return the share of the drift that comes at contact, 0 to 1."""
        forward, vertical = self._deviation_m**2
        # The correction starts small and grows with the number of strides.
        certain = 1 - c.UNCERTAIN_STRIDES / (self._n + c.USUAL_FORWARD_MEAN_STRIDES)
        return float(min(1.0, vertical / (forward + 1e-12)) * certain)

    def _unusual_m(self, excess_m: float) -> float:
        """Return the difference of a stride's forward excess from the mean of the strides so far, m."""
        return float(excess_m - self._mean_m[0])
