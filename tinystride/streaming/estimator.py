"""The streaming estimator: tinystride.c function by function, in Python.

Whatever decides about strides is in whole numbers, as it is there, so that both decide alike; what happens
once per stride is in double precision here and in single precision there.
"""

import math
from dataclasses import dataclass

import numpy as np

from tinystride.firmware import constants as c
from tinystride.gait import flags as gait_flags
from tinystride.gait.calibration import window_variance, without_rotation
from tinystride.gait.side import FEWEST_STRIDES, MEAN, OTHER_FOOT, ROLL_SD_RAD, SIDEWAYS_SD_M
from tinystride.gait.strapdown import (
    GRAVITY_MPS2,
    POINTS,
    USUAL_EXCESS_M,
    USUAL_EXCESS_STRIDES,
    Strapdown,
    integrate,
    lowpass_delay_s,
)
from tinystride.gait.walking import POINTS as PARTS
from tinystride.gait.walking import is_walking, likeness, means, shifted
from tinystride.streaming.design import Design, single
from tinystride.streaming.front_end import Segment
from tinystride.streaming.table import FLAG_NAMES

FLAG = {name: 1 << bit for bit, name in enumerate(FLAG_NAMES)}
EXTRAORDINARY = sum(FLAG[name] for name in gait_flags.EXTRAORDINARY)
SIDE_SD = np.concatenate([ROLL_SD_RAD, SIDEWAYS_SD_M])
# From one way to see a foot to that with forward and left the other way round.
BACKWARD = np.array([-1.0, -1.0, 1.0])
# Places in the stream are whole numbers of 256ths of a block.
FRACTIONS = 256


@dataclass
class Stride:
    """A stride before the network has seen it.

    start, end, contact: samples, fractional; contact NaN if unknown
    values: [64, 6], the features, to be seen the other way round if turned_round
    strangeness: how far from ordinary the integral's drift and tilt are; 1: unsteady
    """

    start: float
    end: float
    contact: float
    duration_s: float
    latency_s: float
    strapdown_length_cm: float
    flags: int
    strangeness: float
    values: np.ndarray
    turned_round: bool


