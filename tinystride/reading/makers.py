"""Readers of formats that are no text: chosen by the first bytes of a file, or by its suffix."""

from collections.abc import Callable
from pathlib import Path

from tinystride.reading.options import ReadingOptions
from tinystride.reading.parts import Part
from tinystride.reading.tables import read_table_parts

Reader = Callable[[Path, ReadingOptions], list[Part]]


def reader_of(path: Path) -> Reader:
    """The reader for a file."""
    return read_table_parts
