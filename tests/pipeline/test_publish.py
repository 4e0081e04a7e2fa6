"""What is in Git for others: models, C library and headline metrics, wherever the repository is cloned."""

import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from playwright.sync_api import sync_playwright

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
def bare(reproduced, tmp_path_factory) -> Path:
    """A bare clone without tags, cache or remote."""
    folder = tmp_path_factory.mktemp("bare") / "repository.git"
    run(folder.parent, "git", "clone", "--quiet", "--bare", "--no-tags", str(reproduced), str(folder))
    return folder


@pytest.fixture
def empty(tmp_path) -> Path:
    (tmp_path / "empty").mkdir()
    return tmp_path / "empty"


def test_dvc_get_bare_clone_brings_models_and_c(bare, reproduced, empty):
    for path in PUBLISHED:
        run(empty, "dvc", "get", str(bare), path, "--rev", "main")
    for name in ("stride_int8.tflite", "stride_float32.tflite"):
        assert (empty / name).read_bytes() == (reproduced / "models" / name).read_bytes()
    assert contents(empty / "c") == contents(reproduced / "models/c")


@pytest.mark.parametrize("path", ["models/none.tflite", "data/strides"])
def test_dvc_get_path_that_is_not_published_fails_and_leaves_nothing(bare, empty, path):
    done = run(empty, "dvc", "get", str(bare), path, check=False)
    assert done.returncode != 0 and "Traceback" not in done.stderr
    assert len([line for line in done.stderr.splitlines() if line.startswith("ERROR: ")]) == 1
    assert os.listdir(empty) == []


def test_fetched_model_predicts(bare, empty):
    run(empty, "dvc", "get", str(bare), "models/stride_int8.tflite")
    write_csv(simulate_walk(SimulatedSubject("A"), seed=3), empty / "walk.csv")
    options = "--rate-hz 100 --foot right --model stride_int8.tflite"
    said = run(empty, "tinystride", "predict", "walk.csv", *options.split()).stdout
    assert len(said.splitlines()) > 5 and said.startswith("start_s,")


def test_published_copies_are_those_of_the_run(reproduced):
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


def test_committed_copies_are_those_of_the_committed_lock():
    done = subprocess.run(COMMITTED_LOCK, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        pytest.skip("needs a Git checkout with a committed dvc.lock")
    found = outputs(done.stdout)
    for copy in ("models/stride_int8.tflite", "models/stride_float32.tflite"):
        assert found[copy] == found[PUBLISHED[copy]]
        content = subprocess.run(["git", "show", f"HEAD:{copy}"], cwd=ROOT, capture_output=True, check=True)
        assert hashlib.md5(content.stdout).hexdigest() == found[copy]


def test_stages_without_run_cache_only_copy():
    """DVC keeps no run cache of a stage with an output in Git; so none of these may compute."""
    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
    uncached = {
        name
        for name, stage in stages.items()
        if any(isinstance(out, dict) and not all(how.get("cache", True) for how in out.values())
               for out in stage["outs"])
    }  # fmt: skip
    assert uncached == {"publish"}


def test_metrics_and_table_fresh_clone_show_the_committed_run(bare, reproduced, tmp_path):
    run(tmp_path, "git", "clone", "--quiet", str(bare), "fresh")
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
@pytest.mark.skipif(shutil.which("chromium") is None, reason="needs chromium")
def test_plots_without_a_network_are_drawn(reproduced, tmp_path):
    page_folder = tmp_path / "plots"
    run(reproduced, "dvc", "plots", "show", "--out", str(page_folder))
    text = (page_folder / "index.html").read_text()
    assert 'src="http' not in text
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page()
        asked, errors = [], []
        page.on("request", lambda request: asked.append(request.url))
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto((page_folder / "index.html").as_uri())
        page.wait_for_selector("canvas, svg.marks")
        drawn = page.locator("canvas, svg.marks").count()
        browser.close()
    assert errors == [] and [url for url in asked if url.startswith("http")] == []
    assert drawn >= 4


def test_stage_read_only_checkout_is_refused_in_one_line(copy_of_reproduced):
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
