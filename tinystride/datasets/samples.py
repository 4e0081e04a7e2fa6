"""From a file's rows to even, finite samples in m/s² and rad/s: the rules for every recording.

Used by the loaders of the data sets and by the reader of other recordings.
"""

import io
from pathlib import Path

import numpy as np
import pandas as pd

from tinystride.datasets.recording import (
    FEET,
    REFERENCE_COLUMNS,
    REFERENCE_EVENTS,
    Recording,
    is_trajectory,
    read_error,
)

STANDARD_GRAVITY_MPS2 = 9.80665
AXES = ("acc_x", "acc_y", "acc_z", "gyr_x", "gyr_y", "gyr_z")

# Left feet of ipol-healthy rest at up to 10.5 m/s². A sensor's own error has to pass; a wrong unit or scale
# must not, because it changes lengths by the same factor.
REST_TOLERANCE = 0.12
QUIET_WINDOW_S = 0.25
# Full scale of common sensors is 2000 deg/s, 35 rad/s; a swinging foot turns at 3 rad/s and more.
MAX_GYR_RADPS = 40.0
MIN_MOVING_GYR_RADPS = 0.5
MOVING_ACC_SD_MPS2 = 1.0
# A foot that turns faster than this never gives three equal samples.
FROZEN_GYR_RADPS = 0.5
FROZEN_SAMPLES = 3
MAX_JITTER = 3.0  # sampling intervals; a longer step is a pause
TIME_UNITS = {"milliseconds": 1e3, "microseconds": 1e6, "nanoseconds": 1e9}
STRIDE_LENGTH_RANGE_CM = (10.0, 400.0)
MAX_MARKER_SPEED_MPS = 20.0  # median over a recording


def read_table(
    path: Path, sep: str = ",", *, names_line: int = 1, first_line: int = 2, decimal: str = "."
) -> pd.DataFrame:
    """Read a text table.

    Args:
        path: the file
        sep: separator of the columns
        names_line: number of the line with the column names, from 1
        first_line: number of the line with the first row, from 1
        decimal: decimal sign

    Returns:
        The table.

    Raises:
        DataError: if the file is missing or empty, or a line has more or fewer columns than there are names
    """
    try:
        lines = path.read_text(encoding="utf-8-sig", errors="replace").splitlines()
    except FileNotFoundError:
        raise read_error(path, "is missing", "restore it, or run the download again") from None
    if len(lines) < first_line:
        raise read_error(path, f"has {len(lines)} lines and no rows", "restore it from its source")
    names = lines[names_line - 1].split(sep)
    for number, line in enumerate(lines[first_line - 1 :], first_line):
        if line and line.count(sep) != len(names) - 1:
            raise read_error(
                path,
                f"line {number} has {line.count(sep) + 1} columns, not {len(names)}",
                "it is cut off or was edited: restore it from its source",
            )
    rows = io.StringIO("\n".join(lines[first_line - 1 :]))
    # Columns are numbered while reading: pandas refuses two columns of one name.
    numbered = range(len(names))
    table = pd.read_csv(rows, sep=sep, names=numbered, index_col=False, decimal=decimal, low_memory=False)
    return table.set_axis(names, axis=1)


def require_columns(source: Path | str, table: pd.DataFrame, columns: list[str]) -> None:
    """Check that a table has some columns.

    Args:
        source: where the table comes from, for messages
        table: the table
        columns: names

    Raises:
        DataError: if one is missing
    """
    missing = [column for column in columns if column not in table]
    if missing:
        raise read_error(source, f"lacks the column {missing[0]!r}", f"it needs {', '.join(columns)}")


