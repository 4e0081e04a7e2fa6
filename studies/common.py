"""Test strides, metrics and tables of all studies."""

from pathlib import Path

import numpy as np
import pandas as pd

from tinystride.evaluation.agreement import agreement, differences
from tinystride.learning.split import subject_names

STUDIES = Path("studies/results")
BASELINE = "integral"
METRICS = ["rmse_cm", "bias_cm", "sd_cm", "mean5_sd_cm"]


def measured(table: pd.DataFrame) -> pd.DataFrame:
    """Return the usable strides with a measured length; all usable strides if no length was measured."""
    usable = table[table["usable"]]
    rows = usable[usable["reference"] != "strapdown"]
    return rows if len(rows) else usable


def measured_parts(table: pd.DataFrame, split: dict) -> list[dict]:
    """Return the parts of the split that test people with measured strides, with these people as `test`.

    Each person is tested by one part: the final one if they are in its test, else their fold.
    """
    left = set(subject_names(measured(table)))
    parts = []
    for part in [split["final"], *split["folds"]]:
        test = sorted(left & set(part["test"]))
        left -= set(test)
        if test:
            parts.append({**part, "test": test})
    return parts


def compare_with_baseline(
    strides: pd.DataFrame, estimate_cm: np.ndarray, baseline_cm: np.ndarray, **bootstrap
) -> dict:
    """Return METRICS and the RMSE minus the baseline's, each with its 95 % interval: `…_low`, `…_high`.

    strides: [n] rows of the strides table; estimate_cm, baseline_cm: [n]
    bootstrap: seed and resamples
    """
    metrics = agreement(strides, estimate_cm, **bootstrap)
    metrics |= differences(strides, estimate_cm, baseline_cm, **bootstrap)
    row = {"n_strides": metrics["n_strides"]}
    for name in [*METRICS, "rmse_difference_cm"]:
        low, high = metrics[f"{name}_ci95"] or (np.nan, np.nan)
        row |= {name: metrics[name], f"{name}_low": low, f"{name}_high": high}
    return row


def write_table(rows: list[dict] | pd.DataFrame, path: Path) -> pd.DataFrame:
    """Write rows as csv and return them as a table."""
    table = pd.DataFrame(rows)
    table.to_csv(path, index=False, float_format="%.4f")
    return table
