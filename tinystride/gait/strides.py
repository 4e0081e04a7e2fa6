"""From recordings to strides: the table of all strides and their samples in the canonical foot frame."""

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm import tqdm

from tinystride.datasets.recording import Recording
from tinystride.errors import DataError, ParameterError
from tinystride.files import complete_folder
from tinystride.gait import events, matching, strapdown
from tinystride.gait.calibration import calibrate
from tinystride.gait.foot_frame import find_foot_frame, to_foot_frame
from tinystride.gait.signals import StrideSignals

OUTSIDE, GAP, NO_REFERENCE = "outside the walk", "gap", "no reference"
COLUMNS = {
    "stride_id": str,
    "dataset": str,
    "subject": str,
    "trial": str,
    "foot": str,
    "condition": str,
    "start_s": float,
    "end_s": float,
    "duration_s": float,
    "initial_contact_s": float,
    "stride_length_cm": float,
    "reference": str,
    "strapdown_length_cm": float,
    "turn_deg": float,
    "flags": str,
    "usable": bool,
    "reason": str,
}
RANGES = {
    "lowpass_hz": (3.0, 40.0),
    "lever_m": (0.0, 0.3),
    "longest_gap": (0, 20),
    "margin_s": (0.0, 1.0),
    "shortest_s": (0.2, 1.0),
    "longest_s": (1.0, 5.0),
    "turn_deg": (5.0, 180.0),
}


@dataclass(frozen=True)
class GaitOptions:
    """How strides are cut and judged. Raises ParameterError where a value is out of its range (RANGES).

    lowpass_hz, lever_m: of the strapdown integral
    longest_gap: lost samples in a row that a stride bears; more make it unusable
    margin_s: samples kept before the first event and after the last one of a stride
    shortest_s, longest_s: a stride outside of them is flagged "unusual-duration"
    turn_deg: a stride that changes heading by more is flagged "turn"
    """

    lowpass_hz: float = strapdown.LOWPASS_HZ
    lever_m: float = strapdown.LEVER_M
    longest_gap: int = 3
    margin_s: float = 0.15
    shortest_s: float = 0.6
    longest_s: float = 2.0
    turn_deg: float = 30.0

    def __post_init__(self):
        for entry in fields(self):
            value, (low, high) = getattr(self, entry.name), RANGES[entry.name]
            if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
                raise ParameterError(f"{entry.name} is {value!r}: it has to be from {low:g} to {high:g}")


@dataclass(frozen=True, eq=False)
class StrideSet:
    """table: one row per stride (COLUMNS), recordings in order of time; signals: of the detected ones."""

    table: pd.DataFrame
    signals: StrideSignals


def extract_strides(recording: Recording, options: GaitOptions | None = None) -> StrideSet:
    """All strides of a recording, matched to its reference.

    `usable` says that a stride may be learned from or judged by: samples complete and, where the recording
    has a reference, a credible length. Everything else is in the table with its `reason`; reference strides
    that were not detected have no samples. `flags` (words separated by spaces) warn without excluding:
    "turn", "unusual-duration", "saturated", "no-standing".

    A reference without lengths (reference "strapdown") gets those of the strapdown integral.

    Raises DataError for a recording without a stride, or in which the foot never rests.
    """
    return gather_strides([recording], options)


def gather_strides(
    recordings: Iterable[Recording], options: GaitOptions | None = None, progress: bool = False
) -> StrideSet:
    """The strides of all recordings, in their order. Raises DataError as extract_strides does."""
    options = options or GaitOptions()
    recordings = tqdm(recordings, desc="recordings", unit="", disable=not progress)
    parts = [_extract(recording, options) for recording in recordings]
    if not parts:
        raise DataError("no recording: name at least one data set that holds some")
    columns = {name: np.concatenate([part[name] for part, _ in parts]) for name in COLUMNS}
    return StrideSet(
        table=pd.DataFrame(columns).astype(COLUMNS),
        signals=StrideSignals.concatenate([signals for _, signals in parts]),
    )


def count_strides(table: pd.DataFrame) -> dict[str, dict]:
    """For each data set: how many strides there are, are usable, and are left out for which reason."""
    counts = {}
    for dataset, strides in table.groupby("dataset", sort=True):
        left_out = strides.loc[~strides["usable"], "reason"].value_counts()
        counts[dataset] = {
            "recordings": int(strides.groupby(["subject", "trial", "foot"]).ngroups),
            "subjects": int(strides["subject"].nunique()),
            "strides": len(strides),
            "usable": int(strides["usable"].sum()),
            "left_out": {reason: int(left_out[reason]) for reason in sorted(left_out.index)},
        }
    return counts


