"""Read a .tflite file into a Graph. Truncated, corrupt or malicious files raise a ModelError.

The accessors of the flatbuffer schema check little by themselves. Therefore every length is compared with
the file's before it is used, and every index, shape and parameter before it is kept.
"""

import struct
from functools import cache
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from tinystride.codegen.graph import Graph, Operator, Tensor
from tinystride.errors import ModelError

MAX_ELEMENTS = 1 << 24
MAX_RANK = 8
DTYPES = {
    schema.TensorType.FLOAT32: "float32",
    schema.TensorType.INT32: "int32",
    schema.TensorType.UINT8: "uint8",
    schema.TensorType.INT64: "int64",
    schema.TensorType.INT16: "int16",
    schema.TensorType.INT8: "int8",
}
OPTIONS = {
    "CONV_2D": ("Conv2DOptions", ["Padding", "StrideW", "StrideH", "DilationWFactor", "DilationHFactor"]),
    "DEPTHWISE_CONV_2D": (
        "DepthwiseConv2DOptions",
        ["Padding", "StrideW", "StrideH", "DilationWFactor", "DilationHFactor", "DepthMultiplier"],
    ),
    "FULLY_CONNECTED": ("FullyConnectedOptions", ["WeightsFormat", "KeepNumDims"]),
    "MAX_POOL_2D": ("Pool2DOptions", ["Padding", "StrideW", "StrideH", "FilterWidth", "FilterHeight"]),
    "AVERAGE_POOL_2D": ("Pool2DOptions", ["Padding", "StrideW", "StrideH", "FilterWidth", "FilterHeight"]),
    "MEAN": ("ReducerOptions", ["KeepDims"]),
    "ADD": ("AddOptions", []),
    "CALL_ONCE": ("CallOnceOptions", ["InitSubgraphIndex"]),
    "CONCATENATION": ("ConcatenationOptions", ["Axis"]),
    "DEPTH_TO_SPACE": ("DepthToSpaceOptions", ["BlockSize"]),
    "GATHER": ("GatherOptions", ["Axis", "BatchDims"]),
    "LEAKY_RELU": ("LeakyReluOptions", ["Alpha"]),
    "MUL": ("MulOptions", []),
    "PACK": ("PackOptions", ["Axis"]),
    "REDUCE_MAX": ("ReducerOptions", ["KeepDims"]),
    "RESIZE_NEAREST_NEIGHBOR": ("ResizeNearestNeighborOptions", ["AlignCorners", "HalfPixelCenters"]),
    "SOFTMAX": ("SoftmaxOptions", ["Beta"]),
    "SPACE_TO_DEPTH": ("SpaceToDepthOptions", ["BlockSize"]),
    "STRIDED_SLICE": (
        "StridedSliceOptions",
        ["BeginMask", "EndMask", "EllipsisMask", "NewAxisMask", "ShrinkAxisMask", "Offset"],
    ),
    "SUB": ("SubOptions", []),
    "UNPACK": ("UnpackOptions", ["Axis"]),
    "VAR_HANDLE": ("VarHandleOptions", ["SharedName"]),
}
WITH_ACTIVATION = {
    "ADD",
    "AVERAGE_POOL_2D",
    "CONCATENATION",
    "CONV_2D",
    "DEPTHWISE_CONV_2D",
    "FULLY_CONNECTED",
    "MAX_POOL_2D",
    "MUL",
    "SUB",
}


class _WholeBytes(bytes):
    """Bytes that refuse a slice beyond their end; plain bytes would shorten it silently."""

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, slice) and not 0 <= key.start <= key.stop <= len(self):
            raise IndexError("beyond the end of the file")
        return super().__getitem__(key)


@cache
def _names(enumeration: type) -> dict[int, str]:
    return {value: name for name, value in vars(enumeration).items() if not name.startswith("_")}


def _text(raw: bytes | None) -> str:
    return (raw or b"").decode("utf-8", "replace")


def _vector(values: Any) -> np.ndarray:
    """Return a numeric vector; the accessors return 0 for a missing one."""
    return values if isinstance(values, np.ndarray) else np.zeros(0, np.int64)


