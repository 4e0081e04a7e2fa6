import json

import numpy as np
import pandas as pd
import pingouin
import pytest

from tests.evaluation.synthetic import per_footprint, per_stride, per_subject, walks
from tinystride.errors import DataError, ParameterError
from tinystride.evaluation.agreement import REQUIRED_COLUMNS, agreement, differences


def test_agreement_small_table_equals_manual_results():
    table = walks(strides=4).assign(stride_length_cm=[100.0, 110.0, 120.0, 130.0])
    values = agreement(table, [101.0, 109.0, 123.0, 131.0], seed=0)  # errors 1, -1, 3, 1
    assert values["n_strides"] == 4 and values["n_subjects"] == 1 and values["coverage"] == 1
    assert values["bias_cm"] == 1
    assert values["sd_cm"] == pytest.approx(np.sqrt(8 / 3), abs=1e-4)
    assert values["rmse_cm"] == pytest.approx(np.sqrt(3), abs=1e-4)
    assert values["mae_cm"] == 1.5
    assert values["median_abs_cm"] == 1 and values["p95_abs_cm"] == 3 and values["unflagged"] == 0.75
    assert values["loa_low_cm"] == pytest.approx(1 - 1.96 * np.sqrt(8 / 3), abs=1e-4)
    assert values["loa_high_cm"] == pytest.approx(1 + 1.96 * np.sqrt(8 / 3), abs=1e-4)
    assert values["relative_bias_percent"] == pytest.approx(
        25 * (1 / 100 - 1 / 110 + 3 / 120 + 1 / 130), abs=1e-4
    )
    assert values["relative_mae_percent"] == pytest.approx(
        25 * (1 / 100 + 1 / 110 + 3 / 120 + 1 / 130), abs=1e-4
    )
    assert values["lag1_autocorrelation"] == pytest.approx((0 - 4 + 0) / 3 / (8 / 4), abs=1e-4)
    assert values["mean5_sd_cm"] is None and values["mean5_sd_cm_ci95"] is None


def test_quantiles_equal_those_of_the_resampled_strides():
    table = walks(subjects=6, strides=30)
    error_cm = per_stride(table, 3, 2)
    values = agreement(table, table["stride_length_cm"] + error_cm, seed=0)
    assert values["median_abs_cm"] == pytest.approx(np.median(np.abs(error_cm)), abs=1e-3)
    inverted = np.quantile(np.abs(error_cm), 0.95, method="averaged_inverted_cdf")
    assert values["p95_abs_cm"] == pytest.approx(inverted, abs=1e-3)
    low, high = values["median_abs_cm_ci95"]
    assert low < values["median_abs_cm"] < high and high - low < 1


def test_agreement_one_wrong_reference_changes_rmse_but_not_median():
    table = walks(strides=101)
    error_cm = per_stride(table, 1, 2)
    right = agreement(table, table["stride_length_cm"] + error_cm, seed=0)
    error_cm[7] = 60
    wrong = agreement(table, table["stride_length_cm"] + error_cm, seed=0)
    assert wrong["rmse_cm"] > 5 * right["rmse_cm"]
    assert wrong["median_abs_cm"] == pytest.approx(right["median_abs_cm"], abs=0.05)


def test_agreement_known_bias_and_sd_are_within_intervals():
    table = walks(subjects=40, strides=50)
    estimate = table["stride_length_cm"] + 1.5 + per_subject(table, 1, 1) + per_stride(table, 3, 2)
    values = agreement(table, estimate, seed=0)
    for name, truth in {"bias_cm": 1.5, "sd_cm": np.sqrt(10), "rmse_cm": np.sqrt(10 + 1.5**2)}.items():
        low, high = values[f"{name}_ci95"]
        assert low < truth < high and low < values[name] < high and high - low < 1


def test_agreement_correlations_and_line_equal_pingouin():
    table = walks(subjects=5, strides=30)
    estimate = 10 + 0.9 * table["stride_length_cm"] + per_stride(table, 3, 3)
    values = agreement(table, estimate, seed=0)
    raters = pd.DataFrame(
        {
            "stride": np.tile(np.arange(len(table)), 2),
            "rater": np.repeat(["estimate", "reference"], len(table)),
            "length_cm": np.concatenate([estimate, table["stride_length_cm"]]),
        }
    )
    icc = pingouin.intraclass_corr(raters, targets="stride", raters="rater", ratings="length_cm")
    # Named ICC2 or ICC(A,1), depending on pingouin's release.
    single_absolute = icc.loc[icc["Type"].isin(["ICC2", "ICC(A,1)"]), "ICC"].item()
    line = pingouin.linear_regression(table["stride_length_cm"], estimate)["coef"]
    correlation = pingouin.corr(table["stride_length_cm"], estimate)["r"].item()
    assert values["icc_2_1"] == pytest.approx(single_absolute, abs=1e-3)
    assert values["pearson_r"] == pytest.approx(correlation, abs=1e-3)
    assert [values["intercept_cm"], values["slope"]] == pytest.approx(line.tolist(), abs=1e-3)


