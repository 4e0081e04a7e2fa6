"""The ways from samples to strides; of its own, so that the command line can name them at once."""

from typing import Literal

Engine = Literal["offline", "python", "c"]
ENGINES: tuple[Engine, ...] = ("offline", "python", "c")