def write_strides(strides: StrideSet, folder: Path | str) -> None:
    """strides.parquet and signals.npz in `folder`; equal strides give equal bytes."""
    with complete_folder(folder) as partial:
        strides.table.to_parquet(partial / "strides.parquet", index=False)
        strides.signals.save(partial / "signals.npz")


def read_strides(folder: Path | str) -> StrideSet:
    """What write_strides wrote. Raises DataError where it is not there or not whole."""
    path = Path(folder) / "strides.parquet"
    try:
        table = pd.read_parquet(path)
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: not a table of strides ({error}); run the preprocess stage again") from None
    missing = [column for column in COLUMNS if column not in table]
    if missing:
        raise DataError(f"{path}: lacks the column {missing[0]!r}; run the preprocess stage again")
    return StrideSet(table=table.astype(COLUMNS), signals=StrideSignals.load(Path(folder) / "signals.npz"))


def _extract(recording: Recording, options: GaitOptions) -> tuple[dict[str, np.ndarray], StrideSignals]:
    acc_mps2, gyr_radps, standing = calibrate(recording.acc_mps2, recording.gyr_radps, recording.rate_hz)
    mid_stances = events.find_strides(acc_mps2, gyr_radps, recording.rate_hz)
    if not len(mid_stances):
        raise DataError(
            f"{recording.source or recording.name}: no stride found, the foot never swings between "
            "two moments of rest; record walking with a moment of standing before and after it"
        )
    rotation = find_foot_frame(acc_mps2, gyr_radps, recording.rate_hz, mid_stances)
    acc_mps2, gyr_radps = to_foot_frame(rotation, recording.foot, acc_mps2, gyr_radps)
    contacts = events.initial_contacts(gyr_radps, recording.rate_hz, mid_stances)
    signals = _cut(recording, acc_mps2, gyr_radps, mid_stances, contacts, options.margin_s)
    integral = strapdown.integrate(
        *strapdown.resample(signals, lowpass_hz=options.lowpass_hz), lever_m=options.lever_m
    )
    columns, number = _columns(
        recording, mid_stances, contacts, integral, "" if standing else "no-standing", options
    )
    return columns, replace(signals, stride_id=columns["stride_id"][number >= 0])


def _cut(recording, acc_mps2, gyr_radps, mid_stances, contacts, margin_s) -> StrideSignals:
    """Each stride's samples, from a margin before its first event to a margin after its last one."""
    start, end = mid_stances.T
    margin = round(margin_s * recording.rate_hz)
    same_plant = np.concatenate([[False], end[:-1] == start[1:]])
    contact_before = np.where(same_plant, np.concatenate([[np.nan], contacts[:-1]]), np.nan)
    first = np.fmin(start, np.floor(contact_before)).astype(np.int64) - margin
    first, last = np.maximum(first, 0), np.minimum(end + margin, recording.n_samples - 1)
    lengths = last + 1 - first
    offset = np.concatenate([[0], np.cumsum(lengths)])
    samples = np.repeat(first - offset[:-1], lengths) + np.arange(offset[-1])
    return StrideSignals(
        stride_id=np.full(len(start), ""),
        rate_hz=np.full(len(start), float(recording.rate_hz)),
        offset=offset,
        mid_stance=(mid_stances - first[:, None]).astype(float),
        initial_contact=np.column_stack([contact_before, contacts]) - first[:, None],
        acc_mps2=acc_mps2[samples].astype(np.float32),
        gyr_radps=gyr_radps[samples].astype(np.float32),
    )


