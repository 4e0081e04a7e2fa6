"""All published recordings: the known numbers of each set."""

import numpy as np
import pandas as pd
import pytest

from tinystride.datasets.loading import load_recordings
from tinystride.datasets.samples import rest_acceleration


@pytest.fixture(scope="module")
def recordings(raw_folder):
    return list(load_recordings(raw_folder))


def of(recordings, dataset):
    return [recording for recording in recordings if recording.dataset == dataset]


def test_recordings_come_in_one_order(recordings, raw_folder):
    names = [recording.name for recording in recordings]
    assert len(set(names)) == len(names) == 2 + 6 + 220 + 15 + 36 + 42
    assert names == [recording.name for recording in load_recordings(raw_folder)]


def test_tripod_excerpt_has_the_published_strides(recordings):
    strides = {(r.trial, r.foot): r.reference for r in of(recordings, "tripod-excerpt")}
    counts = {key: len(rows) for key, rows in strides.items()}
    assert counts == {
        ("PWS-20", "left"): 93,
        ("PWS-20", "right"): 93,
        ("PWS", "left"): 110,
        ("PWS", "right"): 111,
        ("PWS+20", "left"): 126,
        ("PWS+20", "right"): 126,
    }
    for run, length_cm, speed_kmh in (("PWS-20", 121.7, 3.0), ("PWS", 128.9, 3.7), ("PWS+20", 135.3, 4.4)):
        both = [strides[run, foot] for foot in ("left", "right")]
        assert np.mean([rows.stride_length_cm.mean() for rows in both]) == pytest.approx(length_cm, abs=0.1)
        for rows in both:
            speed = 0.036 * rows.stride_length_cm / (rows.end_s - rows.start_s)
            assert speed.mean() == pytest.approx(speed_kmh, abs=0.1)


def test_tripod_contacts_coincide_with_impacts(recordings):
    """The acceleration at a contact exceeds the one 0.3 s later, when the foot stands."""
    for recording in of(recordings, "tripod-excerpt"):
        jerk = np.linalg.norm(np.diff(recording.acc_mps2, axis=0), axis=1)
        start = (recording.reference.start_s * 128).astype(int)
        contact, stance = (
            np.mean([jerk[k + at - 13 : k + at + 13].max() for k in start[:80]]) for at in (0, 38)
        )
        assert contact > 2 * stance


def test_ipol_healthy_has_all_subjects_and_its_lost_packets(recordings):
    ipol = of(recordings, "ipol-healthy")
    trials = {}
    for recording in ipol:
        trials.setdefault(recording.subject, set()).add(recording.trial)
    assert sorted(map(len, trials.values())) == [4, 4, *[6] * 17]
    assert sum(len(recording.gaps) > 0 for recording in ipol) == 145
    lost = [int(np.diff(recording.gaps).sum()) for recording in ipol]
    assert max(lost) == 783
    assert sum(len(recording.reference) for recording in ipol) == 3526
    assert all(len(recording.turns_s) == 1 for recording in ipol)
    for recording in ipol:
        assert recording.reference.end_s.max() <= recording.walking_s[1]


def test_llio_ruler_has_all_footprints(recordings):
    llio = of(recordings, "llio-ruler")
    assert [recording.trial for recording in llio] == [str(trial) for trial in range(31, 46)]
    assert {recording.subject for recording in llio} == {"wearer"}
    lengths = np.concatenate([recording.reference.stride_length_cm for recording in llio])
    assert len(lengths) == 952 and lengths.min() > 60 and lengths.max() < 300
    assert {recording.reference_event for recording in llio} == {"mid_stance"}


def test_llio_ruler_2_holds_walks_up_to_running(recordings):
    more = of(recordings, "llio-ruler-2")
    assert [int(recording.trial) for recording in more] == [46, *range(48, 83)]
    assert {recording.subject for recording in more} == {"wearer"}
    strides = pd.concat([recording.reference for recording in more])
    assert len(strides) == 1924
    speed_mps = strides.stride_length_cm / 100 / (strides.end_s - strides.start_s)
    assert (speed_mps >= 2.2).sum() == pytest.approx(304, abs=2)


def test_vicon_walks_are_42_of_four_days_with_positions_at_every_sample(recordings):
    walks = of(recordings, "vicon")
    assert len(walks) == 42 and len({recording.subject for recording in walks}) == 4
    for recording in walks:
        position_m = recording.reference[["x_m", "y_m", "z_m"]].to_numpy()
        assert len(position_m) == recording.n_samples and np.isfinite(position_m).all()
        # A walking foot is not lifted by half a metre.
        assert np.ptp(np.percentile(position_m[:, 2], [1, 99])) < 0.5, recording.name


def test_gaitmap_walker_goes_twenty_metres_and_back(recordings):
    for recording in of(recordings, "gaitmap-mocap"):
        position_m = recording.reference[["x_m", "y_m"]].to_numpy()
        away_m = np.linalg.norm(position_m - position_m[0], axis=1)
        assert 17 < np.nanmax(away_m) < 22
        assert away_m[-1] < 3


def test_recorded_samples_at_rest_measure_gravity(recordings):
    for recording in recordings:
        rest_mps2 = rest_acceleration(recording.rate_hz, recording.acc_mps2, recording.gyr_radps)
        assert 9.5 < rest_mps2 < 10.6, recording.name
        assert 3 < np.linalg.norm(recording.gyr_radps, axis=1).max() < 38, recording.name
