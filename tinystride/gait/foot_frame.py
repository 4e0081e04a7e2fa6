"""Find the canonical foot frame (x forward, y left, z up at stance) for any mounting of the sensor."""

import numpy as np

from tinystride.gait.events import ENERGY_WINDOW_S
from tinystride.gait.filters import moving_mean
from tinystride.gait.strapdown import integrate, resample_between

# Mirror a left foot: acceleration is a vector, angular rate an axial vector.
MIRRORED_ACC = np.array([1.0, -1.0, 1.0])
MIRRORED_GYR = np.array([-1.0, 1.0, -1.0])


def find_foot_frame(
    acc_mps2: np.ndarray, gyr_radps: np.ndarray, rate_hz: float, strides: np.ndarray
) -> np.ndarray:
    """Return the rotation [3, 3] from the axes of the sensor to those of the foot: forward, left, up.

    Up is the mean direction of gravity at the mid-stances. The foot turns mainly about its mediolateral axis,
    so left is the principal axis of the angular rate in the horizontal plane. Forward is the direction of
    the median stride.

    Args:
        acc_mps2: [N, 3], calibrated
        gyr_radps: [N, 3], calibrated
        rate_hz: sampling rate
        strides: [n, 2] mid-stances, fractional sample numbers; n at least 1
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
    """Return acc_mps2 and gyr_radps, each [N, 3], in the canonical foot frame.

    A left foot is mirrored, so that it looks like a right one.

    Args:
        rotation: [3, 3], as `find_foot_frame` returns it
        foot: "left" or "right"
        acc_mps2: [N, 3], in sensor axes
        gyr_radps: [N, 3], in sensor axes
    """
    acc_mps2, gyr_radps = acc_mps2 @ rotation.T, gyr_radps @ rotation.T
    if foot == "left":
        return acc_mps2 * MIRRORED_ACC, gyr_radps * MIRRORED_GYR
    return acc_mps2, gyr_radps


def _forward_m(
    acc_mps2: np.ndarray, gyr_radps: np.ndarray, rate_hz: float, strides: np.ndarray
) -> np.ndarray:
    """Return the displacement [n] of each stride along the first axis, m."""
    samples = resample_between(np.column_stack([acc_mps2, gyr_radps]), rate_hz, strides)
    duration_s = (strides[:, 1] - strides[:, 0]) / rate_hz
    return integrate(samples[..., :3], samples[..., 3:], duration_s).displacement_m[:, 0]


def _unit(vector: np.ndarray) -> np.ndarray:
    return vector / np.linalg.norm(vector)