def _columns(
    recording, mid_stances, contacts, integral, always, options
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """The columns of the table, in order of time, and each row's number among the detected strides, or -1."""
    start_s, end_s = (mid_stances / recording.rate_hz).T
    reference = {name: recording.reference[name].to_numpy() for name in recording.reference}
    stride, missed_reason = matching.match(recording.reference, recording.reference_event, start_s, end_s)
    number, row = _joined(stride, reference["start_s"], start_s)
    found = number >= 0

    # The index -1 takes what is appended: the value for a stride that one side knows nothing about.
    def detected(values, unknown=np.nan):
        return np.append(values, unknown)[number]

    def referenced(values, unknown=np.nan):
        return np.append(values, unknown)[row]

    system = referenced(reference["reference"], "")
    integrated = found & (system == "strapdown")
    length_cm = np.where(integrated, detected(integral.length_cm), referenced(reference["stride_length_cm"]))
    start_s = np.where(found, detected(start_s), referenced(reference["start_s"]))
    end_s = np.where(found, detected(end_s), referenced(reference["end_s"]))
    walk_start_s, walk_end_s = recording.walking_s or (-np.inf, np.inf)
    reason = np.select(
        [
            (end_s <= walk_start_s) | (start_s >= walk_end_s),
            ~found,
            detected(_touches(mid_stances, _long_gaps(recording, options.longest_gap)), False),
            np.isfinite(length_cm) | (len(recording.reference) == 0),
            row < 0,
        ],
        [OUTSIDE, referenced(missed_reason, ""), GAP, "", NO_REFERENCE],
        referenced(reference["note"], ""),
    )
    turn_deg = heading_change_deg(integral.orientation)
    columns = {
        "stride_id": [f"{recording.name}/{place:04d}" for place in range(1, len(row) + 1)],
        **{
            name: np.full(len(row), getattr(recording, name), dtype=object)
            for name in ("dataset", "subject", "trial", "foot", "condition")
        },
        "start_s": start_s,
        "end_s": end_s,
        "duration_s": end_s - start_s,
        "initial_contact_s": detected(contacts / recording.rate_hz),
        "stride_length_cm": length_cm,
        "reference": system,
        "strapdown_length_cm": detected(integral.length_cm),
        "turn_deg": detected(turn_deg),
        "flags": detected(_flags(recording, mid_stances, turn_deg, always, options), ""),
        "usable": reason == "",
        "reason": reason,
    }
    return {name: np.asarray(values) for name, values in columns.items()}, number


def _joined(stride, reference_start_s, start_s) -> tuple[np.ndarray, np.ndarray]:
    """Number of the detected stride and row of the reference of each stride that either knows, -1 for none.

    stride: [k] detected stride of each row of the reference, -1 for none; in order of time.
    """
    matched, missed = np.flatnonzero(stride >= 0), np.flatnonzero(stride < 0)
    number = np.concatenate([np.arange(len(start_s)), np.full(len(missed), -1)])
    row = np.concatenate([np.full(len(start_s), -1), missed])
    row[stride[matched]] = matched
    order = np.argsort(np.concatenate([start_s, reference_start_s[missed]]), kind="stable")
    return number[order], row[order]


def _flags(recording, mid_stances, turn_deg, always: str, options) -> np.ndarray:
    duration_s = (mid_stances[:, 1] - mid_stances[:, 0]) / recording.rate_hz
    raised = {
        always: np.full(len(mid_stances), always != ""),
        "turn": np.abs(turn_deg) > options.turn_deg,
        "unusual-duration": (duration_s < options.shortest_s) | (duration_s > options.longest_s),
        "saturated": _touches(mid_stances, _saturated(recording)),
    }
    return np.array(
        [" ".join(flag for flag, strides in raised.items() if strides[i]) for i in range(len(mid_stances))],
        dtype=object,
    )


def heading_change_deg(orientation: np.ndarray) -> np.ndarray:
    """Turn about the vertical from start to end of each stride [n], counter-clockwise positive."""
    change = orientation[:, -1] @ orientation[:, 0].transpose(0, 2, 1)
    return np.rad2deg(np.arctan2(change[:, 1, 0] - change[:, 0, 1], change[:, 0, 0] + change[:, 1, 1]))


def _long_gaps(recording: Recording, longest_gap: int) -> np.ndarray:
    lost = np.zeros(recording.n_samples, dtype=bool)
    for first, stop in recording.gaps:
        lost[first:stop] |= stop - first > longest_gap
    return lost


def _saturated(recording: Recording) -> np.ndarray:
    """Samples [N] at the full scale of the sensor; no comparison with NaN, an unknown one, is true."""
    acc_limit, gyr_limit = recording.saturation
    return (np.abs(recording.acc_mps2) >= 0.995 * acc_limit).any(axis=1) | (
        np.abs(recording.gyr_radps) >= 0.995 * gyr_limit
    ).any(axis=1)


def _touches(mid_stances: np.ndarray, samples: np.ndarray) -> np.ndarray:
    """Whether any of the marked samples [N] lies within each stride [n]."""
    count = np.concatenate([[0], np.cumsum(samples)])
    return count[mid_stances[:, 1] + 1] > count[mid_stances[:, 0]]
