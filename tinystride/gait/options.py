"""Limits of an ordinary stride, which a caller may change."""

import warnings
from collections.abc import Mapping
from typing import Any

import attrs

from tinystride.errors import ParameterError
from tinystride.validation import real_number

# Old names of options: params.yaml and `dvc exp run -S` accept them in this release, with a warning.
RENAMED = {
    "longest_gap_s": "max_gap_s",
    "shortest_s": "min_duration_s",
    "longest_s": "max_duration_s",
    "shortest_cm": "min_length_cm",
    "longest_cm": "max_length_cm",
}


@attrs.frozen
class GaitOptions:
    """Limits of an ordinary stride. A value out of its range raises ParameterError.

    Attributes:
        max_gap_s: duration of lost samples in a row that are interpolated, 0 to 0.2 (0.03 is 3 samples at
            100 Hz). A stride with a longer gap, or with a shorter gap during fast movement, is flagged "gap"
            and is unusable
        min_duration_s: a shorter stride is flagged "unusual-duration", 0.2 to 1
        max_duration_s: a longer stride is flagged "unusual-duration", 1 to 5
        min_length_cm: a shorter stride is flagged "out-of-range", 0 to 100
        max_length_cm: a longer stride is flagged "out-of-range", 100 to 400
        turn_deg: a stride with a larger change of heading is flagged "turn", 5 to 180
    """

    max_gap_s: float = attrs.field(default=0.03, validator=real_number(0.0, 0.2))
    min_duration_s: float = attrs.field(default=0.6, validator=real_number(0.2, 1.0))
    max_duration_s: float = attrs.field(default=2.0, validator=real_number(1.0, 5.0))
    min_length_cm: float = attrs.field(default=40.0, validator=real_number(0.0, 100.0))
    max_length_cm: float = attrs.field(default=300.0, validator=real_number(100.0, 400.0))
    turn_deg: float = attrs.field(default=30.0, validator=real_number(5.0, 180.0))


def options_from(values: Mapping[str, Any]) -> GaitOptions:
    """Return the options of the parameters `preprocess.…`, by their current or old names.

    An old name gives a FutureWarning; None under an old name is ignored.

    Args:
        values: by name, such as {"max_gap_s": 0.05}; the others have their defaults

    Raises:
        ParameterError: if a name is unknown, a value is out of its range, or an old name is used although
            the value of the current name is not the default
    """
    defaults = {field.name: field.default for field in attrs.fields(GaitOptions)}
    current = {name: value for name, value in values.items() if name not in RENAMED}
    for name in current:
        if name not in defaults:
            raise ParameterError(f"preprocess.{name}: unknown; there are {', '.join(defaults)}")
    for old, new in RENAMED.items():
        if values.get(old) is None:
            continue
        if current.get(new, defaults[new]) != defaults[new]:
            raise ParameterError(
                f"preprocess.{old} is the old name of {new}, which is changed, too; remove {old}"
            )
        warnings.warn(
            f"preprocess.{old} is now {new}; the old name works for one more release",
            FutureWarning,
            stacklevel=2,
        )
        current[new] = values[old]
    return GaitOptions(**current)
