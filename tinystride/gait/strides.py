"""Cut recordings into strides: a table of all strides and their samples in the canonical foot frame."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path

import numpy as np
import pandas as pd

from tinystride.datasets.recording import Recording, is_trajectory
from tinystride.errors import DataError
from tinystride.files import atomic_folder
from tinystride.gait import clipping, events, faults, matching, strapdown
from tinystride.gait.calibration import Calibrated, calibrate
from tinystride.gait.flags import (
    at_full_scale,
    clipped_axes,
    contains_any,
    heading_change_deg,
    shows_impacts,
    stride_flags,
)
from tinystride.gait.foot_frame import find_foot_frame, to_foot_frame
from tinystride.gait.options import GaitOptions
from tinystride.gait.signals import StrideSignals
from tinystride.gait.uncertainty import error_causes, length_sd_cm
from tinystride.optional import extra

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
    "length_sd_cm": float,
    "turn_deg": float,
    "repaired_deg": float,
    "flags": str,
    "usable": bool,
    "reason": str,
}
# Samples before the first and after the last event of a stride: the low-pass settles in this time, and
# augmentation may shift the cuts by up to as much.
MARGIN_S = 0.15
# The last digits of float64 arithmetic depend on the processor. Stored values are rounded, far above these
# digits and far below the resolution of a sensor, so that every processor writes the same bytes.
PLACE_DECIMALS = 6  # of sample numbers
ACC_DECIMALS = 4  # of m/s²
GYR_DECIMALS = 5  # of rad/s
LENGTH_DECIMALS = 4  # of cm
TURN_DECIMALS = 4  # of degrees


@dataclass(frozen=True, eq=False)
class StrideSet:
    """Strides with their samples.

    Attributes:
        table: one row per stride, COLUMNS; recordings in their order, strides in order of time
        signals: samples of the detected strides
    """

    table: pd.DataFrame
    signals: StrideSignals


def extract_strides(recording: Recording, options: GaitOptions | None = None) -> StrideSet:
    """Return all strides of a recording, matched to its reference.

    The table has these columns beside identity, times and lengths:

    - usable: true if the stride can be used for training and evaluation: its samples are complete and, if the
      recording has a reference, its reference length is credible
    - reason: why a stride is not usable, otherwise ""
    - flags: names of stride_flags, separated by spaces. Flags are warnings and do not exclude a stride: a
      stride with a turn is usable, because its length is known as well as that of any other stride
    - repaired_deg: rotation that a clipped gyroscope lost in the stride and that was added again

    Reference strides that were not detected are in the table without samples. If the reference has no lengths
    (reference "strapdown"), the strides get those of the strapdown integral.

    Args:
        recording: recording of one foot
        options: limits of an ordinary stride; None: the default

    Raises:
        DataError: if the recording has no stride, or the foot never rests
    """
    return gather_strides([recording], options)


def gather_strides(
    recordings: Iterable[Recording], options: GaitOptions | None = None, progress: bool = False
) -> StrideSet:
    """Return the strides of all recordings, in their order.

    Args:
        recordings: each as for `extract_strides`
        options: limits of an ordinary stride; None: the default
        progress: show a progress bar on stderr

    Raises:
        DataError: as `extract_strides`, and if there is no recording
    """
    options = options or GaitOptions()
    if progress:
        from tqdm import tqdm

        recordings = tqdm(recordings, desc="recordings", unit="")
    parts = [_stride_columns(recording, options) for recording in recordings]
    if not parts:
        raise DataError("no recording: name at least one data set that holds some")
    columns = {name: np.concatenate([part[name] for part, _ in parts]) for name in COLUMNS}
    return StrideSet(
        table=pd.DataFrame(columns).astype(COLUMNS),
        signals=StrideSignals.concatenate([signals for _, signals in parts]),
    )


def count_strides(table: pd.DataFrame) -> dict[str, dict]:
    """Return the number of strides, usable strides and left-out strides by reason, for each data set.

    Args:
        table: table of a StrideSet

    Returns:
        {data set: {"recordings", "subjects", "strides", "usable": int, "left_out": {reason: int}}}
    """
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
    """Write strides.parquet and signals.npz; equal strides give equal bytes.

    Args:
        strides: to write
        folder: folder of both files, replaced if it exists
    """
    _need_parquet()
    with atomic_folder(folder) as partial:
        strides.table.to_parquet(partial / "strides.parquet", index=False)
        strides.signals.save(partial / "signals.npz")


def read_strides(folder: Path | str) -> StrideSet:
    """Return the strides that `write_strides` wrote.

    Args:
        folder: folder of strides.parquet and signals.npz

    Raises:
        DataError: if a file is missing or incomplete
    """
    _need_parquet()
    path = Path(folder) / "strides.parquet"
    try:
        table = pd.read_parquet(path)
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: not a table of strides ({error}); run the preprocess stage again") from None
    if "repaired_deg" not in table:
        table["repaired_deg"] = 0.0  # files of earlier versions lack this column
    missing = [column for column in COLUMNS if column not in table]
    if missing:
        raise DataError(f"{path}: lacks the column {missing[0]!r}; run the preprocess stage again")
    return StrideSet(table=table.astype(COLUMNS), signals=StrideSignals.load(Path(folder) / "signals.npz"))


def _need_parquet() -> None:
    """Raise MissingExtraError with this package's extra, because pandas suggests something else."""
    with extra("train"):
        import_module("pyarrow")


