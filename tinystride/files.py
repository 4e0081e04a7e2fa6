"""Files and folders that are either complete or absent."""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np


def partial_path(path: Path) -> Path:
    """Return the hidden path beside `path` that it is written to until it is complete.

    Both are in one folder, so that the final move is atomic.

    Args:
        path: file or folder to write
    """
    return path.with_name(f".{path.name}.partial")


def final_path(path: Path | str) -> Path:
    """Return the path that a `partial_path` stands for; any other path as it is.

    Args:
        path: a path that may come from `partial_path`
    """
    path = Path(path)
    partial = path.name.startswith(".") and path.name.endswith(".partial")
    return path.with_name(path.name[1 : -len(".partial")]) if partial else path


@contextmanager
def atomic_folder(path: Path | str, *, keep_partial: bool = False) -> Iterator[Path]:
    """Yield an empty folder that replaces `path` if the block succeeds and is removed if it fails.

    Args:
        path: the folder to write
        keep_partial: keep the folder of a block that failed, and start from what an earlier one left

    Yields:
        The folder to write to.
    """
    path = Path(path)
    partial = partial_path(path)
    if not keep_partial:
        shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True, exist_ok=True)
    try:
        yield partial
    except BaseException:
        if not keep_partial:
            shutil.rmtree(partial, ignore_errors=True)
        raise
    if path.exists():
        shutil.rmtree(path)
    os.replace(partial, path)


@contextmanager
def atomic_write(path: Path | str) -> Iterator[Path]:
    """Yield a path to write to, whose file replaces `path` if the block succeeds and is removed if it fails.

    Args:
        path: the file to write; its folder is made if missing. If it is a symbolic link, the link stays and
            the file that it points to is replaced.

    Yields:
        The path to write to.
    """
    path = Path(path)
    path = path.resolve() if path.is_symlink() else path
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = partial_path(path)
    try:
        yield partial
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def write_bytes(path: Path | str, content: bytes) -> None:
    """Write a file atomically.

    Args:
        path: the file to write
        content: its bytes
    """
    with atomic_write(path) as partial:
        partial.write_bytes(content)


def write_text(path: Path | str, content: str) -> None:
    """Write a text file atomically, as UTF-8 and with the line feeds that it has.

    Args:
        path: the file to write
        content: its text
    """
    write_bytes(path, content.encode())


def _plain(value: object) -> object:
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, Path):
        return value.as_posix()
    raise TypeError(f"not JSON: {type(value).__name__}")


def write_json(path: Path | str, content: object) -> None:
    """Write a JSON file atomically; equal content gives equal bytes.

    Args:
        path: the file to write
        content: plain values, NumPy scalars and arrays, paths; keys are written in the order given

    Raises:
        ValueError: for a number that is NaN or infinite
        TypeError: for a value of another type
    """
    write_text(path, json.dumps(content, indent=2, default=_plain, allow_nan=False) + "\n")


def read_json(path: Path | str) -> Any:
    """Return the content of a JSON file.

    Args:
        path: the file to read
    """
    return json.loads(Path(path).read_text())


def sha256(path: Path | str) -> str:
    """Return the SHA-256 of a file, 64 hexadecimal digits.

    Args:
        path: the file to read
    """
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
