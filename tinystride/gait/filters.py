"""Filters that the algorithms of this package share; each can run as samples come, after a fixed delay."""

import numpy as np
from scipy.signal import lfilter


def moving_mean(values: np.ndarray, samples: int) -> np.ndarray:
    """Centred mean over `samples` along axis 0, same shape; at the ends over what there is of the window."""
    before = (samples - 1) // 2
    after = samples - before
    total = np.concatenate([np.zeros_like(values[:1], dtype=float), np.cumsum(values, axis=0, dtype=float)])
    index = np.arange(len(values))
    start, stop = np.maximum(index - before, 0), np.minimum(index + after, len(values))
    count = (stop - start).reshape(-1, *[1] * (values.ndim - 1))
    return (total[stop] - total[start]) / count


def lowpass(values: np.ndarray, rate_hz: float, cutoff_hz: float) -> np.ndarray:
    """Causal Butterworth low-pass of second order along axis 0, settled on the first sample."""
    b, a = _butterworth(rate_hz, cutoff_hz)
    settled = np.array([1 - b[0], b[2] - a[2]]).reshape(-1, *[1] * (values.ndim - 1))
    return lfilter(b, a, values, axis=0, zi=settled * values[:1])[0]


def lowpass_delay_s(rate_hz: float, cutoff_hz: float) -> float:
    """Delay of `lowpass` for slow signals, s: 22.5 ms at 10 Hz and a high rate, 1 / (sqrt(2) pi cutoff)."""
    b, a = _butterworth(rate_hz, cutoff_hz)
    orders = np.arange(3)
    return float((b @ orders) / b.sum() - (a @ orders) / a.sum()) / rate_hz


def _butterworth(rate_hz: float, cutoff_hz: float) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients b [3], a [3] by the bilinear transform, as those of scipy.signal.butter(2, ...)."""
    k = np.tan(np.pi * cutoff_hz / rate_hz)
    norm = 1 + np.sqrt(2) * k + k * k
    b = k * k / norm * np.array([1.0, 2.0, 1.0])
    return b, np.array([1.0, 2 * (k * k - 1) / norm, (1 - np.sqrt(2) * k + k * k) / norm])
