"""Small networks built around one operator each, in the shapes and places that converters give it."""

from functools import cache

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from tests.codegen.tflite_builder import ACTIVATIONS, Builder


def _options(kind: str, **fields):
    """An options table with these fields."""
    options = getattr(schema, f"{kind}OptionsT")()
    for name, value in fields.items():
        setattr(options, name, value)
    return options


class OperatorBuilder(Builder):
    """A Builder with the operators beside the layers with weights."""

    def _ints(self, values) -> int:
        values = np.array(values, np.int32)
        return self.tensor(values.shape, "int32", data=values)

    def like(self, source, shape=None, scale=None, zero_point=None, dtype="int8") -> int:
        """A tensor quantized as another one, but for what is given."""
        old_scale, old_zero_point = self.quantization(source)
        return self.tensor(
            self.shape(source) if shape is None else shape,
            dtype,
            scale=old_scale if scale is None else scale,
            zero_point=old_zero_point if zero_point is None else zero_point,
        )

    def constant(self, shape, scale=0.03, zero_point=-4) -> int:
        values = self.rng.integers(-128, 128, shape).astype(np.int8)
        return self.tensor(shape, scale=scale, zero_point=zero_point, data=values)

    def softmax(self, source, beta=1.0) -> int:
        output = self.like(source, scale=1 / 256, zero_point=-128)
        return self.operator("SOFTMAX", [source], [output], _options("Softmax", beta=beta))

    def function(self, kind, source, scale, zero_point, options=None) -> int:
        return self.operator(kind, [source], [self.like(source, scale=scale, zero_point=zero_point)], options)

    def binary(self, kind, first, second, scale=0.1, zero_point=-7, activation="NONE") -> int:
        shape = np.broadcast_shapes(self.shape(first), self.shape(second))
        options = None
        if kind in ("ADD", "SUB", "MUL"):
            options = _options(kind.title(), fusedActivationFunction=ACTIVATIONS[activation])
        output = self.tensor(shape, scale=scale, zero_point=zero_point)
        return self.operator(kind, [first, second], [output], options)

    def pad(self, source, pads) -> int:
        shape = np.add(self.shape(source), np.sum(pads, axis=1))
        return self.operator("PAD", [source, self._ints(pads)], [self.like(source, shape)])

    def transpose(self, source, order) -> int:
        shape = [self.shape(source)[axis] for axis in order]
        return self.operator("TRANSPOSE", [source, self._ints(order)], [self.like(source, shape)])

    def concatenate(self, sources, axis) -> int:
        shape = list(self.shape(sources[0]))
        shape[axis] = sum(self.shape(source)[axis] for source in sources)
        options = _options("Concatenation", axis=axis, fusedActivationFunction=0)
        return self.operator("CONCATENATION", sources, [self.like(sources[0], shape)], options)

    def slice(self, source, begin, end, step=None, shrink=0, begin_mask=0, end_mask=0) -> int:
        step = step or [1] * len(begin)
        index: list = []
        for axis, (first, last, stride) in enumerate(zip(begin, end, step, strict=True)):
            start = None if begin_mask >> axis & 1 else first
            stop = None if end_mask >> axis & 1 else last
            index.append(first if shrink >> axis & 1 else np.s_[start:stop:stride])
        shape = np.empty(self.shape(source))[tuple(index)].shape
        options = _options("StridedSlice", beginMask=begin_mask, endMask=end_mask, shrinkAxisMask=shrink)
        inputs = [source, self._ints(begin), self._ints(end), self._ints(step)]
        return self.operator("STRIDED_SLICE", inputs, [self.like(source, shape)], options)

    def split(self, source, sizes, axis) -> list[int]:
        shapes = [[*self.shape(source)] for _ in sizes]
        for shape, size in zip(shapes, sizes, strict=True):
            shape[axis] = size
        outputs = [self.like(source, shape) for shape in shapes]
        if len(set(sizes)) == 1:
            self.operator(
                "SPLIT", [self._ints(axis), source], outputs, _options("Split", numSplits=len(sizes))
            )
        else:
            inputs = [source, self._ints(sizes), self._ints(axis)]
            self.operator("SPLIT_V", inputs, outputs, _options("SplitV", numSplits=len(sizes)))
        return outputs

    def pack(self, sources, axis) -> int:
        shape = [*self.shape(sources[0])]
        shape.insert(axis, len(sources))
        options = _options("Pack", axis=axis, valuesCount=len(sources))
        return self.operator("PACK", sources, [self.like(sources[0], shape)], options)

    def unpack(self, source, axis) -> list[int]:
        shape = [*self.shape(source)]
        count = shape.pop(axis)
        outputs = [self.like(source, shape) for _ in range(count)]
        self.operator("UNPACK", [source], outputs, _options("Unpack", axis=axis, num=count))
        return outputs

    # Variables

    def handle(self, name: str) -> int:
        tensor = self.tensor((), "resource", name=f"{name}/handle")
        return self.operator("VAR_HANDLE", [], [tensor], _options("VarHandle", container="", sharedName=name))

    def read(self, handle, shape, scale, zero_point) -> int:
        value = self.tensor(shape, scale=scale, zero_point=zero_point)
        return self.operator("READ_VARIABLE", [handle], [value], _options("ReadVariable"))

    def assign(self, handle, value) -> None:
        self.operator("ASSIGN_VARIABLE", [handle, value], [], _options("AssignVariable"))


