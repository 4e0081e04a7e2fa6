"""Represent a network as layers: between the graph of the file and the C, without reshapes."""

from dataclasses import dataclass

import numpy as np

from tinystride.codegen.movement import Run
from tinystride.codegen.quantization import Multiplier
from tinystride.errors import ModelError


@dataclass(eq=False)
class Buffer:
    """Values that one layer passes to others.

    Attributes:
        name: in C
        size: number of elements
        ctype: type of an element in C
        place: "memory", "input", "output", "constant" or "state"
        data: values of a constant, initial values of a state, else None
    """

    name: str
    size: int
    ctype: str = "int8_t"
    place: str = "memory"
    data: np.ndarray | None = None

    @property
    def values(self) -> np.ndarray:
        """Data of a constant or initial values of a state.

        Raises:
            ModelError: if the buffer has no data
        """
        if self.data is None:
            raise ModelError(f"'{self.name}' has no values; convert the model again")
        return self.data


@dataclass(eq=False)
class Layer:
    """One step of a network.

    Attributes:
        name: in C
        inputs: read by the layer
        output: written by the layer
        shapes: for the comment in the C: "[108, 6] -> [54, 32]"
    """

    name: str
    inputs: list[Buffer]
    output: Buffer
    shapes: str


@dataclass
class Window:
    """A window that slides over an image; all pairs are (height, width).

    Attributes:
        kernel: size of the window
        stride: steps between positions
        dilation: steps between taps
        pad: steps of padding before the input
        input: size of the input
        output: size of the output
    """

    kernel: tuple[int, int]
    stride: tuple[int, int]
    dilation: tuple[int, int]
    pad: tuple[int, int]
    input: tuple[int, int]
    output: tuple[int, int]


@dataclass
class Requantization:
    """Conversion of int32 sums to int8. A sum may be any int32.

    Attributes:
        multipliers: one per output channel
        zero_point: zero point of the output
        low: lowest output
        high: highest output
    """

    multipliers: list[Multiplier]
    zero_point: int
    low: int
    high: int


@dataclass(eq=False)
class Convolution(Layer):
    """CONV_2D or FULLY_CONNECTED.

    Attributes:
        window: window of the convolution
        weights: [out_channels, height, width, in_channels]
        bias: [out_channels]
        input_zero_point: zero point of the input
        requantization: factor from the sums to the output
        pool: (window = stride, number of outputs) of a max-pooling along the width merged into it, or None
        general: whether the kernel for any shape computes it even if there is a faster one for its shape
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
        """Multiply-accumulates of one inference."""
        return self.weights.size * self.window.output[0] * self.window.output[1]


@dataclass(eq=False)
class DepthwiseConvolution(Layer):
    """DEPTHWISE_CONV_2D.

    Attributes:
        window: window of the convolution
        weights: [height, width, in_channels * depth_multiplier]
        bias: [in_channels * depth_multiplier]
        depth_multiplier: outputs per input channel
        input_zero_point: zero point of the input
        requantization: factor from the sums to the output
    """

    window: Window
    weights: np.ndarray
    bias: np.ndarray
    depth_multiplier: int
    input_zero_point: int
    requantization: Requantization

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one inference."""
        return self.weights.size * self.window.output[0] * self.window.output[1]


@dataclass(eq=False)
class Pooling(Layer):
    """MAX_POOL_2D or AVERAGE_POOL_2D.

    Attributes:
        mode: "max" or "average"
        window: window of the pooling
        channels: number of channels of input and output
        low: lowest output
        high: highest output
    """

    mode: str
    window: Window
    channels: int
    low: int
    high: int


@dataclass(eq=False)
class Mean(Layer):
    """MEAN over adjacent axes: input [outer, count, inner], output [outer, inner].

    Attributes:
        outer: product of the axes before
        count: product of the averaged axes
        inner: product of the axes after
        input_zero_point: zero point of the input
        output_zero_point: zero point of the output
        multiplier: multiplier of the sum
    """

    outer: int
    count: int
    inner: int
    input_zero_point: int
    output_zero_point: int
    multiplier: Multiplier


