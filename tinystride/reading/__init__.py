"""Recordings of any sensor: from files as they come to `Recording` objects.

`read_recordings` is the entry point. The `notes` of a recording say what the reader assumed.

- text: files to tables
- columns, units, times: meaning of the columns
- clock: rows onto an even grid
- signals: units that fit, gaps, high rates
- feet: left or right
- makers: formats other than text
- files: all together
"""

from typing import TYPE_CHECKING, Any

from tinystride.reading.options import ReadingOptions

if TYPE_CHECKING:
    from tinystride.reading.files import read_recordings

__all__ = ["ReadingOptions", "read_recordings"]


def __getattr__(name: str) -> Any:
    # Loaded on first use: the options alone need neither numpy nor pandas.
    if name == "read_recordings":
        from tinystride.reading.files import read_recordings

        return read_recordings
    raise AttributeError(f"module 'tinystride.reading' has no attribute {name!r}")
