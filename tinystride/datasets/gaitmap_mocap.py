"""gaitmap's example walk: both feet, 204.8 Hz, twice 20 m with three motion-capture markers on each foot.

Küderle et al., "Gaitmap: an open ecosystem for IMU-based human gait analysis and algorithm benchmarking",
IEEE OJEMB 2024, https://github.com/mad-lab-fau/gaitmap. Both systems start together. One wearer.

No marker is at the sensor. When the foot turns on the spot, heel and sensor move by different distances, up
to 14 cm apart. So the reference is the path of the sensor's place, computed from the three markers of a rigid
foot.
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
# Heel, toe and fifth metatarsal head of each foot.
MARKERS = {"left": ("L_FCC", "L_TOE", "L_FM5"), "right": ("R_FCC", "R_TOE", "R_FM5")}
# Place of the sensor from the heel marker in the frame of `foot_poses`, m: where the acceleration of a rigid
# foot equals the sensor's. studies/reference_point.py finds it without integrating the sensor's signals.
SENSOR_M = {"left": (0.067, 0.061, 0.008), "right": (0.078, 0.044, 0.002)}
AXES = ["acc_x", "acc_y", "acc_z", "gyr_x", "gyr_y", "gyr_z"]


def load(folder: Path, dataset: str = "gaitmap-mocap") -> Iterator[Recording]:
    """Load the recordings of both feet, each with the path of its sensor.

    Args:
        folder: folder of the data set
        dataset: name for the recordings

    Yields:
        Left and right foot.

    Raises:
        DataError: for a file that is missing or damaged
    """
    source = Path(folder) / FOLDER / "imu_sample.csv"
    if not source.is_file():
        raise read_error(source.parent, "contains no imu_sample.csv", "run the download again")
    samples = _read(source)
    for foot in MARKERS:
        values = _columns(source, samples, f"{foot}_sensor", AXES)
        heel_m, rotation = foot_poses(*markers_m(folder, foot))
        time_s = np.arange(len(heel_m)) / MARKER_RATE_HZ
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
                reference=trajectory_table(time_s, heel_m + rotation @ SENSOR_M[foot]),
                reference_event="mid_stance",
            )
        )


def markers_m(folder: Path, foot: str) -> list[np.ndarray]:
    """Return the paths, [n, 3] each, m, of the markers on heel, toe and fifth metatarsal head.

    Args:
        folder: folder of the data set
        foot: "left" or "right"

    Raises:
        DataError: for a file that is missing or damaged
    """
    path = Path(folder) / FOLDER / "mocap_sample.csv"
    table = _read(path)
    return [_columns(path, table, name, ["x", "y", "z"]) / 1000 for name in MARKERS[foot]]


def foot_poses(heel_m: np.ndarray, toe_m: np.ndarray, fifth_m: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the heel [n, 3], m, and the rotations [n, 3, 3] from the foot's axes to the laboratory's.

    The foot's axes: x from heel to toe, y towards the fifth metatarsal head, z = x × y.

    Args:
        heel_m: marker, [n, 3]
        toe_m: marker, [n, 3]
        fifth_m: marker on the fifth metatarsal head, [n, 3]
    """
    along = _unit(toe_m - heel_m)
    normal = _unit(np.cross(along, fifth_m - heel_m))
    return heel_m, np.stack([along, np.cross(normal, along), normal], axis=-1)


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def _read(path: Path) -> pd.DataFrame:
    """Return a table with two header rows: sensor or marker, then axis. The first column numbers the rows."""
    try:
        return pd.read_csv(path, header=[0, 1], index_col=0)
    except (OSError, ValueError) as error:
        raise read_error(
            path, f"is not a table with two header rows ({error})", "download it again"
        ) from None


def _columns(path: Path, table: pd.DataFrame, group: str, names: list[str]) -> np.ndarray:
    """Return the values [n, names] of one sensor or marker."""
    try:
        return table[group][names].to_numpy(dtype=float)
    except KeyError:
        raise read_error(path, f"lacks columns of {group}", "download it again") from None
    except ValueError as error:
        raise read_error(
            path, f"{group} holds a value that is not a number ({error})", "download it again"
        ) from None
