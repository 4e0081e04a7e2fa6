import json

import numpy as np
import pandas as pd
import pytest

from tests.evaluation.synthetic import study, walks
from tinystride.errors import ParameterError
from tinystride.evaluation.metrics import REFERENCE_SD_CM, evaluate
from tinystride.evaluation.tables import headline, long, markdown, stride_points, subject_points
from tinystride.gait.strides import read_strides
from tinystride.learning.split import split_by_subject


@pytest.fixture(scope="module")
def results():
    return evaluate(*study(), source="recorded", seed=4, resamples=200)


def test_evaluate_metrics_are_nested_by_set_and_estimator(results):
    metrics, _ = results
    assert list(metrics) == ["source", "belt", "ruler", "street"] and metrics["source"] == "recorded"
    assert list(metrics["belt"]) == ["int8", "float32", "strapdown", "stride-time-line", "mean"]
    entry = metrics["belt"]["int8"]
    designed = [
        "n_strides", "n_subjects", "coverage", "bias_cm", "sd_cm", "rmse_cm", "mae_cm", "loa_low_cm",
        "loa_high_cm", "pearson_r", "icc_2_1", "mean5_sd_cm", "mean10_sd_cm",
    ]  # fmt: skip
    for name in designed:
        assert isinstance(entry[name], int | float)
        if not name.startswith("n_"):
            low, high = entry[f"{name}_ci95"]
            assert low <= entry[name] <= high
    assert set(entry["per_subject"]) == {"S00", "S01"}
    assert set(entry["per_condition"]) == {"slow", "fast"}
    # 95 % of errors of 2 cm, and 2.8 cm of the reference more, are within 1.96 times the root of 2.5² + 2.8².
    assert 0.97 < entry["interval_coverage"] <= 1 and entry["surest80_rmse_cm"] > 1
    assert entry["unflagged"] == pytest.approx(0.75, abs=0.01)
    assert sum(values["n_strides"] for values in entry["per_speed"].values()) == entry["n_strides"]
    assert {"rmse_cm", "median_abs_cm", "p95_abs_cm", "unflagged"} <= set(entry["per_speed"]["0.8 to 1.2"])
    # Every stride is of one kind; those that turn are among the flagged ones.
    kinds = entry["per_kind"]
    assert sum(values["n_strides"] for values in kinds.values()) == entry["n_strides"]
    assert set(kinds) <= {"straight, 40 cm and more", "turn, 40 cm and more", "below 40 cm"}
    strides_of_subjects = [values["n_strides"] for values in entry["per_subject"].values()]
    strides_of_conditions = [values["n_strides"] for values in entry["per_condition"].values()]
    assert sum(strides_of_subjects) == sum(strides_of_conditions) == entry["n_strides"] == 360
    json.dumps(metrics, allow_nan=False)


def test_evaluate_additional_estimator_with_own_sd_has_interval_coverage():
    strides, split, final, folds = study()
    # Errors of exactly 3 cm are within 1.96 SD of 2 cm, but not of 1 cm; every fourth SD is 1 cm.
    own = strides.set_index("stride_id").loc[final["stride_id"]].reset_index()
    final["own_cm"], final["plain_cm"] = own["stride_length_cm"] + 3.0, own["stride_length_cm"]
    final["own_sd"] = np.where(np.arange(len(final)) % 4, 2.0, 1.0)
    metrics, evaluated = evaluate(strides, split, final, folds, source="recorded", seed=4, resamples=50)
    name = next(name for name in metrics if name != "source" and "own" in metrics[name])
    noise_cm = REFERENCE_SD_CM.get(metrics[name]["own"]["reference"], 0.0)
    sd_cm = np.hypot(
        evaluated["own_sd"][evaluated["own_cm"].notna() & (evaluated["dataset"] == name)], noise_cm
    )
    assert metrics[name]["own"]["interval_coverage"] == pytest.approx((1.96 * sd_cm >= 3).mean(), abs=1e-3)
    assert "interval_coverage" not in metrics[name]["plain"]


def test_evaluate_walking_leaves_out_running_and_short_strides():
    strides, split, final, folds = study()
    own = np.flatnonzero(strides["dataset"] == "belt")
    runs, short, walking = own[::3], own[1::3], own[2::3]
    strides["flags"] = ""
    # Faster than 2.2 m/s is running; the run with the largest error is the only one with a flag.
    strides.loc[strides.index[runs], "duration_s"] = strides["stride_length_cm"].iloc[runs] / 221
    strides.loc[strides.index[runs[0]], "flags"] = "saturated"
    strides.loc[strides.index[short], "stride_length_cm"] = 39.9
    final = final.set_index("stride_id").reindex(strides["stride_id"]).reset_index()
    for rows, error_cm in ((runs, 5.0), (runs[:1], 90.0), (short, 50.0), (walking, 1.5)):
        final.loc[rows, "int8_cm"] = strides["stride_length_cm"].to_numpy()[rows] + error_cm
    metrics, _ = evaluate(strides, split, final.iloc[own], folds, source="recorded", seed=4, resamples=5)
    gaits = metrics["belt"]["int8"]["per_gait"]
    assert gaits["walking"]["n_strides"] == len(walking) and gaits["walking"]["rmse_cm"] == 1.5
    assert gaits["running"]["n_strides"] == len(runs) and gaits["running"]["max_unflagged_abs_cm"] == 5.0
    assert gaits["walking"]["max_unflagged_abs_cm"] == 1.5


