"""Simulate a sensor that slips on the shoe during a stride: share of flagged strides, error of the others.

On each recording of data/raw with enough strides, the sensor turns about a random horizontal axis at a
random moment of a random unflagged stride. The reference length is the length of the stride in the undamaged
recording.
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

import numpy as np
from scipy.spatial.transform import Rotation
from tqdm import tqdm

from stages.common import INT8_TFLITE, RAW
from tinystride.datasets.loading import load_recordings
from tinystride.datasets.recording import Recording
from tinystride.streaming.native import NativeEstimator

SLIPS_PER_RECORDING = 10
MIN_STRIDES = 8
ANGLES_DEG = (2, 4, 6, 8, 10, 12, 15, 20)
NEAR_S = 0.2


def measure() -> Iterator[tuple[str, str, str]]:
    native, rng = NativeEstimator(INT8_TFLITE), np.random.default_rng(0)
    slips = []
    for recording in tqdm(load_recordings(RAW), unit="", desc="recordings"):
        whole = native.strides(recording)
        plain = whole[whole["flags"] == ""]
        if len(plain) < MIN_STRIDES:
            continue
        for _ in range(SLIPS_PER_RECORDING):
            stride = plain.iloc[rng.integers(len(plain))]
            angle_deg = rng.uniform(ANGLES_DEG[0], ANGLES_DEG[-1])
            at = round(rng.uniform(stride["start_s"], stride["end_s"]) * recording.rate_hz)
            stance = round(stride["start_s"] * recording.rate_hz)
            strides = native.strides(slipped(recording, at, angle_deg, recording.acc_mps2[stance], rng))
            near = strides[np.abs(strides["start_s"] - stride["start_s"]) < NEAR_S]
            if len(near):
                own = near.iloc[0]
                error_cm = abs(own["stride_length_cm"] - stride["stride_length_cm"])
                slips.append((angle_deg, own["flags"] == "", error_cm))
    angle_deg, unflagged, error_cm = np.array(slips).T
    for low, high in pairwise(ANGLES_DEG):
        inside = (low <= angle_deg) & (angle_deg < high)
        silent = error_cm[inside & (unflagged > 0)]
        flagged = f"{100 * (1 - len(silent) / inside.sum()):.0f} % of {inside.sum()}"
        wrong = (
            f"otherwise error {np.median(silent):.1f} cm (median), {silent.max():.1f} cm (maximum)"
            if len(silent)
            else ""
        )
        yield f"slip by {low} to {high} degrees, flagged", flagged, wrong


def slipped(recording: Recording, at: int, angle_deg: float, force: np.ndarray, rng) -> Recording:
    """Return the recording turned from sample `at` on, about an axis across the force of standing."""
    axis = np.cross(force, rng.normal(size=3))
    turn = Rotation.from_rotvec(np.deg2rad(angle_deg) * axis / np.linalg.norm(axis)).as_matrix()
    acc, gyr = recording.acc_mps2.copy(), recording.gyr_radps.copy()
    acc[at:], gyr[at:] = acc[at:] @ turn, gyr[at:] @ turn
    return replace(recording, acc_mps2=acc, gyr_radps=gyr)
