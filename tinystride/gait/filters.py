"""Filter signals: mean, minimum, low-pass and interpolation.

The mean, the minimum and the low-pass can run sample by sample with a fixed delay.

They use NumPy alone, because the import of scipy.signal takes longer than most predictions.
"""

from collections.abc import Callable

import numpy as np

Design = Callable[[float, float], tuple[np.ndarray, np.ndarray]]

# From this number of channels on, NumPy arrays are faster than Python numbers.
MIN_ARRAY_CHANNELS = 24
# A longer recording is filtered in parts side by side. After WARM_UP periods of the cut-off frequency, the
# influence of earlier samples has decayed to 5e-20.
MAX_SERIAL_SAMPLES = 4096
WARM_UP = 10.0


def moving_mean(values: np.ndarray, samples: int) -> np.ndarray:
    """Return the centred moving mean along axis 0, same shape.

    At the ends, the mean is over the part of the window within the recording.

    Args:
        values: [n, ...]
        samples: width of the window, at least 1
    """
    before = (samples - 1) // 2
    after = samples - before
    total = np.concatenate([np.zeros_like(values[:1], dtype=float), np.cumsum(values, axis=0, dtype=float)])
    index = np.arange(len(values))
    start, stop = np.maximum(index - before, 0), np.minimum(index + after, len(values))
    count = (stop - start).reshape(-1, *[1] * (values.ndim - 1))
    return (total[stop] - total[start]) / count


def ramp_invariant(rate_hz: float, cutoff_hz: float) -> tuple[np.ndarray, np.ndarray]:
    """Return b [3], a [3] of a Butterworth low-pass that is exact for linearly interpolated samples.

    Its output equals that of the analogue filter at the samples, at each sampling rate. The bilinear
    transform would warp frequencies, at 50 Hz by much. Also known as first-order hold (Franklin, Powell and
    Workman, Digital Control of Dynamic Systems, 1998, section 6.3.2).

    Args:
        rate_hz: sampling rate
        cutoff_hz: cut-off frequency (-3 dB)
    """
    angle, a = _butterworth_decay(rate_hz, cutoff_hz)
    # A triangle of two samples is the second difference of three ramps.
    after = angle * np.arange(4)
    ramp = after / angle + (np.exp(-after) * np.cos(after) - 1) / angle
    triangle = np.diff(np.concatenate([[0.0], ramp]), 2)
    return np.convolve(triangle, a)[:3], a


def block_invariant(samples_per_block: int) -> Design:
    """Return the design of a Butterworth low-pass for means of blocks of samples, as in the C library.

    It returns b [3], a [3] for the rate of the blocks, with the same a as `ramp_invariant`. Mean and low-pass
    together smooth like `ramp_invariant` of the samples: their impulse responses have about the same
    variance. In blocks of d samples, the linear interpolation between samples has the variance 1 / (6 d²),
    the mean over a block (1 - 1 / d²) / 12, and the sampling of the decay -1 / 6. So b, which is symmetric,
    has the variance 1 / (6 d²) + 1 / 6 - (1 - 1 / d²) / 12, which is 2 b[0] / sum(b).

    Args:
        samples_per_block: samples in a block, d; for 1, nearly equal to `ramp_invariant`
    """
    share = 1 / 24 + 1 / (8 * samples_per_block**2)

    def design(block_hz: float, cutoff_hz: float) -> tuple[np.ndarray, np.ndarray]:
        _, a = _butterworth_decay(block_hz, cutoff_hz)
        return a.sum() * np.array([share, 1 - 2 * share, share]), a

    return design


def _butterworth_decay(rate_hz: float, cutoff_hz: float) -> tuple[float, np.ndarray]:
    """Return decay and rotation per sample of the analogue impulse response, and a [3] that has the same."""
    angle = np.sqrt(2) * np.pi * cutoff_hz / rate_hz
    return angle, np.array([1.0, -2 * np.exp(-angle) * np.cos(angle), np.exp(-2 * angle)])


