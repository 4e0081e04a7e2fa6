"""`tinystride predict FOLDER`: many recordings in parallel, one table, one summary, failures at the end."""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

from tinystride.api import estimator
from tinystride.datasets.recording import Recording
from tinystride.errors import DataError, ParameterError, TinyStrideError
from tinystride.files import write_text
from tinystride.reading import ReadingOptions, read_recordings
from tinystride.reading.columns import ACC_WORDS, GYR_WORDS, tokens
from tinystride.reading.files import subject_of

SUFFIXES = {
    ".csv", ".txt", ".tsv", ".tab", ".dat", ".log", ".asc", ".gz", ".h5", ".hdf5", ".cwa", ".c3d",
}  # fmt: skip
# Files that makers write beside those of a sensor.
COMPANIONS = {
    "mag", "magnetometer", "magnetic", "baro", "barometer", "pressure", "temperature", "battery",
    "quaternion", "quaternions", "euler", "highg", "events", "channels", "participants", "summary",
    "readme", "metadata",
}  # fmt: skip


@dataclass
class Outcome:
    """Outcome of the files of one walk.

    Attributes:
        table: strides, `results.COLUMNS`; None if no file could be read
        names: names of the recordings, relative to the folder
        files: one row per recording or file: how it was read, or the error
    """

    table: pd.DataFrame | None = None
    names: list[str] = field(default_factory=list)
    files: list[dict[str, Any]] = field(default_factory=list)


def run_folder(arguments: argparse.Namespace, options: ReadingOptions) -> None:
    """Estimate the strides of all recordings below folders.

    Writes strides.csv, summary.json and files.csv into the folder `arguments.output`, or the strides to
    standard output. files.csv says how each file was read, or why it was not.

    Args:
        arguments: arguments of the command line
        options: reading options

    Raises:
        DataError: if no file has a stride
        ParameterError: if the output cannot be written or is the folder of the recordings
    """
    from tqdm import tqdm

    from tinystride.results import COLUMNS, result_csv

    output = arguments.output
    _check_output(arguments, output)
    walks = find_walks(arguments.recordings, output)
    if not walks:
        raise DataError(f"{arguments.recordings[0]}: contains no recording; name a folder of csv files")
    workers = max(1, min(len(walks), os.cpu_count() or 1))
    outcomes: dict[int, Outcome] = {}
    with (
        ProcessPoolExecutor(
            workers, initializer=_choose, initargs=(arguments.model, arguments.engine)
        ) as pool,
        tqdm(total=len(walks), desc="recordings", unit="") as bar,
    ):
        futures = {pool.submit(_outcome, paths, root, options): i for i, (paths, root) in enumerate(walks)}
        for future in as_completed(futures):
            outcomes[futures[future]] = future.result()
            bar.update()
    in_order = [outcomes[i] for i in range(len(walks))]
    files = pd.DataFrame([row for outcome in in_order for row in outcome.files])
    tables = [outcome.table for outcome in in_order if outcome.table is not None and len(outcome.table)]
    _report_failures(files)
    if not tables:
        raise DataError(
            f"{arguments.recordings[0]}: no stride in any of its {len(files)} files; see the errors above"
        )
    table = pd.concat(tables, ignore_index=True)[list(COLUMNS)]
    names = [name for outcome in in_order for name in outcome.names]
    _write(arguments, table, names, files, result_csv(table))


def _write(
    arguments: argparse.Namespace, table: pd.DataFrame, names: list[str], files: pd.DataFrame, text: str
) -> None:
    from tinystride.results import defused
    from tinystride.summary import readable, summarise

    output = arguments.output
    summary = summarise(table, list(dict.fromkeys(names)))
    if output is None:
        print(text, end="")
    else:
        output.mkdir(parents=True, exist_ok=True)
        write_text(output / "strides.csv", text)
        write_text(output / "summary.json", json.dumps(summary, indent=2, ensure_ascii=False) + "\n")
        safe = files.map(lambda cell: defused(cell) if isinstance(cell, str) else cell)
        write_text(output / "files.csv", safe.to_csv(index=False, lineterminator="\n"))
    if arguments.summary:
        print(readable(summary), end="", file=sys.stdout if output else sys.stderr)


def _report_failures(files: pd.DataFrame) -> None:
    failed = files[files["error"] != ""]
    if len(failed):
        print(f"{len(failed)} of {len(files)} files have no strides:", file=sys.stderr)
        for error in failed["error"]:
            print(f"  {error}", file=sys.stderr)


