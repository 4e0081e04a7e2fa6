"""Small valid folders in each data set's format, and recorded ones, for tests of damage on both."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scipy.io

from tinystride.datasets.loading import TRIPOD_EXCERPT
from tinystride.datasets.recording import FEET
from tinystride.datasets.samples import STANDARD_GRAVITY_MPS2

STRIDE_S = 1.25
FIRST_CONTACT_S = 2.0


def simple_walk(rate_hz: float, duration_s: float = 20.0) -> tuple[np.ndarray, np.ndarray]:
    """Acceleration (m/s²) and angular rate (rad/s), each [n, 3]: standing, then a swing per stride."""
    time_s = np.arange(round(duration_s * rate_hz)) / rate_hz
    phase = (time_s - FIRST_CONTACT_S) / STRIDE_S % 1
    swing = np.where((time_s > FIRST_CONTACT_S) & (phase > 0.5), np.sin(2 * np.pi * phase) ** 2, 0.0)
    noise = np.random.default_rng(1).normal(0, 0.02, (len(time_s), 6))
    gravity = STANDARD_GRAVITY_MPS2 * np.array([0.6, 0.0, 0.8])
    acc_mps2 = gravity + swing[:, None] * [6.0, 1.0, 8.0] + noise[:, :3]
    gyr_radps = swing[:, None] * [0.5, 6.0, -0.4] + noise[:, 3:] / 5
    return acc_mps2, gyr_radps


def write_tripod(folder: Path) -> None:
    acc_mps2, gyr_radps = simple_walk(128)
    columns = [acc_mps2 / STANDARD_GRAVITY_MPS2, np.rad2deg(gyr_radps)]
    rows = [
        f"{(i + 1) / 128:.5f}," + ",".join(f"{v:.5f}" for v in (*gyr, *acc)) + ",,"
        for i, (acc, gyr) in enumerate(zip(*columns, strict=True))
    ]
    header = (
        f"Gait Up\nCreated on: YYYY\nTotal data points: {len(rows)}\n\nTime [128 hz],Gyro,,,Accel,,,,\n"
        "Time,Gyro X,Gyro Y,Gyro Z,Accel X,Accel Y,Accel Z,Pressure,\n"
        "[s],[deg/s],[deg/s],[deg/s],[g],[g],[g],[mBar],\n"
    )
    for run, speed_kmh in (("PWS-20", 3.0), ("PWS", 3.7), ("PWS+20", 4.4)):
        contacts = ["0,External trigger,START,,,", "1,1,R,10.0,,", "2,2,L,10.625,2746,"]
        length_cm = round(speed_kmh / 0.036 * STRIDE_S)
        for k in range(2, 20):
            split_s = 10.0 + k * STRIDE_S / 2
            contacts.append(f"{k + 1},{k + 1},{'RL'[k % 2]},{split_s:.3f},{length_cm},{STRIDE_S}")
        trial = folder / "Sub_AB" / run
        (trial / "IMU").mkdir(parents=True)
        (trial / "OptoGait").mkdir()
        for foot in ("LF", "RF"):
            (trial / "IMU" / f"{foot}.csv").write_text(header + "\n".join(rows) + "\n")
        table = "\n".join([",#,L/R,Split,Stride,StrideTime\\Cycle", *contacts])
        (trial / "OptoGait" / "optogait.csv").write_text(table + "\n")
    runs = "".join(f"Sub_AB,{run},{FIRST_CONTACT_S}\n" for run in ("PWS", "PWS+20", "PWS-20"))
    (folder / "SyncInfo.csv").write_text("subject,run,ic_time\n" + runs)
    meta = "Subject Alias;Weight (kg);PWS (km/h);PWS+20 (km/h);PWS-20 (km/h)\nAB;70,5;3,7;4,4;3\n"
    (folder / "MetaInfo.csv").write_text(meta)


def write_ipol(folder: Path) -> None:
    (folder / "GaitData").mkdir(parents=True)
    names = ["PacketCounter", *(f"{kind}_{axis}" for kind in ("Acc", "Gyr", "Mag") for axis in "XYZ")]
    values = np.column_stack([*simple_walk(100), np.random.default_rng(2).normal(0.5, 0.1, (2000, 3))])
    rows = [f"{counter}.0\t" + "\t".join(f"{v:.6f}" for v in row) for counter, row in enumerate(values)]
    for foot in ("lf", "rf"):
        text = "Acquisition frequency: 100 Hz\n" + "\t".join(names) + "\n" + "\n".join(rows) + "\n"
        (folder / "GaitData" / f"1-1_{foot}.txt").write_text(text)
    contacts = [[170 + 125 * k, 200 + 125 * k] for k in range(12)]
    events = {
        "Subject": 1,
        "Age": float("nan"),
        "TrialBoundaries": [200, 1400],
        "UTurnBoundaries": [700, 900],
        "LeftFootEvents": contacts,
        "RightFootEvents": contacts,
    }
    (folder / "GaitData" / "1-1.json").write_text(json.dumps(events))


def write_llio(folder: Path) -> None:
    path = folder / "data" / "LLIO_training_data" / "SensorConnectData_31_LLIO.mat"
    path.parent.mkdir(parents=True)
    samples = np.column_stack(simple_walk(200))
    stance = np.arange(12) * 250 + 500
    content = {
        "imu_data": samples,
        "timestamps": np.arange(len(samples))[None] / 200,
        "strideIndex": stance[None],
        "GCP": np.column_stack([1.3 * np.arange(12), 0.1 * np.arange(12)]),
    }
    scipy.io.savemat(path, content)


def _built_or_recorded(request, tmp_path, write, name: str, files: list[str]) -> Path:
    folder = tmp_path / name
    if request.param == "built":
        write(folder)
        return folder
    recorded = request.getfixturevalue("raw_folder") / name
    for pattern in files:
        for path in sorted(recorded.glob(pattern)):
            copy = folder / path.relative_to(recorded)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)
    return folder


@pytest.fixture
def walk():
    return simple_walk


@pytest.fixture
def built_tripod(tmp_path) -> Path:
    """A folder in TRIPOD's layout, as given on request."""
    write_tripod(tmp_path / "given")
    return tmp_path / "given"


