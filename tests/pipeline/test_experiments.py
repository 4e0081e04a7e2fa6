"""DVC experiments, run in every supported way, with changes so small that few stages run."""

import fcntl
import json
import re
import subprocess
import time
from pathlib import Path

import pytest

from stages.common import run_stage
from tests.pipeline.clones import environment, run, set_parameters

DONE, FAILED = "Success", "Failed"
REFUSED = re.compile("running in this checkout|Unable to acquire lock")


def vectors(folder: Path) -> int:
    metrics = json.loads((folder / "results" / "mcu" / "metrics.json").read_text())
    return metrics["cortex-m4f"]["network"]["vectors"]


def wait_for_queue(clone: Path, name: str, seconds: float = 1800) -> str:
    """The state of a queued experiment when it is done."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        for line in run(clone, "dvc", "queue", "status").stdout.splitlines():
            words = line.split()
            if words[1:2] == [name] and words[-1] in (DONE, FAILED):
                return words[-1]
        time.sleep(1)
    raise AssertionError(f"{name} is not done in time")


@pytest.fixture(scope="module")
def clone(reproduced, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("experiments") / "clone"
    run(folder.parent, "cp", "-r", str(reproduced), str(folder))
    return folder


def test_dvc_exp_run_workspace_temp_and_queue_keep_all_results(clone):
    before, models = vectors(clone), (clone / "models/stride_int8.tflite").read_bytes()
    run(clone, "dvc", "exp", "run", "--name", "here", "-S", "benchmark.vectors=21")
    assert vectors(clone) == before + 1
    run(clone, "git", "checkout", "--quiet", ".")
    run(clone, "dvc", "checkout", "--quiet")
    run(clone, "dvc", "exp", "run", "--temp", "--name", "elsewhere", "-S", "benchmark.vectors=22")
    run(clone, "dvc", "exp", "run", "--queue", "--name", "queued", "-S", "benchmark.vectors=25")
    run(clone, "dvc", "queue", "start", "--jobs", "1")
    assert wait_for_queue(clone, "queued") == DONE
    assert vectors(clone) == before
    assert run(clone, "git", "status", "--porcelain").stdout == ""
    listed = run(clone, "dvc", "exp", "list", "--name-only").stdout.split()
    assert sorted(listed) == ["elsewhere", "here", "queued"]

    diff = json.loads(run(clone, "dvc", "exp", "diff", "main", "here", "--json").stdout)
    assert diff["params"]["params.yaml"]["benchmark.vectors"]["new"] == 21
    # Files in Git belong to the experiment: models and headline metrics.
    refs = run(clone, "git", "for-each-ref", "--format=%(refname)", "refs/exps").stdout.split()
    kept = [ref for ref in refs if ref.rpartition("/")[2] in listed]
    assert len(kept) == len(listed)
    for ref in kept:
        assert "rmse_cm" in run(clone, "git", "show", f"{ref}:results/headline.json").stdout
        shown = subprocess.run(
            ["git", "show", f"{ref}:models/stride_int8.tflite"], cwd=clone, capture_output=True, check=True
        )
        assert shown.stdout == models

    run(clone, "dvc", "exp", "apply", "queued")
    assert vectors(clone) == before + 5
    run(clone, "git", "checkout", "--quiet", ".")
    run(clone, "dvc", "checkout", "--quiet")
    run(clone, "dvc", "exp", "branch", "elsewhere", "kept")
    run(clone, "git", "checkout", "--quiet", "--force", "kept")
    run(clone, "dvc", "checkout", "--quiet")
    assert vectors(clone) == before + 2
    run(clone, "git", "checkout", "--quiet", "main")
    run(clone, "dvc", "checkout", "--quiet")

    compared = run(clone, "python", "-m", "tools.experiments", "--plot", "costs.png").stdout
    assert {line.split()[0] for line in compared.splitlines()[2:]} == {"main", *listed}
    assert max(map(len, compared.splitlines())) <= 160
    assert (clone / "costs.png").read_bytes().startswith(b"\x89PNG")
    (clone / "costs.png").unlink()


def start_stage(clone: Path, *command: str) -> subprocess.Popen:
    return subprocess.Popen(
        command, cwd=clone, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def test_stage_workspace_in_use_rejects_other_runs(copy_of_reproduced):
    """The test holds the lock that a stage holds while it runs (see test_repro)."""
    clone = copy_of_reproduced
    with (clone / ".dvc/tmp/lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        commands = ["exp run --name second -S evaluate.resamples=51", "repro", "exp run --queue -S seed=8"]
        others = [start_stage(clone, "dvc", *command.split()) for command in commands]
        others.append(start_stage(clone, "python", "-m", "stages.evaluate"))
        for other in others:
            said = other.communicate()[1].splitlines()
            assert other.returncode != 0 and len(said) == 1 and REFUSED.search(said[0]), said
    assert run(clone, "git", "status", "--porcelain").stdout == ""
    assert run(clone, "dvc", "exp", "list", "--name-only").stdout == ""


def test_stage_outdated_checkout_is_rejected(copy_of_reproduced):
    clone = copy_of_reproduced
    running = clone / ".dvc/tmp/exps/run/workspace/workspace.run"
    running.parent.mkdir(parents=True, exist_ok=True)
    running.write_text(json.dumps({"name": "second"}))
    own = {"DVC_EXP_NAME": "first", "DVC_ROOT": str(clone)}
    done = run(clone, "python", "-m", "stages.split_by_subject", check=False, **own)
    (error,) = done.stderr.splitlines()
    assert done.returncode == 1 and "another experiment has started in this checkout" in error
    assert run(clone, "git", "status", "--porcelain").stdout == ""


def test_stage_parameters_edited_meanwhile_stop_it(module_copy, monkeypatch, capsys):
    monkeypatch.chdir(module_copy)
    with pytest.raises(SystemExit):
        run_stage("evaluate", lambda parameters: set_parameters(module_copy, {"evaluate.resamples": 52}))
    assert "error: params.yaml has changed while this stage ran" in capsys.readouterr().err
    run(module_copy, "git", "checkout", "--quiet", "params.yaml")


def test_experiment_without_commit_or_git_is_rejected(copy_of_reproduced):
    clone = copy_of_reproduced
    for made, words in ((["git", "init", "--quiet"], "empty git repo"), ([], "git repo")):
        run(clone, "rm", "-rf", ".git")
        if made:
            run(clone, *made)
        done = run(clone, "dvc", "exp", "run", "-S", "benchmark.vectors=21", check=False)
        errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR: ")]
        assert done.returncode != 0 and len(errors) == 1 and words in errors[0].lower()


def test_sweep_best_trials_become_experiments(copy_of_reproduced):
    clone = copy_of_reproduced
    grid = {"method": "grid", "parameters": {"train.filters": {"values": [[4, 2], [4, 2, 2]]}}}
    (clone / "sweeps").mkdir()
    (clone / "sweeps" / "filters.yaml").write_text(json.dumps(grid))
    options = ["--workers", "1", "--core", "none", "--objective", "rmse_cm", "--experiments"]
    said = run(clone, "tinystride", "sweep", "sweeps/filters.yaml", *options).stdout
    assert "Queued experiment" in said
    first, second = (clone / "sweeps" / "filters" / "trials.csv").read_text().splitlines()[1:]
    assert first.endswith("True") and "train.filters" in second
    assert run(clone, "dvc", "queue", "status").stdout.count("Queued") == 1
    assert run(clone, "git", "status", "--porcelain").stdout == ""
    again = run(clone, "tinystride", "sweep", "sweeps/filters.yaml", *options[:-1]).stdout
    assert "[4, 2]" in again
