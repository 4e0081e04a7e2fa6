"""Gyroscope bias and gravity, as the sensor shows them while the foot rests."""

from dataclasses import dataclass

import numpy as np

from tinystride.gait.filters import moving_mean

STANDING_WINDOW_S = 1.0
# Spread over the axes of a sensor on somebody who stands still: 0.003 rad/s and 0.03 m/s² (ipol-healthy);
# ten times as much still is standing, while the calmest stance of a walk is above.
STANDING_GYR_RADPS = 0.04
STANDING_ACC_MPS2 = 0.3
LARGEST_BIAS_RADPS = 0.1


@dataclass(frozen=True, eq=False)
class Calibration:
    """gyr_bias_radps: [3], to be subtracted; gravity_mps2: |acc| at rest; standing: [n] bool."""

    gyr_bias_radps: np.ndarray
    gravity_mps2: float
    standing: np.ndarray


def calibrate(acc_mps2: np.ndarray, gyr_radps: np.ndarray, rate_hz: float) -> Calibration | None:
    """Bias and gravity from all moments of standing, the calmest weighing most; None if nobody stands.

    acc_mps2, gyr_radps: [n, 3]. A moment counts as standing if within one second around it neither the
    gyroscope nor the accelerometer spreads, and the gyroscope shows no more than a bias.
    """
    window = round(STANDING_WINDOW_S * rate_hz)
    gyr_mean, gyr_spread = _mean_and_spread(gyr_radps, window)
    acc_mean, acc_spread = _mean_and_spread(acc_mps2, window)
    standing = (
        (gyr_spread < STANDING_GYR_RADPS)
        & (acc_spread < STANDING_ACC_MPS2)
        & (np.abs(gyr_mean) < LARGEST_BIAS_RADPS).all(axis=1)
    )
    if not standing.any():
        return None
    weight = 1 / (gyr_spread[standing] ** 2 + 1e-6)
    return Calibration(
        gyr_bias_radps=np.average(gyr_mean[standing], axis=0, weights=weight),
        gravity_mps2=float(np.average(np.linalg.norm(acc_mean[standing], axis=1), weights=weight)),
        standing=standing,
    )


def _mean_and_spread(values: np.ndarray, window: int) -> tuple[np.ndarray, np.ndarray]:
    mean = moving_mean(values, window)
    variance = moving_mean(values**2, window) - mean**2
    return mean, np.sqrt(np.maximum(variance, 0).sum(axis=1))
