"""Strapdown integration of one stride, and the input of the network (firmware/integrate.inc)."""

import math
from dataclasses import dataclass

import numpy as np

from tinystride.firmware import constants as c
from tinystride.gait.strapdown import (
    POINTS,
    Strapdown,
    correct_tilt,
    integrate,
    moving_variance,
    stance_motion,
    untilted_excess_m,
)
from tinystride.streaming.block import Segment
from tinystride.streaming.config import Design
from tinystride.streaming.state import BACKWARD, FRACTIONS


@dataclass
class Integral:
    """The integral of one stride in the foot frame (integral_t); signals of a left foot are mirrored.

    Attributes:
        result: orientation, velocity and displacement, not levelled
        acc: [64, 3] specific force, m/s²
        gyr: [64, 3] angular rate, rad/s
        values: [64, 6] features, the input of the network
        displacement_m: [3] displacement, levelled, m
        drift_mps: [3] velocity at the end, levelled, m/s
        excess_m: [3] excess velocity at the end times duration, without the effect of the tilt at the end, m
        unexplained: part of the horizontal excess that is not due to the tilt at the start
        motion: [4] motion of the foot near both mid-stances, as gait.strapdown.stance_motion returns it
        up: [3] specific force at the end, in the frame of the start, m/s²
        moving: variance of the tilt of the force of a foot that moves at both ends, rad²
        late_mps: vertical velocity at the end per second of delay between the sensors, m/s
    """

    result: Strapdown
    acc: np.ndarray
    gyr: np.ndarray
    values: np.ndarray
    displacement_m: np.ndarray
    drift_mps: np.ndarray
    excess_m: np.ndarray
    unexplained: float
    motion: np.ndarray
    up: np.ndarray
    moving: float
    late_mps: float

    def reverse_direction(self) -> None:
        """Exchange forward with backward and left with right, except in `values`, `up` and `result`."""
        self.acc, self.gyr = self.acc * BACKWARD, self.gyr * BACKWARD
        self.displacement_m, self.excess_m = self.displacement_m * BACKWARD, self.excess_m * BACKWARD
        self.motion = self.motion * [1, -1, -1, -1]


def integrate_samples(
    acc_mps2: np.ndarray,
    gyr_radps: np.ndarray,
    axes: np.ndarray,
    mirror: float,
    duration_s: float,
    rate_hz: float,
) -> Integral:
    """Integrate the samples of a stride.

    Args:
        acc_mps2: [64, 3] calibrated specific force in sensor axes, m/s²
        gyr_radps: [64, 3] calibrated angular rate in sensor axes, rad/s
        axes: [3, 3] rotation from sensor axes to the foot
        mirror: 1 for a right foot, -1 for a left foot
        duration_s: duration of the stride, s
        rate_hz: sampling rate

    Returns:
        the integral
    """
    acc = acc_mps2 @ axes.T * [1, mirror, 1]
    gyr = gyr_radps @ axes.T * [mirror, 1, mirror]
    result = integrate(acc[None], gyr[None], np.array([duration_s]))
    levelled, explained = correct_tilt(result, acc[None], gyr[None], np.array([duration_s]), rate_hz)
    return Integral(
        result=result,
        acc=acc,
        gyr=gyr,
        values=np.hstack([result.velocity_mps[0], gyr]) * duration_s,
        displacement_m=levelled.displacement_m[0],
        drift_mps=levelled.velocity_mps[0, -1],
        excess_m=untilted_excess_m(result, acc[None], np.array([duration_s]))[0],
        unexplained=float(1 - explained[0]),
        motion=stance_motion(result, acc[None], gyr[None], np.array([duration_s]))[0],
        up=result.orientation[0, -1] @ acc[-1],
        moving=float(moving_variance(acc[[0, -1]], gyr[[0, -1]]).sum()),
        late_mps=float(
            np.einsum("pi,pi->", result.orientation[0][:, 2], np.cross(gyr, acc)) * duration_s / (POINTS - 1)
        ),
    )


def resample_blocks(segment: Segment, design: Design, start: int, length: float) -> np.ndarray:
    """Average the blocks of a stride around 64 evenly spaced instants.

    Args:
        segment: blocks of the stride
        design: values derived from the sampling rate
        start: mid-stance at the start, 1/256 block
        length: length of the stride, blocks

    Returns:
        [64, 6] specific force in m/s² and angular rate in rad/s, in sensor axes
    """
    step = length / (POINTS - 1)
    # Block k extends from k - 1/2 to k + 1/2; the delay of the motion energy is half its window.
    first = start / FRACTIONS - 0.5 * (design.window - 1) + design.delay + 0.5 - 0.5 * step
    parts = int(length * c.Q14_ONE)
    ticks = math.floor(first * c.Q14_ONE) + parts * np.arange(POINTS + 1) // (POINTS - 1)
    bounds = ticks / c.Q14_ONE
    low, high = int(bounds[0]), int(bounds[-1]) + 1
    lowpassed = segment.lowpassed[low:high]
    total = np.concatenate([np.zeros((1, 6)), np.cumsum(lowpassed, axis=0)])
    place = bounds - low
    whole = np.minimum(place.astype(int), len(lowpassed) - 1)
    integral = total[whole] + (place - whole)[:, None] * lowpassed[whole]
    return np.diff(integral, axis=0) / step * np.repeat([c.ACC_UNIT, c.GYR_UNIT], 3)
