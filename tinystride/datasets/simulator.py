"""Simulated recordings: simulated people walk strides whose lengths are known exactly.

They replace recorded data that cannot be reached, and serve tests that need the truth. Walks are simulated in
the frame of the floor; a treadmill's belt is a floor, too, and an inertial sensor measures the same on both.
"""

import json
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import pandas as pd
from tqdm import tqdm

from tinystride.datasets.foot_motion import FootMotion, Motion, Swings, euler_matrices
from tinystride.datasets.recording import FEET, Recording, read_error, reference_table
from tinystride.datasets.samples import STANDARD_GRAVITY_MPS2, check_recording
from tinystride.datasets.virtual_sensor import VirtualSensor
from tinystride.datasets.walker import Leg, SimulatedSubject, Steps, plan_steps, swings_of
from tinystride.files import atomic_folder, atomic_write
from tinystride.optional import extra
from tinystride.validation import each, one_of, real_number, whole_number

with extra("train"):
    from scipy.ndimage import uniform_filter1d

RATE_RANGE_HZ = (50.0, 400.0)
CONDITIONS = {"slow": 0.75, "normal": 1.0, "fast": 1.25}  # share of the preferred speed
IDEAL_SENSOR = VirtualSensor()


@dataclass(frozen=True, eq=False)
class WalkTruth:
    """True values of a simulated walk that a recording does not hold.

    Footprints are numbered in order; the foot stands on footprint 0 first.

    Attributes:
        footprint_m: [m + 1, 3] floor below the sensor of the flat foot
        heading_rad: [m + 1] direction of the foot
        toe_off_s: [m] toe-off of the swing from footprint i to i + 1
        contact_s: [m] contact of that swing
        mid_stance_s: [m + 1] time of least angular rate on the footprint; while standing, a time within it
        position_m: [n, 3] position of the sensor at the samples
        rotation: [n, 3, 3] rotation from sensor to world axes at the samples
        acc_mps2: [n, 3] samples of an ideal sensor
        gyr_radps: [n, 3] samples of an ideal sensor
        gyr_offset_radps: [n, 3] offset of the gyroscope
    """

    footprint_m: np.ndarray
    heading_rad: np.ndarray
    toe_off_s: np.ndarray
    contact_s: np.ndarray
    mid_stance_s: np.ndarray
    position_m: np.ndarray
    rotation: np.ndarray
    acc_mps2: np.ndarray
    gyr_radps: np.ndarray
    gyr_offset_radps: np.ndarray


@dataclass(frozen=True, eq=False)
class _Walk:
    recording: Recording
    motion: FootMotion
    mounting: np.ndarray
    gyr_offset_radps: np.ndarray


def simulate_walk(subject: SimulatedSubject, **options: Any) -> Recording:
    """Return the recording of `simulate_walk_with_truth` without computing the truth.

    Args:
        subject: the person
        **options: see `simulate_walk_with_truth`
    """
    return _walk(subject, **options).recording


def simulate_walk_with_truth(subject: SimulatedSubject, **options: Any) -> tuple[Recording, WalkTruth]:
    """Return one foot's recording of a walk, and the truth about it.

    Reference strides run from contact to contact; the stride that starts from standing has no first contact
    and is left out. Their lengths are the horizontal distances of successive footprints.

    Args:
        subject: the person
        **options: foot: "right" (default) or "left"; both feet of one seed belong to one walk. legs: the
            path; without it, n_strides (12) straight ahead at speed_mps (the preferred speed). rate_hz: 50 to
            400 (100). seed (0). sensor: a VirtualSensor (an ideal one). standing_s: at rest before and after
            (3, 2).
            dataset, trial, condition: as in Recording

    Raises:
        ParameterError: for an option out of its range
    """
    walk = _walk(subject, **options)
    return walk.recording, _truth(walk)


