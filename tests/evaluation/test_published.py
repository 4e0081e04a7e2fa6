import numpy as np
import pytest

from tests.evaluation.synthetic import walks
from tinystride.evaluation.published import PUBLISHED, by_protocol, markdown_beside_published


@pytest.fixture
def evaluated():
    """Six people's right feet, 1 cm too long, two of them by the final network; left feet 50 cm too long."""
    right = walks(dataset="tripod", subjects=6)
    right = right.assign(judged_by=np.where(right["subject"] < "S02", "final", "fold 1"))
    error_cm = 1 + np.tile([-2.0, 2.0], len(right) // 2)
    right = right.assign(int8_cm=right["stride_length_cm"] + error_cm, float32_cm=right["stride_length_cm"])
    left = right.assign(foot="left", int8_cm=right["int8_cm"] + 50)
    left = left.assign(stride_id=left["stride_id"].str.replace("right", "left"))
    return right, left


def test_by_protocol_uses_right_feet_and_separates_test_people(evaluated):
    right, left = evaluated
    rows = by_protocol(right.merge(left, how="outer"), seed=1, resamples=20)
    found = {(row["tested_on"], row["network"]): row for row in rows}
    assert {key: row["people"] for key, row in found.items() if key[1] == "int8"} == {
        ("test people", "int8"): 2,
        ("everybody, by folds", "int8"): 6,
    }
    row = found["test people", "int8"]
    assert row["bias_cm"] == pytest.approx(1) and row["strides"] == 40
    assert row["sd196_cm"] == pytest.approx(1.96 * np.std([-2, 2] * 20, ddof=1), abs=1e-3)
    assert found["test people", "float32"]["slope"] == pytest.approx(1)


def test_by_protocol_one_kind_of_model_is_listed_once(evaluated):
    right, _ = evaluated
    for model, group in (("final", "test people"), ("fold 1", "everybody, by folds")):
        rows = by_protocol(right[right["judged_by"] == model], seed=1, resamples=20)
        assert [row["tested_on"] for row in rows] == [group] * 2


def test_by_protocol_other_sets_are_skipped(evaluated):
    rows = by_protocol(evaluated[0].assign(dataset="street"), seed=1, resamples=20)
    assert rows == [] and markdown_beside_published(rows) == ""


def test_markdown_beside_published_shows_both(evaluated):
    table = markdown_beside_published(by_protocol(evaluated[0], seed=1, resamples=20)).splitlines()
    assert len({line.count("|") for line in table if line.startswith("|")}) == 1
    assert sum(line.startswith("| this run |") for line in table) == 4
    published = [line for line in table if line.startswith("| published |")]
    assert (
        len(published) == len(PUBLISHED) and "0.07 ± 4.30" in published[0] and "91.6 | 13.6" in published[0]
    )