class Estimator:
    """The state of one foot: sensor, mounting and wearer as far as known, and the stride under way."""

    def __init__(self, design: Design, foot: str):
        self.design = design
        self.mirror = -1.0 if foot == "left" else 1.0
        self.delay = lowpass_delay_s(design.block_hz, c.LOWPASS_HZ) * design.block_hz
        self.knows_stance = self.has_frame = self.stances = self.stance_open = self.resumed = False
        self.stance_force = [0, 0, 0]
        self.calmest_force, self.up = [0, 0, 0], [0.0, 0.0, 0.0]
        self.standings = self.walked = self.ordinary = 0
        self.strayed, self.vertical_mps = False, 0.0
        self.bias, self.bias_variance = np.zeros(3), np.eye(3) / c.PRIOR_STRIDES
        self.rest_mps2, self.up_force = 0.0, np.zeros(3)
        self.axes, self.left, self.forward = np.zeros((3, 3)), np.zeros(3), 0.0
        self.side = np.zeros(len(SIDE_SD))
        # Excess velocity times duration, forward and vertical: strides, mean, mean absolute deviation.
        self.excess_strides, self.excess_m = USUAL_EXCESS_STRIDES, np.zeros(2)
        self.excess_deviation_m = np.array(USUAL_EXCESS_M)
        self.strides: list[Stride] = []

    # Samples

    def follow(self, segment: Segment) -> None:
        """Take all blocks of a segment; what strides there are is appended to `strides`."""
        self._begin_after_gap(segment.first_sample)
        self.segment = segment
        self.kept = segment.kept.tolist()
        self.unrest: list[int] = []
        self.stances = self.stance_open = self.has_start = self.has_best = False
        self.standing_blocks, self.standing_force = 0, [0, 0, 0]
        self.calm_blocks = self.turned = self.moving = self.last_candidate = self.search_end = 0
        # Blocks of the first and the last event that may lie in the stride under way.
        self.events: dict[str, tuple[int, int]] = {}
        forces, energies = segment.force.tolist(), segment.energy.tolist()
        told = len(self.strides)
        for n in range(len(segment.energy)):
            self.block = n
            if n < segment.finish:
                told = len(self.strides)
            elif len(self.strides) > told:
                return
            else:
                # A sample repeated is no standing.
                self.standing_blocks = 0
            if segment.saturated[n]:
                self._mark("saturated")
            if segment.gap[n]:
                self._mark("gap")
            if n + 1 < self.design.window:
                self.unrest.append(c.MAX_MOTION)
                self.moving = n
            else:
                self._watch_standing(n, energies[n], forces[n])
                self._take_block(n, energies[n], forces[n])

    def _begin_after_gap(self, first_sample: int) -> None:
        """A stance that was under way has ended its stride; the stride that holds the gap has no length, and
        the next one is flagged for it.
        """
        told = len(self.strides)
        if self.stance_open:
            self._close_stance()
        for stride in self.strides[told:]:
            stride.latency_s = (first_sample - stride.end) / self.design.rate_hz
        self.resumed = self.resumed or self.stances

    def _watch_standing(self, n: int, energy: int, force: list[int]) -> None:
        """Watch for standing: three parts, and a moment more, without movement."""
        # A sensor that has been seen to stand differently is stuck.
        frozen = self.standings and self.segment.frozen[n]
        moves = energy > c.MAX_STANDING_MOTION or frozen
        if moves or (self.standing_blocks and not _is_near(force, self.standing_force)):
            self.standing_blocks = 0
            return
        if self.standing_blocks == 0:
            self.standing_force = force
        self.standing_blocks += 1
        part, guard = self.design.standing_part, self.design.standing_guard
        if self.standing_blocks == 3 * part + guard:
            self._learn_standing(n + 1 - guard)
        elif self.standing_blocks == 4 * part:
            self.standing_blocks = 3 * part

    def _learn_standing(self, stop: int) -> None:
        """Learn bias and gravity from the window of standing that ends with block `stop` - 1."""
        part = self.design.standing_part
        sums = self.segment.sums[stop - 3 * part : stop].reshape(3, part, 6).sum(axis=1)
        means = sums / (part * self.design.samples_per_block) * np.repeat([c.ACC_UNIT, c.GYR_UNIT], 3)
        acc, gyr = means[None, :, :3], means[None, :, 3:]
        bias = without_rotation(gyr, acc, part * self.design.period_s)[0]
        variance = window_variance(gyr)[0]
        if variance > c.MAX_STANDING_BIAS_SD_RADPS**2 or (np.abs(bias) > c.MAX_BIAS_RADPS).any():
            return
        self.standings = min(self.standings + 1, 4)
        rest_mps2 = float(np.linalg.norm(acc[0].mean(axis=0)))
        self.rest_mps2 += (rest_mps2 - self.rest_mps2) / self.standings
        # Windows that follow each other err alike, so a few of them are enough.
        per_stride = variance / c.STRIDE_TILT_SD_RAD**2
        if per_stride < np.trace(self.bias_variance):
            gain = self.bias_variance @ np.linalg.inv(self.bias_variance + per_stride * np.eye(3))
            self.bias = self.bias + gain @ (bias - self.bias)
            self.bias_variance = self.bias_variance - gain @ self.bias_variance

    # Stances

    def _take_block(self, n: int, energy: int, force: list[int]) -> None:
        design = self.design
        self._find_stance_force(energy, force)
        unrest = min(energy + self._deviation(force), c.MAX_MOTION) if self.knows_stance else c.MAX_MOTION
        self.unrest.append(unrest)
        if unrest >= c.STATIONARY_THRESHOLD:
            self.moving = n
            self.turned += int(single(math.sqrt(single(energy))) * single(16))
            if self.segment.stuck[n]:
                self._mark("gap")
        if n >= design.reach:
            self._carry_up(n - design.reach)
        if self.has_start and n - (self.start // FRACTIONS) > c.HISTORY_BLOCKS - 4:
            self.has_start, self.resumed = False, True
        if not self.has_best or unrest < self.best_unrest:
            self.has_best = True
            self.best, self.best_unrest, self.best_force = n, unrest, force
            self.best_turned, self.best_moving = self.turned, self.moving
        if self.stance_open and not self._waits() and self.turned - self.turned_last > design.swing:
            self._close_stance()
        elif (
            self.stance_open
            and not self.rested
            and unrest < c.STATIONARY_THRESHOLD
            and n - self.arrival > design.pause
        ):
            self._rest()
        if n - self.best == design.reach:
            self._confirm()

    def _waits(self) -> bool:
        """Whether a candidate may come up that belongs to the stance under way."""
        return (
            self.best_unrest < c.MAX_STANCE_MOTION
            and self.best_turned - self.turned_last <= self.design.swing
        )

    def _find_stance_force(self, energy: int, force: list[int]) -> None:
        """What the specific force of the standing foot is: that of a calm which no swing has, else, where
        there has been no stance for long, the calmest.
        """
        self.calm_blocks = (
            0
            if energy >= c.STATIONARY_THRESHOLD or not _is_gravity(force)
            else min(self.calm_blocks + 1, 255)
        )
        if self.calm_blocks == self.design.calm_run and (
            not self.knows_stance or self._deviation(force) > c.STATIONARY_THRESHOLD
        ):
            self._know_stance(force)
        if self.block >= self.search_end:
            lost = (
                not self.knows_stance
                or not self.stances
                or self.block - self.last_candidate > self.design.search
            )
            if self.search_end and lost and _is_gravity(self.least_force):
                self._know_stance(self.least_force)
            self.search_end, self.least_energy = self.block + self.design.search, math.inf
        if energy < self.least_energy:
            self.least_energy, self.least_force = energy, force

    def _know_stance(self, force: list[int]) -> None:
        self.knows_stance, self.stance_force = True, list(force)
        self._upright()

    def _upright(self) -> None:
        self.up = _unit(self.stance_force)

    def _deviation(self, force: list[int]) -> int:
        """By how much a specific force is not that of the standing foot, in units of unrest squared."""
        square = 0
        for x, usual in zip(force, self.stance_force, strict=True):
            square += max(-c.MAX_FORCE_DIFFERENCE, min(c.MAX_FORCE_DIFFERENCE, x - usual)) ** 2
        return square // c.ACC_SQUARES_PER_MOTION

    def _carry_up(self, block: int) -> None:
        """Carry the vertical on by the angular rate of a block; it grows a little by that."""
        x, y, z = self.up
        rx, ry, rz = self.kept[block][3:]
        step = c.GYR_UNIT * self.design.period_s
        self.up = [x + step * (y * rz - z * ry), y + step * (z * rx - x * rz), z + step * (x * ry - y * rx)]

    def _confirm(self) -> None:
        """The calmest block within reach of both sides is a candidate for a mid-stance."""
        self.has_best = False
        self.up = _unit(self.up)
        before = self.unrest[max(0, self.best - self.design.reach) : self.best]
        if (before and min(before) <= self.best_unrest) or self.best_unrest >= c.MAX_STANCE_MOTION:
            return
        # A foot may also be slow in mid-air; there it is far from upright. Right after a gap nobody knows
        # what is.
        if self.best_unrest > c.STATIONARY_THRESHOLD and (self.stances or not self.resumed):
            upright = sum(a * b for a, b in zip(self.stance_force, self.up, strict=True))
            size = math.sqrt(sum(x * x for x in self.stance_force) * sum(x * x for x in self.up))
            if upright / (size + 1e-12) < c.COS_MAX_TILT:
                return
        if not self.stance_open:
            self.stance_open, self.rested = True, False
            self.arrival, self.calmest_unrest = self.best_moving + 1, c.MAX_MOTION
        if self.best_unrest < self.calmest_unrest:
            self.calmest, self.calmest_unrest = self.best, self.best_unrest
            self.calmest_force = self.best_force
        self.last_candidate, self.turned_last, self.stances = self.best, self.best_turned, True
        if self.best_unrest < c.STATIONARY_THRESHOLD:
            self.stance_force = [
                usual + int((x - usual) / 8)
                for x, usual in zip(self.best_force, self.stance_force, strict=True)
            ]
        self._upright()

    def _close_stance(self) -> None:
        """The foot has left: where its stance had its middle one stride ends and the next begins."""
        n = self.block
        known = min(n, c.MOTION_BLOCKS - 1)
        age = n - (self.last_candidate if self.rested else self.calmest)
        origin, before, after = n - age, self.design.half_pause, self.design.half_pause
        self.stance_open = False
        if self.rested:
            origin = max(origin, n - known)
            while origin < n and self.unrest[origin] < c.STATIONARY_THRESHOLD:
                origin += 1
            origin -= origin > 0
            before, after = self.design.soon - 1, 1
        elif age > known:
            self.has_start = False
            return
        place = self._calm_centre(origin, min(before, known - (n - origin)), min(after, n - origin))
        if not self.rested and self.has_start:
            self._tell(place)
        self._start_stride(place)

    def _rest(self) -> None:
        """The foot rests for long: the stride before ended soon after it had come to rest."""
        if self.has_start:
            origin = max(self.arrival, self.block - (c.MOTION_BLOCKS - 1))
            self._tell(self._calm_centre(origin, 0, self.design.soon))
        self.rested, self.has_start = True, False

    def _calm_centre(self, origin: int, before: int, after: int) -> int:
        """The middle of the calm around block `origin`, weighted by 1 / (unrest + floor)^2: of up to `before`
        blocks before it, itself and up to `after` - 1 after it.
        """
        total = moment = 0
        for step, places in ((1, range(after)), (-1, range(1, before + 1))):
            for i in places:
                unrest = self.unrest[origin + step * i]
                if unrest >= c.MAX_STANCE_MOTION:
                    break
                weight = 4294967295 // (unrest + c.MOTION_FLOOR) ** 2
                total += weight
                moment += weight * step * i
        return origin * FRACTIONS + (int(moment * FRACTIONS / total) if total else 0)

    def _start_stride(self, place: int) -> None:
        self.start, self.start_force, self.spread_from = place, self.calmest_force, self.block + 1
        self.has_start = True
        # Of the events so far the last one is enough: the stride ends after it.
        begun = place // FRACTIONS - self.design.window
        self.events = {name: (last, last) for name, (_, last) in self.events.items() if last >= begun}

    def _mark(self, event: str) -> None:
        first, _ = self.events.get(event, (self.block, self.block))
        self.events[event] = first, self.block

    def _was_marked(self, event: str, length: float) -> bool:
        """Whether an event lies in the stride of `length` blocks. Those before it have been forgotten."""
        return event in self.events and self.events[event][0] - self.start // FRACTIONS <= int(length) + 1

    # A stride's length

    def _tell(self, end: int) -> None:
        """The stride from `start` to this place among unrests."""
        start, segment, period_s = self.start, self.segment, self.design.period_s
        length = (end - start) / FRACTIONS
        duration_s = length * period_s
        if self.block - start // FRACTIONS > c.HISTORY_BLOCKS - 4 or length < 4:
            return
        slipped, changed = self._learn_frame()
        size = float(np.linalg.norm(self.up_force)) + 1e-12
        rest_mps2 = self.rest_mps2 if self.standings else size * c.ACC_UNIT
        offset = self.up_force / size * (rest_mps2 - GRAVITY_MPS2)
        samples = self._resampled(length)
        acc_sensor, gyr_sensor = samples[:, :3] - offset, samples[:, 3:] - self.bias
        up = self.up_force / np.linalg.norm(self.up_force)
        frame = np.stack([np.cross(self.left, up), self.left, up])
        acc = acc_sensor @ frame.T * [1, self.mirror, 1]
        gyr = gyr_sensor @ frame.T * [self.mirror, 1, self.mirror]
        result = integrate(acc[None], gyr[None], np.array([duration_s]))
        values = np.hstack([result.velocity_mps[0], gyr]) * duration_s
        moved = result.displacement_m[0]
        up = result.orientation[0, -1] @ acc[-1]
        tipped = up[:2] / (np.linalg.norm(up) + 1e-12) @ (changed @ frame.T * [1, self.mirror, 1])[:2]
        ahead = min(max(moved[0], -1.0), 1.0)
        is_back = ahead * self.forward < -c.REVERSAL_M2
        self.forward = c.FORWARD_MEMORY * self.forward + ahead
        turned_round = self.forward < 0
        if turned_round:
            self.forward, self.left = -self.forward, -self.left
            acc, gyr = acc * BACKWARD, gyr * BACKWARD
        # After the last contact the pitch may go on changing its sign.
        end_sample = self._sample_of(end)
        contact = min(self._contact(start // FRACTIONS, int(length)), end_sample)
        gap = self.resumed or self._was_marked("gap", length) or self._has_dead_axis()
        saturated = self._was_marked("saturated", length)
        flags = FLAG["no-standing"] if self._bias_is_unknown(duration_s) else 0
        excess_m = result.excess_mps[0, [0, 2]] * duration_s * [-1 if turned_round else 1, 1]
        drift_mps, tilt = float(np.linalg.norm(result.velocity_mps[0, -1])), math.hypot(up[0], up[1])
        strangeness = (drift_mps / c.MAX_DRIFT_MPS) ** 2 + (tilt / GRAVITY_MPS2 / c.TAN_MAX_TILT) ** 2
        if not gap and strangeness <= 1:
            self._learn_impacts(excess_m)
        share = (contact - self._sample_of(start)) / (end_sample - self._sample_of(start))
        moved[0] = (-moved[0] if turned_round else moved[0]) + self._impact_error_m(share, excess_m[0])
        length_cm = 100 * math.hypot(moved[0], moved[1])
        for name, raised in {
            "gap": gap,
            "saturated": saturated,
            "turn": _turns(result),
            "climb": abs(moved[2]) > c.MAX_CLIMB_M,
            "unusual-duration": not c.MIN_DURATION_S <= duration_s <= c.MAX_DURATION_S,
            "unsteady": slipped
            or tipped > c.MAX_SLIP_RAD2
            or strangeness > 1
            or tilt > c.TAN_MAX_TILT * up[2],
            "out-of-range": not c.MIN_LENGTH_CM <= length_cm <= c.MAX_LENGTH_CM,
        }.items():
            flags |= FLAG[name] if raised else 0
        self.resumed = False
        if not flags & (FLAG["gap"] | FLAG["saturated"]):
            self._learn_bias(frame, result, up, duration_s)
        alike, shift = likeness(gyr[None])
        strays = not is_walking(gyr[None], alike, strangeness) or (is_back and not flags & FLAG["turn"])
        if strays or self.strayed:
            flags |= FLAG["not-walking"]
        # What else the foot may do looks like neither.
        if not flags & ~(FLAG["no-standing"] | FLAG["saturated"]) and self._is_other_foot(
            acc, gyr, duration_s, shift
        ):
            flags |= FLAG["wrong-foot"]
        self.strayed = strays
        if self._sensors_disagree(flags, float(result.velocity_mps[0, -1, 2])):
            flags |= FLAG["sensors-disagree"]
        newest = segment.first_sample + (self.block + 1) * self.design.samples_per_block
        self.strides.append(
            Stride(
                start=self._sample_of(start),
                end=end_sample,
                contact=contact,
                duration_s=duration_s,
                latency_s=(newest - end_sample) / self.design.rate_hz,
                strapdown_length_cm=length_cm,
                flags=flags,
                strangeness=strangeness,
                values=values,
                turned_round=turned_round,
            )
        )

    def _bias_is_unknown(self, duration_s: float) -> bool:
        """Return whether the gyroscope's bias may make too large an error of a stride's length."""
        variance = np.trace(self.bias_variance) / 3 * c.STRIDE_TILT_SD_RAD**2
        limit_m = c.MAX_BIAS_ERROR_M
        if not self.standings:
            variance, limit_m = variance + c.STRIDE_BIAS_SD_RADPS**2, c.MAX_BIAS_ERROR_WITHOUT_STANDING_M
        return bool(variance * (GRAVITY_MPS2 / 12 * duration_s**3) ** 2 > limit_m**2)

    def _learn_impacts(self, excess_m: np.ndarray) -> None:
        """Update how much of the drift comes at foot contact, as strapdown.impact_share does."""
        self.excess_strides = min(self.excess_strides + 1, c.MAX_EXCESS_STRIDES)
        limit = c.MAX_EXCESS_RATIO * self.excess_deviation_m
        change = np.clip(excess_m - self.excess_m, -limit, limit)
        self.excess_deviation_m = (
            self.excess_deviation_m + (np.abs(change) - self.excess_deviation_m) / self.excess_strides
        )
        self.excess_m = self.excess_m + change / self.excess_strides

    def _impact_error_m(self, contact: float, excess_m: float) -> float:
        """Return what a line in time loses if drift comes at `contact`, as strapdown.with_impacts does."""
        contact = c.USUAL_CONTACT if math.isnan(contact) else min(max(contact, c.MIN_CONTACT), c.MAX_CONTACT)
        forward, vertical = self.excess_deviation_m**2
        # The fewer strides there are, the less is believed.
        share = min(1.0, vertical / (forward + 1e-12)) * (1 - c.USUAL_EXCESS_STRIDES / self.excess_strides)
        return (contact - 0.5) * share * (excess_m - self.excess_m[0])

    def _resampled(self, length: float) -> np.ndarray:
        """Means [64, 6] over the intervals around 64 even instants of the stride, m/s² and rad/s."""
        step = length / (POINTS - 1)
        # Block k spans k - 1/2 to k + 1/2; unrests lag by half their window.
        first = self.start / FRACTIONS - 0.5 * (self.design.window - 1) + self.delay + 0.5 - 0.5 * step
        parts = int(length * c.Q14_ONE)
        bounds = math.floor(first * c.Q14_ONE) + parts * np.arange(POINTS + 1) // (POINTS - 1)
        bounds = bounds / c.Q14_ONE
        low, high = int(bounds[0]), int(bounds[-1]) + 1
        kept = self.segment.kept[low:high]
        total = np.concatenate([np.zeros((1, 6)), np.cumsum(kept, axis=0)])
        place = bounds - low
        whole = np.minimum(place.astype(int), len(kept) - 1)
        integral = total[whole] + (place - whole)[:, None] * kept[whole]
        return np.diff(integral, axis=0) / step * np.repeat([c.ACC_UNIT, c.GYR_UNIT], 3)

    def _has_dead_axis(self) -> bool:
        kept = self.segment.kept[self.spread_from : self.block + 1]
        return bool((kept == kept[:1]).all(axis=0).any())

    def _learn_frame(self) -> tuple[bool, np.ndarray]:
        """The mounting: vertical and left in sensor axes.

        Returns whether the sensor has slipped for sure, and by how much its stance has changed, [3].
        """
        start, end = np.array(self.start_force, float), np.array(self.calmest_force, float)
        if not self.has_frame or _cosine(self.up_force, end) < c.COS_MAX_SLIP:
            self.up_force, self.axes = end, np.zeros((3, 3))
        self.up_force = self.up_force + 0.25 * (end - self.up_force)
        up = self.up_force / np.linalg.norm(self.up_force)
        gyr = self.segment.kept[self.spread_from : self.block + 1 : 2, 3:].astype(float)
        spread = gyr.T @ gyr
        agreement = _principal_axis(spread, up) @ self.left
        memory = 0.0 if agreement**2 < c.COS_MAX_TWIST**2 else c.FRAME_MEMORY
        self.axes = memory * self.axes + spread
        axis = _principal_axis(self.axes, up)
        self.left = -axis if axis @ self.left < 0 else axis
        self.has_frame = True
        changed = np.subtract(_unit(end), _unit(start))
        return _cosine(start, end) < c.COS_MAX_SLIP, changed

    def _learn_bias(self, frame, result: Strapdown, up, duration_s: float) -> None:
        """Correct the gyroscope's bias by how far from upright the stride has ended: a Kalman filter.

        Variances are in units of what a stride tells.
        """
        x, y = up[:2] / (np.linalg.norm(up) + 1e-12)
        lever = result.orientation[0].mean(axis=0)[:2] * [self.mirror, 1, self.mirror] @ frame * duration_s
        variance = 1 + (x * x + y * y) / c.TILT_SD_RAD**2
        gain = (
            self.bias_variance
            @ lever.T
            @ np.linalg.inv(lever @ self.bias_variance @ lever.T + variance * np.eye(2))
        )
        self.bias = self.bias + gain @ [-y, x]
        self.bias_variance = self.bias_variance - gain @ lever @ self.bias_variance + np.eye(3) * c.BIAS_WALK

    def _is_other_foot(self, acc, gyr, duration_s: float, shift: np.ndarray) -> bool:
        """Whether the last ordinary strides are those of the other foot."""
        self.walked = min(self.walked + 1, c.MAX_SIDE_STRIDES)
        values = np.stack([gyr[:, 0] * duration_s, acc[:, 1] * duration_s**2])
        own = means(shifted(means(values, PARTS), np.repeat(-shift, 2)), PARTS // 2).ravel()
        self.side = self.side + (own - self.side) / self.walked
        scaled = self.side / SIDE_SD
        score = scaled @ MEAN / max(np.linalg.norm(scaled) * np.linalg.norm(MEAN), 1e-12)
        return self.walked >= FEWEST_STRIDES and score < OTHER_FOOT

    def _sensors_disagree(self, flags: int, vertical_mps: float) -> bool:
        """Whether the vertical velocities at the ends of ordinary strides say that a sensor is wrong."""
        if not flags & EXTRAORDINARY:
            self.ordinary = min(self.ordinary + 1, c.MAX_ORDINARY_STRIDES)
            self.vertical_mps += (vertical_mps - self.vertical_mps) / self.ordinary
        return self.ordinary >= c.MIN_ORDINARY_STRIDES and abs(self.vertical_mps) > c.MAX_VERTICAL_MPS

    def _contact(self, start: int, length: int) -> float:
        """Sample at which the pitch rate has turned positive after the swing, NaN if nowhere."""
        gyr = self.segment.kept[start : start + length + 1, 3:] * c.GYR_UNIT - self.bias
        pitch = gyr @ self.left
        swing = int(pitch.argmin()) if pitch.min() < 0 else 0
        rising = swing + 1 + np.flatnonzero((pitch[swing:-1] < 0) & (pitch[swing + 1 :] >= 0))
        if not len(rising):
            return math.nan
        after = rising[0]
        place = after - pitch[after] / (pitch[after] - pitch[after - 1])
        lag = 0.5 * (self.design.window - 1) - self.delay
        blocks = start + place + c.CONTACT_AFTER_CROSSING_S / self.design.period_s + lag
        return self._sample_of(int(blocks * FRACTIONS))

    def _sample_of(self, place: int) -> float:
        """Where in the stream a place among unrests was sampled."""
        d, w = self.design.samples_per_block, self.design.window
        return self.segment.first_sample + d * (place / FRACTIONS - (w - 1) / 2) + (d - 1) / 2


def _is_gravity(force: list[int]) -> bool:
    return (
        c.MIN_GRAVITY_SQUARE
        <= force[0] * force[0] + force[1] * force[1] + force[2] * force[2]
        <= c.MAX_GRAVITY_SQUARE
    )


def _is_near(force: list[int], other: list[int]) -> bool:
    return all(abs(x - y) <= c.MAX_STANDING_ACC_RANGE for x, y in zip(force, other, strict=True))


def _unit(vector: list[float]) -> list[float]:
    size = math.sqrt(sum(x * x for x in vector)) + 1e-12
    return [x / size for x in vector]


def _cosine(a: np.ndarray, b: np.ndarray) -> float:
    return float(a @ b / (np.linalg.norm(a) * np.linalg.norm(b) + 1e-12))


def _turns(result: Strapdown) -> bool:
    (a, b), (x, y) = result.orientation[0, 0, :2, 0], result.orientation[0, -1, :2, 0]
    return a * x + b * y < c.COS_MAX_TURN * math.hypot(a * x + b * y, a * y - b * x)


def _principal_axis(spread: np.ndarray, up: np.ndarray) -> np.ndarray:
    """The horizontal axis [3] about which a foot with this spread of angular rates turns most."""
    first = np.eye(3)[0 if up[0] ** 2 < 0.5 else 1]
    first = first - (first @ up) * up
    first = first / np.linalg.norm(first)
    second = np.cross(up, first)
    b, other = first @ spread @ second, second @ spread @ second
    d = (first @ spread @ first - other) / 2
    r = math.hypot(d, b)
    axis = (r + d if d > 0 else b) * first + (b if d > 0 else r - d) * second
    return axis / (np.linalg.norm(axis) + 1e-12)
