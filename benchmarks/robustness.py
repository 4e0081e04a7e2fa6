"""Run `tinystride predict` on damaged recordings and on other activities than walking.

An unflagged stride within 10 cm of the truth is good; any other unflagged stride is wrong. The truth of
simulated people is known. For recorded people, whose references have errors, the unflagged lengths of the
undamaged recording are used. In activities without walking, every unflagged stride is wrong.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.damage import DAMAGES, HIDDEN_DAMAGES
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
MAX_ERROR_CM = 10.0
MAX_WRONG_SHARE = 0.01
# These flags are right on the recorded sets.
TRUE_FLAGS = {"turn", "gap", "saturated", "no-standing"}


def measure(model: Path = ROOT / "models" / "stride_int8.tflite") -> Iterator[tuple[str, str, str]]:
    network = Network.load(model)
    walks = [recording for number in range(PEOPLE) for recording in simulated_walks(number)]
    yield row("simulated walk", count_all(walks, network))
    for name, damage in (DAMAGES | HIDDEN_DAMAGES).items():
        yield row(f"simulated walk, {name}", count_all(damaged(walks, damage), network), name in DAMAGES)
    for kind in ACTIVITIES:
        recordings = [recording for number in range(PEOPLE) for recording in simulated_activity(kind, number)]
        yield row(f"simulated {kind}", count_all(recordings, network))
    for dataset, recordings in recorded().items():
        yield unflagged_share(dataset, recordings, network)
        with_lengths = [
            answer for recording in recordings if len((answer := with_answer(recording, network)).reference)
        ]
        for name, damage in (DAMAGES | HIDDEN_DAMAGES).items():
            yield row(
                f"{dataset}, {name}", count_all(damaged(with_lengths, damage), network), name in DAMAGES
            )


def simulated_walks(number: int, **options) -> list[Recording]:
    """Return both feet of one person, 25 strides straight ahead."""
    rng = np.random.default_rng([2024, number])
    subject, sensor = SimulatedSubject.draw(rng), VirtualSensor.draw(rng)
    options = {"n_strides": 25, "seed": number, "sensor": sensor, **options}
    return [simulate_walk(subject, foot=foot, **options) for foot in FEET]


def simulated_activity(kind: str, number: int) -> list[Recording]:
    """Return both feet of the same person in half a minute of an activity."""
    rng = np.random.default_rng([2024, number])
    subject, sensor = SimulatedSubject.draw(rng), VirtualSensor.draw(rng)
    return [simulate_activity(kind, subject=subject, foot=foot, seed=number, sensor=sensor) for foot in FEET]


def recorded() -> dict[str, list[Recording]]:
    """Return the recordings of data/raw by data set, without the simulated set."""
    sets: dict[str, list[Recording]] = {}
    for recording in load_recordings(ROOT / "data" / "raw"):
        if recording.dataset != "simulated":
            sets.setdefault(recording.dataset, []).append(recording)
    return sets


def damaged(recordings: list[Recording], damage) -> Iterator[Recording]:
    for number, recording in enumerate(recordings):
        yield damage(recording, np.random.default_rng(number))


def with_answer(recording: Recording, network: Network) -> Recording:
    """Return the recording with its unflagged lengths as reference."""
    strides = predict_strides(recording, network)
    plain = strides[strides["flags"] == ""]
    reference = reference_table(
        plain["start_s"], plain["end_s"], plain["stride_length_cm"].to_numpy(), "strapdown"
    )
    return replace(recording, reference=reference, reference_event="mid_stance")


def count(recording: Recording, network: Network) -> Counter:
    """Count "good", "flagged", "wrong" and "missed" strides; "refused": those of a refused recording."""
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
    near = np.abs(length_cm - reference["stride_length_cm"].to_numpy()) <= MAX_ERROR_CM
    missed, unflagged = found < 0, plain[found]
    return Counter(
        missed=int(missed.sum()),
        flagged=int((~missed & ~unflagged).sum()),
        good=int((~missed & unflagged & near).sum()),
        wrong=int((~missed & unflagged & ~near).sum()),
    )


def count_all(recordings, network: Network) -> Counter:
    return sum((count(recording, network) for recording in recordings), Counter())


def row(what: str, counts: Counter, bounded: bool = True) -> tuple[str, str, str]:
    total = counts.total()
    shares = ", ".join(
        f"{name} {100 * counts[name] / total:.1f} %"
        for name in ("good", "flagged", "refused", "missed", "wrong")
        if counts[name] or name == "wrong"
    )
    bound = f"wrong at most {100 * MAX_WRONG_SHARE:g} %" if bounded else "not always detectable"
    return what, f"{shares} of {total}", bound


def unflagged_share(dataset: str, recordings: list[Recording], network: Network) -> tuple[str, str, str]:
    """Return the unflagged share of straight strides without gaps or saturation, in calibrated recordings."""
    plain = ordinary = 0
    for recording in recordings:
        strides = predict_strides(recording, network)
        reference = recording.reference
        found, _ = match(reference, recording.reference_event, *strides[["start_s", "end_s"]].to_numpy().T)
        flags = strides["flags"].to_numpy()[found[found >= 0]]
        ordinary += sum(not TRUE_FLAGS & set(words.split()) for words in flags)
        plain += int((flags == "").sum())
    return f"{dataset}, unflagged of ordinary strides", f"{100 * plain / ordinary:.1f} %", "at least 95 %"
