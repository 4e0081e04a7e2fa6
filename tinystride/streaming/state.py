"""Shared by the parts: flags, the current stride and the measured stride (firmware/state.inc)."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from tinystride.firmware import constants as c
from tinystride.gait import flags as gait_flags
from tinystride.streaming.table import FLAG_NAMES

FLAG = {name: 1 << bit for bit, name in enumerate(FLAG_NAMES)}
NOT_ORDINARY = sum(FLAG[name] for name in (*gait_flags.EXTRAORDINARY, "previous-missing") if name != "turn")
# Flags of strides whose samples or start may be wrong: no estimate is updated by them.
INCOMPLETE = FLAG["gap"] | FLAG["previous-missing"]
# Factors that exchange forward with backward and left with right.
BACKWARD = np.array([-1.0, -1.0, 1.0])
# A place in the stream is an integer, in 1/256 block.
FRACTIONS = 256


@dataclass
class Stride:
    """A measured stride, without the network's correction.

    Attributes:
        start: mid-stance at the start, fractional sample number
        end: mid-stance at the end, fractional sample number
        contact: initial contact, fractional sample number; NaN if not found
        duration_s: duration, s
        latency_s: time from the end to the report, s
        strapdown_length_cm: length by integration, cm
        flags: quality flags, see FLAG
        length_sd_cm: standard deviation of the length, cm
        repaired_deg: rotation that a clipped gyroscope lost and the repair added, degrees
        values: [64, 6] features, the input of the network
        is_reversed: True if forward and backward, left and right of `values` must be exchanged
    """

    start: float
    end: float
    contact: float
    duration_s: float
    latency_s: float
    strapdown_length_cm: float
    flags: int
    length_sd_cm: float
    repaired_deg: float
    values: np.ndarray
    is_reversed: bool


@dataclass
class Current:
    """The current stride: its start and its events (struct tinystride_current).

    Attributes:
        has_start: False after a gap, until the next mid-stance
        start: place of the mid-stance at the start, 1/256 block
        start_force: [3] specific force of the stance at the start, counts
        spread_from: first block of the second moments of the angular rate
        events: first and last block of each event that may lie in the stride
    """

    has_start: bool = False
    start: int = 0
    start_force: list[int] = field(default_factory=lambda: [0, 0, 0])
    spread_from: int = 0
    events: dict[str, tuple[int, int]] = field(default_factory=dict)

    def start_stride(self, place: int, force: list[int], block: int, window: int) -> None:
        """Start a stride, and forget events before its start.

        Args:
            place: mid-stance at the start, 1/256 block
            force: [3] specific force of the stance, counts
            block: number of the current block
            window: length of the energy window, blocks
        """
        self.has_start, self.start, self.start_force, self.spread_from = True, place, force, block + 1
        # The last event is sufficient because the stride ends after it.
        first = place // FRACTIONS - window
        self.events = {name: (last, last) for name, (_, last) in self.events.items() if last >= first}

    def record_event(self, event: str, block: int) -> None:
        """Record an event.

        Args:
            event: "gap", "saturated" or "jumped"
            block: number of its block
        """
        first, _ = self.events.get(event, (block, block))
        self.events[event] = first, block

    def has_event(self, event: str, length: float) -> bool:
        """Return whether an event lies in the stride.

        Args:
            event: "gap", "saturated" or "jumped"
            length: length of the stride, blocks
        """
        return event in self.events and self.events[event][0] - self.start // FRACTIONS <= int(length) + 1


def stationarity_weight(motion: int) -> int:
    """Return the stationarity weight 1 / (motion² + floor²)² of a block or stance.

    Args:
        motion: 0 to MAX_STANCE_MOTION, 1/1600 rad/s
    """
    return 4294967295 // ((motion * motion >> c.MOTION_SHIFT) + c.MOTION_FLOOR) ** 2


def normalize(vector: Sequence[float] | np.ndarray) -> list[float]:
    """Return a vector scaled to length 1; zero stays zero.

    Args:
        vector: [3]
    """
    size = sum(x * x for x in vector) ** 0.5 + 1e-12
    return [x / size for x in vector]


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    """Return the cosine of the angle between two vectors; 0 if one of them is zero.

    Args:
        a: [3]
        b: [3]
    """
    return float(a @ b / (np.linalg.norm(a) * np.linalg.norm(b) + 1e-12))
