"""The version in the macros of tinystride.h."""

import re


def with_version(header: str, version: str) -> str:
    """The text of a header with this version in its macros."""
    values = {"": f'"{version}"'} | dict(zip(("_MAJOR", "_MINOR", "_PATCH"), version.split("."), strict=True))
    for part, value in values.items():
        header = re.sub(rf'(#define TINYSTRIDE_VERSION{part} )"?[\d.]+"?', rf"\g<1>{value}", header)
    return header
