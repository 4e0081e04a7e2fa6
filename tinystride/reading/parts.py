"""Content of a file before it is joined to recordings."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from tinystride.reading.clock import Placement

# No sensor has larger values; squares of larger numbers may overflow.
MAX_COUNT = 1e12
MAX_IMPOSSIBLE_SHARE = 0.05


@dataclass
class Part:
    """One sensor in one file, in its own units.

    Attributes:
        path: the file
        foot: "left" or "right"; None: unknown
        label: name of the sensor in the file
        acc: accelerometer, [n, 3]; None if the file lacks it
        gyr: gyroscope, [n, 3]; None if the file lacks it
        units: units of both that the file names, or None
        placement: places of the rows on the even grid
        clock: name of the clock, "" without a clock
        assumed: facts that the reader assumed, for the user
        noted: facts that the reader noticed, for the user
    """

    path: Path
    foot: str | None
    label: str
    acc: np.ndarray | None
    gyr: np.ndarray | None
    units: tuple[str | None, str | None]
    placement: Placement
    clock: str
    assumed: list[str] = field(default_factory=list)
    noted: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.acc, self.gyr = _without_impossible(self.acc), _without_impossible(self.gyr)


def _without_impossible(samples: np.ndarray | None) -> np.ndarray | None:
    """Return samples [n, 3]; a few rows with values that no sensor has, as damage leaves them, become NaN."""
    if samples is None:
        return None
    impossible = (np.abs(samples) > MAX_COUNT).any(axis=1)
    if not 0 < impossible.sum() < MAX_IMPOSSIBLE_SHARE * len(samples):
        return samples
    return np.where(impossible[:, None], np.nan, samples)
