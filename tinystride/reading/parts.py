"""What a file holds, before it is put together to recordings."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from tinystride.reading.clock import Placement

# No sensor counts further; the squares of larger numbers may overflow.
MAX_COUNT = 1e12
MAX_BEYOND_SHARE = 0.05


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

    def __post_init__(self) -> None:
        self.acc, self.gyr = _without_impossible(self.acc), _without_impossible(self.gyr)


def _without_impossible(samples: np.ndarray | None) -> np.ndarray | None:
    """The samples [n, 3]; a few rows beyond what any sensor counts, as damage leaves them, are NaN."""
    if samples is None:
        return None
    beyond = (np.abs(samples) > MAX_COUNT).any(axis=1)
    if not 0 < beyond.sum() < MAX_BEYOND_SHARE * len(samples):
        return samples
    return np.where(beyond[:, None], np.nan, samples)
