"""Generate the package manifests of an exported library: CMake, Arduino, PlatformIO, Zephyr, ESP-IDF."""

import json
from pathlib import PurePosixPath

from tinystride.codegen.templates import render

URL = "https://github.com/tinystride/tinystride"
LICENCE = "SPDX-License-Identifier: MIT"
TEMPLATES = {
    "CMakeLists.txt": "CMakeLists.txt.j2",
    "library.properties": "library.properties.j2",
    "idf_component.yml": "idf_component.yml.j2",
    "zephyr/module.yml": "zephyr_module.yml.j2",
    "zephyr/CMakeLists.txt": "zephyr_CMakeLists.txt.j2",
    "zephyr/Kconfig": "zephyr_Kconfig.j2",
}
# Comment syntax by a file's ending or name.
COMMENTS = {
    **dict.fromkeys((".c", ".h", ".ld"), "/* {} */"),
    ".ino": "// {}",
    **dict.fromkeys((".yml", "CMakeLists.txt", "Kconfig"), "# {}"),
}


def package_files(*, version: str, streams: bool, vectors: int) -> dict[str, str]:
    """Return the manifests and build files of a library, {path in the library: text}.

    Args:
        version: MAJOR.MINOR.PATCH
        streams: whether the streaming estimator is part of the library
        vectors: number of golden vectors of its host test; 0: no test
    """
    description = "Stride lengths from a shoe-worn inertial sensor" if streams else "An int8 network in C99"
    values = {
        "version": version,
        "streams": streams,
        "vectors": vectors,
        "description": description,
        "url": URL,
    }
    files = {name: render(template, **values) for name, template in TEMPLATES.items()}
    files["library.json"] = json.dumps(_platformio(version, streams, description), indent=2) + "\n"
    return files


def _platformio(version: str, streams: bool, description: str) -> dict:
    return {
        "name": "TinyStride",
        "version": version,
        "description": f"{description}, C99, without allocation",
        "keywords": ["gait", "imu", "stride", "inference", "tinyml"],
        "repository": {"type": "git", "url": f"{URL}.git"},
        "authors": [{"name": "TinyStride contributors", "url": URL, "maintainer": True}],
        "license": "MIT",
        "frameworks": "*",
        "platforms": "*",
        "headers": ["tinystride.h"] * streams + ["tinystride_model.h"],
        "build": {"includeDir": "include", "srcDir": "src"},
    }


def with_licence(name: str, text: str) -> str:
    r"""Return a file's text with an SPDX licence line on top.

    Files of other types, and those with such a line, are returned as they are.

    Args:
        name: name of the file, whose ending selects the comment
        text: text of the file

    >>> with_licence("main.c", "int x;")
    '/* SPDX-License-Identifier: MIT */\nint x;'
    """
    path = PurePosixPath(name)
    comment = COMMENTS.get(path.suffix) or COMMENTS.get(path.name)
    if comment is None or LICENCE in text.split("\n", 1)[0]:
        return text
    return f"{comment.format(LICENCE)}\n{text}"
