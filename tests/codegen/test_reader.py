"""Truncated, corrupt, malicious or unsupported files are rejected in one line, without a crash."""

import random
import struct

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from tests.codegen.networks import network
from tests.codegen.operator_networks import OPERATORS, OperatorBuilder
from tests.codegen.tflite_builder import Builder
from tinystride.codegen import export_model
from tinystride.codegen.emitter import emit
from tinystride.codegen.lowering import lower
from tinystride.codegen.reader import parse_graph, read_graph
from tinystride.errors import ModelError


def build(content: bytes) -> None:
    emit(lower(parse_graph(content, "model.tflite")))


@pytest.mark.parametrize("name", ["strided", "residual", "uint8_edges"])
def test_parse_graph_truncated_file_is_rejected(name):
    content = network(name)
    for length in (*range(0, len(content), 7), len(content) - 1):
        with pytest.raises(ModelError, match=r"cut off|not a \.tflite|bytes, which"):
            build(content[:length])


@pytest.mark.parametrize("seed", range(4))
def test_parse_graph_corrupt_bytes_are_rejected_or_harmless(seed):
    """Mutated files either still are networks or end in a ModelError."""
    rng = random.Random(seed)
    names = ("strided", "odd_pooled", "residual_sum", "depthwise_image", "pools", *OPERATORS)
    refused = 0
    for number in range(350):
        content = bytearray(network(names[number % len(names)]))
        for _ in range(rng.choice((1, 1, 2, 5, 20))):
            place = rng.randrange(8, len(content) - 4)
            kind = rng.randrange(3)
            if kind == 0:
                content[place] = rng.randrange(256)
            elif kind == 1:
                struct.pack_into(
                    "<i", content, place & ~3, rng.choice((-1, 0, 1, 1 << 30, -(1 << 31), 65536))
                )
            else:
                content[place] ^= 1 << rng.randrange(8)
        try:
            build(bytes(content))
        except ModelError as error:
            refused += 1
            assert "\n" not in str(error)
    assert 20 < refused < 350


def test_parse_graph_vector_longer_than_the_file_is_rejected():
    """A vector that says it has two thousand million elements is refused before anything is read."""
    content = bytearray(network("strided"))
    count = struct.pack("<I", 6)
    place = content.index(count, 40)
    struct.pack_into("<I", content, place, 0x7FFFFFFF)
    with pytest.raises(ModelError):
        build(bytes(content))


def test_read_graph_other_file_is_rejected(tmp_path):
    (tmp_path / "notes.tflite").write_text("this is not a network at all")
    with pytest.raises(ModelError, match=r"notes\.tflite: not a \.tflite file"):
        read_graph(tmp_path / "notes.tflite")
    with pytest.raises(ModelError, match=r"absent\.tflite: No such file"):
        read_graph(tmp_path / "absent.tflite")
    with pytest.raises(ModelError, match="Is a directory"):
        read_graph(tmp_path)


def test_export_model_rejected_model_writes_nothing(tmp_path):
    (tmp_path / "cut.tflite").write_bytes(network("strided")[:900])
    with pytest.raises(ModelError):
        export_model(tmp_path / "cut.tflite", tmp_path / "out", prefix="peer")
    assert [path.name for path in tmp_path.iterdir()] == ["cut.tflite"]


def unsupported_operator():
    b = Builder()
    x = b.input((1, 8))
    return b.bytes(b.operator("COS", [x], [b.tensor((1, 8), scale=0.1, name="squashed")]))


def float_network():
    b = Builder()
    b.graph.inputs = [b.tensor((1, 8), "float32", name="input")]
    return b.bytes(b.operator("RELU", b.graph.inputs, [b.tensor((1, 8), "float32", name="activation")]))


def free_batch():
    b = Builder()
    return b.bytes(b.rescale(b.input((0, 8)), "RELU"))


def two_outputs():
    b = Builder()
    x = b.input((1, 8))
    return b.bytes(b.rescale(x, "RELU"), b.rescale(x, "RELU6"))


