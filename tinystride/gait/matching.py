"""Which detected stride is which stride of the reference."""

import numpy as np
import pandas as pd

NO_STRIDE = "no stride detected"
SEVERAL_STRIDES = "several strides detected"
# A reference that marks mid-stances marks them somewhere in the stance phase, this far from ours at most.
STANCE_TOLERANCE_S = 0.5


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


def _by_contacts(contact_s, next_contact_s, start_s, end_s) -> tuple[np.ndarray, np.ndarray]:
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


def _by_mid_stances(stance_s, next_stance_s, start_s, end_s) -> tuple[np.ndarray, np.ndarray]:
    """The stride that leaves the one stance, and the stride that arrives at the other, -1 where none does.

    Stances are told apart by the middles of the strides between them, when the foot is in the air.
    """
    in_the_air_s = (start_s + end_s) / 2
    arrival_s = np.append(-np.inf, end_s) - STANCE_TOLERANCE_S
    departure_s = np.append(start_s, np.inf) + STANCE_TOLERANCE_S

    def stance_of(time_s):
        stance = np.searchsorted(in_the_air_s, time_s)
        return stance, (arrival_s[stance] <= time_s) & (time_s <= departure_s[stance])

    (left, leaves), (reached, arrives) = stance_of(stance_s), stance_of(next_stance_s)
    known = leaves & arrives & (left < reached)
    return np.where(known, left, -1), np.where(known, reached - 1, -1)
