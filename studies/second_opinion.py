"""Compare large errors with those of another algorithm on the same samples: studies/results/second_opinion.

Each recording of llio-ruler comes with a path by PyShoe: zero-velocity detector and Kalman filter over the
whole walk (Wagstaff et al., IEEE Sens. J. 2020, arXiv 1910.00529). It shares only the samples with our
integral. An error that both have is an error of the ruler or of the samples, not of the integration.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import scipy.io

from stages.common import RAW, STRIDES, run_stage
from studies.common import STUDIES, measured, write_table
from studies.neighbours import LARGE_CM
from tinystride.datasets import llio
from tinystride.files import atomic_folder
from tinystride.gait.strides import read_strides

DATASET = "llio-ruler"
TRIAL = "data/LLIO_training_data/SensorConnectData_{}_LLIO.mat"
KINDS = {"unsaturated": False, "saturated": True}


def other_length_cm(path_m: np.ndarray, strides: pd.DataFrame) -> np.ndarray:
    """Return the distance [n], cm, between the positions of a path [samples, 2] at both mid-stances."""
    sample = np.arange(len(path_m)) / llio.RATE_HZ
    ends = [
        np.column_stack([np.interp(time_s, sample, axis) for axis in path_m.T])
        for time_s in (strides["start_s"], strides["end_s"])
    ]
    return 100 * np.linalg.norm(ends[1] - ends[0], axis=1)


def row(kind: str, length_cm: np.ndarray, ours_cm: np.ndarray, theirs_cm: np.ndarray) -> dict:
    """Return a row of the table.

    large: number of strides whose integral is wrong by more than LARGE_CM
    alike: of these, strides for which both algorithms agree within LARGE_CM
    apart_median_cm: median absolute difference of both algorithms, over all strides
    """
    large = np.abs(ours_cm - length_cm) > LARGE_CM
    apart_cm = np.abs(theirs_cm - ours_cm)
    return {
        "kind": kind,
        "strides": len(length_cm),
        "apart_median_cm": np.median(apart_cm) if len(apart_cm) else np.nan,
        "large": int(large.sum()),
        "alike": int((large & (apart_cm <= LARGE_CM)).sum()),
    }


def compare(strides: pd.DataFrame, folder: Path) -> pd.DataFrame:
    """Return a `row` for unsaturated and one for saturated strides."""
    theirs_cm = pd.Series(index=strides.index, dtype=float)
    for trial, own in strides.groupby("trial"):
        path_m = scipy.io.loadmat(folder / TRIAL.format(trial))["pyshoeTrajectory"]
        theirs_cm[own.index] = other_length_cm(path_m, own)
    saturated = strides["flags"].str.contains("saturated")
    rows = []
    for kind, wanted in KINDS.items():
        own = strides[saturated == wanted]
        lengths = (own[name].to_numpy() for name in ("stride_length_cm", "strapdown_length_cm"))
        rows.append(row(kind, *lengths, theirs_cm[own.index].to_numpy()))
    return pd.DataFrame(rows)


def main(parameters: dict) -> None:
    table = measured(read_strides(STRIDES).table)
    found = compare(table[table["dataset"] == DATASET], RAW / DATASET)
    with atomic_folder(STUDIES / "second_opinion") as folder:
        write_table(found, folder / "second_opinion.csv")


if __name__ == "__main__":
    run_stage("studies/dvc.yaml:second-opinion", main)
