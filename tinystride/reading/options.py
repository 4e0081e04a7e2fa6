"""What a caller may say about recordings; what is None is found in the file."""

from collections.abc import Mapping
from dataclasses import dataclass, field

# Here rather than with their factors, so that the command line names them without loading numpy.
ACC_UNIT_NAMES = ("m/s2", "g", "mg")
GYR_UNIT_NAMES = ("rad/s", "deg/s", "mdeg/s")
FOOT_NAMES = ("left", "right")


@dataclass(frozen=True)
class ReadingOptions:
    """What is known of files; the rest is found in them.

    rate_hz: sampling rate; None: from the time column
    foot: "left" or "right"; None: from columns, file names or the signal
    columns: {"acc_x": name or number from 1, …, "time": …}, for names that tell nothing; with both feet in a
        file "left_acc_x", …
    time_column, time_unit: name of the time column; "s", "ms", "us", "ns", "iso" or "ticks:RATE"
    acc_unit, gyr_unit: None: from the names, or the one that fits the signal
    acc_scale, gyr_scale: m/s² and rad/s a count

    Raises ParameterError for a value that is unknown or out of its range.
    """

    rate_hz: float | None = None
    foot: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    time_column: str | None = None
    time_unit: str | None = None
    acc_unit: str | None = None
    gyr_unit: str | None = None
    acc_scale: float | None = None
    gyr_scale: float | None = None

    def __post_init__(self) -> None:
        from tinystride.reading.files import check_options

        check_options(self)