def test_evaluate_known_errors_are_in_the_right_sets(results):
    metrics, _ = results
    assert metrics["belt"]["int8"]["bias_cm"] == pytest.approx(1, abs=0.25)
    assert metrics["belt"]["int8"]["sd_cm"] == pytest.approx(2, abs=0.2)
    assert metrics["ruler"]["int8"]["bias_cm"] == pytest.approx(2, abs=0.6)
    assert metrics["belt"]["int8"]["sd_to_float32_cm"] == pytest.approx(0.1, abs=0.02)
    for subject, bias_cm in [("S00", 0), ("S02", 1), ("S04", 2)]:
        assert metrics["street"]["int8"]["per_subject"][subject]["bias_cm"] == pytest.approx(bias_cm, abs=1.2)
    paired = metrics["belt"]["int8"]["rmse_minus_strapdown_cm"]
    rmse_cm = [metrics["belt"][name]["rmse_cm"] for name in ("int8", "strapdown")]
    assert paired == pytest.approx(rmse_cm[0] - rmse_cm[1], abs=2e-4) and paired < -1


def test_evaluate_integral_as_reference_is_agreement_without_circular_metrics(results):
    metrics, _ = results
    assert {entry["kind"] for entry in metrics["street"].values()} == {"agreement"}
    assert {entry["kind"] for name in ("belt", "ruler") for entry in metrics[name].values()} == {"accuracy"}
    assert "strapdown" not in metrics["street"] and "strapdown" in metrics["ruler"]
    entry = metrics["street"]["int8"]
    for values in (entry, entry["per_subject"]["S00"]):
        assert not [name for name in values if "noise" in name or "lag1" in name or "strapdown" in name]
    assert "reference_noise_sd_cm" in metrics["belt"]["int8"]
    accuracy, agreement = markdown(metrics).split("Agreement")
    assert "| belt |" in accuracy and "| street |" in agreement and "street" not in accuracy


def test_evaluate_coverage_includes_unusable_reference_strides():
    strides, split, final, folds = study()
    strides.loc[strides["dataset"] == "belt", "usable"] = np.arange(360) % 10 != 0
    metrics, evaluated = evaluate(strides, split, final, folds, source="recorded", seed=0, resamples=50)
    assert metrics["belt"]["int8"]["coverage"] == 0.9 and metrics["belt"]["int8"]["n_strides"] == 324
    assert metrics["belt"]["mean"]["coverage"] == 0.9
    assert metrics["belt"]["int8"]["detected"] == 1 and "(90.0 %, of 100.0 % detected)" in markdown(metrics)
    assert (evaluated["dataset"] == "belt").sum() == 360


def test_evaluate_coverage_includes_undetected_strides():
    strides, split, final, folds = study()
    street = strides.index[strides["dataset"] == "street"]
    missed = street[::10]
    columns = ["stride_length_cm", "strapdown_length_cm", "usable", "reason"]
    strides.loc[missed, columns] = [np.nan, np.nan, False, "no stride detected"]
    gone = strides.loc[missed, "stride_id"]
    folds = {name: table[~table["stride_id"].isin(gone)] for name, table in folds.items()}
    metrics, _ = evaluate(strides, split, final, folds, source="recorded", seed=1, resamples=50)
    values = metrics["street"]["int8"]
    assert values["coverage"] == values["detected"] == 0.9 and values["n_strides"] == 0.9 * len(street)


def test_evaluate_set_without_usable_stride_has_zero_coverage():
    strides, split, final, folds = study()
    lost = walks(dataset="lost", strides=5).assign(usable=False, reason="gap", condition="")
    metrics, _ = evaluate(
        pd.concat([strides, lost]), split, final, folds, source="recorded", seed=0, resamples=50
    )
    entry = metrics["lost"]["int8"]
    assert (entry["coverage"], entry["n_strides"], entry["rmse_cm"]) == (0, 0, None)
    assert list(entry["per_condition"]) == ["unspecified"]
    assert "| lost |" in markdown(metrics)


