"""What `tinystride predict` makes of damaged recordings and of what is no walking: good, flagged or wrong.

A stride is good if it is unflagged and within 10 cm of the truth, wrong if unflagged and not. Of simulated
people the truth is known; of recorded ones, whose references err themselves, the lengths of the undamaged
recording's unflagged strides take its place. Where nobody walks, every unflagged stride is wrong.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.damage import DAMAGES, UNTOLD
from benchmarks.processes import ROOT
from tinystride.datasets.loading import load_recordings
from tinystride.datasets.recording import FEET, Recording, reference_table
from tinystride.datasets.simulated_activities import ACTIVITIES, simulate_activity
from tinystride.datasets.simulator import simulate_walk
from tinystride.datasets.virtual_sensor import VirtualSensor
from tinystride.datasets.walker import SimulatedSubject
from tinystride.errors import DataError
from tinystride.gait.matching import match
from tinystride.learning.prediction import Network
from tinystride.predict import predict_strides

PEOPLE = 6
LARGEST_ERROR_CM = 10.0
LARGEST_WRONG_SHARE = 0.01
# What these flags tell is known of the recorded sets: it is no misjudgement.
TRUE_FLAGS = {"turn", "gap", "saturated", "no-standing"}


def measure(model: Path = ROOT / "models" / "stride_int8.tflite") -> Iterator[tuple[str, str, str]]:
    network = Network.load(model)
    walks = [recording for number in range(PEOPLE) for recording in simulated_walks(number)]
    yield row("simulated walk", judge_all(walks, network))
    for name, damage in (DAMAGES | UNTOLD).items():
        yield row(f"simulated walk, {name}", judge_all(damaged(walks, damage), network), name in DAMAGES)
    for kind in ACTIVITIES:
        recordings = [recording for number in range(PEOPLE) for recording in simulated_activity(kind, number)]
        yield row(f"simulated {kind}", judge_all(recordings, network))
    for dataset, recordings in recorded().items():
        yield unflagged_share(dataset, recordings, network)
        known = [
            answer for recording in recordings if len((answer := with_answer(recording, network)).reference)
        ]
        for name, damage in (DAMAGES | UNTOLD).items():
            yield row(f"{dataset}, {name}", judge_all(damaged(known, damage), network), name in DAMAGES)


def simulated_walks(number: int, **options) -> list[Recording]:
    """Both feet of one person, 25 strides straight ahead."""
    rng = np.random.default_rng([2024, number])
    subject, sensor = SimulatedSubject.draw(rng), VirtualSensor.draw(rng)
    options = {"n_strides": 25, "seed": number, "sensor": sensor, **options}
    return [simulate_walk(subject, foot=foot, **options) for foot in FEET]


def simulated_activity(kind: str, number: int) -> list[Recording]:
    """Both feet of the same person, half a minute of it."""
    rng = np.random.default_rng([2024, number])
    subject, sensor = SimulatedSubject.draw(rng), VirtualSensor.draw(rng)
    return [simulate_activity(kind, subject=subject, foot=foot, seed=number, sensor=sensor) for foot in FEET]


def recorded() -> dict[str, list[Recording]]:
    """Recordings of data/raw by data set, but for the simulated one."""
    sets: dict[str, list[Recording]] = {}
    for recording in load_recordings(ROOT / "data" / "raw"):
        if recording.dataset != "simulated":
            sets.setdefault(recording.dataset, []).append(recording)
    return sets


def damaged(recordings: list[Recording], damage) -> Iterator[Recording]:
    for number, recording in enumerate(recordings):
        yield damage(recording, np.random.default_rng(number))


def with_answer(recording: Recording, network: Network) -> Recording:
    """With the unflagged lengths of the recording as it is for a reference."""
    strides = predict_strides(recording, network)
    plain = strides[strides["flags"] == ""]
    reference = reference_table(
        plain["start_s"], plain["end_s"], plain["stride_length_cm"].to_numpy(), "strapdown"
    )
    return replace(recording, reference=reference, reference_event="mid_stance")


def judge(recording: Recording, network: Network) -> Counter:
    """How many strides are "good", "flagged", "wrong", "missed"; "refused": those of a refused recording."""
    reference = recording.reference
    try:
        strides = predict_strides(recording, network)
    except DataError:
        return Counter(refused=max(1, len(reference)))
    plain = (strides["flags"] == "").to_numpy()
    if not len(reference):
        return Counter(wrong=int(plain.sum()), flagged=int((~plain).sum()))
    found, _ = match(reference, recording.reference_event, *strides[["start_s", "end_s"]].to_numpy().T)
    length_cm = strides["stride_length_cm"].to_numpy()[found]
    near = np.abs(length_cm - reference["stride_length_cm"].to_numpy()) <= LARGEST_ERROR_CM
    missed, unflagged = found < 0, plain[found]
    return Counter(
        missed=int(missed.sum()),
        flagged=int((~missed & ~unflagged).sum()),
        good=int((~missed & unflagged & near).sum()),
        wrong=int((~missed & unflagged & ~near).sum()),
    )


def judge_all(recordings, network: Network) -> Counter:
    return sum((judge(recording, network) for recording in recordings), Counter())


def row(what: str, counts: Counter, bounded: bool = True) -> tuple[str, str, str]:
    total = counts.total()
    shares = ", ".join(
        f"{name} {100 * counts[name] / total:.1f} %"
        for name in ("good", "flagged", "refused", "missed", "wrong")
        if counts[name] or name == "wrong"
    )
    bound = f"wrong at most {100 * LARGEST_WRONG_SHARE:g} %" if bounded else "not always to be told"
    return what, f"{shares} of {total}", bound


def unflagged_share(dataset: str, recordings: list[Recording], network: Network) -> tuple[str, str, str]:
    """Of straight reference strides of a whole, unsaturated and calibrated recording."""
    plain = ordinary = 0
    for recording in recordings:
        strides = predict_strides(recording, network)
        reference = recording.reference
        found, _ = match(reference, recording.reference_event, *strides[["start_s", "end_s"]].to_numpy().T)
        flags = strides["flags"].to_numpy()[found[found >= 0]]
        ordinary += sum(not TRUE_FLAGS & set(words.split()) for words in flags)
        plain += int((flags == "").sum())
    return f"{dataset}, unflagged of ordinary strides", f"{100 * plain / ordinary:.1f} %", "at least 95 %"
