"""Recordings of anybody's sensors: from files as they come to `Recording` objects.

`read_recordings` is the way in. A recording tells in `notes` what its reader assumed.
"""

from tinystride.reading.files import read_recordings
from tinystride.reading.options import ReadingOptions

__all__ = ["ReadingOptions", "read_recordings"]
