"""Stances: motion, mid-stances, starts and ends of strides (firmware/stance.inc)."""

import math
from collections.abc import Callable

from tinystride.firmware import constants as c
from tinystride.streaming.block import Segment
from tinystride.streaming.config import Design, single
from tinystride.streaming.state import FRACTIONS, Current, normalize, stationarity_weight


class Stances:
    """Search for stances in the blocks of a stream (struct tinystride_stance).

    Args:
        design: values derived from the sampling rate
        emit: called with the place, 1/256 block, where the current stride ends

    Attributes:
        stride: current stride, which is started here
        stance_force: [3] specific force of the foot at stance, counts
        mid_stance_force: [3] specific force of the open stance's block with minimum motion, counts
        mid_stance_motion: its motion, 1/1600 rad/s
        previous_missing: True if the stride before the next one is missing
        block: number of the current block
    """

    _candidate_motion: int
    _min_energy_force: list[int]

    def __init__(self, design: Design, emit: Callable[[int], None]):
        self.design, self._emit = design, emit
        self.stride = Current()
        self.has_stance_force = self.has_stance = self.on_ground = self.previous_missing = False
        self.stance_force = [0, 0, 0]
        self.mid_stance_force, self._up = [0, 0, 0], [0.0, 0.0, 0.0]
        self.block = 0

    def restart(self) -> None:
        """End the open stance and its stride before a gap.

        The stride with the gap is not reported; the next one is flagged "previous-missing".
        """
        if self.on_ground:
            self._close_stance()
        self.previous_missing = self.previous_missing or self.has_stance

    def reset_stream(self, segment: Segment) -> None:
        """Prepare for the first block of a segment.

        Args:
            segment: blocks that process_block receives next
        """
        self.segment, self._samples = segment, segment.lowpassed.tolist()
        self.motion: list[int] = []
        self.has_stance = self.on_ground = self._has_candidate = False
        self.stride = Current()
        self._stationary_blocks = self._turned = self._last_moving = 0
        self._last_candidate = self._relearn_at = 0

    def skip_block(self, n: int) -> None:
        """Process a block before the energy window is filled.

        Args:
            n: number of the block
        """
        self.block = n
        self.motion.append(c.MAX_MOTION)

    def process_block(self, n: int, energy: int, force: list[int]) -> None:
        """Process a block.

        Args:
            n: number of the block
            energy: energy of the angular rate over the energy window, (0.01 rad/s)²
            force: [3] mean specific force over the energy window, counts
        """
        self.block, design = n, self.design
        self._update_stance_force(energy, force)
        motion = self._update_motion(energy, force)
        if n >= design.stance_interval:
            self._rotate_vertical(n - design.stance_interval)
        if self.stride.has_start and n - (self.stride.start // FRACTIONS) > c.HISTORY_BLOCKS - 4:
            self.stride.has_start, self.previous_missing = False, True
        if not self._has_candidate or motion < self._candidate_motion:
            self._has_candidate = True
            self._candidate, self._candidate_motion, self._candidate_force = n, motion, force
            self._candidate_turned, self._candidate_moving = self._turned, self._last_moving
        if self.on_ground:
            self._update_stance(motion)
        if n - self._candidate == design.stance_interval:
            self._confirm_candidate()

    def _update_stance_force(self, energy: int, force: list[int]) -> None:
        """Find the specific force of the foot at stance.

        It is that of a stationary run longer than any in a swing or, after a long time without stance, that
        of the block with minimum energy.
        """
        stationary = energy < c.STATIONARY_ENERGY and _is_gravity(force)
        self._stationary_blocks = min(self._stationary_blocks + 1, 255) if stationary else 0
        if self._stationary_blocks == self.design.stationary_run and (
            not self.has_stance_force or self._force_deviation(force) > c.STATIONARY_ENERGY
        ):
            self._set_stance_force(force)
        if self.block >= self._relearn_at:
            lost = (
                not self.has_stance_force
                or not self.has_stance
                or self.block - self._last_candidate > self.design.relearn_blocks
            )
            if self._relearn_at and lost and _is_gravity(self._min_energy_force):
                self._set_stance_force(self._min_energy_force)
            self._relearn_at = self.block + self.design.relearn_blocks
            self._min_energy: float = math.inf
        if energy < self._min_energy:
            self._min_energy, self._min_energy_force = energy, force

    def _set_stance_force(self, force: list[int]) -> None:
        """Set the specific force [3] of the foot at stance, counts."""
        self.has_stance_force, self.stance_force = True, list(force)
        self._up = normalize(self.stance_force)

    def _force_deviation(self, force: list[int]) -> int:
        """Return the squared difference of a specific force from that at stance, as motion energy."""
        difference = [x - expected for x, expected in zip(force, self.stance_force, strict=True)]
        if not all(-c.MAX_FORCE_DIFFERENCE <= x < c.MAX_FORCE_DIFFERENCE for x in difference):
            return c.MAX_MOTION**2 >> c.MOTION_SHIFT
        return sum(x * x for x in difference) // c.ACC_SQUARES_PER_MOTION

    def _update_motion(self, energy: int, force: list[int]) -> int:
        """Append the motion of the current block to `motion`, 1/1600 rad/s, and return it."""
        motion, deviation = c.MAX_MOTION, self._force_deviation(force) if self.has_stance_force else 0
        # A stationary foot may turn out to stand.
        if self.has_stance_force or self._stationary_blocks:
            motion = min(_root(energy + deviation), c.MAX_MOTION)
        self.motion.append(motion)
        if motion >= c.STATIONARY_THRESHOLD:
            self._last_moving = self.block
            self._turned += _root(energy)
            if self.segment.stuck[self.block]:
                self.stride.record_event("gap", self.block)
        return motion

    def _rotate_vertical(self, block: int) -> None:
        """Rotate the vertical by the angular rate of a block, to first order; it becomes slightly longer."""
        x, y, z = self._up
        rx, ry, rz = self._samples[block][3:]
        step = c.GYR_UNIT * self.design.period_s
        self._up = [x + step * (y * rz - z * ry), y + step * (z * rx - x * rz), z + step * (x * ry - y * rx)]

    def _update_stance(self, motion: int) -> None:
        """End the open stance when the foot swings, or only its stride when the foot rests for long."""
        # A candidate that may still be confirmed as part of this stance.
        waits = (
            self._candidate_motion < c.MAX_STANCE_MOTION
            and self._candidate_turned - self._last_turned <= self.design.min_swing
        )
        if not waits and self._turned - self._last_turned > self.design.min_swing:
            self._close_stance()
            return
        lasts = motion < c.STATIONARY_THRESHOLD and self.block - self._arrival > self.design.pause
        if lasts and not self._paused:
            self._end_stride_at_pause()

    def _confirm_candidate(self) -> None:
        """Accept the candidate as a mid-stance, or reject it.

        The candidate is the block of minimum motion within one stance interval on both sides.
        """
        self._has_candidate = False
        self._up = normalize(self._up)
        before = self.motion[max(0, self._candidate - self.design.stance_interval) : self._candidate]
        if not self.has_stance_force or (before and min(before) <= self._candidate_motion):
            return
        if self._candidate_motion >= c.MAX_STANCE_MOTION and not self._is_running_stance():
            return
        # A foot may also be slow in the air, where it is tilted. Right after a gap the tilt is unknown.
        if self._candidate_motion > c.STATIONARY_THRESHOLD and (self.has_stance or not self.previous_missing):
            upright = sum(a * b for a, b in zip(self.stance_force, self._up, strict=True))
            size = math.sqrt(sum(x * x for x in self.stance_force) * sum(x * x for x in self._up))
            is_new = self.has_stance and not self.on_ground
            if upright / (size + 1e-12) < c.COS_MAX_TILT or (is_new and self._is_too_soon()):
                return
        if not self.on_ground:
            self.on_ground, self._paused = True, False
            self._arrival, self.mid_stance_motion = self._candidate_moving + 1, c.MAX_MOTION
        if self._candidate_motion < self.mid_stance_motion:
            self._mid_stance, self.mid_stance_motion = self._candidate, self._candidate_motion
            self.mid_stance_force = self._candidate_force
        self._last_candidate, self._last_turned = self._candidate, self._candidate_turned
        self.has_stance = True
        if self._candidate_motion < c.STATIONARY_THRESHOLD:
            self.stance_force = [
                expected + int((x - expected) / 8)
                for x, expected in zip(self._candidate_force, self.stance_force, strict=True)
            ]
        self._up = normalize(self.stance_force)

    def _is_running_stance(self) -> bool:
        """Return whether the candidate has little motion compared with that around it.

        So does a foot that rolls over its sole in fast running.
        """
        blocks = 2 * self.design.stance_interval
        return bool(
            self._candidate_motion < c.MAX_RUNNING_MOTION
            and 100 * blocks * self._candidate_motion < c.MAX_RUNNING_PERCENT * sum(self.motion[-blocks:])
        )

    def _is_too_soon(self) -> bool:
        """Return whether the candidate comes so soon after the last stance that the foot pauses in the air.

        The strides of fast runners are short, too, but their stances have similar motion.
        """
        since, last = self._candidate - self._last_candidate, self.mid_stance_motion
        is_similar = (
            last > c.STATIONARY_THRESHOLD
            and self._candidate_motion < c.MAX_RUNNING_RATIO * last
            and since >= self.design.running_interval
        )
        return self._candidate_motion >= last and since < self.design.moving_interval and not is_similar

    def _close_stance(self) -> None:
        """End one stride at the middle of the stance, and start the next one there."""
        n = self.block
        available = min(n, c.MOTION_BLOCKS - 1)
        age = n - (self._last_candidate if self._paused else self._mid_stance)
        origin, before, after = n - age, self.design.half_pause, self.design.half_pause
        self.on_ground = False
        if self._paused:
            origin = max(origin, n - available)
            while origin < n and self.motion[origin] < c.STATIONARY_THRESHOLD:
                origin += 1
            origin -= origin > 0
            before, after = self.design.soon - 1, 1
        elif age > available:
            self.stride.has_start = False
            return
        place = self._stationary_centre(origin, min(before, available - (n - origin)), min(after, n - origin))
        if not self._paused and self.stride.has_start:
            self._emit(place)
        self.stride.start_stride(place, self.mid_stance_force, n, self.design.window)

    def _end_stride_at_pause(self) -> None:
        """End the stride soon after the foot has come to rest, because it rests for long."""
        if self.stride.has_start:
            origin = max(self._arrival, self.block - (c.MOTION_BLOCKS - 1))
            self._emit(self._stationary_centre(origin, 0, self.design.soon))
        self._paused, self.stride.has_start = True, False

    def _stationary_centre(self, origin: int, before: int, after: int) -> int:
        """Return the weighted centre of the stationary blocks around block `origin`, 1/256 block.

        Weights are 1 / (motion + floor)². Blocks are up to `before` before it, itself and up to `after` - 1
        after it, until a block moves.
        """
        total = moment = 0
        for step, places in ((1, range(after)), (-1, range(1, before + 1))):
            for i in places:
                motion = self.motion[origin + step * i]
                if motion >= c.MAX_STANCE_MOTION:
                    break
                weight = stationarity_weight(motion)
                total += weight
                moment += weight * step * i
        return origin * FRACTIONS + (int(moment * FRACTIONS / total) if total else 0)


def _root(energy: int) -> int:
    """Return the square root of motion energy, (0.01 rad/s)², as motion, 1/1600 rad/s."""
    return int(single(math.sqrt(single(energy))) * single(c.MOTION_PER_ROOT))


def _is_gravity(force: list[int]) -> bool:
    """Return whether the size of a specific force [3], counts, is within 15 % of gravity."""
    square = force[0] * force[0] + force[1] * force[1] + force[2] * force[2]
    return c.MIN_GRAVITY_SQUARE <= square <= c.MAX_GRAVITY_SQUARE
