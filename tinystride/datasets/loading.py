"""Recordings of all data sets from one folder."""

from collections.abc import Iterator
from pathlib import Path

from tinystride.datasets import gaitmap_mocap, ipol, llio, tripod, vicon
from tinystride.datasets.recording import Recording, read_error
from tinystride.datasets.simulator import load_simulated
from tinystride.errors import ParameterError

TRIPOD_EXCERPT = "example_data/raw/TRIPOD_excerpt"


LOADERS = {
    "gaitmap-mocap": gaitmap_mocap.load,
    "ipol-healthy": ipol.load,
    "llio-ruler": llio.load,
    "llio-ruler-2": lambda folder: llio.load(folder, "llio-ruler-2"),
    "simulated": load_simulated,
    "tripod": tripod.load,
    "tripod-excerpt": lambda folder: tripod.load(folder / TRIPOD_EXCERPT, "tripod-excerpt"),
    "vicon": vicon.load,
}


def load_recordings(raw_folder: Path | str, names: list[str] | None = None) -> Iterator[Recording]:
    """Load the recordings of data sets, in a fixed order.

    Args:
        raw_folder: data/raw, with one folder per data set
        names: names of the data sets; None: all that are there

    Yields:
        One recording per foot and trial.

    Raises:
        ParameterError: for an unknown name
        DataError: for a file that is missing or breaks a rule
    """
    raw_folder = Path(raw_folder)
    if names is None:
        names = [name for name in LOADERS if (raw_folder / name).is_dir()]
        if not names:
            raise read_error(raw_folder, "contains no data set", "run the download first")
    for name in sorted(set(names)):
        if name not in LOADERS:
            raise ParameterError(f"unknown data set {name!r}: choose from {', '.join(LOADERS)}")
        if not (raw_folder / name).is_dir():
            raise read_error(raw_folder / name, "is missing", "run the download again")
        yield from LOADERS[name](raw_folder / name)