def _walk(
    subject: SimulatedSubject,
    *,
    foot: str = "right",
    speed_mps: float | None = None,
    n_strides: int = 12,
    legs: Sequence[Leg] | None = None,
    rate_hz: float = 100.0,
    seed: int = 0,
    sensor: VirtualSensor = IDEAL_SENSOR,
    standing_s: tuple[float, float] = (3.0, 2.0),
    dataset: str = "simulated",
    trial: str = "walk",
    condition: str = "",
) -> _Walk:
    check_request(foot, rate_hz)
    each(real_number(0)).check("standing_s", standing_s)
    legs = legs or [Leg(n_strides, speed_mps or subject.preferred_speed_mps)]
    # One random stream for the walk, which both feet share, and one for each foot and its sensor.
    shared, own = np.random.default_rng([seed, 0]), np.random.default_rng([seed, 1 + FEET.index(foot)])
    steps = plan_steps(subject, legs, standing_s[0], shared)
    swings = swings_of(subject, steps, foot, own)
    motion = FootMotion(subject.shape, swings, foot)
    n = int(np.ceil((steps.contact_s[-1] + standing_s[1]) * rate_hz))
    mounting = np.asarray(subject.mounting[foot])
    acc, gyr, gaps, offset = record(motion, mounting, sensor, n, rate_hz, own)
    recording = Recording(
        dataset=dataset,
        subject=subject.name,
        trial=trial,
        foot=foot,
        rate_hz=rate_hz,
        acc_mps2=acc,
        gyr_radps=gyr,
        source=f"simulated walk, seed {seed}",
        condition=condition,
        gaps=gaps,
        turns_s=_turns(steps),
        reference=_reference(steps, swings, foot),
        saturation=(sensor.acc_range_mps2, sensor.gyr_range_radps),
    )
    return _Walk(recording, motion, mounting, offset)