def _softmax() -> bytes:
    b = OperatorBuilder(20)
    return b.bytes(b.softmax(b.dense(b.input((1, 12)), 9)))


def _softmax_rows() -> bytes:
    """Over rows, of a scale so fine that all exponentials count, and with a beta."""
    b = OperatorBuilder(21)
    return b.bytes(b.softmax(b.input((1, 5, 130), scale=0.004), beta=0.5))


def _softmax_coarse() -> bytes:
    b = OperatorBuilder(22)
    return b.bytes(b.softmax(b.input((1, 3), scale=1.7)))


def _unary(kind, scale, zero_point, options=None, in_scale=0.05, in_zero_point=3):
    def make() -> bytes:
        b = OperatorBuilder(23)
        x = b.input((1, 300), scale=in_scale, zero_point=in_zero_point)
        return b.bytes(b.function(kind, x, scale, zero_point, options))

    return make


def _batch_normalization() -> bytes:
    """Unfolded: MUL and ADD with a constant for each channel, a scalar, both orders, and a ReLU."""
    b = OperatorBuilder(24)
    x = b.conv(b.input((1, 6, 5, 3)), 4, (3, 3), activation="NONE")
    x = b.binary("MUL", x, b.constant((4,)), 0.2, 9)
    x = b.binary("ADD", b.constant((1, 1, 1, 4)), x, 0.3, -20, "RELU")
    x = b.binary("SUB", x, b.constant((1, 5, 1), 0.2), 0.25, 5)
    return b.bytes(b.binary("MUL", x, b.constant((), 0.02), 0.013, -3, "RELU6"))


def _broadcast_both() -> bytes:
    """Attention over channels: the image times a function of its mean; two means repeated to one shape."""
    b = OperatorBuilder(25)
    x = b.input((1, 4, 5, 6))
    y = b.function("LOGISTIC", b.mean(x, [1, 2], keep_dims=True), 1 / 256, -128)
    x = b.binary("MUL", x, y, 0.03, 12)
    x = b.binary("ADD", b.mean(x, [1], keep_dims=True), b.mean(x, [2], keep_dims=True), 0.05, 2)
    return b.bytes(b.binary("SUB", x, b.constant((1, 4, 5, 6)), 0.06, 1))