def test_evaluate_recorded_strides_have_the_expected_accuracy(strides_folder):
    """The estimates are the integral itself, so its known errors and the reference noise must result."""
    strides = read_strides(strides_folder).table
    split = split_by_subject(
        strides,
        strategy="grouped-kfold",
        seed=0,
        folds=3,
        held_out=["tripod-excerpt"],
        validation_fraction=0.15,
    )
    usable = strides[strides["usable"]]
    estimates = pd.DataFrame(
        {
            "stride_id": usable["stride_id"],
            "float32_cm": usable["strapdown_length_cm"],
            "int8_cm": usable["strapdown_length_cm"],
        }
    )
    folds = {part["fold"]: estimates for part in split["folds"]}
    metrics, evaluated = evaluate(strides, split, estimates, folds, source="recorded", seed=0, resamples=100)
    belt, ruler, street = (metrics[name]["int8"] for name in ("tripod-excerpt", "llio-ruler", "ipol-healthy"))
    assert (belt["kind"], ruler["kind"], street["kind"]) == ("accuracy", "accuracy", "agreement")
    assert set(evaluated.loc[evaluated["dataset"] == "tripod-excerpt", "judged_by"]) == {"final"}
    assert belt["n_strides"] >= 560 and belt["coverage"] > 0.97 and ruler["coverage"] > 0.97
    assert list(belt["per_condition"]) == ["PWS", "PWS+20", "PWS-20"] and street["n_subjects"] == 19
    assert 3 < belt["rmse_cm"] < 4.5 and 2.5 < ruler["rmse_cm"] < 4.5 and street["rmse_cm"] == 0
    assert belt["lag1_autocorrelation_ci95"][1] < 0 and 1 < belt["reference_noise_sd_cm"] < belt["sd_cm"]
    assert belt["mean5_sd_cm"] < 0.5 * belt["sd_cm"]


def test_headline_has_few_metrics_per_set(results):
    metrics, _ = results
    few = headline(metrics)
    assert list(few) == ["source", "belt", "ruler", "street"]
    belt = metrics["belt"]
    assert few["belt"] == {
        "rmse_cm": belt["int8"]["rmse_cm"],
        "median_cm": belt["int8"]["median_abs_cm"],
        "bias_cm": belt["int8"]["bias_cm"],
        "mean5_sd_cm": belt["int8"]["mean5_sd_cm"],
        "coverage": belt["int8"]["coverage"],
        "strapdown_cm": belt["strapdown"]["rmse_cm"],
        "strapdown_median_cm": belt["strapdown"]["median_abs_cm"],
    }
    assert list(few["street"]) == ["agreement_cm", "coverage"]


def test_markdown_shows_median_and_unflagged_share(results):
    metrics, _ = results
    rows = [line.strip("| ").split(" | ") for line in markdown(metrics).splitlines()]
    row = next(row for row in rows if row[0] == "ruler")
    values = metrics["ruler"]["int8"]
    assert row[5].startswith(f"{values['median_abs_cm']:.2f} (")
    assert row[8:] == [f"{values[name]:.2f}" for name in ("p95_abs_cm", "mean5_sd_cm")] + ["75 %"]


def test_stride_points_equal_the_evaluated_errors(results):
    metrics, evaluated = results
    points, people = stride_points(metrics, evaluated), subject_points(metrics, "accuracy")
    assert set(points["set"]) == {"belt", "ruler"}
    belt = points[points["set"] == "belt"]
    assert len(belt) == metrics["belt"]["int8"]["n_strides"]
    assert belt["error_cm"].mean() == pytest.approx(metrics["belt"]["int8"]["bias_cm"], abs=1e-4)
    assert (belt["mean_cm"] - belt["error_cm"] / 2).to_numpy() == pytest.approx(belt["stride_length_cm"])
    assert list(people["subject"][:3]) == ["belt/S00", "belt/S01", "ruler/S00"]
    assert people["rmse_cm"][0] == metrics["belt"]["int8"]["per_subject"]["S00"]["rmse_cm"]
    assert set(people["set"]) == {"belt", "ruler"} and set(subject_points(metrics, "agreement")["set"]) == {
        "street"
    }
    only = {name: metrics[name] for name in ("source", "street")}
    assert set(stride_points(only, evaluated[evaluated["dataset"] == "street"])["set"]) == {"street"}


def test_long_table_has_each_metric_once(results):
    metrics, _ = results
    table = long(metrics)
    assert not table.duplicated(["set", "estimator", "by", "group", "figure"]).any()
    rmse = table.query("set == 'belt' and estimator == 'int8' and by == 'all' and figure == 'rmse_cm'")
    entry = metrics["belt"]["int8"]
    assert rmse[["value", "low", "high"]].to_numpy().tolist() == [[entry["rmse_cm"], *entry["rmse_cm_ci95"]]]
    assert not table["figure"].str.endswith("_ci95").any()


def test_tables_simulated_walking_is_marked():
    metrics, _ = evaluate(*study(), source="simulated", seed=0, resamples=20)
    assert metrics["source"] == headline(metrics)["source"] == "simulated"
    assert "Simulated" in markdown(metrics).splitlines()[0]
    with pytest.raises(ParameterError, match="source is 'real'"):
        evaluate(*study(), source="real", seed=0)
    with pytest.raises(ParameterError, match="resamples is 0"):
        evaluate(*study(), source="recorded", seed=0, resamples=0)


def test_evaluate_same_seed_gives_same_tables(results):
    metrics, evaluated = evaluate(*study(), source="recorded", seed=4, resamples=200)
    assert json.dumps(metrics) == json.dumps(results[0])
    assert evaluated.to_csv() == results[1].to_csv()
