"""One foot in one trial: the form to which every data set is loaded."""

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
    """Return a table with one row per reference stride: REFERENCE_COLUMNS and `note`.

    Args:
        start_s: [n] start of each stride
        end_s: [n] end of each stride
        stride_length_cm: [n], NaN if unknown
        reference: one of REFERENCE_SYSTEMS
        note: why a length is unknown, [n] or one for all
    """
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
    """Return a reference that is known at every time: TRAJECTORY_COLUMNS, one row per position.

    Args:
        time_s: [k] on the recording's clock, increasing
        position_m: [k, 3] of the sensor or of a marker on the shoe, z up, NaN if it was not seen
    """
    return pd.DataFrame(np.column_stack([time_s, position_m]), columns=TRAJECTORY_COLUMNS)


def is_trajectory(reference: pd.DataFrame) -> bool:
    """Return whether a recording's reference is a trajectory and not a table of strides.

    Args:
        reference: reference of the recording
    """
    return set(TRAJECTORY_COLUMNS) <= set(reference)


def no_reference() -> pd.DataFrame:
    """Return an empty table of reference strides."""
    return reference_table([], [], [], "")


@dataclass(frozen=True, eq=False)
class Recording:
    """Samples of one foot in one trial, in the sensor's own axes. Sample i was taken at i / rate_hz seconds.

    Attributes:
        dataset: name of the data set
        subject: name of the person, unique within the data set
        trial: name of the trial
        foot: "left" or "right"
        rate_hz: sampling rate, evenly spaced
        acc_mps2: specific force, [n, 3], m/s² (at rest its magnitude is g)
        gyr_radps: angular rate, [n, 3], rad/s
        source: the file that it comes from, for messages
        condition: the walking condition ("PWS", "PWS+20", "overground", …)
        gaps: [k, 2] half-open sample ranges that were lost and filled by interpolation
        walking_s: (start, end); samples outside are not used, such as those before a trial; None: all are
            used
        turns_s: [k, 2] start and end of known turns
        reference: one row per reference stride: start_s, end_s (the two events that bound it, on the
            recording's clock), stride_length_cm, reference, note. NaN length: the stride is known but its
            length is not, for the reason in `note`. Or a trajectory (`trajectory_table`): a stride's length
            is then the horizontal distance between the positions at its two mid-stances
        reference_event: event at start_s and end_s: "initial_contact", or "mid_stance" if the reference
            measures footprints and marks for each an instant of its stance phase
        saturation: (acc_mps2, gyr_radps) full scale of the sensor, NaN if unknown
        clock: name of the clock of the time stamps: "utc" for seconds since 1970, otherwise a name that only
            recordings with the same clock share, such as the file; "" without time stamps
        clock_start_s: time of the first sample on that clock, s; NaN if unknown
        notes: assumptions of the reader (columns, units, rate, clock, skipped lines), for the user
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
        """Return a recording from a pandas table with the columns that a file may have (docs/recordings.md).

        Args:
            frame: the table
            rate_hz: sampling rate; None: from a column, or an index, of times
            foot: "left" or "right"; None: from the columns' names or the signal; of a table with both feet,
                the one wanted
            name: name of the recording, also in messages
            **options: columns, time_column, time_unit, acc_unit, gyr_unit, acc_scale, gyr_scale, as for
                `tinystride predict`; an option that is not given is found in the table and noted in `notes`

        Raises:
            ParameterError: for an option that does not fit, and for a table of both feet if `foot` is not
                given
            DataError: for a table without a recording
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
        """Number of samples."""
        return len(self.acc_mps2)

    @property
    def duration_s(self) -> float:
        """Duration, s."""
        return self.n_samples / self.rate_hz

    @property
    def lost(self) -> np.ndarray:
        """Samples that were lost and filled, [n] bool: those of `gaps`."""
        lost = np.zeros(self.n_samples, dtype=bool)
        for first, stop in self.gaps:
            lost[first:stop] = True
        return lost

    @property
    def name(self) -> str:
        """Data set, subject, trial and foot, joined by "/"."""
        return f"{self.dataset}/{self.subject}/{self.trial}/{self.foot}"


def read_error(source: Path | str, rule: str, remedy: str) -> DataError:
    """Return a DataError in the form that all loaders use.

    Args:
        source: file or recording
        rule: the rule that is broken
        remedy: what the user can do
    """
    return DataError(f"{source}: {rule}; {remedy}")
