"""Compute the baselines for networks: plain integration, a line on stride time, the mean."""

import numpy as np
import pandas as pd

from tinystride.errors import DataError
from tinystride.evaluation.agreement import require_columns
from tinystride.learning.split import subject_names
from tinystride.optional import extra

with extra("train"):
    from sklearn.linear_model import LinearRegression

REQUIRED_COLUMNS = [
    "stride_id",
    "dataset",
    "subject",
    "duration_s",
    "stride_length_cm",
    "strapdown_length_cm",
]


def baselines(training: pd.DataFrame, strides: pd.DataFrame) -> pd.DataFrame:
    """Return the estimates of each baseline in cm, with the index of `strides`.

    Columns: `strapdown` (the integral), `stride-time-line` (least-squares line of length on duration) and
    `mean` (of the training lengths).

    Args:
        training: strides with a known length to which baselines are fitted, with the REQUIRED_COLUMNS
        strides: strides of other subjects to estimate, with the REQUIRED_COLUMNS

    Raises:
        DataError: if a column is missing, a value is not finite, there are no training strides, or a subject
            is in both tables
    """
    _check(training, strides)
    line = LinearRegression().fit(training[["duration_s"]], training["stride_length_cm"])
    return pd.DataFrame(
        {
            "strapdown": strides["strapdown_length_cm"],
            "stride-time-line": line.predict(strides[["duration_s"]]),
            "mean": training["stride_length_cm"].mean(),
        },
        index=strides.index,
    )


def _check(training: pd.DataFrame, strides: pd.DataFrame) -> None:
    for table in (training, strides):
        require_columns(table, REQUIRED_COLUMNS, "strides table")
    if training.empty:
        raise DataError("baselines: no training stride of known length; train on a set that has lengths")
    if both := sorted(set(subject_names(training)) & set(subject_names(strides))):
        raise DataError(f"baselines: {both[0]} is in training and in test; run split-by-subject again")
    for table, used in ((training, "stride_length_cm"), (strides, "strapdown_length_cm")):
        for column in ("duration_s", used):
            absent = ~np.isfinite(table[column])
            if absent.any():
                stride = table["stride_id"][absent].iloc[0]
                raise DataError(
                    f"strides table: {stride} has no {column}; preprocess again or mark it unusable"
                )
