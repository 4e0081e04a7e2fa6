"""Constants of the fixed-point arithmetic equal TFLM's; packed weights keep their values."""

import doctest

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.codegen.networks import network
from tinystride.codegen import ctext, packing
from tinystride.codegen.layers import Convolution
from tinystride.codegen.lowering import lower
from tinystride.codegen.packing import is_dense, is_one_dimensional, pack, pack_dense
from tinystride.codegen.quantization import activation_range, quantize_multiplier
from tinystride.codegen.reader import parse_graph


@pytest.mark.parametrize("module", [ctext, packing])
def test_docstrings_examples_give_their_output(module):
    tested = doctest.testmod(module)
    assert tested.attempted and not tested.failed


@given(st.floats(1e-9, 1e9))
def test_quantize_multiplier_any_factor_is_represented(factor):
    multiplier = quantize_multiplier(factor)
    assert 1 << 30 <= multiplier.mantissa < 1 << 31
    assert multiplier.mantissa * 2.0 ** (multiplier.shift - 31) == pytest.approx(factor, rel=2**-31)


def test_quantize_multiplier_limits_round_and_flush_to_zero():
    assert quantize_multiplier(1 - 2**-40) == quantize_multiplier(1.0)
    assert quantize_multiplier(2**-33) == quantize_multiplier(0.0)
    assert quantize_multiplier(2**-32).mantissa == 1 << 30


def test_activation_range_each_activation_equals_tflm():
    assert activation_range("NONE", np.float32(0.1), 5) == (-128, 127)
    assert activation_range("RELU", np.float32(0.1), 5) == (5, 127)
    assert activation_range("RELU6", np.float32(0.1), 5) == (5, 65)
    assert activation_range("RELU6", np.float32(0.001), -128) == (-128, 127)


def convolutions(name: str) -> list[Convolution]:
    layers = lower(parse_graph(network(name), name)).layers
    return [layer for layer in layers if isinstance(layer, Convolution)]


@pytest.mark.parametrize("name", ["tiny", "residual", "saturated", "strided", "odd_pooled", "wide"])
def test_pack_random_layers_keep_each_weight_and_limit_sums(name):
    for layer in filter(is_one_dimensional, convolutions(name)):
        packed = pack(layer, 4, 2)
        channels, _, taps, depth = layer.weights.shape
        stride = layer.window.stride[1]
        earlier = [tap for base in range(0, taps, 2 * stride) for tap in range(base, base + stride)]
        words = [
            [(tap, i), (tap + stride, i)][: 1 + (tap + stride < taps)]
            for tap in earlier
            if tap < taps
            for i in range(depth)
        ]
        assert (len(words), packed.paired) == (packed.words, sum(len(word) == 2 for word in words))
        assert packed.packed_words >= 2 * len(words)
        for first in range(0, channels, 2):
            both = (first, min(first + 1, channels - 1))
            stored = [layer.weights[c, 0, tap, i] for word in words for c in both for tap, i in word]
            np.testing.assert_array_equal(packed.weights[first // 2], stored)
        sizes = np.array(
            [
                [sum(abs(int(kernel[0, tap, i])) for tap, i in word) for word in words]
                for kernel in layer.weights
            ]
        )
        for channel, size in enumerate(sizes):
            span = int(packed.spans[channel // 2]) // 2
            for start in range(0, len(words), span):
                assert 128 * size[start : start + span].sum() < 1 << 20


@pytest.mark.parametrize("name", ["paper", "residual", "saturated", "wide"])
def test_pack_dense_random_layers_keep_each_weight_and_limit_sums(name):
    rng = np.random.default_rng(0)
    for layer in filter(is_dense, convolutions(name)):
        packed = pack_dense(layer)
        weights = layer.weights.reshape(len(layer.weights), -1).astype(np.int64)
        words = packed.weights.transpose(0, 2, 1, 3).reshape(-1, packed.padded_size // 2)
        assert np.abs(words).max() < 1 << 15
        x = np.zeros(packed.padded_size, np.int64)
        x[: weights.shape[1]] = rng.integers(-128, 128, weights.shape[1])
        first, second = x[0::2] + 1, x[1::2] + 129
        low = (words + 128) % 256 - 128
        sums = words @ second + low @ (256 * first - second)
        assert (sums % 256 == 0).all()
        expected = weights @ (x[: weights.shape[1]] - layer.input_zero_point) + layer.bias
        np.testing.assert_array_equal(sums[: len(weights)] // 256 + packed.bias, expected)
        for start in range(0, packed.padded_size, packed.span):
            part = slice(start // 2, (start + packed.span) // 2)
            worst = 128 * np.abs(low[:, part]) + 256 * np.abs((words - low)[:, part] // 256)
            assert worst.sum(axis=1).max() * 256 < 1 << 31
