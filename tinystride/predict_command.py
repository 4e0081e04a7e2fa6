"""`tinystride predict`: read recordings, estimate their strides, write tables."""

import argparse
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tinystride.default_model import DEFAULT_MODEL
from tinystride.engines import ENGINES
from tinystride.errors import DataError, ModelError, ParameterError

if TYPE_CHECKING:
    from tinystride.api import Result


def add_predict(commands: argparse._SubParsersAction) -> None:
    """Add the parser of `predict` to the commands of the command line."""
    parser = commands.add_parser("predict", help="the strides of a recording of your own, as csv")
    _add_reading_options(parser)
    _add_estimation_options(parser)
    parser.set_defaults(run=run_predict)


def _add_reading_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "recording",
        type=Path,
        metavar="RECORDING.csv",
        help="with the columns acc_x, acc_y, acc_z, gyr_x, gyr_y, gyr_z and, to find lost samples, time_s",
    )
    parser.add_argument("--rate-hz", type=float, required=True, help="sampling rate, 50 to 400")
    parser.add_argument("--foot", choices=["left", "right"], required=True, help="that wore the sensor")
    parser.add_argument("--acc-unit", choices=["m/s2", "g"], default="m/s2", help="(default: %(default)s)")
    parser.add_argument(
        "--gyr-unit", choices=["rad/s", "deg/s"], default="rad/s", help="(default: %(default)s)"
    )


def _add_estimation_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--model",
        type=Path,
        default=DEFAULT_MODEL,
        metavar="FILE.tflite",
        help="(default: that of the pipeline)",
    )
    parser.add_argument(
        "--engine",
        choices=ENGINES,
        default="offline",
        help="offline: the recording as a whole; c: sample by sample through the C library, built for this "
        "computer; python: its reference (default: %(default)s)",
    )
    parser.add_argument(
        "--plot", type=Path, metavar="FILE.png", help="also draw the walk, its lengths and flags"
    )
    parser.add_argument(
        "--summary",
        action="store_true",
        help="also print mean, SD and median of each parameter over steady strides; with -o STRIDES.csv, "
        "write STRIDES.summary.json, too",
    )
    parser.add_argument("-o", "--output", type=Path, metavar="STRIDES.csv", help="(default: standard output)")


def run_predict(arguments: argparse.Namespace) -> None:
    """Read, estimate, write; nothing is written unless all of it succeeds."""
    if not arguments.recording.is_file():
        problem = "is no file" if arguments.recording.exists() else "is not there"
        raise DataError(f"{arguments.recording}: {problem}; name a csv file")
    summary = summary_path(arguments.output) if arguments.summary and arguments.output else None
    _check_targets(arguments.recording, arguments.output, arguments.plot, summary)
    if not arguments.model.is_file():
        raise ModelError(f"{arguments.model}: is not there; run `dvc repro`, or name a .tflite with --model")
    from tinystride.api import estimate

    recording = _read(arguments)
    _write(estimate(recording, model=arguments.model, engine=arguments.engine), arguments)


def _read(arguments: argparse.Namespace):
    from tinystride.reading import ReadingOptions, read_recordings

    options = ReadingOptions(
        rate_hz=arguments.rate_hz,
        foot=arguments.foot,
        acc_unit=arguments.acc_unit,
        gyr_unit=arguments.gyr_unit,
    )
    (recording,) = read_recordings([arguments.recording], options)
    return recording


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
        # Where the table goes to standard output, the summary must not get into it.
        print(readable(result.summary), end="", file=sys.stdout if arguments.output else sys.stderr)


def summary_path(output: Path) -> Path:
    """Where `--summary` writes JSON beside the table `output`."""
    return output.with_name(f"{output.stem}.summary.json")


def _check_targets(recording: Path, output: Path | None, plot: Path | None, summary: Path | None) -> None:
    """Before anything is computed: refuse what would overwrite the recording or could not be written."""
    taken = {recording.resolve(): "the recording"}
    for option, path in (("-o", output), ("--plot", plot), ("-o, for the summary,", summary)):
        if path is None:
            continue
        if path.is_dir():
            raise ParameterError(f"{path}: is a folder; name a file with {option}")
        if path.exists() and not path.is_file():
            raise ParameterError(f"{path}: is no regular file; name another one with {option}")
        if path.resolve() in taken:
            raise ParameterError(f"{path}: is {taken[path.resolve()]}; name another file with {option}")
        ancestor = next(parent for parent in path.absolute().parents if parent.exists())
        if not ancestor.is_dir():
            raise ParameterError(f"{path}: {ancestor} is no folder; name another file with {option}")
        # Before the first of two files is written, of which both or none should be there.
        if not os.access(ancestor, os.W_OK):
            raise ParameterError(f"{path}: {ancestor} cannot be written to; name another file with {option}")
        taken[path.resolve()] = f"what {option} writes"
