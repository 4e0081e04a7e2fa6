"""The pipeline gives the same bytes on all processors, with all CPU kernels and numbers of threads."""

import json
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

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
# cross-validate does what train and quantize do. The other stages compile, emulate and copy.
COMPUTING = ["download", "preprocess", "split-by-subject", "cross-validate@0", "evaluate", "report"]
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
def test_repro_other_kernels_and_one_core_give_the_same_bytes(copy_of_reproduced):
    """Run the stages that compute with numbers, and one fold of two."""
    clone = copy_of_reproduced
    before = (clone / "dvc.lock").read_text()
    stages = yaml.safe_load(before)["stages"]
    assert {*COMPUTING} < {*stages}
    core = str(min(os.sched_getaffinity(0)))
    forced = ["dvc", "repro", "--force", "--single-item", *COMPUTING]
    said = run(clone, "taskset", "--cpu-list", core, *forced, **OTHER_KERNELS).stdout
    assert [stage for stage in COMPUTING if f"Running stage '{stage}'" not in said] == []
    assert (clone / "dvc.lock").read_text() == before
    assert run(clone, "git", "status", "--porcelain").stdout == ""


@pytest.mark.slow
@pytest.mark.pipeline
@pytest.mark.skipif(platform.machine() != "x86_64", reason="compares x86-64 processors")
@pytest.mark.skipif(QEMU is None, reason="needs qemu-x86_64 (Debian: qemu-user)")
def test_chain_emulated_processor_gives_the_same_bytes(tmp_path):
    """Emulate another maker's processor, without AVX-512 and AMX, where libraries choose other kernels."""
    intel = "GenuineIntel" in Path("/proc/cpuinfo").read_text()
    emulated = hashes(tmp_path / "emulated", QEMU, "-cpu", "EPYC" if intel else "Haswell")
    own = result(hashes(tmp_path / "own"))
    assert len(own) > 7 and "stride_int8.tflite" in own and "predictions.csv" in own
    assert result(emulated) == own
