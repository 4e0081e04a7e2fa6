"""The wheel alone, in a fresh environment and an empty folder."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.predicting import write_csv
from tinystride.datasets.simulator import simulate_walk
from tinystride.datasets.walker import SimulatedSubject

ROOT = Path(__file__).resolve().parents[2]
MODEL = "models/stride_int8.tflite"
MAX_PACKAGES = 30
MAX_MEGABYTES = 350
# The wheel must not use the checkout: neither its folder nor the environment of the tests.
HIDDEN = ("PYTHON", "VIRTUAL")
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith(HIDDEN)}

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (ROOT / MODEL).exists(), reason=f"needs {MODEL}; run: git checkout {MODEL}"),
]


def run(*command: object, cwd: Path) -> subprocess.CompletedProcess:
    return subprocess.run(
        [str(part) for part in command], cwd=cwd, env=ENVIRONMENT, capture_output=True, text=True
    )


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """Build the wheel from a copy of the files in Git, so that it contains no other file."""
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    places = ["tinystride", "models", "*.toml", "*.in", "setup.py"]
    listed = run("git", "ls-files", "-z", "--", *places, cwd=ROOT)
    for name in [*filter(None, listed.stdout.split("\0")), "LICENSE", "README.md"]:
        if (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes((ROOT / name).read_bytes())
    build = (
        "import sys, setuptools.build_meta as build; print(build.build_wheel(sys.argv[1]), file=sys.stderr)"
    )
    built = run(sys.executable, "-c", build, target, cwd=source)
    assert built.returncode == 0, built.stderr
    (found,) = target.glob("tinystride-*.whl")
    return found


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory) -> Path:
    """The scripts of an environment with the wheel and the packages of requirements-core.lock."""
    environment = tmp_path_factory.mktemp("environment") / "venv"
    made = run(sys.executable, "-m", "venv", environment, cwd=ROOT)
    assert made.returncode == 0, made.stdout + made.stderr
    pip = [environment / "bin" / "python", "-m", "pip", "install", "--quiet", "--no-compile", "--retries=1"]
    got = run(*pip, "--require-hashes", "-r", ROOT / "requirements-core.lock", cwd=ROOT)
    if got.returncode:
        unreachable = (
            "Connection",
            "name resolution",
            "Max retries",
            "timed out",
            "No matching distribution",
        )
        assert any(word in got.stderr for word in unreachable), got.stderr
        pytest.skip("no package index can be reached")
    put = run(*pip, "--no-index", wheel, cwd=ROOT)
    assert put.returncode == 0, put.stderr
    return environment / "bin"


def test_wheel_holds_library_and_model(wheel):
    listed = run("git", "ls-files", "-z", "--", "tinystride", cwd=ROOT).stdout.split("\0")
    documents = (".md", "Doxyfile")
    there = {name for name in listed if (ROOT / name).is_file() and not name.endswith(documents)}
    with zipfile.ZipFile(wheel) as archive:
        assert there <= set(archive.namelist())
        assert archive.read(f"tinystride/{MODEL}") == (ROOT / MODEL).read_bytes()
        assert not [name for name in archive.namelist() if name.startswith("tests/")]


@pytest.mark.parametrize("engine", ["offline", "python", "c"])
def test_wheel_empty_folder_predicts(engine, installed, tmp_path):
    walk = simulate_walk(SimulatedSubject(), n_strides=7, seed=2)
    file = write_csv(walk, tmp_path / "walk.csv")
    empty = tmp_path / "empty"
    empty.mkdir()
    options = ["--rate-hz=100", "--foot=right", "--engine", engine, "-o", "strides.csv"]
    done = run(installed / "tinystride", "predict", file, *options, cwd=empty)
    assert done.returncode == 0, done.stderr
    assert len((empty / "strides.csv").read_text().splitlines()) > 5


def test_wheel_exports_and_prints_its_version(installed, tmp_path):
    shown = run(installed / "tinystride", "--version", cwd=tmp_path)
    of_package = "import importlib.metadata as m; print('tinystride', m.version('tinystride'))"
    assert shown.stdout == run(installed / "python", "-c", of_package, cwd=tmp_path).stdout
    done = run(installed / "tinystride", "export", ROOT / MODEL, "out", "--prefix", "peer", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out" / "peer.c").is_file()


def test_wheel_training_names_the_extra(installed, tmp_path):
    program = (
        "from tinystride.cli import one_line_errors\n"
        "with one_line_errors():\n    import tinystride.learning.training"
    )
    done = run(installed / "python", "-c", program, cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].endswith("run: pip install 'tinystride[train]'")


def test_wheel_environment_is_small(installed):
    listed = run(installed / "python", "-m", "pip", "list", "--format=freeze", cwd=ROOT)
    assert len(listed.stdout.splitlines()) <= MAX_PACKAGES
    files = [path for path in installed.parent.rglob("*") if path.is_file() and not path.is_symlink()]
    assert sum(path.stat().st_size for path in files) < MAX_MEGABYTES * 1e6
