import numpy as np
import pandas as pd
import pytest

from tests.evaluation.synthetic import predicted, study, walks
from tinystride.errors import DataError
from tinystride.evaluation.out_of_fold import STRIDE_COLUMNS, column_of, estimators_in, out_of_fold_estimates
from tinystride.learning.split import subject_names


def test_out_of_fold_each_person_is_evaluated_by_an_unseen_model():
    strides, split, final, folds = study()
    evaluated = out_of_fold_estimates(strides, split, final, folds)
    subjects = subject_names(evaluated)
    assert set(evaluated.loc[evaluated["dataset"] == "belt", "judged_by"]) == {"final"}
    assert set(evaluated.loc[subjects == "ruler/S00", "judged_by"]) == {"fold 2"}
    for fold in split["folds"]:
        mine = evaluated[evaluated["judged_by"] == f"fold {fold['fold']}"]
        assert set(subject_names(mine)) == set(fold["test"])
        expected = folds[fold["fold"]].set_index("stride_id").loc[mine["stride_id"], "int8_cm"]
        np.testing.assert_array_equal(mine["int8_cm"], expected)


def test_out_of_fold_baselines_use_the_models_training_subjects():
    strides, split, final, folds = study()
    evaluated = out_of_fold_estimates(strides, split, final, folds)
    for name, model in [("final", split["final"]), ("fold 1", split["folds"][1])]:
        training = strides[subject_names(strides).isin(model["train"])]
        means = evaluated.loc[evaluated["judged_by"] == name, "mean_cm"]
        np.testing.assert_allclose(means, training["stride_length_cm"].mean())


def test_out_of_fold_baselines_ignore_validation_and_test_lengths():
    strides, split, final, folds = study()
    before = out_of_fold_estimates(strides, split, final, folds)
    split["folds"] = split["folds"][:1]
    others = subject_names(strides).isin(split["folds"][0]["test"] + split["folds"][0]["validation"])
    strides["stride_length_cm"] += np.where(others, 40, 0)
    after = out_of_fold_estimates(strides, split, final, folds)
    for column in ("mean_cm", "stride_time_line_cm"):
        mine = [table.loc[table["judged_by"] == "fold 0", column] for table in (before, after)]
        np.testing.assert_array_equal(*mine)


def test_out_of_fold_held_out_set_uses_the_final_model():
    strides, split, final, _ = study()
    split["folds"] = []
    assert set(out_of_fold_estimates(strides, split, final, {})["dataset"]) == {"belt"}


def test_out_of_fold_final_model_equal_to_a_fold_is_used():
    strides, split, _, folds = study()
    split["final"] = split["folds"][0]
    evaluated = out_of_fold_estimates(strides[strides["dataset"] != "belt"], split, folds[0], folds)
    assert set(evaluated["judged_by"]) == {"final", "fold 1", "fold 2"}


def test_out_of_fold_unusable_strides_stay_without_estimate():
    strides, split, final, folds = study()
    belt = strides.index[strides["dataset"] == "belt"]
    strides.loc[belt[:3], ["usable", "reason"]] = [False, "no stride detected"]
    strides.loc[belt[3:7], ["usable", "reason"]] = [False, "outside the walk"]
    strides.loc[belt[7:9], ["usable", "reason", "stride_length_cm"]] = [False, "no reference", np.nan]
    lost = strides.loc[belt[:9], "stride_id"]
    evaluated = out_of_fold_estimates(strides, split, final[~final["stride_id"].isin(lost)], folds)
    assert evaluated["stride_id"].isin(lost).sum() == 3
    estimates = evaluated.loc[
        evaluated["stride_id"].isin(lost), [column_of(name) for name in estimators_in(evaluated)]
    ]
    assert estimates.shape == (3, 5) and estimates.isna().all(axis=None)


def test_out_of_fold_person_without_usable_stride_is_kept():
    strides, split, final, folds = study()
    lost = walks(dataset="belt", first_subject=7, strides=5)
    lost[["usable", "reason"]] = [False, "gap"]
    evaluated = out_of_fold_estimates(pd.concat([strides, lost]), split, final, folds)
    assert evaluated.loc[evaluated["subject"] == "S07", "judged_by"].tolist() == [""] * 5


