"""A .tflite network as plain Python objects."""

from dataclasses import dataclass, field
from math import prod

import numpy as np


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