def numbers(source: Path | str, table: pd.DataFrame, columns: list[str], first_line: int = 2) -> np.ndarray:
    """Return columns of a table as floats, [n, len(columns)].

    Args:
        source: where the table comes from, for messages
        table: the table
        columns: names
        first_line: number of the line of the table's first row, for messages

    Raises:
        DataError: for a missing column, and for a value that is not a finite number
    """
    require_columns(source, table, columns)
    values = np.column_stack([pd.to_numeric(table[column], errors="coerce") for column in columns]).astype(
        float
    )
    wrong = np.argwhere(~np.isfinite(values))
    if len(wrong):
        row, column = wrong[0]
        raise read_error(
            source,
            f"line {first_line + row}: {columns[column]} is missing or not a finite number",
            "restore the file, or cut the recording before that line",
        )
    return values


def sample_numbers(source: Path | str, time_s: np.ndarray, rate_hz: float, first_line: int = 2) -> np.ndarray:
    """Return the place [n] of each sample on an even grid, from its time stamp; losses leave gaps.

    Args:
        source: where the samples come from, for messages
        time_s: [n] time stamps; a pause may be of any length
        rate_hz: sampling rate
        first_line: number of the line of the first sample, for messages

    Raises:
        DataError: if time stands still, runs backwards, or does not follow the rate
    """
    steps = np.diff(time_s) * rate_hz
    _require_increase(source, steps, first_line)
    median = float(np.median(steps)) if len(steps) else 1.0
    if abs(median - 1) > 0.05:
        unit = next((unit for unit, factor in TIME_UNITS.items() if abs(median / factor - 1) <= 0.05), None)
        raise read_error(
            source,
            f"its time stamps say {rate_hz / median:.4g} Hz, not {rate_hz:g} Hz",
            f"they look like {unit}: convert them to seconds" if unit else "give the true rate",
        )
    uneven = np.flatnonzero((np.abs(steps - np.rint(steps)) > 0.3) & (steps < MAX_JITTER))
    if len(uneven):
        raise read_error(
            source,
            f"line {first_line + 1 + uneven[0]}: time is uneven ({steps[uneven[0]]:.2f} sampling intervals)",
            "resample it to an even rate, or leave the time column out if the samples themselves are even",
        )
    return np.concatenate([[0], np.cumsum(np.rint(steps))]).astype(np.int64)


def _require_increase(source: Path | str, steps: np.ndarray, first_line: int) -> None:
    backward = np.flatnonzero(~(steps > 0))
    if not len(backward):
        return
    # Stamps that are coarser than the sampling interval repeat throughout.
    rounded = len(backward) > len(steps) / 20 and (steps[backward] == 0).all()
    raise read_error(
        source,
        f"line {first_line + 1 + backward[0]}: time does not increase",
        "give time stamps as fine as the sampling interval, or leave the time column out"
        if rounded
        else "sort the samples by time and remove repeated ones",
    )


def lost_rows(acc_mps2: np.ndarray, gyr_radps: np.ndarray) -> np.ndarray:
    """Return which samples [n] were lost although they were written: all zeros, or repeated in movement.

    Args:
        acc_mps2: [n, 3]
        gyr_radps: [n, 3]
    """
    samples = np.column_stack([acc_mps2, gyr_radps])
    zero = (samples == 0).all(axis=1)
    repeats = np.concatenate([[False], (np.diff(samples, axis=0) == 0).all(axis=1)])
    begins = np.flatnonzero(~repeats)
    length = np.diff(np.append(begins, len(samples)))
    frozen = repeats & np.repeat(length >= FROZEN_SAMPLES, length)
    return zero | (frozen & (np.linalg.norm(gyr_radps, axis=1) > FROZEN_GYR_RADPS))


def fill_gaps(
    source: Path | str, number: np.ndarray, values: np.ndarray, first_line: int = 2
) -> tuple[np.ndarray, np.ndarray]:
    """Put samples onto the full grid by linear interpolation.

    Args:
        source: where the samples come from, for messages
        number: [k] places of the samples, increasing
        values: [k, channel]
        first_line: number of the line of the first sample, for messages

    Returns:
        Samples [n, channel], and the half-open ranges [gaps, 2] that were interpolated.

    Raises:
        DataError: if places do not increase, or if more is lost than recorded
    """
    steps = np.diff(number)
    _require_increase(source, steps, first_line)
    grid = np.arange(number[0], number[-1] + 1)
    if len(grid) > 2 * len(number):
        raise read_error(
            source, f"{len(grid) - len(number)} of {len(grid)} samples are missing", "split it at its pauses"
        )
    filled = np.column_stack([np.interp(grid, number, channel) for channel in values.T])
    before = np.flatnonzero(steps > 1)
    return filled, np.column_stack([number[before] + 1, number[before + 1]]) - number[0]