def test_out_of_fold_additional_estimator_is_kept():
    strides, split, final, folds = study()
    final["int8_streaming_cm"] = final["int8_cm"].where(final.index % 2 == 0)
    evaluated = out_of_fold_estimates(strides, split, final, folds)
    assert estimators_in(evaluated) == [
        "int8", "float32", "int8-streaming", "strapdown", "stride-time-line", "mean",
    ]  # fmt: skip
    assert evaluated["int8_streaming_cm"].notna().sum() == len(final) / 2


def test_out_of_fold_stride_without_features_has_no_estimate():
    strides, split, final, folds = study()
    final.loc[:9, ["float32_cm", "int8_cm"]] = np.nan
    evaluated = out_of_fold_estimates(strides, split, final, folds)
    belt = evaluated[evaluated["dataset"] == "belt"]
    assert belt["int8_cm"].isna().sum() == belt["float32_cm"].isna().sum() == 10
    assert belt["strapdown_cm"].notna().all()


def test_out_of_fold_speed_is_length_over_duration():
    evaluated = out_of_fold_estimates(*study())
    np.testing.assert_allclose(
        evaluated["speed_mps"] * evaluated["duration_s"] * 100, evaluated["stride_length_cm"]
    )


def also(split: dict, model: dict, side: str, subject: str) -> dict:
    model[side].append(subject)
    return split


FIRST = "belt/S00/T0/right/0000"
BAD_STRIDES = {
    "strides table: no strides": lambda table: table[:0],
    "street/S00/T0/right/0000 occurs twice": lambda table: pd.concat([table, table[:1]]),
    "unknown reference 'laser'": lambda table: table.assign(reference="laser"),
    "one has several references": lambda table: table.assign(dataset="one"),
    "no test subject has usable strides": lambda table: table.assign(reason="outside the walk"),
    "new/S00 has usable strides, but is not": lambda table: pd.concat([table, walks(dataset="new")]),
}
BAD_SPLITS = {
    "S01 is in train and in test of final": lambda it: also(it, it["final"], "train", "belt/S01"),
    "S02 is in validation and in test of": lambda it: also(it, it["folds"][1], "validation", "street/S02"),
    "S03 is in train and in validation of": lambda it: also(it, it["folds"][0], "validation", "street/S03"),
}
BAD_PREDICTIONS = {
    f"predictions of final: {FIRST} is missing": lambda table: table[1:],
    "predictions of final: no column int8_cm": lambda table: table.drop(columns="int8_cm"),
    "predictions of final: no column stride_id": lambda table: table.drop(columns="stride_id"),
    f"several of {FIRST}": lambda table: pd.concat([table, table[:1]]),
    f"an infinite length of {FIRST}": lambda table: table.assign(float32_cm=np.inf),
    f"only one of int8 and float32 for {FIRST}": lambda table: table.assign(int8_cm=np.nan),
    f"all NaN, as of {FIRST}": lambda table: table.assign(int8_cm=np.nan, float32_cm=np.nan),
    "x is not in the strides table": lambda table: table.replace({"stride_id": {FIRST: "x"}}),
}
BAD_FOLDS = {
    "predictions of fold 2: missing": lambda folds: {0: folds[0], 1: folds[1]},
    "fold 1: street/S02.* is missing": lambda folds: folds | {1: predicted(walks(dataset="street"), 0, 1, 0)},
}
BAD = [
    (position, message, change)
    for position, cases in enumerate([BAD_STRIDES, BAD_SPLITS, BAD_PREDICTIONS, BAD_FOLDS])
    for message, change in cases.items()
]


@pytest.mark.parametrize(("position", "message", "change"), BAD, ids=[message for _, message, _ in BAD])
def test_out_of_fold_bad_input_is_rejected_in_one_line(position, message, change):
    parts = list(study())
    parts[position] = change(parts[position])
    with pytest.raises(DataError, match=message):
        out_of_fold_estimates(*parts)


def test_out_of_fold_subject_tested_twice_is_rejected():
    strides, split, final, folds = study()
    split["folds"].append(split["folds"][0] | {"fold": 3})
    with pytest.raises(DataError, match="fold 0 and fold 3 both test street/S00"):
        out_of_fold_estimates(strides, split, final, folds)


@pytest.mark.parametrize("column", STRIDE_COLUMNS)
def test_out_of_fold_missing_column_is_named(column):
    strides, *others = study()
    with pytest.raises(DataError, match=f"strides table: no column {column};"):
        out_of_fold_estimates(strides.drop(columns=column), *others)
