"""Compute the constants of TFLM's fixed-point arithmetic, as TFLM does when it prepares a network."""

import math
from dataclasses import dataclass

import numpy as np

INT8_MIN, INT8_MAX = -128, 127


@dataclass(frozen=True)
class Multiplier:
    """A positive real factor, mantissa / 2^31 * 2^shift.

    Attributes:
        mantissa: 2^30 to 2^31 - 1; 0 for the factor 0
        shift: power of two; positive for a left shift
    """

    mantissa: int
    shift: int


def quantize_multiplier(factor: float) -> Multiplier:
    """Return a factor as fixed-point number, as QuantizeMultiplier of TFLM does.

    The mantissa is rounded half away from zero; factors below 2^-32 become 0.

    Args:
        factor: 0 or more
    """
    fraction, shift = math.frexp(factor)
    mantissa = math.floor(fraction * (1 << 31) + 0.5)
    if mantissa == 1 << 31:
        mantissa, shift = mantissa // 2, shift + 1
    return Multiplier(mantissa, shift) if shift >= -31 and mantissa else Multiplier(0, 0)


def round_half_away(value: float) -> int:
    """Return the nearest integer; halves are rounded away from zero.

    Args:
        value: finite
    """
    return int(math.copysign(math.floor(abs(value) + 0.5), value))


def activation_range(activation: str, scale: np.float32, zero_point: int) -> tuple[int, int]:
    """Return the lowest and highest int8 value that an activation gives.

    Source: CalculateActivationRangeQuantized of TFLM.

    Args:
        activation: "NONE", "RELU", "RELU6" or "RELU_N1_TO_1"
        scale: scale of the output
        zero_point: zero point of the output
    """
    bounds = {"NONE": (None, None), "RELU": (0.0, None), "RELU6": (0.0, 6.0), "RELU_N1_TO_1": (-1.0, 1.0)}
    low, high = bounds[activation]

    def quantized(value: float) -> int:
        return zero_point + round_half_away(float(np.float32(value) / scale))

    return (
        INT8_MIN if low is None else max(INT8_MIN, quantized(low)),
        INT8_MAX if high is None else min(INT8_MAX, quantized(high)),
    )


def mean_multiplier(whole: Multiplier, count: int) -> Multiplier:
    """Return the factor of a mean: TFLM folds 1 / count into the mantissa and truncates it.

    Args:
        whole: factor of the sum, input scale / output scale
        count: number of averaged elements
    """
    shift = min(count.bit_length() - 1, 32, 31 + whole.shift)
    return Multiplier((whole.mantissa << shift) // count, whole.shift - shift)


def scaled(value: int, multiplier: Multiplier) -> int:
    """Return a value times a factor, rounded twice as TFLM does.

    The product is rounded to the nearest integer; then the right shift is rounded half away from zero.

    Args:
        value: int32
        multiplier: the factor

    >>> half, quarter = Multiplier(1 << 30, 0), Multiplier(1 << 30, -1)
    >>> scaled(100, half), scaled(-3, half), scaled(-3, quarter)
    (50, -1, -1)
    """
    product = ((value << max(multiplier.shift, 0)) * multiplier.mantissa + (1 << 30)) >> 31
    right = max(-multiplier.shift, 0)
    mask = (1 << right) - 1
    return (product >> right) + ((product & mask) > (mask >> 1) + (product < 0))
