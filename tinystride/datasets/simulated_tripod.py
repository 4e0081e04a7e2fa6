"""A simulated substitute for the full TRIPOD set, which is given on request only: same folders, same formats.

With it the protocol of the reference paper (15 subjects, three belt speeds) runs from start to end without
the data. Formats and irregularities are those of TRIPOD's published excerpt, see tripod.py.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from tqdm import tqdm

from tinystride.datasets.recording import Recording
from tinystride.datasets.samples import STANDARD_GRAVITY_MPS2
from tinystride.datasets.simulator import Leg, SimulatedSubject, VirtualSensor, simulate_walk
from tinystride.datasets.tripod import SIMULATED_MARK
from tinystride.files import atomic_folder, write_text
from tinystride.validation import real_number, whole_number

RUNS = {"PWS": 1.0, "PWS+20": 1.2, "PWS-20": 0.8}
SIDES = {"left": ("LF", "L"), "right": ("RF", "R")}
RATE_HZ = 128
# Preferred speed on a treadmill as a share of the preferred speed overground.
BELT_SHARE = 0.85
LED_SPACING_CM = 1.04  # resolution of OptoGait
IMU_HEADER = """Gait Up - Physilog data export
Created on: YYYY-MM-DD hh:mm:ss
Total data points: {n}

