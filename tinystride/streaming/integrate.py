"""Strapdown integration of one stride, and what the network sees of it (firmware/integrate.inc)."""

import math
from dataclasses import dataclass

import numpy as np

from tinystride.firmware import constants as c
from tinystride.gait.strapdown import POINTS, Strapdown, integrate, untilted_excess_m
from tinystride.streaming.block import Segment
from tinystride.streaming.config import Design
from tinystride.streaming.state import BACKWARD, FRACTIONS


@dataclass
class Integral:
    """The integral of one stride, in the canonical foot frame, seen as a right foot.

    acc: [64, 3] m/s², gyr: [64, 3] rad/s; values: [64, 6], the features; moved: [3] m; excess_m: [3] excess
    velocity at the end times duration, m, less what the tilt at the end explains; up: [3] specific force at
    the end, m/s²
    late_mps: vertical velocity at the end that a gyroscope would make that is early by 1 s
    """

    result: Strapdown
    acc: np.ndarray
    gyr: np.ndarray
    values: np.ndarray
    moved: np.ndarray
    excess_m: np.ndarray
    up: np.ndarray
    late_mps: float

    def reverse_direction(self) -> None:
        """Exchange forward with backward and left with right; `values`, `up` and `result` stay."""
        self.acc, self.gyr = self.acc * BACKWARD, self.gyr * BACKWARD
        self.moved, self.excess_m = self.moved * BACKWARD, self.excess_m * BACKWARD


def integrate_samples(
    acc_mps2: np.ndarray, gyr_radps: np.ndarray, axes: np.ndarray, mirror: float, duration_s: float
) -> Integral:
    """Integrate samples [64, 3] in sensor axes, calibrated. axes: [3, 3] from there to the foot."""
    acc = acc_mps2 @ axes.T * [1, mirror, 1]
    gyr = gyr_radps @ axes.T * [mirror, 1, mirror]
    result = integrate(acc[None], gyr[None], np.array([duration_s]))
    return Integral(
        result=result,
        acc=acc,
        gyr=gyr,
        values=np.hstack([result.velocity_mps[0], gyr]) * duration_s,
        moved=result.displacement_m[0],
        excess_m=untilted_excess_m(result, acc[None], np.array([duration_s]))[0],
        up=result.orientation[0, -1] @ acc[-1],
        late_mps=float(
            np.einsum("pi,pi->", result.orientation[0][:, 2], np.cross(gyr, acc)) * duration_s / (POINTS - 1)
        ),
    )


def resample_blocks(segment: Segment, design: Design, start: int, length: float) -> np.ndarray:
    """Means [64, 6] over the intervals around 64 even instants of a stride, m/s² and rad/s.

    start: place, see state; length: blocks
    """
    step = length / (POINTS - 1)
    # Block k spans k - 1/2 to k + 1/2; motion energy lags by half its window.
    first = start / FRACTIONS - 0.5 * (design.window - 1) + design.delay + 0.5 - 0.5 * step
    parts = int(length * c.Q14_ONE)
    ticks = math.floor(first * c.Q14_ONE) + parts * np.arange(POINTS + 1) // (POINTS - 1)
    bounds = ticks / c.Q14_ONE
    low, high = int(bounds[0]), int(bounds[-1]) + 1
    kept = segment.kept[low:high]
    total = np.concatenate([np.zeros((1, 6)), np.cumsum(kept, axis=0)])
    place = bounds - low
    whole = np.minimum(place.astype(int), len(kept) - 1)
    integral = total[whole] + (place - whole)[:, None] * kept[whole]
    return np.diff(integral, axis=0) / step * np.repeat([c.ACC_UNIT, c.GYR_UNIT], 3)
