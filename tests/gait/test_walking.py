import numpy as np
import pytest

from tinystride.datasets.simulated_activities import simulate_activity
from tinystride.gait import side, walking
from tinystride.gait.strapdown import resample
from tinystride.gait.strides import gather_strides, read_strides
from tinystride.gait.walking import means, shifted, template_correlation, unit

EXCHANGED = ("4/1/left", "4/1/right", "4/2/left", "4/2/right")


@pytest.fixture(scope="module")
def strides(strides_folder):
    """Return table, acc_mps2, gyr_radps and duration_s of all detected strides of the recorded sets."""
    strides = read_strides(strides_folder)
    table = strides.table.set_index("stride_id").loc[list(strides.signals.stride_id)].reset_index()
    table["recording"] = table["subject"] + "/" + table["trial"] + "/" + table["foot"]
    return table, *resample(strides.signals)


def test_template_equals_the_mean_of_ipol_healthy(strides):
    table, _, gyr_radps, _ = strides
    plain = (table["dataset"] == "ipol-healthy") & table["usable"] & (table["flags"] == "")
    gyr_radps = gyr_radps[plain]
    correlation, shift = template_correlation(gyr_radps)
    mean = shifted(means(gyr_radps[..., 1], walking.POINTS), -shift).mean(axis=0)
    assert mean == pytest.approx(walking.PITCH_RADPS, abs=0.4)
    assert unit(mean) @ unit(walking.PITCH_RADPS) > 0.998
    assert np.quantile(correlation, 0.01) > 0.8


def test_template_correlation_walking_is_above_the_minimum(strides):
    table, _, gyr_radps, _ = strides
    correlation, _ = template_correlation(gyr_radps)
    walked = table["usable"] & (table["flags"] == "")
    assert (correlation[walked] >= walking.MIN_TEMPLATE_CORRELATION).all()
    fast = (table["dataset"] == "llio-ruler") & (table["strapdown_length_cm"] > 150 * table["duration_s"])
    assert fast.sum() > 100
    assert (correlation[fast] >= walking.MIN_TEMPLATE_CORRELATION).all()


@pytest.mark.parametrize("kind", ["sitting", "shaking"])
def test_template_correlation_other_activities_is_below_the_minimum(kind):
    recordings = [simulate_activity(kind, seed=seed, duration_s=60) for seed in (1, 2, 3)]
    correlation, _ = template_correlation(resample(gather_strides(recordings).signals)[1])
    assert len(correlation) > 10
    assert (correlation < walking.MIN_TEMPLATE_CORRELATION).mean() > 0.8


def test_template_correlation_depends_on_the_shape_alone(strides):
    _, _, gyr_radps, _ = strides
    some = gyr_radps[2000:2050]
    correlation, shift = template_correlation(some)
    np.testing.assert_allclose(template_correlation(3 * some)[0], correlation)
    np.testing.assert_allclose(template_correlation(-some)[0], -min_template_correlation(some), atol=1e-12)
    later = np.roll(some, 4, axis=1)
    moved, shift_later = template_correlation(later)
    assert np.abs(moved - correlation).max() < 0.1
    assert np.median(shift_later - shift) == 1
    assert template_correlation(np.zeros((1, 64, 3)))[0] == 0


def test_is_walking_high_residual_score_needs_a_high_correlation():
    pitch = np.repeat(walking.PITCH_RADPS, 4)
    residual_score = np.array([0.0, 0.4, 0.9, 2.1])
    for others, walks in ((0.0, [1, 1, 1, 0]), (1.5, [1, 1, 0, 0]), (5.0, [1, 0, 0, 0])):
        # The energy of roll is `others` times that of pitch.
        gyr_radps = np.stack([np.sqrt(others) * pitch, pitch, 0 * pitch], axis=1)[None].repeat(4, axis=0)
        correlation, _ = template_correlation(gyr_radps)
        assert walking.is_walking(gyr_radps, correlation, residual_score).tolist() == [
            bool(each) for each in walks
        ]
        # A foot that pitches in the opposite direction is not walking, even with a residual score of 0.
        assert not walking.is_walking(-gyr_radps, template_correlation(-gyr_radps)[0], residual_score).any()


def min_template_correlation(gyr_radps) -> np.ndarray:
    """Return the minimum correlation over all shifts, [n]."""
    shifts = np.arange(-walking.MAX_TEMPLATE_SHIFT, walking.MAX_TEMPLATE_SHIFT + 1)
    bank = shifted(np.tile(walking.PITCH_RADPS, (len(shifts), 1)), shifts)
    return (unit(means(gyr_radps[..., 1], walking.POINTS)) @ unit(bank).T).min(axis=1)


def test_shifted_fills_free_places_with_zeros():
    values = np.arange(1.0, 9.0).reshape(2, 4)
    np.testing.assert_array_equal(shifted(values, np.array([1, -2])), [[0, 1, 2, 3], [7, 8, 0, 0]])


def test_side_scores_recording_shows_its_foot(strides):
    table, acc_mps2, gyr_radps, duration_s = strides
    correlation, shift = template_correlation(gyr_radps)
    walks = correlation >= walking.MIN_TEMPLATE_CORRELATION
    recordings, scores = [], []
    # Strides in mocap rooms and later ruler trials are mostly turns, which hardly depend on the side.
    walks &= table["dataset"].isin(["ipol-healthy", "llio-ruler", "tripod-excerpt"])
    for name, rows in table[walks].groupby(["dataset", "recording"]).groups.items():
        recordings.append(name)
        own = side.side_scores(acc_mps2[rows], gyr_radps[rows], duration_s[rows], shift[rows])
        scores.append(own.mean())
    scores = np.array(scores)
    exchanged = np.array([name in EXCHANGED and dataset == "ipol-healthy" for dataset, name in recordings])
    assert len(scores) == 241
    assert (scores[exchanged] < -0.5).all()
    assert (scores[~exchanged] > -side.MAX_OTHER_FOOT_SCORE).all()


def test_side_scores_mirrored_foot_has_the_opposite_score(strides):
    _, acc_mps2, gyr_radps, duration_s = (part[1000:1020] for part in strides)
    _, shift = template_correlation(gyr_radps)
    scores = side.side_scores(acc_mps2, gyr_radps, duration_s, shift)
    mirrored = acc_mps2 * [1, -1, 1], gyr_radps * [-1, 1, -1]
    assert side.side_scores(*mirrored, duration_s, shift) == pytest.approx(-scores)
    assert abs(scores.mean()) > 0.2 and abs(scores).max() <= side.MAX_SIDE_SCORE
    assert side.is_other_foot(*mirrored, duration_s, shift) == (scores.mean() > 0)
    assert not side.is_other_foot(*(part[:2] for part in (*mirrored, duration_s, shift)))
