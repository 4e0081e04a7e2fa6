"""Somebody's own recording: a csv with acc_x … gyr_z, and time_s where samples may have been lost."""

from pathlib import Path

import numpy as np
import pandas as pd

from tinystride.datasets.recording import Recording, read_error
from tinystride.datasets.samples import (
    AXES,
    STANDARD_GRAVITY_MPS2,
    check_recording,
    fill_gaps,
    lost_rows,
    numbers,
    read_table,
    sample_numbers,
)
from tinystride.errors import ParameterError

ACC_UNITS = {"m/s2": 1.0, "g": STANDARD_GRAVITY_MPS2}
GYR_UNITS = {"rad/s": 1.0, "deg/s": np.pi / 180}
SEPARATORS = (",", ";", "\t")
RATE_TOLERANCE = 0.005


def load_csv(
    path: Path | str, *, rate_hz: float, foot: str, acc_unit: str = "m/s2", gyr_unit: str = "rad/s"
) -> Recording:
    """The recording in `path`, with the columns acc_x, acc_y, acc_z, gyr_x, gyr_y, gyr_z in the units given.

    Columns are separated by commas, semicolons or tabs; with the latter two a decimal comma will do. Lines
    that begin with # before the names are skipped, and upper and lower case are alike. Other columns are
    ignored, but for `time_s`, from which lost samples are found and filled, and the rate where it is off by
    more than RATE_TOLERANCE: a length is wrong by twice as much as the rate. Samples that a logger has put in
    place of lost ones are lost, too (`samples.lost_rows`).
    Raises ParameterError for an unknown unit or an impossible rate, DataError for a file that breaks a rule
    of `samples`.
    """
    for unit, known in ((acc_unit, ACC_UNITS), (gyr_unit, GYR_UNITS)):
        if unit not in known:
            raise ParameterError(f"unknown unit {unit!r}: choose {' or '.join(known)}")
    if not 0 < rate_hz < np.inf:
        raise ParameterError(f"a sampling rate of {rate_hz:g} Hz cannot be: give that of the recording")
    path = Path(path)
    table, first_line = _read(path)
    samples = numbers(path, table, list(AXES), first_line)
    samples *= np.repeat([ACC_UNITS[acc_unit], GYR_UNITS[gyr_unit]], 3)
    number = np.arange(len(samples))
    if "time_s" in table:
        time_s = numbers(path, table, ["time_s"], first_line)[:, 0]
        number = sample_numbers(path, time_s, rate_hz, first_line)
        rate_hz = _true_rate(time_s, number, rate_hz)
        # Pauses are as many samples as the true rate makes of them.
        number = sample_numbers(path, time_s, rate_hz, first_line)
    kept = ~lost_rows(samples[:, :3], samples[:, 3:])
    if kept.mean() < 0.5:  # no losses, but a dead sensor
        kept[:] = True
    kept[[0, -1]] = True  # times are counted from the first one
    samples, gaps = fill_gaps(path, number[kept], samples[kept])
    return check_recording(
        Recording(
            dataset="own",
            subject=path.stem,
            trial="1",
            foot=foot,
            rate_hz=rate_hz,
            acc_mps2=samples[:, :3],
            gyr_radps=samples[:, 3:],
            source=str(path),
            gaps=gaps,
        )
    )


def _read(path: Path) -> tuple[pd.DataFrame, int]:
    """The table in a file, its columns' names in lower case, and the line of its first row."""
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        raise read_error(path, "is missing", "name a csv file") from None
    if b"\0" in text:
        raise read_error(path, "is no text, or not in UTF-8", "export it as csv in UTF-8")
    lines = text.decode("utf-8-sig", errors="replace").splitlines()
    names_line = 1 + next((i for i, line in enumerate(lines) if not line.lstrip().startswith("#")), 0)
    header = lines[names_line - 1] if lines else ""
    sep = max(SEPARATORS, key=header.count)
    names = [name.strip(" \t\"'").lower() for name in header.split(sep)]
    twice = next((name for name in (*AXES, "time_s") if names.count(name) > 1), None)
    if twice:
        raise read_error(path, f"has the column {twice!r} more than once", "keep one of them")
    row = lines[names_line] if len(lines) > names_line else ""
    decimal = "," if sep != "," and "," in row else "."
    table = read_table(path, sep, names_line=names_line, first_line=names_line + 1, decimal=decimal)
    table.columns = names
    if decimal == ",":
        # Where one value is no number, pandas leaves its column as text, decimal commas and all.
        table = table.apply(lambda column: column.astype(str).str.replace(",", "."))
    return table, names_line + 1


def _true_rate(time_s: np.ndarray, number: np.ndarray, rate_hz: float) -> float:
    """The rate that the time stamps of samples `number` tell, if it is not about the one that was given."""
    in_a_row = np.diff(number) == 1
    if in_a_row.sum() < rate_hz:
        return rate_hz
    told_hz = float(1 / np.diff(time_s)[in_a_row].mean())
    return rate_hz if abs(told_hz / rate_hz - 1) <= RATE_TOLERANCE else told_hz