@dataclass(frozen=True, eq=False)
class _FootMotion:
    """Motion of the foot in a recording, before strides are cut.

    Attributes:
        calibrated: the recording without gyroscope bias
        mid_stances: [n, 2], fractional sample numbers
        intact: [k, 2], those of the strides without samples at full scale
        acc_mps2: [N, 3], specific force in the canonical foot frame
        gyr_radps: [N, 3], angular rate in the canonical foot frame, with the rotation that clipping lost
        axes: [3, 3], row i is the angular rate in the foot frame of 1 rad/s about sensor axis i
        repaired_rad: [n], rotation that clipping lost in each stride
    """

    calibrated: Calibrated
    mid_stances: np.ndarray
    intact: np.ndarray
    acc_mps2: np.ndarray
    gyr_radps: np.ndarray
    axes: np.ndarray
    repaired_rad: np.ndarray


def _foot_motion(recording: Recording, at_limit: np.ndarray) -> _FootMotion:
    """Return the motion of the foot; raise DataError if the recording has no stride."""
    calibrated = calibrate(recording.acc_mps2, recording.gyr_radps, recording.rate_hz, recording.lost)
    acc_mps2, gyr_radps = calibrated.acc_mps2, calibrated.gyr_radps
    mid_stances = events.find_strides(acc_mps2, gyr_radps, recording.rate_hz).round(PLACE_DECIMALS)
    if not len(mid_stances):
        raise DataError(
            f"{recording.source or recording.name}: no stride found, the foot never swings between "
            "two moments of rest; record walking with a moment of standing before and after it"
        )
    rotation = find_foot_frame(acc_mps2, gyr_radps, recording.rate_hz, mid_stances)
    acc_mps2, gyr_radps = to_foot_frame(rotation, recording.foot, acc_mps2, gyr_radps)
    clipped = clipped_axes(recording)
    axes = to_foot_frame(rotation, recording.foot, np.eye(3), np.eye(3))[1]
    gyr_radps, repaired_rad = clipping.repair(
        acc_mps2, gyr_radps, recording.rate_hz, mid_stances, clipped, axes
    )
    intact = mid_stances[~contains_any(mid_stances, clipped.any(axis=1) | at_limit)]
    return _FootMotion(calibrated, mid_stances, intact, acc_mps2, gyr_radps, axes, repaired_rad)


def _is_flipped(motion: _FootMotion, rate_hz: float) -> bool:
    """Return whether an axis of one sensor has the wrong sign."""
    return faults.has_flipped_axis(motion.acc_mps2, motion.gyr_radps, rate_hz, motion.intact, motion.axes)


