"""Filters that the algorithms of this package share; each can run as samples come, after a fixed delay.

They need NumPy alone: importing scipy.signal takes longer than most predictions.
"""

import numpy as np

# From as many channels on, NumPy's arrays are faster than Python's numbers.
MANY_CHANNELS = 24
# Longer recordings are filtered in parts abreast. After so many periods of the cut-off frequency the samples
# before have lost their influence (to 5e-20).
LONG = 4096
WARM_UP = 10.0


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
    values = np.asarray(values, float)
    filtered = np.empty_like(values)
    b, a = _butterworth(rate_hz, cutoff_hz)
    if values[:1].size >= MANY_CHANNELS:
        _filter_abreast(b, a, values, filtered)
        return filtered
    warm_up = int(np.ceil(WARM_UP * rate_hz / cutoff_hz))
    if len(values) > LONG + 8 * warm_up:
        return _filter_in_parts(b, a, values, warm_up)
    for column in np.ndindex(values.shape[1:]):
        filtered[:, *column] = _filter(b, a, values[:, *column])
    return filtered


def _filter_in_parts(b: np.ndarray, a: np.ndarray, values: np.ndarray, warm_up: int) -> np.ndarray:
    """As `_filter` but for rounding, in parts that each begin `warm_up` samples early."""
    size = max(1024, 4 * warm_up)
    count = -(-len(values) // size)
    after = count * size - len(values)
    around = [(warm_up, after), *[(0, 0)] * (values.ndim - 1)]
    padded = np.pad(values, around, mode="edge")
    index = np.arange(size + warm_up)[:, None] + size * np.arange(count)
    parts = np.empty((size + warm_up, count, *values.shape[1:]))
    _filter_abreast(b, a, padded[index], parts)
    return parts[warm_up:].swapaxes(0, 1).reshape(count * size, *values.shape[1:])[: len(values)]


def _filter_abreast(b: np.ndarray, a: np.ndarray, values: np.ndarray, out: np.ndarray) -> None:
    """As `_filter`, bit by bit, all channels of values [n, ...] at once, into `out`."""
    first, second = (1 - b[0]) * values[0], (b[2] - a[2]) * values[0]
    for sample, y in zip(values, out, strict=True):
        np.add(first, b[0] * sample, out=y)
        first = second + b[1] * sample - y * a[1]
        second = b[2] * sample - y * a[2]


def _filter(b: np.ndarray, a: np.ndarray, values: np.ndarray) -> list[float]:
    """The filter b [3], a [3] over values [n]; bit by bit as scipy.signal.lfilter, settled on the first.

    Transposed direct form II. A loop over Python's numbers, since each output needs the one before it.
    """
    outputs: list[float] = []
    if not len(values):
        return outputs
    a1, a2 = float(a[1]), float(a[2])
    first, second = float((1 - b[0]) * values[0]), float((b[2] - a[2]) * values[0])
    for x0, x1, x2 in zip(*((factor * values).tolist() for factor in b), strict=True):
        y = first + x0
        first = second + x1 - y * a1
        second = x2 - y * a2
        outputs.append(y)
    return outputs


def moving_minimum(values: np.ndarray, reach: int) -> np.ndarray:
    """The least of values [n] from `reach` samples before each to `reach` samples after it, same shape."""
    least, width, whole = np.pad(values, reach, mode="edge"), 1, 2 * reach + 1
    while width < whole:
        step = min(width, whole - width)
        least = np.minimum(least[:-step], least[step:])
        width += step
    return least


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