def _extremes() -> bytes:
    b = OperatorBuilder(26)
    x = b.input((1, 4, 6))
    x = b.binary("MAXIMUM", x, b.constant((6,), 0.05, 3), 0.05, 3)
    x = b.binary("MINIMUM", x, b.constant((4, 1), 0.05, 3), 0.05, 3)
    return b.bytes(x)


def _prelu() -> bytes:
    b = OperatorBuilder(37)
    x = b.conv(b.input((1, 5, 4, 3)), 6, (3, 3), activation="NONE")
    return b.bytes(b.binary("PRELU", x, b.constant((1, 1, 6), 0.008, -11), b.quantization(x)[0] * 0.9, -30))


def _padded() -> bytes:
    """PAD that becomes a convolution's own window, one that does not, and one of a depthwise convolution."""
    b = OperatorBuilder(27)
    x = b.pad(b.input((1, 7, 8, 3)), [[0, 0], [0, 1], [0, 1], [0, 0]])
    x = b.conv(x, 4, (3, 3), (2, 2), "VALID")
    x = b.pad(x, [[0, 0], [1, 2], [2, 1], [1, 0]])
    x = b.pad(x, [[0, 0], [1, 1], [0, 2], [0, 0]])
    x = b.depthwise(x, 1, (3, 3), (2, 2), "VALID")
    steps = b.shape(x)[1] * b.shape(x)[2]
    x = b.pad(b.reshape(x, (1, 1, steps, 5)), [[0, 0], [0, 0], [3, 2], [0, 0]])
    x = b.conv(x, 6, (1, 5), (1, 1), "VALID")
    return b.bytes(b.pad(x, [[0, 0], [0, 0], [1, 0], [0, 3]]))


def _transposed() -> bytes:
    b = OperatorBuilder(28)
    x = b.transpose(b.input((1, 4, 5, 6)), [0, 3, 1, 2])
    x = b.transpose(b.reshape(x, (6, 4, 5)), [1, 0, 2])
    return b.bytes(b.transpose(x, [2, 1, 0]))


def _branches() -> bytes:
    """Branches that are split, concatenated in several axes, packed and unpacked, the input among them."""
    b = OperatorBuilder(29)
    x = b.input((1, 4, 6, 5))
    first, second = b.split(x, [2, 4], 2)
    x = b.concatenate([second, first, first], 2)
    left, right = b.split(x, [4, 4], 2)
    x = b.concatenate([left, right], 3)
    rows = b.unpack(b.concatenate([x, x], 1), 1)
    x = b.pack([rows[3], rows[0], rows[5]], 2)
    return b.bytes(b.concatenate([x, x], 0))


def _sliced() -> bytes:
    b = OperatorBuilder(30)
    x = b.slice(b.input((1, 9, 8, 5)), [0, 1, 0, 0], [1, 9, 8, 5], [1, 2, 3, 1])
    x = b.slice(x, [0, 0, 1, 0], [0, 3, 0, 0], begin_mask=9, end_mask=13)
    x = b.slice(x, [0, 2, 0, 0], [1, 3, 2, 4], shrink=2)
    inputs = [x, b._ints([0, 1, 0]), b._ints([1, 1, -1])]
    return b.bytes(b.operator("SLICE", inputs, [b.like(x, (1, 1, 4))], _options("Slice")))


def _free_batch() -> bytes:
    """A flatten as it is converted with a free batch: SHAPE, STRIDED_SLICE, PACK, RESHAPE."""
    b = OperatorBuilder(31)
    x = b.conv(b.input((1, 4, 5, 3)), 4, (3, 3))
    shape = b.operator("SHAPE", [x], [b.tensor((4,), "int32")], _options("Shape", outType=2))
    inputs = [shape, b._ints([0]), b._ints([1]), b._ints([1])]
    options = _options("StridedSlice", shrinkAxisMask=1)
    batch = b.operator("STRIDED_SLICE", inputs, [b.tensor((), "int32")], options)
    pack = _options("Pack", axis=0, valuesCount=2)
    target = b.operator("PACK", [batch, b._ints(80)], [b.tensor((2,), "int32")], pack)
    x = b.operator("RESHAPE", [x, target], [b.like(x, (1, 80))])
    return b.bytes(b.softmax(b.dense(x, 6)))