def _synchronized(recording: Recording, at_limit: np.ndarray) -> tuple[Recording, _FootMotion, bool]:
    """Return the recording without a delay between its sensors, its motion, and whether the sensors disagree.

    Args:
        recording: recording of one foot
        at_limit: [N] bool, samples of the accelerometer at full scale

    Raises:
        DataError: if the recording has no stride
    """
    motion = _foot_motion(recording, at_limit)
    if _is_flipped(motion, recording.rate_hz):
        return recording, motion, True
    delay = faults.find_delay(motion.acc_mps2, motion.gyr_radps, recording.rate_hz, motion.intact)
    if not delay.lag_s:
        return recording, motion, delay.is_unclear
    recording = faults.synchronized(recording, delay.lag_s)
    motion = _foot_motion(recording, at_limit)
    return recording, motion, _is_flipped(motion, recording.rate_hz)


def _stride_columns(
    recording: Recording, options: GaitOptions
) -> tuple[dict[str, np.ndarray], StrideSignals]:
    """Return the columns of the table and the samples of one recording's strides.

    Args:
        recording: recording of one foot
        options: limits of an ordinary stride

    Raises:
        DataError: if the recording has no stride
    """
    as_recorded = recording
    recording, foot, sensors_disagree = _synchronized(
        faults.with_gaps(recording), at_full_scale(as_recorded, "acc")
    )
    mid_stances, acc_mps2, gyr_radps = foot.mid_stances, foot.acc_mps2, foot.gyr_radps
    contacts = events.initial_contacts(gyr_radps, recording.rate_hz, mid_stances).round(PLACE_DECIMALS)
    signals = _cut_signals(recording, acc_mps2, gyr_radps, mid_stances, contacts)
    acc_mps2, gyr_radps, duration_s = strapdown.resample(signals)
    integral = strapdown.integrate(acc_mps2, gyr_radps, duration_s)
    excess_m = strapdown.untilted_excess_m(integral, acc_mps2, duration_s)
    motion = strapdown.stance_motion(integral, acc_mps2, gyr_radps, duration_s)
    integral, explained = strapdown.correct_tilt(integral, acc_mps2, gyr_radps, duration_s, recording.rate_hz)
    impacts = strapdown.impact_share(excess_m[shows_impacts(integral)])
    contact = (contacts - mid_stances[:, 0]) / np.diff(mid_stances)[:, 0]
    integral = strapdown.with_impacts(integral, excess_m, contact, *impacts, explained)
    integral = strapdown.with_stance_motion(integral, motion)
    flags = stride_flags(
        replace(as_recorded, gaps=recording.gaps),
        mid_stances,
        acc_mps2,
        gyr_radps,
        integral,
        contact,
        foot.calibrated,
        options,
        foot.repaired_rad,
    )
    flags["sensors-disagree"] |= sensors_disagree
    causes = error_causes(
        integral,
        gyr_radps,
        excess_m,
        duration_s,
        contact,
        impacts,
        explained,
        foot.repaired_rad,
        recording.rate_hz,
    )
    sd_cm = length_sd_cm(causes)
    columns, number = _columns(recording, mid_stances, contacts, integral, sd_cm, foot.repaired_rad, flags)
    return columns, replace(signals, stride_id=columns["stride_id"][number >= 0])


def _cut_signals(
    recording: Recording,
    acc_mps2: np.ndarray,
    gyr_radps: np.ndarray,
    mid_stances: np.ndarray,
    contacts: np.ndarray,
) -> StrideSignals:
    """Return the samples of each stride, from a margin before its first event to one after its last."""
    start, end = mid_stances.T
    margin = round(MARGIN_S * recording.rate_hz)
    adjacent = np.concatenate([[False], end[:-1] == start[1:]])
    contact_before = np.where(adjacent, np.concatenate([[np.nan], contacts[:-1]]), np.nan)
    first = np.floor(np.fmin(start, contact_before)).astype(np.int64) - margin
    first, last = (
        np.maximum(first, 0),
        np.minimum(np.ceil(end).astype(np.int64) + margin, recording.n_samples - 1),
    )
    lengths = last + 1 - first
    offset = np.concatenate([[0], np.cumsum(lengths)])
    samples = np.repeat(first - offset[:-1], lengths) + np.arange(offset[-1])
    return StrideSignals(
        stride_id=np.full(len(start), ""),
        rate_hz=np.full(len(start), float(recording.rate_hz)),
        offset=offset,
        mid_stance=mid_stances - first[:, None],
        initial_contact=np.column_stack([contact_before, contacts]) - first[:, None],
        acc_mps2=acc_mps2[samples].round(ACC_DECIMALS).astype(np.float32),
        gyr_radps=gyr_radps[samples].round(GYR_DECIMALS).astype(np.float32),
    )


