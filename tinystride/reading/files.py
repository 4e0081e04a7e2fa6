"""Files to recordings."""

from collections.abc import Sequence
from pathlib import Path

from tinystride.datasets.own import load_csv
from tinystride.datasets.recording import Recording
from tinystride.reading.options import ReadingOptions


def read_recordings(paths: Sequence[Path | str], options: ReadingOptions) -> list[Recording]:
    """The recordings, one a foot, in files of one person's trial. Raises DataError, ParameterError."""
    return [
        load_csv(
            path,
            rate_hz=options.rate_hz,
            foot=options.foot,
            acc_unit=options.acc_unit,
            gyr_unit=options.gyr_unit,
        )
        for path in paths
    ]
