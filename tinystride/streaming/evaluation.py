"""Compare the strides of the C library with those of the strides table."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm import tqdm

from tinystride.codegen.c_library import is_streaming_model
from tinystride.datasets.recording import Recording
from tinystride.gait.matching import match
from tinystride.streaming.native import NativeEstimator

COLUMN = "int8_streaming_cm"
FLAGS_COLUMN = "int8_streaming_flags"
SD_COLUMN = "int8_streaming_sd"


def unseen_models(split: dict, final: Path, folds: Mapping[object, Path]) -> dict[str, Path]:
    """Return for each subject a model that was not trained on it.

    Args:
        split: `{"final": {"test": subjects}, "folds": [{"fold": name, "test": subjects}, …]}`; a subject is
            "dataset/subject"
        final: the final model
        folds: {fold: its model}

    Returns:
        {"dataset/subject": model}: the final model if it was not trained on the subject, else that of the
        fold that tests the subject
    """
    models = {subject: folds[part["fold"]] for part in split["folds"] for subject in part["test"]}
    return models | dict.fromkeys(split["final"]["test"], final)


def stream_tested(
    recordings: Iterable[Recording], table: pd.DataFrame, models: Mapping[str, Path], progress: bool = False
) -> tuple[pd.DataFrame, dict[str, dict]]:
    """Run the C library on recordings, each with the model that was not trained on its subject.

    A stride of the C library belongs to the stride of the table between the same two stances. Models other
    than int8 strapdown-residual networks are skipped.

    Args:
        recordings: recordings of any subjects; subjects without a model are skipped
        table: strides table with stride_id, dataset, subject, trial, foot, usable and mid-stances
        models: {"dataset/subject": model}, see unseen_models
        progress: show a progress bar

    Returns:
        lengths: stride_id, COLUMN (cm), FLAGS_COLUMN and SD_COLUMN (standard deviation of the length, cm) of
            the usable strides of the table that the C library reported, too; without rows if every model was
            skipped
        counts: {data set: {"strides", "unflagged", "latency_s", "latency_s_max"}} of all strides that the
            C library reported; the latency is from the mid-stance that ends a stride to its report

    Raises:
        ToolError: if there is no C compiler
    """
    streaming = [model for model in sorted(set(models.values())) if is_streaming_model(model)]
    estimators = {model: NativeEstimator(model) for model in streaming}
    if not estimators:
        return pd.DataFrame({"stride_id": table["stride_id"].iloc[:0]}), {}
    lengths, streamed = [], []
    usable = table[table["usable"].astype(bool)]
    rows_of = dict(list(usable.groupby(["dataset", "subject", "trial", "foot"])))
    for recording in tqdm(recordings, desc="streaming", unit="", disable=not progress):
        model = models.get(f"{recording.dataset}/{recording.subject}")
        estimator = None if model is None else estimators.get(model)
        if estimator is None:
            continue
        strides = estimator.strides(recording)
        streamed.append(strides.assign(dataset=recording.dataset))
        rows = rows_of.get((recording.dataset, recording.subject, recording.trial, recording.foot))
        if rows is not None:
            lengths.append(_matched(rows, strides))
    return pd.concat(lengths, ignore_index=True), _counts(pd.concat(streamed))


def _matched(rows: pd.DataFrame, strides: pd.DataFrame) -> pd.DataFrame:
    """Return lengths, flags and SD of the strides that match rows of the table, by stride_id."""
    number, _ = match(rows, "mid_stance", strides["start_s"].to_numpy(), strides["end_s"].to_numpy())
    found = number >= 0
    own = strides.iloc[number[found]]
    return pd.DataFrame(
        {
            "stride_id": rows["stride_id"].to_numpy()[found],
            COLUMN: own["stride_length_cm"].to_numpy(),
            FLAGS_COLUMN: own["flags"].to_numpy(),
            SD_COLUMN: own["length_sd_cm"].to_numpy(),
        }
    )


def _counts(streamed: pd.DataFrame) -> dict[str, dict]:
    """Return the counts of stream_tested."""
    return {
        dataset: {
            "strides": len(strides),
            "unflagged": int((strides["flags"] == "").sum()),
            "latency_s": round(float(np.mean(strides["latency_s"])), 3),
            "latency_s_max": round(float(np.max(strides["latency_s"])), 3),
        }
        for dataset, strides in streamed.groupby("dataset", sort=True)
        if len(strides)
    }
