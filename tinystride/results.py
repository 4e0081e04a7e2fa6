"""One table of all strides of a walk: lengths, quality, gait parameters, in the same columns for every
engine."""

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
# A spreadsheet takes a text that begins with one of these for a formula.
FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")


def complete_table(recordings: Sequence[Recording], estimates: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """COLUMNS for all strides of all recordings, in the order given.

    estimates: of each recording what predict.predict_strides or stream_strides returned: ESTIMATED and,
        where the model tells it, length_sd_cm; repaired_deg, 0 if it is missing

    quality: "ok", or the flags; a column that survives reading the csv, where an empty text becomes NaN
    steady: bool, unflagged and neither first nor last of a bout: what the summary's means are over
    stride_length_low_cm, stride_length_high_cm: 95 % interval of the length; NaN where the model has none
    repaired_deg: rotation that a clipped gyroscope lost and that was put back
    bout, position: see gait.bouts.place_in_walk; time_start: start_s on the file's own clock, in ISO 8601 if
        that counts seconds since 1970, "" where it has none; recording: file name; person: who walked
    The others: gait.parameters.gait_parameters and gait.both_feet.step_parameters.
    """
    feet = [
        (recording, foot_table(recording, strides))
        for recording, strides in zip(recordings, estimates, strict=True)
    ]
    return join_feet(feet)


def join_feet(feet: Sequence[tuple[Recording, pd.DataFrame]]) -> pd.DataFrame:
    """One table of the feet, each a recording and its foot_table, with what two feet on one clock tell."""
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
    """The table as csv: s and shares to 4 decimals, cm and deg to 2; no text that a spreadsheet would run."""
    decimals = {
        name: places for name in table for suffix, places in DECIMALS.items() if str(name).endswith(suffix)
    }
    texts = {name: table[name].map(defused) for name in ("recording", "person")}
    return table.assign(**texts).round(decimals).to_csv(index=False, lineterminator="\n")


def recording_name(recording: Recording) -> str:
    """The name of its file, or what stands for one."""
    return Path(recording.source).name or recording.name


def foot_table(recording: Recording, strides: pd.DataFrame) -> pd.DataFrame:
    """COLUMNS for the strides of one foot; NaN where they need the other one. Arguments: complete_table."""
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
    """A text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(FORMULA_SIGNS) else text
