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

from tinystride import __version__
from tinystride.edge_impulse_command import add_edge_impulse
from tinystride.errors import TinyStrideError
from tinystride.files import final_path
from tinystride.predict_command import add_predict
from tinystride.sweep_command import add_sweep

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
    """End the process with one line on stderr and exit status 1 if an expected error is raised.

    Yields:
        Nothing: the block is the program.
    """
    try:
        yield
        # Flush here: a reader that has closed the pipe is noticed as BrokenPipeError, not when Python ends.
        if sys.stdout is not None:
            sys.stdout.flush()
    except TinyStrideError as error:
        message = str(error)
    except BrokenPipeError:
        # The reader has closed the pipe. Python would complain once more when it flushes at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(128 + signal.SIGPIPE)
    except OSError as error:
        place = final_path(error.filename) if error.filename is not None else "input or output"
        remedy = REMEDIES.get(error.errno or 0, "check the file and its folder")
        message = f"{place}: {error.strerror or error}; {remedy}"
    except KeyboardInterrupt:
        sys.exit(130)
    else:
        return
    # End the line of a progress bar that the error has interrupted.
    if "tqdm" in sys.modules:
        for bar in list(getattr(sys.modules["tqdm"].tqdm, "_instances", ())):
            bar.close()
    print(f"error: {message}", file=sys.stderr)
    sys.exit(1)


def _export(arguments: argparse.Namespace) -> None:
    from tinystride.codegen import export_model
    from tinystride.codegen.export import LIBRARY_PREFIX

    files = export_model(
        arguments.model, arguments.out_dir, prefix=arguments.prefix, optimize=arguments.optimize
    )["files"]
    if arguments.prefix == LIBRARY_PREFIX and "test/golden_vectors.h" not in files:
        print(
            "note: golden vectors and host test are left out: they need a C compiler (Debian: gcc)",
            file=sys.stderr,
        )


def _benchmark(arguments: argparse.Namespace) -> None:
    from tinystride.mcu import benchmark_model

    metrics = benchmark_model(
        arguments.model, core=arguments.core, vectors=arguments.vectors, seed=arguments.seed
    )
    if metrics["mismatches"] is None:
        print(
            "note: not compared with TensorFlow Lite for Microcontrollers: its Python package tflite-micro "
            "exists for Linux on x86-64 only",
            file=sys.stderr,
        )
    if arguments.json:
        print(json.dumps(metrics, indent=2))
        return
    for name, value in metrics.items():
        print(f"{name:24} {'not compared' if value is None else value}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tinystride", description="Estimate stride length from a shoe-worn inertial sensor."
    )
    parser.add_argument("--version", action="version", version=f"tinystride {__version__}")
    commands = parser.add_subparsers(dest="command", required=True)

    add_predict(commands)
    export = commands.add_parser("export", help="write an int8 .tflite as freestanding C99")
    export.add_argument("model", type=Path, metavar="MODEL.tflite")
    export.add_argument("out_dir", type=Path, metavar="OUT_DIR")
    export.add_argument(
        "--prefix", default="tinystride_model", help="prefix of every public name (default: %(default)s)"
    )
    export.add_argument(
        "--optimize",
        choices=("speed", "size"),
        default="speed",
        help="speed: fast kernels where shapes and core allow them; size: little code (default: %(default)s)",
    )
    export.set_defaults(run=_export)

    benchmark = commands.add_parser(
        "benchmark", help="count bytes and instructions of that C on an emulated core, checked bit by bit"
    )
    benchmark.add_argument("model", type=Path, metavar="MODEL.tflite")
    benchmark.add_argument("--core", default="cortex-m4f", help="core to emulate (default: %(default)s)")
    benchmark.add_argument(
        "--vectors", type=int, default=1000, help="number of inputs to compare (default: %(default)s)"
    )
    benchmark.add_argument(
        "--seed", type=int, default=0, help="seed of the random inputs (default: %(default)s)"
    )
    benchmark.add_argument("--json", action="store_true", help="print JSON")
    benchmark.set_defaults(run=_benchmark)
    add_edge_impulse(commands)
    add_sweep(commands)
    return parser


def main(argv: list[str] | None = None) -> None:
    """Run the command line.

    Args:
        argv: arguments without the program's name; None: those of this process
    """
    arguments = _parser().parse_args(argv)
    with one_line_errors():
        arguments.run(arguments)


if __name__ == "__main__":
    main()
