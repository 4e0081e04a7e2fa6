"""A clone in which the whole DAG has run, made once for all pipeline tests of all workers."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.pipeline.clones import make_clone, run

FIRST = "test_repro.py"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One pipeline file first and the others last: its worker makes the clone while others test elsewhere."""

    def place(item: pytest.Item) -> int:
        if item.path.parent != Path(__file__).parent:
            return 1
        return 0 if item.path.name == FIRST else 2

    items.sort(key=place)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """One process of this session at a time."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def session_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all workers of this session share."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


@pytest.fixture(scope="session")
def reproduced(tmp_path_factory) -> Path:
    """Return a clone in which the whole DAG has run once. Do not change it: use `copy_of_reproduced`."""
    folder = session_folder(tmp_path_factory) / "reproduced"
    with locked(folder.with_suffix(".lock")):
        clone = folder / "clone"
        if not folder.exists():
            making = folder.with_suffix(".making")
            shutil.rmtree(making, ignore_errors=True)  # of a worker that failed
            clone = make_clone(making / "clone")
            run(clone, "dvc", "repro")
            run(clone, "git", "add", "--all")
            run(clone, "git", "commit", "--quiet", "--message", "Run the pipeline")
            making.rename(folder)
            clone = folder / "clone"
    return clone


@pytest.fixture
def copy_of_reproduced(reproduced, tmp_path) -> Path:
    return shutil.copytree(reproduced, tmp_path / "clone", symlinks=True)


@pytest.fixture(scope="module")
def module_copy(reproduced, tmp_path_factory) -> Path:
    """Return a copy for all tests of a module; each test leaves it unchanged."""
    return shutil.copytree(reproduced, tmp_path_factory.mktemp("copy") / "clone", symlinks=True)
