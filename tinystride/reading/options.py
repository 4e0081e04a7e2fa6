"""Options of reading; values that are None are found in the file."""

from collections.abc import Mapping

import attrs
from attrs.validators import optional

from tinystride.validation import one_of, real_number

# Defined apart from their factors, so that the command line lists them without loading numpy.
ACC_UNIT_NAMES = ("m/s2", "g", "mg")
GYR_UNIT_NAMES = ("rad/s", "deg/s", "mdeg/s")
FOOT_NAMES = ("left", "right")


def _check_time_unit(instance: object, attribute: object, value: str | None) -> None:
    from tinystride.reading.times import check_time_unit

    check_time_unit(value)


def _check_columns(instance: object, attribute: object, value: Mapping[str, str]) -> None:
    from tinystride.datasets.samples import AXES

    names = (*AXES, "time", *(f"{foot}_{axis}" for foot in FOOT_NAMES for axis in AXES))
    for name in value:
        one_of(names).check("name in columns", name)


@attrs.frozen
class ReadingOptions:
    """Facts about files that the caller knows; the others are found in the files.

    Raises:
        ParameterError: for a value that is unknown or out of its range

    Attributes:
        rate_hz: sampling rate; None: from the time column
        foot: "left" or "right"; None: from columns, file names or the signal
        columns: {"acc_x": name or number from 1, …, "time": …}, for names that are not understood; for both
            feet in one file "left_acc_x", …
        time_column: name or number of the time column
        time_unit: "s", "ms", "us", "ns", "iso" or "ticks:RATE"
        acc_unit: one of ACC_UNIT_NAMES; None: from the names, or the one that fits the signal
        gyr_unit: one of GYR_UNIT_NAMES; None: from the names, or the one that fits the signal
        acc_scale: m/s² per count
        gyr_scale: rad/s per count
    """

    rate_hz: float | None = attrs.field(default=None, validator=optional(real_number(above=0)))
    foot: str | None = attrs.field(default=None, validator=optional(one_of(FOOT_NAMES)))
    columns: Mapping[str, str] = attrs.field(factory=dict, validator=_check_columns)
    time_column: str | None = None
    time_unit: str | None = attrs.field(default=None, validator=_check_time_unit)
    acc_unit: str | None = attrs.field(default=None, validator=optional(one_of(ACC_UNIT_NAMES)))
    gyr_unit: str | None = attrs.field(default=None, validator=optional(one_of(GYR_UNIT_NAMES)))
    acc_scale: float | None = attrs.field(default=None, validator=optional(real_number(above=0)))
    gyr_scale: float | None = attrs.field(default=None, validator=optional(real_number(above=0)))
