"""The networks that the tests export: converted by TensorFlow from Keras, and built operator by operator."""

import subprocess
import sys
from functools import cache
from pathlib import Path

from tests.codegen.operator_networks import OPERATORS, operator_network
from tests.codegen.tflite_builder import Builder
from tests.sharing import shared

HERE = Path(__file__).parent


@cache
def keras_networks() -> dict[str, bytes]:
    """Converted once a run, in a process of its own, since importing TensorFlow takes ten seconds."""

    def make(folder: Path) -> None:
        subprocess.run(
            [sys.executable, str(HERE / "make_keras_networks.py"), folder], check=True, capture_output=True
        )

    return {path.stem: path.read_bytes() for path in sorted(shared("keras", make).glob("*.tflite"))}


def _along_height() -> bytes:
    """A 1D network whose time runs along the height, wrapped in reshapes, from a flat input."""
    b = Builder(1)
    x = b.reshape(b.input((1, 160)), (1, 40, 4))
    x = b.reshape(x, (1, 40, 1, 4), "EXPAND_DIMS")
    x = b.conv(x, 7, (5, 1))
    x = b.pool(x, "MAX", (2, 1), (2, 1))
    x = b.conv(x, 6, (3, 1), padding="VALID", activation="NONE")
    x = b.flatten(b.reshape(x, (1, 18, 6), "SQUEEZE"))
    return b.bytes(b.dense(x, 3))


def _flat_both_axes() -> bytes:
    """As other tools make them: flat input, convolution along one axis, pooling along the other."""
    b = Builder(2)
    x = b.reshape(b.input((1, 648)), (1, 1, 108, 6))
    x = b.reshape(b.conv(x, 8, (1, 5)), (1, 108, 1, 8))
    x = b.reshape(b.pool(x, "MAX", (2, 1), (2, 1), "SAME"), (1, 1, 54, 8))
    x = b.reshape(b.conv(x, 5, (1, 15)), (1, 54, 1, 5))
    x = b.flatten(b.pool(x, "MAX", (2, 1), (2, 1), "SAME"))
    return b.bytes(b.dense(b.dense(x, 16, "RELU"), 1))


def _strided() -> bytes:
    b = Builder(3)
    x = b.input((1, 1, 61, 6), zero_point=-12)
    x = b.conv(x, 8, (1, 5), (1, 2))
    x = b.conv(x, 12, (1, 4), (1, 3), "VALID")
    x = b.conv(x, 5, (1, 1), activation="RELU6")
    return b.bytes(b.dense(b.flatten(x), 2))


def _dilated() -> bytes:
    b = Builder(4)
    x = b.conv(b.input((1, 1, 50, 3)), 6, (1, 3), dilation=(1, 4))
    x = b.conv(x, 4, (1, 4), padding="VALID", dilation=(1, 2), activation="NONE")
    return b.bytes(b.mean(x, [1, 2]))


def _depthwise_image() -> bytes:
    b = Builder(5)
    x = b.conv(b.input((1, 13, 11, 3), zero_point=-128), 8, (3, 3), (2, 2), activation="RELU6")
    x = b.depthwise(x, 1, (3, 3))
    x = b.conv(x, 10, (1, 1), activation="NONE")
    x = b.depthwise(x, 2, (3, 2), (1, 2), "VALID", "RELU")
    x = b.pool(x, "AVERAGE", (2, 2), (1, 1), "SAME")
    x = b.mean(x, [1, 2], keep_dims=True)
    return b.bytes(b.dense(b.flatten(x), 4, per_channel=True))


def _residual_sum() -> bytes:
    b = Builder(6)
    x = b.conv(b.input((1, 1, 32, 4)), 8, (1, 3))
    y = b.conv(x, 8, (1, 3), activation="NONE")
    x = b.add(x, y, "RELU")
    y = b.rescale(b.conv(x, 8, (1, 5), activation="NONE"), "RELU", 0.8, -100)
    x = b.add(b.rescale(x, "QUANTIZE", 1.7, 9), b.rescale(y, "RELU6"))
    return b.bytes(b.mean(x, [2], scale_factor=1.0))


def _pools() -> bytes:
    b = Builder(7)
    x = b.conv(b.input((1, 1, 40, 5)), 6, (1, 3), activation="NONE", per_channel=False)
    x = b.pool(x, "MAX", (1, 3), (1, 3), "SAME")
    x = b.pool(x, "AVERAGE", (1, 4), (1, 3), "SAME", "RELU")
    x = b.conv(x, 9, (1, 2))
    x = b.pool(x, "MAX", (1, 3), (1, 1), "SAME", "RELU6")
    return b.bytes(b.flatten(x))


def _odd_pooled() -> bytes:
    """Odd lengths, odd channels, even kernels; the first pooling leaves its last input out."""
    b = Builder(8)
    x = b.conv(b.input((1, 1, 37, 3)), 5, (1, 4))
    x = b.pool(x, "MAX", (1, 2), (1, 2), "VALID")
    x = b.conv(x, 3, (1, 2), activation="NONE")
    x = b.pool(x, "MAX", (1, 2), (1, 2), "VALID")
    x = b.conv(x, 1, (1, 7), padding="VALID", activation="RELU_N1_TO_1")
    return b.bytes(b.flatten(x))


