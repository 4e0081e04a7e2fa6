"""TRIPOD: treadmill walking at three speeds, Physilog 5 sensors on both feet, OptoGait as reference.

Trautmann et al., Data 2021, 6(9), 95, https://doi.org/10.3390/data6090095. The full set and its published
excerpt have one layout: `Sub_XX/<run>/IMU/{LF,RF}.csv`, `Sub_XX/<run>/OptoGait/optogait.csv`, SyncInfo.csv,
MetaInfo.csv.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from tinystride.datasets.recording import Recording, read_error, reference_table
from tinystride.datasets.samples import (
    STANDARD_GRAVITY_MPS2,
    check_recording,
    fill_gaps,
    numbers,
    read_table,
    require_columns,
    sample_numbers,
)

RUNS = ("PWS-20", "PWS", "PWS+20")  # preferred walking speed, and 20 % slower and faster
FEET = {"left": ("LF", "L"), "right": ("RF", "R")}  # names in the IMU folder and in the OptoGait table
RATE_HZ = 128.0
SIMULATED_MARK = "SIMULATED"  # file beside SyncInfo.csv that marks a simulated folder
WALKING_S = 120.0  # from the first contact; then the belt slows down

IMU_COLUMNS = ["Time", "Gyro X", "Gyro Y", "Gyro Z", "Accel X", "Accel Y", "Accel Z"]
IMU_UNITS = ["[s]", "[deg/s]", "[deg/s]", "[deg/s]", "[g]", "[g]", "[g]"]
IMU_FIRST_LINE = 8
# The analysis of Verbiest et al. (Sensors 2023, 23(16), 7166) scales by these, and no sample exceeds them.
FULL_SCALE = (16 * STANDARD_GRAVITY_MPS2, np.deg2rad(1000.0))

OPTOGAIT_COLUMNS = ["Split", "Stride", "StrideTime\\Cycle"]


def load(folder: Path, dataset: str = "tripod") -> Iterator[Recording]:
    """Load both feet of every subject and run.

    Args:
        folder: holds SyncInfo.csv, MetaInfo.csv and the `Sub_*` folders
        dataset: name for the recordings

    Yields:
        One recording per foot and run.

    Raises:
        DataError: for a file that is missing or damaged
    """
    folder = Path(folder)
    sync = read_table(folder / "SyncInfo.csv")
    belt_kmh = _belt_speeds_kmh(folder / "MetaInfo.csv")
    for subject in _subjects(folder):
        for run in RUNS:
            first_contact_s = _first_contact_s(folder / "SyncInfo.csv", sync, subject, run)
            optogait = folder / subject / run / "OptoGait" / "optogait.csv"
            contacts = _contacts(optogait, first_contact_s)
            contacts = _against_belt(optogait, contacts, belt_kmh.get((subject, run), np.nan))
            for foot, (imu_name, side) in FEET.items():
                path = folder / subject / run / "IMU" / f"{imu_name}.csv"
                yield _recording(
                    path, contacts[contacts.side == side], first_contact_s, dataset, subject, run, foot
                )


def files(folder: Path) -> list[Path]:
    """Return the paths, relative to `folder`, of the files that `load` reads, and of the mark if it is there.

    Args:
        folder: folder of the data set

    Raises:
        DataError: if a file that `load` needs is missing
    """
    folder = Path(folder)
    names = [f"IMU/{imu_name}.csv" for imu_name, _ in FEET.values()] + ["OptoGait/optogait.csv"]
    paths = [Path("SyncInfo.csv"), Path("MetaInfo.csv")]
    paths += [Path(subject, run, name) for subject in _subjects(folder) for run in RUNS for name in names]
    for path in paths:
        if not (folder / path).is_file():
            raise read_error(folder / path, "is missing", "give a complete folder of the TRIPOD set")
    mark = Path(SIMULATED_MARK)
    return [*paths, mark] if (folder / mark).is_file() else paths


def _subjects(folder: Path) -> list[str]:
    subjects = sorted(path.name for path in folder.glob("Sub_*") if path.is_dir())
    if not subjects:
        raise read_error(folder, "contains no Sub_* folder", "give the folder with SyncInfo.csv and Sub_*")
    return subjects


def _recording(
    path: Path,
    contacts: pd.DataFrame,
    first_contact_s: float,
    dataset: str,
    subject: str,
    run: str,
    foot: str,
) -> Recording:
    start_s, gyr_dps, acc_g, gaps = _read_imu(path)
    end_s = contacts["time_s"] - start_s
    during = contacts["duration_s"].notna() & (end_s <= len(acc_g) / RATE_HZ)
    strides, end_s = contacts[during], end_s[during]
    if strides.empty:
        raise read_error(
            path, f"OptoGait has no {foot} stride in its time", "restore optogait.csv and SyncInfo.csv"
        )
    return check_recording(
        Recording(
            dataset=dataset,
            subject=subject,
            trial=run,
            foot=foot,
            rate_hz=RATE_HZ,
            acc_mps2=acc_g * STANDARD_GRAVITY_MPS2,
            gyr_radps=np.deg2rad(gyr_dps),
            source=str(path),
            condition=run,
            gaps=gaps,
            walking_s=(first_contact_s - start_s, first_contact_s - start_s + WALKING_S),
            reference=reference_table(
                end_s - strides["duration_s"], end_s, strides["length_cm"], "optogait", strides["note"]
            ),
            saturation=FULL_SCALE,
        )
    )


def _read_imu(path: Path) -> tuple[float, np.ndarray, np.ndarray, np.ndarray]:
    """Return the time of the first sample (s), gyroscope [n, 3] (deg/s), accelerometer [n, 3] (g), gaps."""
    table = read_table(path, names_line=IMU_FIRST_LINE - 2, first_line=IMU_FIRST_LINE)
    with open(path, encoding="utf-8", errors="replace") as file:
        header = [next(file) for _ in range(IMU_FIRST_LINE - 1)]
    if list(table.columns[:7]) != IMU_COLUMNS or header[-1].split(",")[:7] != IMU_UNITS:
        raise read_error(
            path,
            f"its columns are not {', '.join(IMU_COLUMNS)} in s, deg/s and g",
            "export it again from the Physilog software",
        )
    announced = header[2].removeprefix("Total data points:").strip(" ,\n")
    if announced != str(len(table)):
        raise read_error(
            path, f"announces {announced} samples and contains {len(table)}", "download it again"
        )
    values = numbers(path, table, IMU_COLUMNS, IMU_FIRST_LINE)
    number = sample_numbers(path, values[:, 0], RATE_HZ, IMU_FIRST_LINE)
    samples, gaps = fill_gaps(path, number, values[:, 1:])
    return float(values[0, 0]), samples[:, :3], samples[:, 3:], gaps


def _first_contact_s(path: Path, sync: pd.DataFrame, subject: str, run: str) -> float:
    """Return the IMU time of the first right-foot contact of a run, which both clocks share."""
    require_columns(path, sync, ["subject", "run", "ic_time"])
    row = sync[(sync["subject"] == subject) & (sync["run"] == run)]
    if len(row) != 1:
        raise read_error(
            path,
            f"has {len(row)} rows for {subject}, run {run}",
            "it needs exactly one: restore it, or move the run away",
        )
    return float(numbers(path, row, ["ic_time"], first_line=2 + int(row.index[0]))[0, 0])


def _contacts(path: Path, first_contact_s: float) -> pd.DataFrame:
    """Return initial contacts: side, time_s on the IMU's clock, length_cm and duration_s of the stride.

    The first contact of each foot, and the last steps on the slowing belt, have no duration: their lengths
    (such as 1850 cm) are not lengths of strides.
    """
    table = read_table(path)
    require_columns(path, table, ["L/R", *OPTOGAIT_COLUMNS])
    table = table[table["L/R"].isin(["L", "R"])]
    if not (table["L/R"] == "R").any():
        raise read_error(path, "has no row of a right foot, to which the clocks are tied", "restore it")
    split_s, length_cm, duration_s = (
        table[OPTOGAIT_COLUMNS].apply(pd.to_numeric, errors="coerce").to_numpy().T
    )
    if np.isnan(split_s).any() or (np.diff(split_s) < 0).any():
        raise read_error(path, "its Split times are missing or run back", "restore it")
    return pd.DataFrame(
        {
            "side": table["L/R"].to_numpy(),
            "time_s": split_s - split_s[(table["L/R"] == "R").argmax()] + first_contact_s,
            "length_cm": length_cm,
            "duration_s": duration_s,
        }
    )


def _belt_speeds_kmh(path: Path) -> dict[tuple[str, str], float]:
    """Return the belt speed of each (subject, run)."""
    table = read_table(path, ";", decimal=",")
    columns = [f"{run} (km/h)" for run in RUNS]
    require_columns(path, table, ["Subject Alias", *columns])
    speeds_kmh = table[columns].apply(pd.to_numeric, errors="coerce").to_numpy()
    return {
        (f"Sub_{alias}", run): speed_kmh
        for alias, speeds in zip(table["Subject Alias"], speeds_kmh, strict=True)
        for run, speed_kmh in zip(RUNS, speeds, strict=True)
    }


def _against_belt(path: Path, contacts: pd.DataFrame, belt_kmh: float) -> pd.DataFrame:
    """Return the contacts with a `note`; lengths that differ from the belt's speed by half become NaN.

    Length over time is the belt's speed. Raises DataError if most strides differ: the table belongs to
    another run or has another unit. An unknown speed (NaN) checks nothing.
    """
    speed_kmh = 0.036 * contacts["length_cm"] / contacts["duration_s"]
    if abs(speed_kmh.median() / belt_kmh - 1) > 0.1:
        raise read_error(
            path,
            f"its strides make {speed_kmh.median():.2f} km/h on a belt of {belt_kmh:.2f} km/h (MetaInfo.csv)",
            "restore both files: the run or the unit is another one",
        )
    bogus = (speed_kmh / belt_kmh - 1).abs() > 0.5
    return contacts.assign(
        length_cm=contacts["length_cm"].mask(bogus),
        note=np.where(bogus, "OptoGait's length contradicts the belt's speed", ""),
    )
