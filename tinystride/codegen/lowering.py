"""From the graph of a .tflite file to layers: operators checked, reshapes dropped, max-pooling merged."""

import re
from dataclasses import fields, replace
from math import prod

import numpy as np

from tinystride.codegen.graph import Graph, Operator, Tensor
from tinystride.codegen.layers import (
    Addition,
    Buffer,
    Convolution,
    Copy,
    DepthwiseConvolution,
    Dequantization,
    Layer,
    Mean,
    Network,
    Pooling,
    Quantization,
    Requantization,
    Rescaling,
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
)
from tinystride.errors import ModelError

AGAIN = "convert the model again"
TO_INT8 = "quantize the model to int8"
ONE = Multiplier(1 << 30, 1)
SUM_LIMIT = (1 << 31) - 1  # what an int32 sum can reach
MAX_SHIFT = 30
MAX_STEPS = 1 << 16
SCALES = 1e-12, 1e12
CTYPES = {"int8": "int8_t", "uint8": "uint8_t", "float32": "float"}
RANGES = {"int8": (INT8_MIN, INT8_MAX), "uint8": (0, 255)}
OPERATION_NAME = re.compile(
    "biasadd|matmul|convolution|squeeze|expanddims1?|reshape|maxpool|maxpool[12]d|avgpool|relu6?|mean|add"
    "|depthwise|call|partitionedcall|quantize|dequantize"
)


def _refuse(operator: Operator, tensor: Tensor | None, problem: str, remedy: str) -> ModelError:
    what = operator.kind if tensor is None else f"{operator.kind}: tensor '{tensor.name}'"
    return ModelError(f"{what} {problem}; {remedy}")


def _require(
    fact: bool, operator: Operator, tensor: Tensor | None, problem: str, remedy: str = AGAIN
) -> None:
    if not fact:
        raise _refuse(operator, tensor, problem, remedy)


def _shape(shape: tuple[int, ...]) -> str:
    """`[108, 6]`: a shape for a comment, without the axes of length one that converters add."""
    return "[" + ", ".join(str(n) for n in shape if n > 1) + "]" if prod(shape) > 1 else "[1]"


