"""Fresh clones of this checkout with a configuration small enough to run the whole DAG in a test."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import yaml

from tests.sharing import shared

ROOT = Path(__file__).resolve().parents[2]

# Those of the baseline of docs/tutorials/train_a_variant.py, whose test uses the results of this run.
REDUCED = {
    "folds": [0, 1],
    "download.datasets": ["simulated"],
    "download.simulated.subjects": 4,
    "train.epochs": 3,
    "train.augmentations_per_stride": 1,
    "evaluate.resamples": 50,
    "benchmark.cores": ["cortex-m4f"],
    "benchmark.vectors": 20,
    "benchmark.recordings": 1,
}


def environment(**more: str) -> dict[str, str]:
    """Return this process's environment with its interpreter first, no download mirror and no network."""
    unreachable = "http://127.0.0.1:9"
    return {
        **{
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("TINYSTRIDE_", "WANDB_", "DVC_"))
        },
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "HTTP_PROXY": unreachable,
        "HTTPS_PROXY": unreachable,
        "GIT_AUTHOR_NAME": "test",
        "GIT_AUTHOR_EMAIL": "test@localhost",
        "GIT_COMMITTER_NAME": "test",
        "GIT_COMMITTER_EMAIL": "test@localhost",
        **more,
    }


def run(folder: Path, *command: str, check: bool = True, **more: str) -> subprocess.CompletedProcess:
    done = subprocess.run(command, cwd=folder, env=environment(**more), capture_output=True, text=True)
    if check:
        assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done


def set_parameters(folder: Path, values: dict) -> None:
    path = folder / "params.yaml"
    parameters = yaml.safe_load(path.read_text())
    for name, value in values.items():
        *blocks, key = name.split(".")
        block = parameters
        for part in blocks:
            block = block[part]
        block[key] = value
    path.write_text(yaml.safe_dump(parameters, sort_keys=False))


def make_clone(folder: Path, parameters: dict = REDUCED) -> Path:
    """Create a repository with this checkout's current files, without dvc.lock."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, check=True,
    ).stdout  # fmt: skip
    for name in filter(None, listed.decode().split("\0")):
        # Entries of the committed lock would stay in the lock of a run with fewer folds.
        if (ROOT / name).is_file() and name != "dvc.lock":
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    set_parameters(folder, parameters)
    run(folder, "git", "init", "--quiet", "--initial-branch=main")
    run(folder, "git", "add", "--all")
    run(folder, "git", "commit", "--quiet", "--message", "A clone to test in")
    return folder


def reproduced_clone() -> Path:
    """Return a clone in which the whole DAG has run, made once for all tests of all processes."""

    def make(folder: Path) -> None:
        clone = make_clone(folder / "clone")
        run(clone, "dvc", "repro")
        run(clone, "git", "add", "--all")
        run(clone, "git", "commit", "--quiet", "--message", "Run the pipeline")

    return shared("reproduced", make) / "clone"
