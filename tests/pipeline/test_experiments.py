"""DVC's experiments, each way of running them once, with changes so small that few stages run."""

import json
import re
import subprocess
import time
from pathlib import Path

import pytest

from tests.pipeline.clones import ROOT, environment, run, set_parameters

DONE, FAILED = "Success", "Failed"
LONG = 4000  # resamples: evaluate then outlasts whoever waits for it
# By a stage, by DVC's lock, or by Git where both get as far as its index.
REFUSED = re.compile("at work in this checkout|began in this checkout|Unable to acquire lock|Stash apply")


def vectors(folder: Path) -> int:
    metrics = json.loads((folder / "results" / "mcu" / "metrics.json").read_text())
    return metrics["cortex-m4f"]["network"]["vectors"]


def wait_for_queue(clone: Path, names: set[str], seconds: float = 600) -> dict[str, str]:
    """{name: state} of the queue when all are done."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        lines = run(clone, "dvc", "queue", "status").stdout.splitlines()
        states = {
            line.split()[1]: line.split()[-1]
            for line in lines
            if line.split()[1:2] and line[0] in "0123456789abcdef"
        }
        if {name for name, state in states.items() if state in (DONE, FAILED)} >= names:
            return states
        time.sleep(3)
    raise AssertionError(f"not done in time: {states}")


def shown_command() -> list[str]:
    """The table's command as docs/experiments.md has it."""
    text = (ROOT / "docs" / "experiments.md").read_text()
    (line,) = [line for line in text.splitlines() if line.startswith("dvc exp show")]
    return line.partition(" #")[0].replace("'", "").split()


