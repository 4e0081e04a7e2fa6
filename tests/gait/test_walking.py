import numpy as np
import pytest

from tinystride.datasets.simulated_activities import simulate_activity
from tinystride.gait import side, walking
from tinystride.gait.strapdown import resample
from tinystride.gait.strides import gather_strides, read_strides
from tinystride.gait.walking import likeness, means, shifted, unit

EXCHANGED = ("4/1/left", "4/1/right", "4/2/left", "4/2/right")


@pytest.fixture(scope="module")
def strides(strides_folder):
    """Table, acc_mps2, gyr_radps and duration_s of all detected strides of the recorded sets."""
    strides = read_strides(strides_folder)
    table = strides.table.set_index("stride_id").loc[list(strides.signals.stride_id)].reset_index()
    table["recording"] = table["subject"] + "/" + table["trial"] + "/" + table["foot"]
    return table, *resample(strides.signals)


def test_the_pitch_of_walking_is_the_mean_of_ipol_healthy(strides):
    table, _, gyr_radps, _ = strides
    plain = (table["dataset"] == "ipol-healthy") & table["usable"] & (table["flags"] == "")
    gyr_radps = gyr_radps[plain]
    alike, shift = likeness(gyr_radps)
    mean = shifted(means(gyr_radps[..., 1], walking.POINTS), -shift).mean(axis=0)
    assert mean == pytest.approx(walking.PITCH_RADPS, abs=0.4)
    assert unit(mean) @ unit(walking.PITCH_RADPS) > 0.998
    assert np.quantile(alike, 0.01) > 0.8


def test_all_of_walking_is_alike_to_it(strides):
    table, _, gyr_radps, _ = strides
    alike, _ = likeness(gyr_radps)
    walked = table["usable"] & (table["flags"] == "")
    assert (alike[walked] >= walking.SMALLEST_LIKENESS).all()
    fast = (table["dataset"] == "llio-ruler") & (table["strapdown_length_cm"] > 150 * table["duration_s"])
    assert fast.sum() > 100
    assert (alike[fast] >= walking.SMALLEST_LIKENESS).all()


@pytest.mark.parametrize("kind", ["sitting", "shaking"])
def test_what_is_no_walking_is_unlike_it(kind):
    recordings = [simulate_activity(kind, seed=seed, duration_s=60) for seed in (1, 2, 3)]
    alike, _ = likeness(resample(gather_strides(recordings).signals)[1])
    assert len(alike) > 10
    assert (alike < walking.SMALLEST_LIKENESS).mean() > 0.8


def test_likeness_looks_at_shape_alone(strides):
    _, _, gyr_radps, _ = strides
    some = gyr_radps[2000:2050]
    alike, shift = likeness(some)
    np.testing.assert_allclose(likeness(3 * some)[0], alike)
    np.testing.assert_allclose(likeness(-some)[0], -likeness_lowest(some), atol=1e-12)
    later = np.roll(some, 4, axis=1)
    moved, shift_later = likeness(later)
    assert np.abs(moved - alike).max() < 0.1
    assert np.median(shift_later - shift) == 1
    assert likeness(np.zeros((1, 64, 3)))[0] == 0


def test_a_strange_integral_needs_a_foot_that_turns_like_a_walking_one_alone():
    pitch = np.repeat(walking.PITCH_RADPS, 4)
    strangeness = np.array([0.0, 0.4, 0.9, 2.1])
    for others, walks in ((0.0, [1, 1, 1, 0]), (1.5, [1, 1, 0, 0]), (5.0, [1, 0, 0, 0])):
        # As much energy of roll as `others` times that of pitch.
        gyr_radps = np.stack([np.sqrt(others) * pitch, pitch, 0 * pitch], axis=1)[None].repeat(4, axis=0)
        alike, _ = likeness(gyr_radps)
        assert walking.is_walking(gyr_radps, alike, strangeness).tolist() == [bool(each) for each in walks]
        # What pitches like none does not walk, however ordinary the integral.
        assert not walking.is_walking(-gyr_radps, likeness(-gyr_radps)[0], strangeness).any()


def likeness_lowest(gyr_radps) -> np.ndarray:
    """The lowest cosine over all shifts, [n]."""
    shifts = np.arange(-walking.LARGEST_SHIFT, walking.LARGEST_SHIFT + 1)
    bank = shifted(np.tile(walking.PITCH_RADPS, (len(shifts), 1)), shifts)
    return (unit(means(gyr_radps[..., 1], walking.POINTS)) @ unit(bank).T).min(axis=1)


def test_shifting_leaves_zeros():
    values = np.arange(1.0, 9.0).reshape(2, 4)
    np.testing.assert_array_equal(shifted(values, np.array([1, -2])), [[0, 1, 2, 3], [7, 8, 0, 0]])


def test_every_recording_is_told(strides):
    table, acc_mps2, gyr_radps, duration_s = strides
    alike, shift = likeness(gyr_radps)
    walks = alike >= walking.SMALLEST_LIKENESS
    recordings, scores = [], []
    # Mocap rooms and later ruler trials are mostly turns, which say little of the side.
    walks &= table["dataset"].isin(["ipol-healthy", "llio-ruler", "tripod-excerpt"])
    for name, rows in table[walks].groupby(["dataset", "recording"]).groups.items():
        recordings.append(name)
        own = side.side_scores(acc_mps2[rows], gyr_radps[rows], duration_s[rows], shift[rows])
        scores.append(own.mean())
    scores = np.array(scores)
    exchanged = np.array([name in EXCHANGED and dataset == "ipol-healthy" for dataset, name in recordings])
    assert len(scores) == 241
    assert (scores[exchanged] < -0.5).all()
    assert (scores[~exchanged] > -side.OTHER_FOOT).all()


def test_a_mirrored_foot_scores_the_opposite(strides):
    _, acc_mps2, gyr_radps, duration_s = (part[1000:1020] for part in strides)
    _, shift = likeness(gyr_radps)
    scores = side.side_scores(acc_mps2, gyr_radps, duration_s, shift)
    mirrored = acc_mps2 * [1, -1, 1], gyr_radps * [-1, 1, -1]
    assert side.side_scores(*mirrored, duration_s, shift) == pytest.approx(-scores)
    assert abs(scores.mean()) > 0.2 and abs(scores).max() <= side.MAX_SCORE
    assert side.is_other_foot(*mirrored, duration_s, shift) == (scores.mean() > 0)
    assert not side.is_other_foot(*(part[:2] for part in (*mirrored, duration_s, shift)))
