"""Catalogue of the data sets: addresses and hashes of their files, licence, citation."""

from dataclasses import dataclass
from importlib import resources
from pathlib import PurePosixPath

from tinystride.errors import DataError, ParameterError


@dataclass(frozen=True)
class Dataset:
    """One entry of the catalogue.

    Attributes:
        name: name of the data set
        kind: "public" (files at `<base>/<owner>/<repository>/<commit>/<path>`), "given" (a folder that its
            owners give on request) or "simulated"
        licence: name or summary
        citation: publication and address
        owner: owner of the repository
        repository: name of the repository
        commit: commit of the repository, 40 hexadecimal digits
        same_people_as: name of another set with the same people, or ""; both are on the same side of every
            split
        files: (path in the repository, SHA-256) of each file of a public set
    """

    name: str
    kind: str
    licence: str
    citation: str
    owner: str = ""
    repository: str = ""
    commit: str = ""
    same_people_as: str = ""
    files: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        for path, digest in self.files:
            parts = PurePosixPath(path).parts
            if not parts or parts[0] == "/" or ".." in parts or "\\" in path or ":" in path:
                raise DataError(f"{self.name}: path {path!r} leaves the data folder; correct the catalogue")
            if len(digest) != 64 or set(digest) - set("0123456789abcdef"):
                raise DataError(f"{self.name}: {path} has no SHA-256; correct the catalogue")

    def location(self, path: str) -> str:
        """Return a file's path below any base.

        Args:
            path: in the repository
        """
        return f"{self.owner}/{self.repository}/{self.commit}/{path}"


def read_hashes(text: str) -> tuple[tuple[str, str], ...]:
    """Return (path, SHA-256) of each line of a list in the format of sha256sum.

    Args:
        text: text of the list
    """
    return tuple((path, digest) for digest, path in (line.split("  ", 1) for line in text.splitlines()))


def _public(name: str, **entry: str) -> Dataset:
    hashes = resources.files(__package__).joinpath("hashes", f"{name}.txt").read_text()
    return Dataset(name=name, kind="public", files=read_hashes(hashes), **entry)


TRIPOD_CITATION = (
    "Trautmann, Zhou, Brahms, Tunca, Ersoy, Granacher, Arnrich: TRIPOD, a treadmill walking dataset with "
    "IMU, pressure-distribution and photoelectric data for gait analysis. Data 2021, 6(9), 95. "
    "https://doi.org/10.3390/data6090095"
)

CATALOGUE = {
    entry.name: entry
    for entry in (
        _public(
            "gaitmap-mocap",
            owner="mad-lab-fau",
            repository="gaitmap",
            commit="05ad9716161cdfeb4ba9fcb28eb796df0420e48d",
            licence="MIT",
            citation="Küderle et al.: Gaitmap, an open ecosystem for IMU-based human gait analysis and "
            "algorithm benchmarking. IEEE Open Journal of Engineering in Medicine and Biology 2024, 5, "
            "163-172. https://github.com/mad-lab-fau/gaitmap",
        ),
        _public(
            "ipol-healthy",
            owner="CyrilVoisard",
            repository="ipol_dataset_1",
            commit="b9f4bbb3758135b877acf1676da3e5bae527314b",
            licence="AGPL-3.0",
            citation="Voisard et al.: A reference data set for the study of healthy subject gait with "
            "inertial measurements units. Image Processing On Line 2023. https://www.ipol.im/pub/art/2023/497/",
        ),
        _public(
            "llio-ruler",
            owner="mtahakoroglu",
            repository="LLIO-aided-iPyShoe",
            commit="8a4b1e847f95c2f07385ee2cd7732ca27467e977",
            licence="MIT",
            citation="Çetin, Köroğlu: Loose learned inertial odometry. 2025. "
            "https://github.com/mtahakoroglu/LLIO-aided-iPyShoe",
        ),
        _public(
            "llio-ruler-2",
            owner="mtahakoroglu",
            repository="LLIO",
            commit="cf71a8f138d382877afaf2b6028a9aa18da54bd2",
            licence="MIT",
            citation="Çetin, Köroğlu: Loose learned inertial odometry. 2025. https://github.com/mtahakoroglu/LLIO",
            same_people_as="llio-ruler",
        ),
        Dataset(
            name="simulated",
            kind="simulated",
            licence="MIT",
            citation="made by TinyStride's own simulator of a walking foot",
        ),
        Dataset(
            name="tripod",
            kind="given",
            licence="Hasso Plattner Institute Data License 1.0.0: on request, research only, no sharing",
            citation=TRIPOD_CITATION + " Data: https://doi.org/10.5281/zenodo.5070771",
        ),
        _public(
            "tripod-excerpt",
            owner="HPI-CH",
            repository="TRIPOD",
            commit="55aed004a5959afa519cc36a0e6efcd6100b8323",
            licence="MIT",
            citation=TRIPOD_CITATION,
        ),
        _public(
            "vicon",
            owner="mtahakoroglu",
            repository="gait-driven-inertial-navigation-dataset",
            commit="b3b804e142976fe831a53b732bcb1429c5a1d622",
            licence="MIT",
            citation="Wagstaff, Peretroukhin, Kelly: Robust data-driven zero-velocity detection for "
            "foot-mounted inertial navigation. IEEE Sensors Journal 2020, 20(2), 957-967. Republished at "
            "https://github.com/mtahakoroglu/gait-driven-inertial-navigation-dataset",
        ),
    )
}


def choose(names: list[str]) -> list[Dataset]:
    """Return the entries of data sets, sorted by name.

    Args:
        names: names of the data sets

    Raises:
        ParameterError: for an unknown name, and without any name
    """
    unknown = sorted(set(names) - set(CATALOGUE))
    if unknown or not names:
        problem = f"unknown data set {unknown[0]!r}" if unknown else "no data set is named"
        raise ParameterError(f"{problem}: choose from {', '.join(CATALOGUE)}")
    return [CATALOGUE[name] for name in sorted(set(names))]


def licence_notice(names: list[str]) -> str:
    """Return licence and citation of each data set, to be read before its use.

    Args:
        names: names of the data sets
    """
    return "\n".join(f"{entry.name}: {entry.licence}\n  cite: {entry.citation}" for entry in choose(names))
