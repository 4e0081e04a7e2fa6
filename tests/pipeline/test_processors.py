"""The pipeline gives the same bytes on all processors, with all CPU kernels and numbers of threads."""

import json
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.pipeline.clones import ROOT, environment, run

# Other kernels than the libraries choose by themselves on any processor of the last ten years.
OTHER_KERNELS = {
    "OPENBLAS_CORETYPE": "Prescott",
    "OPENBLAS_NUM_THREADS": "1",
    "NPY_DISABLE_CPU_FEATURES": "X86_V3 X86_V4 AVX512_ICL AVX512_SPR",
    "TF_ENABLE_ONEDNN_OPTS": "0",
    "XLA_FLAGS": "--xla_cpu_max_isa=SSE4_2",
    "TF_NUM_INTRAOP_THREADS": "1",
}
EMULATED = ("Haswell", "EPYC")
QEMU = shutil.which("qemu-x86_64")


def hashes(folder: Path, *emulator: str, **settings: str) -> subprocess.Popen:
    """The small chain, started: it prints the hashes of what it leaves in the folder."""
    folder.mkdir()
    return subprocess.Popen(
        [*emulator, sys.executable, "-m", "tests.pipeline.chain", str(folder)],
        cwd=ROOT,
        env=environment(**settings),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def result(running: subprocess.Popen) -> dict[str, str]:
    said, errors = running.communicate()
    assert running.returncode == 0, errors[-2000:]
    return json.loads(said)


@pytest.mark.slow
@pytest.mark.pipeline
def test_repro_other_kernels_and_one_core_give_the_same_bytes(reproduced, tmp_path):
    other = tmp_path / "elsewhere"
    run(tmp_path, "git", "clone", "--quiet", str(reproduced), str(other))
    before = (other / "dvc.lock").read_text()
    (other / "dvc.lock").unlink()
    core = str(min(os.sched_getaffinity(0)))
    run(other, "taskset", "--cpu-list", core, "dvc", "repro", "--force", **OTHER_KERNELS)
    assert (other / "dvc.lock").read_text() == before
    assert run(other, "git", "status", "--porcelain").stdout == ""


@pytest.mark.slow
@pytest.mark.pipeline
@pytest.mark.skipif(platform.machine() != "x86_64", reason="compares x86-64 processors")
@pytest.mark.skipif(QEMU is None, reason="needs qemu-x86_64 (Debian: qemu-user)")
def test_chain_emulated_processors_give_the_same_bytes(tmp_path):
    """Emulate Haswell (no AVX-512, no AMX) and EPYC (another maker), where libraries choose other kernels."""
    emulated = [hashes(tmp_path / cpu, QEMU, "-cpu", cpu) for cpu in EMULATED]
    own = result(hashes(tmp_path / "own"))
    assert len(own) > 15 and "stride_int8.tflite" in own and "metrics.json" in own
    assert [result(running) for running in emulated] == [own, own]
