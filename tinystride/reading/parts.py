"""What a file holds, before it is put together to recordings."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from tinystride.reading.clock import Placement


@dataclass
class Part:
    """One sensor in one file, in its own units.

    acc, gyr: [n, 3]; None where the file lacks it. units: those that the file names, or None
    placement: where the rows are on the even grid; clock: name of the clock, "" if there is none
    told: facts that the reader assumed, for the user; noted: what it noticed in any case
    """

    path: Path
    foot: str | None
    label: str
    acc: np.ndarray | None
    gyr: np.ndarray | None
    units: tuple[str | None, str | None]
    placement: Placement
    clock: str
    told: list[str] = field(default_factory=list)
    noted: list[str] = field(default_factory=list)