def _resized() -> bytes:
    b = OperatorBuilder(32)
    x = b.input((1, 3, 4, 5))
    x = b.operator(
        "RESIZE_NEAREST_NEIGHBOR",
        [x, b._ints([6, 12])],
        [b.like(x, (1, 6, 12, 5))],
        _options("ResizeNearestNeighbor"),
    )
    axis = b._ints([1, 2])
    x = b.conv(x, 6, (3, 3), activation="NONE")
    return b.bytes(
        b.operator("REDUCE_MAX", [x, axis], [b.like(x, (1, 6))], _options("Reducer", keepDims=False))
    )


def _dilated_causal() -> bytes:
    """A dilated convolution as it is converted: time to batches, a convolution, back, cropped."""
    b = OperatorBuilder(38)
    x = b.pad(b.input((1, 31, 4)), [[0, 0], [5, 3], [0, 0]])
    inputs = [x, b._ints([3]), b._ints([[0, 0]])]
    x = b.operator("SPACE_TO_BATCH_ND", inputs, [b.like(x, (3, 13, 4))], _options("SpaceToBatchND"))
    x = b.reshape(x, (3, 1, 13, 4))
    weights, scale = b._weights((6, 1, 3, 4), 6, 0, True, 40)
    options = _options("Conv2D", strideH=1, strideW=1, padding=1, fusedActivationFunction=0)
    out = b.tensor((3, 1, 11, 6), scale=0.2, zero_point=5)
    bias = b.tensor((6,), "int32", scale=scale * 0.05, data=np.arange(6) * 500)
    x = b.reshape(b.operator("CONV_2D", [x, weights, bias], [out], options), (3, 11, 6))
    inputs = [x, b._ints([3]), b._ints([[2, 1]])]
    x = b.operator("BATCH_TO_SPACE_ND", inputs, [b.like(x, (1, 30, 6))], _options("BatchToSpaceND"))
    return b.bytes(b.dense(b.flatten(x), 3))


def _uint8_in() -> bytes:
    """uint8 at both ends, as cameras give it and applications want it."""
    b = OperatorBuilder(33)
    x = b.tensor((1, 6, 6, 1), "uint8", scale=1 / 255, zero_point=0, name="input")
    b.graph.inputs = [x]
    x = b.operator("QUANTIZE", [x], [b.like(x, scale=1 / 255, zero_point=-128)])
    x = b.softmax(b.dense(b.flatten(b.conv(x, 3, (3, 3))), 4))
    return b.bytes(b.operator("QUANTIZE", [x], [b.like(x, zero_point=0, dtype="uint8")]))


def _float_out() -> bytes:
    b = OperatorBuilder(34)
    x = b.tensor((1, 8), "float32", name="input")
    b.graph.inputs = [x]
    x = b.operator("QUANTIZE", [x], [b.tensor((1, 8), scale=0.05, zero_point=3)])
    x = b.softmax(b.dense(x, 5))
    return b.bytes(b.operator("DEQUANTIZE", [x], [b.tensor((1, 5), "float32")]))


