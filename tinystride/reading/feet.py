"""Foot that the sensor is worn on: from the caller, the columns, the file's name, or the foot's motion."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from tinystride.datasets.recording import FEET, Recording, read_error
from tinystride.errors import DataError
from tinystride.reading.columns import foot_of


def foot_of_file(path: Path) -> str | None:
    """Return the foot that the name of a file or of its folder contains; None if neither does.

    Args:
        path: the file
    """
    return foot_of(path.stem) or foot_of(path.parent.name)


def foot_of_signal(recording: Recording) -> str:
    """Return the foot whose typical roll and sideways push the strides show.

    Args:
        recording: at least about 3 strides of walking

    Raises:
        DataError: if the strides do not show it
    """
    from tinystride.gait.strides import extract_strides

    contradicted = {}
    for foot in FEET:
        try:
            flags = extract_strides(replace(recording, foot=foot)).table["flags"]
        except DataError:
            flags = None
        words = [] if flags is None else [str(entry).split() for entry in flags if isinstance(entry, str)]
        walking = sum("not-walking" not in entry for entry in words)
        contradicted[foot] = None if walking < 3 else bool(np.any(["wrong-foot" in entry for entry in words]))
    for foot, other in (FEET, FEET[::-1]):
        if contradicted[foot] is False and contradicted[other]:
            return foot
    raise read_error(
        recording.source, "it is not clear which foot the sensor is on", "give it with --foot left or right"
    )
