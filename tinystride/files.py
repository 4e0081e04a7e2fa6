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
    """Where `path` is being written until complete: a hidden sibling, so that the final move is atomic."""
    return path.with_name(f".{path.name}.partial")


def complete_path(path: Path | str) -> Path:
    """The path that is being written where `partial_path` has named one; any other path as it is."""
    path = Path(path)
    partial = path.name.startswith(".") and path.name.endswith(".partial")
    return path.with_name(path.name[1 : -len(".partial")]) if partial else path


@contextmanager
def complete_folder(path: Path | str, *, keep_partial: bool = False) -> Iterator[Path]:
    """Yield an empty folder that replaces `path` if the block succeeds and vanishes if it fails.

    `keep_partial` lets the block resume from, and leave behind, what an interrupted run had written.
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
def complete_file(path: Path | str) -> Iterator[Path]:
    """Yield a path to write to that replaces `path` if the block succeeds and vanishes if it fails.

    Where `path` is a symbolic link, what it leads to is replaced, and the link stays.
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
    with complete_file(path) as partial:
        partial.write_bytes(content)


def write_text(path: Path | str, content: str) -> None:
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
    """Write `content` as JSON of stable bytes: two-space indent, keys in the order given, NaN refused."""
    write_text(path, json.dumps(content, indent=2, default=_plain, allow_nan=False) + "\n")


def read_json(path: Path | str) -> Any:
    return json.loads(Path(path).read_text())


def sha256(path: Path | str) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
