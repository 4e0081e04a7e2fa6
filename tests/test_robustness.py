"""Damaged recordings and other activities: a good length, a flag or a refusal, never a wrong length.

There is no recording of a bus ride, of stairs or of a broken sensor, so these are simulated, or real
recordings are damaged. Running is simulated, too; one trial of llio-ruler reaches 4 m/s.
"""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.damage import DAMAGES, HIDDEN_DAMAGES, cut
from benchmarks.robustness import (
    MAX_WRONG_SHARE,
    count_all,
    damaged,
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
def with_lengths(recorded):
    """The same recordings with their unflagged lengths as reference."""
    return {
        dataset: [with_answer(recording, network()) for recording in recordings]
        for dataset, recordings in recorded.items()
    }


def changes_cm(before, after) -> np.ndarray:
    """Return the absolute change of lengths that are unflagged before and after the damage."""
    before, after = (predict_strides(recording, network()) for recording in (before, after))
    assert len(before) == len(after)
    plain = (before["flags"] == "") & (after["flags"] == "")
    return (after["stride_length_cm"] - before["stride_length_cm"])[plain].abs().to_numpy()


def test_predict_ordinary_walk_is_good(walks):
    counts = count_all(walks, network())
    assert counts["good"] == counts.total() > 80


@pytest.mark.parametrize("name", DAMAGES)
def test_predict_damaged_simulated_walk_is_good_or_flagged(walks, name):
    counts = count_all(damaged(walks, DAMAGES[name]), network())
    assert counts["wrong"] == 0
    assert counts["missed"] + counts["refused"] == 0


@pytest.mark.parametrize("name", DAMAGES)
def test_predict_damaged_recorded_walk_is_good_or_flagged(with_lengths, name):
    for recordings in with_lengths.values():
        counts = count_all(damaged(recordings, DAMAGES[name]), network())
        assert counts.total() > 30
        assert counts["wrong"] <= MAX_WRONG_SHARE * counts.total()
        assert counts["missed"] + counts["refused"] <= MAX_WRONG_SHARE * counts.total()


@pytest.mark.parametrize("name", HIDDEN_DAMAGES)
def test_predict_hidden_damage_is_mostly_flagged(walks, with_lengths, name):
    for recordings in (walks, *with_lengths.values()):
        counts = count_all(damaged(recordings, HIDDEN_DAMAGES[name]), network())
        assert counts["flagged"] + counts["good"] >= 0.4 * counts.total()
    everything = count_all(
        (
            each
            for recordings in (walks, *with_lengths.values())
            for each in damaged(recordings, HIDDEN_DAMAGES[name])
        ),
        network(),
    )
    assert everything["flagged"] >= 0.7 * everything.total()
    assert everything["wrong"] <= 0.25 * everything.total()


def test_predict_undamaged_walk_is_not_flagged_sensors_disagree(walks, recorded):
    for recording in walks + [recording for recordings in recorded.values() for recording in recordings]:
        assert not predict_strides(recording, network())["flags"].str.contains("sensors-disagree").any()


@pytest.mark.parametrize("name", ["turned mounting", "upside down"])
def test_predict_any_mounting_changes_lengths_by_less_than_1_cm(walks, recorded, name):
    everything = walks + [recording for recordings in recorded.values() for recording in recordings]
    for number, recording in enumerate(everything):
        change = changes_cm(recording, DAMAGES[name](recording, np.random.default_rng(number)))
        assert len(change) > 0
        assert change.max() < 1


def test_predict_gyroscope_bias_changes_lengths_by_less_than_1_cm(walks):
    for number, recording in enumerate(walks):
        biased = DAMAGES["gyro bias"](recording, np.random.default_rng(number))
        assert changes_cm(recording, biased).max() < 1


def test_predict_other_foot_is_flagged_wrong_foot(walks, recorded):
    for recording in walks + [recording for recordings in recorded.values() for recording in recordings]:
        for labelled, expected in ((recording, False), (DAMAGES["other foot"](recording, None), True)):
            flagged = predict_strides(labelled, network())["flags"].str.contains("wrong-foot")
            assert (flagged == expected).all(), recording.name


def test_predict_exchanged_recordings_are_flagged_wrong_foot(raw_folder):
    """The files of the first two trials of subject 4 of ipol-healthy seem to be of the other foot."""
    for recording in load_recordings(raw_folder, ["ipol-healthy"]):
        if recording.subject == "4":
            flagged = predict_strides(recording, network())["flags"].str.contains("wrong-foot")
            assert (flagged == (recording.trial in ("1", "2"))).all(), recording.name


def test_predict_lost_samples_leaves_many_strides(walks):
    counts = count_all(damaged(walks, DAMAGES["lost samples"]), network())
    assert counts["good"] > 0.2 * counts.total()
    assert counts["flagged"] > 0.1 * counts.total()


def test_predict_clipped_gyroscope_that_lost_much_is_flagged_saturated(walks):
    for recording in walks:
        limit = 0.6 * np.abs(recording.gyr_radps).max()
        samples = np.clip(recording.gyr_radps, -limit, limit)
        clipped = replace(recording, gyr_radps=samples, saturation=(np.nan, limit))
        strides = predict_strides(clipped, network())
        assert strides["flags"].str.contains("saturated").any()


def test_predict_without_standing_is_good_if_strides_show_the_bias(walks):
    counts = count_all(damaged(walks, DAMAGES["no standing"]), network())
    assert counts["wrong"] == 0 and counts["good"] >= 12


def test_predict_start_in_mid_stride_loses_only_that_stride(walks):
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
def test_predict_without_walking_flags_all_strides(kind):
    counts = count_all(simulated_activity(kind, 1), network())
    assert counts["wrong"] == 0


@pytest.mark.parametrize("kind", GAITS)
def test_predict_other_gaits_are_good_or_flagged(kind):
    counts = count_all(simulated_activity(kind, 1), network())
    assert counts.total() > 20
    assert counts["wrong"] == 0


def test_predict_stairs_are_flagged_climb():
    for kind in ("stairs-up", "stairs-down"):
        for recording in simulated_activity(kind, 2):
            strides = predict_strides(recording, network())
            found, _ = match(
                recording.reference, "initial_contact", *strides[["start_s", "end_s"]].to_numpy().T
            )
            assert strides["flags"][found].str.contains("climb").mean() > 0.9


def test_predict_fast_walk_is_not_flagged():
    for recording in simulated_walks(0, speed_mps=1.9, n_strides=15):
        flags = predict_strides(recording, network())["flags"]
        assert (flags[1:] == "").all()
