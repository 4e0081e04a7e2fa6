"""Table of all strides of a walk: lengths, quality, gait parameters; equal columns for every engine."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd

from tinystride.datasets.recording import Recording
from tinystride.gait import both_feet, parameters
from tinystride.gait.bouts import place_in_walk

GOOD = "ok"
# 95 % of a normal distribution.
INTERVAL_SD = 1.96
ESTIMATED = ("start_s", "end_s", "duration_s", "stride_length_cm", "strapdown_length_cm", "flags")
INTERVAL = ("stride_length_low_cm", "stride_length_high_cm")
COLUMNS = (
    *ESTIMATED, "quality", "steady", *INTERVAL, "repaired_deg", "foot", "bout", "position",
    *parameters.COLUMNS, *both_feet.COLUMNS, "time_start", "recording", "person",
)  # fmt: skip
DECIMALS = {"_cm": 2, "_deg": 2, "_s": 4, "_mps": 4, "_spm": 2, "_share": 4}
# A spreadsheet reads text that begins with one of these as a formula.
FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")


def complete_table(recordings: Sequence[Recording], estimates: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Return the table of all strides of several recordings, in the order given.

    Args:
        recordings: one per foot and file
        estimates: tables of `predict.predict_strides` or `stream_strides`, one per recording: ESTIMATED, and
            length_sd_cm (unknown if missing) and repaired_deg (0 if missing)

    Returns:
        COLUMNS, one row per stride

        - quality: "ok", or the flags; unlike `flags` it survives reading the csv, where empty text becomes
          NaN
        - steady: True if unflagged and neither first nor last of a bout; the summary's means are over these
        - stride_length_low_cm, stride_length_high_cm: 95 % interval of the length; NaN if unknown
        - repaired_deg: rotation that a clipped gyroscope lost and that was put back
        - bout, position: see gait.bouts.place_in_walk
        - time_start: start_s on the file's own clock, in ISO 8601 if it counts seconds since 1970; "" without
          a clock
        - recording: file name; person: name of the walking person
        - other columns: gait.parameters.gait_parameters and gait.both_feet.step_parameters
    """
    feet = [
        (recording, foot_table(recording, strides))
        for recording, strides in zip(recordings, estimates, strict=True)
    ]
    return join_feet(feet)


def join_feet(feet: Sequence[tuple[Recording, pd.DataFrame]]) -> pd.DataFrame:
    """Join the tables of feet, and add the parameters that need both feet on one clock.

    Args:
        feet: recording and `foot_table` of each foot

    Returns:
        COLUMNS, one row per stride, in the order given.
    """
    recordings, tables = [own for own, _ in feet], [table for _, table in feet]
    for i, own in enumerate(recordings):
        for j, other in enumerate(recordings):
            if (
                own.foot != other.foot
                and own.clock
                and own.clock == other.clock
                and own.subject == other.subject
            ):
                shift_s = other.clock_start_s - own.clock_start_s
                moved = tables[j].assign(
                    initial_contact_s=tables[j]["initial_contact_s"] + shift_s,
                    terminal_contact_s=tables[j]["terminal_contact_s"] + shift_s,
                )
                steps = both_feet.step_parameters(tables[i], moved)
                tables[i] = tables[i].assign(
                    **{name: tables[i][name].fillna(steps[name]) for name in both_feet.COLUMNS}
                )
    filled = [table for table in tables if len(table)]
    if not filled:
        return pd.DataFrame({name: pd.Series(dtype=object) for name in COLUMNS})
    return pd.concat(filled, ignore_index=True)[list(COLUMNS)]


def result_csv(table: pd.DataFrame) -> str:
    """Return the table as csv text: s and shares with 4 decimals, cm and deg with 2.

    Args:
        table: of `complete_table`; text that a spreadsheet would run as a formula is quoted
    """
    decimals = {
        name: places for name in table for suffix, places in DECIMALS.items() if str(name).endswith(suffix)
    }
    texts = {name: table[name].map(defused) for name in ("recording", "person")}
    return table.assign(**texts).round(decimals).to_csv(index=False, lineterminator="\n")


def recording_name(recording: Recording) -> str:
    """Return the name of a recording's file, or the recording's own name without a file.

    Args:
        recording: samples of one foot
    """
    return Path(recording.source).name or recording.name


def foot_table(recording: Recording, strides: pd.DataFrame) -> pd.DataFrame:
    """Return COLUMNS for the strides of one foot; NaN for parameters that need the other foot.

    Args:
        recording: samples of the foot
        strides: its estimates, as for `complete_table`
    """
    length_cm = strides["stride_length_cm"]
    margin_cm = INTERVAL_SD * strides.get("length_sd_cm", pd.Series(np.nan, index=strides.index))
    place = place_in_walk(strides)
    table = strides[list(ESTIMATED)].assign(
        quality=strides["flags"].where(strides["flags"] != "", GOOD),
        steady=(strides["flags"] == "") & (place["position"] == "middle"),
        stride_length_low_cm=length_cm - margin_cm,
        stride_length_high_cm=length_cm + margin_cm,
        repaired_deg=strides.get("repaired_deg", pd.Series(0.0, index=strides.index)),
        foot=recording.foot,
        bout=place["bout"],
        position=place["position"],
        **{str(name): values for name, values in parameters.gait_parameters(recording, strides).items()},
        **dict.fromkeys(both_feet.COLUMNS, np.nan),
        time_start=_file_times(recording, strides["start_s"].to_numpy(float)),
        recording=recording_name(recording),
        person=recording.subject,
    )
    return table.reset_index(drop=True)


def _file_times(recording: Recording, start_s: np.ndarray) -> list[str]:
    if not np.isfinite(recording.clock_start_s):
        return [""] * len(start_s)
    seconds = recording.clock_start_s + start_s
    if recording.clock == "utc":
        return [
            datetime.fromtimestamp(second, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
            for second in seconds
        ]
    return [f"{second:.4f}" for second in seconds]


def defused(text: str) -> str:
    """Return text that no spreadsheet runs as a formula.

    Args:
        text: content of a cell
    """
    return f"'{text}" if text.startswith(FORMULA_SIGNS) else text
