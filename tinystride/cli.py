"""The command line: `tinystride COMMAND …`, also `python -m tinystride COMMAND …`."""

import argparse
import errno
import json
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tqdm import tqdm

from tinystride.edge_impulse_command import add_edge_impulse
from tinystride.errors import DataError, ModelError, ParameterError, TinyStrideError
from tinystride.files import complete_path
from tinystride.sweep_command import add_sweep

DEFAULT_MODEL = Path(__file__).resolve().parents[1] / "models" / "stride_int8.tflite"
REMEDIES = {
    errno.ENOSPC: "free some space and run it again",
    errno.EDQUOT: "free some space and run it again",
    errno.EACCES: "make it readable and its folder writable",
    errno.EPERM: "make it readable and its folder writable",
    errno.EROFS: "use a folder that can be written",
    errno.ENOENT: "check the path",
    errno.EISDIR: "name a file",
    errno.ENOTDIR: "name a folder",
}


@contextmanager
def one_line_errors() -> Iterator[None]:
    """End the process with one line on stderr and status 1 where an expected error comes up."""
    try:
        yield
    except TinyStrideError as error:
        message = str(error)
    except BrokenPipeError:
        # Whoever reads has had enough; Python would complain once more when it flushes.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(128 + signal.SIGPIPE)
    except OSError as error:
        place = complete_path(error.filename) if error.filename is not None else "input or output"
        remedy = REMEDIES.get(error.errno, "check the file and its folder")
        message = f"{place}: {error.strerror or error}; {remedy}"
    except KeyboardInterrupt:
        sys.exit(130)
    else:
        return
    # A progress bar that the error has cut short ends its line first.
    for bar in list(getattr(tqdm, "_instances", ())):
        bar.close()
    print(f"error: {message}", file=sys.stderr)
    sys.exit(1)


def _predict(arguments: argparse.Namespace) -> None:
    if not arguments.recording.is_file():
        problem = "is no file" if arguments.recording.exists() else "is not there"
        raise DataError(f"{arguments.recording}: {problem}; name a csv file")
    _check_targets(arguments.recording, arguments.output, arguments.plot)
    if not arguments.model.is_file():
        raise ModelError(f"{arguments.model}: is not there; run `dvc repro`, or name a .tflite with --model")

    from tinystride.datasets.own import load_csv
    from tinystride.files import write_text
    from tinystride.predict import result_csv

    recording = load_csv(
        arguments.recording,
        rate_hz=arguments.rate_hz,
        foot=arguments.foot,
        acc_unit=arguments.acc_unit,
        gyr_unit=arguments.gyr_unit,
    )
    strides = _strides(recording, arguments.model, arguments.engine)
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


def _strides(recording, model: Path, engine: str):
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


def _export(arguments: argparse.Namespace) -> None:
    from tinystride.codegen import export_model

    export_model(arguments.model, arguments.out_dir, prefix=arguments.prefix)


def _benchmark(arguments: argparse.Namespace) -> None:
    from tinystride.mcu import benchmark_model

    figures = benchmark_model(
        arguments.model, core=arguments.core, vectors=arguments.vectors, seed=arguments.seed
    )
    if arguments.json:
        print(json.dumps(figures, indent=2))
        return
    for name, value in figures.items():
        print(f"{name:24} {value}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="tinystride", description="Stride length on the sensor itself.")
    commands = parser.add_subparsers(dest="command", required=True)

    predict = commands.add_parser("predict", help="the strides of a recording of your own, as csv")
    predict.add_argument(
        "recording",
        type=Path,
        metavar="RECORDING.csv",
        help="with the columns acc_x, acc_y, acc_z, gyr_x, gyr_y, gyr_z and, to find lost samples, time_s",
    )
    predict.add_argument("--rate-hz", type=float, required=True, help="sampling rate, 50 to 400")
    predict.add_argument("--foot", choices=["left", "right"], required=True, help="that wore the sensor")
    predict.add_argument("--acc-unit", choices=["m/s2", "g"], default="m/s2", help="(default: %(default)s)")
    predict.add_argument(
        "--gyr-unit", choices=["rad/s", "deg/s"], default="rad/s", help="(default: %(default)s)"
    )
    predict.add_argument(
        "--model",
        type=Path,
        default=DEFAULT_MODEL,
        metavar="FILE.tflite",
        help="(default: that of the pipeline)",
    )
    predict.add_argument(
        "--engine",
        choices=["offline", "python", "c"],
        default="offline",
        help="offline: the recording as a whole; c: sample by sample through the C library, built for this "
        "computer; python: its reference (default: %(default)s)",
    )
    predict.add_argument("--plot", type=Path, metavar="FILE.png", help="draw signals, lengths and flags, too")
    predict.add_argument(
        "-o", "--output", type=Path, metavar="STRIDES.csv", help="(default: standard output)"
    )
    predict.set_defaults(run=_predict)

    export = commands.add_parser("export", help="an int8 .tflite to freestanding C99")
    export.add_argument("model", type=Path, metavar="MODEL.tflite")
    export.add_argument("out_dir", type=Path, metavar="OUT_DIR")
    export.add_argument(
        "--prefix", default="tinystride_model", help="of every public name (default: %(default)s)"
    )
    export.set_defaults(run=_export)

    benchmark = commands.add_parser(
        "benchmark", help="what that C costs on an emulated core, checked bit by bit"
    )
    benchmark.add_argument("model", type=Path, metavar="MODEL.tflite")
    benchmark.add_argument("--core", default="cortex-m4f", help="(default: %(default)s)")
    benchmark.add_argument(
        "--vectors", type=int, default=1000, help="inputs to compare (default: %(default)s)"
    )
    benchmark.add_argument("--seed", type=int, default=0, help="of the inputs (default: %(default)s)")
    benchmark.add_argument("--json", action="store_true", help="print JSON")
    benchmark.set_defaults(run=_benchmark)
    add_edge_impulse(commands)
    add_sweep(commands)
    return parser


def main(argv: list[str] | None = None) -> None:
    arguments = _parser().parse_args(argv)
    with one_line_errors():
        arguments.run(arguments)


if __name__ == "__main__":
    main()
