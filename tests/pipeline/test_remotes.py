"""DVC remotes on real servers: pushed files can be pulled; failures are reported and harmless."""

import hashlib
import shutil
from configparser import ConfigParser
from pathlib import Path

import pytest

from tests.pipeline.clones import ROOT, run
from tests.pipeline.remotes import FILES, folder_remote, s3_server, small_repository, ssh_server

N_OBJECTS = sum(FILES.values()) + 1  # the listing of models/c is an object, too
SECRETS = ("access_key_id", "secret_access_key", "password", "passphrase", "session_token", "keyfile")


@pytest.fixture(scope="module")
def repository(tmp_path_factory) -> Path:
    return small_repository(tmp_path_factory.mktemp("small") / "repository")


@pytest.fixture(scope="module")
def started(request, repository, tmp_path_factory):
    """A remote, and a clone that is set up to use it."""
    folder = tmp_path_factory.mktemp("remote")
    (folder / "home").mkdir()
    with pytest.MonkeyPatch.context() as patch, request.param(folder) as remote:
        # Exclude the user's keys and settings.
        own = {"HOME": str(folder / "home"), "SSH_AUTH_SOCK": "", "NO_PROXY": "127.0.0.1"}
        for name, value in (own | remote.credentials).items():
            patch.setenv(name, value)
        clone = shutil.copytree(repository, folder / "clone", symlinks=True)
        remote.set_up(clone)
        yield remote, clone


@pytest.fixture
def remote(started):
    started[0].remove(*started[0].objects())
    return started[0]


@pytest.fixture
def clone(started, tmp_path) -> Path:
    return shutil.copytree(started[1], tmp_path / "clone", symlinks=True)


every_remote = pytest.mark.parametrize("started", [folder_remote, s3_server, ssh_server], indirect=True)


def contents(clone: Path) -> dict[str, bytes]:
    files = [path for name in FILES for path in [clone / name, *(clone / name).rglob("*")] if path.is_file()]
    return {path.relative_to(clone).as_posix(): path.read_bytes() for path in files}


def forget(clone: Path) -> None:
    """Delete cache and workspace."""
    shutil.rmtree(clone / ".dvc" / "cache")
    for name in FILES:
        path = clone / name
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


def refused(clone: Path, *command: str, **more: str) -> str:
    """Return the error message of a DVC command that must fail without a traceback."""
    done = run(clone, *command, check=False, **more)
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR: ")]
    assert errors
    return "\n".join(errors)


def in_sync(clone: Path, remote) -> bool:
    return "in sync" in run(clone, "dvc", "status", "--cloud", "--remote", remote.name).stdout


@every_remote
def test_dvc_pull_restores_pushed_files(clone, remote):
    before = contents(clone)
    assert f"{N_OBJECTS} files pushed" in run(clone, "dvc", "push", "--remote", remote.name).stdout
    assert len(remote.objects()) == N_OBJECTS
    # No secret and no setting of a remote is in a file that Git tracks.
    assert run(clone, "git", "status", "--porcelain").stdout == ""
    forget(clone)
    run(clone, "dvc", "pull", "--remote", remote.name)
    assert contents(clone) == before and len(before) == sum(FILES.values())
    assert in_sync(clone, remote)


@every_remote
def test_dvc_get_unnamed_remote_fetches_files(clone, remote, repository, tmp_path):
    run(clone, "dvc", "push", "--remote", remote.name)
    before, settings = contents(clone), ConfigParser(interpolation=None)
    settings.read(clone / ".dvc" / "config.local")
    options = [f"{name}={value}" for name, value in settings[f"'remote \"{remote.name}\"'"].items()]
    run(tmp_path, "git", "clone", "--quiet", str(repository), "bare")
    (empty := tmp_path / "empty").mkdir()
    where = ["--remote", remote.name, "--remote-config", *options]
    for name in FILES:
        run(empty, "dvc", "get", str(tmp_path / "bare"), name, "--out", name.replace("/", "-"), *where)
    got = (empty / "models-stride_int8.tflite").read_bytes()
    assert got == before["models/stride_int8.tflite"]
    assert len(list((empty / "models-c").rglob("*.*"))) == FILES["models/c"]


@pytest.mark.parametrize("started", [folder_remote], indirect=True)
def test_dvc_pull_corrupted_object_is_detected(clone, remote):
    run(clone, "dvc", "push", "--remote", remote.name)
    before, kept = contents(clone), shutil.copytree(clone, clone.with_name("kept"), symlinks=True)
    damaged = []
    for path in ("models/stride_int8.tflite", "models/c/7.c"):
        md5 = hashlib.md5(before[path]).hexdigest()
        damaged += [name for name in remote.objects() if name.endswith(f"{md5[:2]}/{md5[2:]}")]
        remote.damage(damaged[-1])
    forget(clone)
    assert "failed to pull" in refused(clone, "dvc", "pull", "--remote", remote.name)
    assert len(contents(clone)) < len(before) - 1
    # The remedy: remove the objects and their folder's listing, push from where the files are still whole.
    remote.remove(*(name for name in remote.objects() if name in damaged or name.endswith(".dir")))
    run(kept, "dvc", "push", "--remote", remote.name)
    run(clone, "dvc", "pull", "--remote", remote.name)
    assert contents(clone) == before


def test_dvc_push_default_remote_needs_no_set_up(repository, tmp_path):
    clone = shutil.copytree(repository, tmp_path / "clone", symlinks=True)
    before = contents(clone)
    run(clone, "dvc", "push")
    forget(clone)
    run(clone, "dvc", "pull")
    assert contents(clone) == before


def test_tracked_dvc_settings_hold_no_secret():
    assert [secret for secret in SECRETS if secret in (ROOT / ".dvc" / "config").read_text()] == []
