"""From the graph of a .tflite file to layers: operators checked, reshapes dropped, max-pooling merged."""

import re
from dataclasses import replace
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

VANISHING = {"RESHAPE", "EXPAND_DIMS", "SQUEEZE"}
ONE = Multiplier(1 << 30, 1)
SUM_LIMIT = (1 << 30) - 1  # an int32 sum stays below this with the rounding added
CTYPES = {"int8": "int8_t", "uint8": "uint8_t", "float32": "float"}
RANGES = {"int8_t": (INT8_MIN, INT8_MAX), "uint8_t": (0, 255)}
MAX_STEPS = 1 << 16
OPERATION_NAME = re.compile(
    "biasadd|matmul|convolution|squeeze|expanddims1?|reshape|maxpool|maxpool[12]d|avgpool|relu6?|mean|add"
    "|depthwise|call|partitionedcall|quantize|dequantize"
)


def _refuse(operator: Operator, tensor: Tensor | None, problem: str, remedy: str) -> ModelError:
    what = operator.kind if tensor is None else f"{operator.kind}: tensor '{tensor.name}'"
    return ModelError(f"{what} {problem}; {remedy}")


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
        if not re.match(r"[a-z]\w{0,39}$", base) or base.startswith("stateful"):
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

    def _affine(self, operator: Operator, tensor: Tensor, dtypes=("int8",)) -> Tensor:
        """Check that a tensor is of one of these types, with one scale and a zero point within its range."""
        if tensor.dtype not in dtypes:
            raise _refuse(
                operator,
                tensor,
                f"is {tensor.dtype}, not {' or '.join(dtypes)}",
                "quantize the model to int8",
            )
        self._scales(operator, tensor)
        if len(tensor.scales) != 1:
            raise _refuse(
                operator, tensor, f"has {len(tensor.scales)} scales", "quantize activations per tensor"
            )
        low, high = RANGES[CTYPES[tensor.dtype]]
        if not low <= tensor.zero_point <= high:
            raise _refuse(operator, tensor, f"has the zero point {tensor.zero_point}", "convert again")
        return tensor

    def _scales(self, operator: Operator, tensor: Tensor) -> np.ndarray:
        scales = tensor.scales
        if not len(scales) or not np.all(np.isfinite(scales)) or not np.all(scales > 0):
            raise _refuse(operator, tensor, "has no positive finite scale", "quantize the model to int8")
        return scales.astype(np.float64)

    def _constant(self, operator: Operator, tensor: Tensor | None, dtype: str) -> np.ndarray:
        if tensor is None or tensor.data is None or tensor.dtype != dtype:
            raise _refuse(operator, tensor, f"is not a constant of {dtype}", "quantize the model to int8")
        return tensor.data

    def _arity(self, operator: Operator, least: int, most: int | None = None) -> None:
        given = len(operator.inputs)
        if not least <= given <= (most or least) or len(operator.outputs) != 1:
            raise _refuse(
                operator, None, f"with {given} inputs and {len(operator.outputs)} outputs", "convert again"
            )
        if any(tensor is None for tensor in operator.inputs[:least]):
            raise _refuse(operator, None, "without one of its inputs", "convert again")

    # Buffers

    def _read(self, operator: Operator, tensor: Tensor) -> Buffer:
        if id(tensor) not in self.buffers:
            if tensor.data is None:
                raise _refuse(operator, tensor, "is used before it is computed", "convert again")
            name = self.names.take(tensor, "constant")
            buffer = Buffer(name, tensor.size, CTYPES[tensor.dtype], "constant", tensor.data.ravel())
            self.buffers[id(tensor)] = buffer
        return self.buffers[id(tensor)]

    def _write(self, operator: Operator, name: str) -> Buffer:
        tensor = operator.output
        if id(tensor) in self.buffers or tensor.data is not None:
            raise _refuse(operator, tensor, "is computed twice", "convert again")
        buffer = Buffer(name, tensor.size, CTYPES[tensor.dtype])
        self.buffers[id(tensor)] = buffer
        return buffer

    # Windows

    def _four(self, operator: Operator, tensor: Tensor) -> tuple[int, int, int, int]:
        if len(tensor.shape) != 4 or tensor.shape[0] != 1:
            raise _refuse(
                operator,
                tensor,
                f"has the shape {list(tensor.shape)}, not [1, height, width, channels]",
                "convert with a fixed batch of one",
            )
        return tensor.shape

    def _window(self, operator: Operator, kernel: tuple[int, int]) -> Window:
        options = operator.options
        _, *size, _ = self._four(operator, operator.inputs[0])
        _, *result, _ = self._four(operator, operator.output)
        stride = (options["StrideH"], options["StrideW"])
        dilation = (options.get("DilationHFactor", 1), options.get("DilationWFactor", 1))
        if not all(0 < n <= MAX_STEPS for n in (*kernel, *stride, *dilation)):
            raise _refuse(
                operator, None, f"with kernel {kernel}, stride {stride}, dilation {dilation}", "convert again"
            )
        pads = []
        for n, k, s, d, out in zip(size, kernel, stride, dilation, result, strict=True):
            reach = (k - 1) * d + 1
            same = options["Padding"] == "SAME"
            expected = -(-n // s) if same else (n - reach) // s + 1
            if out != expected:
                raise _refuse(
                    operator, operator.output, f"has {out} steps where {expected} follow", "convert again"
                )
            pads.append(max((out - 1) * s + reach - n, 0) // 2 if same else 0)
        return Window(kernel, stride, dilation, tuple(pads), tuple(size), tuple(result))

    # Operators

    def _requantization(self, operator: Operator, multipliers: list[Multiplier]) -> Requantization:
        output = self._affine(operator, operator.output)
        low, high = self._activation(operator)
        return Requantization(multipliers, output.zero_point, low, high)

    def _activation(self, operator: Operator) -> tuple[int, int]:
        activation = operator.options["Activation"]
        if activation not in ("NONE", "RELU", "RELU6", "RELU_N1_TO_1"):
            raise _refuse(operator, operator.output, f"has the activation {activation}", "use RELU or RELU6")
        low, high = activation_range(activation, operator.output.scale, operator.output.zero_point)
        if low > high:
            raise _refuse(operator, operator.output, "has an empty range", "convert again")
        return low, high

    def _weighted(self, operator: Operator, channel_axis: int, out_channels: int):
        """Weights, bias and one multiplier per output channel of a convolution or a dense layer."""
        source, weights = self._affine(operator, operator.inputs[0]), operator.inputs[1]
        values = self._constant(operator, weights, "int8")
        scales = self._scales(operator, weights)
        if len(scales) not in (1, out_channels) or (len(scales) > 1 and weights.channel_axis != channel_axis):
            raise _refuse(
                operator, weights, f"has {len(scales)} scales for {out_channels} channels", "convert again"
            )
        if np.any(weights.zero_points):
            raise _refuse(
                operator, weights, "has weights with a zero point", "quantize weights symmetrically"
            )
        bias = np.zeros(out_channels, np.int64)
        if len(operator.inputs) > 2 and operator.inputs[2] is not None:
            bias = self._constant(operator, operator.inputs[2], "int32").ravel().astype(np.int64)
            if len(bias) != out_channels:
                raise _refuse(operator, operator.inputs[2], f"has {len(bias)} biases", "convert again")
        target = self._affine(operator, operator.output)
        if operator.kind == "FULLY_CONNECTED" and len(scales) == 1:
            # TFLM multiplies these two scales in single precision here, and only here.
            product = np.float64(source.scale * np.float32(scales[0]))
            factors = [product / np.float64(target.scale)] * out_channels
        else:
            factors = (
                np.float64(source.scale) * np.broadcast_to(scales, out_channels) / np.float64(target.scale)
            )
        others = tuple(axis for axis in range(values.ndim) if axis != channel_axis)
        largest = np.abs(values.astype(np.int64)).sum(axis=others) * 255 + np.abs(bias)
        if largest.max() > SUM_LIMIT:
            raise _refuse(operator, weights, "has sums that may overflow 32 bits", "use smaller layers")
        return values, bias, source, [quantize_multiplier(float(f)) for f in factors]

    def _conv_2d(self, operator: Operator) -> None:
        self._arity(operator, 2, 3)
        source, weights = operator.inputs[:2]
        out_channels, *kernel, in_channels = self._four_weights(operator, weights)
        if source.shape[-1] != in_channels or operator.output.shape[-1] != out_channels:
            raise _refuse(
                operator, weights, f"has the shape {list(weights.shape)}", "use ungrouped convolutions"
            )
        window = self._window(operator, tuple(kernel))
        values, bias, source, multipliers = self._weighted(operator, 0, out_channels)
        self._convolution(operator, window, values, bias, multipliers)

    def _four_weights(self, operator: Operator, weights: Tensor) -> tuple[int, ...]:
        self._constant(operator, weights, "int8")
        if len(weights.shape) != 4:
            raise _refuse(operator, weights, f"has the shape {list(weights.shape)}", "convert again")
        return weights.shape

    def _fully_connected(self, operator: Operator) -> None:
        self._arity(operator, 2, 3)
        source, weights = operator.inputs[:2]
        if operator.options["WeightsFormat"] != 0 or len(weights.shape) != 2:
            raise _refuse(operator, weights, "has shuffled weights", "convert again")
        out_channels, in_channels = weights.shape
        steps = source.size // in_channels
        if source.size != steps * in_channels or operator.output.size != steps * out_channels:
            raise _refuse(operator, source, f"has {source.size} elements for {in_channels}", "convert again")
        values, bias, source, multipliers = self._weighted(operator, 0, out_channels)
        window = Window((1, 1), (1, 1), (1, 1), (0, 0), (1, steps), (1, steps))
        self._convolution(operator, window, values[:, None, None, :], bias, multipliers)

    def _convolution(self, operator, window: Window, weights, bias, multipliers) -> None:
        name = self.names.take(operator.output, operator.kind)
        source = operator.inputs[0]
        buffers = [self._read(operator, source)], self._write(operator, name)
        requantization = self._requantization(operator, multipliers)
        window, weights = _along_width(window, weights)
        self.layers.append(
            Convolution(
                name,
                *buffers,
                f"{_shape(source.shape)} -> {_shape(operator.output.shape)}",
                window,
                weights,
                bias,
                source.zero_point,
                requantization,
            )
        )

    def _depthwise_conv_2d(self, operator: Operator) -> None:
        self._arity(operator, 2, 3)
        source, weights = operator.inputs[:2]
        _, *kernel, out_channels = self._four_weights(operator, weights)
        in_channels = source.shape[-1]
        depth_multiplier = out_channels // in_channels
        if (
            weights.shape[0] != 1
            or out_channels != in_channels * depth_multiplier
            or operator.output.shape[-1] != out_channels
        ):
            raise _refuse(operator, weights, f"has the shape {list(weights.shape)}", "convert again")
        window = self._window(operator, tuple(kernel))
        values, bias, source, multipliers = self._weighted(operator, 3, out_channels)
        name = self.names.take(operator.output, operator.kind)
        self.layers.append(
            DepthwiseConvolution(
                name,
                [self._read(operator, source)],
                self._write(operator, name),
                f"{_shape(source.shape)} -> {_shape(operator.output.shape)}",
                window,
                values[0],
                bias,
                depth_multiplier,
                source.zero_point,
                self._requantization(operator, multipliers),
            )
        )

    def _pool(self, operator: Operator) -> None:
        self._arity(operator, 1)
        source = self._affine(operator, operator.inputs[0])
        self._affine(operator, operator.output)
        window = self._window(operator, (operator.options["FilterHeight"], operator.options["FilterWidth"]))
        if source.shape[-1] != operator.output.shape[-1]:
            raise _refuse(operator, source, "changes its channels", "convert again")
        name = self.names.take(operator.output, operator.kind)
        mode = "max" if operator.kind == "MAX_POOL_2D" else "average"
        low, high = self._activation(operator)
        self.layers.append(
            Pooling(
                name,
                [self._read(operator, source)],
                self._write(operator, name),
                f"{_shape(source.shape)} -> {_shape(operator.output.shape)}",
                mode,
                window,
                source.shape[-1],
                low,
                high,
            )
        )

    def _mean(self, operator: Operator) -> None:
        self._arity(operator, 2)
        source = self._affine(operator, operator.inputs[0])
        target = self._affine(operator, operator.output)
        axes = self._constant(operator, operator.inputs[1], "int32").ravel()
        rank = len(source.shape)
        if not all(-rank <= axis < rank for axis in axes):
            raise _refuse(operator, operator.inputs[1], f"names the axes {axes.tolist()}", "convert again")
        axes = sorted({int(axis) % rank for axis in axes})
        longer = [axis for axis in axes if source.shape[axis] > 1]
        first, last = (longer[0], longer[-1]) if longer else (0, -1)
        if any(source.shape[axis] > 1 and axis not in longer for axis in range(first, last + 1)):
            raise _refuse(
                operator, source, "is averaged over axes that are apart", "average over neighbouring axes"
            )
        count = prod(source.shape[axis] for axis in longer)
        outer = prod(source.shape[:first])
        inner = source.size // count // outer
        if target.size != outer * inner:
            raise _refuse(operator, target, f"has {target.size} elements", "convert again")
        factor = float(np.float64(source.scale) / np.float64(target.scale))
        name = self.names.take(operator.output, operator.kind)
        self.layers.append(
            Mean(
                name,
                [self._read(operator, source)],
                self._write(operator, name),
                f"{_shape(source.shape)} -> {_shape(target.shape)}",
                outer,
                count,
                inner,
                source.zero_point,
                target.zero_point,
                mean_multiplier(factor, count),
            )
        )

    def _add(self, operator: Operator) -> None:
        self._arity(operator, 2)
        sources = [self._affine(operator, tensor) for tensor in operator.inputs]
        target = self._affine(operator, operator.output)
        for source in sources:
            if source.size != target.size:
                raise _refuse(
                    operator,
                    source,
                    f"of {list(source.shape)} would be broadcast to {list(target.shape)}",
                    "give both inputs the same shape",
                )
        twice_largest = 2 * np.float64(max(source.scale for source in sources))
        factors = [float(np.float64(source.scale) / twice_largest) for source in sources]
        result = float(twice_largest / (np.float64(1 << 20) * np.float64(target.scale)))
        if not 0 < result < 1:
            raise _refuse(operator, target, "has too small a scale", "convert again")
        name = self.names.take(operator.output, operator.kind)
        self.layers.append(
            Addition(
                name,
                [self._read(operator, source) for source in sources],
                self._write(operator, name),
                f"{_shape(target.shape)} + {_shape(target.shape)}",
                tuple(source.zero_point for source in sources),
                tuple(quantize_multiplier(factor) for factor in factors),
                self._requantization(operator, [quantize_multiplier(result)]),
            )
        )

    def _rescaling(self, operator: Operator, input_zero_point: int, requantization: Requantization) -> None:
        source = operator.inputs[0]
        if source.size != operator.output.size:
            raise _refuse(operator, operator.output, "has another size than its input", "convert again")
        name = self.names.take(operator.output, operator.kind)
        self.layers.append(
            Rescaling(
                name,
                [self._read(operator, source)],
                self._write(operator, name),
                _shape(source.shape),
                input_zero_point,
                requantization,
            )
        )

    def _relu(self, operator: Operator) -> None:
        self._arity(operator, 1)
        source, target = self._affine(operator, operator.inputs[0]), self._affine(operator, operator.output)
        factor = quantize_multiplier(float(np.float64(source.scale) / np.float64(target.scale)))
        low = max(INT8_MIN, target.zero_point)
        self._rescaling(
            operator, source.zero_point, Requantization([factor], target.zero_point, low, INT8_MAX)
        )

    def _relu6(self, operator: Operator) -> None:
        self._arity(operator, 1)
        source = self._affine(operator, operator.inputs[0])
        self._affine(operator, operator.output)
        # TFLM clamps the stored values and leaves their scale alone.
        low, high = activation_range("RELU6", source.scale, source.zero_point)
        self._rescaling(operator, 0, Requantization([ONE], 0, low, high))

    def _quantize(self, operator: Operator) -> None:
        self._arity(operator, 1)
        source, target = operator.inputs[0], operator.output
        if source.dtype == "float32":
            if self._read(operator, source).place != "input":
                raise _refuse(operator, source, "is not the input of the model", "quantize the model to int8")
            self._edge(Quantization, operator, self._affine(operator, target))
            return
        self._affine(operator, source, ("int8", "uint8"))
        self._affine(operator, target, ("int8", "uint8"))
        if source.dtype == target.dtype == "uint8":
            raise _refuse(operator, target, "is uint8 like its source", "quantize the model to int8")
        factor = quantize_multiplier(float(np.float64(source.scale) / np.float64(target.scale)))
        low, high = RANGES[CTYPES[target.dtype]]
        self._rescaling(operator, source.zero_point, Requantization([factor], target.zero_point, low, high))

    def _dequantize(self, operator: Operator) -> None:
        self._arity(operator, 1)
        source, target = self._affine(operator, operator.inputs[0]), operator.output
        if target.dtype != "float32":
            raise _refuse(operator, target, f"is {target.dtype}, not float32", "convert again")
        self._edge(Dequantization, operator, source)

    def _edge(self, kind: type, operator: Operator, quantized: Tensor) -> None:
        source = operator.inputs[0]
        if source.size != operator.output.size:
            raise _refuse(operator, operator.output, "has another size than its input", "convert again")
        name = self.names.take(operator.output, operator.kind)
        self.layers.append(
            kind(
                name,
                [self._read(operator, source)],
                self._write(operator, name),
                _shape(source.shape),
                quantized.scale,
                quantized.zero_point,
            )
        )

    def _vanish(self, operator: Operator) -> None:
        self._arity(operator, 1, 2)
        source, target = operator.inputs[0], operator.output
        same_scale = np.array_equal(source.scales, target.scales)
        if source.size != target.size or source.dtype != target.dtype or source.dtype not in CTYPES:
            raise _refuse(
                operator, target, f"is not its input in another shape ({source.dtype})", "convert again"
            )
        if not same_scale or not np.array_equal(source.zero_points, target.zero_points):
            raise _refuse(operator, target, "is quantized differently from its input", "convert again")
        if id(target) in self.buffers or target.data is not None:
            raise _refuse(operator, target, "is computed twice", "convert again")
        self.buffers[id(target)] = self._read(operator, source)

    # The whole

    def network(self) -> Network:
        graph = self.graph
        for tensor, which in ((graph.input, "input"), (graph.output, "output")):
            if tensor.dtype not in CTYPES or tensor.data is not None:
                raise ModelError(f"the {which} '{tensor.name}' is {tensor.dtype}; quantize the model to int8")
            if tensor.shape[:1] not in ((1,), ()) and len(tensor.shape) > 1:
                raise ModelError(
                    f"the {which} '{tensor.name}' has the shape {list(tensor.shape)}; "
                    "convert with a batch of one"
                )
        self.buffers[id(graph.input)] = Buffer("input", graph.input.size, CTYPES[graph.input.dtype], "input")
        handlers = {
            "CONV_2D": self._conv_2d,
            "DEPTHWISE_CONV_2D": self._depthwise_conv_2d,
            "FULLY_CONNECTED": self._fully_connected,
            "MAX_POOL_2D": self._pool,
            "AVERAGE_POOL_2D": self._pool,
            "MEAN": self._mean,
            "ADD": self._add,
            "RELU": self._relu,
            "RELU6": self._relu6,
            "QUANTIZE": self._quantize,
            "DEQUANTIZE": self._dequantize,
            **dict.fromkeys(VANISHING, self._vanish),
        }
        for operator in graph.operators:
            if operator.kind not in handlers:
                tensor = operator.outputs[0] if operator.outputs else None
                raise _refuse(operator, tensor, "is not supported", f"use {', '.join(sorted(handlers))}")
            handlers[operator.kind](operator)
        output = self.buffers.get(id(graph.output))
        if output is None:
            raise ModelError(f"the output '{graph.output.name}' is never computed; convert again")
        if output.place != "memory":
            copied = Buffer("output", output.size, output.ctype)
            self.layers.append(Copy("copy", [output], copied, _shape(graph.output.shape)))
            output = copied
        output.place = "output"
        for layer in self.layers:
            if isinstance(layer, Dequantization) and layer.output is not output:
                raise ModelError(
                    f"DEQUANTIZE: '{layer.name}' is not the output of the model; quantize it to int8"
                )
        return Network(
            _merge_pooling(self.layers, output),
            self.buffers[id(graph.input)],
            output,
            graph.input.shape,
            graph.output.shape,
            _quantization(graph.input),
            _quantization(graph.output),
            graph.metadata,
        )


def _quantization(tensor: Tensor) -> tuple[np.float32, int] | None:
    if tensor.dtype == "float32" or not len(tensor.scales):
        return None
    return tensor.scale, tensor.zero_point


def _along_width(window: Window, weights: np.ndarray) -> tuple[Window, np.ndarray]:
    """Turn a one-dimensional convolution along the height into one along the width; drop unused rows.

    A kernel row that only ever meets padding adds nothing, since padding is the zero point.
    """
    if window.input[1] == window.output[1] == 1:

        def flip(pair):
            return pair[::-1]

        window = Window(
            *(
                flip(getattr(window, name))
                for name in ("kernel", "stride", "dilation", "pad", "input", "output")
            )
        )
        weights = weights.transpose(0, 2, 1, 3)
    if window.input[0] == window.output[0] == 1 and window.kernel[0] > 1:
        if window.pad[0] % window.dilation[0]:
            return window, weights
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
        readers = sum(other.inputs.count(layer.inputs[0]) for other in layers)
        if (
            isinstance(layer, Pooling)
            and layer.mode == "max"
            and isinstance(before, Convolution)
            and before.pool is None
            and is_one_dimensional(before)
            and before.output is layer.inputs[0]
            and before.output is not output
            and readers == 1
            and (steps := _pooled_steps(before.window, layer.window)) is not None
        ):
            requantization = before.requantization
            low = min(max(requantization.low, layer.low), layer.high)
            high = max(min(requantization.high, layer.high), layer.low)
            merged[-1] = replace(
                before,
                output=layer.output,
                shapes=f"{before.shapes} -> {layer.shapes.split(' -> ')[1]}",
                requantization=replace(requantization, low=low, high=high),
                pool=steps,
            )
        else:
            merged.append(layer)
    return merged


def _pooled_steps(convolution: Window, pooling: Window) -> tuple[int, int] | None:
    """(window, steps) of a pooling along the width that neither overlaps nor leaves gaps nor pads before."""
    flat = convolution.output[0] == 1
    if pooling.input[1] == pooling.output[1] == 1 and pooling.kernel[1] == 1:
        pooling = Window(
            *(
                getattr(pooling, name)[::-1]
                for name in ("kernel", "stride", "dilation", "pad", "input", "output")
            )
        )
    if not flat or pooling.input != convolution.output or pooling.output[0] != 1 or pooling.kernel[0] != 1:
        return None
    if pooling.kernel[1] != pooling.stride[1] or pooling.pad[1]:
        return None
    return (2, pooling.output[1]) if pooling.kernel[1] == 2 else None


def lower(graph: Graph) -> Network:
    """Raises ModelError, naming operator, tensor and remedy, for what is not supported."""
    return Lowering(graph).network()
