"""`tinystride predict`: read recordings, estimate their strides, write tables."""

import argparse
import os
from pathlib import Path

from tinystride.errors import DataError, ModelError, ParameterError

DEFAULT_MODEL = Path(__file__).resolve().parents[1] / "models" / "stride_int8.tflite"


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
        choices=["offline", "python", "c"],
        default="offline",
        help="offline: the recording as a whole; c: sample by sample through the C library, built for this "
        "computer; python: its reference (default: %(default)s)",
    )
    parser.add_argument("--plot", type=Path, metavar="FILE.png", help="draw signals, lengths and flags, too")
    parser.add_argument("-o", "--output", type=Path, metavar="STRIDES.csv", help="(default: standard output)")


def run_predict(arguments: argparse.Namespace) -> None:
    """Read, estimate, write; nothing is written unless all of it succeeds."""
    if not arguments.recording.is_file():
        problem = "is no file" if arguments.recording.exists() else "is not there"
        raise DataError(f"{arguments.recording}: {problem}; name a csv file")
    _check_targets(arguments.recording, arguments.output, arguments.plot)
    if not arguments.model.is_file():
        raise ModelError(f"{arguments.model}: is not there; run `dvc repro`, or name a .tflite with --model")
    recording = _read(arguments)
    strides = _estimate(recording, arguments.model, arguments.engine)
    _write(recording, strides, arguments)


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


def _estimate(recording, model: Path, engine: str):
    if engine == "offline":
        from tinystride.learning.prediction import Network
        from tinystride.predict import predict_strides

        return predict_strides(recording, Network.load(model))
    from tinystride.predict import stream_strides

    if engine == "c":
        from tinystride.streaming.native import NativeEstimator as Estimator
    else:
        from tinystride.streaming.reference import ReferenceEstimator as Estimator
    return stream_strides(recording, Estimator(model))


def _write(recording, strides, arguments: argparse.Namespace) -> None:
    from tinystride.files import write_text
    from tinystride.predict import result_csv

    if arguments.plot:
        from tinystride.predict_figure import draw_strides

        draw_strides(recording, strides, arguments.plot)
    if arguments.output:
        write_text(arguments.output, result_csv(strides))
    else:
        print(result_csv(strides), end="")


def _check_targets(recording: Path, output: Path | None, plot: Path | None) -> None:
    """Before anything is computed: refuse what would overwrite the recording or could not be written."""
    taken = {recording.resolve(): "the recording"}
    for option, path in (("-o", output), ("--plot", plot)):
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
