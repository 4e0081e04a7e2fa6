"""How weights are laid out for the kernels, and the numbers that go with it.

kernels/convolve_1d.c keeps two time steps in a word and adds up three fields of 21 bits at once;
kernels/dense.c keeps two weights in 16 bits. Here is checked that no sum leaves the space it has.
"""

from dataclasses import dataclass
from math import ceil

import numpy as np

from tinystride.codegen.layers import Convolution, DepthwiseConvolution, Layer
from tinystride.codegen.quantization import Multiplier

FIELD_BITS = 21
MIN_STEPS = 3  # with fewer output steps most of each multiplication would be wasted
UNROLLS = (2, 3, 4, 6)
MAX_BLOCKS = 3
INT16_MAX = (1 << 15) - 1


def round_up(value: int, multiple: int) -> int:
    """
    >>> round_up(5, 4), round_up(8, 4)
    (8, 8)
    """
    return -(-value // multiple) * multiple


def multipliers(layer: Layer) -> list[Multiplier]:
    """All multipliers of a layer, or an empty list."""
    own = [*getattr(layer, "multipliers", ())] + ([layer.multiplier] if hasattr(layer, "multiplier") else [])
    return own + (layer.requantization.multipliers if hasattr(layer, "requantization") else [])


def largest_sum(layer: Convolution | DepthwiseConvolution) -> int:
    """The magnitude that no sum of a channel exceeds, whatever the input."""
    weights = np.abs(layer.weights.astype(np.int64))
    if isinstance(layer, DepthwiseConvolution):
        weights = np.moveaxis(weights, -1, 0)
    return int((255 * weights.reshape(len(weights), -1).sum(axis=1) + np.abs(layer.bias)).max())


@dataclass(frozen=True)
class MatrixPacking:
    """Weights [channels, row], a row filled up with zeros to words; bytes of scratch for three positions."""

    weights: np.ndarray
    scratch_bytes: int


def pack_matrix(layer: Convolution) -> MatrixPacking:
    rows = layer.weights.reshape(len(layer.weights), -1)
    padded = np.zeros((len(rows), round_up(rows.shape[1], 4)), np.int64)
    padded[:, : rows.shape[1]] = rows
    return MatrixPacking(padded, 7 * padded.shape[1])


def is_one_dimensional(layer: Convolution) -> bool:
    """Whether kernels/convolve_1d.c computes it: along the width, without gaps, over a few steps at least."""
    window, (channels, _, taps, depth) = layer.window, layer.weights.shape
    flat = window.input[0] == window.output[0] == window.kernel[0] == window.dilation[1] == 1
    paired = taps > window.stride[1]  # else most of each multiplication would be wasted
    sizes = (*window.input, *window.output, channels, depth, taps, window.stride[1], taps * depth * 4)
    if largest_sum(layer) >= 1 << 30:  # the kernel takes -2^30 for less than any sum
        return False
    return not layer.general and flat and paired and window.output[1] >= MIN_STEPS and max(sizes) <= INT16_MAX


def is_rectified(layer: Convolution) -> bool:
    """Whether a negative sum ends at the least int8 value, and every factor is between 2^-24 and one half."""
    requantization = layer.requantization
    bounds = (requantization.zero_point, requantization.low, requantization.high)
    return bounds == (-128, -128, 127) and all(-23 <= m.shift <= -1 for m in requantization.multipliers)


@dataclass(frozen=True)
class Packing:
    """A one-dimensional convolution in words; an accumulator stands for two output steps.

    blocks, block: accumulators are computed in so many blocks of so many; `first` is where the first begins
    rows: rows of input words that a block needs
    words: words of a channel's weights, of which the first `paired` hold two of them
    packed_words: words of two channels, filled up to whole loops
    spans: for each two channels, the packed words after which their fields are emptied
    weights: int8, in the order of the words, see the kernel
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
    """[channels, words, 2]: the weights that share a word, of taps a stride apart; 0 for a missing one."""
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
    """With an even number of steps the last accumulator brings only a part of the last step."""
    return layer.window.output[1] // 2 + 1


def _loop_instructions(layer: Convolution, unroll: int) -> int:
    steps = round_up(_words_per_channel(layer), unroll)
    tiles = ceil(_accumulators(layer) / 2) * ceil(layer.weights.shape[0] / 2)
    return tiles * (7 * steps + 3 * steps // unroll)


def choose_unroll(layers: list[Convolution]) -> int:
    """Steps in a loop of the inner kernel: those that cost the network the fewest instructions."""
    return min(UNROLLS, key=lambda unroll: sum(_loop_instructions(layer, unroll) for layer in layers))


def _span(words: np.ndarray, unroll: int) -> int:
    """The longest run of words (of these channels) over which no sum leaves its field, whatever the input.

    The middle field has all weights of the run; the others have half of them, and no less space.
    """
    weights, passes = np.abs(words).sum(axis=2), 1
    while True:
        span = round_up(ceil(words.shape[1] / passes), unroll)
        largest = np.add.reduceat(weights, np.arange(0, words.shape[1], span), axis=1).max()
        if largest * 128 < 1 << (FIELD_BITS - 1):
            return span
        passes += 1


def _in_flash(words: np.ndarray, paired: int) -> np.ndarray:
    """Weights of two channels after each other, word by word; an odd last channel is there twice."""
    channels, count, _ = words.shape
    pairs = words[np.minimum(np.arange(round_up(channels, 2)), channels - 1)].reshape(-1, 2, count, 2)
    whole = pairs[:, :, :paired].transpose(0, 2, 1, 3).reshape(len(pairs), -1)
    single = pairs[:, :, paired:, 0].transpose(0, 2, 1).reshape(len(pairs), -1)
    return np.concatenate([whole, single], axis=1)


def pack(layer: Convolution, unroll: int, blocks: int) -> Packing:
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
    """Whether kernels/dense.c computes it: one window that is the whole input."""
    window = layer.window
    whole = window.output == (1, 1) and window.input == window.kernel and window.pad == (0, 0)
    return not layer.general and whole and layer.pool is None and int(layer.weights.min()) >= -127


@dataclass(frozen=True)
class DensePacking:
    """weights: int16 [outputs / 2, inputs / 4, 2, 2], two weights in each; padded_size: inputs rounded up
    span: inputs that may be summed before the sums are emptied; bias: made up for how inputs are prepared."""

    weights: np.ndarray
    padded_size: int
    span: int
    bias: np.ndarray


def pack_dense(layer: Convolution) -> DensePacking:
    channels = layer.weights.shape[0]
    weights = layer.weights.reshape(channels, -1).astype(np.int64)
    padded_size = round_up(weights.shape[1], 8)
    padded = np.zeros((round_up(channels, 2), padded_size), np.int64)
    padded[:channels, : weights.shape[1]] = weights
    first, second = padded[:, 0::2], padded[:, 1::2]
    words = (256 * second + first).reshape(-1, 2, padded_size // 4, 2).transpose(0, 2, 1, 3)
    # 256 times any sum has to fit 32 bits; a prepared input is at most 128 and 256 in size.
    largest = 128 * np.abs(first) + 256 * np.abs(second)
    span = padded_size
    while np.add.reduceat(largest, np.arange(0, padded_size // 2, span // 2), axis=1).max() >= 1 << 23:
        span = round_up(span // 2, 8)
    excess = first.sum(axis=1) + 129 * second.sum(axis=1)
    bias = layer.bias - layer.input_zero_point * weights.sum(axis=1) - excess[:channels]
    return DensePacking(words, padded_size, span, bias)
