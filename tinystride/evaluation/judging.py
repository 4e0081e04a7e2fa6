"""Each person's strides as estimated by a model that never saw that person."""

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
# The reason by which the strides table excludes what was recorded before or after the walk.
OUTSIDE = "outside the walk"
# The reference whose length is the integral's: a stride that was not detected has none, and counts.
INTEGRATED = "strapdown"


def column_of(estimator: str) -> str:
    """Where an estimator's lengths stand in the table of judged strides."""
    return estimator.replace("-", "_") + "_cm"


def estimators_in(judged: pd.DataFrame) -> list[str]:
    """Networks, other estimators that the predictions brought along, baselines."""
    columns = judged.columns[judged.columns.get_loc("judged_by") + 1 :]
    return [column.removesuffix("_cm").replace("_", "-") for column in columns if column.endswith("_cm")]


def flags_column_of(estimator: str, judged: pd.DataFrame) -> str:
    """Where the flags of an estimator's strides stand: its own if it has some, else those of the strides."""
    own = estimator.replace("-", "_") + "_flags"
    return own if own in judged else "flags"


def judge_strides(
    strides: pd.DataFrame, split: dict, final_predictions: pd.DataFrame, fold_predictions: Mapping
) -> pd.DataFrame:
    """The reference strides of everybody who is tested on, with what each estimator makes of them.

    Arguments and errors as of `report.evaluate`. Adds to the columns of `strides`: `speed_mps` (length over
    duration), `judged_by` ("final" or "fold <name>", empty for somebody without a usable stride) and each
    estimator's `column_of`, NaN where there is no estimate. Sorted by stride_id.
    """
    _check_strides(strides)
    predictions = {_fold(fold): table for fold, table in fold_predictions.items()} | {
        FINAL: final_predictions
    }
    missed = (strides["reference"] == INTEGRATED) & strides["stride_length_cm"].isna()
    known = strides[(strides["stride_length_cm"].notna() | missed) & (strides["reason"] != OUTSIDE)]
    known = known.sort_values("stride_id", ignore_index=True)
    known = known.assign(
        usable=known["usable"].astype(bool),
        speed_mps=known["stride_length_cm"] / 100 / known["duration_s"],
        judged_by=_judged_by(known, split),
    )
    usable, estimates, flags = known[known["usable"]], [], []
    for name, model in _models(split).items():
        rows = usable[usable["judged_by"] == name]
        if rows.empty:
            continue
        training = usable[subject_names(usable).isin(model["train"])]
        networks = _predictions(name, predictions.get(name), rows["stride_id"], strides["stride_id"])
        estimates.append(networks.join(baselines(training, rows)))
        flags.append(_flags(predictions[name], rows))
    if not estimates:
        raise DataError("split.json: nobody with usable strides of known length is tested on; split again")
    estimates = pd.concat(estimates)
    others = [name for name in estimates if name not in NETWORKS + BASELINES]
    estimates = estimates[NETWORKS + others + BASELINES].rename(columns=column_of)
    estimates = estimates.join(pd.concat(flags))
    return known[known["judged_by"].notna()].join(estimates).reset_index(drop=True)


def _flags(predictions: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """Columns `<estimator>_flags` of the predictions, with the index of `rows`; "" without a flag."""
    columns = [name for name in predictions if name.endswith("_flags")]
    own = predictions.set_index("stride_id")[columns].reindex(rows["stride_id"])
    return own.fillna("").set_axis(rows.index)


def _check_strides(strides: pd.DataFrame) -> None:
    require_columns(strides, STRIDE_COLUMNS, "strides table")
    if strides.empty:
        raise DataError(
            "strides table: no strides; run download and preprocess with a data set that has some"
        )
    _refuse(strides["stride_id"], strides["stride_id"].duplicated(), "strides table: {} occurs twice")
    known = strides[strides["stride_length_cm"].notna()]
    unknown = ~known["reference"].isin(REFERENCE_SYSTEMS)
    _refuse(known["reference"], unknown, f"strides table: unknown reference {{!r}}, not {REFERENCE_SYSTEMS}")
    references = known.groupby("dataset")["reference"].nunique()
    _refuse(references.index, references > 1, "strides table: {} has several references, but needs one")


def _refuse(names: pd.Series | pd.Index, wrong: pd.Series | np.ndarray, message: str) -> None:
    """Raise a DataError that names the first that is wrong."""
    if np.any(wrong):
        raise DataError(message.format(names[wrong].tolist()[0]) + "; run the stages before evaluate again")


def _fold(name: int | str) -> str:
    return f"fold {name}"


def _models(split: dict) -> dict:
    return {FINAL: split["final"]} | {_fold(part["fold"]): part for part in split["folds"]}


def _judges(split: dict) -> dict[str, str]:
    """{subject: model that judges}: the final model if it tests the subject, else the fold that does."""
    judges: dict[str, str] = {}
    for name, model in _models(split).items():
        for side, other in combinations(SIDES, 2):
            if both := sorted(set(model[side]) & set(model[other])):
                raise DataError(f"split.json: {both[0]} is in {side} and in {other} of {name}; split again")
        for subject in model["test"]:
            if judges.setdefault(subject, name) not in (FINAL, name):
                raise DataError(f"split.json: {judges[subject]} and {name} both test {subject}; split again")
    return judges


def _judged_by(known: pd.DataFrame, split: dict) -> pd.Series:
    """Name of the judging model; NaN for who is nobody's test, "" for who has no usable stride."""
    subjects = subject_names(known)
    placed = {name for model in _models(split).values() for side in SIDES for name in model[side]}
    stranger = ~subjects.isin(placed)
    _refuse(subjects, stranger & known["usable"], "split.json: {} has usable strides, but is not in it")
    return subjects.map(_judges(split)).mask(stranger, "")


def _predictions(
    model: str, table: pd.DataFrame | None, wanted: pd.Series, existing: pd.Series
) -> pd.DataFrame:
    """Estimates of the wanted strides, with the index of `wanted`, one column for each estimator."""
    if table is None:
        raise DataError(f"predictions of {model}: missing; cross-validate it or leave it out of the split")
    require_columns(table, ["stride_id", *map(column_of, NETWORKS)], f"predictions of {model}")
    stride = table["stride_id"]
    _refuse(stride, stride.duplicated(), f"predictions of {model}: several of {{}}")
    _refuse(stride, ~stride.isin(existing), f"predictions of {model}: {{}} is not in the strides table")
    _refuse(wanted, ~wanted.isin(stride), f"predictions of {model}: none of {{}}")
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
