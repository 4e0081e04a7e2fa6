"""Validate the gait parameters: studies/results/gait_parameters/validation.csv.

Contacts are compared with the hand-checked events of ipol-healthy (even-numbered people; the detector's
weights were fitted on the others), speed with the treadmill belt of tripod-excerpt, and angles, clearance
and lateral swing with the truth of simulated people. Lengths are those of the integral, without a network.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm import tqdm

from stages.common import RAW, run_stage
from studies.common import STUDIES, write_table
from tinystride.datasets import ipol
from tinystride.datasets.loading import load_recordings
from tinystride.datasets.recording import FEET, Recording
from tinystride.datasets.simulator import CONDITIONS, simulate_walk_with_truth
from tinystride.datasets.virtual_sensor import VirtualSensor
from tinystride.datasets.walker import Leg, SimulatedSubject
from tinystride.files import atomic_folder
from tinystride.gait.bouts import place_in_walk
from tinystride.gait.parameters import gait_parameters
from tinystride.gait.strides import extract_strides

PEOPLE = 12
STRIDES = 15
# The files of these two trials are exchanged: left is right.
EXCHANGED = [("4", "1"), ("4", "2")]
EVENTS = {"terminal_contact_s": 0, "initial_contact_s": 1}
ANGLES = {"foot_strike_angle_deg": ("initial_contact_s", 1), "toe_off_angle_deg": ("terminal_contact_s", -1)}
KMH = 3.6


def walked(recording: Recording) -> pd.DataFrame:
    """Return detected strides with parameters; `steady`: unflagged, neither first nor last of a bout."""
    table = extract_strides(recording).table
    table = table[table["strapdown_length_cm"].notna()].reset_index(drop=True)
    table = table.assign(stride_length_cm=table["strapdown_length_cm"])
    position = place_in_walk(table)["position"]
    parameters = gait_parameters(recording, table)
    kept = table.drop(columns=[name for name in parameters if name in table])
    return kept.join(parameters).assign(steady=(table["flags"] == "") & (position == "middle"))


def event_errors(recordings: list[Recording]) -> Iterator[dict]:
    """Yield detected minus hand-checked times, ms, of strides with one hand-checked event of each kind."""
    for recording in tqdm(recordings, desc="events", unit="recording"):
        events_s = ipol.foot_events_s(recording)
        for stride in walked(recording).itertuples():
            inside = [
                events_s[(events_s[:, k] > stride.start_s) & (events_s[:, k] < stride.end_s), k]
                for k in EVENTS.values()
            ]
            if all(len(each) == 1 for each in inside):
                for name, k in EVENTS.items():
                    error_ms = 1000 * (getattr(stride, name) - inside[k][0])
                    yield {"parameter": name, "error": error_ms, "steady": stride.steady}


def simulated_errors() -> Iterator[dict]:
    """Yield estimate minus truth, deg and cm, of the steady strides of both feet of simulated people."""
    for person in tqdm(range(PEOPLE), desc="simulated", unit="person"):
        rng = np.random.default_rng([6, person])
        subject, sensor = SimulatedSubject.draw(rng), VirtualSensor.draw(rng)
        for share in CONDITIONS.values():
            legs = [Leg(STRIDES, share * subject.preferred_speed_mps)]
            for foot in FEET:
                recording, truth = simulate_walk_with_truth(
                    subject, legs=legs, foot=foot, seed=person, sensor=sensor
                )
                time_s = np.arange(recording.n_samples) / recording.rate_hz
                own = truth.rotation @ np.asarray(subject.mounting[foot]).T
                toes_up_deg = np.rad2deg(np.arcsin(own[:, 2, 0]))
                strides = walked(recording)
                for stride in strides[strides["steady"]].itertuples():
                    for name, (event, sign) in ANGLES.items():
                        true = sign * np.interp(getattr(stride, event), time_s, toes_up_deg)
                        yield {"parameter": name, "error": getattr(stride, name) - true, "steady": True}
                    between = (time_s >= stride.start_s) & (time_s <= stride.end_s)
                    position_cm = 100 * truth.position_m[between]
                    aside = position_cm - np.linspace(position_cm[0], position_cm[-1], len(position_cm))
                    true_cm = {
                        "clearance_cm": aside[:, 2].max(),
                        "lateral_swing_cm": np.abs(aside[:, 1]).max(),
                        "height_change_cm": position_cm[-1, 2] - position_cm[0, 2],
                    }
                    for name, true in true_cm.items():
                        yield {"parameter": name, "error": getattr(stride, name) - true, "steady": True}


def belt_errors(recordings: list[Recording], folder: Path) -> Iterator[dict]:
    """Yield the mean speed of each recording's steady strides minus that of the belt, m/s."""
    belt = pd.read_csv(next(folder.rglob("MetaInfo.csv")), sep=";", decimal=",").set_index("Subject Alias")
    for recording in tqdm(recordings, desc="belt", unit="recording"):
        strides = walked(recording)
        speed = strides.loc[strides["steady"], "speed_mps"].mean()
        belt_mps = belt.loc[recording.subject.removeprefix("Sub_"), f"{recording.trial} (km/h)"] / KMH
        yield {"parameter": "speed_mps", "error": speed - belt_mps, "steady": True}


def row(name: str, reference: str, people: int, errors: pd.DataFrame) -> dict:
    error = errors["error"].dropna()
    size = (error - error.median()).abs()
    return {
        "parameter": name, "reference": reference, "people": people, "n": len(error),
        "missing": int(errors["error"].isna().sum()), "bias": error.mean(), "sd": error.std(),
        "median": error.median(), "p95_abs": size.quantile(0.95),
    }  # fmt: skip


def main(_: dict) -> None:
    recordings = [
        recording
        for recording in load_recordings(RAW, ["ipol-healthy"])
        if int(recording.subject) % 2 == 0 and (recording.subject, recording.trial) not in EXCHANGED
    ]
    treadmill = list(load_recordings(RAW, ["tripod-excerpt"]))
    events = pd.DataFrame(event_errors(recordings))
    belt = pd.DataFrame(belt_errors(treadmill, RAW / "tripod-excerpt"))
    simulated = pd.DataFrame(simulated_errors())
    people = len({recording.subject for recording in recordings})
    rows = []
    for name in ("initial_contact_s", "terminal_contact_s"):
        own = events[events["parameter"] == name]
        for strides, chosen in (("steady", own[own["steady"]]), ("all", own)):
            rows.append(row(f"{name}, {strides} strides, ms", "hand-checked, ipol-healthy", people, chosen))
    n = len({recording.subject for recording in treadmill})
    rows.append(row("speed_mps, mean of a recording", "belt, tripod-excerpt", n, belt))
    for name, own in simulated.groupby("parameter", sort=False):
        rows.append(row(name, "simulated", PEOPLE, own))
    with atomic_folder(STUDIES / "gait_parameters") as folder:
        write_table(rows, folder / "validation.csv")


if __name__ == "__main__":
    run_stage("studies/dvc.yaml:gait-parameters", main)
