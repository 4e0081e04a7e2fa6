"""Ruler-measured footprints of the LLIO set: one foot, 3DM-GX5-25, 200 Hz, small rooms with many turns.

Çetin and Köroğlu, "Loose Learned Inertial Odometry", 2025, https://github.com/mtahakoroglu/LLIO-aided-iPyShoe.
The wearer is not named; all trials are taken for one person's.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import scipy.io

from tinystride.datasets.recording import Recording, read_error, reference_table
from tinystride.datasets.samples import check_recording

RATE_HZ = 200.0
SUBJECT = "wearer"
FOOT = "right"  # not documented


def load(folder: Path, dataset: str = "llio-ruler") -> Iterator[Recording]:
    """Every `SensorConnectData_<trial>_LLIO.mat` of the repository in `folder`, by number of trial."""
    folder = Path(folder) / "data" / "LLIO_training_data"
    trials = {int(path.stem.split("_")[1]): path for path in folder.glob("SensorConnectData_*_LLIO.mat")}
    if not trials:
        raise read_error(folder, "holds no SensorConnectData_*_LLIO.mat", "run the download again")
    for trial, path in sorted(trials.items()):
        yield _recording(path, dataset, trial)


def _recording(path: Path, dataset: str, trial: int) -> Recording:
    samples, footprints_m, stance = _read(path)
    time_s = stance / RATE_HZ
    length_cm = 100 * np.hypot(*np.diff(footprints_m, axis=0).T)
    return check_recording(
        Recording(
            dataset=dataset,
            subject=SUBJECT,
            trial=str(trial),
            foot=FOOT,
            rate_hz=RATE_HZ,
            acc_mps2=samples[:, :3],
            gyr_radps=samples[:, 3:],
            source=str(path),
            condition="overground",
            reference=reference_table(time_s[:-1], time_s[1:], length_cm, "ruler"),
            reference_event="mid_stance",
        )
    )


def _read(path: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Samples [n, 6] in m/s² and rad/s, footprints [k, 2] in m, sample number of each footprint [k]."""
    try:
        content = scipy.io.loadmat(path, variable_names=["imu_data", "GCP", "strideIndex"])
        samples, footprints_m = content["imu_data"].astype(float), content["GCP"].astype(float)
        stance = content["strideIndex"].ravel().astype(np.int64)
    except OSError:
        raise
    except Exception as error:  # scipy raises whatever a damaged file makes its parser run into
        raise read_error(path, f"is not a complete .mat file ({error})", "download it again") from None
    return samples, footprints_m, stance
