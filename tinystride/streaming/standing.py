"""Calibration of gyroscope bias and gravity while the foot stands (firmware/standing.inc)."""

import numpy as np

from tinystride.firmware import constants as c
from tinystride.gait.calibration import window_variance, without_rotation
from tinystride.streaming.block import Segment
from tinystride.streaming.config import Design


class Standing:
    """Detection of standing, and calibration of the sensor (struct tinystride_standing, tinystride_sensor).

    Args:
        design: values derived from the sampling rate

    Attributes:
        count: standing windows so far, 0 to 4
        bias: [3] bias of the gyroscope, rad/s
        bias_variance: [3, 3] covariance of the bias, relative to the variance of one stride's measurement
        rest_mps2: |specific force| while standing or, before that, at the stances, m/s²
    """

    def __init__(self, design: Design):
        self.design = design
        self.count = 0
        self.bias, self.bias_variance = np.zeros(3), np.eye(3) / c.PRIOR_STRIDES
        self.rest_mps2 = c.GRAVITY
        self._rest_weight = c.REST_PRIOR_STANCES / (c.STATIONARY_THRESHOLD**2 + c.REST_FLOOR) ** 2
        self.restart()

    def update_rest_force(self, force: list[int], motion: int) -> None:
        """Update the size of the specific force at rest by a stance. Do nothing after standing was detected.

        A stance with more motion, or whose force differs more from gravity, has less weight, because a foot
        that rolls over its sole is accelerated upwards.

        Args:
            force: [3] specific force of the stance, counts
            motion: motion of the stance, 1/1600 rad/s
        """
        if not self.count and motion < c.MAX_STANCE_MOTION:
            size_mps2 = float(np.linalg.norm(force)) * c.ACC_UNIT
            pushed = ((size_mps2 - c.GRAVITY) * c.REST_MOTION_PER_MPS2) ** 2
            weight = 1 / (motion**2 + c.REST_FLOOR + pushed) ** 2
            self._rest_weight += weight
            self.rest_mps2 += (size_mps2 - self.rest_mps2) * weight / self._rest_weight

    def restart(self) -> None:
        """Start a new window with the next block, after lost or repeated samples."""
        self._blocks = 0
        self._force: list[int] = [0, 0, 0]

    def process_block(self, segment: Segment, n: int, energy: int, force: list[int]) -> None:
        """Detect standing in a block, and calibrate at the end of a standing window.

        Args:
            segment: segment of the block
            n: number of the block
            energy: energy of the angular rate over the energy window, (0.01 rad/s)²
            force: [3] mean specific force over the energy window, counts
        """
        # After standing was detected once, an accelerometer without noise is stuck.
        frozen = self.count and segment.frozen[n]
        moves = energy > c.MAX_STANDING_MOTION or frozen
        if moves or (self._blocks and not _is_near(force, self._force)):
            self._blocks = 0
            return
        if self._blocks == 0:
            self._force = force
        self._blocks += 1
        part, guard = self.design.standing_part, self.design.standing_guard
        if self._blocks == 3 * part + guard:
            self._calibrate(segment, n + 1 - guard)
        elif self._blocks == 4 * part:
            self._blocks = 3 * part

    def _calibrate(self, segment: Segment, stop: int) -> None:
        """Update bias and gravity by the standing window that ends with block `stop` - 1."""
        part = self.design.standing_part
        sums = segment.sums[stop - 3 * part : stop].reshape(3, part, 6).sum(axis=1)
        means = sums / (part * self.design.samples_per_block) * np.repeat([c.ACC_UNIT, c.GYR_UNIT], 3)
        acc, gyr = means[None, :, :3], means[None, :, 3:]
        bias = without_rotation(gyr, acc, part * self.design.period_s)[0]
        variance = window_variance(gyr)[0]
        if variance > c.MAX_STANDING_BIAS_SD_RADPS**2 or (np.abs(bias) > c.MAX_BIAS_RADPS).any():
            return
        self.count = min(self.count + 1, 4)
        rest_mps2 = float(np.linalg.norm(acc[0].mean(axis=0)))
        self.rest_mps2 += (rest_mps2 - self.rest_mps2) / self.count
        # Errors of successive windows are similar, so more windows than these do not help.
        per_stride = variance / c.STRIDE_TILT_SD_RAD**2
        if per_stride < np.trace(self.bias_variance):
            gain = self.bias_variance @ np.linalg.inv(self.bias_variance + per_stride * np.eye(3))
            self.bias = self.bias + gain @ (bias - self.bias)
            self.bias_variance = self.bias_variance - gain @ self.bias_variance

    def bias_is_unknown(self, duration_s: float, up: np.ndarray) -> bool:
        """Return whether the uncertainty of the bias makes the length of a stride unreliable.

        Args:
            duration_s: duration of the stride, s
            up: [3] vertical, of any size; a bias about it does not change the length
        """
        about_up = up @ self.bias_variance @ up / (up @ up + 1e-12)
        variance = (np.trace(self.bias_variance) - about_up) / 2 * c.STRIDE_TILT_SD_RAD**2
        if not self.count:
            variance += c.STRIDE_BIAS_SD_RADPS**2
        return bool(variance * (c.GRAVITY / 12 * duration_s**3) ** 2 > c.MAX_BIAS_ERROR_M**2)


def _is_near(force: list[int], other: list[int]) -> bool:
    """Return whether two specific forces [3], in counts, are as close as those of a standing foot."""
    return all(abs(x - y) <= c.MAX_STANDING_ACC_RANGE for x, y in zip(force, other, strict=True))
