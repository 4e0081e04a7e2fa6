"""The canonical foot frame, whatever way the sensor is mounted: x forward, y to the left, z up at stance."""

import numpy as np

from tinystride.gait.events import ENERGY_WINDOW_S
from tinystride.gait.filters import moving_mean
from tinystride.gait.strapdown import integrate, resample_between

# A left foot seen in a mirror: accelerations are vectors, angular rates are axial vectors.
MIRRORED_ACC = np.array([1.0, -1.0, 1.0])
MIRRORED_GYR = np.array([-1.0, 1.0, -1.0])


def find_foot_frame(
    acc_mps2: np.ndarray, gyr_radps: np.ndarray, rate_hz: float, strides: np.ndarray
) -> np.ndarray:
    """Rotation [3, 3] from the sensor's axes to the foot's: forward, left, up.

    acc_mps2, gyr_radps: [N, 3], calibrated; strides: [n, 2] mid-stances as fractional sample numbers.
    Up is gravity at mid-stance, the mean of all. The foot turns mostly about its mediolateral axis, so this
    is the principal axis of the angular rate in the horizontal plane. Forward is where the strides lead.
    """
    window = max(3, round(ENERGY_WINDOW_S * rate_hz))
    force = moving_mean(acc_mps2, window)[np.rint(strides.ravel()).astype(int)]
    up = _unit(force.mean(axis=0))
    moving = np.concatenate([gyr_radps[start:end] for start, end in np.rint(strides).astype(int)])
    horizontal = moving - np.outer(moving @ up, up)
    _, axes = np.linalg.eigh(horizontal.T @ horizontal)
    left = _unit(axes[:, -1] - (axes[:, -1] @ up) * up)
    rotation = np.stack([np.cross(left, up), left, up])
    backward = np.median(_forward_m(acc_mps2 @ rotation.T, gyr_radps @ rotation.T, rate_hz, strides)) < 0
    return np.diag([-1.0, -1.0, 1.0]) @ rotation if backward else rotation


def to_foot_frame(
    rotation: np.ndarray, foot: str, acc_mps2: np.ndarray, gyr_radps: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Samples [N, 3] from the sensor's axes to the canonical ones; left feet are mirrored to look right."""
    acc_mps2, gyr_radps = acc_mps2 @ rotation.T, gyr_radps @ rotation.T
    if foot == "left":
        return acc_mps2 * MIRRORED_ACC, gyr_radps * MIRRORED_GYR
    return acc_mps2, gyr_radps


def _forward_m(
    acc_mps2: np.ndarray, gyr_radps: np.ndarray, rate_hz: float, strides: np.ndarray
) -> np.ndarray:
    samples = resample_between(np.column_stack([acc_mps2, gyr_radps]), rate_hz, strides)
    duration_s = (strides[:, 1] - strides[:, 0]) / rate_hz
    return integrate(samples[..., :3], samples[..., 3:], duration_s).displacement_m[:, 0]


def _unit(vector: np.ndarray) -> np.ndarray:
    return vector / np.linalg.norm(vector)