Time [128 hz],Gyro [128 hz],,,Accel [128 hz],,,Baro [1 hz],,Event [128 hz],Quaternion [128 hz],,,,
Time,Gyro X,Gyro Y,Gyro Z,Accel X,Accel Y,Accel Z,Pressure,Temperature,Quat W,Quat X,Quat Y,Quat Z,
[s],[deg/s],[deg/s],[deg/s],[g],[g],[g],[mBar],[degree C],[],[],[],[],
"""
OPTOGAIT_HEADER = (
    "#,L/R,External,TFlight,TContact,TStep,Elevation,Pace[step/s],Pace[step/m],Step,Speed,Acc,Split,StepAngle,"
    "Imbalance,Distance,Stride,StrideTime\\Cycle,SingleSupport,SingleSupport%,TotalDoubleSupport,"
    "TotalDoubleSupport%,TStance,TStance%,TSwing,TSwing%,ContactPhase,ContactPhase%,FootFlat,FootFlat%,"
    "PropulsivePhase,PropulsivePhase%,LoadResponse,LoadResponse%,PreSwing,PreSwing%,TFlightPerc,TContactPerc,"
    "AbsoluteValue"
)
OPTOGAIT_COLUMNS = OPTOGAIT_HEADER.split(",")
META_HEADER = (
    "Subject Alias;Age (yr);Sex;Weight (kg);Height (cm);Leg length (cm);Trial 1;Trial 2;Trial 3;PWS (km/h);"
    "PWS+20 (km/h);PWS-20 (km/h);Comment;IPAQ Q1;IPAQ Q2;IPAQ Q3;IPAQ Q4;IPAQ Q5;IPAQ Q6;IPAQ Q7"
)


def write_tripod_tree(
    folder: Path | str, *, subjects: int = 15, seed: int = 0, walking_s: float = 120.0, progress: bool = False
) -> None:
    """Write a folder like TRIPOD's: `Sub_XX/<run>/{IMU,OptoGait}`, SyncInfo.csv, MetaInfo.csv.

    The file SIMULATED_MARK beside them marks every result of it as simulated. Equal arguments give equal
    bytes. The folder is complete or absent.

    Args:
        folder: the folder to write
        subjects: number of people, 1 to 26
        seed: seed of all random choices
        walking_s: time at belt speed from the first contact, after which the belt slows down; 120 s in the
            recorded set
        progress: show a progress bar

    Raises:
        ParameterError: for a value out of its range
    """
    whole_number(1, 26).check("subjects", subjects)
    real_number(5).check("walking_s", walking_s)
    sync, meta = ["subject,run,ic_time"], [META_HEADER]
    with atomic_folder(folder) as partial:
        for number in tqdm(range(subjects), "simulated TRIPOD", disable=not progress):
            rng = np.random.default_rng([seed, number])
            alias = f"S{chr(ord('A') + number)}"
            subject = SimulatedSubject.draw(rng, f"Sub_{alias}")
            preferred_kmh = round(3.6 * BELT_SHARE * subject.preferred_speed_mps, 1)
            belt_kmh = {run: round(share * preferred_kmh, 1) for run, share in RUNS.items()}
            meta.append(_meta_row(alias, subject, belt_kmh, rng))
            sensors = {foot: VirtualSensor.draw(rng, gyr_range_dps=1000.0) for foot in SIDES}
            for run in RUNS:
                ic_time = _write_run(
                    partial / subject.name / run, subject, sensors, belt_kmh[run], walking_s, rng
                )
                sync.append(f"{subject.name},{run},{ic_time}")
        write_text(partial / SIMULATED_MARK, "These people do not exist; see tinystride/datasets.\n")
        write_text(partial / "SyncInfo.csv", "\n".join(sync) + "\n")
        write_text(partial / "MetaInfo.csv", "\n".join(meta) + "\n")


def _meta_row(
    alias: str, subject: SimulatedSubject, belt_kmh: dict[str, float], rng: np.random.Generator
) -> str:
    height_cm = round(200 * subject.height_m) / 2
    weight_kg = round(2 * rng.normal(22.5, 2.0) * subject.height_m**2) / 2
    leg_cm = round(2 * 0.48 * height_cm) / 2
    numbers = [weight_kg, height_cm, leg_cm]
    cells = [alias, rng.integers(20, 36), "FM"[rng.integers(2)], *map(_comma, numbers)]
    cells += [*rng.permutation(list(RUNS)), *(_comma(belt_kmh[run]) for run in RUNS)]
    cells += ["", "3d", "1h", "3d", "1h", "6d", "30m", "8h"]
    return ";".join(map(str, cells))


def _comma(number: float) -> str:
    return f"{number:g}".replace(".", ",")


def _write_run(
    folder: Path,
    subject: SimulatedSubject,
    sensors: dict[str, VirtualSensor],
    belt_kmh: float,
    walking_s: float,
    rng: np.random.Generator,
) -> float:
    """Write one run's files. Returns SyncInfo's ic_time: the first right contact on the clock of the IMU."""
    speed_mps = belt_kmh / 3.6
    stride_s = 2 * subject.step_length_m(speed_mps) / speed_mps
    legs = [
        Leg(int(np.ceil(walking_s / stride_s)) + 1, speed_mps),
        Leg(3, 0.75 * speed_mps),
        Leg(4, 0.5 * speed_mps),
    ]
    seed, standing_s = int(rng.integers(2**32)), (rng.uniform(5.0, 6.5), 3.0)
    contacts = []
    for foot, (imu, side) in SIDES.items():
        walk = simulate_walk(
            subject,
            foot=foot,
            legs=legs,
            rate_hz=RATE_HZ,
            seed=seed,
            sensor=sensors[foot],
            standing_s=standing_s,
        )
        write_text(folder / "IMU" / f"{imu}.csv", _imu_table(walk, rng))
        reference = walk.reference
        contacts.append(
            pd.DataFrame(
                {
                    "side": side,
                    "time_s": [reference["start_s"].iloc[0], *reference["end_s"]],
                    "length_cm": [np.nan, *reference["stride_length_cm"]],
                }
            )
        )
    table = pd.concat(contacts).sort_values("time_s", ignore_index=True)
    first_s = table["time_s"][0]
    _write_optogait(folder / "OptoGait" / "optogait.csv", table, first_s + walking_s, speed_mps, rng)
    return round(round(first_s * RATE_HZ + 1) / RATE_HZ, 5)


def _imu_table(walk: Recording, rng: np.random.Generator) -> str:
    """Return the sensor's export: the first sample is at one interval, pressure is given once a second.

    The orientation, which the loader does not read, is zero, as at the ends of recorded files.
    """
    gyr_dps, acc_g = np.rad2deg(walk.gyr_radps), walk.acc_mps2 / STANDARD_GRAVITY_MPS2
    time_s = (np.arange(walk.n_samples) + 1) / RATE_HZ
    pressure = rng.normal(1015.0, 8.0)
    lines = [IMU_HEADER.format(n=walk.n_samples)]
    for i, sample in enumerate(np.column_stack([time_s, gyr_dps, acc_g]).tolist()):
        barometer = f"{pressure + 0.02 * rng.standard_normal():.3f},25.7" if i % RATE_HZ == 0 else ","
        values = ",".join([f"{value:.5f}" for value in sample])
        lines.append(f"{values},{barometer},0.00000,0.00000,0.00000,0.00000,\n")
    return "".join(lines)


def _write_optogait(
    path: Path, contacts: pd.DataFrame, end_s: float, speed_mps: float, rng: np.random.Generator
) -> None:
    """Write the table of the light barrier, with its own clock and the belt's nominal speed."""
    clock_s = rng.uniform(8.0, 16.0)
    split_s = (contacts["time_s"] + clock_s).round(3)
    stride_s = split_s.groupby(contacts["side"]).diff().round(3)
    place_cm = rng.uniform(-0.5, 0.5, len(contacts)) * LED_SPACING_CM
    length_cm = contacts["length_cm"] + pd.Series(place_cm).groupby(contacts["side"]).diff()
    slowing = contacts["time_s"] > end_s
    length_cm = length_cm.where(~slowing, 100 * speed_mps * stride_s).round()
    step_s = split_s.diff().round(3)
    step_cm = (100 * speed_mps * step_s).round()
    before_cm = round(100 * speed_mps * split_s[0])
    table = pd.DataFrame(index=contacts.index, columns=OPTOGAIT_COLUMNS, dtype=object)
    table["#"] = np.arange(1, len(contacts) + 1)
    table["L/R"] = contacts["side"]
    table["TStep"], table["Step"], table["Split"] = step_s, step_cm, split_s
    table["Pace[step/m]"] = (60 / step_s).round(2)
    table["Distance"] = before_cm + step_cm.fillna(0).cumsum()
    table["Stride"], table["StrideTime\\Cycle"] = length_cm, stride_s
    table["Speed"] = (length_cm / stride_s / 100).round(2)
    table["AbsoluteValue"] = (1000 * split_s + 3667).round()
    # As in recorded tables: the first step and the other foot's first stride hold distances since the belt's
    # start, and strides on the slowing belt have no time.
    table.loc[0, ["Step", "External"]] = before_cm, split_s[0] + 3.667
    table.loc[1, "Stride"] = before_cm + step_cm[1]
    table.loc[table.index[-4:], "StrideTime\\Cycle"] = np.nan
    table.loc[table.index[-2:], "Stride"] = 498, 499
    rows: list[dict[Any, Any]] = [
        dict.fromkeys(OPTOGAIT_COLUMNS),
        *table.to_dict("records"),
        dict.fromkeys(OPTOGAIT_COLUMNS),
    ]
    rows[0].update({"#": "External trigger", "L/R": "START"})
    rows[-1].update({"#": "External trigger STOP", "External": round(split_s.iloc[-1] + 7.4, 3)})
    lines = ["," + OPTOGAIT_HEADER]
    lines += [",".join([str(i), *map(_cell, row.values())]) for i, row in enumerate(rows)]
    write_text(path, "\n".join(lines) + "\n")


def _cell(value: Any) -> str:
    if isinstance(value, str):
        return value
    return "" if value is None or np.isnan(value) else f"{value:.10g}"