def _check_output(arguments: argparse.Namespace, output: Path | None) -> None:
    if arguments.plot is not None:
        raise ParameterError("--plot draws one walk; name its files instead of a folder")
    if output is None:
        return
    if output.exists() and not output.is_dir():
        raise ParameterError(f"{output}: is not a folder; name a folder with -o")
    for folder in arguments.recordings:
        if folder.is_dir() and output.resolve() == folder.resolve():
            raise ParameterError(f"{output}: is the folder of the recordings; name another one with -o")
    ancestor = next(parent for parent in (output.absolute(), *output.absolute().parents) if parent.exists())
    if not ancestor.is_dir() or not os.access(ancestor, os.W_OK):
        raise ParameterError(f"{output}: {ancestor} cannot be written to; name another folder with -o")


def find_walks(paths: Sequence[Path], output: Path | None = None) -> list[tuple[list[Path], Path]]:
    """Find the files of each walk below folders.

    Files of one walk have the same name but for left and right, accelerometer and gyroscope. Links to folders
    are not followed, and a file that is found twice is used once. Hidden files and the output are left out.

    Args:
        paths: files and folders
        output: folder that is left out; None: no folder

    Returns:
        (files, folder that they were found in) of each walk, in order of their names.
    """
    seen: set[Path] = set()
    walks: dict[tuple[Path, str], tuple[list[Path], Path]] = {}
    for start in paths:
        root = start if start.is_dir() else start.parent
        for path in _files(start, output):
            real = path.resolve()
            if real in seen:
                continue
            seen.add(real)
            key = (path.parent, subject_of(path, root, half=True))
            walks.setdefault(key, ([], root))[0].append(path)
    return [walks[key] for key in sorted(walks, key=lambda key: (str(key[0]), key[1]))]


def _files(start: Path, output: Path | None) -> list[Path]:
    if not start.is_dir():
        return [start]
    found = []
    left_out = output.resolve() if output is not None else None
    for folder, folders, names in os.walk(start, followlinks=False):
        folders[:] = sorted(
            name
            for name in folders
            if not name.startswith(".") and (Path(folder) / name).resolve() != left_out
        )
        for name in sorted(names):
            path = Path(folder) / name
            words = set(tokens(path.stem))
            companion = words & COMPANIONS and not words & (ACC_WORDS | GYR_WORDS)
            if path.suffix.lower() in SUFFIXES and not name.startswith(".") and not companion:
                found.append(path)
    return found


_CHOSEN: tuple[Path, Any] | None = None


def _choose(model: Path, engine: Any) -> None:
    """Store the model and engine of this process; the model is loaded with the first file."""
    global _CHOSEN
    _CHOSEN = model, engine


@cache
def _run(model: Path, engine: Any) -> Any:
    return estimator(model, engine)


def _outcome(paths: list[Path], root: Path, options: ReadingOptions) -> Outcome:
    """Estimate the strides of one walk; an error in one file does not stop other files or the other foot."""
    from tinystride.results import complete_table

    assert _CHOSEN is not None
    run, outcome = _run(*_CHOSEN), Outcome()
    recordings: list[Recording] = []
    tables: list[pd.DataFrame] = []
    for group in _readable(paths):
        try:
            read = read_recordings(group, options, root)
        except (TinyStrideError, OSError) as error:
            _record(outcome, root, group[0], error=str(error))
            continue
        for recording in read:
            try:
                strides = run(recording)
            except TinyStrideError as error:
                _record(outcome, root, Path(recording.source), recording, str(error))
                continue
            recordings.append(recording)
            tables.append(strides)
            _record(outcome, root, Path(recording.source), recording, strides=len(strides))
    if recordings:
        table = complete_table(recordings, tables)
        names = {Path(entry.source).name: _name(Path(entry.source), root) for entry in recordings}
        outcome.table = table.assign(recording=table["recording"].map(names))
        outcome.names = list(dict.fromkeys(names.values()))
    return outcome


def _readable(paths: list[Path]) -> list[list[Path]]:
    """Return groups of files that are read together: each file alone, or both halves of a sensor."""
    from tinystride.reading.files import half_of_file

    halves = [path for path in paths if half_of_file(path)]
    return [[path] for path in paths if path not in halves] + ([halves] if halves else [])


def _name(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix()


def _record(
    outcome: Outcome,
    root: Path,
    path: Path,
    recording: Recording | None = None,
    error: str = "",
    strides: int = 0,
) -> None:
    outcome.files.append(
        {
            "recording": _name(path, root),
            "foot": recording.foot if recording else "",
            "rate_hz": round(recording.rate_hz, 4) if recording else None,
            "duration_s": round(recording.duration_s, 2) if recording else None,
            "strides": strides,
            "notes": "; ".join(recording.notes) if recording else "",
            "error": error,
        }
    )
