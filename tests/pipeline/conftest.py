"""A clone in which the whole DAG has run, for all pipeline tests, and copies of it."""

import shutil
from pathlib import Path

import pytest

from tests.pipeline.clones import reproduced_clone


@pytest.fixture(scope="session")
def reproduced() -> Path:
    """Return a clone in which the whole DAG has run once. Do not change it: use `copy_of_reproduced`."""
    return reproduced_clone()


@pytest.fixture
def copy_of_reproduced(reproduced, tmp_path) -> Path:
    return shutil.copytree(reproduced, tmp_path / "clone", symlinks=True)


@pytest.fixture(scope="module")
def module_copy(reproduced, tmp_path_factory) -> Path:
    """Return a copy for all tests of a module; each test leaves it unchanged."""
    return shutil.copytree(reproduced, tmp_path_factory.mktemp("copy") / "clone", symlinks=True)
