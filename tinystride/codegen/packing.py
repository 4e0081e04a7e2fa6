"""Arrange weights in the order in which the kernels read them, and compute the numbers that belong to it.

kernels/convolve_1d.c keeps two time steps in a 32-bit word and accumulates three fields of 21 bits at once;
kernels/dense.c keeps two weights in 16 bits. This module ensures that no sum exceeds its field.
"""

from dataclasses import dataclass
from math import ceil

import numpy as np

from tinystride.codegen.layers import Convolution, DepthwiseConvolution, Layer
from tinystride.codegen.quantization import Multiplier

FIELD_BITS = 21
MIN_STEPS = 3  # output steps; with fewer, most of each multiplication would be wasted
UNROLLS = (2, 3, 4, 6)
MAX_BLOCKS = 3
INT16_MAX = (1 << 15) - 1


def round_up(value: int, multiple: int) -> int:
    """Return the next multiple, or the value itself.

    Args:
        value: 0 or more
        multiple: 1 or more

    >>> round_up(5, 4), round_up(8, 4)
    (8, 8)
    """
    return -(-value // multiple) * multiple


def multipliers(layer: Layer) -> list[Multiplier]:
    """Return all multipliers of a layer; layers without multipliers give an empty list.

    Args:
        layer: any layer
    """
    own = [*getattr(layer, "multipliers", ())] + ([layer.multiplier] if hasattr(layer, "multiplier") else [])
    return own + (layer.requantization.multipliers if hasattr(layer, "requantization") else [])


def max_sum(layer: Convolution | DepthwiseConvolution) -> int:
    """Return an upper bound of the magnitude of all sums of a layer, for any input.

    Args:
        layer: with weights
    """
    weights = np.abs(layer.weights.astype(np.int64))
    if isinstance(layer, DepthwiseConvolution):
        weights = np.moveaxis(weights, -1, 0)
    return int((255 * weights.reshape(len(weights), -1).sum(axis=1) + np.abs(layer.bias)).max())


@dataclass(frozen=True)
class MatrixPacking:
    """Weights of a general convolution.

    Attributes:
        weights: [channels, row], rows padded with zeros to whole words
        scratch_bytes: working memory for three positions
    """

    weights: np.ndarray
    scratch_bytes: int


def pack_matrix(layer: Convolution) -> MatrixPacking:
    """Pad the rows of a convolution's weights to whole words.

    Args:
        layer: convolution of any shape

    Returns:
        the padded weights
    """
    rows = layer.weights.reshape(len(layer.weights), -1)
    padded = np.zeros((len(rows), round_up(rows.shape[1], 4)), np.int64)
    padded[:, : rows.shape[1]] = rows
    return MatrixPacking(padded, 7 * padded.shape[1])


def is_one_dimensional(layer: Convolution) -> bool:
    """Return whether kernels/convolve_1d.c computes a layer.

    It computes convolutions along the width without dilation, over at least MIN_STEPS output steps.

    Args:
        layer: convolution of any shape
    """
    window, (channels, _, taps, depth) = layer.window, layer.weights.shape
    flat = window.input[0] == window.output[0] == window.kernel[0] == window.dilation[1] == 1
    paired = taps > window.stride[1]  # otherwise most of each multiplication would be wasted
    sizes = (*window.input, *window.output, channels, depth, taps, window.stride[1], taps * depth * 4)
    if max_sum(layer) >= 1 << 30:  # the kernel uses -2^30 as a value below any sum
        return False
    return not layer.general and flat and paired and window.output[1] >= MIN_STEPS and max(sizes) <= INT16_MAX


def is_rectified(layer: Convolution) -> bool:
    """Return whether a ReLU onto the whole int8 range follows and all factors are between 2^-24 and 1/2.

    Args:
        layer: convolution of any shape
    """
    requantization = layer.requantization
    bounds = (requantization.zero_point, requantization.low, requantization.high)
    return bounds == (-128, -128, 127) and all(-23 <= m.shift <= -1 for m in requantization.multipliers)


@dataclass(frozen=True)
class Packing:
    """The words of a one-dimensional convolution. An accumulator holds two output steps.

    Attributes:
        blocks: number of blocks of accumulators
        block: accumulators in a block
        first: number of the first accumulator of the first block, may be negative
        rows: rows of input words that a block needs
        words: words of one channel's weights
        paired: how many of these hold two weights
        packed_words: words of two channels, padded to whole loop passes
        spans: for every two channels, the packed words after which their fields are emptied
        weights: int8, in the order of the words, see the kernel
        scratch_bytes: working memory
    """

    blocks: int
    block: int
    first: int
    rows: int
    words: int
    paired: int
    packed_words: int
    spans: np.ndarray
    weights: np.ndarray
    scratch_bytes: int


def _words(layer: Convolution) -> np.ndarray:
    """Return [channels, words, 2], the weights that share a word: taps one stride apart.

    A missing second weight is 0.
    """
    channels, _, taps, depth = layer.weights.shape
    row = layer.window.stride[1] * depth
    flat = np.zeros((channels, round_up(taps * depth, 2 * row)), np.int64)
    flat[:, : taps * depth] = layer.weights.reshape(channels, -1)
    pairs = flat.reshape(channels, -1, 2, row).transpose(0, 1, 3, 2).reshape(channels, -1, 2)
    return pairs[:, : _words_per_channel(layer)]


def _words_per_channel(layer: Convolution) -> int:
    stride, (_, _, taps, depth) = layer.window.stride[1], layer.weights.shape
    return depth * sum(min(stride, taps - tap) for tap in range(0, taps, 2 * stride))


def _accumulators(layer: Convolution) -> int:
    """Return the number of accumulators; for an even number of steps the last holds a part of one step."""
    return layer.window.output[1] // 2 + 1


def _loop_instructions(layer: Convolution, unroll: int) -> int:
    steps = round_up(_words_per_channel(layer), unroll)
    tiles = ceil(_accumulators(layer) / 2) * ceil(layer.weights.shape[0] / 2)
    return tiles * (7 * steps + 3 * steps // unroll)


def choose_unroll(layers: list[Convolution]) -> int:
    """Return the unrolling of the inner kernel with which the network takes the fewest instructions.

    Args:
        layers: the 1D convolutions of the network
    """
    return min(UNROLLS, key=lambda unroll: sum(_loop_instructions(layer, unroll) for layer in layers))


def _span(words: np.ndarray, unroll: int) -> int:
    """Return the longest run of words over which no sum of these channels exceeds its field.

    The middle field accumulates all weights of the run; the outer fields accumulate half of them.
    """
    weights, passes = np.abs(words).sum(axis=2), 1
    while True:
        span = round_up(ceil(words.shape[1] / passes), unroll)
        max_weight = np.add.reduceat(weights, np.arange(0, words.shape[1], span), axis=1).max()
        if max_weight * 128 < 1 << (FIELD_BITS - 1):
            return span
        passes += 1


def _in_flash(words: np.ndarray, paired: int) -> np.ndarray:
    """Return the weights of every two channels, interleaved by word; an odd last channel is stored twice."""
    channels, count, _ = words.shape
    pairs = words[np.minimum(np.arange(round_up(channels, 2)), channels - 1)].reshape(-1, 2, count, 2)
    whole = pairs[:, :, :paired].transpose(0, 2, 1, 3).reshape(len(pairs), -1)
    single = pairs[:, :, paired:, 0].transpose(0, 2, 1).reshape(len(pairs), -1)
    return np.concatenate([whole, single], axis=1)


def pack(layer: Convolution, unroll: int, blocks: int) -> Packing:
    """Arrange the weights of a one-dimensional convolution in words.

    Args:
        layer: for which `is_one_dimensional` holds
        unroll: steps per loop pass of the inner kernel
        blocks: maximum number of blocks

    Returns:
        the weights and the numbers that the kernel needs
    """
    (channels, _, taps, depth), stride = layer.weights.shape, layer.window.stride[1]
    count = _accumulators(layer)
    block = round_up(ceil(count / blocks), 2)
    blocks = ceil(count / block)
    words = _words(layer)
    paired = taps * depth - words.shape[1]
    steps = round_up(words.shape[1], unroll)
    rows = block - 1 + ceil(taps / (2 * stride))
    input_words = max(rows * stride * depth, (block - 1) * stride * depth + steps)
    return Packing(
        blocks,
        block,
        count - blocks * block,
        rows,
        words.shape[1],
        paired,
        2 * steps,
        np.array([2 * _span(words[first : first + 2], unroll) for first in range(0, channels, 2)]),
        _in_flash(words, paired),
        4 * (channels + 2 * steps + input_words),
    )


def is_dense(layer: Convolution) -> bool:
    """Return whether kernels/dense.c computes a layer: one window that is the whole input.

    Args:
        layer: convolution of any shape
    """
    window = layer.window
    whole = window.output == (1, 1) and window.input == window.kernel and window.pad == (0, 0)
    return not layer.general and whole and layer.pool is None and int(layer.weights.min()) >= -127


@dataclass(frozen=True)
class DensePacking:
    """The weights of a dense layer.

    Attributes:
        weights: int16 [outputs / 2, inputs / 4, 2, 2], two int8 weights in each
        padded_size: number of inputs, rounded up to a multiple of 8
        span: number of inputs after which the sums are emptied
        bias: includes the constants that the preparation of inputs adds
    """

    weights: np.ndarray
    padded_size: int
    span: int
    bias: np.ndarray


def pack_dense(layer: Convolution) -> DensePacking:
    """Arrange the weights of a dense layer, two in 16 bits.

    Args:
        layer: for which `is_dense` holds

    Returns:
        the weights and the numbers that the kernel needs
    """
    channels = layer.weights.shape[0]
    weights = layer.weights.reshape(channels, -1).astype(np.int64)
    padded_size = round_up(weights.shape[1], 8)
    padded = np.zeros((round_up(channels, 2), padded_size), np.int64)
    padded[:channels, : weights.shape[1]] = weights
    first, second = padded[:, 0::2], padded[:, 1::2]
    words = (256 * second + first).reshape(-1, 2, padded_size // 4, 2).transpose(0, 2, 1, 3)
    # 256 times any sum has to fit in 32 bits; the magnitudes of prepared inputs are at most 128 and 256.
    max_products = 128 * np.abs(first) + 256 * np.abs(second)
    span = padded_size
    while np.add.reduceat(max_products, np.arange(0, padded_size // 2, span // 2), axis=1).max() >= 1 << 23:
        span = round_up(span // 2, 8)
    excess = first.sum(axis=1) + 129 * second.sum(axis=1)
    bias = layer.bias - layer.input_zero_point * weights.sum(axis=1) - excess[:channels]
    return DensePacking(words, padded_size, span, bias)