both = pytest.fixture(params=["built", "recorded"])


@both
def tripod_folder(request, tmp_path) -> Path:
    """A folder in TRIPOD's layout: one subject, three runs, both feet."""
    folder = _built_or_recorded(
        request, tmp_path, write_tripod, "tripod-excerpt", [f"{TRIPOD_EXCERPT}/**/*.csv"]
    )
    return folder / TRIPOD_EXCERPT if request.param == "recorded" else folder


@both
def ipol_folder(request, tmp_path) -> Path:
    """The IPOL repository with one trial, 1-1."""
    return _built_or_recorded(request, tmp_path, write_ipol, "ipol-healthy", ["GaitData/1-1*"])


@both
def llio_folder(request, tmp_path) -> Path:
    """The LLIO repository with one trial, 31."""
    return _built_or_recorded(
        request, tmp_path, write_llio, "llio-ruler", ["data/*/SensorConnectData_31_LLIO.mat"]
    )


def write_vicon(folder: Path) -> None:
    path = folder / "data" / "vicon" / "processed" / "2017-11-22-11-22-03.mat"
    path.parent.mkdir(parents=True)
    samples = np.column_stack(simple_walk(200))
    position_m = np.column_stack([0.004 * np.arange(len(samples)), *np.zeros((2, len(samples)))])
    content = {"imu": samples, "gt": position_m, "ts": np.arange(len(samples))[None] / 200}
    scipy.io.savemat(path, content)


def write_gaitmap(folder: Path) -> None:
    (folder / "example_data").mkdir(parents=True)
    acc_mps2, gyr_radps = simple_walk(204.8)
    samples = np.column_stack([acc_mps2, np.rad2deg(gyr_radps)])
    axes = [f"{kind}_{axis}" for kind in ("acc", "gyr") for axis in "xyz"]
    sensors = pd.concat({f"{foot}_sensor": pd.DataFrame(samples, columns=axes) for foot in FEET}, axis=1)
    sensors.to_csv(folder / "example_data" / "imu_sample.csv")
    heel_mm = np.column_stack([8.0 * np.arange(2000), *np.full((2, 2000), 40.0)])
    places_mm = {"FCC": (0, 0, 0), "TOE": (250, 0, 0), "FM5": (190, 60, 0)}
    outward = {"L": (1, 1, 1), "R": (1, -1, 1)}
    markers = {
        f"{foot}_{name}": pd.DataFrame(heel_mm + np.multiply(sides, place_mm), columns=list("xyz"))
        for foot, sides in outward.items()
        for name, place_mm in places_mm.items()
    }
    pd.concat(markers, axis=1).to_csv(folder / "example_data" / "mocap_sample.csv")


@both
def vicon_folder(request, tmp_path) -> Path:
    """The repository of motion-captured walks with one trial."""
    files = ["data/vicon/processed/2017-11-22-11-22-03.mat"]
    return _built_or_recorded(request, tmp_path, write_vicon, "vicon", files)


@both
def gaitmap_folder(request, tmp_path) -> Path:
    """gaitmap's repository: both feet of one walk."""
    return _built_or_recorded(request, tmp_path, write_gaitmap, "gaitmap-mocap", ["example_data/*.csv"])
