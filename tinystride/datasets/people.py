"""Age, height, weight and sex of the people of the data sets, as far as their files say."""

import json
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from tinystride.datasets.loading import TRIPOD_EXCERPT
from tinystride.datasets.recording import read_error
from tinystride.datasets.samples import read_table, require_columns

COLUMNS = ["dataset", "subject", "age_years", "height_cm", "weight_kg", "sex"]
SEXES = {"F": "female", "M": "male"}
# Facts about the people that are not in the files.
PEOPLE_NOTES = {
    "gaitmap-mocap": "one wearer, not named",
    "ipol-healthy": "healthy",
    "llio-ruler": "one wearer, not named",
    "llio-ruler-2": "the wearer of llio-ruler",
    "vicon": "wearers not named: each day of recording counts as one person",
}

# Data sets in which one person may have been recorded on several days.
COUNTED_BY_DAY = ("vicon",)


def read_people(raw_folder: Path | str, subjects: Iterable[tuple[str, str]]) -> pd.DataFrame:
    """Read who the people of the data sets are.

    Args:
        raw_folder: data/raw, with one folder per data set
        subjects: (data set, subject) of each person wanted, as in `Recording`

    Returns:
        COLUMNS, one row per person in the order given; NaN, and "" for sex, where the files say nothing.

    Raises:
        DataError: if a file that describes people is damaged
    """
    raw_folder = Path(raw_folder)
    wanted = pd.DataFrame(list(dict.fromkeys(subjects)), columns=["dataset", "subject"], dtype=str)
    described = [
        READERS[name](raw_folder / name).assign(dataset=name)
        for name in sorted(set(wanted["dataset"]))
        if name in READERS and (raw_folder / name).is_dir()
    ]
    empty = pd.DataFrame(columns=COLUMNS)
    people = pd.concat(described) if described else empty
    people = wanted.merge(people, on=["dataset", "subject"], how="left")[COLUMNS]
    numbers = {name: people[name].astype(float) for name in ("age_years", "height_cm", "weight_kg")}
    return people.assign(**numbers, sex=people["sex"].fillna("").astype(str))


def _ipol(folder: Path) -> pd.DataFrame:
    """Read the first trial of each subject: a subject's trials repeat the same values."""
    rows: dict[str, dict] = {}
    for path in sorted((folder / "GaitData").glob("*-*.json")):
        subject = path.stem.partition("-")[0]
        if subject in rows:
            continue
        try:
            content = json.loads(path.read_text())
            rows[subject] = {
                "subject": subject,
                "age_years": float(content.get("Age", np.nan)),
                "height_cm": float(content.get("Height", np.nan)),
                "weight_kg": float(content.get("Weight", np.nan)),
                "sex": SEXES.get(content.get("Gender"), ""),
            }
        except (ValueError, TypeError, AttributeError) as error:
            raise read_error(path, f"does not describe a person ({error})", "download it again") from None
    return pd.DataFrame(list(rows.values()), columns=COLUMNS[1:])


def _tripod(folder: Path) -> pd.DataFrame:
    path = folder / "MetaInfo.csv"
    table = read_table(path, ";", decimal=",")
    require_columns(path, table, ["Subject Alias"])
    numbers = {"age_years": "Age (yr)", "height_cm": "Height (cm)", "weight_kg": "Weight (kg)"}
    columns = {
        name: pd.to_numeric(table[column], errors="coerce") if column in table else np.nan
        for name, column in numbers.items()
    }
    sex = table["Sex"].map(SEXES).fillna("") if "Sex" in table else ""
    return pd.DataFrame({"subject": "Sub_" + table["Subject Alias"].astype(str), **columns, "sex": sex})


READERS = {
    "ipol-healthy": _ipol,
    "tripod": _tripod,
    "tripod-excerpt": lambda folder: _tripod(folder / TRIPOD_EXCERPT),
}
