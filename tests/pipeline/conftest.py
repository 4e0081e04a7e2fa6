"""A clone in which the whole DAG has run, made once for all pipeline tests."""

import shutil
from pathlib import Path

import pytest

from tests.pipeline.clones import make_clone, run


@pytest.fixture(scope="session")
def reproduced(tmp_path_factory) -> Path:
    """A clone in which the whole DAG has run once. Not to be changed: take `copy_of` it."""
    clone = make_clone(tmp_path_factory.mktemp("first") / "clone")
    run(clone, "dvc", "repro")
    run(clone, "git", "add", "--all")
    run(clone, "git", "commit", "--quiet", "--message", "Run the pipeline")
    return clone


@pytest.fixture
def copy_of_reproduced(reproduced, tmp_path) -> Path:
    return shutil.copytree(reproduced, tmp_path / "clone", symlinks=True)
