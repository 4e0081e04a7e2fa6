"""Limits of an ordinary stride, which a caller may change."""

import attrs

from tinystride.validation import real_number


@attrs.frozen
class GaitOptions:
    """Limits of an ordinary stride. Raises ParameterError where one is out of its range.

    longest_gap_s: lost samples in a row that a stride bears, 3 at 100 Hz; after longer ones, and shorter ones
        amid much movement, it is flagged "gap" and unusable
    shortest_s, longest_s: a stride outside of them is flagged "unusual-duration"
    shortest_cm, longest_cm: a stride outside of them is flagged "out-of-range"
    turn_deg: a stride that changes heading by more is flagged "turn"
    """

    longest_gap_s: float = attrs.field(default=0.03, validator=real_number(0.0, 0.2))
    shortest_s: float = attrs.field(default=0.6, validator=real_number(0.2, 1.0))
    longest_s: float = attrs.field(default=2.0, validator=real_number(1.0, 5.0))
    shortest_cm: float = attrs.field(default=40.0, validator=real_number(0.0, 100.0))
    longest_cm: float = attrs.field(default=300.0, validator=real_number(100.0, 400.0))
    turn_deg: float = attrs.field(default=30.0, validator=real_number(5.0, 180.0))
