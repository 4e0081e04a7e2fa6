"""Measure the error of detected mid-stances: studies/results/mid_stances.

For simulated people, two references are known: the instant of the lowest angular rate (80 ms mean) of the
flat foot, and the time in which the foot rests, that is, the sensor moves less than REST_MPS beyond the roll
of the foot over its sole. (A resting foot has no single best instant.) The position of the foot before the
first and after the last step is known, too. For recorded people, this study measures by how much a noisier
sensor moves the detected mid-stances.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from tqdm import tqdm

from stages.common import RAW, run_stage
from studies.common import STUDIES, write_table
from tinystride.datasets.loading import load_recordings
from tinystride.datasets.recording import FEET, Recording
from tinystride.datasets.simulator import CONDITIONS, WalkTruth, simulate_walk_with_truth
from tinystride.datasets.virtual_sensor import VirtualSensor
from tinystride.datasets.walker import Leg, SimulatedSubject
from tinystride.files import atomic_folder
from tinystride.gait.calibration import calibrate
from tinystride.gait.events import find_strides
from tinystride.gait.strapdown import LEVER_ARM_M

PEOPLE = 12
STRIDES = 15
# About three times the noise of a common sensor.
NOISE = VirtualSensor(oversampling=1, acc_noise_density=0.002, gyr_noise_density=0.0003)
NEAR_S = 0.4
# This velocity error at mid-stance changes the length of a stride of one second by half a centimetre.
REST_MPS = 0.01


def walks(person: int) -> Iterator[tuple[str, Recording, WalkTruth]]:
    """Yield both feet of a simulated person: slow, normal and fast straight ahead, and around a U-turn."""
    rng = np.random.default_rng([5, person])
    subject, sensor = SimulatedSubject.draw(rng), VirtualSensor.draw(rng)
    preferred = subject.preferred_speed_mps
    paths = {name: [Leg(STRIDES, share * preferred)] for name, share in CONDITIONS.items()}
    paths["U-turn"] = [Leg(4, preferred), Leg(3, 0.65 * preferred, turn_rad=np.pi), Leg(4, preferred)]
    for name, legs in paths.items():
        for foot in FEET:
            yield name, *simulate_walk_with_truth(subject, legs=legs, foot=foot, seed=person, sensor=sensor)


def detected_s(recording: Recording) -> np.ndarray:
    """Return the times of all mid-stances, each once."""
    acc, gyr, _, _ = calibrate(recording.acc_mps2, recording.gyr_radps, recording.rate_hz, recording.lost)
    return np.unique(find_strides(acc, gyr, recording.rate_hz)) / recording.rate_hz


def nearest(found_s: np.ndarray, wanted_s: np.ndarray) -> np.ndarray:
    """Return the nearest of `found_s` to each of `wanted_s`; NaN if it is more than NEAR_S away."""
    own_s = found_s[np.abs(found_s[None] - wanted_s[:, None]).argmin(axis=1)]
    return np.where(np.abs(own_s - wanted_s) < NEAR_S, own_s, np.nan)


def against_truth(recording: Recording, truth: WalkTruth) -> dict[str, np.ndarray]:
    """Return the errors of the detected mid-stances of one recording.

    late_s [n]: for each stance between two swings, detected time minus time of the lowest angular rate
    from_rest_s [n]: for each of these stances, distance to the nearest moment of rest; NaN: not detected
    standing_cm [2]: distance of the sensor, at the first and last detected mid-stance, from its resting place
    """
    found_s, best_s = detected_s(recording), truth.mid_stance_s[1:-1]
    own_s = nearest(found_s, best_s)
    rest_s = np.flatnonzero(unexplained_mps(recording, truth) < REST_MPS) / recording.rate_hz
    place = [round(t * recording.rate_hz) for t in (found_s[0], found_s[-1])]
    apart_m = truth.position_m[place] - truth.position_m[[0, -1]]
    return {
        "late_s": own_s - best_s,
        "from_rest_s": np.abs(nearest(rest_s, own_s) - own_s),
        "standing_cm": 100 * np.linalg.norm(apart_m, axis=1),
    }


def unexplained_mps(recording: Recording, truth: WalkTruth) -> np.ndarray:
    """Return the speed [N] of the sensor minus the part that the roll of the foot explains, m/s."""
    velocity = np.gradient(truth.position_m, 1 / recording.rate_hz, axis=0)
    turning = np.einsum("nij,nj->ni", truth.rotation, truth.gyr_radps)
    return np.linalg.norm(velocity - np.cross(turning, [0, 0, LEVER_ARM_M]), axis=1)


def under_noise(recording: Recording, seed: int) -> np.ndarray:
    """Return by how many seconds noise moves each mid-stance [n]; NaN: no longer detected."""
    rng = np.random.default_rng(seed)
    acc, gyr, *_ = NOISE.measure(recording.acc_mps2, recording.gyr_radps, recording.rate_hz, rng)
    clean_s, noisy_s = (
        detected_s(each) for each in (recording, replace(recording, acc_mps2=acc, gyr_radps=gyr))
    )
    return nearest(noisy_s, clean_s) - clean_s


def rms(values: np.ndarray) -> float:
    return float(np.sqrt(np.nanmean(values**2)))


def main(parameters: dict) -> None:
    simulated: dict[str, list] = {}
    for person in tqdm(range(PEOPLE), desc="simulated people", unit=""):
        for name, recording, truth in walks(person):
            simulated.setdefault(name, []).append(against_truth(recording, truth))
    rows, standing_cm = [], []
    for name, parts in simulated.items():
        late_s, from_rest_s, apart_cm = (np.concatenate([part[key] for part in parts]) for key in parts[0])
        standing_cm.extend(apart_cm)
        rows.append(
            {
                "walking": name,
                "mid_stances": len(late_s),
                "missed": int(np.isnan(late_s).sum()),
                "late_sd_ms": 1000 * np.nanstd(late_s),
                "unrest_rms_ms": 1000 * rms(from_rest_s),
            }
        )
    shifts: dict[str, list] = {}
    for number, recording in enumerate(tqdm(load_recordings(RAW), desc="recordings", unit="")):
        moved_s = under_noise(recording, parameters["seed"] + number)
        shifts.setdefault(recording.dataset, []).extend(moved_s)
    noise = [
        {
            "set": name,
            "mid_stances": len(own),
            "missed": int(np.isnan(own).sum()),
            "moved_sd_ms": 1000 * np.nanstd(own),
        }
        for name, own in shifts.items()
    ]
    standing = {"standings": len(standing_cm), "rms_cm": rms(np.array(standing_cm))}
    with atomic_folder(STUDIES / "mid_stances") as folder:
        write_table(rows, folder / "simulated.csv")
        write_table([standing], folder / "start_and_stop.csv")
        write_table(noise, folder / "under_noise.csv")


if __name__ == "__main__":
    run_stage("studies/dvc.yaml:mid-stances", main)
