"""Represent a .tflite network as plain Python objects."""

from dataclasses import dataclass, field
from math import prod

import numpy as np

from tinystride.errors import ModelError


@dataclass(frozen=True, eq=False)
class Tensor:
    """One tensor of a graph.

    Attributes:
        name: as in the file
        shape: shape of its values
        dtype: "int8", "uint8", "int32", "float32", …
        scales: float32, one per tensor or one per channel; empty if it is not quantized
        zero_points: int64, as many as scales
        channel_axis: axis along which the scales vary
        data: values of a constant, None if the value is computed
        problem: reason and remedy if the tensor cannot be used, else empty
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    scales: np.ndarray
    zero_points: np.ndarray
    channel_axis: int
    data: np.ndarray | None
    problem: str = ""

    @property
    def size(self) -> int:
        """Number of elements."""
        return prod(self.shape)

    @property
    def scale(self) -> np.float32:
        """The first scale, which is the only one of an activation."""
        return self.scales[0]

    @property
    def zero_point(self) -> int:
        """The first zero point, which is the only one of an activation."""
        return int(self.zero_points[0])

    @property
    def values(self) -> np.ndarray:
        """Values of a constant.

        Raises:
            ModelError: if the tensor is computed
        """
        if self.data is None:
            raise ModelError(f"tensor '{self.name}' is not a constant; convert the model again")
        return self.data


@dataclass(frozen=True, eq=False)
class Operator:
    """One operator of a graph.

    Attributes:
        kind: as in the schema: "CONV_2D", …
        inputs: None for an optional input that is left out
        outputs: its results
        options: fields of its options table, with activation and padding by name
    """

    kind: str
    inputs: tuple[Tensor | None, ...]
    outputs: tuple[Tensor, ...]
    options: dict = field(default_factory=dict)

    @property
    def output(self) -> Tensor:
        """The first output."""
        return self.outputs[0]

    @property
    def sources(self) -> tuple[Tensor, ...]:
        """All inputs of an operator that needs each of them.

        Raises:
            ModelError: if one is left out
        """
        return tuple(self.source(position) for position in range(len(self.inputs)))

    def source(self, position: int) -> Tensor:
        """Return the input at a position.

        Args:
            position: from 0

        Raises:
            ModelError: if it is left out
        """
        tensor = self.inputs[position]
        if tensor is None:
            raise ModelError(f"{self.kind}: lacks input {position}; convert the model again")
        return tensor


@dataclass(frozen=True, eq=False)
class Graph:
    """A network with one input and one output.

    Attributes:
        input: input of the network
        output: output of the network
        operators: in the order of execution
        metadata: {name of the entry: content}
        description: description of the file
        others: operators of the further subgraphs, from number 1 on
    """

    input: Tensor
    output: Tensor
    operators: tuple[Operator, ...]
    metadata: dict[str, bytes]
    description: str
    others: tuple[tuple[Operator, ...], ...] = ()