def _saturated() -> bytes:
    """Weights at their extremes: the largest sums that such a layer can have."""
    b = Builder(9)
    x = b.conv(b.input((1, 1, 24, 16), zero_point=-128), 6, (1, 15), spread=500)
    x = b.pool(x, "MAX", (1, 2), (1, 2))
    x = b.conv(x, 4, (1, 5), activation="NONE", spread=500)
    return b.bytes(b.dense(b.flatten(x), 5, spread=500))


def _single_step() -> bytes:
    """Convolutions whose window covers the whole input, and a dense layer over several steps."""
    b = Builder(10)
    x = b.dense(b.input((1, 9, 7)), 6, "RELU", per_channel=True)
    x = b.conv(b.reshape(x, (1, 1, 9, 6)), 5, (1, 9), padding="VALID", activation="NONE")
    return b.bytes(b.flatten(x))


def _tall_kernel() -> bytes:
    """A 3x3 kernel over an input of height one: two of its rows meet only padding."""
    b = Builder(11)
    x = b.conv(b.input((1, 1, 30, 4), zero_point=40), 6, (3, 3))
    return b.bytes(b.pool(x, "MAX", (1, 2), (1, 2)))


def _wide() -> bytes:
    b = Builder(12)
    x = b.conv(b.input((1, 1, 17, 40)), 33, (1, 3), activation="NONE")
    x = b.conv(x, 2, (1, 8), activation="NONE")
    return b.bytes(b.dense(b.flatten(x), 130, "RELU"))


def _dead_channels() -> bytes:
    """Channels whose weights are all zero, with the huge biases that converters write for them."""
    b = Builder(13)

    def kill(x: int) -> int:
        _, weights, bias = (b.graph.tensors[index] for index in b.graph.operators[-1].inputs)
        values = b.data(weights)
        values.swapaxes(0, weights.quantization.quantizedDimension)[:3] = 0
        b.replace(weights, values)
        weights.quantization.scale[:3] = 1e-9
        b.replace(bias, [(1 << 31) - 1, -(1 << 31) + 1, (1 << 30) + 12345, *b.data(bias)[3:]])
        return x

    x = kill(b.conv(b.input((1, 6, 9, 4)), 6, (3, 3), activation="NONE"))
    x = kill(b.depthwise(x, 1, (3, 3), activation="NONE"))
    x = kill(b.conv(b.reshape(x, (1, 1, 54, 6)), 5, (1, 3)))
    return b.bytes(kill(b.dense(b.flatten(x), 6, per_channel=True)))


def _odd_image() -> bytes:
    """Channels that are no multiples of four, strides, dilation, depth multipliers, padding."""
    b = Builder(20)
    x = b.conv(b.input((1, 9, 7, 3), zero_point=-20), 5, (3, 3), (2, 1), activation="NONE")
    x = b.depthwise(x, 3, (2, 3), activation="NONE")
    x = b.conv(x, 12, (1, 1))
    x = b.depthwise(x, 1, (5, 5), (2, 2))
    x = b.conv(x, 7, (3, 3), dilation=(1, 2), activation="RELU6")
    x = b.depthwise(x, 1, (2, 2), padding="VALID", dilation=(1, 2), activation="NONE")
    return b.bytes(b.dense(b.flatten(x), 3))


def _wide_image() -> bytes:
    """More channels than are computed at a time, in chains that overwrite their inputs."""
    b = Builder(21)
    x = b.depthwise(b.input((1, 6, 5, 24)), 1, (3, 3))
    x = y = b.conv(x, 70, (1, 1), activation="NONE")
    x = b.depthwise(x, 1, (3, 3), activation="NONE")
    x = b.conv(x, 70, (1, 1), activation="NONE")
    x = b.add(x, y, "RELU")
    x = b.depthwise(x, 1, (3, 3), (2, 2), "VALID")
    x = b.conv(x, 67, (2, 2))
    x = b.pool(x, "MAX", (2, 1), (1, 1), "SAME")
    return b.bytes(b.dense(b.flatten(x), 69, per_channel=True))


def _from_one_channel() -> bytes:
    """A depthwise convolution of one channel; windows larger than the input; few positions."""
    b = Builder(22)
    x = b.depthwise(b.input((1, 11, 8, 1), zero_point=60), 8, (3, 3), (2, 2), activation="RELU")
    x = b.depthwise(x, 1, (7, 7), (1, 3))
    x = b.conv(x, 9, (4, 2), (3, 2), "VALID", "NONE")
    x = b.conv(x, 66, (1, 1), activation="NONE", per_channel=False)
    return b.bytes(b.dense(b.flatten(x), 70))


BUILT = {
    "along_height": _along_height,
    "flat_both_axes": _flat_both_axes,
    "strided": _strided,
    "dilated": _dilated,
    "depthwise_image": _depthwise_image,
    "residual_sum": _residual_sum,
    "pools": _pools,
    "odd_pooled": _odd_pooled,
    "saturated": _saturated,
    "single_step": _single_step,
    "tall_kernel": _tall_kernel,
    "wide": _wide,
    "odd_image": _odd_image,
    "wide_image": _wide_image,
    "from_one_channel": _from_one_channel,
    "dead_channels": _dead_channels,
}
KERAS = ["paper", "tiny", "residual", "separable", "float_edges", "uint8_edges", "dense_per_tensor"]


@cache
def network(name: str) -> bytes:
    """The bytes of one of the networks named in BUILT, OPERATORS and KERAS."""
    if name in OPERATORS:
        return operator_network(name)
    return BUILT[name]() if name in BUILT else keras_networks()[name]
