"""Evaluate operators whose results do not depend on the network's input: shapes and constants."""

from collections.abc import Callable

import numpy as np

from tinystride.codegen import movement
from tinystride.codegen.graph import Operator

WHOLE_NUMBERS = ("int32", "int64")
ARITHMETIC: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "ADD": np.add,
    "MAXIMUM": np.maximum,
    "MINIMUM": np.minimum,
    "MUL": np.multiply,
    "SUB": np.subtract,
}
SAME_VALUES = {"CAST", "EXPAND_DIMS", "RESHAPE", "SQUEEZE"}
KINDS = {*ARITHMETIC, *SAME_VALUES, *movement.KINDS, "FILL", "REDUCE_PROD", "SHAPE"}


def is_known(operator: Operator) -> bool:
    """Return whether `fold` can evaluate an operator.

    It can evaluate SHAPE, integer arithmetic on constants, and the movement of constants of any type.

    Args:
        operator: operator of the graph
    """
    if operator.kind == "SHAPE":
        return True
    given = [tensor for tensor in operator.inputs if tensor is not None]
    whole = all(output.dtype in WHOLE_NUMBERS for output in operator.outputs)
    moved = operator.kind in movement.KINDS or operator.kind in SAME_VALUES - {"CAST"}
    return operator.kind in KINDS and (whole or moved) and all(tensor.data is not None for tensor in given)


def fold(operator: Operator) -> list[np.ndarray]:
    """Return the values of an operator's outputs.

    Args:
        operator: for which `is_known` holds

    Raises:
        ValueError: if they cannot be computed; the message states why
    """
    kind, output = operator.kind, operator.output
    values = [tensor.values for tensor in operator.inputs if tensor is not None and kind != "SHAPE"]
    if kind == "SHAPE":
        results = [np.array(operator.source(0).shape)]
    elif kind in ARITHMETIC:
        results = [ARITHMETIC[kind](values[0].astype(np.int64), values[1].astype(np.int64))]
    elif kind in SAME_VALUES:
        results = [values[0]]
    elif kind == "FILL":
        results = [np.broadcast_to(values[1], output.shape)]
    elif kind == "REDUCE_PROD":
        results = [values[0].astype(np.int64).prod(axis=tuple(values[1].ravel().tolist()))]
    else:
        results = []
        for target, pieces in zip(operator.outputs, movement.pieces(operator), strict=True):
            moved = np.zeros(target.size, values[0].dtype)
            if kind in ("PAD", "PADV2") and target.dtype not in WHOLE_NUMBERS:
                raise ValueError("pads a constant")
            for piece in pieces:
                moved[piece.target] = piece.tensor.values.ravel()[piece.source]
            results.append(moved)
    return [
        np.asarray(result).astype(target.dtype).reshape(target.shape)
        for result, target in zip(results, operator.outputs, strict=True)
    ]
