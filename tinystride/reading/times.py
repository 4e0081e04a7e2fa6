"""A time column to seconds: its unit, dates, ticks, wrap-around of counters, single stray stamps."""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from attrs import validators

from tinystride.datasets.recording import read_error
from tinystride.errors import DataError
from tinystride.reading.units import TIME_UNITS
from tinystride.validation import Rule

USUAL_RATE_RANGE_HZ = (20.0, 450.0)
NAMED_RATE_RANGE_HZ = (15.0, 5000.0)
# Rates above 450 Hz that sensors have. At other rates, a column without a unit is taken for ticks.
FAST_RATES_HZ = (500, 512, 800, 819.2, 833, 952, 1000, 1024, 1600, 2000)
EPOCH_S = (9e8, 5e9)
TICKS = re.compile(r"ticks?:(\d+(?:\.\d+)?(?:e\d+)?)$")
TIME_UNIT = Rule(
    f"one of {', '.join(TIME_UNITS)}, iso, ticks:RATE",
    validators.or_(validators.in_((*TIME_UNITS, "iso")), validators.matches_re(TICKS)),
)
# Values at which counters and clocks wrap around.
PERIODS = (256, 1000, 4096, 10_000, 65_536, 100_000, 1_000_000, 2**24, 2**31, 2**32, 60, 3600, 86_400)
NAMES = {"s": "s", "ms": "ms", "us": "µs", "ns": "ns"}


@dataclass(frozen=True)
class Times:
    """Time stamps.

    Attributes:
        seconds: [n], NaN if missing
        unit: unit of the column, for the user
        clock: "utc", "local", "time of day" or ""
    """

    seconds: np.ndarray
    unit: str
    clock: str


def check_time_unit(unit: str | None) -> None:
    """Check a unit of time.

    Args:
        unit: as of --time-unit; None: not given

    Raises:
        ParameterError: for an unknown unit
    """
    if unit is not None:
        TIME_UNIT.check("time_unit", unit)


