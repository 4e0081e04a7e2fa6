"""Files that all processes of a test run share: the first process that needs them makes them."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

# Names the folder of this run; the processes of pytest-xdist inherit it.
VARIABLE = "TESTS_SHARED_FOLDER"


@cache
def _own_folder() -> tempfile.TemporaryDirectory:
    """Return a folder that is deleted when this process ends."""
    return tempfile.TemporaryDirectory(prefix="tests-shared-")


def start_sharing() -> None:
    """Let all processes that this one starts use the same folder."""
    os.environ.setdefault(VARIABLE, _own_folder().name)


def shared(name: str, make: Callable[[Path], None]) -> Path:
    """Return a folder of this run. If it does not exist, `make` fills it, in one process at a time."""
    base = Path(os.environ.get(VARIABLE) or _own_folder().name)
    folder, unfinished = base / name, base / f"{name}.unfinished"
    with (base / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            shutil.rmtree(unfinished, ignore_errors=True)  # of a process that failed
            unfinished.mkdir()
            make(unfinished)
            unfinished.rename(folder)
    return folder
