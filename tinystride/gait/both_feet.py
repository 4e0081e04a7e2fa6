"""What the two feet of one walk show together, where both sensors share a clock: steps and double support."""

import numpy as np
import pandas as pd

# Of two successive contacts of different feet; longer ones are no step of a walk.
MAX_STEP_S = 1.5
COLUMNS = ("step_time_s", "step_length_cm", "double_support_s", "double_support_share")


def step_parameters(own: pd.DataFrame, other: pd.DataFrame) -> pd.DataFrame:
    """COLUMNS for each stride of a foot, from the strides of both feet on one clock; NaN where unknown.

    own, other: stride tables with initial_contact_s, terminal_contact_s, stance_s, stride_time_s, speed_mps

    step_time_s: from the other foot's last initial contact to this foot's
    step_length_cm: step_time_s times the mean speed of both feet's strides. Two sensors do not show how far
        apart the feet are: this assumes that the body moves at an even speed within a stride
    double_support_s: both feet on the floor between the initial contact before the stride and the stride's
        terminal contact (initial and terminal double support); double_support_share: of stride_time_s
    """
    table = pd.DataFrame(np.nan, index=own.index, columns=list(COLUMNS))
    contacts = other["initial_contact_s"].to_numpy(float)
    known = np.isfinite(contacts)
    contacts = contacts[known]
    order = np.argsort(contacts)
    contacts, speed = contacts[order], other["speed_mps"].to_numpy(float)[known][order]
    departures = np.sort(other["terminal_contact_s"].dropna().to_numpy(float))
    if not len(contacts) or own.empty:
        return table
    contact = own["initial_contact_s"].to_numpy(float)
    last = np.searchsorted(contacts, contact) - 1
    step_s = np.where(last >= 0, contact - contacts[last], np.nan)
    step_s[~(step_s <= MAX_STEP_S)] = np.nan
    table["step_time_s"] = step_s
    mean_speed = (own["speed_mps"].to_numpy(float) + speed[last]) / 2
    table["step_length_cm"] = 100 * step_s * mean_speed
    terminal = own["terminal_contact_s"].to_numpy(float)
    before = terminal - own["stance_s"].to_numpy(float)
    table["double_support_s"] = _double_support(before, terminal, contacts, departures)
    table["double_support_share"] = table["double_support_s"] / own["stride_time_s"].to_numpy(float)
    return table


def asymmetry_percent(left: float, right: float) -> float:
    """Difference of the feet, left − right, in % of their mean."""
    return 200 * (left - right) / (left + right)


def _double_support(
    start: np.ndarray, end: np.ndarray, contacts: np.ndarray, departures: np.ndarray
) -> np.ndarray:
    """Of each stance from start to end [n]: until the other foot leaves, and from when it comes back."""
    result = np.full(len(start), np.nan)
    for i, (down, up) in enumerate(zip(start, end, strict=True)):
        if not np.isfinite(up - down):
            continue
        left = departures[(departures > down) & (departures < up)]
        back = contacts[(contacts > down) & (contacts < up)]
        if len(left) == 1 and len(back) == 1 and left[0] < back[0]:
            result[i] = (left[0] - down) + (up - back[0])
    return result
