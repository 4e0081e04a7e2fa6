"""The reference paper's protocol, with the command of docs/paper.md, on 15 simulated people."""

import json
import re
from pathlib import Path

import pandas as pd
import pytest

from tests.pipeline.clones import ROOT, make_clone, run
from tinystride.datasets.simulated_tripod import write_tripod_tree
from tinystride.evaluation.published import PUBLISHED

# A smaller run that takes a minute; command and protocol are unchanged. The stages after evaluate are the
# same for every network and have their own tests.
REDUCED = {"evaluate.resamples": 20, "train.epochs": 2, "folds": "[0,1]"}


def documented_command() -> list[str]:
    """Return the first command of docs/paper.md, without its environment."""
    text = (ROOT / "docs" / "paper.md").read_text()
    command = re.search(r"TINYSTRIDE_TRIPOD=\S+ (dvc exp run (?:.|\\\n)*?)\n(?!\s)", text)[1]
    return re.sub(r"\\\n|'", " ", command).split()


@pytest.fixture(scope="module")
def reproduced_paper(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("paper")
    write_tripod_tree(folder / "TRIPOD", subjects=15, seed=3, walking_s=12)
    clone = make_clone(folder / "clone", parameters={})
    less = [part for name, value in REDUCED.items() for part in ("-S", f"{name}={value}")]
    run(clone, *documented_command(), *less, "evaluate", TINYSTRIDE_TRIPOD=str(folder / "TRIPOD"))
    return clone


def read(clone: Path, name: str):
    return json.loads((clone / name).read_text())


def test_paper_split_is_9_3_3(reproduced_paper):
    split = read(reproduced_paper, "data/split.json")
    for part in [split["final"], *split["folds"]]:
        assert [len(part[side]) for side in ("train", "validation", "test")] == [9, 3, 3]
        assert len({*part["train"], *part["validation"], *part["test"]}) == 15
    assert split["final"]["test"] == split["folds"][0]["test"] != split["folds"][1]["test"]


def test_paper_network_has_published_size_and_right_feet(reproduced_paper):
    model = read(reproduced_paper, "models/float32/model.json")
    assert (model["estimator"], model["features"], model["points"]) == ("direct", "contact-to-contact", 108)
    assert (model["filters"], model["kernels"], model["dense"]) == ([32, 16, 32], [5, 5, 15], [128])
    assert model["feet"] == ["right"]
    learned = read(reproduced_paper, "results/quantize/calibration_strides.json")
    assert {stride.split("/")[3] for stride in learned} == {"right"}


def test_paper_table_compares_with_published_numbers(reproduced_paper):
    rows = read(reproduced_paper, "results/evaluate/published.json")
    assert [(row["tested_on"], row["network"], row["people"]) for row in rows] == [
        ("test people", "int8", 3),
        ("test people", "float32", 3),
        ("everybody, by folds", "int8", 6),
        ("everybody, by folds", "float32", 6),
    ]
    evaluated = pd.read_csv(reproduced_paper / "results/evaluate/strides.csv")
    right = evaluated[(evaluated["foot"] == "right") & (evaluated["judged_by"] == "final")]
    error_cm = (right["int8_cm"] - right["stride_length_cm"]).dropna()
    assert rows[0]["strides"] == len(error_cm) > 50
    assert rows[0]["bias_cm"] == pytest.approx(error_cm.mean(), abs=1e-3)
    assert rows[0]["sd196_cm"] == pytest.approx(1.96 * error_cm.std(), abs=1e-3)
    table = (reproduced_paper / "results/evaluate/table.md").read_text()
    for published in PUBLISHED.values():
        assert f"{published['bias_cm']} ± 4.30" in table and f"| {published['flash_bytes'] / 1000} |" in table
    assert f"± {rows[0]['sd_cm']:.2f} (" in table


def test_paper_simulated_people_are_marked(reproduced_paper):
    sources = read(reproduced_paper, "data/raw/sources.json")
    assert sources["source"] == sources["datasets"]["tripod"]["source"] == "simulated"
    assert "Simulated walking" in (reproduced_paper / "results/evaluate/table.md").read_text()
