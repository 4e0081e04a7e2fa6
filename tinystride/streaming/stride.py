"""Measurement of one stride (firmware/stride.inc); `twin` adds the network's correction."""

import math

import numpy as np

from tinystride.firmware import constants as c
from tinystride.gait.flags import heading_change_deg
from tinystride.gait.strapdown import missed_cm
from tinystride.streaming.block import Segment
from tinystride.streaming.clipping import add_lost_rotation
from tinystride.streaming.config import Design
from tinystride.streaming.frame import Frame, update_bias
from tinystride.streaming.impacts import Impacts
from tinystride.streaming.integrate import Integral, integrate_samples, resample_blocks
from tinystride.streaming.plausibility import Checks, has_dead_axis, integral_flags
from tinystride.streaming.stance import Stances
from tinystride.streaming.standing import Standing
from tinystride.streaming.state import FLAG, FRACTIONS, INCOMPLETE, Stride


class Measure:
    """Measures strides; holds the mounting and other results that are learned from them.

    Args:
        design: values derived from the sampling rate
        mirror: 1 for a right foot, -1 for a left foot
        standing: calibration of the sensor, which strides update
    """

    def __init__(self, design: Design, mirror: float, standing: Standing):
        self.design, self.mirror, self.standing = design, mirror, standing
        self.frame, self.checks, self.impacts = Frame(), Checks(), Impacts()

    def stride(self, segment: Segment, stances: Stances, end: int) -> Stride | None:
        """Measure the current stride.

        Args:
            segment: blocks of the stride
            stances: holds the current stride and the stance at its end
            end: mid-stance at the end, 1/256 block

        Returns:
            the stride; None if it is too long or too short
        """
        start, block = stances.stride.start, stances.block
        length = (end - start) / FRACTIONS
        if block - start // FRACTIONS > c.HISTORY_BLOCKS - 4 or length < 4:
            return None
        duration_s = length * self.design.period_s
        integral, axes, slipped, repaired_rad = self._integrate(segment, stances, length)
        reverses, is_reversed = self.frame.update_direction(integral.displacement_m[0])
        if is_reversed:
            integral.reverse_direction()
        # The pitch rate may change its sign again after the end of the stride.
        start_sample, end_sample = self._sample_number(segment, start), self._sample_number(segment, end)
        contact = min(self._find_contact(segment, start // FRACTIONS, int(length)), end_sample)
        drift_mps, up = integral.drift_mps, integral.up
        tilt = float(up[:2] @ up[:2]) / (c.TAN_MAX_TILT**2 + c.PER_MOVING_VARIANCE * integral.moving)
        drift = float((drift_mps / np.array([c.MAX_DRIFT_MPS] * 2 + [c.MAX_DRIFT_UP_MPS])) ** 2 @ np.ones(3))
        residual_score = drift + tilt / c.GRAVITY**2
        flags = self._event_flags(segment, stances, length) | (FLAG["unsteady"] if slipped else 0)
        if self._has_overflowed(segment, stances, integral, length):
            flags |= FLAG["saturated"]
        saturated = flags & FLAG["saturated"]
        if c.GRAVITY * repaired_rad * duration_s**2 / 12 > c.MAX_REPAIRED_M:
            flags |= FLAG["saturated"]
        if self.standing.bias_is_unknown(duration_s, self.frame.up_force):
            flags |= FLAG["no-standing"]
        excess_m = integral.excess_m
        # The vertical velocity is not limited further, because vibration at contact causes it.
        upright = float(up[:2] @ up[:2]) <= (c.TAN_MAX_TILT * c.GRAVITY) ** 2
        steady = upright and float(drift_mps @ drift_mps) <= c.MAX_DRIFT_MPS**2
        if steady and not flags & INCOMPLETE and not saturated:
            self.impacts.update(excess_m)
        share = (contact - start_sample) / (end_sample - start_sample)
        integral.displacement_m[:2] += self.impacts.error_m(share, excess_m, integral.unexplained)
        length_cm = 100 * math.hypot(integral.displacement_m[0], integral.displacement_m[1])
        length_cm *= 1 + float(missed_cm(integral.motion)) / max(length_cm, c.MIN_MOTION_LENGTH_CM)
        flags |= integral_flags(integral, duration_s, length_cm, drift, tilt)
        if not flags & (INCOMPLETE | FLAG["saturated"]):
            update_bias(self.standing, axes, self.mirror, integral.result, up, duration_s)
        flags |= self.checks.walking_flags(integral, duration_s, residual_score, reverses, flags)
        # A repaired gyroscope can be compared with the accelerometer, other saturated samples cannot.
        others, stood = (flags & ~FLAG["saturated"]) | saturated, self.standing.count > 0
        if self.checks.sensors_disagree(others, integral, duration_s, repaired_rad, stood):
            flags |= FLAG["sensors-disagree"]
        newest = segment.first_sample + (block + 1) * self.design.samples_per_block
        return Stride(
            start=start_sample,
            end=end_sample,
            contact=contact,
            duration_s=duration_s,
            latency_s=(newest - end_sample) / self.design.rate_hz,
            strapdown_length_cm=length_cm,
            flags=flags,
            length_sd_cm=self._length_sd_cm(integral, share, repaired_rad, duration_s),
            repaired_deg=math.degrees(repaired_rad),
            values=integral.values,
            is_reversed=is_reversed,
        )

    def _length_sd_cm(
        self, integral: Integral, contact: float, repaired_rad: float, duration_s: float
    ) -> float:
        """Return the standard deviation of a length, cm, like gait.uncertainty."""
        variance_cm2 = self.impacts.variance_cm2(
            contact, integral.excess_m, integral.unexplained, integral.displacement_m[2], duration_s
        )
        rotation_rad = math.sqrt((integral.gyr**2).sum(axis=1).mean()) / self.design.rate_hz
        turn_rad = math.radians(abs(heading_change_deg(integral.result.orientation)[0]))
        return math.hypot(
            math.sqrt(variance_cm2),
            c.BASE_SD_CM,
            c.SD_PER_ROTATION_CM_PER_RAD * rotation_rad,
            c.SD_PER_REPAIR_CM_PER_RAD * repaired_rad,
            c.SD_PER_TURN_CM * math.sqrt(2 * math.sin(turn_rad / 2)),
        )

    def _integrate(
        self, segment: Segment, stances: Stances, length: float
    ) -> tuple[Integral, np.ndarray, bool, float]:
        """Integrate the stride, and update the mounting by it.

        Returns:
            the integral; axes [3, 3]; whether the sensor slipped; rotation that the repair of a clipped
            gyroscope added, rad
        """
        stride, frame = stances.stride, self.frame
        gyr = segment.lowpassed[stride.spread_from : stances.block + 1 : 2, 3:].astype(float)
        changed = frame.update(stride.start_force, stances.mid_stance_force, gyr)
        size = float(np.linalg.norm(frame.up_force)) + 1e-12
        self.standing.update_rest_force(stances.mid_stance_force, stances.mid_stance_motion)
        offset = frame.up_force / size * (self.standing.rest_mps2 - c.GRAVITY)
        samples, axes = resample_blocks(segment, self.design, stride.start, length), frame.axes()
        acc, gyr = samples[:, :3] - offset, samples[:, 3:] - self.standing.bias
        duration_s, repaired_rad = length * self.design.period_s, 0.0
        runs = segment.runs_until((stances.block + 1) * self.design.samples_per_block)
        if runs:
            place = self._sample_number(segment, stride.start)
            gyr, repaired_rad = add_lost_rotation(
                acc, gyr, axes, duration_s, runs, place, self.design.rate_hz
            )
        integral = integrate_samples(acc, gyr, axes, self.mirror, duration_s, self.design.rate_hz)
        # A slip changes gravity at stance and tilts the end of the integral, by the same angle. The force
        # of a foot that accelerates at stance is tilted, too.
        tipped = integral.up[:2] / (np.linalg.norm(integral.up) + 1e-12)
        together = tipped @ (changed @ axes.T * [1, self.mirror, 1])[:2]
        moving = c.PER_MOVING_VARIANCE * integral.moving
        slipped = changed @ changed > c.MAX_CHANGE_SQUARE + moving or together > c.MAX_SLIP_RAD2 + moving
        return integral, axes, bool(slipped), repaired_rad

    def _has_overflowed(self, segment: Segment, stances: Stances, integral: Integral, length: float) -> bool:
        """Return whether counts of the specific force overflowed.

        After a jump to the other sign, the velocity at the end is about that of one sample that wrapped
        around.
        """
        wrapped_mps = 2 * c.ACC_UNIT * segment.acc_full_scale[stances.block] / self.design.rate_hz
        excess_mps = integral.excess_m[0] / (length * self.design.period_s)
        left_mps = math.hypot(excess_mps, *integral.drift_mps[1:])
        jumped = stances.stride.has_event("jumped", length)
        return bool(jumped and wrapped_mps > 0 and left_mps > c.MIN_WRAPPED_SHARE * wrapped_mps)

    def _event_flags(self, segment: Segment, stances: Stances, length: float) -> int:
        """Return the flags of the events in the stride of `length` blocks."""
        flags = 0
        lowpassed = segment.lowpassed[stances.stride.spread_from : stances.block + 1]
        if stances.previous_missing:
            flags |= FLAG["previous-missing"]
        if stances.stride.has_event("gap", length) or has_dead_axis(lowpassed):
            flags |= FLAG["gap"]
        if stances.stride.has_event("saturated", length):
            flags |= FLAG["saturated"]
        stances.previous_missing = False
        return flags

    def _find_contact(self, segment: Segment, start: int, length: int) -> float:
        """Return the sample number at which the pitch rate turns positive after the swing; NaN if nowhere."""
        gyr = segment.lowpassed[start : start + length + 1, 3:] * c.GYR_UNIT - self.standing.bias
        pitch = gyr @ self.frame.left
        swing = int(pitch.argmin()) if pitch.min() < 0 else 0
        rising = swing + 1 + np.flatnonzero((pitch[swing:-1] < 0) & (pitch[swing + 1 :] >= 0))
        if not len(rising):
            return math.nan
        after = rising[0]
        place = after - pitch[after] / (pitch[after] - pitch[after - 1])
        lag = 0.5 * (self.design.window - 1) - self.design.delay
        blocks = start + place + c.CONTACT_AFTER_CROSSING_S / self.design.period_s + lag
        return self._sample_number(segment, int(blocks * FRACTIONS))

    def _sample_number(self, segment: Segment, place: int) -> float:
        """Return the fractional sample number of a place."""
        d, w = self.design.samples_per_block, self.design.window
        return segment.first_sample + d * (place / FRACTIONS - (w - 1) / 2) + (d - 1) / 2