class _Reader:
    def __init__(self, content: bytes):
        self.content = _WholeBytes(content)
        self.model = schema.Model.GetRootAs(self.content, 0)
        self.buffers = self._all(self.model, "Buffers")

    def _all(self, table: Any, field: str) -> list:
        """Return all elements of a vector of tables or strings, each at least four bytes long in the file."""
        count = getattr(table, f"{field}Length")()
        if not 0 <= count <= len(self.content) // 4:
            raise ValueError(f"{count} {field}")
        return [getattr(table, field)(i) for i in range(count)]

    def _buffer(self, index: int) -> bytes:
        buffer = self.buffers[index]
        if buffer.Offset() > 1 or buffer.Size() > 1:
            raise ModelError(
                "weights are stored beside the flatbuffer, which is not supported; convert again with "
                "weights inside"
            )
        return _vector(buffer.DataAsNumpy()).tobytes()

    def _tensor(self, table: Any) -> Tensor:
        name = _text(table.Name())
        shape = tuple(int(n) for n in _vector(table.ShapeAsNumpy()))
        # Converters leave empty tensors that no operator reads: a tensor is rejected only if it is used.
        problem = ""
        if len(shape) > MAX_RANK or not all(0 < n <= MAX_ELEMENTS for n in shape):
            problem = f"has the shape {list(shape)}; convert with a fixed batch of one"
        elif prod(shape) > MAX_ELEMENTS:
            problem = f"has the shape {list(shape)}, more than {MAX_ELEMENTS} elements; use a smaller network"
        dtype = DTYPES.get(table.Type(), _names(schema.TensorType).get(table.Type(), "unknown type"))
        quantization = table.Quantization()
        scales, zero_points, axis = np.zeros(0, np.float32), np.zeros(0, np.int64), 0
        if quantization is not None:
            scales = _vector(quantization.ScaleAsNumpy()).astype(np.float32)
            zero_points = _vector(quantization.ZeroPointAsNumpy()).astype(np.int64)
            axis = quantization.QuantizedDimension()
            if len(zero_points) not in (0, len(scales)):
                raise ModelError(
                    f"tensor '{name}' has {len(scales)} scales and {len(zero_points)} zero points"
                )
            if not len(zero_points):
                zero_points = np.zeros(len(scales), np.int64)
        if table.Sparsity() is not None:
            problem = "is sparse; convert it densely"
        raw = self._buffer(table.Buffer())
        data = None
        if raw and dtype not in DTYPES.values():
            problem = f"is {dtype.lower()}; quantize the model to int8"
        elif raw and not problem:
            if len(raw) != prod(shape) * np.dtype(dtype).itemsize:
                raise ModelError(f"tensor '{name}' has {len(raw)} bytes, which is not {dtype} {list(shape)}")
            data = np.frombuffer(raw, np.dtype(dtype).newbyteorder("<")).astype(dtype).reshape(shape)
        return Tensor(name, shape, dtype, scales, zero_points, axis, data, problem)

    def _operator(self, table: Any, codes: list[str], tensors: list[Tensor]) -> Operator:
        if table.OpcodeIndex() >= len(codes):
            raise IndexError("operator code")
        kind = codes[table.OpcodeIndex()]
        inputs = [int(i) for i in _vector(table.InputsAsNumpy())]
        outputs = [int(i) for i in _vector(table.OutputsAsNumpy())]
        if min(inputs, default=0) < -1 or min(outputs, default=0) < 0:
            raise IndexError("tensor index")
        options = {}
        if kind in OPTIONS:
            class_name, fields = OPTIONS[kind]
            union = table.BuiltinOptions()
            if union is None or table.BuiltinOptionsType() != getattr(schema.BuiltinOptions, class_name):
                raise ValueError(f"{kind} without its options")
            view = getattr(schema, class_name)()
            view.Init(union.Bytes, union.Pos)
            options = {field: getattr(view, field)() for field in fields}
            if "SharedName" in options:
                options["SharedName"] = _text(options["SharedName"])
            if "Padding" in options:
                options["Padding"] = _names(schema.Padding)[options["Padding"]]
            if kind in WITH_ACTIVATION:
                code = view.FusedActivationFunction()
                options["Activation"] = _names(schema.ActivationFunctionType)[code]
        return Operator(
            kind,
            tuple(None if i < 0 else tensors[i] for i in inputs),
            tuple(tensors[i] for i in outputs),
            options,
        )

    def _operator_codes(self) -> list[str]:
        names = _names(schema.BuiltinOperator)
        codes = []
        for table in self._all(self.model, "OperatorCodes"):
            code = max(table.BuiltinCode(), table.DeprecatedBuiltinCode())
            custom = _text(table.CustomCode())
            codes.append(f"custom operator {custom!r}" if names[code] == "CUSTOM" else names[code])
        return codes

    def _subgraph(self, table: Any, codes: list[str]) -> tuple[Any, list[Tensor], tuple[Operator, ...]]:
        tensors = [self._tensor(tensor) for tensor in self._all(table, "Tensors")]
        operators = (self._operator(entry, codes, tensors) for entry in self._all(table, "Operators"))
        return table, tensors, tuple(operators)

    def graph(self) -> Graph:
        codes = self._operator_codes()
        (subgraph, tensors, operators), *others = (
            self._subgraph(table, codes) for table in self._all(self.model, "Subgraphs")
        )
        ends = []
        for what in ("Inputs", "Outputs"):
            indices = [int(i) for i in _vector(getattr(subgraph, f"{what}AsNumpy")())]
            if len(indices) != 1:
                raise ModelError(f"has {len(indices)} {what.lower()}; only one is supported")
            if indices[0] < 0:
                raise IndexError("tensor index")
            ends.append(tensors[indices[0]])
        metadata = {
            _text(entry.Name()): self._buffer(entry.Buffer()) for entry in self._all(self.model, "Metadata")
        }
        for index in range(len(self.buffers)):
            self._buffer(index)
        return Graph(
            ends[0],
            ends[1],
            operators,
            metadata,
            _text(self.model.Description()),
            tuple(other for _, _, other in others),
        )


def parse_graph(content: bytes, name: str) -> Graph:
    """Parse the content of a .tflite file.

    Args:
        content: bytes of the file
        name: name of the file, for messages

    Returns:
        the graph of the network

    Raises:
        ModelError: if the content is not a complete .tflite file
    """
    if len(content) < 16 or content[4:8] != b"TFL3":
        raise ModelError(
            f"{name}: not a .tflite file (the mark 'TFL3' is missing); give a TensorFlow Lite model"
        )
    try:
        return _Reader(content).graph()
    except ModelError as error:
        raise ModelError(f"{name}: {error}") from error
    except (
        struct.error,
        ArithmeticError,
        AttributeError,
        LookupError,
        MemoryError,
        TypeError,
        ValueError,
    ) as error:
        raise ModelError(f"{name}: cut off or corrupt ({error}); convert or download it again") from error


def read_graph(path: Path | str) -> Graph:
    """Read a .tflite file.

    Args:
        path: path of the file

    Returns:
        the graph of the network

    Raises:
        ModelError: if it is missing or cannot be used; the message names the file
    """
    path = Path(path)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path}: {error.strerror or error}; check the path") from error
    return parse_graph(content, path.name)
