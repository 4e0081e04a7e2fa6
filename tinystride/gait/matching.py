"""Which detected stride is which stride of the reference."""

import numpy as np
import pandas as pd

NO_STRIDE = "no stride detected"
SEVERAL_STRIDES = "several strides detected"
# The reference marks its mid-stances somewhere in the stance phase, this far from ours at most.
LARGEST_MID_STANCE_DIFFERENCE_S = 0.6


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
    contact is the one that leaves this mid-stance, and the next contact has to lie within it.
    """
    first = np.searchsorted(start_s, contact_s)
    last = np.searchsorted(start_s, next_contact_s) - 1
    around = np.append(end_s, np.inf)[last] > next_contact_s
    none = (first > last) | ~around
    return np.where(none, -1, first), np.where(none, -1, last)


def _by_mid_stances(stance_s, next_stance_s, start_s, end_s) -> tuple[np.ndarray, np.ndarray]:
    """The stride that begins in the one stance, and the stride that ends in the other, -1 where none does."""
    return _nearest(start_s, stance_s), _nearest(end_s, next_stance_s)


def _nearest(times_s: np.ndarray, wanted_s: np.ndarray) -> np.ndarray:
    if not len(times_s):
        return np.full(len(wanted_s), -1, dtype=np.int64)
    difference = np.abs(times_s[None, :] - wanted_s[:, None])
    nearest = difference.argmin(axis=1)
    near = difference[np.arange(len(wanted_s)), nearest] <= LARGEST_MID_STANCE_DIFFERENCE_S
    return np.where(near, nearest, -1)
