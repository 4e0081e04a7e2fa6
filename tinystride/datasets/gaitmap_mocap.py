"""gaitmap's example walk: both feet, 204.8 Hz, twice 20 m with motion-capture markers on both heels.

Küderle et al., "Gaitmap: an open ecosystem for IMU-based human gait analysis and algorithm benchmarking",
IEEE OJEMB 2024, https://github.com/mad-lab-fau/gaitmap. Both systems start together. One wearer.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from tinystride.datasets.recording import Recording, read_error, trajectory_table
from tinystride.datasets.samples import check_recording

FOLDER = Path("example_data")
RATE_HZ = 204.8
MARKER_RATE_HZ = 100.0
SUBJECT, TRIAL = "walker", "sample"
HEELS = {"left": "L_FCC", "right": "R_FCC"}
AXES = ["acc_x", "acc_y", "acc_z", "gyr_x", "gyr_y", "gyr_z"]


def load(folder: Path, dataset: str = "gaitmap-mocap") -> Iterator[Recording]:
    """The left and the right foot's recording of `example_data` in `folder`, with its heel marker's path.

    Raises DataError for a file that is missing or damaged.
    """
    source = Path(folder) / FOLDER / "imu_sample.csv"
    if not source.is_file():
        raise read_error(source.parent, "holds no imu_sample.csv", "run the download again")
    samples = _read(source)
    markers = _read(source.with_name("mocap_sample.csv"))
    for foot, heel in HEELS.items():
        values = _columns(source, samples, f"{foot}_sensor", AXES)
        position_mm = _columns(source.with_name("mocap_sample.csv"), markers, heel, ["x", "y", "z"])
        time_s = np.arange(len(position_mm)) / MARKER_RATE_HZ
        yield check_recording(
            Recording(
                dataset=dataset,
                subject=SUBJECT,
                trial=TRIAL,
                foot=foot,
                rate_hz=RATE_HZ,
                acc_mps2=values[:, :3],
                gyr_radps=np.deg2rad(values[:, 3:]),
                source=str(source),
                condition="overground",
                reference=trajectory_table(time_s, position_mm / 1000),
                reference_event="mid_stance",
            )
        )


def _read(path: Path) -> pd.DataFrame:
    """A table with two header rows: sensor or marker, then axis. The first column counts the rows."""
    try:
        return pd.read_csv(path, header=[0, 1], index_col=0)
    except (OSError, ValueError) as error:
        raise read_error(
            path, f"is not a table with two header rows ({error})", "download it again"
        ) from None


def _columns(path: Path, table: pd.DataFrame, group: str, names: list[str]) -> np.ndarray:
    """Values [n, names] of one sensor or marker."""
    try:
        return table[group][names].to_numpy(dtype=float)
    except KeyError:
        raise read_error(path, f"lacks columns of {group}", "download it again") from None
    except ValueError as error:
        raise read_error(path, f"{group} holds what is not a number ({error})", "download it again") from None
