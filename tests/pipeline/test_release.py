"""Releases with real Git, DVC and GTO: a version can be fetched exactly and does not change."""

import hashlib
import os
import re
import shutil
import subprocess
from pathlib import Path

import dvc.api
import pytest

from tests.pipeline.clones import run, set_parameters

MODEL = "models/stride_int8.tflite"


def release(clone: Path, version: str, check: bool = True) -> subprocess.CompletedProcess:
    return run(clone, "python", "-m", "tools.release", version, check=check)


def refusal(folder: Path, version: str = "v1.0.0") -> str:
    """Return the line with which a release is rejected."""
    done = release(folder, version, check=False)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: ") and done.stdout == ""
    return line


def commit(clone: Path, message: str) -> None:
    run(clone, "git", "add", "--all")
    run(clone, "git", "commit", "--quiet", "--message", message)


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def released(reproduced, tmp_path_factory) -> Path:
    """A clone with two versions of which the second has another network; DVC's cache is gone."""
    clone = shutil.copytree(reproduced, tmp_path_factory.mktemp("released") / "clone", symlinks=True)
    run(clone, "dvc", "push")
    release(clone, "v1.0.0")
    (clone / "kept").mkdir()
    shutil.copy2(clone / MODEL, clone / "kept")
    (clone / ".git" / "info" / "exclude").write_text("kept\n")
    # In a second, instead of training again.
    for path in (clone / MODEL, clone / "models/built" / Path(MODEL).name):
        another = path.read_bytes() + b"another"
        path.unlink()
        path.write_bytes(another)
    run(clone, "dvc", "commit", "--force")
    commit(clone, "Another network")
    run(clone, "dvc", "push")
    release(clone, "v1.1.0")
    shutil.rmtree(clone / ".dvc" / "cache")
    return clone


@pytest.fixture
def elsewhere(released, tmp_path) -> Path:
    """A clone of the clone: no cache and no remote, Git alone."""
    other = tmp_path / "elsewhere"
    run(tmp_path, "git", "clone", "--quiet", str(released), str(other))
    return other


def card_of(repository: Path, version: str) -> str:
    return run(repository, "git", "show", f"stride-model@{version}:MODEL_CARD.md").stdout


def test_release_card_has_hashes_data_metrics_footprint_and_parameters(released):
    card = card_of(released, "v1.0.0")
    assert f"`{sha256(released / 'kept' / 'stride_int8.tflite')}`" in card
    assert "say nothing about real feet" in card
    assert re.search(r"\| simulated \| simulated \| 4 \| .* \| int8 \| [\d.]+ \([\d.]+ to [\d.]+\)", card)
    assert re.search(
        r"\| cortex-m4f \| int8 network \| [\d,]+ \| [\d,]+ \| [\d,]+ \| TFLM: (\d+) of \1 inputs \|", card
    )
    assert run(released, "git", "show", "stride-model@v1.0.0:params.yaml").stdout.strip() in card


def test_release_c_library_has_the_version(released):
    for version in ("1.0.0", "1.1.0"):
        for name, said in (
            ("models/c/include/tinystride.h", f'#define TINYSTRIDE_VERSION "{version}"'),
            ("models/c/library.properties", f"version={version}\n"),
            ("models/c/CHANGELOG.md", f"## {version}\n"),
            ("tinystride/__init__.py", f'__version__ = "{version}"'),
        ):
            assert said in run(released, "git", "show", f"stride-c@v{version}:{name}").stdout, name


def test_release_registers_both_artifacts(released):
    tags = run(released, "git", "tag").stdout.split()
    assert tags == ["stride-c@v1.0.0", "stride-c@v1.1.0", "stride-model@v1.0.0", "stride-model@v1.1.0"]


@pytest.mark.parametrize("version", ["v1.0.0", "v1.1.0"])
def test_dvc_get_version_fetches_its_files(released, elsewhere, tmp_path, version):
    for repository, name in ((released, "first"), (elsewhere, "second")):
        folder = tmp_path / name
        folder.mkdir()
        run(folder, "dvc", "get", str(repository), MODEL, "--rev", f"stride-model@{version}")
        assert os.listdir(folder) == ["stride_int8.tflite"]
        assert f"`{sha256(folder / 'stride_int8.tflite')}`" in card_of(repository, version)
    kept = sha256(released / "kept" / "stride_int8.tflite")
    assert (sha256(tmp_path / "first" / "stride_int8.tflite") == kept) == (version == "v1.0.0")


def test_dvc_artifacts_get_version_fetches_its_files(elsewhere, tmp_path):
    folder = tmp_path / "empty"
    folder.mkdir()
    run(folder, "dvc", "artifacts", "get", str(elsewhere), "stride-model", "--rev", "v1.0.0")
    run(folder, "dvc", "artifacts", "get", str(elsewhere), "stride-c", "--rev", "v1.0.0")
    (model,) = folder.rglob("stride_int8.tflite")
    assert f"`{sha256(model)}`" in card_of(elsewhere, "v1.0.0")
    (c_card,) = folder.rglob("model_card.yaml")
    assert sha256(model) in c_card.read_text()


def test_dvc_api_version_opens_its_files(released, elsewhere, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    wanted = {"path": MODEL, "repo": str(elsewhere), "rev": "stride-model@v1.0.0"}
    content = dvc.api.read(**wanted, mode="rb")
    with dvc.api.open(**wanted, mode="rb") as file:
        assert file.read() == content
    assert content == (released / "kept" / "stride_int8.tflite").read_bytes()


def test_release_existing_version_is_rejected(released):
    before = run(released, "git", "rev-parse", "HEAD").stdout
    assert "v1.0.0 exists" in refusal(released, "v1.0.0")
    assert "is not a version" in refusal(released, "1.2")
    assert run(released, "git", "rev-parse", "HEAD").stdout == before


def test_release_uncommitted_outdated_or_unpushed_is_rejected(copy_of_reproduced):
    clone = copy_of_reproduced
    (clone / "notes.txt").write_text("to do")
    assert "notes.txt is not committed" in refusal(clone)
    (clone / "notes.txt").unlink()
    assert "is not pushed" in refusal(clone)
    run(clone, "dvc", "push")
    set_parameters(clone, {"evaluate.resamples": 51})
    commit(clone, "Change a parameter only")
    assert "evaluate is not reproduced" in refusal(clone)
    assert run(clone, "git", "tag").stdout == ""
    run(clone, "git", "revert", "--no-edit", "HEAD")
    # Stopped between its two tags, a release is finished by the next try.
    release(clone, "v1.0.0")
    run(clone, "git", "tag", "--delete", "stride-c@v1.0.0")
    release(clone, "v1.0.0")
    assert run(clone, "git", "tag", "--points-at", "HEAD").stdout.split() == [
        "stride-c@v1.0.0",
        "stride-model@v1.0.0",
    ]


def test_release_without_git_or_commit_is_rejected(copy_of_reproduced):
    shutil.rmtree(copy_of_reproduced / ".git")
    assert "not a Git repository" in refusal(copy_of_reproduced)
    run(copy_of_reproduced, "git", "init", "--quiet")
    assert "no commit yet" in refusal(copy_of_reproduced)