@pytest.mark.parametrize("subjects", [1, 8, 15])
def test_agreement_intervals_have_nominal_coverage(subjects):
    """Check 120 studies: 95 %, with an SD of 2 % by chance."""
    table = walks(subjects=subjects, trials=4, strides=50 if subjects == 1 else 10)
    held = 0
    for study in range(120):
        error = per_subject(table, 2, 2 * study) * (subjects > 1) + per_stride(table, 3, 2 * study + 1)
        low, high = agreement(table, table["stride_length_cm"] + error, seed=study, resamples=300)[
            "bias_cm_ci95"
        ]
        held += low < 0 < high
    assert 0.89 <= held / 120 <= 0.99


def test_agreement_errors_by_subject_widen_intervals():
    table = walks(subjects=15, strides=40)
    alike = table["stride_length_cm"] + per_stride(table, 3, 4)
    clustered = table["stride_length_cm"] + np.sort(per_stride(table, 3, 4))
    widths = [np.ptp(agreement(table, estimate, seed=0)["bias_cm_ci95"]) for estimate in (alike, clustered)]
    assert widths[1] > 4 * widths[0]


def test_agreement_one_subject_resamples_blocks():
    table = walks(trials=4, strides=100)
    values = agreement(table, table["stride_length_cm"] + per_stride(table, 2, 5), seed=0)
    slow = agreement(table, table["stride_length_cm"] + np.repeat(per_stride(table, 2, 5)[::10], 10), seed=0)
    assert values["resampled"] == "blocks of 10 strides"
    assert np.ptp(slow["bias_cm_ci95"]) > 2 * np.ptp(values["bias_cm_ci95"])


def test_agreement_means_of_strides_reduce_independent_errors():
    table = walks(subjects=20, trials=5, strides=50)
    values = agreement(table, table["stride_length_cm"] + 1 + per_stride(table, 3, 6), seed=0)
    assert values["mean5_sd_cm"] == pytest.approx(3 / np.sqrt(5), rel=0.05)
    assert values["mean10_sd_cm"] == pytest.approx(3 / np.sqrt(10), rel=0.08)
    footprints = agreement(table, table["stride_length_cm"] + per_footprint(table, 2, 7), seed=0)
    assert footprints["mean5_sd_cm"] == pytest.approx(2 * np.sqrt(2) / 5, rel=0.05)


def test_agreement_means_do_not_span_gaps_or_trials():
    table = walks(trials=3, strides=5)
    errors = np.repeat([0.0, 3.0, 6.0], 5)
    whole = agreement(table, table["stride_length_cm"] + errors, seed=0)
    assert whole["mean5_sd_cm"] == 3 and whole["mean10_sd_cm"] is None
    errors[7] = np.nan
    broken = agreement(table, table["stride_length_cm"] + errors, seed=0)
    assert broken["mean5_sd_cm"] == pytest.approx(np.std([0, 6], ddof=1), abs=1e-4)


@pytest.mark.parametrize("footprint_sd_cm", [0.0, 1.0, 2.0])
def test_agreement_reference_noise_is_separated_from_other_errors(footprint_sd_cm):
    """Use walks of six strides, whose deviations from the mean are correlated in any case."""
    table = walks(subjects=30, trials=40, strides=6)
    own = per_stride(table, 1.5, 8)
    slow = per_subject(table, 2, 9) + 0.2 * table["start_s"]
    error = slow + own - per_footprint(table, footprint_sd_cm, 10)
    values = agreement(table, table["stride_length_cm"] + error, seed=0)
    assert values["reference_noise_sd_cm"] == pytest.approx(np.sqrt(2) * footprint_sd_cm, abs=0.25)
    assert values["sd_without_reference_noise_cm"] == pytest.approx(np.std(slow + own), abs=0.2)


