"""What the parts share: places in the stream, flags, the current stride, and the stride that is reported."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from tinystride.firmware import constants as c
from tinystride.gait import flags as gait_flags
from tinystride.streaming.table import FLAG_NAMES

FLAG = {name: 1 << bit for bit, name in enumerate(FLAG_NAMES)}
NOT_ORDINARY = sum(FLAG[name] for name in (*gait_flags.EXTRAORDINARY, "previous-missing"))
# Flags of strides from which nothing is learned, as their samples or their start may be wrong.
INCOMPLETE = FLAG["gap"] | FLAG["previous-missing"]
# From one way to see a foot to that with forward and left the other way round.
BACKWARD = np.array([-1.0, -1.0, 1.0])
# Places in the stream are whole numbers of 1/256 of a block.
FRACTIONS = 256


@dataclass
class Stride:
    """A stride before the network has seen it.

    start, end, contact: samples, fractional; contact NaN if unknown
    values: [64, 6], the features, to be seen the other way round if turned_round
    length_sd_cm: standard deviation of the length
    repaired_deg: rotation that a clipped gyroscope lost and that was put back
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
    turned_round: bool


@dataclass
class Current:
    """The current stride: where it starts, and the events in it.

    start: place; start_force: [3] counts, at the stance where it starts; spread_from: first block of the
    moments of the angular rate; events: first and last block of each event that may lie in the stride
    """

    has_start: bool = False
    start: int = 0
    start_force: list[int] = field(default_factory=lambda: [0, 0, 0])
    spread_from: int = 0
    events: dict[str, tuple[int, int]] = field(default_factory=dict)

    def begin(self, place: int, force: list[int], block: int, window: int) -> None:
        """Start a stride at a place; block: the current one. Events before it are forgotten."""
        self.has_start, self.start, self.start_force, self.spread_from = True, place, force, block + 1
        # The last event is enough: the stride ends after it.
        begun = place // FRACTIONS - window
        self.events = {name: (last, last) for name, (_, last) in self.events.items() if last >= begun}

    def record_event(self, event: str, block: int) -> None:
        """Record that an event, "gap", "saturated" or "jumped", has happened in this block."""
        first, _ = self.events.get(event, (block, block))
        self.events[event] = first, block

    def has_event(self, event: str, length: float) -> bool:
        """Return whether the event lies in the stride of `length` blocks."""
        return event in self.events and self.events[event][0] - self.start // FRACTIONS <= int(length) + 1


def stationarity_weight(motion: int) -> int:
    """The weight 1 / (motion + floor)² of a block or stance of this motion energy."""
    return 4294967295 // (motion + c.MOTION_FLOOR) ** 2


def unit(vector: Sequence[float] | np.ndarray) -> list[float]:
    """The vector [3] scaled to length 1."""
    size = sum(x * x for x in vector) ** 0.5 + 1e-12
    return [x / size for x in vector]


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    """The cosine of the angle between two vectors [3]; 0 if one of them is zero."""
    return float(a @ b / (np.linalg.norm(a) * np.linalg.norm(b) + 1e-12))
