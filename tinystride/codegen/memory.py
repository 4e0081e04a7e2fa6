"""Where the values between layers live: one block of memory, reused as soon as nobody needs them any more.

A layer that reads its input in the order in which it writes its output may write over what it has read: the
output then begins so many bytes before the input that no value is overwritten before its last use.
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
POSITIONS = (1, 2, 3)  # that kernels/convolve.c computes together


@dataclass(eq=False)
class Block:
    """Bytes that are needed from the layer numbered `first` to the one numbered `last`, both included.

    over: by id of another block, the distance in bytes by which this one may begin before it and lie over it
    """

    name: str
    size: int
    first: int
    last: int
    offset: int = 0
    over: dict[int, int] = field(default_factory=dict)

    @property
    def end(self) -> int:
        return self.offset + self.size

    def meets(self, other: "Block") -> bool:
        return self.first <= other.last and other.first <= self.last

    def is_clear_of(self, other: "Block") -> bool:
        """Whether both may be where they are."""
        if not self.meets(other) or self.end <= other.offset or other.end <= self.offset:
            return True
        for one, another in ((self, other), (other, self)):
            if id(another) in one.over and one.offset + one.over[id(another)] <= another.offset:
                return True
        return False

    def first_after(self, other: "Block", offset: int) -> int:
        """The lowest offset from `offset` at which this block may be, as far as the other is concerned."""
        if not self.meets(other) or offset + self.size <= other.offset or offset >= other.end:
            return offset
        if id(other) in self.over and offset + self.over[id(other)] <= other.offset:
            return offset
        lowest = other.end
        if id(self) in other.over:  # the other writes over this one, from a lower offset
            lowest = min(lowest, other.offset + other.over[id(self)])
        return round_up(max(lowest, offset), ALIGNMENT)


@dataclass(eq=False)
class MemoryPlan:
    blocks: list[Block]
    buffers: dict[int, Block]  # by id of the Buffer
    scratch: dict[int, Block]  # by id of the Layer

    @property
    def size(self) -> int:
        return max((block.end for block in self.blocks), default=0)


def lifetimes(layers: Sequence[Layer]) -> dict[int, tuple[Buffer, int, int]]:
    """For each buffer in memory, by id: itself, the layer that writes it, the last layer that reads it."""
    lives: dict[int, tuple[Buffer, int, int]] = {}
    for index, layer in enumerate(layers):
        if layer.output.place == "memory":
            lives[id(layer.output)] = (layer.output, index, index)
        for buffer in layer.inputs:
            if buffer.place == "memory":
                lives[id(buffer)] = (buffer, lives[id(buffer)][1], index)
    return lives


def _first_fit(blocks: Sequence[Block]) -> int:
    """Give each block in turn the lowest offset that is free during its life; returns what they take."""
    placed: list[Block] = []
    for block in blocks:
        offset, settled = 0, False
        neighbours = sorted((b for b in placed if b.meets(block)), key=lambda b: b.offset)
        while not settled:
            before = offset
            for other in neighbours:
                offset = block.first_after(other, offset)
            settled = offset == before
        block.offset = offset
        placed.append(block)
    return max((block.end for block in blocks), default=0)


def place(blocks: list[Block]) -> None:
    """Give each block an offset: by first fit, in the best of several orders."""
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
                order.sort(key=lambda b: b.first == b.last)  # working memory where it finds room
        size = _first_fit(order)
        if best_size is None or size < best_size:
            best, best_size = order, size
        if best_size <= needed:
            break
    _first_fit(best)


def _distance(window: Window, in_channels: int, out_channels: int) -> int:
    """The bytes by which the output has to begin before the input to be written over it.

    Positions are computed in order, up to three together; none is written while one from it on is unread.
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
    """By how many bytes a layer's output has to begin before an input that it lies over, None for never."""
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
    """Plan the buffers between layers and `scratch_bytes[i]` bytes that layer i needs while it runs."""
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
