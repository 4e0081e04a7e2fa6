"""The whole DAG under real DVC: complete, reproducible, resumable, and honest about simulated data."""

import ast
import contextlib
import json
import os
import signal
import subprocess
import time
from pathlib import Path

import psutil
import pytest

from tests.pipeline.clones import REDUCED, ROOT, environment, make_clone, run, set_parameters

STAGE_OUTPUTS = [
    "data/raw/sources.json",
    "data/strides/strides.parquet",
    "data/strides/signals.npz",
    "data/split.json",
    "models/float32/model.weights.h5",
    "models/stride_float32.tflite",
    "models/stride_int8.tflite",
    "results/cross_validate/1",
    "results/evaluate/metrics.json",
    "results/evaluate/strides.csv",
    "models/c/include/tinystride_model.h",
    "results/mcu/metrics.json",
    "results/report/index.html",
]


def lock(clone):
    return (clone / "dvc.lock").read_text()


def test_every_stage_leaves_what_it_promises(reproduced):
    assert [path for path in STAGE_OUTPUTS if not (reproduced / path).exists()] == []


def test_simulated_data_is_marked_wherever_a_figure_stands(reproduced):
    assert json.loads((reproduced / "data/raw/sources.json").read_text())["source"] == "simulated"
    metrics = json.loads((reproduced / "results/evaluate/metrics.json").read_text())
    assert metrics["source"] == "simulated"
    assert metrics["simulated"]["int8"]["n_strides"] > 100


def test_emulated_core_agrees_with_the_reference_interpreter(reproduced):
    network = json.loads((reproduced / "results/mcu/metrics.json").read_text())["cortex-m4f"]["network"]
    assert network["mismatches"] == 0
    assert network["vectors"] >= REDUCED["benchmark.vectors"]
    assert network["flash_bytes"] > 1000 and network["instructions"] > 1000


def test_the_estimator_tells_the_same_strides_on_the_emulated_core(reproduced):
    estimator = json.loads((reproduced / "results/mcu/metrics.json").read_text())["cortex-m4f"]["estimator"]
    assert estimator["mismatches"] == 0 and estimator["strides"] > 10
    assert 5_000 < estimator["flash_bytes"] <= 20_000 and estimator["ram_bytes"] <= 8_192
    shown = run(reproduced, "dvc", "metrics", "show").stdout
    assert "estimator.share_of_64_mhz_percent" in shown


def test_second_repro_does_nothing(copy_of_reproduced):
    before = lock(copy_of_reproduced)
    said = run(copy_of_reproduced, "dvc", "repro").stdout
    assert "Data and pipelines are up to date." in said
    assert lock(copy_of_reproduced) == before


def test_another_fresh_clone_gives_the_same_bytes_on_one_core(reproduced, tmp_path):
    other = tmp_path / "elsewhere"
    run(tmp_path, "git", "clone", "--quiet", str(reproduced), str(other))
    (other / "dvc.lock").unlink()
    core = str(min(os.sched_getaffinity(0)))
    run(other, "taskset", "--cpu-list", core, "dvc", "repro", "--force")
    assert lock(other) == lock(reproduced)


@pytest.mark.skipif("avx2" not in Path("/proc/cpuinfo").read_text(), reason="no kernels to choose from")
def test_a_stage_computes_as_on_any_processor():
    chosen = "from threadpoolctl import threadpool_info; import stages, numpy; print(threadpool_info())"
    told = run(ROOT, "python", "-c", chosen).stdout
    assert {blas["architecture"] for blas in ast.literal_eval(told)} == {"Haswell"}
    features = "import stages; from numpy._core._multiarray_umath import __cpu_features__ as f; print(f)"
    assert not ast.literal_eval(run(ROOT, "python", "-c", features).stdout)["X86_V4"]


def stage_process(dvc: subprocess.Popen, stage: str) -> psutil.Process:
    """The stage's own process, as soon as DVC has started it."""
    module = f"stages.{stage.partition('@')[0].replace('-', '_')}"
    while dvc.poll() is None:
        for child in psutil.Process(dvc.pid).children(recursive=True):
            with contextlib.suppress(psutil.Error):
                if module in child.cmdline():
                    return child
        time.sleep(0.02)
    raise AssertionError(f"{stage} was not run")


