"""Compare with gaitmap's trajectory methods on the same samples, mid-stances and reference lengths.

gaitmap needs older versions of pandas and NumPy than this project's lock, so `make peers` runs this script
in a separate environment. Each method gets our calibrated samples in the foot frame and our mid-stances;
gaitmap's stride detection is not used. Recordings come from data/raw, which `dvc repro download` fills.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from gaitmap.trajectory_reconstruction import (
    ForwardBackwardIntegration,
    MadgwickAHRS,
    MadgwickRtsKalman,
    RegionLevelTrajectory,
    RtsKalman,
    StrideLevelTrajectory,
)
from gaitmap.zupt_detection import StrideEventZuptDetector
from tqdm import tqdm

from tinystride.datasets.loading import load_recordings
from tinystride.datasets.recording import Recording
from tinystride.files import atomic_folder, write_text
from tinystride.gait.calibration import calibrate
from tinystride.gait.foot_frame import find_foot_frame, to_foot_frame
from tinystride.gait.strides import extract_strides
from tools import documents

RAW, RESULTS = Path("data/raw"), Path("studies/results/peers")
DOCUMENT = Path("docs/peers.md")
SETS = ["vicon", "gaitmap-mocap", "llio-ruler", "llio-ruler-2", "tripod-excerpt"]
OURS = "TinyStride, integral"
PAUSE_SAMPLES = 2  # two strides further apart are in different regions


def forward_backward(samples: pd.DataFrame, strides: pd.DataFrame, rate_hz: float) -> pd.DataFrame:
    """Return positions of each stride by Madgwick's filter and forward-backward integration."""
    method = StrideLevelTrajectory(ori_method=MadgwickAHRS(), pos_method=ForwardBackwardIntegration())
    return method.estimate(samples, strides, sampling_rate_hz=rate_hz).position_


def madgwick_rts(samples: pd.DataFrame, strides: pd.DataFrame, rate_hz: float) -> pd.DataFrame:
    """Return positions by a smoothed error-state Kalman filter over each bout, at rest at our mid-stances."""
    return _over_regions(
        MadgwickRtsKalman(zupt_detector=StrideEventZuptDetector()), samples, strides, rate_hz
    )


def rts(samples: pd.DataFrame, strides: pd.DataFrame, rate_hz: float) -> pd.DataFrame:
    """Return positions by this filter without Madgwick and with gaitmap's rest detector (gyroscope norm)."""
    return _over_regions(RtsKalman(), samples, strides, rate_hz)


METHODS: dict[str, Callable] = {
    "gaitmap, Madgwick and forward-backward integration": forward_backward,
    "gaitmap, Madgwick RTS Kalman filter": madgwick_rts,
    "gaitmap, RTS Kalman filter": rts,
}


def _over_regions(method, samples: pd.DataFrame, strides: pd.DataFrame, rate_hz: float) -> pd.DataFrame:
    apart = strides["start"].to_numpy()[1:] - strides["end"].to_numpy()[:-1]
    begins = np.flatnonzero(np.append(True, apart > PAUSE_SAMPLES))
    ends = np.append(begins[1:] - 1, len(strides) - 1)
    regions = pd.DataFrame(
        {
            "roi_id": range(len(begins)),
            "start": strides["start"].to_numpy()[begins],
            "end": strides["end"].to_numpy()[ends] + 1,
        }
    )
    trajectory = RegionLevelTrajectory(ori_method=None, pos_method=None, trajectory_method=method)
    trajectory.estimate_intersect(samples, regions, stride_event_list=strides, sampling_rate_hz=rate_hz)
    return trajectory.position_


def lengths_cm(position: pd.DataFrame, n: int) -> np.ndarray:
    """Return the horizontal distance between first and last position of n strides, cm; NaN: no position."""
    ends = position[["pos_x", "pos_y"]].groupby(level="s_id").agg(["first", "last"])
    moved = [(ends[axis]["last"] - ends[axis]["first"]).reindex(range(n)) for axis in ("pos_x", "pos_y")]
    return 100 * np.hypot(*(each.to_numpy() for each in moved))


def estimate_recording(recording: Recording) -> pd.DataFrame:
    """Return set, reference_cm and the length by each method, cm, of the usable strides."""
    table = extract_strides(recording).table
    table = table[table["strapdown_length_cm"].notna()].reset_index(drop=True)
    calibrated = calibrate(recording.acc_mps2, recording.gyr_radps, recording.rate_hz, recording.lost)
    bounds = np.rint(table[["start_s", "end_s"]].to_numpy() * recording.rate_hz)
    rotation = find_foot_frame(calibrated.acc_mps2, calibrated.gyr_radps, recording.rate_hz, bounds)
    acc, gyr = to_foot_frame(rotation, recording.foot, calibrated.acc_mps2, calibrated.gyr_radps)
    names = [f"{kind}_{axis}" for kind in ("acc", "gyr") for axis in "xyz"]
    samples = pd.DataFrame(np.column_stack([acc, np.rad2deg(gyr)]), columns=names)
    strides = pd.DataFrame(bounds.astype(int), columns=["start", "end"])
    strides = strides.assign(s_id=strides.index, min_vel=strides["start"])
    found = {OURS: table["strapdown_length_cm"].to_numpy()}
    for name, method in METHODS.items():
        found[name] = lengths_cm(method(samples, strides, recording.rate_hz), len(table))
    estimated = pd.DataFrame({"set": recording.dataset, "reference_cm": table["stride_length_cm"], **found})
    return estimated[table["usable"]]


def errors(estimated: pd.DataFrame) -> Iterator[dict]:
    """Yield the error metrics of each method on each set."""
    for name, own in estimated.groupby("set", sort=False):
        for method in [OURS, *METHODS]:
            error = (own[method] - own["reference_cm"]).dropna()
            yield {
                "set": name,
                "method": method,
                "n_strides": len(error),
                "rmse_cm": float(np.sqrt((error**2).mean())),
                "median_abs_cm": float(error.abs().median()),
                "p95_abs_cm": float(error.abs().quantile(0.95)),
                "bias_cm": float(error.mean()),
            }


def markdown(rows: pd.DataFrame) -> str:
    """Return a table of RMSE / median error, cm: a row for each method, a column for each set."""
    sets = list(rows["set"].unique())
    counts = rows.groupby("set")["n_strides"].max()
    lines = []
    for method, own in rows.groupby("method", sort=False):
        cells = own.set_index("set")
        lines.append(
            [method, *(f"{cells.rmse_cm[name]:.2f} / {cells.median_abs_cm[name]:.2f}" for name in sets)]
        )
    return documents.table(
        ["RMSE / median error, cm", *(f"`{name}` ({counts[name]})" for name in sets)], lines
    )


def main() -> None:
    recordings = list(load_recordings(RAW, SETS))
    estimated = pd.concat(
        [estimate_recording(each) for each in tqdm(recordings, desc="peers", unit="recording")]
    )
    rows = pd.DataFrame(errors(estimated))
    rows = rows.sort_values("set", key=lambda names: names.map(SETS.index), kind="stable")
    with atomic_folder(RESULTS) as folder:
        rows.to_csv(folder / "peers.csv", index=False, float_format="%.4f")
        write_text(folder / "table.md", markdown(rows) + "\n")
    documents.replace_section(DOCUMENT, "<!-- peers: begin -->", "<!-- peers: end -->", markdown(rows))


if __name__ == "__main__":
    main()
