"""The command line: `tinystride COMMAND …`, also `python -m tinystride COMMAND …`."""

import argparse
import errno
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tqdm import tqdm

from tinystride.errors import DataError, ModelError, ServiceError, TinyStrideError
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
    except OSError as error:
        place = error.filename if error.filename is not None else "input or output"
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
        raise DataError(f"{arguments.recording}: is not there; name a csv file")
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


def _edge_impulse_export(arguments: argparse.Namespace) -> None:
    from tinystride import edge_impulse
    from tinystride.files import read_json
    from tinystride.gait.strides import read_strides

    counts = edge_impulse.export(
        read_strides(arguments.strides),
        read_json(arguments.split),
        arguments.folder,
        file_format=arguments.format,
        hmac_key=edge_impulse.key_from("EI_HMAC_KEY"),
        progress=True,
    )
    print(", ".join(f"{count} files for {category}" for category, count in counts.items()))


def _edge_impulse_upload(arguments: argparse.Namespace) -> None:
    from tinystride import edge_impulse

    done = edge_impulse.upload(
        arguments.folder,
        api_key=edge_impulse.key_from("EI_API_KEY", needed=True),
        host=arguments.host or os.environ.get("EI_INGESTION_ENDPOINT") or edge_impulse.INGESTION_HOST,
        workers=arguments.workers,
        progress=True,
    )
    print(f"{done.accepted} accepted, {done.accepted_before} accepted before, {len(done.refused)} refused")
    for path, why_not in done.refused.items():
        print(f"refused: {path}: {why_not}", file=sys.stderr)
    if done.refused:
        raise ServiceError(f"{len(done.refused)} files were refused; run it again to send them again")


def _edge_impulse_profile(arguments: argparse.Namespace) -> None:
    from tinystride import edge_impulse

    key = edge_impulse.key_from("EI_API_KEY", needed=True)
    print(json.dumps(edge_impulse.profile(arguments.model, api_key=key, device=arguments.device), indent=2))


def _edge_impulse_deploy(arguments: argparse.Namespace) -> None:
    from tinystride import edge_impulse

    key = edge_impulse.key_from("EI_API_KEY", needed=True)
    edge_impulse.deploy(arguments.model, arguments.output, api_key=key, target=arguments.target)


def _add_edge_impulse(commands) -> None:
    parser = commands.add_parser("edge-impulse", help="strides and network to Edge Impulse")
    actions = parser.add_subparsers(dest="action", required=True)

    export = actions.add_parser("export", help="the split strides as data-acquisition files")
    export.add_argument("folder", type=Path, metavar="OUT_DIR")
    export.add_argument("--format", choices=["json", "cbor"], default="json", help="(default: %(default)s)")
    export.add_argument("--strides", type=Path, default=Path("data/strides"), help="(default: %(default)s)")
    export.add_argument("--split", type=Path, default=Path("data/split.json"), help="(default: %(default)s)")
    export.set_defaults(run=_edge_impulse_export)

    upload = actions.add_parser("upload", help="send an exported folder; key in EI_API_KEY")
    upload.add_argument("folder", type=Path, metavar="OUT_DIR", help="as export has written it")
    upload.add_argument("--host", help="(default: EI_INGESTION_ENDPOINT, or Edge Impulse's own)")
    upload.add_argument("--workers", type=int, default=4, help="files at once (default: %(default)s)")
    upload.set_defaults(run=_edge_impulse_upload)

    profile = actions.add_parser("profile", help="what the official package estimates that a network costs")
    profile.add_argument("model", type=Path, metavar="MODEL.tflite")
    profile.add_argument("--device", help="one of its devices (default: typical ones)")
    profile.set_defaults(run=_edge_impulse_profile)

    deploy = actions.add_parser("deploy", help="a library of a network, made by Edge Impulse")
    deploy.add_argument("model", type=Path, metavar="MODEL.tflite")
    deploy.add_argument("output", type=Path, metavar="OUT.zip")
    deploy.add_argument("--target", default="zip", help="(default: %(default)s, a C++ library)")
    deploy.set_defaults(run=_edge_impulse_deploy)


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
    _add_edge_impulse(commands)
    add_sweep(commands)
    return parser


def main(argv: list[str] | None = None) -> None:
    arguments = _parser().parse_args(argv)
    with one_line_errors():
        arguments.run(arguments)


if __name__ == "__main__":
    main()
