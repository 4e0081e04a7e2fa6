"""Compute functions of one int8 value in fixed point, as TensorFlow Lite for Microcontrollers does.

An int8 input has 256 values, so the outputs are computed here once and looked up in the C. A fixed-point
number `raw` with `bits` integer bits has the value raw / 2^(31 - bits), as in gemmlowp.
"""

import math
from collections.abc import Callable

import numpy as np

from tinystride.codegen.quantization import INT8_MAX, INT8_MIN, Multiplier, quantize_multiplier

ONE = (1 << 31) - 1  # nearly 1, with no integer bits
INPUT_BITS = 4  # integer bits of the inputs of LOGISTIC and TANH
DIFFERENCE_BITS = 5  # integer bits of the differences whose exponentials SOFTMAX computes
SUM_BITS = 12  # integer bits of the sum of these exponentials
MAX_SOFTMAX_DEPTH = (1 << SUM_BITS) - 1


def high_product(a: int, b: int, bits: int = 31) -> int:
    """Return a * b / 2^bits, rounded half up: gemmlowp's saturating rounding doubling high product.

    Args:
        a: first factor, `bits` + 1 bits
        b: second factor, `bits` + 1 bits
        bits: 31 or 15
    """
    limit = 1 << bits
    return min((a * b + (limit >> 1)) >> bits, limit - 1)


def shift_right(value: int, count: int) -> int:
    """Return value / 2^count, rounded half away from zero.

    Args:
        value: any integer
        count: 0 or more
    """
    if count == 0:
        return value
    half = 1 << (count - 1)
    return (value + half) >> count if value >= 0 else -((-value + half) >> count)


def saturate(value: int, bits: int = 32) -> int:
    """Return the value limited to the range of a signed integer.

    Args:
        value: any integer
        bits: width of the integer
    """
    return max(-(1 << (bits - 1)), min((1 << (bits - 1)) - 1, value))


def scaled(value: int, multiplier: Multiplier) -> int:
    """Return a value times a factor, as kernels/scale.c computes it.

    Args:
        value: int32
        multiplier: the factor
    """
    shifted = value << max(multiplier.shift, 0)
    return shift_right(high_product(shifted, multiplier.mantissa), max(-multiplier.shift, 0))


def exp_of_negative(raw: int, bits: int) -> int:
    """Return e^x for x <= 0 as fixed-point number without integer bits.

    Args:
        raw: x with `bits` integer bits, 0 or less
        bits: number of integer bits of x
    """
    if raw == 0:
        return ONE
    quarter = 1 << (31 - bits - 2)
    fraction = (raw & (quarter - 1)) - quarter
    remainder = fraction - raw
    # A Taylor polynomial around -1/8 for x in [-1/4, 0), then one factor for each further binary digit.
    x = saturate(fraction << bits) + (1 << 28)
    x2 = high_product(x, x)
    x3, x4 = high_product(x2, x), high_product(x2, x2)
    sum_of_thirds = high_product(shift_right(x4, 2) + x3, 715827883)
    polynomial = x + shift_right(sum_of_thirds + x2, 1)
    result = 1895147668 + high_product(1895147668, polynomial)
    factors = (1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242)
    for exponent, factor in enumerate(factors, -2):
        if bits > exponent and remainder & (1 << (31 - bits + exponent)):
            result = high_product(result, factor)
    return result


def _reciprocal(raw: int) -> int:
    """Return 1 / (1 + x) with two integer bits, for x in [0, 1] without integer bits.

    Newton's method on half of 1 + x, as in gemmlowp.
    """
    half = (raw + ONE + 1) >> 1
    x = 1515870810 + high_product(half, -1010580540)
    for _ in range(3):
        error = (1 << 29) - high_product(half, x)
        x += saturate(high_product(x, error) << 2)
    return x


def _table(function: Callable[[int], int]) -> np.ndarray:
    values = [saturate(function(value), 8) for value in range(INT8_MIN, INT8_MAX + 1)]
    return np.array(values, np.int8)


def _bounded(scale: np.float32, zero_point: int, function: Callable[[int], int]) -> np.ndarray:
    """Return the table of a function of fixed-point numbers of INPUT_BITS integer bits.

    Inputs outside the range of these numbers give -128 or 127.
    """
    fraction, shift = math.frexp(float(scale) * (1 << (31 - INPUT_BITS)))
    multiplier = Multiplier(math.floor(fraction * (1 << 31) + 0.5), shift)
    radius = input_radius(INPUT_BITS, shift)

    def value(stored: int) -> int:
        difference = stored - zero_point
        if abs(difference) >= radius:
            return INT8_MIN if difference <= -radius else INT8_MAX
        return function(scaled(difference, multiplier))

    return _table(value)


