"""Test whether errors of consecutive strides cancel: studies/results/neighbours.

Two consecutive strides share a footprint. If the reference misplaces it, one stride seems too long and the
next one too short by the same amount, and their mean is right. The same happens if the estimate cuts between
them too early or too late; other errors do not cancel like this. Strides that are two apart share no
footprint, so they show the effect of chance. All errors are of the integral, which was not trained.
"""

import numpy as np
import pandas as pd

from stages.common import STRIDES, run_stage
from studies.common import STUDIES, measured, write_table
from tinystride.files import atomic_folder
from tinystride.gait.strides import read_strides

LARGE_CM = 6.0
SAME_MID_STANCE_S = 0.05


def pairs(strides: pd.DataFrame, apart: int) -> np.ndarray:
    """Return the row numbers [n, 2] of strides that are `apart` strides apart in one walk without a pause.

    strides: sorted by walk, foot and time
    """
    walk = strides.groupby(["subject", "trial", "foot"], sort=False).ngroup().to_numpy()
    pause_s = strides["start_s"].to_numpy()[1:] - strides["end_s"].to_numpy()[:-1]
    breaks = (walk[1:] != walk[:-1]) | (np.abs(pause_s) > SAME_MID_STANCE_S)
    run = np.concatenate([[0], np.cumsum(breaks)])
    first = np.flatnonzero(run[apart:] == run[: len(run) - apart])
    return np.column_stack([first, first + apart])


def opposite(error_cm: np.ndarray, pair: np.ndarray) -> np.ndarray:
    """Return the pairs [k, 2] with one stride more than LARGE_CM too long and the other as much too short."""
    low, high = np.sort(error_cm[pair], axis=1).T
    return pair[(low < -LARGE_CM) & (high > LARGE_CM)]


def evened(error_cm: np.ndarray, pair: np.ndarray) -> np.ndarray:
    """Return the errors with both strides of a pair replaced by their mean."""
    result = error_cm.copy()
    for both in pair:
        result[both] = result[both].mean()
    return result


def rmse(error_cm: np.ndarray) -> float:
    return float(np.sqrt(np.mean(error_cm**2))) if len(error_cm) else float("nan")


def row(name: str, strides: pd.DataFrame) -> dict:
    strides = strides.sort_values(["subject", "trial", "foot", "start_s"])
    error_cm = (strides["strapdown_length_cm"] - strides["stride_length_cm"]).to_numpy()
    small_cm = error_cm[np.abs(error_cm) <= LARGE_CM]
    next_one, next_but_one = pairs(strides, 1), pairs(strides, 2)
    return {
        "set": name,
        "strides": len(error_cm),
        "rmse_cm": rmse(error_cm),
        "neighbours_rmse_cm": rmse(error_cm[next_one].mean(axis=1)),
        "two_apart_rmse_cm": rmse(error_cm[next_but_one].mean(axis=1)),
        "opposite_neighbours": len(opposite(error_cm, next_one)),
        "opposite_two_apart": len(opposite(error_cm, next_but_one)),
        "evened_rmse_cm": rmse(evened(error_cm, opposite(error_cm, next_one))),
        "large": len(error_cm) - len(small_cm),
        "without_large_bias_cm": small_cm.mean(),
        "without_large_sd_cm": small_cm.std(),
    }


def main(parameters: dict) -> None:
    table = measured(read_strides(STRIDES).table)
    rows = [row(name, own) for name, own in table.groupby("dataset", sort=True)]
    with atomic_folder(STUDIES / "neighbours") as folder:
        write_table(rows, folder / "neighbours.csv")


if __name__ == "__main__":
    run_stage("studies/dvc.yaml:neighbours", main)
