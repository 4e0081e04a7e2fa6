"""Summary of a walk: counts, distance, bouts, and each gait parameter over steady strides."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from tinystride.gait.both_feet import asymmetry_percent

# {name: (unit, words of the readable summary)}
PARAMETERS: Mapping[str, tuple[str, str]] = {
    "stride_length_cm": ("cm", "stride length"),
    "speed_mps": ("m/s", "walking speed"),
    "cadence_spm": ("steps/min", "cadence"),
    "stride_time_s": ("s", "stride time"),
    "stance_s": ("s", "stance"),
    "swing_s": ("s", "swing"),
    "stance_share": ("", "stance share"),
    "foot_strike_angle_deg": ("deg", "foot strike angle"),
    "toe_off_angle_deg": ("deg", "toe-off angle"),
    "clearance_cm": ("cm", "sensor clearance"),
    "height_change_cm": ("cm", "height change"),
    "turn_deg": ("deg", "turn"),
    "lateral_swing_cm": ("cm", "lateral swing"),
    "step_time_s": ("s", "step time"),
    "step_length_cm": ("cm", "step length (estimated)"),
    "double_support_s": ("s", "double support"),
    "double_support_share": ("", "double support share"),
}
# Parameters whose mean is near zero have no coefficient of variation.
AROUND_ZERO = ("height_change_cm", "turn_deg")
COMPARED = ("stride_length_cm", "stance_share", "swing_s", "step_time_s")
# Their means weigh each stride by 1 / SD², from its 95 % interval.
OF_LENGTH = ("stride_length_cm", "speed_mps")
INTERVAL = ("stride_length_low_cm", "stride_length_high_cm")
BESIDE_STEADY = ("first", "last", "only")


def summarise(strides: pd.DataFrame, names: Iterable[str] = ()) -> dict[str, Any]:
    """Summarise a table of strides by recording and by person.

    Args:
        strides: `results.COLUMNS`
        names: names of recordings in the order wanted, so that recordings without a stride are included

    Returns:
        Plain values, ready for JSON: {"recordings": […], "people": […]}. Each entry holds the strides found,
        steady, and left out by reason; distance_m over all strides that are unflagged or flagged `turn`
        alone; walking bouts; and n, mean, sd, cv_percent and median of each of PARAMETERS over the steady
        strides; the means of length and speed weigh each stride by 1 / SD² if all have an interval. A
        person's entry also holds the asymmetry of the feet, 200 (left − right) / (left + right) in
        %, of parameters measured on both feet.
    """
    names = list(dict.fromkeys([*names, *strides["recording"]]))
    recordings = [_recording(name, strides[strides["recording"] == name]) for name in names]
    people = [
        _person(str(person), table) for person, table in strides.groupby("person", sort=False, observed=True)
    ]
    return {"recordings": recordings, "people": people}


def readable(summary: Mapping[str, Any]) -> str:
    """Return the people of a summary as text for a terminal, 80 columns wide.

    Args:
        summary: result of `summarise`
    """
    blocks = []
    for person in summary["people"]:
        counts = person["strides"]
        not_steady = ", ".join(f"{n} {reason}" for reason, n in counts["left_out"].items()) or "none"
        lines = [
            f"{person['person']}: {counts['found']} strides, {counts['steady']} steady "
            f"({', '.join(f'{n} {foot}' for foot, n in person['feet'].items())}), "
            f"{person['distance_m']:.0f} m walked",
            f"  not steady: {not_steady}",
            f"  {'':24} {'mean':>8} {'SD':>8} {'median':>8}",
        ]
        for name, (unit, words) in PARAMETERS.items():
            parameter = person["parameters"].get(name)
            if parameter:
                label = f"{words}, {unit}" if unit else words
                lines.append(
                    f"  {label:24} {parameter['mean']:8.2f} {_or_dash(parameter['sd'])} "
                    f"{parameter['median']:8.2f}"
                )
        lines += [
            f"  asymmetry of {PARAMETERS[name][1]}: {value:+.1f} %"
            for name, value in person["asymmetry_percent"].items()
        ]
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks) + "\n" if blocks else "no strides\n"


def _or_dash(value: float | None) -> str:
    return f"{'–':>8}" if value is None else f"{value:8.2f}"


def _recording(name: str, strides: pd.DataFrame) -> dict[str, Any]:
    labels = {key: str(strides[key].iloc[0]) for key in ("person", "foot")} if len(strides) else {}
    return {
        "recording": name,
        **labels,
        "strides": _counts(strides),
        "distance_m": _distance_m(strides),
        "bouts": [
            {
                "start_s": round(float(bout["start_s"].min()), 4),
                "end_s": round(float(bout["end_s"].max()), 4),
                "strides": len(bout),
                "distance_m": _distance_m(bout),
            }
            for _, bout in strides.groupby("bout", sort=True)
        ],
        "parameters": _parameters(strides),
    }


def _person(person: str, strides: pd.DataFrame) -> dict[str, Any]:
    feet = {str(foot): table for foot, table in strides.groupby("foot", sort=True)}
    means = {foot: _parameters(table) for foot, table in feet.items()}
    asymmetry = {
        name: round(asymmetry_percent(means["left"][name]["mean"], means["right"][name]["mean"]), 2)
        for name in COMPARED
        if set(means) == {"left", "right"} and all(name in foot_means for foot_means in means.values())
    }
    return {
        "person": person,
        "recordings": int(strides["recording"].nunique()),
        "feet": {foot: len(table) for foot, table in feet.items()},
        "strides": _counts(strides),
        # Both feet walk the same distance.
        "distance_m": round(max((_distance_m(table) for table in feet.values()), default=0.0), 3),
        "parameters": _parameters(strides),
        "asymmetry_percent": asymmetry,
    }


def _counts(strides: pd.DataFrame) -> dict[str, Any]:
    """Return counts of strides; left_out: why strides are not steady, each reason of a stride counted."""
    reasons: dict[str, int] = {}
    for position, flags in zip(strides["position"], strides["flags"], strict=True):
        for reason in (*([f"{position} of a walk"] if position in BESIDE_STEADY else []), *flags.split()):
            reasons[reason] = reasons.get(reason, 0) + 1
    return {
        "found": len(strides),
        "steady": int(strides["steady"].sum()),
        "left_out": dict(sorted(reasons.items())),
    }


def _distance_m(strides: pd.DataFrame) -> float:
    accepted = strides["flags"].isin(["", "turn"])
    return round(float(strides.loc[accepted, "stride_length_cm"].sum()) / 100, 3)


def _weights(strides: pd.DataFrame, name: str) -> np.ndarray | None:
    """Weight of each stride's value in the mean: 1 / SD² for lengths; otherwise None (equal weights)."""
    if name not in OF_LENGTH or not set(INTERVAL) <= set(strides):
        return None
    known = strides[strides[name].notna()]
    width_cm = (known[INTERVAL[1]] - known[INTERVAL[0]]).to_numpy(float)
    return width_cm**-2 if np.isfinite(width_cm).all() and (width_cm > 0).all() else None


def _parameters(strides: pd.DataFrame) -> dict[str, dict[str, Any]]:
    steady = strides[strides["steady"].astype(bool)]
    statistics: dict[str, dict[str, Any]] = {}
    for name in PARAMETERS:
        values = steady[name].dropna().to_numpy(float) if name in steady else np.empty(0)
        if not len(values):
            continue
        mean = float(np.average(values, weights=_weights(steady, name)))
        sd = float(values.std(ddof=1)) if len(values) > 1 else None
        statistics[name] = {
            "n": len(values),
            "mean": round(mean, 4),
            "sd": None if sd is None else round(sd, 4),
            "cv_percent": None
            if sd is None or name in AROUND_ZERO or mean == 0
            else round(100 * sd / abs(mean), 3),
            "median": round(float(np.median(values)), 4),
        }
    return statistics
