"""Assemble the C of the estimator: constants and parts as one translation unit."""

import re
import textwrap
from pathlib import Path
from typing import get_args, get_type_hints

import numpy as np

from tinystride import __version__
from tinystride.firmware.version import with_version

FOLDER = Path(__file__).parent
WIDTH = 120
LICENCE = "/* SPDX-License-Identifier: MIT */\n"


def header(version: str = __version__) -> str:
    """Return the text of the public header.

    Args:
        version: MAJOR.MINOR.PATCH, for the version macros

    Returns:
        text of tinystride.h
    """
    return with_version((FOLDER / "tinystride.h").read_text(), version)


def translation_unit() -> str:
    """Return the text of tinystride.c in which each part replaces the line that includes it."""

    def part(match: re.Match) -> str:
        name = match[1]
        text = constants() if name == "constants" else (FOLDER / f"{name}.inc").read_text()
        text = text.removeprefix(LICENCE)
        return f"/* ======== {name} ======== */\n\n{text}"

    return re.sub(r'#include "(\w+)\.inc"\n', part, (FOLDER / "tinystride.c").read_text())


def constants() -> str:
    """Return the constants of `constants.py` as #define lines, each below its comment."""
    from tinystride.firmware import constants as values

    blocks = ["/* Constants. Generated from tinystride/firmware/constants.py. */\n"]
    for name, annotation in get_type_hints(values, include_extras=True).items():
        kind, *metadata = get_args(annotation)
        literal = _literal(getattr(values, name), kind, "u" if "u" in metadata else "")
        comment = textwrap.wrap(f"/* {metadata[-1]} */", WIDTH, subsequent_indent=" * ")
        blocks.append("\n".join([*comment, f"#define {name} {literal}", ""]))
    return "".join(blocks)


def _literal(value: float | int | tuple[int, ...], kind: type, suffix: str) -> str:
    """Return a value as C: a table as an initializer, a float in single precision."""
    if isinstance(value, tuple):
        return f"{{{', '.join(map(str, value))}}}"
    if kind is float:
        text = np.format_float_positional(np.float32(value), unique=True, trim="0")
        return f"({text}f)" if value < 0 else f"{text}f"
    return f"{value}{suffix}"
