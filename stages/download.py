"""Download and verify the recordings of the chosen data sets: data/raw."""

import os
from pathlib import Path

from stages.common import RAW, run_stage, show, validated_kwargs
from tinystride.datasets.catalogue import licence_notice
from tinystride.datasets.download import download


def download_mirrors() -> list[str | Path]:
    """Return TINYSTRIDE_MIRROR and ../shared/data, if they exist."""
    # In an experiment's copy of the checkout, DVC_ROOT still names the checkout itself.
    beside = Path(os.environ.get("DVC_ROOT", ".")).resolve().parent / "shared" / "data"
    named = os.environ.get("TINYSTRIDE_MIRROR")
    return [*([named] if named else []), *([beside] if beside.is_dir() else [])]


def main(parameters: dict) -> None:
    sources = download(
        raw_folder=RAW,
        mirrors=download_mirrors(),
        seed=parameters["seed"],
        tripod_folder=os.environ.get("TINYSTRIDE_TRIPOD"),
        **validated_kwargs("download", parameters, download),
    )
    show(licence_notice(list(sources["datasets"])))


if __name__ == "__main__":
    run_stage("download", main)
