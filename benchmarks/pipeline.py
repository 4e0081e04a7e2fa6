"""Time of the whole DAG with an empty cache and local data, then of a second run with nothing to do."""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.processes import ROOT, timed


def measure() -> Iterator[tuple[str, str, str]]:
    beside = ROOT.parent / "shared" / "data"
    mirror = os.environ.get("TINYSTRIDE_MIRROR") or (str(beside) if beside.is_dir() else "")
    with tempfile.TemporaryDirectory() as folder:
        clone = Path(folder) / "clone"
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
        seconds, _ = timed("dvc", "repro", cwd=clone, TINYSTRIDE_MIRROR=mirror)
        yield "whole DAG, fresh clone, empty cache", f"{seconds:.0f} s", "at most 360 s"
        seconds, _ = timed("dvc", "repro", cwd=clone, TINYSTRIDE_MIRROR=mirror)
        yield "dvc repro again, nothing to do", f"{seconds:.1f} s", "at most 5 s"
