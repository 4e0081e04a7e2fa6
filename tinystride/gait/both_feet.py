"""Compute steps and double support from the strides of both feet of a walk; their sensors share a clock."""

import numpy as np
import pandas as pd

# Two contacts of different feet that are further apart are not a step.
MAX_STEP_S = 1.5
COLUMNS = ("step_time_s", "step_length_cm", "double_support_s", "double_support_share")


def step_parameters(own: pd.DataFrame, other: pd.DataFrame) -> pd.DataFrame:
    """Return the step parameters of each stride of one foot: a table [n] with COLUMNS and the index of `own`.

    A value that is unknown is NaN.

    - step_time_s: from the last initial contact of the other foot to that of this foot
    - step_length_cm: step_time_s times the mean speed of the strides of both feet. The sensors do not measure
      the distance between the feet, so this assumes a constant speed of the body within a stride
    - double_support_s: time with both feet on the floor, from the initial contact before the stride to the
      terminal contact of the stride (initial and terminal double support)
    - double_support_share: double_support_s / stride_time_s, 0 to 1

    Args:
        own: [n] strides of the foot, with initial_contact_s, terminal_contact_s, stance_s, stride_time_s and
            speed_mps
        other: [m] strides of the other foot, with the same columns and on the same clock
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
    """Return the difference between the feet, left − right, in % of their mean.

    Args:
        left: value of the left foot
        right: value of the right foot, in the same unit
    """
    return 200 * (left - right) / (left + right)


def _double_support(
    start: np.ndarray, end: np.ndarray, contacts: np.ndarray, departures: np.ndarray
) -> np.ndarray:
    """Return the double support [n] in each stance from start to end, s; NaN unless both parts are seen.

    The first part ends with the departure of the other foot, the second part begins with its next contact.
    """
    result = np.full(len(start), np.nan)
    for i, (down, up) in enumerate(zip(start, end, strict=True)):
        if not np.isfinite(up - down):
            continue
        left = departures[(departures > down) & (departures < up)]
        back = contacts[(contacts > down) & (contacts < up)]
        if len(left) == 1 and len(back) == 1 and left[0] < back[0]:
            result[i] = (left[0] - down) + (up - back[0])
    return result
