"""Collect out-of-fold estimates: each person's strides, estimated by a model that has not seen them."""

from collections.abc import Mapping
from itertools import combinations

import numpy as np
import pandas as pd

from tinystride.datasets.recording import REFERENCE_SYSTEMS
from tinystride.errors import DataError
from tinystride.evaluation.agreement import require_columns
from tinystride.evaluation.baselines import baselines
from tinystride.learning.split import subject_names

STRIDE_COLUMNS = [
    "stride_id", "dataset", "subject", "trial", "foot", "condition", "start_s", "end_s", "duration_s",
    "stride_length_cm", "reference", "strapdown_length_cm", "length_sd_cm", "flags", "usable", "reason",
]  # fmt: skip
NETWORKS = ["int8", "float32"]
BASELINES = ["strapdown", "stride-time-line", "mean"]
FINAL = "final"
SIDES = ("train", "validation", "test")
# Column with the name of the model that evaluated a stride.
EVALUATED_BY = "judged_by"
# Reason with which the strides table excludes strides before and after the walk.
OUTSIDE = "outside the walk"
# Reference that is the integral itself: an undetected stride has no such length, but belongs to the coverage.
INTEGRATED = "strapdown"


def column_of(estimator: str) -> str:
    """Return the name of an estimator's column in the table of evaluated strides.

    Args:
        estimator: such as "int8-streaming"
    """
    return estimator.replace("-", "_") + "_cm"


def estimators_in(evaluated: pd.DataFrame) -> list[str]:
    """Return the estimators in a table: networks, further estimators in the predictions, baselines.

    Args:
        evaluated: see `out_of_fold_estimates`
    """
    columns = evaluated.columns[evaluated.columns.get_loc(EVALUATED_BY) + 1 :]
    return [column.removesuffix("_cm").replace("_", "-") for column in columns if column.endswith("_cm")]


def flags_column_of(estimator: str, evaluated: pd.DataFrame) -> str:
    """Return the column with the flags of an estimator: its own if there is one, otherwise `flags`.

    Args:
        estimator: such as "int8-streaming"
        evaluated: see `out_of_fold_estimates`
    """
    own = estimator.replace("-", "_") + "_flags"
    return own if own in evaluated else "flags"


def sd_column_of(estimator: str, evaluated: pd.DataFrame) -> str | None:
    """Return the column with the standard deviations of an estimator's lengths, cm; None if it has none.

    Networks and integral share the column of the strides table.

    Args:
        estimator: such as "int8-streaming"
        evaluated: see `out_of_fold_estimates`
    """
    own = estimator.replace("-", "_") + "_sd"
    return own if own in evaluated else "length_sd_cm" if estimator in ("int8", "strapdown") else None


def out_of_fold_estimates(
    strides: pd.DataFrame, split: dict, final_predictions: pd.DataFrame, fold_predictions: Mapping
) -> pd.DataFrame:
    """Return the reference strides of all test subjects with the estimates of each estimator.

    Columns are added to those of `strides`: `speed_mps` (length over duration), `judged_by` (the model that
    has evaluated the stride: "final" or "fold <name>", empty for a subject without a usable stride), and
    `column_of` each estimator, NaN if there is no estimate. Rows are sorted by stride_id.

    Args:
        strides: strides table
        split: see `metrics.evaluate`
        final_predictions: see `metrics.evaluate`
        fold_predictions: see `metrics.evaluate`

    Raises:
        DataError: as `metrics.evaluate`
    """
    _check_strides(strides)
    predictions = {_fold(fold): table for fold, table in fold_predictions.items()} | {
        FINAL: final_predictions
    }
    missed = (strides["reference"] == INTEGRATED) & strides["stride_length_cm"].isna()
    rows = strides[(strides["stride_length_cm"].notna() | missed) & (strides["reason"] != OUTSIDE)]
    rows = rows.sort_values("stride_id", ignore_index=True)
    rows = rows.assign(
        usable=rows["usable"].astype(bool),
        speed_mps=rows["stride_length_cm"] / 100 / rows["duration_s"],
        **{EVALUATED_BY: _evaluated_by(rows, split)},
    )
    usable, estimates, quality = rows[rows["usable"]], [], []
    for name, model in _models(split).items():
        own = usable[usable[EVALUATED_BY] == name]
        if own.empty:
            continue
        training = usable[subject_names(usable).isin(model["train"])]
        networks = _predictions(name, predictions.get(name), own["stride_id"], strides["stride_id"])
        estimates.append(networks.join(baselines(training, own)))
        quality.append(_quality(predictions[name], own))
    if not estimates:
        raise DataError("split.json: no test subject has usable strides of known length; split again")
    estimates = pd.concat(estimates)
    others = [name for name in estimates if name not in NETWORKS + BASELINES]
    estimates = estimates[NETWORKS + others + BASELINES].rename(columns=column_of)
    estimates = estimates.join(pd.concat(quality))
    return rows[rows[EVALUATED_BY].notna()].join(estimates).reset_index(drop=True)


