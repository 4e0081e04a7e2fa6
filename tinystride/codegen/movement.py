"""Describe operators that only move values: which input elements become which output elements.

Both sides are views of the arrays 0, 1, 2, … in the tensors' shapes: NumPy does the slicing, reshaping and
transposing, and strides and offsets are read from the views.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from tinystride.codegen.graph import Operator, Tensor

MAX_RANK = 5
MAX_PIECES = 64


@dataclass(frozen=True, eq=False)
class Piece:
    """Elements of an input that become elements of an output.

    Attributes:
        tensor: the input
        source: numbers of the elements in the input
        target: numbers of the elements in the output, same shape
    """

    tensor: Tensor
    source: np.ndarray
    target: np.ndarray


@dataclass(frozen=True)
class Run:
    """A piece as nested loops, from the outermost.

    Attributes:
        sizes: sizes of the loops
        source_strides: steps in the input
        target_strides: steps in the output
        source_offset: first element in the input
        target_offset: first element in the output
    """

    sizes: list[int]
    source_strides: list[int]
    target_strides: list[int]
    source_offset: int
    target_offset: int

    @property
    def contiguous(self) -> bool:
        """Whether the run copies neighbouring elements to neighbouring elements."""
        return len(self.sizes) == 1 and self.source_strides == self.target_strides == [1]


def numbers(shape: Sequence[int]) -> np.ndarray:
    """Return 0, 1, 2, … in a shape.

    Args:
        shape: shape of the result
    """
    return np.arange(int(np.prod(shape, dtype=np.int64)), dtype=np.int64).reshape(shape)


def loops(views: Sequence[np.ndarray]) -> tuple[list[int], list[list[int]]]:
    """Find the nested loops that pass through views of one shape.

    Args:
        views: strided arrays of element numbers

    Returns:
        sizes of the loops (at least one), and the strides of each view in them

    Raises:
        ValueError: if the shapes differ or more than MAX_RANK loops are needed
    """
    if len({view.shape for view in views}) != 1:
        raise ValueError(f"has the shapes {' and '.join(str(list(view.shape)) for view in views)}")
    dims: list[list[int]] = []
    for axis, size in enumerate(views[0].shape):
        if size == 1:
            continue
        step = [size, *(view.strides[axis] // view.itemsize for view in views)]
        if dims and all(outer == size * inner for outer, inner in zip(dims[-1][1:], step[1:], strict=True)):
            step[0] *= dims.pop()[0]
        dims.append(step)
    if len(dims) > MAX_RANK:
        raise ValueError(f"needs {len(dims)} loops")
    dims = dims or [[1] * (1 + len(views))]
    sizes, *strides = (list(each) for each in zip(*dims, strict=True))
    return sizes, strides


def run(piece: Piece) -> Run:
    """Return a piece as nested loops.

    Args:
        piece: to convert

    Raises:
        ValueError: as in `loops`
    """
    sizes, (source, target) = loops([piece.source, piece.target])
    return Run(sizes, source, target, int(piece.source.flat[0]), int(piece.target.flat[0]))


def _ints(operator: Operator, position: int) -> list[int]:
    """Return the values of a constant input. Raise ValueError if it is not a constant of integers."""
    tensor = operator.inputs[position] if position < len(operator.inputs) else None
    if tensor is None or tensor.data is None or not np.issubdtype(tensor.data.dtype, np.integer):
        raise ValueError(f"needs a constant of whole numbers as input {position}")
    return [int(value) for value in tensor.data.ravel()]


def _whole(operator: Operator, source: np.ndarray, index: int = 0) -> list[Piece]:
    """Return one piece: all of output `index`, in order, comes from `source` of the first computed input."""
    tensor = next(tensor for tensor in operator.inputs if tensor is not None and tensor.data is None)
    return [Piece(tensor, source, numbers(operator.outputs[index].shape).reshape(source.shape))]


def _transpose(operator: Operator) -> list[Piece]:
    order = _ints(operator, 1)
    return [
        Piece(
            operator.source(0),
            numbers(operator.source(0).shape).transpose(order),
            numbers(operator.output.shape),
        )
    ]


def _strided_slice(operator: Operator) -> list[Piece]:
    begin, end, step = (_ints(operator, position) for position in (1, 2, 3))
    options = operator.options
    if options["EllipsisMask"] or options["NewAxisMask"] or options.get("Offset"):
        raise ValueError("has an ellipsis, a new axis or an offset")
    slices: list[slice | int] = []
    for axis, (first, last, stride) in enumerate(zip(begin, end, step, strict=True)):
        if options["ShrinkAxisMask"] >> axis & 1:
            slices.append(first)
            continue
        start = None if options["BeginMask"] >> axis & 1 else first
        stop = None if options["EndMask"] >> axis & 1 else last
        slices.append(slice(start, stop, stride))
    source = numbers(operator.source(0).shape)[tuple(slices)]
    return [Piece(operator.source(0), np.asarray(source), numbers(operator.output.shape))]


def _slice(operator: Operator) -> list[Piece]:
    begin, size = _ints(operator, 1), _ints(operator, 2)
    slices = tuple(
        slice(first, None if count == -1 else first + count) for first, count in zip(begin, size, strict=True)
    )
    return [
        Piece(operator.source(0), numbers(operator.source(0).shape)[slices], numbers(operator.output.shape))
    ]


def _concatenation(operator: Operator) -> list[Piece]:
    axis = operator.options["Axis"]
    ends = np.cumsum([tensor.shape[axis] for tensor in operator.sources])[:-1]
    parts = np.split(numbers(operator.output.shape), ends, axis)
    return [
        Piece(tensor, numbers(tensor.shape), part)
        for tensor, part in zip(operator.sources, parts, strict=True)
    ]


def _pack(operator: Operator) -> list[Piece]:
    target = np.moveaxis(numbers(operator.output.shape), operator.options["Axis"], 0)
    return [
        Piece(tensor, numbers(tensor.shape), part)
        for tensor, part in zip(operator.sources, target, strict=True)
    ]


def _pad(operator: Operator) -> list[Piece]:
    pads = np.reshape(_ints(operator, 1), (-1, 2))
    source = numbers(operator.source(0).shape)
    inner = tuple(slice(first, first + size) for (first, _), size in zip(pads, source.shape, strict=True))
    expected = tuple(int(n + pad.sum()) for n, pad in zip(source.shape, pads, strict=True))
    if np.any(pads < 0) or expected != operator.output.shape:
        raise ValueError(f"pads {list(source.shape)} by {pads.tolist()}")
    return [Piece(operator.source(0), source, numbers(operator.output.shape)[inner])]


def _resize(operator: Operator) -> list[Piece]:
    """Resize by integer factors: each input element is repeated."""
    _, height, width, channels = operator.source(0).shape
    batch, out_height, out_width, _ = operator.output.shape
    if out_height % height or out_width % width or operator.options["AlignCorners"]:
        raise ValueError("does not resize by whole factors")
    factors = out_height // height, out_width // width
    source = numbers((batch, height, 1, width, 1, channels))
    shape = (batch, height, factors[0], width, factors[1], channels)
    source, target = np.broadcast_to(source, shape), numbers(shape)
    return [Piece(operator.source(0), source, target)]


def _depth_to_space(operator: Operator) -> list[Piece]:
    size = operator.options["BlockSize"]
    batch, height, width, channels = operator.source(0).shape
    source = numbers((batch, height, width, size, size, channels // size**2)).transpose(0, 1, 3, 2, 4, 5)
    return _whole(operator, source)


def _space_to_depth(operator: Operator) -> list[Piece]:
    size = operator.options["BlockSize"]
    batch, height, width, channels = operator.source(0).shape
    source = numbers((batch, height // size, size, width // size, size, channels)).transpose(0, 1, 3, 2, 4, 5)
    return _whole(operator, source)


def _blocks(operator: Operator, image: Tensor, batches: Tensor, before: list[int]) -> list[tuple]:
    """Return for each position within a block the elements of an image and of the batch with this position.

    An image is [batch, spatial axes…, rest…]; `before` steps of padding stand before each spatial axis.
    """
    block = _ints(operator, 1)
    axes = len(block)
    outer = (*block, image.shape[0], *batches.shape[1:])
    pixels, grouped = numbers(image.shape), numbers(batches.shape).reshape(outer)
    found = []
    for position in np.ndindex(*block):
        pixel, group = [slice(None)], [slice(None)]
        for axis in range(axes):
            size, first, length = block[axis], position[axis] - before[axis], image.shape[axis + 1]
            start = max(-(first // size), 0)
            stop = min((length - first + size - 1) // size, batches.shape[axis + 1])
            pixel.append(slice(start * size + first, max(stop * size + first, 0), size))
            group.append(slice(start, stop))
        pair = pixels[tuple(pixel)], grouped[position][tuple(group)]
        if pair[0].size or pair[1].size:
            found.append(pair)
    return found


def _space_to_batch(operator: Operator) -> list[Piece]:
    """SPACE_TO_BATCH_ND without padding; with padding TFLM reads undefined memory."""
    image, batches = operator.source(0), operator.output
    if any(_ints(operator, 2)):
        raise ValueError("is padded, which TFLM does with undefined values")
    pairs = _blocks(operator, image, batches, [0] * (len(image.shape) - 1))
    return [Piece(image, pixels, group) for pixels, group in pairs]


def _batch_to_space(operator: Operator) -> list[Piece]:
    batches, image = operator.source(0), operator.output
    pairs = _blocks(operator, image, batches, _ints(operator, 2)[::2])
    return [Piece(batches, group, pixels) for pixels, group in pairs]


def _gather(operator: Operator) -> list[Piece]:
    axis, indices = operator.options["Axis"], operator.source(1)
    chosen = np.array(_ints(operator, 1))
    if operator.options["BatchDims"]:
        raise ValueError("has batch dimensions")
    tensor = operator.source(0)
    axis = axis % len(tensor.shape)
    source = np.moveaxis(numbers(tensor.shape), axis, 0)
    shape = (*tensor.shape[:axis], len(chosen), *tensor.shape[axis + 1 :])
    if indices.data is None or np.any((chosen < 0) | (chosen >= len(source))):
        raise ValueError(f"gathers {chosen.tolist()}")
    target = np.moveaxis(numbers(operator.output.shape).reshape(shape), axis, 0)
    return [Piece(tensor, source[index], target[i]) for i, index in enumerate(chosen)]


def _split_parts(operator: Operator, tensor: Tensor, axis: int, sizes: list[int]) -> list[list[Piece]]:
    parts = np.split(numbers(tensor.shape), np.cumsum(sizes)[:-1], axis)
    if sum(sizes) != tensor.shape[axis] or min(sizes) < 1:
        raise ValueError(f"splits {list(tensor.shape)} into {sizes}")
    return [
        [Piece(tensor, part, numbers(output.shape))]
        for part, output in zip(parts, operator.outputs, strict=True)
    ]


def _split(operator: Operator) -> list[list[Piece]]:
    (axis,), tensor = _ints(operator, 0), operator.source(1)
    count = len(operator.outputs)
    return _split_parts(operator, tensor, axis, [tensor.shape[axis] // count] * count)


def _split_v(operator: Operator) -> list[list[Piece]]:
    tensor, sizes, (axis,) = operator.source(0), _ints(operator, 1), _ints(operator, 2)
    if -1 in sizes:
        sizes[sizes.index(-1)] = tensor.shape[axis] - sum(sizes) - 1
    return _split_parts(operator, tensor, axis, sizes)


def _unpack(operator: Operator) -> list[list[Piece]]:
    tensor = operator.source(0)
    parts = np.moveaxis(numbers(tensor.shape), operator.options["Axis"], 0)
    return [
        [Piece(tensor, part, numbers(output.shape))]
        for part, output in zip(parts, operator.outputs, strict=True)
    ]


ONE_OUTPUT: dict[str, Callable[[Operator], list[Piece]]] = {
    "BATCH_TO_SPACE_ND": _batch_to_space,
    "CONCATENATION": _concatenation,
    "DEPTH_TO_SPACE": _depth_to_space,
    "GATHER": _gather,
    "PACK": _pack,
    "PAD": _pad,
    "PADV2": _pad,
    "RESIZE_NEAREST_NEIGHBOR": _resize,
    "SLICE": _slice,
    "SPACE_TO_BATCH_ND": _space_to_batch,
    "SPACE_TO_DEPTH": _space_to_depth,
    "STRIDED_SLICE": _strided_slice,
    "TRANSPOSE": _transpose,
}
SEVERAL_OUTPUTS: dict[str, Callable[[Operator], list[list[Piece]]]] = {
    "SPLIT": _split,
    "SPLIT_V": _split_v,
    "UNPACK": _unpack,
}
KINDS = {*ONE_OUTPUT, *SEVERAL_OUTPUTS}


def pieces(operator: Operator) -> list[list[Piece]]:
    """Return the pieces of each output of an operator.

    Args:
        operator: its kind is one of KINDS

    Raises:
        ValueError: if the operator is not supported in this form; the message states why
    """
    if not operator.inputs or None in operator.inputs or not operator.outputs:
        raise ValueError("lacks an input or an output")
    try:
        if operator.kind in SEVERAL_OUTPUTS:
            found = SEVERAL_OUTPUTS[operator.kind](operator)
        else:
            found = [ONE_OUTPUT[operator.kind](operator)]
    except (AttributeError, IndexError, KeyError, TypeError, ZeroDivisionError) as error:
        raise ValueError(f"has shapes that do not fit ({error})") from error
    if len(found) != len(operator.outputs):
        raise ValueError(f"has {len(operator.outputs)} outputs")
    if max(len(parts) for parts in found) > MAX_PIECES:
        raise ValueError(f"moves more than {MAX_PIECES} pieces")
    for parts in found:
        for piece in parts:
            run(piece)
    return found
