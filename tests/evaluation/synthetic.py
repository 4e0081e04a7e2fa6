"""Strides tables with errors of known structure."""

import numpy as np
import pandas as pd


def walks(
    *,
    dataset: str = "lab",
    subjects: int = 1,
    trials: int = 1,
    strides: int = 20,
    reference: str = "optogait",
    first_subject: int = 0,
    seed: int = 0,
) -> pd.DataFrame:
    """A strides.parquet table of right feet: each trial is one run of strides, longer than before."""
    rng = np.random.default_rng(seed)
    table = pd.MultiIndex.from_product(
        [range(first_subject, first_subject + subjects), range(trials), range(strides)],
        names=["subject", "trial", "number"],
    ).to_frame(index=False)
    length_cm = 120 + 8 * table["trial"] + 5 * rng.standard_normal(len(table))
    table = pd.DataFrame(
        {
            "dataset": dataset,
            "subject": table["subject"].map("S{:02d}".format),
            "trial": table["trial"].map("T{}".format),
            "foot": "right",
            "condition": np.where(table["trial"] % 2, "fast", "slow"),
            "start_s": 1.1 * table["number"],
            "end_s": 1.1 * table["number"] + 1.1,
            "duration_s": 1.3 - 0.002 * (length_cm - 60) + 0.01 * rng.standard_normal(len(table)),
            "stride_length_cm": length_cm,
            "reference": reference,
            "strapdown_length_cm": length_cm - 2 + 4 * rng.standard_normal(len(table)),
            "usable": True,
            "reason": "",
        }
    )
    number = table.groupby(["subject", "trial"]).cumcount()
    walk = table["dataset"] + "/" + table["subject"] + "/" + table["trial"] + "/" + table["foot"]
    table.insert(0, "stride_id", walk + "/" + number.map("{:04d}".format))
    return table


def per_subject(table: pd.DataFrame, sd: float, seed: int) -> np.ndarray:
    """One random number for each subject, repeated for each of its strides."""
    code, subjects = pd.factorize(table["dataset"] + table["subject"])
    return sd * np.random.default_rng(seed).standard_normal(len(subjects))[code]


def per_stride(table: pd.DataFrame, sd: float, seed: int) -> np.ndarray:
    return sd * np.random.default_rng(seed).standard_normal(len(table))


def per_footprint(table: pd.DataFrame, sd: float, seed: int) -> np.ndarray:
    """Errors of lengths between footprints that are each off by a random number: f[k + 1] − f[k]."""
    rng = np.random.default_rng(seed)
    walks = table.groupby(["dataset", "subject", "trial", "foot"])["start_s"]
    return walks.transform(lambda walk: np.diff(sd * rng.standard_normal(len(walk) + 1))).to_numpy()
