"""`tinystride edge-impulse`: reads keys from the environment and files of the pipeline."""

import argparse
import json
import os
import sys
from pathlib import Path

from tinystride.errors import ServiceError


def add_edge_impulse(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command `edge-impulse` to the command line.

    Args:
        commands: subparsers of the command line
    """
    parser = commands.add_parser("edge-impulse", help="send strides and network to Edge Impulse")
    actions = parser.add_subparsers(dest="action", required=True)

    export = actions.add_parser("export", help="write the strides as data-acquisition files")
    export.add_argument("folder", type=Path, metavar="OUT_DIR")
    export.add_argument("--format", choices=["json", "cbor"], default="json", help="(default: %(default)s)")
    export.add_argument("--strides", type=Path, default=Path("data/strides"), help="(default: %(default)s)")
    export.add_argument("--split", type=Path, default=Path("data/split.json"), help="(default: %(default)s)")
    export.set_defaults(run=_export)

    upload = actions.add_parser("upload", help="send an exported folder; key in EI_API_KEY")
    upload.add_argument("folder", type=Path, metavar="OUT_DIR", help="folder written by export")
    upload.add_argument(
        "--host", help="ingestion service (default: EI_INGESTION_ENDPOINT, or Edge Impulse's own)"
    )
    upload.add_argument("--workers", type=int, default=4, help="files at once (default: %(default)s)")
    upload.set_defaults(run=_upload)

    profile = actions.add_parser("profile", help="estimate the cost of a network with the official package")
    profile.add_argument("model", type=Path, metavar="MODEL.tflite")
    profile.add_argument("--device", help="name of a device (default: typical devices)")
    profile.set_defaults(run=_profile)

    deploy = actions.add_parser("deploy", help="have Edge Impulse make a library of a network")
    deploy.add_argument("model", type=Path, metavar="MODEL.tflite")
    deploy.add_argument("output", type=Path, metavar="OUT.zip")
    deploy.add_argument("--target", default="zip", help="(default: %(default)s, a C++ library)")
    deploy.set_defaults(run=_deploy)


def _export(arguments: argparse.Namespace) -> None:
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


def _upload(arguments: argparse.Namespace) -> None:
    from tinystride import edge_impulse

    done = edge_impulse.upload(
        arguments.folder,
        api_key=edge_impulse.key_from("EI_API_KEY", needed=True),
        host=arguments.host or os.environ.get("EI_INGESTION_ENDPOINT") or edge_impulse.INGESTION_HOST,
        workers=arguments.workers,
        progress=True,
    )
    print(f"{done.accepted} accepted, {done.accepted_before} accepted before, {len(done.refused)} refused")
    for path, reason in done.refused.items():
        print(f"refused: {path}: {reason}", file=sys.stderr)
    if done.refused:
        raise ServiceError(f"{len(done.refused)} files were refused; run it again to send them again")


def _profile(arguments: argparse.Namespace) -> None:
    from tinystride import edge_impulse

    key = edge_impulse.key_from("EI_API_KEY", needed=True)
    print(json.dumps(edge_impulse.profile(arguments.model, api_key=key, device=arguments.device), indent=2))


def _deploy(arguments: argparse.Namespace) -> None:
    from tinystride import edge_impulse

    key = edge_impulse.key_from("EI_API_KEY", needed=True)
    edge_impulse.deploy(arguments.model, arguments.output, api_key=key, target=arguments.target)
