"""What a caller may decide about how strides are judged."""

from dataclasses import dataclass, fields

from tinystride.errors import ParameterError

RANGES = {
    "longest_gap_s": (0.0, 0.2),
    "shortest_s": (0.2, 1.0),
    "longest_s": (1.0, 5.0),
    "shortest_cm": (0.0, 100.0),
    "longest_cm": (100.0, 400.0),
    "turn_deg": (5.0, 180.0),
}


@dataclass(frozen=True)
class GaitOptions:
    """Limits of an ordinary stride. Raises ParameterError where one is out of its range (RANGES).

    longest_gap_s: lost samples in a row that a stride bears, 3 at 100 Hz; after longer ones, and shorter ones
        amid much movement, it is flagged "gap" and unusable
    shortest_s, longest_s: a stride outside of them is flagged "unusual-duration"
    shortest_cm, longest_cm: a stride outside of them is flagged "out-of-range"
    turn_deg: a stride that changes heading by more is flagged "turn"
    """

    longest_gap_s: float = 0.03
    shortest_s: float = 0.6
    longest_s: float = 2.0
    shortest_cm: float = 40.0
    longest_cm: float = 220.0
    turn_deg: float = 30.0

    def __post_init__(self) -> None:
        for entry in fields(self):
            value, (low, high) = getattr(self, entry.name), RANGES[entry.name]
            if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
                raise ParameterError(f"{entry.name} is {value!r}: it has to be from {low:g} to {high:g}")