def record(
    motion: Motion,
    mounting: np.ndarray,
    sensor: VirtualSensor,
    n: int,
    rate_hz: float,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return the samples of a sensor that is mounted on a moving body, see VirtualSensor.measure.

    Args:
        motion: motion of the body
        mounting: [3, 3] rotation from sensor to body axes
        sensor: the sensor
        n: number of samples
        rate_hz: sampling rate
        rng: random number generator
    """
    fine_hz = rate_hz * sensor.oversampling
    first_s = -(sensor.oversampling - 1) / (2 * fine_hz)
    felt = motion.sense(n * sensor.oversampling, fine_hz, STANDARD_GRAVITY_MPS2, first_s)
    acc, gyr = (x @ mounting for x in felt)
    return sensor.measure(acc, gyr, rate_hz, rng)


def check_request(foot: str, rate_hz: float) -> None:
    """Check that a recording can be simulated.

    Args:
        foot: "left" or "right"
        rate_hz: within RATE_RANGE_HZ

    Raises:
        ParameterError: for a value out of its range
    """
    one_of(FEET).check("foot", foot)
    real_number(*RATE_RANGE_HZ).check("rate_hz", rate_hz)


def _reference(steps: Steps, swings: Swings, foot: str) -> pd.DataFrame:
    length_cm = 100 * np.linalg.norm(np.diff(swings.footprint_m[:, :2], axis=0), axis=1)
    from_rest = steps.from_rest[steps.foot == FEET.index(foot)]
    ends = np.flatnonzero(~from_rest)
    return reference_table(swings.contact_s[ends - 1], swings.contact_s[ends], length_cm[ends], "simulated")


def _turns(steps: Steps) -> np.ndarray:
    edges = np.diff(np.concatenate([[0], steps.turning.astype(int), [0]]))
    before = steps.contact_s - steps.pace_s / 2
    return np.column_stack(
        [before[np.flatnonzero(edges > 0)], steps.contact_s[np.flatnonzero(edges < 0) - 1]]
    )


def _truth(walk: _Walk) -> WalkTruth:
    swings = walk.motion.swings
    n, rate_hz = walk.recording.n_samples, walk.recording.rate_hz
    position, angle = walk.motion.pose(np.arange(n) / rate_hz)
    acc, gyr = (x @ walk.mounting for x in walk.motion.sense(n, rate_hz, STANDARD_GRAVITY_MPS2))
    return WalkTruth(
        footprint_m=swings.footprint_m,
        heading_rad=swings.heading_rad,
        toe_off_s=swings.toe_off_s,
        contact_s=swings.contact_s,
        mid_stance_s=_mid_stances(walk.motion),
        position_m=position,
        rotation=euler_matrices(angle) @ walk.mounting,
        acc_mps2=acc,
        gyr_radps=gyr,
        gyr_offset_radps=walk.gyr_offset_radps,
    )


def _mid_stances(motion: FootMotion) -> np.ndarray:
    """Return the time of least angular rate (80 ms mean) between loading and heel rise of each footprint.

    Before the first swing, the time is at rest.
    """
    swings, rate_hz = motion.swings, 500.0
    earliest_s = swings.contact_s + 0.10 * swings.stride_s
    latest_s = np.append(
        swings.toe_off_s[1:] - 0.12 * swings.stride_s[1:], earliest_s[-1] + 0.2 * swings.stride_s[-1]
    )
    n = int(latest_s[-1] * rate_hz) + 1
    energy = (motion.sense(n, rate_hz, 0.0)[1] ** 2).sum(axis=1)
    energy = uniform_filter1d(energy, round(0.08 * rate_hz))
    ranges = np.rint(np.column_stack([earliest_s, latest_s]) * rate_hz).astype(int)
    found = [first + energy[first:last].argmin() for first, last in ranges]
    standing_s = max(0.0, swings.toe_off_s[0] - 0.7 * swings.stride_s[0])
    return np.concatenate([[standing_s], np.array(found) / rate_hz])


def overground(speed_mps: float, strides: int) -> list[Leg]:
    """Return a path out and back: straight, a U-turn of three slower strides, straight.

    Args:
        speed_mps: walking speed
        strides: number of strides in all
    """
    out = max(1, (strides - 3) // 2)
    turn = Leg(3, max(0.5, 0.65 * speed_mps), turn_rad=np.pi)
    return [Leg(out, speed_mps), turn, Leg(max(1, strides - 3 - out), speed_mps)]


def simulate_dataset(
    folder: Path | str,
    *,
    subjects: int = 12,
    seed: int = 0,
    rate_hz: float = 100.0,
    strides: int = 23,
    progress: bool = False,
) -> None:
    """Write the walks of simulated people to `folder/<subject>/<condition>_<foot>.npz`.

    Conditions are slow, normal and fast; each walk is overground with a U-turn, with sensors that have their
    own errors. Equal arguments give equal bytes. The folder is complete or absent.

    Args:
        folder: the folder to write
        subjects: number of people
        seed: seed of all random choices
        rate_hz: sampling rate
        strides: number of strides of each walk
        progress: show a progress bar

    Raises:
        ParameterError: for a value out of its range
    """
    whole_number(1).check("subjects", subjects)
    whole_number(5).check("strides", strides)
    with atomic_folder(folder) as partial:
        for number in tqdm(range(subjects), "simulated walks", disable=not progress):
            rng = np.random.default_rng([seed, number])
            subject = SimulatedSubject.draw(rng, f"S{number + 1:02d}")
            sensors = {foot: VirtualSensor.draw(rng) for foot in FEET}
            for condition, share in CONDITIONS.items():
                walk_seed = int(rng.integers(2**32))
                for foot in FEET:
                    recording = simulate_walk(
                        subject,
                        foot=foot,
                        legs=overground(share * subject.preferred_speed_mps, strides),
                        rate_hz=rate_hz,
                        seed=walk_seed,
                        sensor=sensors[foot],
                        trial=condition,
                        condition=condition,
                    )
                    save_simulated(partial / subject.name / f"{condition}_{foot}.npz", recording)


def save_simulated(path: Path, recording: Recording) -> None:
    """Write one recording to a file that `load_simulated` reads.

    Args:
        path: the file to write
        recording: simulated recording
    """
    reference = recording.reference
    labels = {name: getattr(recording, name) for name in ("subject", "trial", "foot", "condition", "rate_hz")}
    with atomic_write(path) as partial, open(partial, "wb") as file:
        np.savez_compressed(
            file,
            labels=json.dumps(labels),
            acc_mps2=recording.acc_mps2.astype(np.float32),
            gyr_radps=recording.gyr_radps.astype(np.float32),
            gaps=recording.gaps,
            turns_s=recording.turns_s,
            reference=reference[["start_s", "end_s", "stride_length_cm"]].to_numpy(),
            saturation=recording.saturation,
        )


def load_simulated(folder: Path | str) -> Iterator[Recording]:
    """Load all recordings of `simulate_dataset`, sorted by path.

    Args:
        folder: folder that `simulate_dataset` wrote

    Yields:
        One recording per foot and walk.

    Raises:
        DataError: for an empty folder, and for a damaged file
    """
    paths = sorted(Path(folder).glob("*/*.npz"))
    if not paths:
        raise read_error(folder, "contains no simulated walk", "run the download again")
    for path in paths:
        yield check_recording(_load(path))


def _load(path: Path) -> Recording:
    try:
        with np.load(path, allow_pickle=False) as archive:
            content = {name: archive[name] for name in archive.files}
        start_s, end_s, length_cm = content.pop("reference").T
        labels = json.loads(str(content.pop("labels")))
        return Recording(
            dataset="simulated",
            source=str(path),
            acc_mps2=content["acc_mps2"].astype(float),
            gyr_radps=content["gyr_radps"].astype(float),
            gaps=content["gaps"],
            turns_s=content["turns_s"],
            saturation=tuple(content["saturation"].tolist()),
            reference=reference_table(start_s, end_s, length_cm, "simulated"),
            **labels,
        )
    except (OSError, EOFError, KeyError, ValueError, TypeError, BadZipFile, zlib.error) as error:
        raise read_error(path, f"is not a simulated walk ({error})", "run the download again") from error
