"""Strides of the files of one walk; in a long walk, one process per file or foot."""

import os
from collections.abc import Sequence
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from tinystride.api import Result, estimator
from tinystride.datasets.recording import Recording
from tinystride.engines import Engine
from tinystride.reading import ReadingOptions, read_recordings
from tinystride.reading.files import read_parts, recordings_of_parts
from tinystride.reading.parts import Part
from tinystride.results import foot_table, join_feet

if TYPE_CHECKING:
    from concurrent.futures import ProcessPoolExecutor

# Starting a process takes longer than it saves below this: about five minutes of both feet at 100 Hz.
LONG_BYTES = 4_000_000
LONG_S = 600.0

Foot = tuple[Recording, pd.DataFrame]


def estimate_files(paths: Sequence[Path], options: ReadingOptions, model: Path, engine: Engine) -> Result:
    """Estimate the strides in the files of one walk. The number of processes does not change the result.

    Args:
        paths: files of one walk
        options: reading options
        model: .tflite of this project
        engine: as in `api.estimate`

    Returns:
        The same as `api.estimate`.

    Raises the errors of `reading.read_recordings` and `api.estimate`.
    """
    several = (os.cpu_count() or 1) > 1
    if several and len(paths) > 1 and sum(path.stat().st_size for path in paths) > LONG_BYTES:
        with _processes(len(paths), model, engine) as pool:
            files = list(pool.map(partial(_feet_of_file, options=options), paths))
        feet = [foot for own, _ in files for foot in own]
        halves = [half for _, own in files for half in own]
        recordings = recordings_of_parts(halves, options) if halves else []
    else:
        feet, recordings = [], read_recordings(paths, options)
    if several and len(recordings) > 1 and sum(own.duration_s for own in recordings) > LONG_S:
        with _processes(len(recordings), model, engine) as pool:
            feet += pool.map(_foot, recordings)
    elif recordings:
        run = estimator(model, engine)
        feet += [(own, foot_table(own, run(own))) for own in recordings]
    return Result(tuple(own for own, _ in feet), join_feet(feet))


def _processes(wanted: int, model: Path, engine: Engine) -> "ProcessPoolExecutor":
    from concurrent.futures import ProcessPoolExecutor

    workers = min(wanted, os.cpu_count() or 1)
    return ProcessPoolExecutor(workers, initializer=_choose, initargs=(model, engine))


_CHOSEN: tuple[Path, Engine] | None = None


def _choose(model: Path, engine: Engine) -> None:
    """Store the model and engine of this process; the model is loaded with the first file."""
    global _CHOSEN
    _CHOSEN = model, engine


@cache
def _run(model: Path, engine: Engine) -> Any:
    return estimator(model, engine)


def _feet_of_file(path: Path, options: ReadingOptions) -> tuple[list[Foot], list[Part]]:
    """Return the feet in a file, and accelerometers and gyroscopes whose other half is in another file."""
    parts = read_parts(path, options)
    halves = [part for part in parts if part.acc is None or part.gyr is None]
    whole = [part for part in parts if part.acc is not None and part.gyr is not None]
    return [_foot(recording) for recording in recordings_of_parts(whole, options)], halves


def _foot(recording: Recording) -> Foot:
    assert _CHOSEN is not None
    return recording, foot_table(recording, _run(*_CHOSEN)(recording))
