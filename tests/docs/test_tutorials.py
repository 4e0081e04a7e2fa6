"""The tutorials, run as a user runs them: as scripts, in a new folder."""

import io
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import numpy as np
import pandas as pd
import pytest

from tests.pipeline.clones import make_clone, reproduced_clone
from tools.docs.example_walk import PATH, example_walk
from tools.docs.tutorials import digest, tutorial_page

TUTORIALS = Path(__file__).resolve().parents[2] / "docs/tutorials"


def run(name: str, folder: Path, **environment: str) -> str:
    """Run the script of a tutorial in a folder; return its output."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        [sys.executable, TUTORIALS / f"{name}.py"],
        cwd=folder, env=os.environ | {"PATH": path} | environment, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, f"{done.stdout[-2000:]}\n{done.stderr[-3000:]}"
    return done.stdout


def number(pattern: str, printed: str) -> float:
    (found,) = re.findall(pattern, printed)
    return float(found)


def test_example_walk_is_what_the_simulator_makes():
    """Except for the last digit, which another processor may round differently."""
    simulated = pd.read_csv(io.StringIO(example_walk()))
    assert np.allclose(pd.read_csv(TUTORIALS / PATH.name), simulated, rtol=0, atol=0.0101)


def test_analyse_my_walk_finds_the_strides_of_both_feet(tmp_path):
    shutil.copy(TUTORIALS / "walk.csv", tmp_path)
    printed = run("analyse_my_walk", tmp_path)
    assert "feet: left, right" in printed and "8 samples lost" in printed
    assert re.findall(r"^(gap|turn) +\d+$", printed, re.MULTILINE) == ["gap", "turn"]
    assert number(r"speed_mps: mean ([\d.]+)", printed) == pytest.approx(1.25, rel=0.03)
    strides = pd.read_csv(tmp_path / "strides.csv")
    assert set(strides["foot"]) == {"left", "right"} and len(strides) == 42
    assert (tmp_path / "picture.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.mcu
def test_my_network_to_c_is_exact_and_counted(tmp_path):
    printed = run("my_network_to_c", tmp_path)
    accuracy = {kind: number(rf"{kind}: ([\d.]+)%", printed) for kind in ("float32", "int8")}
    assert min(accuracy.values()) > 95
    assert "C and Python agree on 500 of 500 windows" in printed
    assert number(r"mismatches +(\d+)", printed) == 0 and number(r"vectors +(\d+)", printed) == 200
    assert 2000 < number(r"flash_bytes +(\d+)", printed) < 6000
    assert 500 < number(r"ram_bytes +(\d+)", printed) < 2000
    assert 10_000 < number(r"instructions +(\d+)", printed) < 60_000


@pytest.mark.pipeline
def test_train_a_variant_compares_two_experiments_and_leaves_the_clone_alone(tmp_path):
    """The stages of the baseline come from DVC's cache: they have run with its parameters for other tests."""
    clone = make_clone(tmp_path / "clone", {})
    cache = shutil.copytree(reproduced_clone() / ".dvc/cache", tmp_path / "cache")
    (tmp_path / "config").write_text(f"[cache]\n    dir = {cache}\n")
    printed = run("train_a_variant", clone, DVC_GLOBAL_CONFIG_DIR=str(tmp_path))
    baseline, variant = printed.split("Ran experiment(s): baseline")
    for stage in ("train", "benchmark-mcu"):
        assert f"Stage '{stage}' is cached" in baseline and f"Running stage '{stage}'" in variant
    assert "Running stage 'publish'" in baseline
    assert "Stage 'preprocess' didn't change, skipping" in variant
    rows = {
        name: re.findall(rf"^{name} +(.*)$", printed, re.MULTILINE)[-1].split()
        for name in ("baseline", "small")
    }
    error, without, parameters, flash, instructions = zip(
        *(map(float, rows[name]) for name in ("baseline", "small")), strict=True
    )
    assert max(*error, *without) < 5 and without[0] == without[1]
    assert parameters == (447, 183)
    assert flash[0] > flash[1] > 1000 and instructions[0] > instructions[1] > 1000
    status = subprocess.run(["git", "status", "--porcelain"], cwd=clone, capture_output=True, text=True)
    assert status.stdout == ""


def test_tutorial_page_without_notebook_shows_code_alone(tmp_path):
    script = tmp_path / "a.py"
    script.write_text("# %% [markdown]\n# # Title\n#\n# Text.\n\n# %%\nprint(1 + 1)\n")
    text, pictures, notebook = tutorial_page(script, tmp_path)
    assert text == "# Title\n\nDownload: [a.py](a.py)\n\nText.\n\n```python\nprint(1 + 1)\n```\n"
    assert pictures == {} and notebook is None


def test_tutorial_page_ignores_the_notebook_of_an_older_script(tmp_path):
    script = tmp_path / "a.py"
    script.write_text("# %% [markdown]\n# # Title\n")
    cells = [nbformat.v4.new_markdown_cell("# Title"), nbformat.v4.new_code_cell("print(2)")]
    cells[1].outputs = [nbformat.v4.new_output("stream", text="2\n")]
    notebook = nbformat.v4.new_notebook(cells=cells, metadata={"script_sha256": digest(script)})
    nbformat.write(notebook, tmp_path / "a.ipynb")
    assert "2\n```" in tutorial_page(script, tmp_path)[0]
    script.write_text("# %% [markdown]\n# # New title\n")
    text, _, executed = tutorial_page(script, tmp_path)
    assert "New title" in text and "```" not in text and executed is None
