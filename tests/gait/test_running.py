"""Strides of running, at 2.2 m/s and more, compared with measured footprints."""

import numpy as np
import pandas as pd
import pytest
from scipy.io import loadmat

from tinystride.datasets.loading import load_recordings
from tinystride.gait import strapdown
from tinystride.gait.strides import extract_strides

TRIALS = ("51", "55", "56", "63", "66", "70", "75")


@pytest.fixture(scope="module")
def running(raw_folder) -> pd.DataFrame:
    """Return the strides at 2.2 m/s and more, one row each.

    Columns: unflagged; error_cm of the length; over_two_cm: minimum error of the distance from the footprint
    before to the one after, over the stride and a neighbour, NaN without a neighbour.
    """
    rows = []
    for recording in load_recordings(raw_folder, ["llio-ruler-2"]):
        if recording.trial not in TRIALS:
            continue
        (path,) = (raw_folder / "llio-ruler-2").rglob(f"*_{recording.trial}_*.mat")
        rows.append(errors(recording, loadmat(path)["GCP"][:, :2] * 100))
    every = pd.concat(rows)
    return every[every["speed_mps"] >= 2.2]


def errors(recording, footprints_cm: np.ndarray) -> pd.DataFrame:
    found = extract_strides(recording)
    table = found.table.set_index("stride_id").loc[list(found.signals.stride_id)]
    acc_mps2, gyr_radps, duration_s = strapdown.resample(found.signals)
    integral = strapdown.integrate(acc_mps2, gyr_radps, duration_s)
    integral, _ = strapdown.correct_tilt(integral, acc_mps2, gyr_radps, duration_s, recording.rate_hz)
    length_cm = table["stride_length_cm"].to_numpy()
    # Footprint at the start of each stride: the reference has one stride for each two footprints.
    place = np.searchsorted(recording.reference["start_s"], table["start_s"] - 0.3)
    over_two_cm = np.full(len(table), np.inf)
    for k in range(len(table) - 1):
        adjacent = table["end_s"].iloc[k] == table["start_s"].iloc[k + 1]
        if not adjacent or not np.isfinite(length_cm[k : k + 2]).all() or place[k + 1] != place[k] + 1:
            continue
        turned = integral.orientation[k, -1] @ integral.orientation[k + 1, 0].T
        moved_m = integral.displacement_m[k] + turned @ integral.displacement_m[k + 1]
        measured_cm = np.linalg.norm(footprints_cm[place[k] + 2] - footprints_cm[place[k]])
        off_cm = abs(100 * np.hypot(*moved_m[:2]) - measured_cm)
        over_two_cm[k : k + 2] = np.minimum(over_two_cm[k : k + 2], off_cm)
    return pd.DataFrame(
        {
            "unflagged": table["flags"] == "",
            "error_cm": table["strapdown_length_cm"] - length_cm,
            "over_two_cm": np.where(np.isfinite(over_two_cm), over_two_cm, np.nan),
            "speed_mps": length_cm / 100 / table["duration_s"],
        }
    )


def test_running_strides_most_are_unflagged_and_their_median_error_is_small(running):
    assert len(running) > 170
    assert running["unflagged"].mean() > 0.6
    assert running["error_cm"].abs().median() < 2.5


def test_running_unflagged_large_errors_are_those_of_a_footprint(running):
    """A misplaced footprint changes the distances to its neighbours, not the distance between these."""
    assert running["over_two_cm"].median() < 4
    large = running[running["unflagged"] & (running["error_cm"].abs() >= 15)]
    assert (large["over_two_cm"] < 6).all(), large
    flagged = running[~running["unflagged"] & (running["error_cm"].abs() >= 15)]
    assert (flagged["over_two_cm"] > 6).mean() > 0.5
