"""`tinystride predict`: read recordings, estimate their strides, write tables."""

import argparse
import csv
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from tinystride.default_model import DEFAULT_MODEL
from tinystride.engines import ENGINES
from tinystride.errors import DataError, ModelError, ParameterError
from tinystride.reading.options import ACC_UNIT_NAMES, FOOT_NAMES, GYR_UNIT_NAMES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tinystride.api import Result
    from tinystride.datasets.recording import Recording
    from tinystride.reading import ReadingOptions


def add_predict(commands: argparse._SubParsersAction) -> None:
    """Add the command `predict` to the command line.

    Args:
        commands: subparsers of the command line
    """
    parser = commands.add_parser("predict", help="estimate the strides of recordings and write them as csv")
    _add_reading_options(parser)
    _add_estimation_options(parser)
    parser.set_defaults(run=run_predict)


def _add_reading_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "recordings",
        type=Path,
        nargs="+",
        metavar="FILE|FOLDER",
        help="files of one walk (one or both feet; accelerometer and gyroscope may be in two files), or "
        "folders with many walks; formats: docs/recordings.md",
    )
    reading = parser.add_argument_group("reading (options not given are found in the file and reported)")
    reading.add_argument("--rate-hz", type=float, metavar="HZ", help="sampling rate")
    reading.add_argument("--foot", choices=FOOT_NAMES, help="foot the sensor is worn on")
    reading.add_argument(
        "--columns",
        type=_columns,
        default={},
        metavar="acc_x=NAME,…",
        help="names, or numbers from 1, of the columns acc_x … gyr_z and time; both feet: left_acc_x, …",
    )
    reading.add_argument("--time-column", metavar="NAME", help="name or number of the time column")
    reading.add_argument("--time-unit", metavar="UNIT", help="s, ms, us, ns, iso (dates), or ticks:RATE")
    reading.add_argument("--acc-unit", choices=ACC_UNIT_NAMES, help="unit of the accelerometer")
    reading.add_argument("--gyr-unit", choices=GYR_UNIT_NAMES, help="unit of the gyroscope")
    reading.add_argument(
        "--acc-scale", type=float, metavar="X", help="m/s² per count, if values are raw counts"
    )
    reading.add_argument(
        "--gyr-scale", type=float, metavar="X", help="rad/s per count, if values are raw counts"
    )


def _columns(text: str) -> dict[str, str]:
    """Return "acc_x=NAME,time=1" as a dictionary; a name with a comma is in double quotes."""
    chosen = {}
    for entry in next(csv.reader([text], skipinitialspace=True), []):
        axis, equals, name = entry.partition("=")
        if not equals or not axis.strip() or not name.strip():
            raise argparse.ArgumentTypeError(f"{entry!r} is not of the form acc_x=NAME")
        chosen[axis.strip().lower()] = name.strip().strip('"')
    return chosen


def _add_estimation_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--model",
        type=Path,
        default=DEFAULT_MODEL,
        metavar="FILE.tflite",
        help="network (default: the one of the package)",
    )
    parser.add_argument(
        "--engine",
        choices=ENGINES,
        default="offline",
        help="offline: uses the recording as a whole; c: runs the C library sample by sample, built for this "
        "computer; python: runs its Python twin (default: %(default)s)",
    )
    parser.add_argument(
        "--plot", type=Path, metavar="FILE.png", help="also draw the walk with its lengths and flags"
    )
    parser.add_argument(
        "--summary",
        action="store_true",
        help="also print mean, SD and median of each parameter over steady strides; with -o STRIDES.csv, "
        "also write STRIDES.summary.json",
    )
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="STRIDES.csv",
        help="csv file to write (default: standard output)",
    )