def input_radius(bits: int, shift: int) -> int:
    """Return the smallest difference whose product with 2^shift exceeds the fixed-point range.

    Args:
        bits: number of integer bits of the range
        shift: power of two
    """
    return math.floor(((1 << bits) - 1) * (1 << (31 - bits)) / 2.0**shift)


def logistic(scale: np.float32, zero_point: int) -> np.ndarray:
    """Return the table [256] of 1 / (1 + e^-x), int8 of scale 1/256 and zero point -128.

    Args:
        scale: scale of the input
        zero_point: zero point of the input
    """

    def value(raw: int) -> int:
        if raw == 0:
            result = 1 << 30
        else:
            positive = saturate(_reciprocal(exp_of_negative(-abs(raw), INPUT_BITS)) << 1)
            result = positive if raw > 0 else ONE - positive
        return shift_right(result, 23) - 128

    return _bounded(scale, zero_point, value)


def tanh(scale: np.float32, zero_point: int) -> np.ndarray:
    """Return the table [256] of the hyperbolic tangent, int8 of scale 1/128 and zero point 0.

    Args:
        scale: scale of the input
        zero_point: zero point of the input
    """

    def value(raw: int) -> int:
        if raw == 0:
            return 0
        quotient = _reciprocal(exp_of_negative(-abs(raw), INPUT_BITS + 1)) - (1 << 29)
        result = saturate(quotient << 2)
        return shift_right(result if raw > 0 else -result, 24)

    return _bounded(scale, zero_point, value)


def leaky_relu(
    scale: np.float32, zero_point: int, out_scale: np.float32, out_zero_point: int, alpha: np.float32
) -> np.ndarray:
    """Return the table [256] of x for x >= 0 and alpha * x below; factors are float32, as in TFLM.

    Args:
        scale: scale of the input
        zero_point: zero point of the input
        out_scale: scale of the output
        out_zero_point: zero point of the output
        alpha: slope of negative values
    """
    positive = quantize_multiplier(float(scale / out_scale))
    negative = quantize_multiplier(float(scale * alpha / out_scale))

    def value(stored: int) -> int:
        difference = stored - zero_point
        return scaled(difference, positive if difference >= 0 else negative) + out_zero_point

    return _table(value)


def hard_swish(scale: np.float32, zero_point: int, out_scale: np.float32, out_zero_point: int) -> np.ndarray:
    """Return the table [256] of x * clamp(x + 3, 0, 6) / 6, computed in 16 bits as in TFLM.

    Args:
        scale: scale of the input
        zero_point: zero point of the input
        out_scale: scale of the output
        out_zero_point: zero point of the output
    """
    fine_scale = np.float32(1 / 128) * scale
    output = quantize_multiplier(float(fine_scale / out_scale))
    relu = quantize_multiplier(float(fine_scale / np.float32(3 / 32768)))
    output_16, relu_16 = (min((m.mantissa + (1 << 15)) >> 16, (1 << 15) - 1) for m in (output, relu))

    def value(stored: int) -> int:
        fine = (stored - zero_point) << 7
        gate = fine
        if relu.shift > 0:
            gate = saturate(gate << (relu.shift - 1), 16)
        gate = high_product(gate, relu_16, 15)
        if relu.shift > 0:
            gate = saturate(gate << 1, 16)
        gate = (shift_right(gate, max(-relu.shift, 0)) + (1 << 15)) >> 1
        product = gate * high_product(fine, output_16, 15)
        towards_zero = int(math.copysign(abs(product) >> 15, product))
        return shift_right(towards_zero, -output.shift) + out_zero_point

    return _table(value)


def softmax_exponentials(scale: np.float32, beta: float) -> np.ndarray:
    """Return e^-(d * scale * beta) for d = 0, 1, … as int32 without integer bits.

    The list ends where an exponential no longer changes the sum.

    Args:
        scale: scale of the input
        beta: factor of the exponents
    """
    factor = min(float(np.float32(beta)) * float(scale) * (1 << (31 - DIFFERENCE_BITS)), 2.0**31 - 1)
    multiplier = quantize_multiplier(factor)
    last = min(input_radius(DIFFERENCE_BITS, multiplier.shift), 255)
    values = [exp_of_negative(scaled(-d, multiplier), DIFFERENCE_BITS) for d in range(last + 1)]
    counting = [value for value in values if shift_right(value, SUM_BITS)]
    return np.array(counting, np.int32)