@pytest.mark.parametrize(
    ("stage", "seconds", "how"),
    [
        ("download", 0.8, signal.SIGKILL),
        ("preprocess", 1.2, signal.SIGINT),
        ("train", 5.0, signal.SIGKILL),
        ("quantize", 5.0, signal.SIGINT),
        ("cross-validate@1", 5.0, signal.SIGKILL),
        ("evaluate", 1.2, signal.SIGKILL),
        ("export-c", 0.8, signal.SIGINT),
        ("benchmark-mcu", 0.8, signal.SIGKILL),
        ("report", 1.5, signal.SIGKILL),
    ],
)
def test_an_interrupted_stage_leaves_no_trace(copy_of_reproduced, stage, seconds, how):
    clone = copy_of_reproduced
    running = subprocess.Popen(
        ["dvc", "repro", "--force", "--single-item", stage],
        cwd=clone,
        env=environment(),
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    at_work = stage_process(running, stage)
    time.sleep(seconds)
    # Else DVC itself would be interrupted, which writes dvc.lock in place.
    assert at_work.is_running() and at_work.status() != psutil.STATUS_ZOMBIE
    os.killpg(running.pid, how)
    running.wait()
    run(clone, "dvc", "repro")
    assert run(clone, "git", "status", "--porcelain").stdout == ""
    assert run(clone, "dvc", "status", "dvc.yaml").stdout.strip() == "Data and pipelines are up to date."


def test_without_any_host_or_mirror_it_simulates_and_says_so(tmp_path):
    clone = make_clone(tmp_path / "alone", {"download.simulated.subjects": 3})
    done = run(clone, "dvc", "repro", "download")
    assert "simulat" in (done.stdout + done.stderr).lower()
    assert json.loads((clone / "data/raw/sources.json").read_text())["source"] == "simulated"
    set_parameters(clone, {"download.when_unreachable": "fail"})
    failed = run(clone, "dvc", "repro", "download", check=False)
    assert failed.returncode != 0
    assert [line for line in failed.stderr.splitlines() if line.startswith("error: ")]


@pytest.mark.parametrize(
    ("stage", "parameters", "names"),
    [
        ("download", {"download.datasets": ["tripodd"]}, "tripodd"),
        ("download", {"download.speed": 1}, "speed"),
        ("split_by_subject", {"split.strategy": "random"}, "random"),
        ("split_by_subject", {"split.validation_fraction": 1.5}, "validation_fraction"),
        ("train", {"train.preset": "huge"}, "huge"),
        ("train", {"train.epochs": 0}, "epochs"),
        ("train", {"estimator": "guess"}, "guess"),
        ("quantize", {"quantize.calibration_strides": 0}, "calibration_strides"),
        ("evaluate", {"evaluate.resamples": -1}, "resamples"),
        ("benchmark_mcu", {"benchmark.cores": ["z80"]}, "z80"),
    ],
)
def test_a_parameter_that_makes_no_sense_is_refused_in_one_line(copy_of_reproduced, stage, parameters, names):
    set_parameters(copy_of_reproduced, parameters)
    before = run(copy_of_reproduced, "git", "status", "--porcelain", "--ignored").stdout
    failed = run(copy_of_reproduced, "python", "-m", f"stages.{stage}", check=False)
    assert failed.returncode == 1
    errors = [line for line in failed.stderr.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1 and names in errors[0]
    assert "Traceback" not in failed.stderr
    assert run(copy_of_reproduced, "git", "status", "--porcelain", "--ignored").stdout == before


def test_the_papers_preset_runs_as_an_experiment_elsewhere(copy_of_reproduced):
    run(
        copy_of_reproduced, "dvc", "exp", "run", "--temp", "--name", "paper-preset",
        "-S", "estimator=direct", "-S", "train.preset=paper",
    )  # fmt: skip
    assert "paper-preset" in run(copy_of_reproduced, "dvc", "exp", "list").stdout
    assert run(copy_of_reproduced, "git", "status", "--porcelain").stdout == ""


@pytest.mark.parametrize(
    "stage", ["download", "preprocess", "split_by_subject", "evaluate", "export_c", "benchmark_mcu", "report"]
)
def test_only_what_trains_or_converts_imports_tensorflow(copy_of_reproduced, stage):
    done = run(copy_of_reproduced, "python", "-X", "importtime", "-m", f"stages.{stage}")
    imported = {line.rsplit("|", 1)[-1].strip() for line in done.stderr.splitlines()}
    assert "numpy" in imported
    assert not {"tensorflow", "keras"} & imported
