"""What a network does, step by step, once reshapes have vanished: the form between the graph and its C."""

from dataclasses import dataclass

import numpy as np

from tinystride.codegen.movement import Run
from tinystride.codegen.quantization import Multiplier
from tinystride.errors import ModelError


@dataclass(eq=False)
class Buffer:
    """The values that pass from one layer to others. `place` is where they live in the C code."""

    name: str
    size: int
    ctype: str = "int8_t"
    place: str = "memory"  # or "input", "output", "constant", "state"
    data: np.ndarray | None = None  # of a constant; of a state, its first values

    @property
    def values(self) -> np.ndarray:
        """The data of a constant or a state. Raises ModelError if the buffer has none."""
        if self.data is None:
            raise ModelError(f"'{self.name}' has no values; convert the model again")
        return self.data


@dataclass(eq=False)
class Layer:
    name: str
    inputs: list[Buffer]
    output: Buffer
    shapes: str  # for the reader of the C code: "[108, 6] -> [54, 32]"


@dataclass
class Window:
    """A window that slides over `[height, width]`; `pad_*` counts the steps that lie before the input."""

    kernel: tuple[int, int]
    stride: tuple[int, int]
    dilation: tuple[int, int]
    pad: tuple[int, int]
    input: tuple[int, int]
    output: tuple[int, int]


@dataclass
class Requantization:
    """From an int32 sum to int8, one multiplier per output channel. A sum may be any int32."""

    multipliers: list[Multiplier]
    zero_point: int
    low: int
    high: int


@dataclass(eq=False)
class Convolution(Layer):
    """CONV_2D and FULLY_CONNECTED: weights `[out_channels, height, width, in_channels]`.

    `pool` is the max-pooling along the width that has been merged into it: (window = stride, its outputs).
    `general`: whether the kernel for any shape computes it, even where there is a faster one for its shape.
    """

    window: Window
    weights: np.ndarray
    bias: np.ndarray
    input_zero_point: int
    requantization: Requantization
    pool: tuple[int, int] | None = None
    general: bool = False

    @property
    def macs(self) -> int:
        return self.weights.size * self.window.output[0] * self.window.output[1]


@dataclass(eq=False)
class DepthwiseConvolution(Layer):
    """DEPTHWISE_CONV_2D: weights `[height, width, in_channels * depth_multiplier]`."""

    window: Window
    weights: np.ndarray
    bias: np.ndarray
    depth_multiplier: int
    input_zero_point: int
    requantization: Requantization

    @property
    def macs(self) -> int:
        return self.weights.size * self.window.output[0] * self.window.output[1]


@dataclass(eq=False)
class Pooling(Layer):
    """MAX_POOL_2D ("max") and AVERAGE_POOL_2D ("average")."""

    mode: str
    window: Window
    channels: int
    low: int
    high: int


@dataclass(eq=False)
class Mean(Layer):
    """MEAN over `count` neighbouring positions: input `[outer, count, inner]`, output `[outer, inner]`."""

    outer: int
    count: int
    inner: int
    input_zero_point: int
    output_zero_point: int
    multiplier: Multiplier


@dataclass(eq=False)
class Addition(Layer):
    """ADD of two tensors of the same shape."""

    zero_points: tuple[int, int]
    multipliers: tuple[Multiplier, Multiplier]
    requantization: Requantization


@dataclass(eq=False)
class Rescaling(Layer):
    """QUANTIZE between 8-bit types, RELU and RELU6: subtract, scale, add, clamp."""

    input_zero_point: int
    requantization: Requantization


@dataclass(eq=False)
class LookUp(Layer):
    """Any function of one int8: its 256 values, from that for -128 on."""

    table: np.ndarray


@dataclass(eq=False)
class Softmax(Layer):
    """SOFTMAX over `depth` neighbouring values; the exponentials are those of tables.py."""

    depth: int
    exponentials: np.ndarray


@dataclass(eq=False)
class Movement(Layer):
    """Operators that only move values: `runs[i]` from input i, after `fill` has been written everywhere."""

    runs: list[Run]
    fill: int | None = None


@dataclass(eq=False)
class Broadcast(Layer):
    """ADD, SUB, MUL, PRELU, MAXIMUM and MINIMUM of two tensors that are repeated to one shape.

    sizes, strides: loops through the output and through both inputs
    multipliers: of both inputs (ADD, SUB), or of the first one (PRELU)
    """

    operation: str  # "add", "subtract", "multiply", "prelu", "maximum", "minimum"
    sizes: list[int]
    strides: list[list[int]]
    zero_points: tuple[int, int]
    multipliers: tuple[Multiplier, Multiplier]
    requantization: Requantization


@dataclass(eq=False)
class Maximum(Layer):
    """REDUCE_MAX over `count` neighbouring positions: input `[outer, count, inner]`."""

    outer: int
    count: int
    inner: int


@dataclass(eq=False)
class Quantization(Layer):
    """QUANTIZE of float32 at the input of a network."""

    scale: np.float32
    zero_point: int


@dataclass(eq=False)
class Dequantization(Layer):
    """DEQUANTIZE to float32 at the output of a network."""

    scale: np.float32
    zero_point: int


@dataclass(eq=False)
class Copy(Layer):
    """A network whose operators have all vanished still hands its input on."""


@dataclass
class Network:
    """Layers in the order of execution."""

    layers: list[Layer]
    input: Buffer
    output: Buffer
    input_shape: tuple[int, ...]
    output_shape: tuple[int, ...]
    input_quantization: tuple[np.float32, int] | None
    output_quantization: tuple[np.float32, int] | None
    state: list[Buffer]  # what is kept from one inference to the next