@pytest.fixture(scope="module")
def clone(reproduced, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("experiments") / "clone"
    run(folder.parent, "cp", "-r", str(reproduced), str(folder))
    return folder


def test_experiments_run_here_elsewhere_and_from_the_queue_and_nothing_is_lost(clone):
    before = vectors(clone)
    run(
        clone, "dvc", "exp", "run", "--name", "here",
        "-S", "benchmark.vectors=21", "-S", "evaluate.resamples=51",
    )  # fmt: skip
    assert vectors(clone) == before + 1
    run(clone, "git", "checkout", "--quiet", ".")
    run(clone, "dvc", "checkout", "--quiet")
    run(clone, "dvc", "exp", "run", "--temp", "--name", "elsewhere", "-S", "benchmark.vectors=22")
    for name in ("first", "second"):
        option = f"benchmark.vectors={len(name) + 20}"
        run(clone, "dvc", "exp", "run", "--queue", "--name", name, "-S", option)
    run(clone, "dvc", "queue", "start", "--jobs", "1")
    assert wait_for_queue(clone, {"first", "second"}) == {"first": DONE, "second": DONE}
    assert vectors(clone) == before
    assert run(clone, "git", "status", "--porcelain").stdout == ""
    listed = run(clone, "dvc", "exp", "list", "--name-only").stdout.split()
    assert sorted(listed) == ["elsewhere", "first", "here", "second"]

    table = run(clone, *shown_command(), "--no-pager", COLUMNS="160").stdout
    rows = [line for line in table.splitlines() if "simulated.rmse_cm" in line or "[first]" in line]
    assert len(rows) == 2 and all(len(row.rstrip()) <= 160 and "…" not in row for row in rows)
    assert all(
        name in rows[0]
        for name in ("net.flash_bytes", "net.ram_bytes", "net.instructions", "parameters", "training_gmac")
    )
    diff = json.loads(run(clone, "dvc", "exp", "diff", "main", "here", "--json").stdout)
    changed = diff["params"]["params.yaml"]
    assert {"benchmark.vectors", "evaluate.resamples"} <= set(changed)

    run(clone, "dvc", "exp", "apply", "second")
    assert vectors(clone) == before + 6
    run(clone, "dvc", "exp", "branch", "first", "kept")
    run(clone, "git", "checkout", "--quiet", "--force", "kept")
    run(clone, "dvc", "checkout", "--quiet")
    assert vectors(clone) == before + 5
    run(clone, "git", "checkout", "--quiet", "main")
    run(clone, "dvc", "checkout", "--quiet")

    compared = run(
        clone, "python", "-m", "tools.experiments", "--sets", "simulated", "--figure", "costs.png"
    ).stdout
    assert {line.split()[0] for line in compared.splitlines()[1:]} == {"main", *listed}
    assert (clone / "costs.png").read_bytes().startswith(b"\x89PNG")
    (clone / "costs.png").unlink()


def test_two_experiments_at_once_elsewhere_are_both_kept(copy_of_reproduced):
    clone = copy_of_reproduced
    both = [
        subprocess.Popen(
            ["dvc", "exp", "run", "--quiet", "--temp", "--name", name, "-S", f"benchmark.vectors={count}"],
            cwd=clone, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        )
        for name, count in (("first", 21), ("second", 22))
    ]  # fmt: skip
    said = {name: running.communicate()[1] for name, running in zip(("first", "second"), both, strict=True)}
    for name, running in zip(said, both, strict=True):
        if running.returncode:
            assert "Traceback" not in said[name] and "ERROR: " in said[name]
            run(clone, "dvc", "exp", "run", "--temp", "--name", name, "-S", "benchmark.vectors=23")
    listed = run(clone, "dvc", "exp", "list", "--name-only").stdout.split()
    assert sorted(listed) == ["first", "second"]
    assert run(clone, "git", "status", "--porcelain").stdout == ""


def begin(clone: Path, *command: str) -> subprocess.Popen:
    return subprocess.Popen(
        command, cwd=clone, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def test_a_second_run_in_one_workspace_is_refused_while_the_first_goes_on(copy_of_reproduced):
    clone = copy_of_reproduced
    first = begin(clone, "dvc", "exp", "run", "--name", "first", "-S", f"evaluate.resamples={LONG}")
    while "stages.evaluate" not in first.stdout.readline():
        assert first.poll() is None
    time.sleep(2)  # until that stage has begun
    others = ["exp run --name second -S evaluate.resamples=51", "repro", "exp run --queue -S seed=8"]
    others = [begin(clone, "dvc", *command.split()) for command in others]
    others.append(begin(clone, "python", "-m", "stages.evaluate"))
    for other in others:
        said = other.communicate()[1].splitlines()
        assert other.returncode != 0 and len(said) == 1 and REFUSED.search(said[0]), said
    assert first.poll() is None
    first.communicate()
    assert first.returncode == 0
    run(clone, "dvc", "exp", "run", "--name", "second", "-S", "evaluate.resamples=51")
    assert sorted(run(clone, "dvc", "exp", "list", "--name-only").stdout.split()) == ["first", "second"]
    diff = json.loads(run(clone, "dvc", "exp", "diff", "first", "second", "--json").stdout)
    kept = diff["params"]["params.yaml"]["evaluate.resamples"]
    assert (kept["old"], kept["new"]) == (LONG, 51)


def test_two_runs_begun_in_one_workspace_in_the_same_moment_lose_nothing(copy_of_reproduced):
    clone = copy_of_reproduced
    commands = {
        name: ["dvc", "exp", "run", "--name", name, "-S", f"evaluate.resamples={count}"]
        for name, count in (("first", 51), ("second", 52))
    }
    both = {name: begin(clone, *command) for name, command in commands.items()}
    said = {name: running.communicate()[1] for name, running in both.items()}
    for name, running in both.items():
        if running.returncode:
            # Whoever notices the other first refuses: a stage, DVC or Git, each in its own words.
            refusals = [line for line in said[name].splitlines() if line.startswith("ERROR: ")]
            assert refusals and "Traceback" not in said[name], said[name]
            run(clone, *commands[name])
    assert sorted(run(clone, "dvc", "exp", "list", "--name-only").stdout.split()) == ["first", "second"]
    diff = json.loads(run(clone, "dvc", "exp", "diff", "first", "second", "--json").stdout)
    kept = diff["params"]["params.yaml"]["evaluate.resamples"]
    assert (kept["old"], kept["new"]) == (51, 52)


def test_parameters_edited_while_a_stage_runs_are_noticed(copy_of_reproduced):
    clone = copy_of_reproduced
    set_parameters(clone, {"evaluate.resamples": LONG})
    running = begin(clone, "dvc", "repro", "evaluate")
    said = ""
    while "streaming" not in said:  # it has read its parameters by then
        assert running.poll() is None, said
        said += running.stderr.read(1)
    set_parameters(clone, {"evaluate.resamples": 51})
    said += running.communicate()[1]
    assert running.returncode != 0 and said.count("error: params.yaml has changed while this stage ran") == 1
    run(clone, "dvc", "repro", "evaluate")
    assert "resamples: 51" in (clone / "dvc.lock").read_text()


def test_without_a_commit_or_git_an_experiment_is_refused_in_words(copy_of_reproduced):
    clone = copy_of_reproduced
    for made, words in ((["git", "init", "--quiet"], "empty git repo"), ([], "git repo")):
        run(clone, "rm", "-rf", ".git")
        if made:
            run(clone, *made)
        done = run(clone, "dvc", "exp", "run", "-S", "benchmark.vectors=21", check=False)
        errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR: ")]
        assert done.returncode != 0 and len(errors) == 1 and words in errors[0].lower()


def test_the_best_of_a_sweep_become_experiments(copy_of_reproduced):
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