@dataclass(eq=False)
class Addition(Layer):
    """ADD of two tensors of the same shape.

    Attributes:
        zero_points: zero points of both inputs
        multipliers: multipliers of both inputs, to a common fine scale
        requantization: factor from the sum to the output
    """

    zero_points: tuple[int, int]
    multipliers: tuple[Multiplier, Multiplier]
    requantization: Requantization


@dataclass(eq=False)
class Rescaling(Layer):
    """QUANTIZE between 8-bit types, RELU or RELU6: subtract, scale, add, clamp.

    Attributes:
        input_zero_point: zero point of the input
        requantization: factor from the difference to the output
    """

    input_zero_point: int
    requantization: Requantization


@dataclass(eq=False)
class LookUp(Layer):
    """Any function of one int8 value.

    Attributes:
        table: [256], its values for -128 to 127
    """

    table: np.ndarray


@dataclass(eq=False)
class Softmax(Layer):
    """SOFTMAX over adjacent values.

    Attributes:
        depth: number of values
        exponentials: exponentials of differences to the maximum, see `tables.softmax_exponentials`
    """

    depth: int
    exponentials: np.ndarray


@dataclass(eq=False)
class Movement(Layer):
    """Operators that only move values.

    Attributes:
        runs: copies, `runs[i]` from input i
        fill: value written to the whole output before, or None
    """

    runs: list[Run]
    fill: int | None = None


@dataclass(eq=False)
class Broadcast(Layer):
    """ADD, SUB, MUL, PRELU, MAXIMUM or MINIMUM of two tensors that are broadcast to one shape.

    Attributes:
        operation: "add", "subtract", "multiply", "prelu", "maximum" or "minimum"
        sizes: sizes of the nested loops, from the outermost
        strides: strides of both inputs in these loops
        zero_points: zero points of both inputs
        multipliers: multipliers of both inputs (ADD, SUB), or of the first one (PRELU)
        requantization: factor from the result to the output
    """

    operation: str
    sizes: list[int]
    strides: list[list[int]]
    zero_points: tuple[int, int]
    multipliers: tuple[Multiplier, Multiplier]
    requantization: Requantization


@dataclass(eq=False)
class Maximum(Layer):
    """REDUCE_MAX over adjacent axes: input [outer, count, inner], output [outer, inner].

    Attributes:
        outer: product of the axes before
        count: product of the reduced axes
        inner: product of the axes after
    """

    outer: int
    count: int
    inner: int


@dataclass(eq=False)
class Quantization(Layer):
    """QUANTIZE of float32 at the input of a network.

    Attributes:
        scale: scale of the output
        zero_point: zero point of the output
    """

    scale: np.float32
    zero_point: int


@dataclass(eq=False)
class Dequantization(Layer):
    """DEQUANTIZE to float32 at the output of a network.

    Attributes:
        scale: scale of the input
        zero_point: zero point of the input
    """

    scale: np.float32
    zero_point: int


@dataclass(eq=False)
class Copy(Layer):
    """Copy of a buffer, such as the input of a network without any other layer."""


@dataclass
class Network:
    """A lowered network.

    Attributes:
        layers: in the order of execution
        input: input of the network
        output: output of the network
        input_shape: as in the file
        output_shape: as in the file
        input_quantization: (scale, zero point), None for float32
        output_quantization: (scale, zero point), None for float32
        state: variables that are kept between inferences
    """

    layers: list[Layer]
    input: Buffer
    output: Buffer
    input_shape: tuple[int, ...]
    output_shape: tuple[int, ...]
    input_quantization: tuple[np.float32, int] | None
    output_quantization: tuple[np.float32, int] | None
    state: list[Buffer]
