"""Whether a stride's error is undone by the next one: results/studies/neighbours.

Two strides in a row share a footprint. Where the reference misplaces it, one seems too long and the next
too short by as much, and the mean of both is right; so it is where the estimate cuts between them too early
or too late, but other errors have no reason to do so. What strides do that are two apart, which share
nothing, is chance. Everything is of the integral, which has learned from nobody.
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
    """Rows [n, 2] of sorted strides that are so many apart in one walk of one foot, without a pause."""
    walk = strides.groupby(["subject", "trial", "foot"], sort=False).ngroup().to_numpy()
    pause_s = strides["start_s"].to_numpy()[1:] - strides["end_s"].to_numpy()[:-1]
    breaks = (walk[1:] != walk[:-1]) | (np.abs(pause_s) > SAME_MID_STANCE_S)
    run = np.concatenate([[0], np.cumsum(breaks)])
    first = np.flatnonzero(run[apart:] == run[: len(run) - apart])
    return np.column_stack([first, first + apart])


def opposite(error_cm: np.ndarray, pair: np.ndarray) -> np.ndarray:
    """Those of pairs [n, 2] of which one is too long by more than LARGE_CM and the other too short."""
    low, high = np.sort(error_cm[pair], axis=1).T
    return pair[(low < -LARGE_CM) & (high > LARGE_CM)]


def evened(error_cm: np.ndarray, pair: np.ndarray) -> np.ndarray:
    """The errors with the mean of both in place of each of a pair."""
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