def check_recording(recording: Recording) -> Recording:
    """Return the recording if it keeps all rules.

    Args:
        recording: to be checked

    Raises:
        DataError: with the broken rule and a remedy
    """
    source = recording.source or recording.name
    if recording.foot not in FEET:
        raise read_error(source, f"foot is {recording.foot!r}", f"it has to be one of {', '.join(FEET)}")
    check_samples(source, recording.rate_hz, recording.acc_mps2, recording.gyr_radps)
    _check_reference(source, recording)
    return recording


def check_samples(source: Path | str, rate_hz: float, acc_mps2: np.ndarray, gyr_radps: np.ndarray) -> None:
    """Check that samples are at least a second long, finite, changing and in the right units.

    Args:
        source: where the samples come from, for messages
        rate_hz: sampling rate
        acc_mps2: [n, 3]
        gyr_radps: [n, 3]

    Raises:
        DataError: with the broken rule and a remedy
    """
    if not 20 <= rate_hz <= 5000:
        raise read_error(
            source, f"the sampling rate is {rate_hz:g} Hz", "it has to be between 20 and 5000 Hz"
        )
    if acc_mps2.ndim != 2 or acc_mps2.shape[1] != 3 or acc_mps2.shape != gyr_radps.shape:
        raise read_error(
            source, f"acc is {acc_mps2.shape} and gyr {gyr_radps.shape}", "both have to be [samples, 3]"
        )
    if len(acc_mps2) < rate_hz:
        raise read_error(
            source, f"contains {len(acc_mps2)} samples, less than a second", "record a whole walk"
        )
    samples = np.column_stack([acc_mps2, gyr_radps])
    wrong = np.argwhere(~np.isfinite(samples))
    if len(wrong):
        row, channel = wrong[0]
        raise read_error(
            source, f"sample {row}: {AXES[channel]} is not finite", "cut the recording before it"
        )
    for axis, channel in zip(AXES, samples.T, strict=True):
        if np.ptp(channel) == 0:
            raise read_error(
                source,
                f"{axis} is {channel[0] + 0.0:g} from first to last sample",
                "check the sensor and the export",
            )
    _check_units(source, rate_hz, acc_mps2, gyr_radps)


def _check_units(source: Path | str, rate_hz: float, acc_mps2: np.ndarray, gyr_radps: np.ndarray) -> None:
    # Gyroscope first: in any unit, it shows where the foot rests.
    peak_radps = float(np.percentile(np.abs(gyr_radps).max(axis=1), 99))
    if peak_radps > MAX_GYR_RADPS:
        raise read_error(
            source,
            f"the gyroscope reaches {peak_radps:.4g} rad/s, as if its unit were deg/s",
            "state that its unit is deg/s, or multiply it by π/180",
        )
    moving = float(np.linalg.norm(acc_mps2, axis=1).std()) > MOVING_ACC_SD_MPS2
    if moving and peak_radps < MIN_MOVING_GYR_RADPS:
        raise read_error(
            source,
            f"the gyroscope reaches only {peak_radps:.2g} rad/s while the foot moves, "
            "as if rad/s were read as deg/s",
            "state that its unit is rad/s, or multiply it by 180/π",
        )
    rest = rest_acceleration(rate_hz, acc_mps2, gyr_radps)
    if abs(rest / STANDARD_GRAVITY_MPS2 - 1) <= REST_TOLERANCE:
        return
    found = f"|acc| at rest is {rest:.3g} m/s², not about 9.81"
    for factor, given, remedy in (
        (1 / STANDARD_GRAVITY_MPS2, "g", "state that its unit is g, or multiply it by 9.80665"),
        (1000 / STANDARD_GRAVITY_MPS2, "mg or cm/s²", "multiply it by 0.00980665 or by 0.01"),
        (STANDARD_GRAVITY_MPS2, "m/s², not g", "state that its unit is m/s²"),
    ):
        if abs(rest / STANDARD_GRAVITY_MPS2 / factor - 1) <= REST_TOLERANCE:
            raise read_error(source, f"{found}, as if its unit were {given}", remedy)
    raise read_error(source, found, "check unit, calibration, and that gravity was not removed")


