"""Units of acceleration, angular rate and time: found by their names and by the range of the values."""

import re

import numpy as np

from tinystride.datasets.samples import STANDARD_GRAVITY_MPS2

ACC_UNITS = {"m/s2": 1.0, "g": STANDARD_GRAVITY_MPS2, "mg": STANDARD_GRAVITY_MPS2 / 1000}
GYR_UNITS = {"rad/s": 1.0, "deg/s": np.pi / 180, "mdeg/s": np.pi / 180_000}
TIME_UNITS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}
COUNTS = "counts"
# Notations of the units, without spaces and brackets, in lower case.
_ACC = {
    "m/s2": r"m/?\.?·?\*?\(?s(ec)?(\^2|\*\*2|2|²|-2|\^-2|⁻²|/s|\^\(-2\))\)?|mps2|m(eters?)?/\(?s(\^?2|²)\)?",
    "g": r"gs?|g's|gn|g0|g-?force|gforce",
    "mg": r"mgs?|milli-?gs?",
}
_GYR = {
    "rad/s": r"rad(ians?)?[/.·*]?(s|sec)(-1|\^-1|⁻¹)?|radps|rads|rad(ians)?persec(ond)?",
    "deg/s": r"(deg(rees?)?|°|º|˚|\ufffd|⁰)[/.·*]?(s|sec)(-1|\^-1|⁻¹)?|dps|degps|deg(rees)?persec(ond)?",
    "mdeg/s": r"(m(illi)?deg(rees?)?|m°)/?(s|sec)|mdps|mdegps",
}
_TIME = {
    "s": r"s|secs?|seconds?",
    "ms": r"ms|msecs?|milli-?(s|secs?|seconds?)",
    "us": r"us|µs|μs|usecs?|micro-?(s|secs?|seconds?)",
    "ns": r"ns|nsecs?|nano-?(s|secs?|seconds?)",
}
_OTHER = (
    r"[uµμnm]?t(esla)?|gauss|mgauss|ut|°c|º?c|degc|degreec(elsius)?|celsius|mbar|h?pa|kpa|%|v|mv|mvolts?|deg|°|n/a|"
    r"nounits?|none|-|date|iso|yyyy\S*|hh:mm\S*|a\.?u\.?|local_flux|m|mm|quat(ernion)?"
)
_COUNTS = r"counts?|lsb|raw|adc|digits?|nounits?"
_PATTERNS = {
    quantity: {unit: re.compile(f"(?:{pattern})$") for unit, pattern in patterns.items()}
    for quantity, patterns in (("acc", _ACC), ("gyr", _GYR), ("time", _TIME))
}


def _plain(text: str) -> str:
    return re.sub(r"\s+", "", text.strip().strip("[]{}").strip().lower())


def _unbracketed(text: str) -> str:
    plain = _plain(text)
    return plain[1:-1] if plain.startswith("(") and plain.endswith(")") else plain


def unit_of(text: str, quantity: str) -> str | None:
    """Return the unit that a text names, such as "m/s2" for "m/(s^2)"; None if it names no unit.

    Args:
        text: content of a header's cell
        quantity: "acc", "gyr" or "time"
    """
    plain = _unbracketed(text)
    if quantity != "time" and re.fullmatch(_COUNTS, plain):
        return COUNTS
    return next((unit for unit, pattern in _PATTERNS[quantity].items() if pattern.match(plain)), None)


def is_unit(text: str) -> bool:
    """Return whether a header's cell names a unit of any quantity, or says that there is no unit.

    Args:
        text: content of the cell
    """
    plain = _unbracketed(text)
    if any(unit_of(text, quantity) for quantity in _PATTERNS):
        return True
    return text.strip() in ("[]", "()", "-") or re.fullmatch(_OTHER, plain) is not None
