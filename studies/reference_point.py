"""Find the place of the gaitmap-mocap sensor, and the error of other places: studies/results/reference_point.

Three markers give the motion of a rigid foot. The sensor is at the place whose acceleration agrees with the
measured one; this is a linear fit without integration. The true stride length is the distance this place
moved.
"""

import numpy as np
import pandas as pd
from scipy.signal import butter, filtfilt
from scipy.spatial.transform import Rotation

from stages.common import RAW
from studies.common import STUDIES, write_table
from tinystride.datasets import gaitmap_mocap as mocap
from tinystride.datasets.recording import Recording
from tinystride.files import atomic_folder
from tinystride.gait.matching import distance_cm
from tinystride.gait.strapdown import GRAVITY_MPS2
from tinystride.gait.strides import extract_strides

LOWPASS_HZ = 6.0  # of markers and sensor, because positions are differentiated twice
ENDS = 20  # positions at each end before the filter has settled
NAMES = ("heel", "toe", "fifth metatarsal head")


def sensor_place(recording: Recording, markers_m: list[np.ndarray]) -> dict:
    """Return the place of the sensor, m, in the axes of `foot_poses`, and how well it explains the sensor.

    recording: recording of one foot; markers_m: paths [n, 3] of its heel, toe and fifth metatarsal head
    without_mps2, with_mps2: RMS of the acceleration that the foot's motion does not explain, with the sensor
        at the heel and at the place found; a constant offset of the sensor is fitted in both
    """
    step_s = 1 / mocap.MARKER_RATE_HZ
    smooth = butter(4, LOWPASS_HZ, fs=mocap.MARKER_RATE_HZ)
    heel_m, rotation = mocap.foot_poses(*(filtfilt(*smooth, each, axis=0) for each in markers_m))

    def rate(values: np.ndarray) -> np.ndarray:
        return np.gradient(values, step_s, axis=0)

    spin = np.einsum("nji,njk->nik", rotation, rate(rotation))
    turning = np.column_stack([spin[:, 2, 1], spin[:, 0, 2], spin[:, 1, 0]])
    acc, gyr = (
        _at_markers(each, recording.rate_hz, len(heel_m))
        for each in (recording.acc_mps2, recording.gyr_radps)
    )
    axes = Rotation.align_vectors(turning, gyr)[0].as_matrix()
    to_room = rotation @ axes
    missing = np.einsum("nij,nj->ni", to_room, acc) - rate(rate(heel_m)) - [0, 0, GRAVITY_MPS2]
    inner = slice(ENDS, -ENDS)
    target = missing[inner].ravel()
    offset, arm = (each[inner].reshape(-1, 3) for each in (to_room, rate(rate(rotation))))
    without = np.linalg.lstsq(offset, target, rcond=None)[1]
    found, left, *_ = np.linalg.lstsq(np.hstack([arm, offset]), target, rcond=None)
    without, left = (float(np.sqrt(each[0] / len(target))) for each in (without, left))
    return {
        "foot": recording.foot,
        **{f"{axis}_mm": 1000 * value for axis, value in zip("xyz", found, strict=False)},
        "without_mps2": without,
        "with_mps2": left,
    }


def _at_markers(samples: np.ndarray, rate_hz: float, n: int) -> np.ndarray:
    """Return samples [N, 3], low-passed, at the instants of n positions."""
    smooth = filtfilt(*butter(4, LOWPASS_HZ, fs=rate_hz), samples, axis=0)
    place = np.arange(n) / mocap.MARKER_RATE_HZ * rate_hz
    return np.column_stack([np.interp(place, np.arange(len(smooth)), axis) for axis in smooth.T])


def lengths(recording: Recording, markers_m: list[np.ndarray]) -> pd.DataFrame:
    """Return the strides of one foot with the length by the sensor's place and by each marker, cm."""
    table = extract_strides(recording).table
    table = table[table["usable"]]
    time_s = np.arange(len(markers_m[0])) / mocap.MARKER_RATE_HZ
    bounds = table["start_s"].to_numpy(), table["end_s"].to_numpy()
    by_marker = {
        name: distance_cm(time_s, each[:, :2], *bounds) for name, each in zip(NAMES, markers_m, strict=True)
    }
    return table.assign(sensor=table["stride_length_cm"], **by_marker)


def errors(strides: pd.DataFrame) -> list[dict]:
    """Return for each reference point the errors of all strides and of those of walking straight ahead."""
    rows = []
    for point in ("sensor", *NAMES):
        straight = (strides["heel"] >= 40) & ~strides["flags"].str.contains("turn")
        for name, chosen in (("all", strides["usable"]), ("straight, 40 cm and more", straight)):
            error = (strides["strapdown_length_cm"] - strides[point])[chosen]
            rows.append(
                {
                    "point": point,
                    "strides": name,
                    "n": int(chosen.sum()),
                    "rmse_cm": float(np.sqrt((error**2).mean())),
                    "median_abs_cm": float(error.abs().median()),
                    "max_abs_cm": float(error.abs().max()),
                }
            )
    return rows


def main() -> None:
    recordings = list(mocap.load(RAW / "gaitmap-mocap"))
    markers = [mocap.markers_m(RAW / "gaitmap-mocap", each.foot) for each in recordings]
    pairs = list(zip(recordings, markers, strict=True))
    with atomic_folder(STUDIES / "reference_point") as folder:
        write_table([sensor_place(*pair) for pair in pairs], folder / "place.csv")
        write_table(errors(pd.concat([lengths(*pair) for pair in pairs])), folder / "errors.csv")


if __name__ == "__main__":
    main()
