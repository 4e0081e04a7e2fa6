"""Plan one block of memory for the values between layers; bytes are reused after their last use.

If a layer reads its input in the order in which it writes its output, the output may overlap the input: it
then begins so many bytes before the input that no value is overwritten before its last use.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from tinystride.codegen.layers import (
    Addition,
    Buffer,
    Convolution,
    DepthwiseConvolution,
    Layer,
    Pooling,
    Rescaling,
    Window,
)
from tinystride.codegen.packing import is_dense, is_one_dimensional, round_up

ALIGNMENT = 4
MAX_TRIES = 300
POSITIONS = (1, 2, 3)  # numbers of positions that kernels/convolve.c computes together


@dataclass(eq=False)
class Block:
    """Bytes that are used from one layer to another.

    Attributes:
        name: name of the buffer
        size: bytes
        first: number of the first layer that uses it
        last: number of the last layer that uses it, included
        offset: place in the memory, bytes
        over: {id of another block: bytes by which this block must begin before it to overlap it}
    """

    name: str
    size: int
    first: int
    last: int
    offset: int = 0
    over: dict[int, int] = field(default_factory=dict)

    @property
    def end(self) -> int:
        """Offset after the last byte."""
        return self.offset + self.size

    def is_alive_with(self, other: "Block") -> bool:
        """Return whether both blocks are used at the same time.

        Args:
            other: another block
        """
        return self.first <= other.last and other.first <= self.last

    def can_coexist_with(self, other: "Block") -> bool:
        """Return whether both blocks may keep their offsets.

        Args:
            other: another block
        """
        if not self.is_alive_with(other) or self.end <= other.offset or other.end <= self.offset:
            return True
        for one, another in ((self, other), (other, self)):
            if id(another) in one.over and one.offset + one.over[id(another)] <= another.offset:
                return True
        return False

    def lowest_offset_beside(self, other: "Block", offset: int) -> int:
        """Return the lowest offset at which this block does not conflict with another one.

        Args:
            other: a block with an offset
            offset: the search begins here
        """
        if not self.is_alive_with(other) or offset + self.size <= other.offset or offset >= other.end:
            return offset
        if id(other) in self.over and offset + self.over[id(other)] <= other.offset:
            return offset
        lowest = other.end
        if id(self) in other.over:  # the other may overlap this one, from a lower offset
            lowest = min(lowest, other.offset + other.over[id(self)])
        return round_up(max(lowest, offset), ALIGNMENT)


@dataclass(eq=False)
class MemoryPlan:
    """The places of all buffers in the memory.

    Attributes:
        blocks: sorted by first use and offset
        buffers: {id of the Buffer: its block}
        scratch: {id of the Layer: the block of its working memory}
    """

    blocks: list[Block]
    buffers: dict[int, Block]
    scratch: dict[int, Block]

    @property
    def size(self) -> int:
        """Bytes of the whole memory."""
        return max((block.end for block in self.blocks), default=0)


def lifetimes(layers: Sequence[Layer]) -> dict[int, tuple[Buffer, int, int]]:
    """Return for each buffer in memory, by id, the buffer and the numbers of its first and last layer.

    Args:
        layers: in the order of execution
    """
    lives: dict[int, tuple[Buffer, int, int]] = {}
    for index, layer in enumerate(layers):
        if layer.output.place == "memory":
            lives[id(layer.output)] = (layer.output, index, index)
        for buffer in layer.inputs:
            if buffer.place == "memory":
                lives[id(buffer)] = (buffer, lives[id(buffer)][1], index)
    return lives


def _first_fit(blocks: Sequence[Block]) -> int:
    """Give each block in turn the lowest free offset. Return the size of the memory."""
    placed: list[Block] = []
    for block in blocks:
        offset, settled = 0, False
        neighbours = sorted((b for b in placed if b.is_alive_with(block)), key=lambda b: b.offset)
        while not settled:
            before = offset
            for other in neighbours:
                offset = block.lowest_offset_beside(other, offset)
            settled = offset == before
        block.offset = offset
        placed.append(block)
    return max((block.end for block in blocks), default=0)


def place(blocks: list[Block]) -> None:
    """Set the offset of each block by first fit, in the best of several orders.

    Args:
        blocks: to place
    """
    moments = {block.first for block in blocks}
    alive = [[b for b in blocks if b.first <= at <= b.last] for at in moments]
    overlapping = any(block.over for block in blocks)
    needed = max(
        (max(b.size for b in some) if overlapping else sum(b.size for b in some) for some in alive), default=0
    )
    rng = np.random.default_rng(0)
    best, best_size = blocks, None
    for number in range(MAX_TRIES):
        if number == 0:
            order = sorted(blocks, key=lambda b: (-b.size, b.first))
        elif number == 1:
            order = sorted(
                blocks, key=lambda b: (b.first == b.last, -b.first, -b.size)
            )  # the last layer first
        else:
            order = [blocks[i] for i in rng.permutation(len(blocks))]
            if number % 2:
                order.sort(key=lambda b: b.first == b.last)  # working memory fills gaps
        size = _first_fit(order)
        if best_size is None or size < best_size:
            best, best_size = order, size
        if best_size <= needed:
            break
    _first_fit(best)


def _distance(window: Window, in_channels: int, out_channels: int) -> int:
    """Return the bytes by which the output has to begin before the input to overlap it.

    Positions are computed in order, up to three at once. A position is written only after all inputs of
    earlier and equal positions have been read.
    """
    (height, width), positions = window.output, window.output[0] * window.output[1]
    rows = np.maximum(np.arange(height) * window.stride[0] - window.pad[0], 0)
    columns = np.maximum(np.arange(width) * window.stride[1] - window.pad[1], 0)
    first_read = ((rows[:, None] * window.input[1] + columns) * in_channels).ravel()
    still_read = np.minimum.accumulate(first_read[::-1])[::-1]
    distance = 0
    for together in POSITIONS:
        starts = np.arange(0, positions, together)
        ends = np.minimum(starts + together, positions) * out_channels
        distance = max(distance, int((ends - still_read[starts]).max()))
    return distance


def overlap_distance(layer: Layer) -> int | None:
    """Return the bytes by which a layer's output has to begin before its input to overlap it.

    Args:
        layer: any layer

    Returns:
        bytes, or None if the output must not overlap the input
    """
    if isinstance(layer, Addition | Rescaling):
        return 0
    if isinstance(layer, Pooling):
        return _distance(layer.window, layer.channels, layer.channels)
    if isinstance(layer, DepthwiseConvolution):
        channels = layer.weights.shape[-1]
        return _distance(layer.window, channels // layer.depth_multiplier, channels)
    if isinstance(layer, Convolution) and not is_dense(layer) and not is_one_dimensional(layer):
        return _distance(layer.window, layer.weights.shape[-1], len(layer.weights))
    return None


def plan_memory(layers: list[Layer], scratch_bytes: list[int]) -> MemoryPlan:
    """Plan the memory for the buffers between layers and for their working memory.

    Args:
        layers: in the order of execution
        scratch_bytes: working memory of each layer, bytes

    Returns:
        the plan, with an offset for each block
    """
    buffers = {
        key: Block(buffer.name, buffer.size, first, last)
        for key, (buffer, first, last) in lifetimes(layers).items()
    }
    for index, layer in enumerate(layers):
        distance = overlap_distance(layer)
        output = buffers.get(id(layer.output))
        for source in (buffers[id(b)] for b in layer.inputs if id(b) in buffers):
            in_step = not isinstance(layer, Addition | Rescaling) or (output and source.size == output.size)
            if distance is not None and output is not None and source.last == index and in_step:
                output.over[id(source)] = round_up(distance, ALIGNMENT)
    scratch = {
        id(layer): Block(f"{layer.name} (working memory)", size, index, index)
        for index, (layer, size) in enumerate(zip(layers, scratch_bytes, strict=True))
        if size
    }
    blocks = [*buffers.values(), *scratch.values()]
    place(blocks)
    return MemoryPlan(sorted(blocks, key=lambda b: (b.first, b.offset)), buffers, scratch)