def lowpass(
    values: np.ndarray, rate_hz: float, cutoff_hz: float, design: Design = ramp_invariant
) -> np.ndarray:
    """Return values filtered along axis 0 by a causal Butterworth low-pass of second order, same shape.

    The filter starts in the steady state of the first sample.

    Args:
        values: [n, ...]
        rate_hz: sampling rate
        cutoff_hz: cut-off frequency (-3 dB), below half the sampling rate
        design: `ramp_invariant` or what `block_invariant` returns
    """
    values = np.asarray(values, float)
    filtered = np.empty_like(values)
    b, a = design(rate_hz, cutoff_hz)
    if values[:1].size >= MIN_ARRAY_CHANNELS:
        _filter_channels(b, a, values, filtered)
        return filtered
    warm_up = int(np.ceil(WARM_UP * rate_hz / cutoff_hz))
    if len(values) > MAX_SERIAL_SAMPLES + 8 * warm_up:
        return _filter_in_parts(b, a, values, warm_up)
    for column in np.ndindex(values.shape[1:]):
        filtered[:, *column] = _filter(b, a, values[:, *column])
    return filtered


def _filter_in_parts(b: np.ndarray, a: np.ndarray, values: np.ndarray, warm_up: int) -> np.ndarray:
    """Return the result of `_filter`, except for rounding, from parts that overlap by `warm_up` samples."""
    size = max(1024, 4 * warm_up)
    count = -(-len(values) // size)
    after = count * size - len(values)
    around = [(warm_up, after), *[(0, 0)] * (values.ndim - 1)]
    padded = np.pad(values, around, mode="edge")
    index = np.arange(size + warm_up)[:, None] + size * np.arange(count)
    parts = np.empty((size + warm_up, count, *values.shape[1:]))
    _filter_channels(b, a, padded[index], parts)
    return parts[warm_up:].swapaxes(0, 1).reshape(count * size, *values.shape[1:])[: len(values)]


def _filter_channels(b: np.ndarray, a: np.ndarray, values: np.ndarray, out: np.ndarray) -> None:
    """Write the result of `_filter`, bit by bit, to `out` for all channels of values [n, ...] at once."""
    first, second = (1 - b[0]) * values[0], (b[2] - a[2]) * values[0]
    for sample, y in zip(values, out, strict=True):
        np.add(first, b[0] * sample, out=y)
        first = second + b[1] * sample - y * a[1]
        second = b[2] * sample - y * a[2]


def _filter(b: np.ndarray, a: np.ndarray, values: np.ndarray) -> list[float]:
    """Return values [n] filtered with b [3], a [3], bit by bit as scipy.signal.lfilter (direct form II).

    The filter starts in the steady state of the first value. It is a loop over Python numbers, because each
    output depends on the previous one.
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
    """Return the minimum [n] from `reach` samples before each sample to `reach` samples after it.

    Args:
        values: [n]
        reach: samples, at least 0
    """
    minimum, width, whole = np.pad(values, reach, mode="edge"), 1, 2 * reach + 1
    while width < whole:
        step = min(width, whole - width)
        minimum = np.minimum(minimum[:-step], minimum[step:])
        width += step
    return minimum


def lowpass_delay_s(rate_hz: float, cutoff_hz: float, design: Design = ramp_invariant) -> float:
    """Return the delay of `lowpass` for slow signals, s.

    With `ramp_invariant` it is 1 / (sqrt(2) pi cutoff_hz): 22.5 ms for 10 Hz.

    Args:
        rate_hz: sampling rate
        cutoff_hz: cut-off frequency
        design: as for `lowpass`
    """
    b, a = design(rate_hz, cutoff_hz)
    orders = np.arange(3)
    return float((b @ orders) / b.sum() - (a @ orders) / a.sum()) / rate_hz


def interpolated(values: np.ndarray, factor: int) -> np.ndarray:
    """Return linearly interpolated values [(n - 1) factor + 1, ...], from the first to the last one.

    Args:
        values: [n, ...], n > 0
        factor: number of steps from each value to the next
    """
    weight = (np.arange(factor) / factor).reshape(-1, *[1] * (values.ndim - 1))
    between = values[:-1, None] * (1 - weight) + values[1:, None] * weight
    return np.concatenate([between.reshape(-1, *values.shape[1:]), values[-1:]])