def rest_acceleration(rate_hz: float, acc_mps2: np.ndarray, gyr_radps: np.ndarray) -> float:
    """Return the mean |acc|, m/s², of the 0.25 s in which the foot turns least.

    Args:
        rate_hz: sampling rate
        acc_mps2: [n, 3]
        gyr_radps: [n, 3]
    """
    window = max(2, round(QUIET_WINDOW_S * rate_hz))
    energy = np.convolve((gyr_radps**2).sum(axis=1), np.ones(window), "valid")
    start = int(energy.argmin())
    return float(np.linalg.norm(acc_mps2[start : start + window], axis=1).mean())


def _check_reference(source: Path | str, recording: Recording) -> None:
    reference = recording.reference
    if is_trajectory(reference):
        _check_trajectory(source, recording)
        return
    if recording.reference_event not in REFERENCE_EVENTS or not set(REFERENCE_COLUMNS) <= set(reference):
        raise read_error(
            source, "its reference is not a table of strides", f"columns: {', '.join(REFERENCE_COLUMNS)}"
        )
    start_s, end_s = reference["start_s"].to_numpy(), reference["end_s"].to_numpy()
    inside = (start_s >= 0) & (end_s > start_s) & (end_s <= recording.duration_s)
    if not inside.all():
        row = int(np.flatnonzero(~inside)[0])
        raise read_error(
            source,
            f"reference stride {row} is from {start_s[row]:.2f} to {end_s[row]:.2f} s "
            f"in a recording of {recording.duration_s:.2f} s",
            "the recording is cut off or belongs to another reference: restore both files",
        )
    length_cm = reference["stride_length_cm"].to_numpy()
    low, high = STRIDE_LENGTH_RANGE_CM
    wrong = np.flatnonzero((length_cm < low) | (length_cm > high))
    if len(wrong):
        raise read_error(
            source,
            f"reference stride {wrong[0]} is {length_cm[wrong[0]]:g} cm long",
            f"lengths have to be in cm and within {low:g} to {high:g}: check the unit",
        )


def _check_trajectory(source: Path | str, recording: Recording) -> None:
    time_s = recording.reference["time_s"].to_numpy()
    position_m = recording.reference[["x_m", "y_m", "z_m"]].to_numpy()
    if len(time_s) < 2 or not (np.diff(time_s) > 0).all():
        raise read_error(source, "the times of its reference do not increase", "restore both files")
    if not np.isfinite(position_m).all(axis=1).any():
        raise read_error(source, "its reference contains no finite position", "restore both files")
    if time_s[0] >= recording.duration_s or time_s[-1] <= 0:
        raise read_error(source, "its reference covers another time", "restore both files")
    # A person moves at less than 10 m/s; millimetres read as metres give a thousand times that.
    seen = np.isfinite(position_m).all(axis=1)
    steps_m = np.linalg.norm(np.diff(position_m[seen], axis=0), axis=1)
    speed_mps = float(np.median(steps_m / np.diff(time_s[seen]))) if seen.sum() > 1 else 0.0
    if speed_mps > MAX_MARKER_SPEED_MPS:
        raise read_error(
            source, f"its reference moves at {speed_mps:.4g} m/s", "positions have to be in m: check the unit"
        )
