"""Set the version in the manifests and the header of an exported library."""

import re
from pathlib import Path

from tinystride.files import write_text
from tinystride.firmware.version import with_version

# Text before the version in each manifest.
VERSIONED = {
    "CMakeLists.txt": r"project\(tinystride VERSION ",
    "library.properties": r"(?m:^)version=",
    "library.json": r'"version": "',
    "idf_component.yml": r'(?m:^)version: "',
}


def set_version(folder: Path, version: str) -> None:
    """Set the version in the manifests and the header of an exported library.

    Args:
        folder: folder of the library; files that are missing are passed over
        version: MAJOR.MINOR.PATCH
    """
    for name, before in VERSIONED.items():
        if (path := folder / name).is_file():
            write_text(
                path, re.sub(rf"({before})\d+\.\d+\.\d+", rf"\g<1>{version}", path.read_text(), count=1)
            )
    if (path := folder / "include/tinystride.h").is_file():
        write_text(path, with_version(path.read_text(), version))