def per_channel_activation():
    b = Builder()
    x = b.input((1, 2))
    return b.bytes(b.operator("RELU", [x], [b.tensor((1, 2), scale=[0.1, 0.2], name="split")]))


def unlike_shapes():
    b = Builder()
    x = b.input((1, 4, 4, 2))
    return b.bytes(b.add(x, b.mean(x, [2, 3])))


def grouped_convolution():
    b = Builder()
    x = b.conv(b.input((1, 1, 9, 4)), 4, (1, 3))
    b.graph.tensors[b.graph.operators[0].inputs[1]].shape = [4, 1, 3, 2]
    b.model.buffers[1].data = b.model.buffers[1].data[:24]
    return b.bytes(x)


def bad_scale():
    b = Builder()
    x = b.conv(b.input((1, 1, 9, 4)), 4, (1, 3))
    b.graph.tensors[x].quantization.scale[:] = float("nan")
    return b.bytes(x)


def float16_weights():
    b = Builder()
    x = b.conv(b.input((1, 1, 9, 4)), 4, (1, 3))
    bias = b.graph.tensors[b.graph.operators[0].inputs[2]]
    bias.type = 1
    b.model.buffers[bias.buffer].data = b.model.buffers[bias.buffer].data[:8]
    return b.bytes(x)


def recurrent():
    """The states within an LSTM have no size of their own."""
    b = Builder()
    x = b.input((1, 9, 4))
    b.tensor((0,), scale=0.1, name="intermediate")
    output = b.tensor((1, 9, 4), scale=0.1, name="remembered")
    return b.bytes(b.operator("UNIDIRECTIONAL_SEQUENCE_LSTM", [x], [output]))


def int16_network():
    b = Builder()
    x = b.input((1, 9, 4))
    b.graph.tensors[x].type = 7
    return b.bytes(b.operator("RELU", [x], [b.tensor((1, 9, 4), scale=0.1)]))


def overflowing():
    b = Builder()
    x = b.conv(b.input((1, 1, 9, 4)), 4, (1, 3))
    b.model.buffers[2].data = np.full(4, (1 << 31) - 12_000, np.int32).view(np.uint8)
    return b.bytes(x)


def padded_batches():
    b = OperatorBuilder()
    x = b.input((1, 7, 2), zero_point=9)
    options = schema.SpaceToBatchNDOptionsT()
    inputs = [x, b._ints([3]), b._ints([[1, 1]])]
    return b.bytes(b.operator("SPACE_TO_BATCH_ND", inputs, [b.like(x, (3, 3, 2))], options))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (padded_batches, r"SPACE_TO_BATCH_ND: .* is padded, which TFLM does with undefined values; convert"),
        (float16_weights, r"CONV_2D: tensor '.*int32' is float16; quantize the model to int8"),
        (recurrent, r"UNIDIRECTIONAL_SEQUENCE_LSTM: tensor 'remembered' is not supported; use only"),
        (int16_network, r"input 'input' is int16; quantize the model to int8"),
        (overflowing, r"CONV_2D: .* has sums that may overflow 32 bits; use smaller layers"),
        (
            unsupported_operator,
            r"COS: tensor 'squashed' is not supported; use only operators listed in docs/export.md",
        ),
        (float_network, r"RELU: tensor 'input' is float32, not int8; quantize the model to int8"),
        (free_batch, r"tensor 'input' has the shape \[0, 8\]; convert with a fixed batch of one"),
        (two_outputs, r"has 2 outputs; only one is supported"),
        (per_channel_activation, r"RELU: tensor 'split' has 2 scales; quantize activations per tensor"),
        (
            unlike_shapes,
            r"ADD: .* does not follow from \[1, 4, 4, 2\] and \[1, 4\]; give both inputs the same",
        ),
        (grouped_convolution, r"CONV_2D: .*use ungrouped convolutions"),
        (bad_scale, r"CONV_2D: .* has no sensible scale"),
    ],
)
def test_export_model_unsupported_names_operator_tensor_and_remedy(make, message):
    with pytest.raises(ModelError, match=message):
        build(make())
