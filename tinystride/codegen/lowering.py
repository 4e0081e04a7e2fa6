"""Convert the graph of a .tflite file to layers: check operators, drop reshapes, merge max-pooling."""

import re
from dataclasses import fields, replace
from math import prod
from typing import Any

import numpy as np

from tinystride.codegen import folding, movement, tables
from tinystride.codegen.graph import Graph, Operator, Tensor
from tinystride.codegen.layers import (
    Addition,
    Broadcast,
    Buffer,
    Convolution,
    Copy,
    DepthwiseConvolution,
    Dequantization,
    Layer,
    LookUp,
    Maximum,
    Mean,
    Movement,
    Network,
    Pooling,
    Quantization,
    Requantization,
    Rescaling,
    Softmax,
    Window,
)
from tinystride.codegen.packing import is_one_dimensional
from tinystride.codegen.quantization import (
    INT8_MAX,
    INT8_MIN,
    Multiplier,
    activation_range,
    mean_multiplier,
    quantize_multiplier,
    scaled,
)
from tinystride.errors import ModelError

CONVERT_AGAIN = "convert the model again"
USE_INT8 = "quantize the model to int8"
USE_SUPPORTED = "use only operators listed in docs/export.md"
UNIT, UNUSED = Multiplier(1 << 30, 1), Multiplier(0, 0)
MAX_IDLE_BIAS = (1 << 30) - 1
MAX_SUM = (1 << 31) - 1  # of an int32 sum
MAX_SHIFT = 30
MAX_STEPS = 1 << 16
MAX_BROADCAST_LOOPS = 4
MAX_FUNCTION_SHIFT = 21  # a difference of two int8 has 9 bits
MAX_PRODUCT_SHIFT = 13  # a product of two differences has 17 bits
SCALE_RANGE = 1e-12, 1e12
CTYPES = {"int8": "int8_t", "uint8": "uint8_t", "float32": "float"}
RANGES = {"int8": (INT8_MIN, INT8_MAX), "uint8": (0, 255)}
OPERATION_NAME = re.compile(
    "biasadd|matmul|convolution|squeeze|expanddims1?|reshape|maxpool|maxpool[12]d|avgpool|relu6?|mean|add"
    "|depthwise|call|partitionedcall|quantize|dequantize|softmax|sigmoid|tanh|pad|transpose|concat|mul|sub"
    "|stridedslice|split|pack|stack|unstack|max|leakyrelu|hardswish|readvariableop"
)


def _refuse(operator: Operator, tensor: Tensor | None, problem: str, remedy: str) -> ModelError:
    subject = operator.kind if tensor is None else f"{operator.kind}: tensor '{tensor.name}'"
    return ModelError(f"{subject} {problem}; {remedy}")


def _require(
    fact: bool, operator: Operator, tensor: Tensor | None, problem: str, remedy: str = CONVERT_AGAIN
) -> None:
    if not fact:
        raise _refuse(operator, tensor, problem, remedy)


def _shape(shape: tuple[int, ...]) -> str:
    """Return a shape for a comment, such as `[108, 6]`, without axes of length one."""
    return "[" + ", ".join(str(n) for n in shape if n > 1) + "]" if prod(shape) > 1 else "[1]"


class LayerNames:
    """Unique names of layers in C, derived from the names in the model."""

    def __init__(self) -> None:
        self.used: set[str] = set()

    def take(self, tensor: Tensor, kind: str) -> str:
        """Return a unique name: the last specific part of a tensor's name, else the operator's kind.

        `functional/conv1d_1/Relu;…` gives `conv1d_1`.

        Args:
            tensor: output of the layer
            kind: kind of the operator
        """
        parts = [
            re.sub(r"\W+", "_", part, flags=re.ASCII).strip("_").lower()
            for part in tensor.name.split(";")[0].split("/")
        ]
        telling = [part for part in parts if not OPERATION_NAME.fullmatch(part)]
        base = telling[-1] if len(telling) > 1 else ""
        if not re.fullmatch(r"[a-z]\w{0,39}", base, flags=re.ASCII) or base.startswith("stateful"):
            base = kind.lower()
        name, number = base, 2
        while name in self.used:
            name, number = f"{base}_{number}", number + 1
        self.used.add(name)
        return name


