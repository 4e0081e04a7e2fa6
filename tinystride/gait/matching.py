"""Which detected stride is which stride of the reference."""

import numpy as np
import pandas as pd

from tinystride.datasets.recording import reference_table

NO_STRIDE = "no stride detected"
SEVERAL_STRIDES = "several strides detected"
NOT_SEEN = "marker not seen"
# A reference that marks mid-stances marks them somewhere in the stance phase, this far from ours at most.
STANCE_TOLERANCE_S = 0.5
# A trajectory shows a stance where its marker is slower than this for so long, and a stride where two stances
# are so far apart. A heel rolls at up to 0.2 m/s through mid-stance and swings at 2 m/s and more.
MAX_STANCE_SPEED_MPS = 0.35
MIN_STANCE_S = 0.08
MIN_TRAJECTORY_STRIDE_M = 0.3
SPEED_WINDOW_S = 0.05


def match(
    reference: pd.DataFrame, reference_event: str, start_s: np.ndarray, end_s: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Detected stride of each reference stride, and why there is none.

    reference: k rows with start_s, end_s; reference_event: what these are, "initial_contact" or "mid_stance"
    start_s, end_s: [n] mid-stances that bound the detected strides, in order
    Returns stride [k] int64 (-1: none) and reason [k] str ("" where there is one). No stride is given twice.
    """
    bounds = reference["start_s"].to_numpy(), reference["end_s"].to_numpy()
    find = _by_contacts if reference_event == "initial_contact" else _by_mid_stances
    first, last = find(*bounds, start_s, end_s)
    stride = np.where((first == last) & (first >= 0), first, -1)
    reason = np.where(stride >= 0, "", np.where((first >= 0) & (last > first), SEVERAL_STRIDES, NO_STRIDE))
    repeated = pd.Series(stride).duplicated().to_numpy() & (stride >= 0)
    return np.where(repeated, -1, stride), np.where(repeated, NO_STRIDE, reason).astype(str)


def _by_contacts(
    contact_s: np.ndarray, next_contact_s: np.ndarray, start_s: np.ndarray, end_s: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """First and last of the strides that begin between two contacts, -1 where none does.

    The plant that begins with a contact has its mid-stance before the next one, so the stride from contact to
    contact is the one that leaves this mid-stance, and within it the next contact is the only one.
    """
    contacts_s = np.sort(next_contact_s)
    contacts = np.searchsorted(contacts_s, end_s) - np.searchsorted(contacts_s, start_s)
    first = np.searchsorted(start_s, contact_s)
    last = np.searchsorted(start_s, next_contact_s) - 1
    none = (first > last) | (np.append(contacts, 0)[last] != 1)
    return np.where(none, -1, first), np.where(none, -1, last)


def _by_mid_stances(
    stance_s: np.ndarray, next_stance_s: np.ndarray, start_s: np.ndarray, end_s: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The stride that leaves the one stance, and the stride that arrives at the other, -1 where none does.

    Stances are told apart by the middles of the strides between them, when the foot is in the air.
    """
    in_the_air_s = (start_s + end_s) / 2
    arrival_s = np.append(-np.inf, end_s) - STANCE_TOLERANCE_S
    departure_s = np.append(start_s, np.inf) + STANCE_TOLERANCE_S

    def stance_of(time_s: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        stance = np.searchsorted(in_the_air_s, time_s)
        return stance, (arrival_s[stance] <= time_s) & (time_s <= departure_s[stance])

    (left, leaves), (reached, arrives) = stance_of(stance_s), stance_of(next_stance_s)
    known = leaves & arrives & (left < reached)
    return np.where(known, left, -1), np.where(known, reached - 1, -1)


def from_trajectory(trajectory: pd.DataFrame, start_s: np.ndarray, end_s: np.ndarray) -> pd.DataFrame:
    """Reference strides that a trajectory gives for detected strides, and those that were not detected.

    trajectory: TRAJECTORY_COLUMNS, as in Recording; start_s, end_s: [n] mid-stances of the detected strides
    Returns a reference_table of event "mid_stance". Its first n rows are the detected strides, each with the
    horizontal distance between the positions at its own mid-stances (NaN where the marker was not seen). Then
    come the strides that the trajectory shows and none of the detected ones is, from middle to middle of its
    stances.
    """
    time_s = trajectory["time_s"].to_numpy(float)
    position_m = trajectory[["x_m", "y_m"]].to_numpy(float)
    own_cm = distance_cm(time_s, position_m, start_s, end_s)
    shown_start_s, shown_end_s = _shown_strides(time_s, position_m)
    shown_cm = distance_cm(time_s, position_m, shown_start_s, shown_end_s)
    shown = reference_table(shown_start_s, shown_end_s, shown_cm, "mocap")
    if len(start_s):
        shown = shown[match(shown, "mid_stance", start_s, end_s)[0] < 0]
    note = np.where(np.isfinite(own_cm), "", NOT_SEEN)
    return pd.concat([reference_table(start_s, end_s, own_cm, "mocap", note), shown], ignore_index=True)


def distance_cm(
    time_s: np.ndarray, position_m: np.ndarray, start_s: np.ndarray, end_s: np.ndarray
) -> np.ndarray:
    """Return the horizontal distances [n], cm, between the positions at start and end; NaN where unknown.

    time_s: [k]; position_m: [k, 2]
    """

    def at(instant_s: np.ndarray) -> np.ndarray:
        return np.column_stack(
            [np.interp(instant_s, time_s, axis, left=np.nan, right=np.nan) for axis in position_m.T]
        )

    return 100 * np.hypot(*(at(end_s) - at(start_s)).T)


def _shown_strides(time_s: np.ndarray, position_m: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Start and end [k], s, of the strides of a marker: from the middle of one stance to that of the next."""
    step_s = float(np.median(np.diff(time_s)))
    window = max(1, round(SPEED_WINDOW_S / step_s))
    speed_mps = np.full(len(time_s), np.inf)
    moved_m = np.linalg.norm(position_m[window:] - position_m[:-window], axis=1)
    speed_mps[window // 2 : window // 2 + len(moved_m)] = moved_m / (window * step_s)
    rests = np.diff(np.concatenate([[0], (speed_mps < MAX_STANCE_SPEED_MPS).astype(int), [0]]))
    first, last = np.flatnonzero(rests == 1), np.flatnonzero(rests == -1) - 1
    kept = time_s[last] - time_s[first] >= MIN_STANCE_S
    middle = (first[kept] + last[kept]) // 2
    far = np.linalg.norm(np.diff(position_m[middle], axis=0), axis=1) > MIN_TRAJECTORY_STRIDE_M
    return time_s[middle[:-1][far]], time_s[middle[1:][far]]