def typical_step(values: np.ndarray) -> float:
    """Return the usual step between neighbours, also if many share a stamp; NaN for less than two values.

    Args:
        values: [n]
    """
    steps = np.diff(values)
    if len(steps) == 0:
        return float("nan")
    if (steps == 0).mean() > 0.05:
        reach = max(1, min(256, len(values) // 4))
        steps = (values[reach:] - values[:-reach]) / reach
    steps = steps[steps > 0]
    return float(np.median(steps)) if len(steps) else float("nan")


def numeric_times(
    source: Path | str,
    values: np.ndarray,
    name: str,
    named_unit: str | None,
    given_unit: str | None,
    rate_hz: float | None,
) -> Times:
    """Return the seconds of a column of numbers.

    Args:
        source: where the column comes from, for messages
        values: [n]
        name: name of the column
        named_unit: unit in the column's name, or None
        given_unit: unit that the caller names, or None
        rate_hz: rate that the caller names, or None

    Returns:
        Time stamps in seconds.

    Raises:
        DataError: if no unit fits, or several do
    """
    values = unwrapped(values)
    step = typical_step(values[np.isfinite(values)])
    if not step > 0:
        raise read_error(
            source, f"time does not increase in {name!r}", "choose another one with --time-column"
        )
    if given_unit is not None and (ticks := TICKS.match(given_unit)):
        factor, unit = 1 / float(ticks.group(1)), given_unit
    elif given_unit is not None and given_unit != "iso":
        factor, unit = TIME_UNITS[given_unit], given_unit
        if not _possible(1 / (step * factor), NAMED_RATE_RANGE_HZ):
            raise _wrong_unit(source, name, step, unit, "--time-unit says")
    elif named_unit is not None:
        factor, unit = TIME_UNITS[named_unit], named_unit
        if not _possible(1 / (step * factor), NAMED_RATE_RANGE_HZ):
            raise _wrong_unit(source, name, step, unit, "its name says")
    else:
        factor, unit = _only_unit(source, name, step, rate_hz)
    seconds = values * factor
    first = seconds[np.isfinite(seconds)][0]
    clock = "utc" if EPOCH_S[0] < first < EPOCH_S[1] and not unit.startswith("tick") else ""
    return Times(seconds, unit, clock)


def _possible(rate_hz: float, limits: tuple[float, float]) -> bool:
    return limits[0] <= rate_hz <= limits[1]


def _fitting(step: float, rate_hz: float | None = None) -> list[str]:
    """Return the units that make a usual sampling rate of a step, or the rate that the caller names."""
    rates = {unit: 1 / (step * factor) for unit, factor in TIME_UNITS.items()}
    if rate_hz is not None:
        return [unit for unit, rate in rates.items() if abs(rate / rate_hz - 1) < 0.2]
    return [
        unit
        for unit, rate in rates.items()
        if _possible(rate, USUAL_RATE_RANGE_HZ) or any(abs(rate / fast - 1) < 0.02 for fast in FAST_RATES_HZ)
    ]


def _only_unit(source: Path | str, name: str, step: float, rate_hz: float | None) -> tuple[float, str]:
    if re.sub("[^a-z]", "", name.lower()).endswith("sampletimefine") and 50 <= step <= 500:
        return 1e-4, "0.1 ms"  # MTw
    fitting = _fitting(step, rate_hz)
    if abs(step - 1) < 1e-9 and rate_hz is None:
        fitting = []  # milliseconds at 1000 Hz, or a count of samples
    if len(fitting) == 1:
        return TIME_UNITS[fitting[0]], fitting[0]
    if rate_hz is not None:
        usual = _fitting(step)
        if len(usual) == 1:
            raise _other_rate(source, name, 1 / (step * TIME_UNITS[usual[0]]), rate_hz)
        return 1 / (step * rate_hz), f"ticks of {step * rate_hz:.6g} Hz"
    raise read_error(
        source,
        f"the unit of {name!r} is unknown: its steps are {step:.6g}",
        "give it with --time-unit s, ms, us, ns or ticks:RATE, or the sampling rate with --rate-hz",
    )


def _other_rate(source: Path | str, name: str, found_hz: float, rate_hz: float) -> DataError:
    return read_error(
        source,
        f"its time stamps ({name}) say {found_hz:.4g} Hz, not {rate_hz:g} Hz",
        "leave --rate-hz out if the stamps are right, or give their unit with --time-unit",
    )


def _wrong_unit(source: Path | str, name: str, step: float, unit: str, origin: str) -> DataError:
    fitting = [other for other in _fitting(step) if other != unit]
    remedy = (
        f"its steps of {step:.6g} fit {NAMES[fitting[0]]}: give --time-unit {fitting[0]}"
        if len(fitting) == 1
        else f"its steps are {step:.6g}: give their unit with --time-unit s, ms, us, ns or ticks:RATE"
    )
    return read_error(
        source,
        f"{origin} that {name!r} is in {NAMES.get(unit, unit)}, "
        f"which makes {1 / (step * TIME_UNITS[unit]):.4g} Hz",
        remedy,
    )


def text_times(source: Path | str, text: pd.Series, name: str) -> Times:
    """Return the seconds of dates and times of day in text: ISO 8601 and similar formats.

    Args:
        source: where the column comes from, for messages
        text: [n]
        name: name of the column

    Returns:
        Time stamps in seconds.

    Raises:
        DataError: if the format is unknown
    """
    plain = text.astype(str).fillna("").str.strip(" \"'")  # pandas keeps NaN of its own str type
    example = next((value for value in plain.head(200) if value.lower() not in ("", "nan", "none")), "")
    if re.match(r"\d{4}-\d\d-\d\d[T ]\d\d\.\d\d\.\d\d", example):
        plain = plain.str.replace(r"(\d\d)\.(\d\d)\.(\d\d)", r"\1:\2:\3", n=1, regex=True)
    if re.match(r"\d{1,2}:\d\d(:\d\d)?([.,:]\d+)?$", example):
        parts = plain.str.replace(",", ".").str.replace(r"^(\d+:\d+:\d+):(\d+)$", r"\1.\2", regex=True)
        seconds = pd.to_timedelta(parts, errors="coerce").dt.total_seconds().to_numpy(float)
        return Times(unwrapped(seconds), "hh:mm:ss", "time of day")
    stamps = _dates(plain.str.replace(",", ".").str.replace("/", "-"))
    if stamps is None or stamps.isna().mean() > 0.5:
        raise read_error(
            source,
            f"{name!r} has an unknown time format: {example!r}",
            "write it in seconds or as 2024-03-01T10:00:00.010, or choose another column with --time-column",
        )
    zone = stamps.dt.tz is not None
    naive = stamps.dt.tz_convert("UTC").dt.tz_localize(None) if zone else stamps
    nanoseconds = naive.to_numpy("datetime64[ns]")
    seconds = nanoseconds.astype(np.int64) / 1e9
    seconds[np.isnat(nanoseconds)] = np.nan
    return Times(seconds, "date and time", "utc" if zone else "local")


def _dates(text: pd.Series) -> pd.Series | None:
    zoned = bool(text.str.contains(r"Z$|[+-]\d\d:?\d\d$").iloc[0])
    for options in (
        {"format": "ISO8601"},
        {"format": "%d-%m-%Y %H:%M:%S.%f"},
        {"format": "%d.%m.%Y %H:%M:%S.%f"},
    ):
        try:
            stamps = pd.to_datetime(text, errors="coerce", utc=zoned, **options)
        except (ValueError, TypeError, OverflowError):
            continue
        if stamps.notna().mean() > 0.5:
            return stamps
    return None


def unwrapped(values: np.ndarray) -> np.ndarray:
    """Return numbers without the drops at which a counter or a clock wraps around.

    Args:
        values: [n], NaN if missing
    """
    values = values.astype(float).copy()
    finite = np.flatnonzero(np.isfinite(values))
    if len(finite) < 4:
        return values
    series = values[finite]
    step = typical_step(series)
    steps = np.diff(series)
    falls = np.flatnonzero(steps < -20 * step) if step > 0 else np.zeros(0, np.int64)
    shift = np.zeros(len(series))
    for fall in falls:
        candidates = [
            scale * period
            for period in PERIODS
            for scale in (1, 1000, 1_000_000)
            if 0 < steps[fall] + scale * period <= 20 * step
            and scale * period > 0.98 * (series[: fall + 1].max() - series.min())
        ]
        returns = fall + 2 < len(series) and series[fall + 2] > series[fall]
        if candidates and not returns:
            shift[fall + 1 :] += min(candidates)
    values[finite] = series + shift
    return values
