"""Build int8 .tflite files operator by operator, without TensorFlow: any shape, padding and quantization."""

from math import prod

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

TYPES = {"int8": 9, "int32": 2, "float32": 0, "uint8": 3, "resource": 13}
ACTIVATIONS = {"NONE": 0, "RELU": 1, "RELU_N1_TO_1": 2, "RELU6": 3}


class Builder:
    """Adds operators one after another; tensors are named by their index."""

    def __init__(self, seed: int = 0):
        self.rng = np.random.default_rng(seed)
        self.model, self.graph = schema.ModelT(), schema.SubGraphT()
        self.model.version, self.model.description = 3, "made by a test"
        self.model.buffers = [schema.BufferT()]
        self.model.operatorCodes, self.model.metadata = [], []
        self.graph.tensors, self.graph.operators = [], []
        self.scales: dict[int, float] = {}

    def tensor(self, shape, dtype="int8", scale=None, zero_point=0, data=None, axis=0, name=None) -> int:
        tensor = schema.TensorT()
        tensor.shape, tensor.type, tensor.buffer = list(shape), TYPES[dtype], 0
        tensor.name = name or f"network/tensor_{len(self.graph.tensors)}/{dtype}"
        if data is not None:
            buffer = schema.BufferT()
            buffer.data = np.frombuffer(np.ascontiguousarray(data, dtype).tobytes(), np.uint8)
            tensor.buffer = len(self.model.buffers)
            self.model.buffers.append(buffer)
        if scale is not None:
            scales = np.atleast_1d(np.asarray(scale, np.float32))
            tensor.quantization = schema.QuantizationParametersT()
            tensor.quantization.scale = scales
            tensor.quantization.zeroPoint = np.broadcast_to(np.int64(zero_point), scales.shape)
            tensor.quantization.quantizedDimension = axis
            self.scales[len(self.graph.tensors)] = float(scales[0])
        self.graph.tensors.append(tensor)
        return len(self.graph.tensors) - 1

    def operator(self, kind: str, inputs, outputs, options=None) -> int:
        code = getattr(schema.BuiltinOperator, kind)
        codes = [c.builtinCode for c in self.model.operatorCodes]
        if code not in codes:
            entry = schema.OperatorCodeT()
            entry.builtinCode, entry.deprecatedBuiltinCode, entry.version = code, min(code, 127), 1
            self.model.operatorCodes.append(entry)
            codes.append(code)
        operator = schema.OperatorT()
        operator.opcodeIndex = codes.index(code)
        operator.inputs, operator.outputs = list(inputs), list(outputs)
        if options is not None:
            operator.builtinOptions = options
            name = type(options).__name__[:-1]
            operator.builtinOptionsType = getattr(schema.BuiltinOptions, name)
        self.graph.operators.append(operator)
        return outputs[0] if outputs else -1

    def data(self, tensor: schema.TensorT) -> np.ndarray:
        """A copy of a constant's values."""
        dtype = {number: name for name, number in TYPES.items()}[tensor.type]
        return self.model.buffers[tensor.buffer].data.view(dtype).reshape(tensor.shape).copy()

    def replace(self, tensor: schema.TensorT, values) -> None:
        """Give a constant other values."""
        dtype = {number: name for name, number in TYPES.items()}[tensor.type]
        raw = np.ascontiguousarray(values, dtype).tobytes()
        self.model.buffers[tensor.buffer].data = np.frombuffer(raw, np.uint8)

    def shape(self, index: int) -> tuple[int, ...]:
        return tuple(self.graph.tensors[index].shape)

    def quantization(self, index: int) -> tuple[float, int]:
        quantization = self.graph.tensors[index].quantization
        return float(quantization.scale[0]), int(quantization.zeroPoint[0])

    # Layers with random weights; scales are chosen so that results fill int8 and sometimes leave it.

    def input(self, shape, scale=0.05, zero_point=3) -> int:
        index = self.tensor(shape, scale=scale, zero_point=zero_point, name="input")
        self.graph.inputs = [index]
        return index

    def _weights(self, shape, channels, channel_axis, per_channel, spread):
        values = np.clip(np.round(self.rng.normal(0, spread, shape)), -127, 127).astype(np.int8)
        scale = self.rng.uniform(0.002, 0.01, channels if per_channel else 1)
        return self.tensor(shape, scale=scale, data=values, axis=channel_axis), scale

    def _weighted(self, kind, source, weights, scale, fan_in, spread, out_shape, options, activation):
        channels = out_shape[-1]
        values = self.rng.integers(-3000, 3000, channels)
        bias = self.tensor((channels,), "int32", scale=scale * self.scales[source], data=values)
        zero_point = {"NONE": 5, "RELU_N1_TO_1": 0}.get(activation, -128)
        out_scale = self.scales[source] * float(scale.mean()) * spread * 74 * np.sqrt(fan_in) / 60
        output = self.tensor(out_shape, scale=out_scale, zero_point=zero_point)
        options.fusedActivationFunction = ACTIVATIONS[activation]
        return self.operator(kind, [source, weights, bias], [output], options)

    def conv(
        self, source, channels, kernel, stride=(1, 1), padding="SAME", activation="RELU", dilation=(1, 1),
        per_channel=True, spread=40,
    ) -> int:  # fmt: skip
        _, *size, depth = self.shape(source)
        weights, scale = self._weights((channels, *kernel, depth), channels, 0, per_channel, spread)
        options = schema.Conv2DOptionsT()
        out = self._slide(options, size, kernel, stride, dilation, padding)
        shape, fan_in = (1, *out, channels), prod(kernel) * depth
        return self._weighted("CONV_2D", source, weights, scale, fan_in, spread, shape, options, activation)

    def depthwise(
        self, source, multiplier, kernel, stride=(1, 1), padding="SAME", activation="RELU6", dilation=(1, 1)
    ) -> int:
        _, *size, depth = self.shape(source)
        channels = depth * multiplier
        weights, scale = self._weights((1, *kernel, channels), channels, 3, True, 40)
        options = schema.DepthwiseConv2DOptionsT()
        options.depthMultiplier = multiplier
        out = self._slide(options, size, kernel, stride, dilation, padding)
        shape, fan_in = (1, *out, channels), prod(kernel)
        return self._weighted(
            "DEPTHWISE_CONV_2D", source, weights, scale, fan_in, 40, shape, options, activation
        )

    def dense(self, source, channels, activation="NONE", per_channel=False, spread=40) -> int:
        depth = self.shape(source)[-1]
        steps = prod(self.shape(source)) // depth
        weights, scale = self._weights((channels, depth), channels, 0, per_channel, spread)
        options = schema.FullyConnectedOptionsT()
        shape = (steps, channels)
        return self._weighted(
            "FULLY_CONNECTED", source, weights, scale, depth, spread, shape, options, activation
        )

    def _slide(self, options, size, kernel, stride, dilation, padding):
        options.padding = {"SAME": 0, "VALID": 1}[padding]
        options.strideH, options.strideW = stride
        if hasattr(options, "dilationHFactor"):
            options.dilationHFactor, options.dilationWFactor = dilation
        reach = [(k - 1) * d + 1 for k, d in zip(kernel, dilation, strict=True)]
        if padding == "SAME":
            return [-(-n // s) for n, s in zip(size, stride, strict=True)]
        return [(n - r) // s + 1 for n, r, s in zip(size, reach, stride, strict=True)]

    def pool(self, source, kind, kernel, stride, padding="VALID", activation="NONE") -> int:
        _, *size, depth = self.shape(source)
        options = schema.Pool2DOptionsT()
        options.filterHeight, options.filterWidth = kernel
        options.fusedActivationFunction = ACTIVATIONS[activation]
        out = self._slide(options, size, kernel, stride, (1, 1), padding)
        scale, zero_point = self.quantization(source)
        output = self.tensor((1, *out, depth), scale=scale, zero_point=zero_point)
        return self.operator(f"{kind}_POOL_2D", [source], [output], options)

    def mean(self, source, axes, keep_dims=False, scale_factor=0.5) -> int:
        shape = self.shape(source)
        kept = [1 if i in axes else n for i, n in enumerate(shape)]
        out = kept if keep_dims else [n for i, n in enumerate(shape) if i not in axes]
        scale, zero_point = self.quantization(source)
        options = schema.ReducerOptionsT()
        options.keepDims = keep_dims
        axis = self.tensor((len(axes),), "int32", data=np.array(axes))
        output = self.tensor(out, scale=scale * scale_factor, zero_point=zero_point // 2)
        return self.operator("MEAN", [source, axis], [output], options)

    def add(self, first, second, activation="NONE") -> int:
        options = schema.AddOptionsT()
        options.fusedActivationFunction = ACTIVATIONS[activation]
        scale = max(self.quantization(first)[0], self.quantization(second)[0]) * 1.3
        output = self.tensor(self.shape(first), scale=scale, zero_point=-7)
        return self.operator("ADD", [first, second], [output], options)

    def reshape(self, source, shape, kind="RESHAPE") -> int:
        scale, zero_point = self.quantization(source)
        longer, shorter = sorted((tuple(shape), self.shape(source)), key=len, reverse=True)
        axis = [i for i in range(len(longer)) if longer[:i] + longer[i + 1 :] == shorter][-1:]
        second, options = [], None
        if kind == "RESHAPE":
            second = [self.tensor((len(shape),), "int32", data=np.array(shape))]
        elif kind == "EXPAND_DIMS":
            second = [self.tensor((), "int32", data=np.array(axis[0]))]
        else:
            options = schema.SqueezeOptionsT()
            options.squeezeDims = axis
        output = self.tensor(shape, scale=scale, zero_point=zero_point)
        return self.operator(kind, [source, *second], [output], options)

    def flatten(self, source) -> int:
        return self.reshape(source, (1, prod(self.shape(source))))

    def rescale(self, source, kind, scale_factor=1.0, zero_point=0) -> int:
        output = self.tensor(
            self.shape(source), scale=self.quantization(source)[0] * scale_factor, zero_point=zero_point
        )
        return self.operator(kind, [source], [output])

    def bytes(self, *outputs: int, subgraphs=()) -> bytes:
        """The file with these as the network's outputs, and with further subgraphs."""
        self.graph.outputs = list(outputs)
        self.model.subgraphs = [self.graph, *subgraphs]
        builder = flatbuffers.Builder(1024)
        builder.Finish(self.model.Pack(builder), b"TFL3")
        return bytes(builder.Output())
