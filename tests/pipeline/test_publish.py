"""Models, C library and headline metrics are in Git and available in every clone."""

import hashlib
import json
import os
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.pipeline.clones import ROOT, environment, run
from tests.predicting import write_csv
from tinystride.datasets.simulator import simulate_walk
from tinystride.datasets.walker import SimulatedSubject

PUBLISHED = {
    "models/stride_int8.tflite": "models/built/stride_int8.tflite",
    "models/stride_float32.tflite": "models/built/stride_float32.tflite",
    "models/c": "models/built/c",
}
# Read from the commit, not from the checkout: a run of one's own may have changed both there.
COMMITTED_LOCK = ["git", "show", "HEAD:dvc.lock"]


def outputs(lock: str) -> dict[str, str]:
    """{path: MD5} of all outputs in a dvc.lock."""
    stages = yaml.safe_load(lock)["stages"].values()
    return {out["path"]: out["md5"] for stage in stages for out in stage["outs"]}


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


@pytest.fixture(scope="module")
def bare_clone(reproduced, tmp_path_factory) -> Path:
    """A bare clone without tags, cache or remote."""
    folder = tmp_path_factory.mktemp("bare") / "repository.git"
    run(folder.parent, "git", "clone", "--quiet", "--bare", "--no-tags", str(reproduced), str(folder))
    return folder


@pytest.fixture
def empty_folder(tmp_path) -> Path:
    (tmp_path / "empty_folder").mkdir()
    return tmp_path / "empty_folder"


def test_dvc_get_bare_clone_fetches_models_and_c(bare_clone, reproduced, empty_folder):
    for path in PUBLISHED:
        run(empty_folder, "dvc", "get", str(bare_clone), path, "--rev", "main")
    for name in ("stride_int8.tflite", "stride_float32.tflite"):
        assert (empty_folder / name).read_bytes() == (reproduced / "models" / name).read_bytes()
    assert contents(empty_folder / "c") == contents(reproduced / "models/c")


@pytest.mark.parametrize("path", ["models/none.tflite", "data/strides"])
def test_dvc_get_unpublished_path_fails_and_writes_nothing(bare_clone, empty_folder, path):
    done = run(empty_folder, "dvc", "get", str(bare_clone), path, check=False)
    assert done.returncode != 0 and "Traceback" not in done.stderr
    assert len([line for line in done.stderr.splitlines() if line.startswith("ERROR: ")]) == 1
    assert os.listdir(empty_folder) == []


def test_fetched_model_can_predict(bare_clone, empty_folder):
    run(empty_folder, "dvc", "get", str(bare_clone), "models/stride_int8.tflite")
    write_csv(simulate_walk(SimulatedSubject("A"), seed=3), empty_folder / "walk.csv")
    options = "--rate-hz 100 --foot right --model stride_int8.tflite"
    said = run(empty_folder, "tinystride", "predict", "walk.csv", *options.split()).stdout
    assert len(said.splitlines()) > 5 and said.startswith("start_s,")


def test_publish_copies_equal_the_run(reproduced):
    found = outputs((reproduced / "dvc.lock").read_text())
    for copy, made in PUBLISHED.items():
        if (reproduced / made).is_file():
            assert found[copy] == found[made]
            assert (reproduced / copy).read_bytes() == (reproduced / made).read_bytes()
    library, made = contents(reproduced / "models/c"), contents(reproduced / "models/built/c")
    assert set(library) - set(made) == {"LICENSE", "CHANGELOG.md"}
    # publish adds what the library costs.
    assert b"has not been measured" in made.pop("README.md")
    assert b"| longest call at 64 MHz, ms |" in library["README.md"]
    assert {name: library[name] for name in made} == made
    assert b"| simulated | training, " in library["DATA.md"]


def test_committed_copies_equal_the_committed_lock():
    done = subprocess.run(COMMITTED_LOCK, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        pytest.skip("needs a Git checkout with a committed dvc.lock")
    found = outputs(done.stdout)
    for copy in ("models/stride_int8.tflite", "models/stride_float32.tflite"):
        assert found[copy] == found[PUBLISHED[copy]]
        content = subprocess.run(["git", "show", f"HEAD:{copy}"], cwd=ROOT, capture_output=True, check=True)
        assert hashlib.md5(content.stdout).hexdigest() == found[copy]


def test_stages_without_run_cache_only_copy():
    """DVC has no run cache for stages with an output in Git; such stages must not compute."""
    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
    uncached = {
        name
        for name, stage in stages.items()
        if any(isinstance(out, dict) and not all(how.get("cache", True) for how in out.values())
               for out in stage["outs"])
    }  # fmt: skip
    assert uncached == {"publish"}


def test_dvc_metrics_fresh_clone_shows_the_committed_run(bare_clone, reproduced, tmp_path):
    run(tmp_path, "git", "clone", "--quiet", str(bare_clone), "fresh")
    clone = tmp_path / "fresh"
    shown = json.loads(run(clone, "dvc", "metrics", "show", "--json").stdout)
    headline = json.loads((reproduced / "results/headline.json").read_text())
    assert shown[""]["data"]["results/headline.json"]["data"] == headline
    run(clone, "git", "commit", "--quiet", "--allow-empty", "--message", "Another")
    assert run(clone, "dvc", "metrics", "diff", "HEAD~1", "HEAD").stdout == ""
    table = run(clone, "python", "-m", "tools.experiments").stdout
    assert f"{headline['simulated']['rmse_cm']:.2f}" in table
    assert max(map(len, table.splitlines())) <= 160


@pytest.mark.browser
def test_dvc_plots_offline_are_drawn(reproduced, tmp_path, browser):
    page_folder = tmp_path / "plots"
    run(reproduced, "dvc", "plots", "show", "--out", str(page_folder))
    text = (page_folder / "index.html").read_text()
    assert 'src="http' not in text
    page = browser.new_page()
    page.set_default_timeout(300_000)
    asked, errors = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto((page_folder / "index.html").as_uri())
    page.wait_for_selector("canvas, svg.marks")
    drawn = page.locator("canvas, svg.marks").count()
    assert errors == [] and [url for url in asked if url.startswith("http")] == []
    assert drawn >= 4


def test_stage_read_only_checkout_is_rejected_in_one_line(copy_of_reproduced):
    clone = copy_of_reproduced
    script = (
        f"mount --bind {clone} {clone} && mount -o remount,bind,ro {clone} && cd {clone} && "
        "python -m stages.split_by_subject"
    )
    done = subprocess.run(
        ["unshare", "--map-root-user", "--mount", "sh", "-c", script],
        cwd=clone.parent, env=environment(), capture_output=True, text=True,
    )  # fmt: skip
    errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert done.returncode == 1 and len(errors) == 1 and "Read-only file system" in errors[0]
    assert "Traceback" not in done.stderr
