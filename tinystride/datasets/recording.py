"""One foot, one trial: what every data set is loaded to."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from tinystride.errors import DataError, ParameterError

REFERENCE_COLUMNS = ["start_s", "end_s", "stride_length_cm", "reference"]
TRAJECTORY_COLUMNS = ["time_s", "x_m", "y_m", "z_m"]
REFERENCE_SYSTEMS = ("optogait", "ruler", "mocap", "strapdown", "simulated")
REFERENCE_EVENTS = ("initial_contact", "mid_stance")
FEET = ("left", "right")


def reference_table(
    start_s: ArrayLike,
    end_s: ArrayLike,
    stride_length_cm: ArrayLike,
    reference: str,
    note: ArrayLike = "",
) -> pd.DataFrame:
    """One row per reference stride: REFERENCE_COLUMNS and `note`, which says why a length is not known."""
    table = pd.DataFrame(
        {
            "start_s": np.asarray(start_s, dtype=float),
            "end_s": np.asarray(end_s, dtype=float),
            "stride_length_cm": stride_length_cm,
            "reference": reference,
            "note": note,
        }
    )
    return table.astype({"stride_length_cm": float, "reference": str, "note": str}).reset_index(drop=True)


def trajectory_table(time_s: np.ndarray, position_m: np.ndarray) -> pd.DataFrame:
    """A reference that is known at every instant: TRAJECTORY_COLUMNS, one row per position.

    time_s: [k] on the recording's clock, increasing; position_m: [k, 3], of the sensor or of a marker on the
        shoe, z up, NaN where it was not seen
    """
    return pd.DataFrame(np.column_stack([time_s, position_m]), columns=TRAJECTORY_COLUMNS)


def is_trajectory(reference: pd.DataFrame) -> bool:
    """Return whether a recording's reference is a trajectory and not a table of strides."""
    return set(TRAJECTORY_COLUMNS) <= set(reference)


def no_reference() -> pd.DataFrame:
    return reference_table([], [], [], "")


@dataclass(frozen=True, eq=False)
class Recording:
    """Samples of one foot in one trial, in the sensor's own axes. Sample i was taken at i / rate_hz seconds.

    dataset, subject, trial: names; `subject` is unique within its data set
    foot: "left" or "right"
    rate_hz: sampling rate, evenly spaced
    acc_mps2: specific force, [n, 3], m/s² (at rest its magnitude is g)
    gyr_radps: angular rate, [n, 3], rad/s
    source: the file it came from, for messages
    condition: the walking condition ("PWS", "PWS+20", "overground", ...)
    gaps: [k, 2] half-open sample ranges that were lost and filled by interpolation
    walking_s: (start, end) outside of which nothing is to be used, e.g. trial boundaries; None: all of it
    turns_s: [k, 2] start and end of known turns
    reference: one row per reference stride: start_s, end_s (the two events that bound it, on the recording's
        clock), stride_length_cm, reference, note. NaN length: the stride is known, its length is not, for the
        reason in `note`. Or a trajectory (TRAJECTORY_COLUMNS, `trajectory_table`), from which a stride's
        length is the horizontal distance between the positions at its two mid-stances
    reference_event: what start_s and end_s are: "initial_contact", or "mid_stance" where the reference
        measures footprints and marks for each an instant of the stance phase that left it
    saturation: (acc_mps2, gyr_radps) full scale of the sensor, NaN where unknown
    clock: name of the clock that the time stamps are from: "utc" for seconds since 1970, otherwise a name
        that only recordings with the same clock share, such as the file; "" where there are no time stamps
    clock_start_s: what that clock showed at the first sample, s; NaN where unknown
    notes: what the reader assumed (columns, units, rate, clock, lines skipped), for the user
    """

    dataset: str
    subject: str
    trial: str
    foot: str
    rate_hz: float
    acc_mps2: np.ndarray
    gyr_radps: np.ndarray
    source: str = ""
    condition: str = ""
    gaps: np.ndarray = field(default_factory=lambda: np.zeros((0, 2), dtype=np.int64))
    walking_s: tuple[float, float] | None = None
    turns_s: np.ndarray = field(default_factory=lambda: np.zeros((0, 2)))
    reference: pd.DataFrame = field(default_factory=no_reference)
    reference_event: str = "initial_contact"
    saturation: tuple[float, float] = (float("nan"), float("nan"))
    clock: str = ""
    clock_start_s: float = float("nan")
    notes: tuple[str, ...] = ()

    @staticmethod
    def from_frame(
        frame: pd.DataFrame,
        *,
        rate_hz: float | None = None,
        foot: str | None = None,
        name: str = "frame",
        **options: Any,
    ) -> "Recording":
        """A recording from a pandas table with the columns that a file may have (docs/recordings.md).

        rate_hz: sampling rate; None: from a column, or an index, of times
        foot: "left" or "right"; None: from the columns' names or the signal; of a table with both feet, which
            one is wanted
        name: of the recording, and in messages
        options: columns, time_column, time_unit, acc_unit, gyr_unit, acc_scale, gyr_scale, as of
            `tinystride predict`; what is not given is found where it is unambiguous, and told in `notes`

        Raises DataError for a table that holds no recording, ParameterError for an option that does not fit
        and for a table of both feet if `foot` does not say which.
        """
        from tinystride.reading import ReadingOptions
        from tinystride.reading.frames import read_frame

        found = read_frame(frame, ReadingOptions(rate_hz=rate_hz, foot=foot, **options), name)
        if len(found) != 1:
            feet = " and ".join(recording.foot for recording in found)
            raise ParameterError(f"{name}: holds {len(found)} recordings ({feet}); choose one with foot")
        return found[0]

    @property
    def n_samples(self) -> int:
        return len(self.acc_mps2)

    @property
    def duration_s(self) -> float:
        return self.n_samples / self.rate_hz

    @property
    def lost(self) -> np.ndarray:
        """[n] bool, which samples were lost and filled: those of `gaps`."""
        lost = np.zeros(self.n_samples, dtype=bool)
        for first, stop in self.gaps:
            lost[first:stop] = True
        return lost

    @property
    def name(self) -> str:
        return f"{self.dataset}/{self.subject}/{self.trial}/{self.foot}"


def read_error(source: Path | str, rule: str, remedy: str) -> DataError:
    """A DataError in the one form that all loaders use."""
    return DataError(f"{source}: {rule}; {remedy}")
