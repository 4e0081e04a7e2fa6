"""A text table to parts: columns, clock, sampling rate."""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from tinystride.datasets.recording import read_error
from tinystride.datasets.samples import AXES
from tinystride.errors import DataError
from tinystride.reading.clock import Placement, place_by_counter, place_by_time, place_without_time
from tinystride.reading.columns import Columns, Sensor, TimeColumn, find_columns
from tinystride.reading.options import ReadingOptions
from tinystride.reading.parts import Part
from tinystride.reading.text import TextTable, read_text
from tinystride.reading.times import TICKS, Times, numeric_times, text_times, typical_step, unwrapped

MAX_UNREADABLE_SHARE = 0.5
HZ = re.compile(r"(\d+(?:\.\d+)?)\s*hz\b", re.IGNORECASE)
RATE = re.compile(
    r"\b(?:sampl\w*[ _]*(?:rate|freq\w*)|rate|freq\w*|fs|odr|output[ _]*rate|samplingfrequency)\b"
    r"[^0-9\n]{0,24}?(\d+(?:[.,]\d+)?)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class _Clock:
    column: TimeColumn
    times: Times


def read_table_parts(path: Path, options: ReadingOptions) -> list[Part]:
    """Read the sensors in a text file.

    Args:
        path: the file
        options: facts that the caller knows

    Returns:
        The sensors, in their own units.

    Raises:
        DataError: for a file without a sensor, or without a readable clock
    """
    return parts_of_table(read_text(path), options)


def parts_of_table(table: TextTable, options: ReadingOptions, rate_hz: float | None = None) -> list[Part]:
    """Find the sensors in a table.

    Args:
        table: text of the columns
        options: facts that the caller knows
        rate_hz: sampling rate in a file beside it, or None

    Returns:
        The sensors, in their own units.
    """
    path = table.path
    columns = find_columns(path, table.names, table.units, options.columns, options.time_column)
    sensors = _wanted(path, columns.sensors, options.foot)
    numbers = sorted({n for sensor in sensors for n in (*sensor.acc, *sensor.gyr)})
    time_numbers = [time.number for time in columns.times]
    frame = table.columns(sorted({*numbers, *time_numbers}))
    values = {n: frame[n].to_numpy() for n in frame}
    _check_readable(table, columns, values, numbers)
    rate_hz = options.rate_hz or rate_hz
    clock, counter, trouble = _clock(table, columns, values, options, rate_hz)
    known_rate = rate_hz
    assumed: list[str] = []
    if clock is None and known_rate is None:
        known_rate = _rate_in_header(table)
        if known_rate is None:
            raise trouble or read_error(
                path, "has no time column that shows the sampling rate", "give it with --rate-hz"
            )
        assumed.append(f"{known_rate:g} Hz from its header")
    samples = np.column_stack([values[n] for n in numbers])
    placement, notes = _place(path, clock, counter, known_rate, samples)
    if clock is not None and placement.rate_hz != options.rate_hz:
        assumed.append(f"{placement.rate_hz:.6g} Hz from {clock.column.name} ({clock.times.unit})")
    name = clock.times.clock if clock is not None else ""
    if clock is not None and not name:
        name = str(path.resolve())
    named = _named(table, columns, sensors)
    return [
        Part(
            path=path,
            foot=sensor.foot,
            label=sensor.label,
            acc=np.column_stack([values[n] for n in sensor.acc]) if sensor.acc else None,
            gyr=np.column_stack([values[n] for n in sensor.gyr]) if sensor.gyr else None,
            units=(sensor.acc_unit, sensor.gyr_unit),
            placement=placement,
            clock=name,
            assumed=[*named, *assumed],
            noted=[*table.notes, *placement.notes, *notes],
        )
        for sensor in sensors
    ]


def _wanted(path: Path, sensors: list[Sensor], foot: str | None) -> list[Sensor]:
    sides = [sensor for sensor in sensors if sensor.foot is not None]
    if foot is None or not sides:
        return sensors
    chosen = [sensor for sensor in sides if sensor.foot == foot]
    if not chosen:
        raise read_error(
            path, f"its columns belong to the {sides[0].foot} foot", f"give --foot {sides[0].foot}"
        )
    return chosen


def _named(table: TextTable, columns: Columns, sensors: list[Sensor]) -> list[str]:
    if not columns.assumed or not table.names:
        return []
    titles = [" ".join(cell for cell in cells if cell) for cells in zip(*table.names, strict=False)]
    shown = []
    for sensor in sensors:
        for name, numbers in (("acc", sensor.acc), ("gyr", sensor.gyr)):
            if numbers:
                shown.append(f"{sensor.foot + ' ' if sensor.foot else ''}{name} {titles[numbers[0]]!r}, …")
    return ["columns " + ", ".join(shown)]


def _check_readable(
    table: TextTable, columns: Columns, values: dict[int, np.ndarray], numbers: list[int]
) -> None:
    for sensor in columns.sensors:
        for axis, number in zip(AXES, (*sensor.acc, *sensor.gyr), strict=False):
            if number not in numbers:
                continue
            missing = ~np.isfinite(values[number])
            if missing.mean() > MAX_UNREADABLE_SHARE:
                line = table.first_line + int(np.flatnonzero(missing)[0])
                raise read_error(
                    table.path,
                    f"line {line}: {axis} is missing or not a finite number, as in "
                    f"{missing.mean():.0%} of all rows",
                    "export it again, or name other columns with --columns",
                )


def _clock(
    table: TextTable,
    columns: Columns,
    values: dict[int, np.ndarray],
    options: ReadingOptions,
    rate_hz: float | None,
) -> tuple[_Clock | None, np.ndarray | None, DataError | None]:
    """Return (the best time column, the counter of samples, the error if no column can be used)."""
    best: tuple[tuple[float, ...], _Clock] | None = None
    counter: np.ndarray | None = None
    trouble: DataError | None = None
    forced = options.time_column is not None or "time" in options.columns or options.time_unit is not None
    for order, column in enumerate(columns.times):
        given = values[column.number]
        finite = np.isfinite(given)
        numeric = finite.mean() > 0.5
        if numeric and (column.counts or _is_count(given, column)) and not _ticks_given(options):
            counts = _as_counter(given)
            if counts is not None and counter is None:
                counter = counts
            if rate_hz is not None or column.counts or _is_count(given, column):
                continue
        try:
            if numeric:
                if options.time_unit == "iso":
                    raise read_error(
                        table.path, f"{column.name!r} holds numbers, not dates", "give another --time-unit"
                    )
                times = numeric_times(table.path, given, column.name, column.unit, options.time_unit, rate_hz)
            else:
                text: pd.Series = table.columns([], [column.number])[column.number]
                if text.isna().all():
                    continue
                times = text_times(table.path, text, column.name)
        except DataError as error:
            trouble = trouble or error
            continue
        score = (*_unevenness(times.seconds), float(order))
        if best is None or score < best[0]:
            best = (score, _Clock(column, times))
    if best is not None:
        return best[1], counter, None
    # The caller's rate and a counter place all samples; without them there is no clock.
    if trouble is not None and (forced or counter is None or rate_hz is None):
        raise trouble
    return None, counter, trouble


def _ticks_given(options: ReadingOptions) -> bool:
    return options.time_unit is not None and TICKS.match(options.time_unit) is not None


def _is_count(values: np.ndarray, column: TimeColumn) -> bool:
    """Return whether a column without a unit counts samples: whole numbers in steps of one."""
    if column.unit is not None:
        return False
    finite = values[np.isfinite(values)]
    whole = bool((finite == np.rint(finite)).all())
    return len(finite) > 2 and whole and bool(np.median(np.diff(finite)) == 1)


def _as_counter(values: np.ndarray) -> np.ndarray | None:
    """Return a column as an unwrapped counter of samples; None if most steps differ from the usual one."""
    counts = unwrapped(values)
    finite = counts[np.isfinite(counts)]
    step = typical_step(finite)
    if len(finite) < 0.9 * len(counts) or not step > 0:
        return None
    return counts if (np.abs(np.diff(finite) / step - 1) < 1e-6).mean() > 0.6 else None


def _unevenness(seconds: np.ndarray) -> tuple[float, float]:
    """Return (share of stamps that repeat, spread of the steps), rounded; small numbers mean a good clock."""
    finite = seconds[np.isfinite(seconds)]
    step = typical_step(finite)
    with np.errstate(over="ignore", invalid="ignore"):  # damaged stamps may be as large as a float can be
        relative = np.diff(finite) / step
        repeats = float((relative == 0).mean())
        spread = float(np.median(np.abs(relative - np.median(relative))))
    return round(repeats, 1), round(spread, 1)


def _place(
    path: Path, clock: _Clock | None, counter: np.ndarray | None, rate_hz: float | None, samples: np.ndarray
) -> tuple[Placement, list[str]]:
    if clock is None:
        assert rate_hz is not None
        if counter is not None and not _plain(counter):
            return place_by_counter(path, counter, rate_hz), []
        return place_without_time(len(samples), rate_hz), []
    seconds = clock.times.seconds.copy()
    notes = []
    twice = _exact_duplicates(seconds, samples)
    if twice.any():
        seconds[twice] = np.nan
        notes.append(f"{int(twice.sum())} duplicate rows dropped")
    if counter is not None and _plain(counter):
        counter = None
    return place_by_time(path, seconds, rate_hz, counter), notes


def _plain(counter: np.ndarray) -> bool:
    """Return whether a counter never skips: it numbers the rows and does not show losses."""
    steps = np.diff(counter[np.isfinite(counter)])
    return len(steps) == 0 or bool((steps == steps[0]).all())


def _exact_duplicates(seconds: np.ndarray, samples: np.ndarray) -> np.ndarray:
    """Return the rows [n] that repeat the row before in time and samples, if only such rows share stamps."""
    twice = np.zeros(len(seconds), dtype=bool)
    same_time = np.diff(seconds) == 0
    if not same_time.any():
        return twice
    same = same_time & (np.diff(samples, axis=0) == 0).all(axis=1)
    if same.sum() >= 0.9 * same_time.sum():
        twice[1:] = same
    return twice


def _rate_in_header(table: TextTable) -> float | None:
    """Return the only sampling rate in the lines before the rows, or None."""
    text = "\n".join(table.preamble)
    for pattern in (RATE, HZ):
        found = {float(number.replace(",", ".")) for number in pattern.findall(text)}
        found = {rate for rate in found if 20 <= rate <= 5000}
        if len(found) == 1:
            return found.pop()
    return None