def _columns(
    recording: Recording,
    mid_stances: np.ndarray,
    contacts: np.ndarray,
    integral: strapdown.Strapdown,
    sd_cm: np.ndarray,
    repaired_rad: np.ndarray,
    flags: dict[str, np.ndarray],
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Return the columns of the table, in order of time, and each row's detected stride, -1 without one."""
    start_s, end_s = (mid_stances / recording.rate_hz).T
    table = recording.reference
    if is_trajectory(table):
        table = matching.from_trajectory(table, start_s, end_s)
    reference = {name: table[name].to_numpy() for name in table}
    stride, missed_reason = matching.match(table, recording.reference_event, start_s, end_s)
    number, row = _merge(stride, reference["start_s"], start_s)
    found = number >= 0

    # The index -1 selects the appended value: of a stride that was not detected, or is not in the reference.
    def detected(values: np.ndarray, unknown: float | str = np.nan) -> np.ndarray:
        return np.append(values, unknown)[number]

    def referenced(values: np.ndarray, unknown: float | str = np.nan) -> np.ndarray:
        return np.append(values, unknown)[row]

    system = referenced(reference["reference"], "")
    integrated = found & (system == "strapdown")
    strapdown_length_cm = integral.length_cm.round(LENGTH_DECIMALS)
    length_cm = np.where(integrated, detected(strapdown_length_cm), referenced(reference["stride_length_cm"]))
    start_s = np.where(found, detected(start_s), referenced(reference["start_s"]))
    end_s = np.where(found, detected(end_s), referenced(reference["end_s"]))
    walk_start_s, walk_end_s = recording.walking_s or (-np.inf, np.inf)
    reason = np.select(
        [
            (end_s <= walk_start_s) | (start_s >= walk_end_s),
            ~found,
            detected(flags["gap"], False),
            np.isfinite(length_cm) | (len(table) == 0),
            row < 0,
        ],
        [OUTSIDE, referenced(missed_reason, ""), GAP, "", NO_REFERENCE],
        referenced(reference["note"], ""),
    )
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
        "stride_length_cm": length_cm.round(LENGTH_DECIMALS),
        "reference": system,
        "strapdown_length_cm": detected(strapdown_length_cm),
        "length_sd_cm": detected(sd_cm.round(LENGTH_DECIMALS)),
        "turn_deg": detected(heading_change_deg(integral.orientation).round(TURN_DECIMALS)),
        "repaired_deg": detected(np.rad2deg(repaired_rad).round(TURN_DECIMALS)),
        "flags": detected(_joined_flags(flags), ""),
        "usable": reason == "",
        "reason": reason,
    }
    return {name: np.asarray(values) for name, values in columns.items()}, number


def _merge(
    stride: np.ndarray, reference_start_s: np.ndarray, start_s: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the detected stride's number and the reference row of each stride of the table, -1 without one.

    The table contains each stride that was detected or is in the reference, in order of time.

    stride: [k] detected stride of each row of the reference, -1 without a match
    reference_start_s: [k]; start_s: [n], of the detected strides
    """
    matched, missed = np.flatnonzero(stride >= 0), np.flatnonzero(stride < 0)
    number = np.concatenate([np.arange(len(start_s)), np.full(len(missed), -1)])
    row = np.concatenate([np.full(len(start_s), -1), missed])
    row[stride[matched]] = matched
    order = np.argsort(np.concatenate([start_s, reference_start_s[missed]]), kind="stable")
    return number[order], row[order]


def _joined_flags(flags: dict[str, np.ndarray]) -> np.ndarray:
    """Return the names [n] of each stride's flags, separated by spaces."""
    names = np.array(list(flags), dtype=object)
    return np.array(
        [" ".join(names[raised]) for raised in np.column_stack(list(flags.values()))], dtype=object
    )