class LayerNames:
    """Names of C for layers, after the names that the model's author gave them; each only once."""

    def __init__(self):
        self.used: set[str] = set()

    def take(self, tensor: Tensor, kind: str) -> str:
        """The last telling part of a tensor's name: `functional/conv1d_1/Relu;…` gives `conv1d_1`."""
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
    def __init__(self, graph: Graph):
        self.graph = graph
        self.names = LayerNames()
        self.buffers: dict[int, Buffer] = {}
        self.layers: list[Layer] = []

    # What tensors may be

    def _scales(self, operator: Operator, tensor: Tensor) -> np.ndarray:
        scales = tensor.scales.astype(np.float64)
        sensible = len(scales) > 0 and bool(np.all((scales > SCALES[0]) & (scales < SCALES[1])))
        _require(sensible, operator, tensor, "has no sensible scale", TO_INT8)
        return scales

    def _affine(self, operator: Operator, tensor: Tensor, *dtypes: str) -> Tensor:
        """Check that a tensor is int8 (or of `dtypes`), with one scale and a zero point within its range."""
        allowed = dtypes or ("int8",)
        problem = f"is {tensor.dtype}, not {' or '.join(allowed)}"
        _require(tensor.dtype in allowed, operator, tensor, problem, TO_INT8)
        count = len(self._scales(operator, tensor))
        _require(count == 1, operator, tensor, f"has {count} scales", "quantize activations per tensor")
        low, high = RANGES[tensor.dtype]
        _require(
            low <= tensor.zero_point <= high, operator, tensor, f"has the zero point {tensor.zero_point}"
        )
        return tensor

    def _constant(self, operator: Operator, tensor: Tensor | None, dtype: str) -> np.ndarray:
        given = tensor is not None and tensor.data is not None and tensor.dtype == dtype
        _require(given, operator, tensor, f"is not a constant of {dtype}", TO_INT8)
        return tensor.data

    def _arity(self, operator: Operator, least: int, most: int | None = None) -> None:
        given = len(operator.inputs)
        fits = least <= given <= (most or least) and len(operator.outputs) == 1
        _require(fits, operator, None, f"has {given} inputs and {len(operator.outputs)} outputs")
        _require(None not in operator.inputs[:least], operator, None, "lacks an input")

    def _image(self, operator: Operator, tensor: Tensor) -> tuple[int, ...]:
        """The shape [1, height, width, channels] of a tensor."""
        fits = len(tensor.shape) == 4 and tensor.shape[0] == 1
        problem = f"has the shape {list(tensor.shape)}, not [1, height, width, channels]"
        _require(fits, operator, tensor, problem, "convert with a fixed batch of one")
        return tensor.shape

    def _multiplier(self, operator: Operator, factor: float) -> Multiplier:
        multiplier = quantize_multiplier(float(factor))
        _require(multiplier.shift <= MAX_SHIFT, operator, operator.output, "has too small a scale", TO_INT8)
        return multiplier

    # Buffers and layers

    def _read(self, operator: Operator, tensor: Tensor) -> Buffer:
        if id(tensor) not in self.buffers:
            _require(tensor.data is not None, operator, tensor, "is used before it is computed")
            name = self.names.take(tensor, "constant")
            self.buffers[id(tensor)] = Buffer(
                name, tensor.size, CTYPES[tensor.dtype], "constant", tensor.data.ravel()
            )
        return self.buffers[id(tensor)]

    def _check_new(self, operator: Operator) -> None:
        new = id(operator.output) not in self.buffers and operator.output.data is None
        _require(new, operator, operator.output, "is computed twice")

    def _append(self, kind: type[Layer], operator: Operator, sources: list[Tensor], **values) -> None:
        """Add a layer that computes the operator's output from `sources`."""
        target = operator.output
        inputs = [self._read(operator, source) for source in sources]
        self._check_new(operator)
        name = self.names.take(target, operator.kind)
        output = self.buffers[id(target)] = Buffer(name, target.size, CTYPES[target.dtype])
        shapes = " + ".join(_shape(source.shape) for source in sources) + f" -> {_shape(target.shape)}"
        self.layers.append(kind(name, inputs, output, shapes, **values))

    # Parts of operators

    def _activation(self, operator: Operator) -> tuple[int, int]:
        activation, output = operator.options["Activation"], operator.output
        known = activation in ("NONE", "RELU", "RELU6", "RELU_N1_TO_1")
        _require(known, operator, output, f"has the activation {activation}", "use RELU or RELU6")
        low, high = activation_range(activation, output.scale, output.zero_point)
        _require(low <= high, operator, output, "has an empty range")
        return low, high

    def _requantization(self, operator: Operator, multipliers: list[Multiplier]) -> Requantization:
        zero_point = self._affine(operator, operator.output).zero_point
        return Requantization(multipliers, zero_point, *self._activation(operator))

    def _window(self, operator: Operator, kernel: tuple[int, ...]) -> Window:
        options = operator.options
        _, *size, _ = self._image(operator, operator.inputs[0])
        _, *result, _ = self._image(operator, operator.output)
        stride = (options["StrideH"], options["StrideW"])
        dilation = (options.get("DilationHFactor", 1), options.get("DilationWFactor", 1))
        sensible = all(0 < n <= MAX_STEPS for n in (*kernel, *stride, *dilation))
        _require(sensible, operator, None, f"has kernel {kernel}, stride {stride}, dilation {dilation}")
        same = options["Padding"] == "SAME"
        pad = []
        for n, k, s, d, out in zip(size, kernel, stride, dilation, result, strict=True):
            reach = (k - 1) * d + 1
            steps = -(-n // s) if same else (n - reach) // s + 1
            _require(out == steps, operator, operator.output, f"has {out} steps where {steps} follow")
            pad.append(max((out - 1) * s + reach - n, 0) // 2 if same else 0)
        return Window(kernel, stride, dilation, tuple(pad), tuple(size), tuple(result))

    def _weighted(self, operator: Operator, channel_axis: int, channels: int) -> dict:
        """Fields of a layer with weights: bias, zero point of the input, requantization."""
        source, weights = self._affine(operator, operator.inputs[0]), operator.inputs[1]
        target = self._affine(operator, operator.output)
        scales = self._scales(operator, weights)
        per_channel = len(scales) == channels and weights.channel_axis == channel_axis
        fits = len(scales) == 1 or per_channel
        _require(fits, operator, weights, f"has {len(scales)} scales for {channels} channels")
        symmetric = not np.any(weights.zero_points)
        _require(symmetric, operator, weights, "has a zero point", "quantize weights symmetrically")
        bias = np.zeros(channels, np.int64)
        if len(operator.inputs) > 2 and operator.inputs[2] is not None:
            bias = self._constant(operator, operator.inputs[2], "int32").ravel().astype(np.int64)
            _require(len(bias) == channels, operator, operator.inputs[2], f"has {len(bias)} values")
        others = tuple(axis for axis in range(weights.data.ndim) if axis != channel_axis)
        # Kernels add up stored inputs or differences to a zero point, both at most 256 in size.
        largest = np.abs(weights.data.astype(np.int64)).sum(axis=others) * 256 + np.abs(bias)
        factors = np.broadcast_to(np.float64(source.scale) * scales / np.float64(target.scale), channels)
        multipliers = [self._multiplier(operator, factor) for factor in factors]
        # Scaling shifts to the left first, and a zero point is added last.
        reached = np.maximum(
            largest << np.maximum([multiplier.shift for multiplier in multipliers], 0),
            np.ceil(largest * factors) + 256,
        )
        small = max(largest.max(), reached.max()) <= SUM_LIMIT
        _require(small, operator, weights, "has sums that may overflow 32 bits", "use smaller layers")
        return {
            "bias": bias,
            "input_zero_point": source.zero_point,
            "requantization": self._requantization(operator, multipliers),
        }

    def _kernel(self, operator: Operator) -> tuple[int, ...]:
        weights = operator.inputs[1]
        self._constant(operator, weights, "int8")
        _require(len(weights.shape) == 4, operator, weights, f"has the shape {list(weights.shape)}")
        return weights.shape

    # Operators

    def _conv_2d(self, operator: Operator) -> None:
        self._arity(operator, 2, 3)
        source, weights = operator.inputs[:2]
        channels, *kernel, depth = self._kernel(operator)
        window = self._window(operator, tuple(kernel))
        ungrouped = source.shape[-1] == depth and operator.output.shape[-1] == channels
        problem = f"has the shape {list(weights.shape)}"
        _require(ungrouped, operator, weights, problem, "use ungrouped convolutions")
        window, values = _along_width(window, weights.data)
        weighted = self._weighted(operator, 0, channels)
        self._append(Convolution, operator, [source], window=window, weights=values, **weighted)

    def _fully_connected(self, operator: Operator) -> None:
        self._arity(operator, 2, 3)
        source, weights = operator.inputs[:2]
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
        source, weights = operator.inputs[:2]
        groups, *kernel, channels = self._kernel(operator)
        window = self._window(operator, tuple(kernel))
        depth = source.shape[-1]
        fits = groups == 1 and channels % depth == 0 and operator.output.shape[-1] == channels
        _require(fits, operator, weights, f"has the shape {list(weights.shape)}")
        if depth == 1:  # is a convolution
            window, values = _along_width(window, weights.data.transpose(3, 1, 2, 0))
            weighted = self._weighted(operator, 3, channels)
            self._append(Convolution, operator, [source], window=window, weights=values, **weighted)
            return
        self._append(
            DepthwiseConvolution,
            operator,
            [source],
            window=window,
            weights=weights.data[0],
            depth_multiplier=channels // depth,
            **self._weighted(operator, 3, channels),
        )

    def _pool(self, operator: Operator) -> None:
        self._arity(operator, 1)
        source = self._affine(operator, operator.inputs[0])
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

    def _mean(self, operator: Operator) -> None:
        self._arity(operator, 2)
        source = self._affine(operator, operator.inputs[0])
        target = self._affine(operator, operator.output)
        named = self._constant(operator, operator.inputs[1], "int32").ravel().tolist()
        rank = len(source.shape)
        known = all(-rank <= axis < rank for axis in named)
        _require(known, operator, operator.inputs[1], f"names the axes {named}")
        axes = [axis for axis in sorted({axis % rank for axis in named}) if source.shape[axis] > 1]
        between = range(axes[0], axes[-1] + 1) if axes else range(0)
        adjacent = all(axis in axes or source.shape[axis] == 1 for axis in between)
        problem = f"is averaged over the axes {named}, which are apart"
        _require(adjacent, operator, source, problem, "average over neighbouring axes")
        count = prod(source.shape[axis] for axis in axes)
        outer = prod(source.shape[: axes[0]]) if axes else 1
        inner = source.size // count // outer
        _require(target.size == outer * inner, operator, target, f"has {target.size} elements")
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
        sources = [self._affine(operator, tensor) for tensor in operator.inputs]
        for source in sources:
            problem = f"of {list(source.shape)} would be broadcast to {list(target.shape)}"
            same = source.size == target.size
            _require(same, operator, source, problem, "give both inputs the same shape")
        twice_largest = 2 * np.float64(max(source.scale for source in sources))
        result = twice_largest / (np.float64(1 << 20) * np.float64(target.scale))
        _require(result < 1, operator, target, "has too small a scale")
        self._append(
            Addition,
            operator,
            sources,
            zero_points=tuple(source.zero_point for source in sources),
            multipliers=tuple(
                self._multiplier(operator, np.float64(source.scale) / twice_largest) for source in sources
            ),
            requantization=self._requantization(operator, [self._multiplier(operator, result)]),
        )

    def _elementwise(self, kind: type[Layer], operator: Operator, **values) -> None:
        source, target = operator.inputs[0], operator.output
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
        source, target = self._affine(operator, operator.inputs[0]), self._affine(operator, operator.output)
        self._rescale(operator, source, target, target.zero_point, INT8_MAX)

    def _relu6(self, operator: Operator) -> None:
        self._arity(operator, 1)
        source = self._affine(operator, operator.inputs[0])
        self._affine(operator, operator.output)
        # TFLM clamps the stored values and leaves their scale alone.
        bounds = activation_range("RELU6", source.scale, source.zero_point)
        self._elementwise(
            Rescaling, operator, input_zero_point=0, requantization=Requantization([ONE], 0, *bounds)
        )

    def _quantize(self, operator: Operator) -> None:
        self._arity(operator, 1)
        source, target = operator.inputs[0], operator.output
        if source.dtype == "float32":
            self._affine(operator, target)
            at_the_edge = self._read(operator, source).place == "input"
            _require(at_the_edge, operator, source, "is not the input of the model", TO_INT8)
            self._elementwise(Quantization, operator, scale=target.scale, zero_point=target.zero_point)
            return
        self._affine(operator, source, "int8", "uint8")
        self._affine(operator, target, "int8", "uint8")
        to_int8 = "int8" in (source.dtype, target.dtype)
        _require(to_int8, operator, target, "is uint8 like its input", TO_INT8)
        self._rescale(operator, source, target, *RANGES[target.dtype])

    def _dequantize(self, operator: Operator) -> None:
        self._arity(operator, 1)
        source, target = self._affine(operator, operator.inputs[0]), operator.output
        _require(target.dtype == "float32", operator, target, f"is {target.dtype}, not float32")
        self._elementwise(Dequantization, operator, scale=source.scale, zero_point=source.zero_point)

    def _vanish(self, operator: Operator) -> None:
        """RESHAPE, EXPAND_DIMS and SQUEEZE: the output is the input."""
        self._arity(operator, 1, 2)
        source, target = operator.inputs[0], operator.output
        same = source.size == target.size and source.dtype == target.dtype and source.dtype in CTYPES
        _require(same, operator, target, f"is not its input of {source.dtype} in another shape")
        as_before = np.array_equal(source.scales, target.scales) and np.array_equal(
            source.zero_points, target.zero_points
        )
        _require(as_before, operator, target, "is quantized differently from its input")
        self._check_new(operator)
        self.buffers[id(target)] = self._read(operator, source)

    # The whole

    def network(self) -> Network:
        graph = self.graph
        for tensor, which in ((graph.input, "input"), (graph.output, "output")):
            if tensor.problem:
                raise ModelError(f"tensor '{tensor.name}' {tensor.problem}")
            if tensor.dtype not in CTYPES or tensor.data is not None:
                raise ModelError(f"the {which} '{tensor.name}' is {tensor.dtype}; {TO_INT8}")
        start = Buffer("input", graph.input.size, CTYPES[graph.input.dtype], "input")
        self.buffers[id(graph.input)] = start
        handlers = {
            "ADD": self._add,
            "AVERAGE_POOL_2D": self._pool,
            "CONV_2D": self._conv_2d,
            "DEPTHWISE_CONV_2D": self._depthwise_conv_2d,
            "DEQUANTIZE": self._dequantize,
            "EXPAND_DIMS": self._vanish,
            "FULLY_CONNECTED": self._fully_connected,
            "MAX_POOL_2D": self._pool,
            "MEAN": self._mean,
            "QUANTIZE": self._quantize,
            "RELU": self._relu,
            "RELU6": self._relu6,
            "RESHAPE": self._vanish,
            "SQUEEZE": self._vanish,
        }
        for operator in graph.operators:
            tensor = operator.outputs[0] if operator.outputs else None
            known = operator.kind in handlers
            _require(known, operator, tensor, "is not supported", f"use {', '.join(handlers)}")
            for tensor in (*filter(None, operator.inputs), *operator.outputs):
                if tensor.problem:
                    raise ModelError(f"{operator.kind}: tensor '{tensor.name}' {tensor.problem}")
            handlers[operator.kind](operator)
        output = self._output()
        return Network(
            _merge_pooling(self.layers, output),
            start,
            output,
            graph.input.shape,
            graph.output.shape,
            _quantization(graph.input),
            _quantization(graph.output),
        )

    def _output(self) -> Buffer:
        tensor = self.graph.output
        output = self.buffers.get(id(tensor))
        if output is None:
            raise ModelError(f"the output '{tensor.name}' is never computed; {AGAIN}")
        if output.place != "memory":
            copied = Buffer("output", output.size, output.ctype)
            self.layers.append(Copy("copy", [output], copied, _shape(tensor.shape)))
            output = copied
        output.place = "output"
        for layer in self.layers:
            if isinstance(layer, Dequantization) and layer.output is not output:
                raise ModelError(f"DEQUANTIZE: '{layer.name}' is not the output of the model; {TO_INT8}")
        return output


def _ratio(source: Tensor, target: Tensor) -> float:
    return float(np.float64(source.scale) / np.float64(target.scale))


def _quantization(tensor: Tensor) -> tuple[np.float32, int] | None:
    if tensor.dtype == "float32" or not len(tensor.scales):
        return None
    return tensor.scale, tensor.zero_point


def _transposed(window: Window) -> Window:
    """The window with height and width exchanged."""
    return Window(*(getattr(window, field.name)[::-1] for field in fields(Window)))


def _along_width(window: Window, weights: np.ndarray) -> tuple[Window, np.ndarray]:
    """Turn a one-dimensional convolution along the height into one along the width; drop unused rows.

    A kernel row that only ever meets padding adds nothing, since padding is the zero point.
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
    """Merge max-pooling into the convolution before it, where nobody else reads what lies between.

    Exact since requantization and clamping never decrease as the sum grows.
    """
    merged: list[Layer] = []
    for layer in layers:
        before = merged[-1] if merged else None
        steps = None
        if isinstance(before, Convolution) and before.pool is None and before.output is not output:
            readers = [other for other in layers if before.output in other.inputs]
            if readers == [layer] and isinstance(layer, Pooling) and is_one_dimensional(before):
                steps = _pooled_steps(before.window, layer)
        if steps is None:
            merged.append(layer)
            continue
        layer.output.name = before.name
        requantization = before.requantization
        bounds = [
            min(max(bound, layer.low), layer.high) for bound in (requantization.low, requantization.high)
        ]
        merged[-1] = replace(
            before,
            output=layer.output,
            shapes=f"{before.shapes} -> {layer.shapes.split(' -> ')[1]}",
            requantization=replace(requantization, low=bounds[0], high=bounds[1]),
            pool=(2, steps),
        )
    return merged


def _pooled_steps(convolution: Window, layer: Pooling) -> int | None:
    """The steps that are left if the layer is max-pooling by 2 along the width, without padding before."""
    pooling = layer.window
    if pooling.input[1] == pooling.kernel[1] == 1:
        pooling = _transposed(pooling)
    by_two = pooling.kernel == (1, 2) and pooling.stride[1] == 2 and pooling.pad == (0, 0)
    if layer.mode == "max" and by_two and pooling.input == convolution.output and pooling.output[0] == 1:
        return pooling.output[1]
    return None


def lower(graph: Graph) -> Network:
    """Raises ModelError, naming operator, tensor and remedy, for what is not supported."""
    return Lowering(graph).network()