def _quality(predictions: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """Return the columns `<estimator>_flags` and `<estimator>_sd` of the predictions, indexed like `rows`."""
    flags = [name for name in predictions if name.endswith("_flags")]
    columns = flags + [name for name in predictions if name.endswith("_sd")]
    own = predictions.set_index("stride_id")[columns].reindex(rows["stride_id"])
    return own.fillna(dict.fromkeys(flags, "")).set_axis(rows.index)


def _check_strides(strides: pd.DataFrame) -> None:
    require_columns(strides, STRIDE_COLUMNS, "strides table")
    if strides.empty:
        raise DataError(
            "strides table: no strides; run download and preprocess with a data set that has some"
        )
    _refuse(strides["stride_id"], strides["stride_id"].duplicated(), "strides table: {} occurs twice")
    measured = strides[strides["stride_length_cm"].notna()]
    unknown = ~measured["reference"].isin(REFERENCE_SYSTEMS)
    _refuse(
        measured["reference"], unknown, f"strides table: unknown reference {{!r}}, not {REFERENCE_SYSTEMS}"
    )
    references = measured.groupby("dataset")["reference"].nunique()
    _refuse(references.index, references > 1, "strides table: {} has several references, but needs one")


def _refuse(names: pd.Series | pd.Index, wrong: pd.Series | np.ndarray, message: str) -> None:
    """Raise a DataError that names the first wrong entry.

    Args:
        names: names of the entries
        wrong: whether each entry is wrong
        message: with {} for the name

    Raises:
        DataError: if an entry is wrong
    """
    if np.any(wrong):
        raise DataError(message.format(names[wrong].tolist()[0]) + "; run the stages before evaluate again")


def _fold(name: int | str) -> str:
    return f"fold {name}"


def _models(split: dict) -> dict:
    return {FINAL: split["final"]} | {_fold(part["fold"]): part for part in split["folds"]}


def _evaluating_models(split: dict) -> dict[str, str]:
    """Return {subject: model}: the final model if it tests the subject, otherwise the fold that does."""
    evaluating: dict[str, str] = {}
    for name, model in _models(split).items():
        for side, other in combinations(SIDES, 2):
            if both := sorted(set(model[side]) & set(model[other])):
                raise DataError(f"split.json: {both[0]} is in {side} and in {other} of {name}; split again")
        for subject in model["test"]:
            if evaluating.setdefault(subject, name) not in (FINAL, name):
                raise DataError(
                    f"split.json: {evaluating[subject]} and {name} both test {subject}; split again"
                )
    return evaluating


def _evaluated_by(rows: pd.DataFrame, split: dict) -> pd.Series:
    """Return the name of each row's model; NaN if no model tests the subject.

    It is "" for a subject without a usable stride.
    """
    subjects = subject_names(rows)
    placed = {name for model in _models(split).values() for side in SIDES for name in model[side]}
    unplaced = ~subjects.isin(placed)
    _refuse(subjects, unplaced & rows["usable"], "split.json: {} has usable strides, but is not in it")
    return subjects.map(_evaluating_models(split)).mask(unplaced, "")


def _predictions(
    model: str, table: pd.DataFrame | None, wanted: pd.Series, existing: pd.Series
) -> pd.DataFrame:
    """Return the estimates of the wanted strides, with the index of `wanted`, one column per estimator."""
    if table is None:
        raise DataError(f"predictions of {model}: missing; cross-validate it or leave it out of the split")
    require_columns(table, ["stride_id", *map(column_of, NETWORKS)], f"predictions of {model}")
    stride = table["stride_id"]
    _refuse(stride, stride.duplicated(), f"predictions of {model}: several of {{}}")
    _refuse(stride, ~stride.isin(existing), f"predictions of {model}: {{}} is not in the strides table")
    _refuse(wanted, ~wanted.isin(stride), f"predictions of {model}: {{}} is missing")
    columns = {name: name.removesuffix("_cm").replace("_", "-") for name in table if name.endswith("_cm")}
    estimates = table.set_index("stride_id")[list(columns)].rename(columns=columns).loc[wanted]
    estimates = estimates.set_axis(wanted.index)
    _refuse(wanted, np.isinf(estimates).any(axis=1), f"predictions of {model}: an infinite length of {{}}")
    has_none = estimates[NETWORKS].isna()
    differ = has_none["int8"] != has_none["float32"]
    _refuse(wanted, differ, f"predictions of {model}: only one of int8 and float32 for {{}}")
    _refuse(
        wanted, has_none.all(axis=None) & has_none["int8"], f"predictions of {model}: all NaN, as of {{}}"
    )
    return estimates
