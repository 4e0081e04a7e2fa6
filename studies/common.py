"""What the studies share: whose estimates are judged, by which figures, and tables of them."""

from pathlib import Path

import numpy as np
import pandas as pd

from stages.common import RESULTS
from tinystride.evaluation.agreement import agreement, differences
from tinystride.learning.split import subject_names

STUDIES = RESULTS / "studies"
BASELINE = "integral"
FIGURES = ["rmse_cm", "bias_cm", "sd_cm", "mean5_sd_cm"]


def measured(table: pd.DataFrame) -> pd.DataFrame:
    """The usable strides whose length something else than the same sensor has measured.

    Where there are none, all usable ones.
    """
    usable = table[table["usable"]]
    rows = usable[usable["reference"] != "strapdown"]
    return rows if len(rows) else usable


def measured_parts(table: pd.DataFrame, split: dict) -> list[dict]:
    """The parts of the split whose networks judge somebody whose strides are measured, with these as test.

    Each person is tested by one part: the final one if it tests them, else their fold.
    """
    left = set(subject_names(measured(table)))
    parts = []
    for part in [split["final"], *split["folds"]]:
        test = sorted(left & set(part["test"]))
        left -= set(test)
        if test:
            parts.append({**part, "test": test})
    return parts


def judge(strides: pd.DataFrame, estimate_cm: np.ndarray, baseline_cm: np.ndarray, **bootstrap) -> dict:
    """FIGURES and the RMSE less the baseline's, each with its 95 % interval: `…_low`, `…_high`.

    strides: [n] rows of the strides table; estimate_cm, baseline_cm: [n]
    bootstrap: seed and resamples
    """
    figures = agreement(strides, estimate_cm, **bootstrap)
    figures |= differences(strides, estimate_cm, baseline_cm, **bootstrap)
    row = {"n_strides": figures["n_strides"]}
    for name in [*FIGURES, "rmse_difference_cm"]:
        low, high = figures[f"{name}_ci95"] or (np.nan, np.nan)
        row |= {name: figures[name], f"{name}_low": low, f"{name}_high": high}
    return row


def write_table(rows: list[dict] | pd.DataFrame, path: Path) -> pd.DataFrame:
    table = pd.DataFrame(rows)
    table.to_csv(path, index=False, float_format="%.4f")
    return table
