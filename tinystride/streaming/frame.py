"""Mounting of the sensor and bias of the gyroscope, learned from the strides (firmware/frame.inc)."""

import math

import numpy as np

from tinystride.firmware import constants as c
from tinystride.gait.strapdown import Strapdown
from tinystride.streaming.standing import Standing
from tinystride.streaming.state import cosine, unit


class Frame:
    """The mounting, in sensor axes.

    up_force: [3] mean force at stance, counts; left: [3] unit vector; forward: m, recent direction
    """

    def __init__(self) -> None:
        self._has_frame = False
        self.up_force, self.left, self.forward = np.zeros(3), np.zeros(3), 0.0
        self._gyr_spread = np.zeros((3, 3))

    def update(
        self, start_force: list[int], end_force: list[int], gyr: np.ndarray
    ) -> tuple[bool, np.ndarray]:
        """Update the vertical and left axes by a stride: forces [3] at its stances and angular rates [n, 3],
        in counts. Return whether the forces alone prove that the sensor has slipped, and the difference of
        their unit vectors, [3].
        """
        start, end = np.array(start_force, float), np.array(end_force, float)
        if not self._has_frame or cosine(self.up_force, end) < c.COS_MAX_SLIP:
            self.up_force, self._gyr_spread = end, np.zeros((3, 3))
        self.up_force = self.up_force + 0.25 * (end - self.up_force)
        up = self.up_force / np.linalg.norm(self.up_force)
        spread = gyr.T @ gyr
        agreement = _principal_axis(spread, up) @ self.left
        memory = 0.0 if agreement**2 < c.COS_MAX_TWIST**2 else c.FRAME_MEMORY
        self._gyr_spread = memory * self._gyr_spread + spread
        axis = _principal_axis(self._gyr_spread, up)
        self.left = -axis if axis @ self.left < 0 else axis
        self._has_frame = True
        return cosine(start, end) < c.COS_MAX_SLIP, np.subtract(unit(end), unit(start))

    def axes(self) -> np.ndarray:
        """Rows [3, 3]: forward, left and up."""
        up = self.up_force / np.linalg.norm(self.up_force)
        return np.stack([np.cross(self.left, up), self.left, up])

    def update_direction(self, displacement_m: float) -> tuple[bool, bool]:
        """Update which way is forward. Return whether the foot moved against the direction of the strides
        before, and whether forward and backward were exchanged.
        """
        ahead = min(max(displacement_m, -1.0), 1.0)
        reverses = ahead * self.forward < -c.REVERSAL_M2
        self.forward = c.FORWARD_MEMORY * self.forward + ahead
        turned_round = self.forward < 0
        if turned_round:
            self.forward, self.left = -self.forward, -self.left
        return reverses, turned_round


def update_bias(
    sensor: Standing, axes: np.ndarray, mirror: float, result: Strapdown, up: np.ndarray, duration_s: float
) -> None:
    """Correct the gyroscope bias by the tilt at the end of a stride: a Kalman filter.

    axes: [3, 3] from sensor axes to the foot; up: [3] specific force at the end. Variances are in units of
    what one stride tells.
    """
    x, y = up[:2] / (np.linalg.norm(up) + 1e-12)
    lever = result.orientation[0].mean(axis=0)[:2] * [mirror, 1, mirror] @ axes * duration_s
    variance = 1 + (x * x + y * y) / c.TILT_SD_RAD**2
    covariance = lever @ sensor.bias_variance @ lever.T + variance * np.eye(2)
    gain = sensor.bias_variance @ lever.T @ np.linalg.inv(covariance)
    sensor.bias = sensor.bias + gain @ [-y, x]
    sensor.bias_variance = (
        sensor.bias_variance - gain @ lever @ sensor.bias_variance + np.eye(3) * c.BIAS_WALK
    )


def _principal_axis(spread: np.ndarray, up: np.ndarray) -> np.ndarray:
    """The horizontal axis [3] about which a foot with these second moments of angular rate turns most."""
    first = np.eye(3)[0 if up[0] ** 2 < 0.5 else 1]
    first = first - (first @ up) * up
    first = first / np.linalg.norm(first)
    second = np.cross(up, first)
    b, other = first @ spread @ second, second @ spread @ second
    d = (first @ spread @ first - other) / 2
    r = math.hypot(d, b)
    axis = (r + d if d > 0 else b) * first + (b if d > 0 else r - d) * second
    return axis / (np.linalg.norm(axis) + 1e-12)