def test_agreement_groups_equal_separate_tables():
    table = walks(subjects=6, trials=2, strides=25)
    estimate = table["stride_length_cm"] + per_subject(table, 1, 15) + per_stride(table, 3, 16)
    values = agreement(table, estimate, seed=0, by=["subject", "condition"])
    assert list(values["per_condition"]) == ["fast", "slow"] and len(values["per_subject"]) == 6
    for column, name in [("subject", "S03"), ("condition", "fast")]:
        rows = table[column] == name
        alone = agreement(table[rows], estimate[rows], seed=0)
        for figure, value in values[f"per_{column}"][name].items():
            assert alone[figure] == (value if isinstance(value, str) else pytest.approx(value, abs=2e-4))


def test_agreement_missing_estimates_lower_the_coverage():
    table = walks(subjects=4, strides=10)
    estimate = table["stride_length_cm"].to_numpy() + 1
    estimate[table["subject"] == "S00"] = np.nan
    values = agreement(table, estimate, seed=0)
    assert (values["coverage"], values["n_strides"], values["n_subjects"]) == (0.75, 30, 3)
    assert values["coverage_ci95"][0] < 0.75 < values["coverage_ci95"][1]
    assert values["bias_cm"] == 1


def test_agreement_row_order_is_irrelevant_and_same_seed_gives_same_bytes():
    table = walks(subjects=6, strides=30)
    estimate = table["stride_length_cm"] + per_stride(table, 3, 11)
    shuffled = np.random.default_rng(0).permutation(len(table))
    first = json.dumps(agreement(table, estimate, seed=5))
    assert json.dumps(agreement(table.iloc[shuffled], estimate.iloc[shuffled], seed=5)) == first
    assert json.dumps(agreement(table, estimate, seed=6)) != first


@pytest.mark.parametrize("strides", [1, 2, 3])
def test_agreement_undefined_metric_is_null_in_json(strides):
    table = walks(strides=strides).assign(stride_length_cm=120.0)
    values = agreement(table, np.full(strides, 121.0), seed=0)
    json.dumps(values, allow_nan=False)
    assert values["bias_cm"] == 1 and values["bias_cm_ci95"] is None
    assert values["pearson_r"] is None and values["icc_2_1"] is None and values["slope"] is None
    assert values["sd_cm"] == (None if strides == 1 else 0)
    json.dumps(agreement(table, np.full(strides, np.nan), seed=0), allow_nan=False)


def test_agreement_constant_estimate_has_no_correlation():
    table = walks(subjects=3, strides=20)
    values = agreement(table, np.full(len(table), 123.4567), seed=0)
    assert values["pearson_r"] is None and values["pearson_r_ci95"] is None
    assert values["slope"] == 0 and values["intercept_cm"] == pytest.approx(123.4567, abs=1e-4)


def test_differences_paired_interval_is_narrower():
    table = walks(subjects=12, strides=40)
    shared = per_subject(table, 4, 12) + per_stride(table, 2, 13)
    better, worse = (table["stride_length_cm"] + scale * shared for scale in (0.9, 1.0))
    difference = differences(table, better, worse, seed=0)
    low, high = difference["rmse_difference_cm_ci95"]
    assert low < difference["rmse_difference_cm"] < high < 0
    first, second = (agreement(table, estimate, seed=0) for estimate in (better, worse))
    assert first["rmse_cm_ci95"][1] > second["rmse_cm_ci95"][0]
    assert difference["rmse_difference_cm"] == pytest.approx(first["rmse_cm"] - second["rmse_cm"], abs=2e-4)


@pytest.mark.parametrize("column", REQUIRED_COLUMNS)
def test_agreement_missing_column_is_named(column):
    table = walks()
    with pytest.raises(DataError, match=f"no column {column};"):
        agreement(table.drop(columns=column), np.full(len(table), 120.0), seed=0)


def test_agreement_bad_input_is_rejected_in_one_line():
    table, estimate = walks(), np.full(20, 120.0)
    with pytest.raises(DataError, match="no stride of known length"):
        agreement(table[:0], [], seed=0)
    with pytest.raises(DataError, match="reference length of nan cm"):
        agreement(table.assign(stride_length_cm=np.nan), estimate, seed=0)
    with pytest.raises(DataError, match=r"reference length of 0\.0 cm"):
        agreement(table.assign(stride_length_cm=0.0), estimate, seed=0)
    with pytest.raises(DataError, match="infinite"):
        agreement(table, estimate * np.inf, seed=0)
    with pytest.raises(DataError, match=r"shape \(19,\) for 20 strides"):
        agreement(table, estimate[1:], seed=0)
    with pytest.raises(ParameterError, match="resamples is 0"):
        agreement(table, estimate, seed=0, resamples=0)
