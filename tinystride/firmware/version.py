"""The version in the macros of tinystride.h."""

import re


def with_version(header: str, version: str) -> str:
    """Set the version in the macros of a header.

    Args:
        header: text of tinystride.h
        version: MAJOR.MINOR.PATCH

    Returns:
        text of the header with TINYSTRIDE_VERSION, _MAJOR, _MINOR and _PATCH of this version

    Raises:
        ValueError: if the version does not have three parts
    """
    values = {"": f'"{version}"'} | dict(zip(("_MAJOR", "_MINOR", "_PATCH"), version.split("."), strict=True))
    for part, value in values.items():
        header = re.sub(rf'(#define TINYSTRIDE_VERSION{part} )"?[\d.]+"?', rf"\g<1>{value}", header)
    return header
