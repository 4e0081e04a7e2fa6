"""The core without extras works; commands that need an extra name it."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.predicting import write_csv
from tinystride.datasets.simulator import simulate_walk
from tinystride.datasets.walker import SimulatedSubject
from tinystride.default_model import DEFAULT_MODEL

ROOT = Path(__file__).resolve().parents[2]
COMMAND_LINE = "from tinystride.cli import main; main()"
IMPORT_EVERYTHING = """
import importlib, json, pkgutil, tinystride
extras = {}
for module in pkgutil.walk_packages(tinystride.__path__, "tinystride."):
    if module.name.endswith("__main__"):
        continue
    try:
        importlib.import_module(module.name)
    except tinystride.MissingExtraError as error:
        extras[module.name] = error.extra
print(json.dumps(extras))
"""


def run_with_core_alone(program: str, *arguments: object, cwd: Path) -> subprocess.CompletedProcess:
    command = [sys.executable, Path(__file__).with_name("core_alone.py"), program, *arguments]
    return subprocess.run([str(part) for part in command], capture_output=True, text=True, cwd=cwd)


@pytest.fixture(scope="module")
def walk_csv(tmp_path_factory) -> Path:
    walk = simulate_walk(SimulatedSubject(), n_strides=7, seed=2)
    return write_csv(walk, tmp_path_factory.mktemp("walk") / "walk.csv")


@pytest.mark.skipif(not DEFAULT_MODEL.exists(), reason="needs models/stride_int8.tflite; run dvc repro")
@pytest.mark.parametrize("engine", ["offline", "python", "c"])
def test_predict_core_alone_finds_strides(engine, walk_csv, tmp_path):
    done = run_with_core_alone(
        COMMAND_LINE, "predict", walk_csv, "--rate-hz=100", "--foot=right", "--engine", engine, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("start_s,end_s,duration_s,stride_length_cm,strapdown_length_cm,flags")
    assert len(done.stdout.splitlines()) > 5


@pytest.mark.skipif(not DEFAULT_MODEL.exists(), reason="needs models/stride_int8.tflite; run dvc repro")
def test_export_core_alone_writes_library(tmp_path):
    done = run_with_core_alone(COMMAND_LINE, "export", DEFAULT_MODEL, "out", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out" / "src" / "tinystride_model.c").is_file()


@pytest.mark.skipif(not DEFAULT_MODEL.exists(), reason="needs models/stride_int8.tflite; run dvc repro")
@pytest.mark.parametrize(
    ("arguments", "extra"),
    [
        (["predict", "WALK", "--rate-hz=100", "--foot=right", "--plot", "walk.png"], "plot"),
        (["benchmark", "MODEL"], "benchmark"),
        (["edge-impulse", "export", "out"], "edge-impulse"),
    ],
)
def test_command_without_extra_names_the_extra(arguments, extra, walk_csv, tmp_path):
    for name in ("params.yaml", "sweep.yaml"):
        (tmp_path / name).write_text((ROOT / name).read_text())
    places = {"WALK": walk_csv, "MODEL": DEFAULT_MODEL}
    done = run_with_core_alone(
        COMMAND_LINE, *(places.get(argument, argument) for argument in arguments), cwd=tmp_path
    )
    assert done.returncode == 1
    *_, line = done.stderr.splitlines()
    assert line.startswith("error: ") and line.endswith(f"run: pip install 'tinystride[{extra}]'")


def test_training_without_extra_names_the_extra(tmp_path):
    done = run_with_core_alone(
        "from tinystride.cli import one_line_errors\n"
        "with one_line_errors():\n    import tinystride.learning.training",
        cwd=tmp_path,
    )
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "error: the Python package keras is not installed; run: pip install 'tinystride[train]'"
    ]


def test_import_each_module_without_extras_works_or_names_the_extra(tmp_path):
    import json

    done = run_with_core_alone(IMPORT_EVERYTHING, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    extras = json.loads(done.stdout)
    there = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert set(extras.values()) <= set(there)
    assert extras["tinystride.learning.training"] == "train"
    assert not [name for name in extras if name.startswith(("tinystride.codegen", "tinystride.mcu"))]


def test_version_equals_the_package(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "tinystride", "--version"], capture_output=True, text=True, cwd=ROOT
    )
    import tinystride

    assert done.stdout == f"tinystride {tinystride.__version__}\n"
