"""Where the values between layers live: one block of memory, reused as soon as nobody needs them any more."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinystride.codegen.layers import Buffer, Layer
from tinystride.codegen.packing import round_up

ALIGNMENT = 4
MAX_TRIES = 300


@dataclass(eq=False)
class Block:
    """Bytes that are needed from the layer numbered `first` to the one numbered `last`, both included."""

    name: str
    size: int
    first: int
    last: int
    offset: int = 0

    @property
    def end(self) -> int:
        return self.offset + self.size

    def meets(self, other: "Block") -> bool:
        return self.first <= other.last and other.first <= self.last


@dataclass(eq=False)
class MemoryPlan:
    blocks: list[Block]
    buffers: dict[int, Block]  # by id of the Buffer
    scratch: dict[int, Block]  # by id of the Layer

    @property
    def size(self) -> int:
        return max((block.end for block in self.blocks), default=0)


def lifetimes(layers: list[Layer]) -> dict[int, tuple[Buffer, int, int]]:
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
        offset = 0
        for other in sorted((b for b in placed if b.meets(block)), key=lambda b: b.offset):
            if offset + block.size <= other.offset:
                break
            offset = max(offset, round_up(other.end, ALIGNMENT))
        block.offset = offset
        placed.append(block)
    return max((block.end for block in blocks), default=0)


def place(blocks: list[Block]) -> None:
    """Give each block an offset: by first fit, the largest first, or in an order that takes less."""
    moments = {block.first for block in blocks}
    needed = max((sum(b.size for b in blocks if b.first <= at <= b.last) for at in moments), default=0)
    order = sorted(blocks, key=lambda b: (-b.size, b.first))
    rng = np.random.default_rng(0)
    best, best_size = order, _first_fit(order)
    for _ in range(MAX_TRIES):
        if best_size <= needed:
            break
        order = [blocks[i] for i in rng.permutation(len(blocks))]
        if (size := _first_fit(order)) < best_size:
            best, best_size = order, size
    _first_fit(best)


def plan_memory(layers: list[Layer], scratch_bytes: list[int]) -> MemoryPlan:
    """Plan the buffers between layers and `scratch_bytes[i]` bytes that layer i needs while it runs."""
    buffers = {
        key: Block(buffer.name, buffer.size, first, last)
        for key, (buffer, first, last) in lifetimes(layers).items()
    }
    scratch = {
        id(layer): Block(f"{layer.name} (working memory)", size, index, index)
        for index, (layer, size) in enumerate(zip(layers, scratch_bytes, strict=True))
        if size
    }
    blocks = [*buffers.values(), *scratch.values()]
    place(blocks)
    return MemoryPlan(sorted(blocks, key=lambda b: (b.first, b.offset)), buffers, scratch)
