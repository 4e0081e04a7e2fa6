"""What a caller may say about recordings; what is None is found in the file."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class ReadingOptions:
    """rate_hz: sampling rate; None: from the time column
    foot: "left" or "right"; None: from columns, file names or the signal
    columns: {"acc_x": name or number in the file, …}, for names that tell nothing
    time_column, time_unit: name of the time column; "s", "ms", "us", "ns", "iso" or "ticks:RATE"
    acc_unit, gyr_unit: None: from the names, or the one that fits the signal
    acc_scale, gyr_scale: m/s² and rad/s a count
    """

    rate_hz: float | None = None
    foot: str | None = None
    columns: dict[str, str] = field(default_factory=dict)
    time_column: str | None = None
    time_unit: str | None = None
    acc_unit: str | None = None
    gyr_unit: str | None = None
    acc_scale: float | None = None
    gyr_scale: float | None = None
