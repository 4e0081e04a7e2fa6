"""Ruler-measured footprints of the LLIO set: one foot, 3DM-GX5-25, 200 Hz, small rooms with many turns.

Çetin and Köroğlu, "Loose Learned Inertial Odometry", 2025,
https://github.com/mtahakoroglu/LLIO-aided-iPyShoe. The wearer is not named; all trials count as one person's.
The foot is not named either: in straight strides it swings past the other leg, and rolls, as right feet of
ipol-healthy and tripod-excerpt do on average and left feet do not (of 289 strides, 75 % and 98 % look like a
right foot's).

Two trials look wrong but are right. Time stamps of trial 40 jitter, so their median step gives 167 Hz; the
last one gives 200 Hz, and the samples integrate to the ruler's lengths as in other trials. Trial 35 is up to
4 m away from the trajectory stored beside it; but plain integration from mid-stance to mid-stance agrees with
the ruler (median error -0.6 cm, SD 3.9 cm, 28 strides), so the trajectory is wrong.

The set continues in https://github.com/mtahakoroglu/LLIO ("llio-ruler-2"): the same unnamed wearer, foot and
laboratory, 36 more trials from very slow walking to running. Some of its footprints are misplaced by 7 to
28 cm, so the median of the absolute error says more than the RMSE there.

In four of these trials (71, 75, 76, 77) the sensor is on the left foot. Roll, turn about the vertical and
sideways acceleration of their mean stride are mirror images of those of the other trials. The mounting
differs, too: the second component of the forward direction in the sensor's axes is -0.13 to 0.03, in the
    other
trials -0.16 to -0.61.
"""

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from tinystride.datasets.recording import Recording, read_error, reference_table
from tinystride.datasets.samples import check_recording
from tinystride.optional import extra

with extra("train"):
    import scipy.io

RATE_HZ = 200.0
SUBJECT = "wearer"
FOOT = "right"
LEFT_FOOT_TRIALS = {"llio-ruler-2": (71, 75, 76, 77)}
# No axis exceeds 8.92 rad/s, and fast trials stay just below it: ±500 deg/s, calibrated. The impacts of
# runners end at 200 to 202 m/s² in 7 trials: ±20 g, calibrated.
FULL_SCALE = (20 * 9.80665, float(np.deg2rad(500.0)))


def load(folder: Path, dataset: str = "llio-ruler") -> Iterator[Recording]:
    """Load every trial, sorted by number: SensorConnectData_<trial>_….mat below `data`.

    Args:
        folder: folder of the data set
        dataset: name for the recordings

    Yields:
        One recording per trial.

    Raises:
        DataError: for a folder without such a file, and for a damaged file
    """
    folder = Path(folder) / "data"
    trials = {int(path.stem.split("_")[1]): path for path in folder.glob("*/SensorConnectData_*.mat")}
    if not trials:
        raise read_error(folder, "contains no SensorConnectData_*.mat", "run the download again")
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
            foot="left" if trial in LEFT_FOOT_TRIALS.get(dataset, ()) else FOOT,
            rate_hz=RATE_HZ,
            acc_mps2=samples[:, :3],
            gyr_radps=samples[:, 3:],
            source=str(path),
            condition="overground",
            reference=reference_table(time_s[:-1], time_s[1:], length_cm, "ruler"),
            reference_event="mid_stance",
            saturation=FULL_SCALE,
        )
    )


def _read(path: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return samples [n, 6] in m/s² and rad/s, footprints [k, 2] in m, and the sample of each footprint [k].

    The sample is the last one of the zero-velocity phase in which the foot stood on that footprint.
    """
    file = io.BytesIO(path.read_bytes())
    try:
        content = scipy.io.loadmat(file, variable_names=["imu_data", "GCP", "strideIndex", "timestamps"])
        samples, footprints_m = content["imu_data"].astype(float), content["GCP"].astype(float)
        stance, time_s = content["strideIndex"].ravel().astype(np.int64), content["timestamps"].ravel()
    except Exception as error:  # SciPy's parser raises many kinds of errors on damaged files
        raise read_error(path, f"is not a complete .mat file ({error})", "download it again") from None
    if samples.shape != (len(time_s), 6) or footprints_m.shape != (len(stance), 2) or len(stance) < 2:
        raise read_error(
            path, "samples, footprints and their indices do not fit together", "download it again"
        )
    if not np.isfinite(footprints_m).all():
        raise read_error(path, "a footprint is not a finite number", "download it again")
    rate_hz = (len(time_s) - 1) / (time_s[-1] - time_s[0])
    if not abs(rate_hz / RATE_HZ - 1) < 0.01:
        raise read_error(
            path, f"its time stamps say {rate_hz:.4g} Hz, not {RATE_HZ:g} Hz", "download it again"
        )
    return samples, footprints_m, stance
