"""README.md and docs/results.md show the results of the committed run of the pipeline."""

import json
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from tools.readme import (
    BEGIN,
    END,
    README,
    RESULTS,
    RESULTS_PAGE,
    accuracy,
    best_peers,
    limits,
    network_sentence,
    result_hashes,
)

ROOT = Path(__file__).resolve().parents[2]


def committed(path: str) -> str:
    """A file as it is committed: a run of one's own changes the checkout, and not what this tests."""
    done = subprocess.run(["git", "show", f"HEAD:{path}"], cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"needs a Git checkout with a committed {path}")
    return done.stdout


@pytest.mark.parametrize("document", [README, RESULTS_PAGE], ids=str)
def test_results_in_documents_are_those_of_the_committed_run(document):
    text, hashes = committed(str(document)), result_hashes(committed("dvc.lock"))
    if json.loads(committed("results/headline.json"))["source"] == "simulated":
        pytest.skip("the committed run is of simulated walking, which the documents do not show")
    assert all(f"{path} " in hashes for path in RESULTS)
    assert f"<!-- {hashes} -->" in text[text.index(BEGIN) : text.index(END)]


def test_readme_numbers_equal_the_committed_headline():
    readme, headline = committed("README.md"), json.loads(committed("results/headline.json"))
    sets = {name: own for name, own in headline.items() if isinstance(own, dict) and "rmse_cm" in own}
    assert sets
    section = readme[readme.index(BEGIN) : readme.index(END)]
    for name, own in sets.items():
        row = re.search(rf"^\| `{name}` [^|]*\|([^|]*)\|", section, re.MULTILINE)
        assert row, name
        median_cm = float(row[1].split("/")[0])
        assert any(abs(median_cm - own[key]) <= 0.0501 for key in ("median_cm", "strapdown_median_cm"))


def test_readme_first_command_is_within_20_lines_and_results_table_has_4_columns():
    readme = (ROOT / README).read_text()
    assert readme.split("\n").index("```sh") < 20
    section = readme[readme.index(BEGIN) : readme.index(END)]
    assert {line.count("|") for line in section.split("\n") if line.startswith("|")} == {5}


def estimators(median: float, p95: float, people: int) -> dict:
    own = {"kind": "accuracy", "reference": "ruler", "n_subjects": people, "n_strides": 1200}
    own |= {"median_abs_cm": median, "p95_abs_cm": p95, "mean5_sd_cm": 1.0, "unflagged": 0.25 * people}
    return {"int8": {**own, "median_abs_cm": 9.0}, "strapdown": own, "int8-streaming": own}


METRICS = {
    "source": "recorded",
    "first": estimators(1.04, 4.41, 1),
    "second": estimators(2.0, 6.95, 3),
    "third": {"int8": {"kind": "agreement"}},
}


def test_accuracy_default_estimator_decides_the_row():
    expected = "| `first` (ruler; 1 person, 1,200 strides) | 1.0 / 4.4 | 1.0 / 4.4 | – |"
    assert expected in accuracy(METRICS, {"use_network": False}, {}).split("\n")
    with_network = accuracy(METRICS, {"use_network": True}, {})
    assert "| `first` (ruler; 1 person, 1,200 strides) | 9.0 / 4.4 | 1.0 / 4.4 | – |" in with_network
    assert "third" not in with_network


def test_accuracy_last_column_is_the_peer_with_the_smallest_large_errors(tmp_path):
    path = tmp_path / "peers.csv"
    path.write_text(
        "set,method,median_abs_cm,p95_abs_cm\n"
        'second,"TinyStride, integral",1.0,2.0\n'
        'second,"gaitmap, a",2.04,19.0\n'
        'second,"gaitmap, b",2.51,11.26\n'
    )
    rows = accuracy(METRICS, {"use_network": False}, best_peers(path)).split("\n")
    assert "| `second` (ruler; 3 people, 1,200 strides) | 2.0 / 7.0 | 2.0 / 7.0 | 2.5 / 11.3 |" in rows


def with_gait(gait: str, **metrics: float | None) -> dict:
    """METRICS, with the walking of both measured sets, and `metrics` added to the gait of the first set."""
    walking = {"n_strides": 100, "median_abs_cm": 1.0, "p95_abs_cm": 4.41, "unflagged": 1.0}
    second = {"n_strides": 100, "median_abs_cm": 1.51, "p95_abs_cm": 6.95, "unflagged": 0.5}
    own = {"walking": walking, "running": {}} | {gait: walking | metrics}
    own = {name: values for name, values in own.items() if values}
    found = {name: dict(entry) if name != "source" else entry for name, entry in METRICS.items()}
    for name, per_gait in (("first", own), ("second", {"walking": second})):
        found[name]["strapdown"] = {**METRICS[name]["strapdown"], "per_gait": per_gait}
    return found


def test_limits_are_those_of_walking_strides_rounded_up():
    text = limits(with_gait("walking"), {"use_network": False})
    assert "within ±7.0 cm" in text and "half of the strides are within ±1.6 cm" in text
    assert "best: ±4.5 cm" in text
    assert "1 to 3 people" in text
    assert "0 % to 50 % of a data set" in text
    assert "Running" not in text


@pytest.mark.parametrize(
    ("unflagged", "max_cm", "words"),
    [(0.25, 8.02, "have no flag, and these are within ±8.1 cm."), (0.0, None, "have no flag.")],
)
def test_limits_running_has_a_sentence_of_its_own(unflagged, max_cm, words):
    metrics = with_gait("running", n_strides=20, unflagged=unflagged, max_unflagged_abs_cm=max_cm)
    text = limits(metrics, {"use_network": False})
    assert "Running (20 strides at 2.2 m/s and more)" in text
    assert f"{100 * unflagged:.0f} % to {100 * unflagged:.0f} % of a data set" in text
    assert text.endswith(words)


def test_network_sentence_follows_the_rule():
    rule = {"better": ["a"], "significant": [], "sets": {"a": [], "b": []}, "use_network": False}
    assert "on 1 of 2, significantly on 0" in network_sentence(rule)
    assert network_sentence(rule).endswith("off by default.")
    assert network_sentence({**rule, "use_network": True}).endswith("on by default.")


def test_documents_links_lead_to_files():
    for document in [ROOT / README, *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)\)", document.read_text()):
            assert (document.parent / target).exists(), f"{document.name}: {target}"


def test_pipeline_every_stage_has_a_description_and_every_block_is_used():
    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
    assert [name for name, stage in stages.items() if not stage.get("desc")] == []
    used = {name.split(".")[0] for stage in stages.values() for name in stage.get("params", [])}
    assert set(yaml.safe_load((ROOT / "params.yaml").read_text())) == used