class Lowering:
    """Conversion of one graph.

    Attributes:
        graph: to convert
        general: whether one kernel computes convolutions of all shapes
        names: names of layers
        buffers: {id of a tensor: its buffer}
        layers: converted so far
        folded: {id of a tensor: the same tensor with its computed constant value}
        variables: {id of a handle: name of its variable}
        state: {name of a variable: its buffer}
        first_values: {name of a variable: initial values}
        position: number of the operator that is being converted
        pads: {id of a padded tensor: (tensor before padding, steps before)} of PADs merged into convolutions
    """

    def __init__(self, graph: Graph, optimize: str):
        self.graph = graph
        self.general = optimize == "size"
        self.names = LayerNames()
        self.buffers: dict[int, Buffer] = {}
        self.layers: list[Layer] = []
        self.folded: dict[int, Tensor] = {}
        self.variables: dict[int, str] = {}
        self.state: dict[str, Buffer] = {}
        self.first_values: dict[str, np.ndarray] = {}
        self.position = 0
        self.pads: dict[int, tuple[Tensor, tuple[int, int]]] = {}

    # Checks of tensors.

    def _scales(self, operator: Operator, tensor: Tensor) -> np.ndarray:
        with np.errstate(invalid="ignore"):
            scales = tensor.scales.astype(np.float64)
        sensible = len(scales) > 0 and bool(np.all((scales > SCALE_RANGE[0]) & (scales < SCALE_RANGE[1])))
        _require(sensible, operator, tensor, "has no sensible scale", USE_INT8)
        return scales

    def _affine(self, operator: Operator, tensor: Tensor, *dtypes: str) -> Tensor:
        """Check that a tensor is int8 (or of `dtypes`), with one scale and a zero point within its range."""
        allowed = dtypes or ("int8",)
        problem = f"is {tensor.dtype}, not {' or '.join(allowed)}"
        _require(tensor.dtype in allowed, operator, tensor, problem, USE_INT8)
        count = len(self._scales(operator, tensor))
        _require(count == 1, operator, tensor, f"has {count} scales", "quantize activations per tensor")
        low, high = RANGES[tensor.dtype]
        _require(
            low <= tensor.zero_point <= high, operator, tensor, f"has the zero point {tensor.zero_point}"
        )
        return tensor

    def _constant(self, operator: Operator, tensor: Tensor | None, dtype: str) -> np.ndarray:
        values = tensor.data if tensor is not None and tensor.dtype == dtype else None
        if values is None:
            raise _refuse(operator, tensor, f"is not a constant of {dtype}", USE_INT8)
        return values

    def _arity(self, operator: Operator, minimum: int, maximum: int | None = None) -> None:
        given = len(operator.inputs)
        fits = minimum <= given <= (maximum or minimum) and len(operator.outputs) == 1
        _require(fits, operator, None, f"has {given} inputs and {len(operator.outputs)} outputs")
        _require(None not in operator.inputs[:minimum], operator, None, "lacks an input")

    def _image(self, operator: Operator, tensor: Tensor) -> tuple[int, ...]:
        """Return the shape [1, height, width, channels] of a tensor."""
        fits = len(tensor.shape) == 4 and tensor.shape[0] == 1
        problem = f"has the shape {list(tensor.shape)}, not [1, height, width, channels]"
        _require(fits, operator, tensor, problem, "convert with a fixed batch of one")
        return tensor.shape

    def _multiplier(self, operator: Operator, factor: float) -> Multiplier:
        multiplier = quantize_multiplier(float(factor))
        _require(multiplier.shift <= MAX_SHIFT, operator, operator.output, "has too small a scale", USE_INT8)
        return multiplier

    # Buffers and layers.

    def _read(self, operator: Operator, tensor: Tensor) -> Buffer:
        if id(tensor) not in self.buffers:
            if tensor.data is None:
                raise _refuse(operator, tensor, "is used before it is computed", CONVERT_AGAIN)
            _require(tensor.dtype in RANGES, operator, tensor, f"is a constant of {tensor.dtype}", USE_INT8)
            name = self.names.take(tensor, "constant")
            self.buffers[id(tensor)] = Buffer(
                name, tensor.size, CTYPES[tensor.dtype], "constant", tensor.data.ravel()
            )
        return self.buffers[id(tensor)]

    def _check_new(self, operator: Operator, target: Tensor) -> None:
        new = id(target) not in self.buffers and id(target) not in self.folded and target.data is None
        _require(new, operator, target, "is computed twice")

    def _append(
        self,
        kind: type[Layer],
        operator: Operator,
        sources: list[Tensor],
        target: Tensor | None = None,
        **values: Any,
    ) -> None:
        """Add a layer that computes `target` (by default the operator's output) from `sources`."""
        target = target or operator.output
        inputs = [self._read(operator, source) for source in sources]
        self._check_new(operator, target)
        name = self.names.take(target, operator.kind)
        output = self.buffers[id(target)] = Buffer(name, target.size, CTYPES[target.dtype])
        shapes = " + ".join(_shape(source.shape) for source in sources) + f" -> {_shape(target.shape)}"
        self.layers.append(kind(name, inputs, output, shapes, **values))

    # Parts of operators.

    def _activation(self, operator: Operator) -> tuple[int, int]:
        activation, output = operator.options["Activation"], operator.output
        is_supported = activation in ("NONE", "RELU", "RELU6", "RELU_N1_TO_1")
        _require(is_supported, operator, output, f"has the activation {activation}", "use RELU or RELU6")
        low, high = activation_range(activation, output.scale, output.zero_point)
        _require(low <= high, operator, output, "has an empty range")
        return low, high

    def _requantization(self, operator: Operator, multipliers: list[Multiplier]) -> Requantization:
        zero_point = self._affine(operator, operator.output).zero_point
        return Requantization(multipliers, zero_point, *self._activation(operator))

    def _window(self, operator: Operator, kernel: tuple[int, int]) -> Window:
        options = operator.options
        shapes = [operator.source(0).shape, operator.output.shape]
        if all(len(shape) == 4 and shape[1] == 1 for shape in shapes) and kernel[0] == 1:
            # A batch of rows is an image whose rows are independent.
            size, result = [shape[0:3:2] for shape in shapes]
        else:
            size, result = [self._image(operator, end)[1:3] for end in (operator.source(0), operator.output)]
        stride = (options["StrideH"], options["StrideW"])
        dilation = (options.get("DilationHFactor", 1), options.get("DilationWFactor", 1))
        if shapes[0][:1] != (1,):
            stride, dilation = (1, stride[1]), (1, dilation[1])
        sensible = all(0 < n <= MAX_STEPS for n in (*kernel, *stride, *dilation))
        _require(sensible, operator, None, f"has kernel {kernel}, stride {stride}, dilation {dilation}")
        same = options["Padding"] == "SAME"
        pad = []
        for n, k, s, d, out in zip(size, kernel, stride, dilation, result, strict=True):
            reach = (k - 1) * d + 1
            steps = -(-n // s) if same else (n - reach) // s + 1
            _require(out == steps, operator, operator.output, f"has {out} steps where {steps} follow")
            pad.append(max((out - 1) * s + reach - n, 0) // 2 if same else 0)
        return Window(kernel, stride, dilation, (pad[0], pad[1]), (size[0], size[1]), (result[0], result[1]))

    def _weighted(self, operator: Operator, channel_axis: int, channels: int) -> dict:
        """Return fields of a layer with weights: bias, zero point of the input, requantization."""
        source, weights = self._affine(operator, operator.source(0)), operator.source(1)
        target = self._affine(operator, operator.output)
        scales = self._scales(operator, weights)
        per_channel = len(scales) == channels and weights.channel_axis == channel_axis
        fits = len(scales) == 1 or per_channel
        _require(fits, operator, weights, f"has {len(scales)} scales for {channels} channels")
        symmetric = not np.any(weights.zero_points)
        _require(symmetric, operator, weights, "has a zero point", "quantize weights symmetrically")
        bias = np.zeros(channels, np.int64)
        if len(operator.inputs) > 2 and operator.inputs[2] is not None:
            bias = self._constant(operator, operator.source(2), "int32").ravel().astype(np.int64)
            _require(len(bias) == channels, operator, operator.source(2), f"has {len(bias)} values")
        others = tuple(axis for axis in range(weights.values.ndim) if axis != channel_axis)
        # Kernels sum stored inputs or differences to a zero point; the magnitude of both is at most 256.
        max_sums = np.abs(weights.values.astype(np.int64)).sum(axis=others) * 256 + np.abs(bias)
        factors = np.broadcast_to(np.float64(source.scale) * scales / np.float64(target.scale), channels)
        multipliers = [self._multiplier(operator, factor) for factor in factors]
        # The scaling begins with a left shift and ends with the addition of a zero point.
        reached = np.maximum(
            max_sums << np.maximum([multiplier.shift for multiplier in multipliers], 0),
            np.ceil(max_sums * factors) + 256,
        )
        small = max(max_sums.max(), reached.max()) <= MAX_SUM
        _require(small, operator, weights, "has sums that may overflow 32 bits", "use smaller layers")
        requantization = self._requantization(operator, multipliers)
        return {
            "bias": _clip_idle_biases(bias, max_sums == np.abs(bias), requantization),
            "input_zero_point": source.zero_point,
            "requantization": requantization,
        }

    def _kernel(self, operator: Operator) -> tuple[int, int, int, int]:
        weights = operator.source(1)
        self._constant(operator, weights, "int8")
        _require(len(weights.shape) == 4, operator, weights, f"has the shape {list(weights.shape)}")
        first, height, width, last = weights.shape
        return first, height, width, last

    # Operators.

    def _conv_2d(self, operator: Operator) -> None:
        self._arity(operator, 2, 3)
        source, weights = operator.source(0), operator.source(1)
        channels, height, width, depth = self._kernel(operator)
        window = self._window(operator, (height, width))
        ungrouped = source.shape[-1] == depth and operator.output.shape[-1] == channels
        problem = f"has the shape {list(weights.shape)}"
        _require(ungrouped, operator, weights, problem, "use ungrouped convolutions")
        source, window = self._without_pad(operator, window)
        window, values = _along_width(window, weights.values)
        weighted = self._weighted(operator, 0, channels)
        self._append(Convolution, operator, [source], window=window, weights=values, **weighted)

    def _fully_connected(self, operator: Operator) -> None:
        self._arity(operator, 2, 3)
        source, weights = operator.source(0), operator.source(1)
        values = self._constant(operator, weights, "int8")
        plain = operator.options["WeightsFormat"] == 0 and len(weights.shape) == 2
        _require(plain, operator, weights, "has shuffled weights")
        channels, depth = weights.shape
        steps = source.size // depth
        fits = source.size == steps * depth and operator.output.size == steps * channels
        _require(fits, operator, source, f"has {source.size} elements for {depth} inputs")
        window = Window((1, 1), (1, 1), (1, 1), (0, 0), (1, steps), (1, steps))
        weighted = self._weighted(operator, 0, channels)
        self._append(
            Convolution, operator, [source], window=window, weights=values[:, None, None, :], **weighted
        )

    def _depthwise_conv_2d(self, operator: Operator) -> None:
        self._arity(operator, 2, 3)
        source, weights = operator.source(0), operator.source(1)
        groups, height, width, channels = self._kernel(operator)
        window = self._window(operator, (height, width))
        depth = source.shape[-1]
        fits = groups == 1 and channels % depth == 0 and operator.output.shape[-1] == channels
        _require(fits, operator, weights, f"has the shape {list(weights.shape)}")
        source, window = self._without_pad(operator, window)
        if depth == 1:  # equals a convolution
            window, values = _along_width(window, weights.values.transpose(3, 1, 2, 0))
            weighted = self._weighted(operator, 3, channels)
            self._append(Convolution, operator, [source], window=window, weights=values, **weighted)
            return
        self._append(
            DepthwiseConvolution,
            operator,
            [source],
            window=window,
            weights=weights.values[0],
            depth_multiplier=channels // depth,
            **self._weighted(operator, 3, channels),
        )

    def _pool(self, operator: Operator) -> None:
        self._arity(operator, 1)
        source = self._affine(operator, operator.source(0))
        self._affine(operator, operator.output)
        window = self._window(operator, (operator.options["FilterHeight"], operator.options["FilterWidth"]))
        _require(source.shape[-1] == operator.output.shape[-1], operator, source, "changes its channels")
        low, high = self._activation(operator)
        mode = "max" if operator.kind == "MAX_POOL_2D" else "average"
        self._append(
            Pooling,
            operator,
            [source],
            mode=mode,
            window=window,
            channels=source.shape[-1],
            low=low,
            high=high,
        )

    def _reduced_axes(self, operator: Operator) -> tuple[int, int, int]:
        """Return an input's shape as (outer, count, inner), where the middle axis holds the reduced axes."""
        source, target = operator.source(0), operator.output
        named = self._constant(operator, operator.source(1), "int32").ravel().tolist()
        rank = len(source.shape)
        in_range = all(-rank <= axis < rank for axis in named)
        _require(in_range, operator, operator.source(1), f"names the axes {named}")
        axes = [axis for axis in sorted({axis % rank for axis in named}) if source.shape[axis] > 1]
        between = range(axes[0], axes[-1] + 1) if axes else range(0)
        adjacent = all(axis in axes or source.shape[axis] == 1 for axis in between)
        problem = f"is reduced over the axes {named}, which are apart"
        _require(adjacent, operator, source, problem, "reduce neighbouring axes")
        count = prod(source.shape[axis] for axis in axes)
        outer = prod(source.shape[: axes[0]]) if axes else 1
        inner = source.size // count // outer
        _require(target.size == outer * inner, operator, target, f"has {target.size} elements")
        return outer, count, inner

    def _mean(self, operator: Operator) -> None:
        self._arity(operator, 2)
        source = self._affine(operator, operator.source(0))
        target = self._affine(operator, operator.output)
        outer, count, inner = self._reduced_axes(operator)
        self._append(
            Mean,
            operator,
            [source],
            outer=outer,
            count=count,
            inner=inner,
            input_zero_point=source.zero_point,
            output_zero_point=target.zero_point,
            multiplier=mean_multiplier(self._multiplier(operator, _ratio(source, target)), count),
        )

    def _add(self, operator: Operator) -> None:
        self._arity(operator, 2)
        target = self._affine(operator, operator.output)
        sources = [self._affine(operator, tensor) for tensor in operator.sources]
        if any(source.size != target.size for source in sources):
            self._scaled_sum(operator, sources)
            return
        max_scale_x2 = 2 * np.float64(max(source.scale for source in sources))
        result = max_scale_x2 / (np.float64(1 << 20) * np.float64(target.scale))
        _require(bool(result < 1), operator, target, "has too small a scale")
        self._append(
            Addition,
            operator,
            sources,
            zero_points=tuple(source.zero_point for source in sources),
            multipliers=tuple(
                self._multiplier(operator, np.float64(source.scale) / max_scale_x2) for source in sources
            ),
            requantization=self._requantization(operator, [self._multiplier(operator, result)]),
        )

    def _scaled_sum(self, operator: Operator, sources: list[Tensor]) -> None:
        """Convert SUB, and ADD of tensors of different shapes."""
        target = operator.output
        max_scale_x2 = 2 * np.float64(max(source.scale for source in sources))
        result = max_scale_x2 / (np.float64(1 << 20) * np.float64(target.scale))
        _require(bool(result < 1), operator, target, "has too small a scale")
        self._broadcast(
            operator,
            sources,
            "subtract" if operator.kind == "SUB" else "add",
            tuple(self._multiplier(operator, np.float64(source.scale) / max_scale_x2) for source in sources),
            self._requantization(operator, [self._multiplier(operator, result)]),
        )

    def _sub(self, operator: Operator) -> None:
        self._arity(operator, 2)
        self._affine(operator, operator.output)
        self._scaled_sum(operator, [self._affine(operator, tensor) for tensor in operator.sources])

    def _mul(self, operator: Operator) -> None:
        self._arity(operator, 2)
        target = self._affine(operator, operator.output)
        sources = [self._affine(operator, tensor) for tensor in operator.sources]
        first, second = (np.float64(source.scale) for source in sources)
        multiplier = self._multiplier(operator, first * second / np.float64(target.scale))
        small = multiplier.shift <= MAX_PRODUCT_SHIFT
        _require(small, operator, target, "has too small a scale", USE_INT8)
        self._broadcast(
            operator, sources, "multiply", (UNUSED, UNUSED), self._requantization(operator, [multiplier])
        )

    def _prelu(self, operator: Operator) -> None:
        """Convert PRELU: the second input is the slope of negative values."""
        self._arity(operator, 2)
        target = self._affine(operator, operator.output)
        source, slope = (self._affine(operator, tensor) for tensor in operator.sources)
        factor = np.float64(source.scale) / np.float64(target.scale)
        positive = self._multiplier(operator, factor)
        negative = self._multiplier(
            operator, np.float64(source.scale) * np.float64(slope.scale) / target.scale
        )
        small = positive.shift <= MAX_FUNCTION_SHIFT and negative.shift <= MAX_PRODUCT_SHIFT
        _require(small, operator, target, "has too small a scale", USE_INT8)
        whole = Requantization([negative], target.zero_point, INT8_MIN, INT8_MAX)
        self._broadcast(operator, [source, slope], "prelu", (positive, UNUSED), whole)

    def _elementwise_extreme(self, operator: Operator) -> None:
        """Convert MAXIMUM and MINIMUM, which compare values as they are stored."""
        self._arity(operator, 2)
        sources = [self._affine(operator, tensor) for tensor in operator.sources]
        self._affine(operator, operator.output)
        whole = Requantization([UNUSED], 0, INT8_MIN, INT8_MAX)
        self._broadcast(operator, sources, operator.kind.lower(), (UNUSED, UNUSED), whole)

    def _broadcast(
        self,
        operator: Operator,
        sources: list[Tensor],
        operation: str,
        multipliers: tuple[Multiplier, ...],
        requantization: Requantization,
    ) -> None:
        shape = operator.output.shape
        try:
            views = [np.broadcast_to(movement.numbers(source.shape), shape) for source in sources]
            sizes, strides = movement.loops([movement.numbers(shape), *views])
            if len(sizes) > MAX_BROADCAST_LOOPS:
                raise ValueError(f"needs {len(sizes)} loops")
        except ValueError as error:
            shapes = " and ".join(str(list(source.shape)) for source in sources)
            problem = f"of {list(shape)} does not follow from {shapes}"
            raise _refuse(operator, operator.output, problem, "give both inputs the same shape") from error
        self._append(
            Broadcast,
            operator,
            sources,
            operation=operation,
            sizes=sizes,
            strides=strides[1:],
            zero_points=tuple(source.zero_point for source in sources),
            multipliers=multipliers,
            requantization=requantization,
        )

    def _reduce_max(self, operator: Operator) -> None:
        """Convert REDUCE_MAX over adjacent axes."""
        self._arity(operator, 2)
        source = self._affine(operator, operator.source(0))
        self._affine(operator, operator.output)
        outer, count, inner = self._reduced_axes(operator)
        self._append(Maximum, operator, [source], outer=outer, count=count, inner=inner)

    def _unary(self, operator: Operator) -> tuple[Tensor, Tensor]:
        self._arity(operator, 1)
        source = self._affine(operator, operator.source(0))
        target = self._affine(operator, operator.output)
        _require(source.size == target.size, operator, target, "has another size than its input")
        return source, target

    def _lookup_function(self, operator: Operator) -> None:
        """Convert LOGISTIC, TANH, LEAKY_RELU and HARD_SWISH to tables."""
        source, target = self._unary(operator)
        scale, zero_point = source.scale, source.zero_point
        if operator.kind == "LOGISTIC":
            fits = target.zero_point == INT8_MIN
            _require(fits, operator, target, f"has the zero point {target.zero_point}, not -128", USE_INT8)
            table = tables.logistic(scale, zero_point)
        elif operator.kind == "TANH":
            table = tables.tanh(scale, zero_point)
        else:
            ends = (scale, zero_point, target.scale, target.zero_point)
            factor = float(scale) / float(target.scale)
            fits = self._multiplier(operator, factor).shift <= MAX_FUNCTION_SHIFT
            _require(fits, operator, target, "has too small a scale", USE_INT8)
            if operator.kind == "LEAKY_RELU":
                alpha = float(operator.options["Alpha"])
                sensible = alpha >= 0 and factor * alpha < 1 << MAX_FUNCTION_SHIFT
                _require(sensible, operator, target, f"has the slope {alpha:g}", "use one from 0 to 1")
                table = tables.leaky_relu(*ends, np.float32(alpha))
            else:
                # TFLM has no left shift here.
                fits = quantize_multiplier(float(np.float32(scale / 128) / target.scale)).shift <= 0
                _require(fits, operator, target, "has too small a scale", USE_INT8)
                table = tables.hard_swish(*ends)
        self._append(LookUp, operator, [source], table=table)

    def _softmax(self, operator: Operator) -> None:
        source, target = self._unary(operator)
        whole = target.zero_point == INT8_MIN and float(target.scale) == 1 / 256
        problem = f"has the scale {target.scale:g} and zero point {target.zero_point}, not 1/256 and -128"
        _require(whole, operator, target, problem, USE_INT8)
        depth = source.shape[-1] if source.shape else 1
        fits = depth <= tables.MAX_SOFTMAX_DEPTH
        _require(fits, operator, source, f"has {depth} classes", f"use {tables.MAX_SOFTMAX_DEPTH} at most")
        beta = float(np.float32(operator.options["Beta"]))
        sensible = SCALE_RANGE[0] < beta < SCALE_RANGE[1] and beta * float(source.scale) * (1 << 26) >= 1
        _require(sensible, operator, source, f"has too small a scale for a beta of {beta:g}", USE_INT8)
        exponentials = tables.softmax_exponentials(source.scale, beta)
        self._append(Softmax, operator, [source], depth=depth, exponentials=exponentials)

    def _move(self, operator: Operator) -> None:
        """Convert operators that only move values as they are stored."""
        try:
            outputs = movement.pieces(operator)
        except ValueError as error:
            first = operator.outputs[0] if operator.outputs else None
            raise _refuse(operator, first, str(error), CONVERT_AGAIN) from error
        if self._merge_pad_into_convolution(operator):
            return
        unclamped = operator.options.get("Activation", "NONE") == "NONE"
        _require(unclamped, operator, operator.output, "has an activation", "use none")
        for target, pieces in zip(operator.outputs, outputs, strict=True):
            for tensor in (target, *(piece.tensor for piece in pieces)):
                _require(tensor.dtype in RANGES, operator, tensor, f"is {tensor.dtype}", USE_INT8)
                _require(tensor.dtype == target.dtype, operator, tensor, "is of another type than its output")
            fill = self._fill(operator, target)
            moved = sum(piece.target.size for piece in pieces)
            complete = moved == target.size or (fill is not None and moved <= target.size)
            _require(complete, operator, target, "has another size than its inputs")
            sources = [piece.tensor for piece in pieces]
            runs = [movement.run(piece) for piece in pieces]
            self._append(Movement, operator, sources, target, runs=runs, fill=fill)

    def _merge_pad_into_convolution(self, operator: Operator) -> bool:
        """Merge a PAD into the only convolution that reads it, if possible. Return whether it was merged."""
        source, target = operator.source(0), operator.output
        readers = [other for other in self.graph.operators if target in other.inputs]
        if operator.kind not in ("PAD", "PADV2") or len(readers) != 1 or target is self.graph.output:
            return False
        reader = readers[0]
        window = reader.kind in ("CONV_2D", "DEPTHWISE_CONV_2D") and reader.options["Padding"] == "VALID"
        images = len(source.shape) == len(target.shape) == 4 and source.dtype == target.dtype == "int8"
        if not window or not images or reader.inputs[0] is not target:
            return False
        same = len(target.scales) == 1 and self._fill(operator, target) == target.zero_point
        same = same and source.shape[::3] == target.shape[::3]
        if same:
            pads = np.reshape(operator.source(1).values, (4, 2))
            self._check_new(operator, target)
            self._read(operator, source)
            self.pads[id(target)] = source, (int(pads[1, 0]), int(pads[2, 0]))
        return same

    def _without_pad(self, operator: Operator, window: Window) -> tuple[Tensor, Window]:
        """Return the input of a convolution before a merged PAD, and the window with that padding."""
        source = operator.source(0)
        if id(source) not in self.pads:
            return source, window
        unpadded, before = self.pads[id(source)]
        return unpadded, replace(window, pad=before, input=(unpadded.shape[1], unpadded.shape[2]))

    def _fill(self, operator: Operator, target: Tensor) -> int | None:
        """Return the value that PAD and PADV2 write around their input, None for other operators."""
        if operator.kind not in ("PAD", "PADV2"):
            return None
        if operator.kind == "PADV2" and len(operator.inputs) > 2:
            return int(self._constant(operator, operator.source(2), target.dtype).ravel()[0])
        return self._affine(operator, target, target.dtype).zero_point

    # State.

    def _var_handle(self, operator: Operator) -> None:
        _require(len(operator.outputs) == 1, operator, None, f"has {len(operator.outputs)} outputs")
        self.variables[id(operator.output)] = operator.options["SharedName"]

    def _call_once(self, operator: Operator) -> None:
        """Read the initial values of variables from the subgraph that sets them."""
        index = operator.options["InitSubgraphIndex"]
        there = 1 <= index <= len(self.graph.others)
        _require(there, operator, None, f"names the subgraph {index}, which is not there")
        names: dict[int, str] = {}
        for once in self.graph.others[index - 1]:
            if once.kind == "VAR_HANDLE":
                names[id(once.output)] = once.options["SharedName"]
            else:
                is_supported = (
                    once.kind == "ASSIGN_VARIABLE" and len(once.inputs) == 2 and None not in once.inputs
                )
                problem = "is not supported where variables get their first values"
                _require(is_supported, once, None, problem, "assign constants only")
                handle, value = once.sources
                _require(id(handle) in names, once, handle, "is no variable")
                self.first_values[names[id(handle)]] = self._constant(once, value, value.dtype)

    def _variable(self, operator: Operator, value: Tensor) -> Buffer:
        """Return the buffer of the variable that an operator reads or writes."""
        handle = operator.inputs[0]
        _require(id(handle) in self.variables, operator, handle, "is no variable")
        name = self.variables[id(handle)]
        _require(value.dtype in RANGES, operator, value, f"is {value.dtype}", USE_INT8)
        if name not in self.state:
            first = self.first_values.get(name)
            if first is None:
                first = np.full(value.size, self._default(name, value))
            data = np.ascontiguousarray(first).ravel().view(np.int8)
            self.state[name] = Buffer(name, value.size, CTYPES[value.dtype], "state", data)
        buffer = self.state[name]
        fits = buffer.size == value.size == buffer.values.size and buffer.ctype == CTYPES[value.dtype]
        _require(fits, operator, value, f"has another size or type than the variable '{name}'")
        return buffer

    def _default(self, name: str, value: Tensor) -> np.ndarray:
        """Return the initial value of a variable: as in TFLM, the zero point of the first value assigned."""
        handles = {key for key, other in self.variables.items() if other == name}
        for operator in self.graph.operators:
            if operator.kind == "ASSIGN_VARIABLE" and id(operator.inputs[0]) in handles:
                value = operator.source(1)
                break
        return np.array(value.zero_point if len(value.zero_points) else 0).astype(value.dtype)

    def _read_variable(self, operator: Operator) -> None:
        self._arity(operator, 1)
        self._check_new(operator, operator.output)
        self.buffers[id(operator.output)] = self._variable(operator, operator.output)

    def _assign_variable(self, operator: Operator) -> None:
        fits = len(operator.inputs) == 2 and None not in operator.inputs
        _require(fits, operator, None, f"has {len(operator.inputs)} inputs")
        value = operator.source(1)
        source, kept = self._read(operator, value), self._variable(operator, value)
        if source is kept:
            return
        # Copy a value that was read from the variable and is used after the assignment.
        read_later = [
            tensor for later in self.graph.operators[self.position + 1 :] for tensor in later.inputs
        ]
        needed = [
            tensor
            for tensor in (*read_later, self.graph.output)
            if tensor is not None and self.buffers.get(id(tensor)) is kept
        ]
        if needed:
            aside = Buffer(self.names.take(needed[0], "kept"), kept.size, kept.ctype)
            self.layers.append(Copy(aside.name, [kept], aside, _shape(needed[0].shape)))
            self.buffers |= {id(tensor): aside for tensor in needed}
        name = self.names.take(value, "assign_variable")
        self.layers.append(Copy(name, [source], kept, f"{_shape(value.shape)} -> variable"))

    def _elementwise(self, kind: type[Layer], operator: Operator, **values: Any) -> None:
        source, target = operator.source(0), operator.output
        _require(source.size == target.size, operator, target, "has another size than its input")
        self._append(kind, operator, [source], **values)

    def _rescale(self, operator: Operator, source: Tensor, target: Tensor, low: int, high: int) -> None:
        multiplier = self._multiplier(operator, _ratio(source, target))
        requantization = Requantization([multiplier], target.zero_point, low, high)
        self._elementwise(
            Rescaling, operator, input_zero_point=source.zero_point, requantization=requantization
        )

    def _relu(self, operator: Operator) -> None:
        self._arity(operator, 1)
        source, target = self._affine(operator, operator.source(0)), self._affine(operator, operator.output)
        self._rescale(operator, source, target, target.zero_point, INT8_MAX)

    def _relu6(self, operator: Operator) -> None:
        self._arity(operator, 1)
        source = self._affine(operator, operator.source(0))
        self._affine(operator, operator.output)
        # TFLM clamps the stored values and keeps their scale.
        bounds = activation_range("RELU6", source.scale, source.zero_point)
        self._elementwise(
            Rescaling, operator, input_zero_point=0, requantization=Requantization([UNIT], 0, *bounds)
        )

    def _quantize(self, operator: Operator) -> None:
        self._arity(operator, 1)
        source, target = operator.source(0), operator.output
        if source.dtype == "float32":
            self._affine(operator, target)
            at_the_edge = self._read(operator, source).place == "input"
            _require(at_the_edge, operator, source, "is not the input of the model", USE_INT8)
            self._elementwise(Quantization, operator, scale=target.scale, zero_point=target.zero_point)
            return
        self._affine(operator, source, "int8", "uint8")
        self._affine(operator, target, "int8", "uint8")
        to_int8 = "int8" in (source.dtype, target.dtype)
        _require(to_int8, operator, target, "is uint8 like its input", USE_INT8)
        self._rescale(operator, source, target, *RANGES[target.dtype])

    def _dequantize(self, operator: Operator) -> None:
        self._arity(operator, 1)
        source, target = self._affine(operator, operator.source(0)), operator.output
        _require(target.dtype == "float32", operator, target, f"is {target.dtype}, not float32")
        self._elementwise(Dequantization, operator, scale=source.scale, zero_point=source.zero_point)

    def _reshape(self, operator: Operator) -> None:
        """Convert RESHAPE, EXPAND_DIMS and SQUEEZE: the output is the input."""
        self._arity(operator, 1, 2)
        source, target = operator.source(0), operator.output
        same = source.size == target.size and source.dtype == target.dtype and source.dtype in CTYPES
        _require(same, operator, target, f"is not its input of {source.dtype} in another shape")
        self._check_new(operator, target)
        self.buffers[id(target)] = self._read(operator, source)

    # The whole network.

    def network(self) -> Network:
        """Convert the graph.

        Returns:
            the lowered network

        Raises:
            ModelError: if something is not supported; the message names operator, tensor and remedy
        """
        graph = self.graph
        for tensor, which in ((graph.input, "input"), (graph.output, "output")):
            if tensor.problem:
                raise ModelError(f"tensor '{tensor.name}' {tensor.problem}")
            if tensor.dtype not in CTYPES or tensor.data is not None:
                raise ModelError(f"the {which} '{tensor.name}' is {tensor.dtype}; {USE_INT8}")
        start = Buffer("input", graph.input.size, CTYPES[graph.input.dtype], "input")
        self.buffers[id(graph.input)] = start
        handlers = {
            "ADD": self._add,
            "AVERAGE_POOL_2D": self._pool,
            "CONV_2D": self._conv_2d,
            "DEPTHWISE_CONV_2D": self._depthwise_conv_2d,
            "DEQUANTIZE": self._dequantize,
            "EXPAND_DIMS": self._reshape,
            "ASSIGN_VARIABLE": self._assign_variable,
            "CALL_ONCE": self._call_once,
            "FULLY_CONNECTED": self._fully_connected,
            "HARD_SWISH": self._lookup_function,
            "LEAKY_RELU": self._lookup_function,
            "LOGISTIC": self._lookup_function,
            "MAXIMUM": self._elementwise_extreme,
            "MINIMUM": self._elementwise_extreme,
            "MUL": self._mul,
            "PRELU": self._prelu,
            "READ_VARIABLE": self._read_variable,
            "REDUCE_MAX": self._reduce_max,
            "SOFTMAX": self._softmax,
            "SUB": self._sub,
            "TANH": self._lookup_function,
            "VAR_HANDLE": self._var_handle,
            "MAX_POOL_2D": self._pool,
            "MEAN": self._mean,
            "QUANTIZE": self._quantize,
            "RELU": self._relu,
            "RELU6": self._relu6,
            "RESHAPE": self._reshape,
            "SQUEEZE": self._reshape,
        }
        handlers |= dict.fromkeys(movement.KINDS, self._move)
        supported = {*handlers, *folding.KINDS}
        for number, operator in enumerate(graph.operators):
            self.position = number
            result = operator.outputs[0] if operator.outputs else None
            is_supported = operator.kind in supported
            _require(is_supported, operator, result, "is not supported", USE_SUPPORTED)
            for used in (*filter(None, operator.inputs), *operator.outputs):
                if used.problem:
                    raise ModelError(f"{operator.kind}: tensor '{used.name}' {used.problem}")
            inputs = tuple(self.folded.get(id(tensor), tensor) for tensor in operator.inputs)
            operator = replace(operator, inputs=inputs)
            if operator.outputs and folding.is_known(operator):
                self._fold(operator)
                continue
            problem = f"is {result.dtype} and not known beforehand" if result else "has no output"
            _require(
                operator.kind in handlers, operator, result, problem, "convert with a fixed batch of one"
            )
            handlers[operator.kind](operator)
        output = self._output()
        return Network(
            _merge_pooling([self._with_general_kernel(layer) for layer in self.layers], output),
            start,
            output,
            graph.input.shape,
            graph.output.shape,
            _quantization(graph.input),
            _quantization(graph.output),
            list(self.state.values()),
        )

    def _fold(self, operator: Operator) -> None:
        """Replace the outputs of an operator with constants; it creates no layer."""
        try:
            results = folding.fold(operator)
        except (ValueError, TypeError, IndexError) as error:
            raise _refuse(operator, operator.output, f"cannot be computed: {error}", CONVERT_AGAIN) from error
        for tensor, values in zip(operator.outputs, results, strict=True):
            self._check_new(operator, tensor)
            self.folded[id(tensor)] = replace(tensor, data=values)

    def _with_general_kernel(self, layer: Layer) -> Layer:
        return replace(layer, general=True) if self.general and isinstance(layer, Convolution) else layer

    def _output(self) -> Buffer:
        tensor = self.graph.output
        output = self.buffers.get(id(tensor))
        if output is None:
            raise ModelError(f"the output '{tensor.name}' is never computed; {CONVERT_AGAIN}")
        if output.place != "memory":
            copied = Buffer("output", output.size, output.ctype)
            self.layers.append(Copy("copy", [output], copied, _shape(tensor.shape)))
            output = copied
        output.place = "output"
        for layer in self.layers:
            if isinstance(layer, Dequantization) and layer.output is not output:
                raise ModelError(f"DEQUANTIZE: '{layer.name}' is not the output of the model; {USE_INT8}")
        return output


def _clip_idle_biases(bias: np.ndarray, idle: np.ndarray, requantization: Requantization) -> np.ndarray:
    """Return the biases; those of channels without weights (`idle`) are limited to below 2^30.

    A bias is limited only if the output stays the same. Converters write larger ones; kernels are faster if
    twice any sum fits in 32 bits.
    """
    bounds = requantization.low - requantization.zero_point, requantization.high - requantization.zero_point
    smaller = np.clip(bias, -MAX_IDLE_BIAS, MAX_IDLE_BIAS)
    for channel in np.flatnonzero(idle & (smaller != bias)):
        multiplier = requantization.multipliers[channel]
        outputs = [scaled(int(values[channel]), multiplier) for values in (bias, smaller)]
        if np.clip(outputs[0], *bounds) != np.clip(outputs[1], *bounds):
            smaller[channel] = bias[channel]
    return np.where(idle, smaller, bias)


def _ratio(source: Tensor, target: Tensor) -> float:
    return float(np.float64(source.scale) / np.float64(target.scale))


def _quantization(tensor: Tensor) -> tuple[np.float32, int] | None:
    if tensor.dtype == "float32" or not len(tensor.scales):
        return None
    return tensor.scale, tensor.zero_point


def _transposed(window: Window) -> Window:
    """Return the window with height and width exchanged."""
    return Window(*(getattr(window, field.name)[::-1] for field in fields(Window)))


def _along_width(window: Window, weights: np.ndarray) -> tuple[Window, np.ndarray]:
    """Return window and weights of a 1D convolution of either direction, turned along the width.

    A kernel row that meets only padding is dropped: padding is the zero point, so the row adds nothing.
    """
    if window.input[1] == window.output[1] == 1:
        window, weights = _transposed(window), weights.transpose(0, 2, 1, 3)
    if window.input[0] == window.output[0] == 1 and window.pad[0] % window.dilation[0] == 0:
        row = window.pad[0] // window.dilation[0]
        weights = weights[:, row : row + 1]
        window = replace(
            window, kernel=(1, window.kernel[1]), dilation=(1, window.dilation[1]), pad=(0, window.pad[1])
        )
    if window.kernel == window.stride == (1, 1):
        steps = window.input[0] * window.input[1]
        window = replace(window, input=(1, steps), output=(1, steps))
    return window, weights


def _merge_pooling(layers: list[Layer], output: Buffer) -> list[Layer]:
    """Return the layers with max-pooling merged into the convolution before it, if no other layer reads that.

    The result is exact because requantization and clamping are monotonic.
    """
    merged: list[Layer] = []
    for layer in layers:
        before = merged[-1] if merged else None
        if isinstance(before, Convolution) and isinstance(layer, Pooling):
            steps = None
            readers = [other for other in layers if before.output in other.inputs]
            alone = before.pool is None and before.output is not output and readers == [layer]
            if alone and is_one_dimensional(before):
                steps = _pooled_steps(before.window, layer)
            if steps is not None:
                merged[-1] = _with_pool(before, layer, steps)
                continue
        merged.append(layer)
    return merged


def _with_pool(convolution: Convolution, pooling: Pooling, steps: int) -> Convolution:
    pooling.output.name = convolution.name
    requantization = convolution.requantization
    bounds = [
        min(max(bound, pooling.low), pooling.high) for bound in (requantization.low, requantization.high)
    ]
    return replace(
        convolution,
        output=pooling.output,
        shapes=f"{convolution.shapes} -> {pooling.shapes.split(' -> ')[1]}",
        requantization=replace(requantization, low=bounds[0], high=bounds[1]),
        pool=(2, steps),
    )


def _pooled_steps(convolution: Window, layer: Pooling) -> int | None:
    """Return the output steps of max-pooling by 2 along the width without padding, None for other layers."""
    pooling = layer.window
    if pooling.input[1] == pooling.kernel[1] == 1:
        pooling = _transposed(pooling)
    by_two = pooling.kernel == (1, 2) and pooling.stride[1] == 2 and pooling.pad == (0, 0)
    if layer.mode == "max" and by_two and pooling.input == convolution.output and pooling.output[0] == 1:
        return pooling.output[1]
    return None


def lower(graph: Graph, optimize: str = "speed") -> Network:
    """Convert a graph to layers.

    Args:
        graph: graph of a .tflite file
        optimize: "speed", or "size" for one kernel for convolutions and dense layers of all shapes

    Returns:
        the lowered network

    Raises:
        ModelError: if something is not supported; the message names operator, tensor and remedy
    """
    return Lowering(graph, optimize).network()
