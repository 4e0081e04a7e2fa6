"""Damaged recordings and what is no walking: a good answer, a flag or a refusal, never a confident wrong one.

No recording of a bus ride, of stairs or of a broken sensor is at hand: these are simulated, or real
recordings damaged on purpose. Running is simulated, too; one trial of llio-ruler reaches 4 m/s.
"""

import numpy as np
import pytest

from benchmarks.damage import DAMAGES, UNTOLD, cut
from benchmarks.robustness import (
    LARGEST_WRONG_SHARE,
    damaged,
    judge_all,
    simulated_activity,
    simulated_walks,
    with_answer,
)
from tests.predicting import network
from tinystride.datasets.loading import load_recordings
from tinystride.datasets.simulated_activities import GAITS, POSES
from tinystride.gait.matching import match
from tinystride.predict import predict_strides


@pytest.fixture(scope="module")
def walks():
    return [recording for number in range(3) for recording in simulated_walks(number, n_strides=15)]


@pytest.fixture(scope="module")
def recorded(raw_folder):
    """Some recordings of each set, by set."""
    chosen = {}
    every = {"ipol-healthy": 30, "llio-ruler": 5, "tripod-excerpt": 3}
    for number, recording in enumerate(load_recordings(raw_folder, list(every))):
        if number % every[recording.dataset] == 0:
            chosen.setdefault(recording.dataset, []).append(recording)
    return chosen


@pytest.fixture(scope="module")
def known(recorded):
    """The same with their unflagged lengths as reference."""
    return {
        dataset: [with_answer(recording, network()) for recording in recordings]
        for dataset, recordings in recorded.items()
    }


def changes_cm(before, after) -> np.ndarray:
    """By how much damage changed the unflagged lengths that are still unflagged."""
    before, after = (predict_strides(recording, network()) for recording in (before, after))
    assert len(before) == len(after)
    plain = (before["flags"] == "") & (after["flags"] == "")
    return (after["stride_length_cm"] - before["stride_length_cm"])[plain].abs().to_numpy()


def test_ordinary_walks_are_answered(walks):
    counts = judge_all(walks, network())
    assert counts["good"] == counts.total() > 80


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_simulated_walk_is_answered_well_or_flagged(walks, name):
    counts = judge_all(damaged(walks, DAMAGES[name]), network())
    assert counts["wrong"] == 0
    assert counts["missed"] + counts["refused"] == 0


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_recorded_walk_is_answered_well_or_flagged(known, name):
    for recordings in known.values():
        counts = judge_all(damaged(recordings, DAMAGES[name]), network())
        assert counts.total() > 30
        assert counts["wrong"] <= LARGEST_WRONG_SHARE * counts.total()
        assert counts["missed"] + counts["refused"] <= LARGEST_WRONG_SHARE * counts.total()


@pytest.mark.parametrize("name", UNTOLD)
def test_sensors_that_contradict_each_other_are_told_of_mostly(walks, known, name):
    for recordings in (walks, *known.values()):
        counts = judge_all(damaged(recordings, UNTOLD[name]), network())
        assert counts["flagged"] + counts["good"] >= 0.4 * counts.total()
    everything = judge_all(
        (each for recordings in (walks, *known.values()) for each in damaged(recordings, UNTOLD[name])),
        network(),
    )
    assert everything["flagged"] >= 0.7 * everything.total()
    assert everything["wrong"] <= 0.25 * everything.total()


def test_sensors_as_they_were_do_not_contradict_each_other(walks, recorded):
    for recording in walks + [recording for recordings in recorded.values() for recording in recordings]:
        assert not predict_strides(recording, network())["flags"].str.contains("sensors-disagree").any()


@pytest.mark.parametrize("name", ["turned mounting", "upside down"])
def test_the_mounting_changes_no_length_by_a_centimetre(walks, recorded, name):
    everything = walks + [recording for recordings in recorded.values() for recording in recordings]
    for number, recording in enumerate(everything):
        change = changes_cm(recording, DAMAGES[name](recording, np.random.default_rng(number)))
        assert len(change) > 0
        assert change.max() < 1


def test_a_bias_of_the_gyroscope_changes_no_length_by_a_centimetre(walks):
    for number, recording in enumerate(walks):
        biased = DAMAGES["gyro bias"](recording, np.random.default_rng(number))
        assert changes_cm(recording, biased).max() < 1


def test_the_other_foot_is_told(walks, recorded):
    for recording in walks + [recording for recordings in recorded.values() for recording in recordings]:
        for said, expected in ((recording, False), (DAMAGES["other foot"](recording, None), True)):
            flagged = predict_strides(said, network())["flags"].str.contains("wrong-foot")
            assert (flagged == expected).all(), recording.name


def test_recordings_whose_feet_were_exchanged_are_told(raw_folder):
    """Of ipol-healthy's subject 4 the files of the first two trials are of the other foot, as it seems."""
    for recording in load_recordings(raw_folder, ["ipol-healthy"]):
        if recording.subject == "4":
            flagged = predict_strides(recording, network())["flags"].str.contains("wrong-foot")
            assert (flagged == (recording.trial in ("1", "2"))).all(), recording.name


def test_lost_samples_leave_many_strides(walks):
    counts = judge_all(damaged(walks, DAMAGES["lost samples"]), network())
    assert counts["good"] > 0.2 * counts.total()
    assert counts["flagged"] > 0.1 * counts.total()


def test_a_clipped_gyroscope_is_noticed(walks):
    fast = [recording for recording in walks if np.abs(recording.gyr_radps).max() > np.deg2rad(520)]
    assert fast
    for recording in fast:
        clipped = DAMAGES["clipped gyroscope"](recording, np.random.default_rng(0))
        strides = predict_strides(clipped, network())
        assert strides["flags"].str.contains("saturated").any()


def test_without_standing_all_strides_say_so(walks):
    for recording in walks:
        strides = predict_strides(DAMAGES["no standing"](recording, None), network())
        assert strides["flags"].str.contains("no-standing").all()
        assert len(strides) >= 12


def test_a_start_in_mid_stride_costs_that_stride_alone(walks):
    for recording in walks:
        whole = predict_strides(recording, network())
        first = recording.reference.iloc[3]
        start_s = (first["start_s"] + first["end_s"]) / 2
        rest = predict_strides(cut(recording, start_s, recording.duration_s), network())
        later = whole[whole["start_s"] > start_s]
        assert len(rest) == len(later)
        assert rest["stride_length_cm"].to_numpy() == pytest.approx(
            later["stride_length_cm"].to_numpy(), abs=1
        )


@pytest.mark.parametrize("kind", POSES)
def test_where_nobody_walks_no_stride_is_unflagged(kind):
    counts = judge_all(simulated_activity(kind, 1), network())
    assert counts["wrong"] == 0


@pytest.mark.parametrize("kind", GAITS)
def test_other_gaits_are_answered_well_or_flagged(kind):
    counts = judge_all(simulated_activity(kind, 1), network())
    assert counts.total() > 20
    assert counts["wrong"] == 0


def test_stairs_are_flagged():
    for kind in ("stairs-up", "stairs-down"):
        for recording in simulated_activity(kind, 2):
            strides = predict_strides(recording, network())
            found, _ = match(
                recording.reference, "initial_contact", *strides[["start_s", "end_s"]].to_numpy().T
            )
            assert strides["flags"][found].str.contains("climb").mean() > 0.9


def test_a_fast_walk_is_not_flagged():
    for recording in simulated_walks(0, speed_mps=1.9, n_strides=15):
        flags = predict_strides(recording, network())["flags"]
        assert (flags[1:] == "").all()
