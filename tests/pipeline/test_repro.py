"""The whole DAG under real DVC: complete, reproducible, resumable, simulated data marked."""

import importlib
import json
import os
import signal
import subprocess
import time

import psutil
import pytest
import yaml

from stages.common import run_stage
from tests.pipeline.clones import REDUCED, ROOT, environment, make_clone, run, set_parameters
from tests.pipeline.test_graph import used_modules

STAGE_OUTPUTS = [
    "data/raw/sources.json",
    "data/strides/strides.parquet",
    "data/strides/signals.npz",
    "data/split.json",
    "models/float32/model.weights.h5",
    "models/built/stride_float32.tflite",
    "models/built/stride_int8.tflite",
    "models/built/c/include/tinystride_model.h",
    "models/built/c/DATA.md",
    "results/cross_validate/1",
    "results/evaluate/metrics.json",
    "results/evaluate/strides.csv",
    "results/mcu/metrics.json",
    "results/report/index.html",
    "models/stride_float32.tflite",
    "models/stride_int8.tflite",
    "models/c/include/tinystride.h",
    "results/headline.json",
]


def lock(clone):
    return (clone / "dvc.lock").read_text()


def test_repro_stages_write_all_outputs(reproduced):
    assert [path for path in STAGE_OUTPUTS if not (reproduced / path).exists()] == []


def test_repro_simulated_data_is_marked_in_all_results(reproduced):
    assert json.loads((reproduced / "data/raw/sources.json").read_text())["source"] == "simulated"
    metrics = json.loads((reproduced / "results/evaluate/metrics.json").read_text())
    assert metrics["source"] == "simulated"
    assert metrics["simulated"]["int8"]["n_strides"] > 100


def test_repro_network_on_the_emulated_core_equals_tflm(reproduced):
    network = json.loads((reproduced / "results/mcu/metrics.json").read_text())["cortex-m4f"]["network"]
    assert network["mismatches"] == 0
    assert network["vectors"] >= REDUCED["benchmark.vectors"]
    assert network["flash_bytes"] > 1000 and network["instructions"] > 1000


def test_repro_estimator_on_the_emulated_core_equals_the_host(reproduced):
    estimator = json.loads((reproduced / "results/mcu/metrics.json").read_text())["cortex-m4f"]["estimator"]
    assert estimator["mismatches"] == 0 and estimator["strides"] > 10
    assert 5_000 < estimator["flash_bytes"] <= 20_000 and estimator["ram_bytes"] <= 8_192
    shown = run(reproduced, "dvc", "metrics", "show").stdout
    assert "estimator.share_of_64_mhz_percent" in shown


def test_repro_second_run_does_nothing(copy_of_reproduced):
    before = lock(copy_of_reproduced)
    said = run(copy_of_reproduced, "dvc", "repro").stdout
    assert "Data and pipelines are up to date." in said
    assert lock(copy_of_reproduced) == before


def stage_process(dvc: subprocess.Popen, stage: str) -> psutil.Process:
    """Return the process of a stage as soon as it holds the lock on the checkout and is about to compute."""
    module = f"stages.{stage.partition('@')[0].replace('-', '_')}"
    while dvc.poll() is None:
        for child in psutil.Process(dvc.pid).children(recursive=True):
            try:
                if module in child.cmdline() and any(
                    file.path.endswith(".dvc/tmp/lock") for file in child.open_files()
                ):
                    return child
            except psutil.Error:
                continue
        time.sleep(0.01)
    raise AssertionError(f"{stage} was not run")


def test_repro_after_interrupted_stages_completes(copy_of_reproduced):
    """Interrupt each stage by SIGINT or SIGKILL alternately; then one run completes everything."""
    clone = copy_of_reproduced
    stages = list(yaml.safe_load((clone / "dvc.lock").read_text())["stages"])
    for i, stage in enumerate(stages):
        running = subprocess.Popen(
            ["dvc", "repro", "--force", "--single-item", stage],
            cwd=clone,
            env=environment(),
            start_new_session=True,
            # A shell that starts the tests in the background has SIGINT ignored, and children inherit it.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        stage_process(running, stage)
        os.killpg(running.pid, signal.SIGINT if i % 2 else signal.SIGKILL)
        running.wait()
    run(clone, "dvc", "repro")
    assert run(clone, "git", "status", "--porcelain").stdout == ""
    assert run(clone, "dvc", "status", "dvc.yaml").stdout.strip() == "Data and pipelines are up to date."


def test_repro_sigint_ignored_by_the_parent_completes(copy_of_reproduced):
    clone = copy_of_reproduced
    running = subprocess.Popen(
        ["dvc", "repro", "--force", "--single-item", "split-by-subject"],
        cwd=clone,
        env=environment(),
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    stage_process(running, "split-by-subject")
    os.killpg(running.pid, signal.SIGINT)
    assert running.wait() == 0
    assert run(clone, "git", "status", "--porcelain").stdout == ""


def test_download_without_host_or_mirror_simulates_with_a_warning(tmp_path):
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
        ("split-by-subject", {"split.strategy": "random"}, "random"),
        ("split-by-subject", {"split.validation_fraction": 1.5}, "validation_fraction"),
        ("train", {"train.preset": "huge"}, "huge"),
        ("train", {"train.epochs": 0}, "epochs"),
        ("train", {"estimator": "guess"}, "guess"),
        ("quantize", {"quantize.calibration_strides": 0}, "calibration_strides"),
        ("evaluate", {"evaluate.resamples": -1}, "resamples"),
        ("benchmark-mcu", {"benchmark.cores": ["z80"]}, "z80"),
    ],
)
def test_stage_invalid_parameter_is_rejected_in_one_line(
    module_copy, monkeypatch, capsys, stage, parameters, names
):
    monkeypatch.chdir(module_copy)
    set_parameters(module_copy, parameters)
    before = run(module_copy, "git", "status", "--porcelain", "--ignored").stdout
    main = importlib.import_module(f"stages.{stage.replace('-', '_')}").main
    with pytest.raises(SystemExit) as ended:
        run_stage(stage, main)
    errors = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
    assert ended.value.code == 1 and len(errors) == 1 and names in errors[0]
    assert run(module_copy, "git", "status", "--porcelain", "--ignored").stdout == before
    run(module_copy, "git", "checkout", "--quiet", "params.yaml")


def test_stages_only_training_and_conversion_import_tensorflow():
    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
    scripts = {
        name: next(dep for dep in stage["deps"] if dep.startswith("stages/"))
        for name, stage in stages.items()
    }
    importing = {
        name for name, script in scripts.items() if "tinystride/learning/backend.py" in used_modules(script)
    }
    assert importing == {"train", "quantize", "cross-validate"}
