"""Somebody's own recording: a csv with acc_x … gyr_z, and time_s where samples may have been lost."""

from pathlib import Path

import numpy as np

from tinystride.datasets.recording import Recording
from tinystride.datasets.samples import (
    AXES,
    STANDARD_GRAVITY_MPS2,
    check_recording,
    fill_gaps,
    numbers,
    read_table,
    sample_numbers,
)
from tinystride.errors import ParameterError

ACC_UNITS = {"m/s2": 1.0, "g": STANDARD_GRAVITY_MPS2}
GYR_UNITS = {"rad/s": 1.0, "deg/s": np.pi / 180}


def load_csv(
    path: Path | str, *, rate_hz: float, foot: str, acc_unit: str = "m/s2", gyr_unit: str = "rad/s"
) -> Recording:
    """The recording in `path`, with the columns acc_x, acc_y, acc_z, gyr_x, gyr_y, gyr_z in the units given.

    Other columns are ignored, but for `time_s`, from which lost samples are found and filled. Raises
    ParameterError for an unknown unit, DataError for a file that breaks a rule of `samples`.
    """
    for unit, known in ((acc_unit, ACC_UNITS), (gyr_unit, GYR_UNITS)):
        if unit not in known:
            raise ParameterError(f"unknown unit {unit!r}: choose {' or '.join(known)}")
    path = Path(path)
    table = read_table(path)
    samples, gaps = numbers(path, table, list(AXES)), np.zeros((0, 2), dtype=np.int64)
    if "time_s" in table:
        number = sample_numbers(path, numbers(path, table, ["time_s"])[:, 0], rate_hz)
        samples, gaps = fill_gaps(path, number, samples)
    return check_recording(
        Recording(
            dataset="own",
            subject=path.stem,
            trial="1",
            foot=foot,
            rate_hz=rate_hz,
            acc_mps2=samples[:, :3] * ACC_UNITS[acc_unit],
            gyr_radps=samples[:, 3:] * GYR_UNITS[gyr_unit],
            source=str(path),
            gaps=gaps,
        )
    )
