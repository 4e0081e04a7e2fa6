"""Names of the engines; a module without imports, so that the command line starts at once."""

from typing import Literal

Engine = Literal["offline", "python", "c"]
ENGINES: tuple[Engine, ...] = ("offline", "python", "c")
