"""Mounting of the sensor and bias of the gyroscope, learned from the strides (firmware/frame.inc)."""

import math

import numpy as np

from tinystride.firmware import constants as c
from tinystride.gait.strapdown import Strapdown
from tinystride.streaming.standing import Standing
from tinystride.streaming.state import cosine, normalize


class Frame:
    """The mounting of the sensor, in sensor axes (struct tinystride_frame).

    Attributes:
        up_force: [3] mean specific force at stance, counts
        left: [3] unit vector to the left
        forward: mean forward displacement of the last strides, m
    """

    def __init__(self) -> None:
        self._has_frame = False
        self.up_force, self.left, self.forward = np.zeros(3), np.zeros(3), 0.0
        self._gyr_spread = np.zeros((3, 3))

    def update(self, start_force: list[int], end_force: list[int], gyr: np.ndarray) -> np.ndarray:
        """Update the vertical and left axes by a stride.

        Args:
            start_force: [3] specific force of the stance at the start, counts
            end_force: [3] specific force of the stance at the end, counts
            gyr: [n, 3] angular rates during the stride, counts

        Returns:
            [3] unit vector of the force at the end − that at the start
        """
        start, end = np.array(start_force, float), np.array(end_force, float)
        if not self._has_frame or cosine(self.up_force, end) < c.COS_MAX_TURNED:
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
        return np.subtract(normalize(end), normalize(start))

    def axes(self) -> np.ndarray:
        """Return the rotation [3, 3] from sensor axes to the foot; its rows are forward, left and up."""
        up = self.up_force / np.linalg.norm(self.up_force)
        return np.stack([np.cross(self.left, up), self.left, up])

    def update_direction(self, displacement_m: float) -> tuple[bool, bool]:
        """Update the forward direction by a stride, and reverse it if the foot moves backward.

        Args:
            displacement_m: displacement along the forward axis, m

        Returns:
            reverses: True if the foot moved against the direction of the last strides
            is_reversed: True if forward and backward were exchanged
        """
        ahead = min(max(displacement_m, -1.0), 1.0)
        reverses = ahead * self.forward < -c.REVERSAL_M2
        self.forward = c.FORWARD_MEMORY * self.forward + ahead
        is_reversed = self.forward < 0
        if is_reversed:
            self.forward, self.left = -self.forward, -self.left
        return reverses, is_reversed


def update_bias(
    sensor: Standing, axes: np.ndarray, mirror: float, result: Strapdown, up: np.ndarray, duration_s: float
) -> None:
    """Correct the gyroscope bias by the tilt that integration leaves at the end of a stride: a Kalman filter.

    Variances are relative to that of the bias that one stride measures.

    Args:
        sensor: holds bias and its covariance, which are updated
        axes: [3, 3] rotation from sensor axes to the foot
        mirror: 1 for a right foot, -1 for a left foot
        result: integral of the stride
        up: [3] specific force at the end, in the frame of the start, m/s²
        duration_s: duration of the stride, s
    """
    x, y = up[:2] / (np.linalg.norm(up) + 1e-12)
    tilt_per_bias = result.orientation[0].mean(axis=0)[:2] * [mirror, 1, mirror] @ axes * duration_s
    variance = 1 + (x * x + y * y) / c.TILT_SD_RAD**2
    covariance = tilt_per_bias @ sensor.bias_variance @ tilt_per_bias.T + variance * np.eye(2)
    gain = sensor.bias_variance @ tilt_per_bias.T @ np.linalg.inv(covariance)
    sensor.bias = sensor.bias + gain @ [-y, x]
    sensor.bias_variance = (
        sensor.bias_variance - gain @ tilt_per_bias @ sensor.bias_variance + np.eye(3) * c.BIAS_WALK
    )


def _principal_axis(spread: np.ndarray, up: np.ndarray) -> np.ndarray:
    """Return the horizontal axis [3] with the maximum second moment of angular rate; `spread`: [3, 3]."""
    first = np.eye(3)[0 if up[0] ** 2 < 0.5 else 1]
    first = first - (first @ up) * up
    first = first / np.linalg.norm(first)
    second = np.cross(up, first)
    b, other = first @ spread @ second, second @ spread @ second
    d = (first @ spread @ first - other) / 2
    r = math.hypot(d, b)
    axis = (r + d if d > 0 else b) * first + (b if d > 0 else r - d) * second
    return axis / (np.linalg.norm(axis) + 1e-12)
