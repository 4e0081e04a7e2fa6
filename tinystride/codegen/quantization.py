"""The arithmetic of TensorFlow Lite for Microcontrollers that is done once, when a network is prepared."""

import math
from dataclasses import dataclass

import numpy as np

INT8_MIN, INT8_MAX = -128, 127


@dataclass(frozen=True)
class Multiplier:
    """A positive real factor as `mantissa / 2^31 * 2^shift`, the mantissa of 31 bits."""

    mantissa: int
    shift: int


def quantize_multiplier(factor: float) -> Multiplier:
    """QuantizeMultiplier of TFLM: rounds half away from zero, and flushes what is below 2^-32 to zero."""
    fraction, shift = math.frexp(factor)
    mantissa = math.floor(fraction * (1 << 31) + 0.5)
    if mantissa == 1 << 31:
        mantissa, shift = mantissa // 2, shift + 1
    return Multiplier(mantissa, shift) if shift >= -31 and mantissa else Multiplier(0, 0)


def round_half_away(value: float) -> int:
    return int(math.copysign(math.floor(abs(value) + 0.5), value))


def activation_range(activation: str, scale: np.float32, zero_point: int) -> tuple[int, int]:
    """The int8 values that an activation leaves, as CalculateActivationRangeQuantized of TFLM has them."""
    bounds = {"NONE": (None, None), "RELU": (0.0, None), "RELU6": (0.0, 6.0), "RELU_N1_TO_1": (-1.0, 1.0)}
    low, high = bounds[activation]

    def quantized(value: float) -> int:
        return zero_point + round_half_away(float(np.float32(value) / scale))

    return (
        INT8_MIN if low is None else max(INT8_MIN, quantized(low)),
        INT8_MAX if high is None else min(INT8_MAX, quantized(high)),
    )


def mean_multiplier(whole: Multiplier, count: int) -> Multiplier:
    """The factor of a mean over `count` elements: TFLM folds 1 / count into the mantissa, truncating."""
    shift = min(count.bit_length() - 1, 32, 31 + whole.shift)
    return Multiplier((whole.mantissa << shift) // count, whole.shift - shift)


def scaled(value: int, multiplier: Multiplier) -> int:
    """`value` times the factor, rounded twice as TFLM does: the product, then the shift half away from zero.

    >>> half, quarter = Multiplier(1 << 30, 0), Multiplier(1 << 30, -1)
    >>> scaled(100, half), scaled(-3, half), scaled(-3, quarter)
    (50, -1, -1)
    """
    product = ((value << max(multiplier.shift, 0)) * multiplier.mantissa + (1 << 30)) >> 31
    right = max(-multiplier.shift, 0)
    mask = (1 << right) - 1
    return (product >> right) + ((product & mask) > (mask >> 1) + (product < 0))
