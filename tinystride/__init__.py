"""Gait stride length from a shoe-worn IMU, learned reproducibly and run on its microcontroller.

import tinystride
walk = tinystride.read("walk.csv")
result = tinystride.estimate(walk)
result.strides, result.summary, result.plot("walk.png"), result.to_csv("strides.csv")
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tinystride.api import Result, Walk, estimate, read
    from tinystride.datasets.recording import Recording
    from tinystride.errors import DataError, MissingExtraError, ModelError, ParameterError, TinyStrideError
    from tinystride.results import COLUMNS

__version__ = "0.1.0"

# Loaded on first use, so that the command line starts at once.
_PUBLIC = {
    "COLUMNS": "tinystride.results",
    "DataError": "tinystride.errors",
    "MissingExtraError": "tinystride.errors",
    "ModelError": "tinystride.errors",
    "ParameterError": "tinystride.errors",
    "Recording": "tinystride.datasets.recording",
    "Result": "tinystride.api",
    "TinyStrideError": "tinystride.errors",
    "Walk": "tinystride.api",
    "estimate": "tinystride.api",
    "read": "tinystride.api",
}
__all__ = [
    "COLUMNS",
    "DataError",
    "MissingExtraError",
    "ModelError",
    "ParameterError",
    "Recording",
    "Result",
    "TinyStrideError",
    "Walk",
    "estimate",
    "read",
]


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'tinystride' has no attribute {name!r}")
    return getattr(import_module(_PUBLIC[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_PUBLIC])
