"""Walks in a motion-capture laboratory: one foot, 200 Hz, Vicon position of the foot at every sample.

The trials that PyShoe was developed on (Wagstaff, Peretroukhin, Kelly, IPIN 2017 and 2019), as republished at
https://github.com/mtahakoroglu/gait-driven-inertial-navigation-dataset. A small room, so many turns; slow to
fast. The wearers are not named: a day stands for one person in everything that must not mix people.

The repository holds 56 trials. 42 of them are walking. The catalogue leaves out the other 14, in which the
foot does something else: hardly any path (all of 2018-02-22; 2017-11-22-11-28-03), the sensor lifted by 0.6 m
and more (four trials of 2018-02-09), or running, shuffling and mixtures of these.
"""

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from tinystride.datasets.recording import Recording, read_error, trajectory_table
from tinystride.datasets.samples import check_recording
from tinystride.optional import extra

with extra("train"):
    import scipy.io

RATE_HZ = 200.0
FOLDER = Path("data", "vicon", "processed")
DAY = len("2017-11-22")
# The data set does not name the foot. Straight strides swing and roll as those of right feet.
FOOT = "right"


def load(folder: Path, dataset: str = "vicon") -> Iterator[Recording]:
    """Load every `data/vicon/processed/*.mat`, sorted by time of recording.

    Args:
        folder: folder of the data set
        dataset: name for the recordings

    Yields:
        One recording per trial.

    Raises:
        DataError: for a folder without such a file, and for a damaged file
    """
    paths = sorted((Path(folder) / FOLDER).glob("*.mat"))
    if not paths:
        raise read_error(Path(folder) / FOLDER, "contains no .mat file", "run the download again")
    for path in paths:
        yield _recording(path, dataset)


def _recording(path: Path, dataset: str) -> Recording:
    samples, position_m = _read(path)
    return check_recording(
        Recording(
            dataset=dataset,
            subject=path.stem[:DAY],
            trial=path.stem,
            foot=FOOT,
            rate_hz=RATE_HZ,
            acc_mps2=samples[:, :3],
            gyr_radps=samples[:, 3:],
            source=str(path),
            condition="overground",
            reference=trajectory_table(np.arange(len(position_m)) / RATE_HZ, position_m),
            reference_event="mid_stance",
        )
    )


def _read(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return samples [n, 6] in m/s² and rad/s, and positions [n, 3] in m at the same times."""
    file = io.BytesIO(path.read_bytes())
    try:
        content = scipy.io.loadmat(file, variable_names=["imu", "gt", "ts"])
        samples, position_m = content["imu"].astype(float), content["gt"].astype(float)
        time_s = content["ts"].ravel().astype(float)
    except Exception as error:  # SciPy's parser raises many kinds of errors on damaged files
        raise read_error(path, f"is not a complete .mat file ({error})", "download it again") from None
    n = len(time_s)
    if samples.shape != (n, 6) or position_m.shape != (n, 3) or n < 2:
        raise read_error(path, "samples, positions and times do not fit together", "download it again")
    rate_hz = (n - 1) / (time_s[-1] - time_s[0])
    if not abs(rate_hz / RATE_HZ - 1) < 0.01:
        raise read_error(
            path, f"its time stamps say {rate_hz:.4g} Hz, not {RATE_HZ:g} Hz", "download it again"
        )
    return samples, position_m
