"""Recordings in a pandas table in memory, read like a file with the same columns."""

from pathlib import Path

import pandas as pd

from tinystride.datasets.recording import Recording
from tinystride.reading.files import recordings_of_parts
from tinystride.reading.options import ReadingOptions
from tinystride.reading.tables import parts_of_table
from tinystride.reading.text import TextTable


def read_frame(frame: pd.DataFrame, options: ReadingOptions, name: str = "frame") -> list[Recording]:
    """Read the recordings in a table, one per foot, as `read_recordings` reads those of a file.

    Args:
        frame: columns named as in a file, or two levels of names (sensor, axis); an index of times, or with a
            name, counts as a column
        options: facts that the caller knows
        name: name of the recording, also in messages

    Returns:
        The recordings.

    Raises:
        DataError: for a table without a recording
        ParameterError: for an option that does not fit
    """
    if isinstance(frame.index, pd.DatetimeIndex | pd.TimedeltaIndex) or frame.index.name is not None:
        frame = frame.rename_axis(index=frame.index.name or "time").reset_index()
    for column in frame.select_dtypes(include=["timedelta"]):
        frame = frame.assign(**{column: frame[column].dt.total_seconds()})
    levels = frame.columns.nlevels
    names = [[str(cell) for cell in frame.columns.get_level_values(level)] for level in range(levels)]
    table = TextTable(
        path=Path(name),
        names=names,
        units=[""] * frame.shape[1],
        preamble=[],
        lines_skipped=0,
        width=frame.shape[1],
        first_line=1,
        _body=frame.to_csv(index=False, header=False).encode(),
    )
    return recordings_of_parts(parts_of_table(table, options), options)
