"""A .tflite network as plain Python objects."""

from dataclasses import dataclass, field
from math import prod

import numpy as np

from tinystride.errors import ModelError


@dataclass(frozen=True, eq=False)
class Tensor:
    """One tensor: `data` holds the values of a constant, None where the value is computed."""

    name: str
    shape: tuple[int, ...]
    dtype: str  # "int8", "uint8", "int32", "float32", ...
    scales: np.ndarray  # float32, one per tensor or one per channel, empty where not quantized
    zero_points: np.ndarray  # int64, as many as scales
    channel_axis: int
    data: np.ndarray | None
    problem: str = ""  # why it cannot be used, with the remedy; empty if it can

    @property
    def size(self) -> int:
        return prod(self.shape)

    @property
    def scale(self) -> np.float32:
        return self.scales[0]

    @property
    def zero_point(self) -> int:
        return int(self.zero_points[0])

    @property
    def values(self) -> np.ndarray:
        """The data of a constant. Raises ModelError if the tensor is computed."""
        if self.data is None:
            raise ModelError(f"tensor '{self.name}' is not a constant; convert the model again")
        return self.data


@dataclass(frozen=True, eq=False)
class Operator:
    """One operator: `options` are the fields of its options table, activation and padding by name."""

    kind: str  # as in the schema: "CONV_2D", ...
    inputs: tuple[Tensor | None, ...]
    outputs: tuple[Tensor, ...]
    options: dict = field(default_factory=dict)

    @property
    def output(self) -> Tensor:
        return self.outputs[0]

    @property
    def sources(self) -> tuple[Tensor, ...]:
        """All inputs of an operator that needs each of them. Raises ModelError if one is left out."""
        return tuple(self.source(position) for position in range(len(self.inputs)))

    def source(self, position: int) -> Tensor:
        """The input at a position, from 0. Raises ModelError if it is left out."""
        tensor = self.inputs[position]
        if tensor is None:
            raise ModelError(f"{self.kind}: lacks input {position}; convert the model again")
        return tensor


@dataclass(frozen=True, eq=False)
class Graph:
    """A network with one input and one output, its operators in the order of execution.

    others: the operators of further subgraphs, from the one numbered 1 on
    """

    input: Tensor
    output: Tensor
    operators: tuple[Operator, ...]
    metadata: dict[str, bytes]
    description: str
    others: tuple[tuple[Operator, ...], ...] = ()
