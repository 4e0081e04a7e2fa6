"""Studies evaluate networks on unseen people and measure the intended quantity."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from scipy.spatial.transform import Rotation

from stages.common import description
from studies import ablation
from studies.common import compare_with_baseline, measured, measured_parts
from studies.mid_stances import REST_MPS, against_truth, unexplained_mps, walks
from studies.neighbours import row as neighbours
from studies.reference_point import sensor_place
from studies.second_opinion import other_length_cm
from studies.second_opinion import row as second_opinion
from tests.evaluation.synthetic import study
from tests.learning.walking import walk
from tests.pipeline.test_graph import ROOT, used_modules
from tinystride.datasets.recording import Recording
from tinystride.gait.strapdown import GRAVITY_MPS2
from tinystride.gait.strides import StrideSet
from tinystride.learning.estimators import choose

STAGES = yaml.safe_load((ROOT / "studies/dvc.yaml").read_text())["stages"]


def test_folds_measured_strides_are_tested_once_on_unseen_people():
    strides, split, *_ = study()
    parts = measured_parts(strides, split)
    tested = [name for part in parts for name in part["test"]]
    assert sorted(tested) == ["belt/S00", "belt/S01", "ruler/S00"]
    for part in parts:
        assert not set(part["test"]) & {*part["train"], *part["validation"]}
    assert set(measured(strides)["dataset"]) == {"belt", "ruler"}
    street = strides[strides["dataset"] == "street"]
    assert len(measured(street)) == len(street)


def test_compare_uses_the_strides_of_the_baseline():
    strides = study()[0].query("dataset == 'belt'")
    truth, noise = strides["stride_length_cm"].to_numpy(), np.random.default_rng(0).normal(0, 3, 360)
    row = compare_with_baseline(strides, truth + 1, truth + noise, seed=1, resamples=100)
    assert row["rmse_cm"] == pytest.approx(1) and row["bias_cm"] == pytest.approx(1)
    assert row["rmse_difference_cm"] == pytest.approx(1 - np.sqrt((noise**2).mean()), abs=1e-3)
    assert row["rmse_difference_cm_low"] < row["rmse_difference_cm"] < row["rmse_difference_cm_high"] < 0
    same = compare_with_baseline(strides, truth + noise, truth + noise, seed=1, resamples=100)
    assert same["rmse_difference_cm"] == 0


@pytest.fixture(scope="module")
def strides() -> StrideSet:
    """People of two sets walking along a line: `line` with several of them, `alone` with one."""
    table, signals = walk(dict.fromkeys([*(f"line/{i}" for i in range(6)), "alone/1"], 30))
    start_s = np.cumsum(table["duration_s"]) - table["duration_s"]
    table = table.assign(
        trial="walk", foot="right", condition="", start_s=start_s, end_s=start_s + table["duration_s"],
        reference=np.where(table["dataset"] == "alone", "ruler", "optogait"),
    )  # fmt: skip
    return StrideSet(table, signals)


SPLIT = {
    "final": {
        "train": ["line/1", "line/2", "line/3", "alone/1"],
        "validation": ["line/4"],
        "test": ["line/0"],
    },
    "folds": [
        {"fold": 0, "train": ["line/1", "line/2"], "validation": ["line/3"], "test": ["alone/1", "line/4"]}
    ],
}
QUICK = {
    "filters": [4],
    "kernels": [3],
    "strides": [2],
    "dense": [],
    "epochs": 2,
    "augmentations_per_stride": 1,
}


def test_ablation_tests_all_measured_sets_with_networks_that_have_not_seen_them(strides):
    recipes = {"small": choose("direct", **QUICK)}
    table = ablation.compare(strides, SPLIT, recipes, seed=1, resamples=50, calibration_strides=20)
    rows = table.set_index(["set", "estimator"])
    assert list(rows.loc["line"].index) == ["integral", "integral without lever arm", "small"]
    # line/0 is tested by the final network, line/4 and alone/1 by the fold's; line/1 to line/3 by none.
    assert rows.loc[("line", "small"), "n_strides"] == 60 and rows.loc[("alone", "small"), "n_strides"] == 30
    assert rows.loc[("line", "small"), "rmse_cm"] > 2 * rows.loc[("line", "integral"), "rmse_cm"]
    assert rows.loc[("line", "small"), "rmse_difference_cm"] > 0
    assert rows.loc[("line", "integral"), "rmse_difference_cm"] == 0


def test_mid_stances_are_compared_with_the_simulated_instants():
    name, recording, truth = next(walks(0))
    found = against_truth(recording, truth)
    assert name == "slow"
    assert len(found["late_s"]) == len(found["from_rest_s"]) == len(truth.mid_stance_s) - 2
    assert 0 < np.std(found["late_s"]) < 0.1
    assert (found["from_rest_s"] < 0.05).all() and (
        found["from_rest_s"] < np.abs(found["late_s"]) + 0.02
    ).all()
    assert (found["standing_cm"] < 1).all()
    still = unexplained_mps(recording, truth)
    assert still[10] < REST_MPS < np.median(still)


def test_sensor_place_of_a_simulated_foot_is_found():
    rate_hz, place_m = 200.0, np.array([0.07, 0.05, 0.01])
    rng, time_s = np.random.default_rng(3), np.arange(0, 20, 1 / rate_hz)
    angles = [
        sum(a * np.sin(2 * np.pi * f * time_s + p) for a, f, p in rng.uniform(0.2, 1.5, (3, 3)))
        for _ in "xyz"
    ]
    rotation = Rotation.from_euler("xyz", np.column_stack(angles))
    heel_m = np.column_stack([0.3 * np.sin(2 * np.pi * f * time_s) for f in (0.7, 0.9, 1.1)])

    def rate(values):
        return np.gradient(values, 1 / rate_hz, axis=0)

    sensor_m = heel_m + rotation.apply(place_m)
    mounting = Rotation.random(random_state=1)
    acc_mps2 = mounting.apply(rotation.inv().apply(rate(rate(sensor_m)) + np.array([0, 0, GRAVITY_MPS2])))
    step = (rotation[:-1].inv() * rotation[1:]).as_rotvec() * rate_hz
    recording = Recording(
        "set", "A", "1", "left", rate_hz, acc_mps2, mounting.apply(np.vstack([step, step[-1:]]))
    )
    markers = [(heel_m + rotation.apply(each))[::2] for each in ([0, 0, 0], [0.25, 0, 0], [0.19, 0.06, 0])]
    found = sensor_place(recording, markers)
    assert [found[f"{axis}_mm"] for axis in "xyz"] == pytest.approx(1000 * place_m, abs=5)
    assert found["with_mps2"] < 0.3 * found["without_mps2"]


@pytest.mark.parametrize("name", STAGES)
def test_study_deps_hold_all_used_modules(name):
    stage = STAGES[name]
    script = f"{stage['cmd'].removeprefix('python -m ').replace('.', '/')}.py"
    wanted = {script, *used_modules(script)} - {"studies/__init__.py"}
    assert sorted(path for path in wanted if not any(map(Path(path).is_relative_to, stage["deps"]))) == []


def test_studies_are_not_part_of_the_pipeline():
    pipeline = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
    outputs = {out for stage in STAGES.values() for entry in stage["outs"] for out in entry}
    assert not outputs & {str(dep) for stage in pipeline.values() for dep in stage.get("deps", [])}
    assert all(entry[out]["cache"] is False for s in STAGES.values() for entry in s["outs"] for out in entry)


def test_neighbours_misplaced_footprint_affects_adjacent_strides_only():
    n, rng = 200, np.random.default_rng(4)
    end_s, footprint_cm = 1.1 * np.arange(1, n + 1), np.zeros(n + 1)
    footprint_cm[[20, 90, 150]] = [12, -10, 9]
    noise_cm = rng.normal(0, 0.5, n)
    strides = pd.DataFrame(
        {
            "subject": "A", "trial": "1", "foot": "right", "start_s": end_s - 1.1, "end_s": end_s,
            "stride_length_cm": 130 + np.diff(footprint_cm), "strapdown_length_cm": 130 + noise_cm,
        }
    )  # fmt: skip
    measured = neighbours("ruler", strides.sample(frac=1, random_state=1))
    assert (measured["opposite_neighbours"], measured["opposite_two_apart"], measured["large"]) == (3, 0, 6)
    assert measured["rmse_cm"] > 1.5 and measured["evened_rmse_cm"] < 0.6
    assert measured["neighbours_rmse_cm"] < measured["two_apart_rmse_cm"]
    separated = neighbours("ruler", strides.assign(start_s=strides["start_s"] + 0.1))
    assert separated["opposite_neighbours"] == 0


def test_second_opinion_same_mid_stances_counts_common_errors():
    walked_m = np.linspace(0, 10, 2001)
    path_m = np.column_stack([0.6 * walked_m, 0.8 * walked_m])
    strides = pd.DataFrame({"start_s": [0.0, 1.0025], "end_s": [1.0, 2.5025]})
    assert other_length_cm(path_m, strides) == pytest.approx([100, 150])
    measured = second_opinion(
        "unsaturated",
        np.array([100.0, 100, 100, 100]),
        np.array([101.0, 90, 110, 120]),
        np.array([99, 91, 90, 117]),
    )
    assert measured == {"kind": "unsaturated", "strides": 4, "apart_median_cm": 2.5, "large": 3, "alike": 2}


def test_stages_of_studies_have_a_description():
    for name, stage in STAGES.items():
        assert description(f"studies/dvc.yaml:{name}") == " ".join(stage["desc"].split())
