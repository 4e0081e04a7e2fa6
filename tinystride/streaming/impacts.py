"""How much of a stride's drift comes at foot contact (firmware/stride.inc)."""

import math

import numpy as np

from tinystride.firmware import constants as c


class Impacts:
    """Excess velocity times duration of earlier strides, without that of tilt: forward and vertical, m."""

    def __init__(self) -> None:
        self._n = c.USUAL_EXCESS_STRIDES
        self._mean_m = np.zeros(2)
        self._deviation_m = np.array([c.USUAL_FORWARD_EXCESS_M, c.USUAL_VERTICAL_EXCESS_M])

    def update(self, excess_m: np.ndarray) -> None:
        """Update mean and mean absolute deviation by a stride, as strapdown.impact_share does.

        excess_m: [3], strapdown.untilted_excess_m
        """
        self._n = min(self._n + 1, c.MAX_EXCESS_STRIDES)
        limit = c.MAX_EXCESS_RATIO * self._deviation_m
        change = np.clip(excess_m[[0, 2]] - self._mean_m, -limit, limit)
        self._deviation_m = self._deviation_m + (np.abs(change) - self._deviation_m) / self._n
        self._mean_m = self._mean_m + change / self._n

    def error_m(self, contact: float, excess_m: np.ndarray) -> np.ndarray:
        """Return what a line in time loses [2] if drift comes at foot contact, as strapdown.with_impacts.

        contact: share of the stride, NaN if unknown; excess_m: [3]
        """
        contact = c.USUAL_CONTACT if math.isnan(contact) else min(max(contact, c.MIN_CONTACT), c.MAX_CONTACT)
        forward, vertical = self._deviation_m**2
        # The fewer strides there are, the less is believed.
        share = min(1.0, vertical / (forward + 1e-12)) * (1 - c.USUAL_EXCESS_STRIDES / self._n)
        return (contact - 0.5) * share * np.array([self.unusual_m(excess_m[0]), excess_m[1]])

    def unusual_m(self, excess_m: float) -> float:
        """Return by how much a stride's forward excess differs from the mean of the strides so far."""
        return float(excess_m - self._mean_m[0])
