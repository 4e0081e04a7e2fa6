"""Match detected strides to the strides of the reference."""

import numpy as np
import pandas as pd

from tinystride.datasets.recording import reference_table

NO_STRIDE = "no stride detected"
SEVERAL_STRIDES = "several strides detected"
NOT_SEEN = "marker not seen"
# Maximum distance from the detected mid-stance: a reference may mark it anywhere in the stance phase.
STANCE_TOLERANCE_S = 0.5
# A trajectory shows a stance if its marker is slow for long enough, and a stride between two stances that are
# far enough apart. At mid-stance a heel moves at up to 0.2 m/s; in the swing, at 2 m/s and more.
MAX_STANCE_SPEED_MPS = 0.35
MIN_STANCE_S = 0.08
MIN_TRAJECTORY_STRIDE_M = 0.3
SPEED_WINDOW_S = 0.05


def match(
    reference: pd.DataFrame, reference_event: str, start_s: np.ndarray, end_s: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the number of the detected stride of each reference stride, and why there is no such stride.

    Args:
        reference: [k] rows with start_s and end_s
        reference_event: event at start_s and end_s, "initial_contact" or "mid_stance"
        start_s: [n] mid-stances at the start of the detected strides, in order of time
        end_s: [n] mid-stances at their end

    Returns:
        stride [k] int64, -1 without a match, and reason [k] str, "" with a match. A detected stride matches
        at most one reference stride.
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
    """Return the first and the last stride that begins between two contacts, -1 without one.

    The stance after a contact has its mid-stance before the next contact. So the stride from contact to
    contact is the detected stride that starts at this mid-stance, and it contains the next contact alone.
    """
    contacts_s = np.sort(next_contact_s)
    contacts = np.searchsorted(contacts_s, end_s) - np.searchsorted(contacts_s, start_s)
    first = np.searchsorted(start_s, contact_s)
    last = np.searchsorted(start_s, next_contact_s) - 1
    unmatched = (first > last) | (np.append(contacts, 0)[last] != 1)
    return np.where(unmatched, -1, first), np.where(unmatched, -1, last)


def _by_mid_stances(
    stance_s: np.ndarray, next_stance_s: np.ndarray, start_s: np.ndarray, end_s: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the stride that starts in the first stance and the one that ends in the second, -1 without one.

    The middle of a stride, when the foot is in the air, separates two stances.
    """
    in_the_air_s = (start_s + end_s) / 2
    arrival_s = np.append(-np.inf, end_s) - STANCE_TOLERANCE_S
    departure_s = np.append(start_s, np.inf) + STANCE_TOLERANCE_S

    def stance_of(time_s: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        stance = np.searchsorted(in_the_air_s, time_s)
        return stance, (arrival_s[stance] <= time_s) & (time_s <= departure_s[stance])

    (first, first_near), (second, second_near) = stance_of(stance_s), stance_of(next_stance_s)
    matched = first_near & second_near & (first < second)
    return np.where(matched, first, -1), np.where(matched, second - 1, -1)


def from_trajectory(trajectory: pd.DataFrame, start_s: np.ndarray, end_s: np.ndarray) -> pd.DataFrame:
    """Return the reference strides of a trajectory: a reference_table of the event "mid_stance".

    The first n rows are the detected strides. Their length is the horizontal distance between the positions
    at their own mid-stances, NaN if the marker was not seen. The other rows are strides of the trajectory
    that were not detected, from the middle of one stance to the middle of the next.

    Args:
        trajectory: TRAJECTORY_COLUMNS, as in Recording
        start_s: [n] mid-stances at the start of the detected strides, in order of time
        end_s: [n] mid-stances at their end
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
    """Return the horizontal distances [n] between the positions at start and end, cm; NaN if one is unknown.

    Args:
        time_s: [k], of the positions, in ascending order
        position_m: [k, 2], horizontal
        start_s: [n]
        end_s: [n]
    """

    def at(instant_s: np.ndarray) -> np.ndarray:
        return np.column_stack(
            [np.interp(instant_s, time_s, axis, left=np.nan, right=np.nan) for axis in position_m.T]
        )

    return 100 * np.hypot(*(at(end_s) - at(start_s)).T)


def _shown_strides(time_s: np.ndarray, position_m: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return start and end [k], s, of the strides of a marker, from middle to middle of its stances."""
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