def run_predict(arguments: argparse.Namespace) -> None:
    """Read recordings, estimate their strides and write them; of one walk all outputs are written or none.

    Args:
        arguments: arguments of the command line

    Raises:
        DataError: if a recording is missing, cannot be read or has no stride
    """
    for path in arguments.recordings:
        if not path.exists():
            raise DataError(f"{path}: not found; name a file or folder of recordings")
    if any(path.is_dir() for path in arguments.recordings):
        from tinystride.predict_folder import run_folder

        check_model(arguments.model)
        run_folder(arguments, reading_options(arguments))
        return
    for path in arguments.recordings:
        if not path.is_file():
            raise DataError(f"{path}: is not a file; name a file or folder of recordings")
    summary = summary_path(arguments.output) if arguments.summary and arguments.output else None
    _check_targets(arguments.recordings, arguments.output, arguments.plot, summary)
    check_model(arguments.model)
    from tinystride.predict_walk import estimate_files

    result = estimate_files(
        arguments.recordings, reading_options(arguments), arguments.model, arguments.engine
    )
    _report_assumptions(result.recordings)
    _write(result, arguments)


def check_model(model: Path) -> None:
    """Check that a model file exists.

    Args:
        model: path of the .tflite

    Raises:
        ModelError: if there is no such file
    """
    if not model.is_file():
        raise ModelError(f"{model}: file not found; run `dvc repro`, or name a .tflite with --model")


def reading_options(arguments: argparse.Namespace) -> "ReadingOptions":
    """Return the options that concern reading.

    Args:
        arguments: arguments of the command line

    Raises:
        ParameterError: for an option out of its range
    """
    from tinystride.reading import ReadingOptions

    return ReadingOptions(
        **{entry.name: getattr(arguments, entry.name) for entry in attrs.fields(ReadingOptions)}
    )


def _report_assumptions(recordings: "Sequence[Recording]") -> None:
    """Print one line on stderr with all that was found or assumed in each file, if there is anything."""
    notes: dict[str, list[str]] = {}
    for recording in recordings:
        words = notes.setdefault(Path(recording.source).name, [])
        words += [note for note in recording.notes if note not in words]
    line = " | ".join(f"{name}: {'; '.join(words)}" for name, words in notes.items() if words)
    if line:
        print(f"note: {' '.join(line.split())}", file=sys.stderr)


def _write(result: "Result", arguments: argparse.Namespace) -> None:
    from tinystride.files import write_text

    if arguments.plot:
        result.plot(arguments.plot)
    if arguments.output:
        result.to_csv(arguments.output)
    else:
        print(result.to_csv(), end="")
    if arguments.summary:
        from tinystride.summary import readable

        if arguments.output:
            text = json.dumps(result.summary, indent=2, ensure_ascii=False) + "\n"
            write_text(summary_path(arguments.output), text)
        # If the table goes to standard output, the summary goes to stderr.
        print(readable(result.summary), end="", file=sys.stdout if arguments.output else sys.stderr)


def summary_path(output: Path) -> Path:
    """Return the path of the JSON that `--summary` writes beside the table.

    Args:
        output: path of the table
    """
    return output.with_name(f"{output.stem}.summary.json")


def _check_targets(
    recordings: list[Path], output: Path | None, plot: Path | None, summary: Path | None
) -> None:
    """Raise ParameterError for an output that would overwrite a recording or cannot be written."""
    taken = {recording.resolve(): "the recording" for recording in recordings}
    for option, path in (("-o", output), ("--plot", plot), ("-o, for the summary,", summary)):
        if path is None:
            continue
        if path.is_dir():
            raise ParameterError(f"{path}: is a folder; name a file with {option}")
        if path.exists() and not path.is_file():
            raise ParameterError(f"{path}: is not a regular file; name another one with {option}")
        if path.resolve() in taken:
            raise ParameterError(f"{path}: is {taken[path.resolve()]}; name another file with {option}")
        ancestor = next(parent for parent in path.absolute().parents if parent.exists())
        if not ancestor.is_dir():
            raise ParameterError(f"{path}: {ancestor} is not a folder; name another file with {option}")
        # Checked before the first file is written, so that all files are written or none.
        if not os.access(ancestor, os.W_OK):
            raise ParameterError(f"{path}: {ancestor} cannot be written to; name another file with {option}")
        taken[path.resolve()] = f"the output of {option}"