def _streaming() -> bytes:
    """Convolutions over a stream: each keeps the last steps of its input in a variable."""
    b = OperatorBuilder(35)
    scale, zero_point = 0.05, 3
    x = b.reshape(b.input((1, 3, 4), scale=scale, zero_point=zero_point), (1, 3, 1, 4))
    b.operator("CALL_ONCE", [], [], _options("CallOnce", initSubgraphIndex=1))
    first, second = b.handle("first"), b.handle("second")
    past = b.read(first, (1, 4, 1, 4), scale, zero_point)
    x = b.concatenate([past, x], 1)
    b.assign(first, b.slice(x, [0, 3, 0, 0], [1, 7, 1, 4], begin_mask=13, end_mask=15))
    x = b.conv(x, 6, (5, 1), padding="VALID")
    past = b.read(second, (1, 5, 1, 6), *b.quantization(x))
    x = b.concatenate([past, x], 1)
    b.assign(second, b.slice(x, [0, 3, 0, 0], [0, 8, 0, 0], begin_mask=13, end_mask=13))
    x = b.depthwise(x, 1, (4, 1), padding="VALID")
    x = b.function("LOGISTIC", b.dense(b.flatten(x), 2), 1 / 256, -128)
    b.graph.outputs = [b.operator("QUANTIZE", [x], [b.like(x, zero_point=0, dtype="uint8")])]
    return _with_first_values(b, {"first": (1, 4, 1, 4)})


def _accumulator() -> bytes:
    """A variable that is read, written and read again; the first value is used after the writing."""
    b = OperatorBuilder(36)
    x = b.input((1, 6))
    kept = b.handle("kept")
    before = b.read(kept, (1, 6), *b.quantization(x))
    again = b.reshape(before, (6,))
    total = b.binary("ADD", x, before, 0.05, 3)
    b.assign(kept, total)
    after = b.read(kept, (1, 6), *b.quantization(total))
    x = b.concatenate([after, b.reshape(again, (1, 6)), total], 1)
    b.graph.outputs = [x]
    return _with_first_values(b, {})


def _with_first_values(b: OperatorBuilder, variables: dict) -> bytes:
    """The file, with a second subgraph that gives variables constants, as CALL_ONCE runs it."""
    main = b.graph
    if variables:
        b.graph = schema.SubGraphT()
        b.graph.tensors, b.graph.operators, b.graph.inputs, b.graph.outputs = [], [], [], []
        for name, shape in variables.items():
            b.assign(b.handle(name), b.constant(shape, 0.05, 3))
    once, b.graph = b.graph, main
    return b.bytes(*main.outputs, subgraphs=[once] if variables else [])


OPERATORS = {
    "softmax": _softmax,
    "softmax_rows": _softmax_rows,
    "softmax_coarse": _softmax_coarse,
    "logistic": _unary("LOGISTIC", 1 / 256, -128),
    "logistic_fine": _unary("LOGISTIC", 1 / 256, -128, in_scale=0.0023, in_zero_point=-60),
    "logistic_coarse": _unary("LOGISTIC", 1 / 256, -128, in_scale=0.31),
    "tanh": _unary("TANH", 1 / 128, 0),
    "tanh_coarse": _unary("TANH", 1 / 128, 0, in_scale=0.2, in_zero_point=-128),
    "leaky_relu": _unary("LEAKY_RELU", 0.043, -100, _options("LeakyRelu", alpha=0.3)),
    "leaky_relu_steep": _unary("LEAKY_RELU", 0.021, 6, _options("LeakyRelu", alpha=1.7)),
    "hard_swish": _unary("HARD_SWISH", 0.047, -110, _options("HardSwish")),
    "hard_swish_coarse": _unary("HARD_SWISH", 0.09, -7, _options("HardSwish"), in_scale=0.11),
    "batch_normalization": _batch_normalization,
    "broadcast_both": _broadcast_both,
    "extremes": _extremes,
    "prelu": _prelu,
    "padded": _padded,
    "transposed": _transposed,
    "branches": _branches,
    "sliced": _sliced,
    "free_batch": _free_batch,
    "resized": _resized,
    "dilated_causal": _dilated_causal,
    "uint8_in": _uint8_in,
    "float_out": _float_out,
    "streaming": _streaming,
    "accumulator": _accumulator,
}


@cache
def operator_network(name: str) -> bytes:
    """The bytes of one of the networks named in OPERATORS."""
    return OPERATORS[name]()
