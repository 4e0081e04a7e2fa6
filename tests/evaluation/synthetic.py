"""Create strides tables with errors of known structure."""

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
            "length_sd_cm": 2.5,
            "flags": np.where(np.arange(len(table)) % 4, "", "turn"),
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


def predicted(table: pd.DataFrame, bias_cm: float, sd_cm: float, seed: int) -> pd.DataFrame:
    """A predictions table with a known error, int8 0.1 cm (SD) from float32."""
    float32_cm = table["stride_length_cm"] + bias_cm + per_stride(table, sd_cm, seed)
    int8_cm = float32_cm + per_stride(table, 0.1, seed + 1)
    return pd.DataFrame({"stride_id": table["stride_id"], "float32_cm": float32_cm, "int8_cm": int8_cm})


def study() -> tuple[pd.DataFrame, dict, pd.DataFrame, dict]:
    """Arguments of `evaluate`: `street` (6 people, an integral as reference) and `ruler` (1) in three folds,
    `belt` (2 people) held out. The final model is 1 ± 2 cm off, fold n is n ± 3 cm off.
    """
    street = walks(dataset="street", subjects=6, trials=2, strides=20, reference="strapdown", seed=1)
    street = street.assign(strapdown_length_cm=street["stride_length_cm"])
    ruler = walks(dataset="ruler", trials=4, strides=50, reference="ruler", seed=2)
    belt = walks(dataset="belt", subjects=2, trials=3, strides=60, seed=3)
    names = [f"street/S{i:02d}" for i in range(6)]
    tests = [[*names[:2]], [*names[2:4]], ["ruler/S00", *names[4:]]]
    everybody = [*names, "ruler/S00"]

    def part(test: list[str]) -> dict:
        rest = [name for name in everybody if name not in test]
        return {"train": rest[1:], "validation": rest[:1], "test": test}

    split = {"final": part([]) | {"test": ["belt/S00", "belt/S01"]}}
    split["folds"] = [{"fold": i, **part(test)} for i, test in enumerate(tests)]
    strides = pd.concat([street, ruler, belt], ignore_index=True)
    subjects = strides["dataset"] + "/" + strides["subject"]
    folds = {i: predicted(strides[subjects.isin(test)], i, 3, 10 * i) for i, test in enumerate(tests)}
    return strides, split, predicted(belt, 1, 2, 50), folds
