import numpy as np
import pandas as pd
import pytest

from studies import small_networks
from studies.small_networks import END, MOTION, SETS, Data, certainty, coefficients, motion_rows, trained
from tinystride.gait import strapdown

SLOPES = np.array([0.8, 0.1, 0.4, -0.3])
PER_SET = 250


@pytest.fixture(scope="module")
def data() -> Data:
    """Strides of all sets: errors are an offset of the set, the foot's motion, and the height."""
    rng = np.random.default_rng(5)
    n, sets = PER_SET * len(SETS), np.repeat(SETS, PER_SET)
    motion = rng.normal(strapdown.USUAL_MOTION, [0.3, 3.0, 0.6, 0.8], (n, len(MOTION)))
    table = pd.DataFrame(motion, columns=MOTION).assign(
        **{name: rng.normal(size=n) for name in END}, dataset=sets, subject="a", trial="1", foot="left",
        start_s=np.tile(1.2 * np.arange(PER_SET), len(SETS)), variant="as recorded", reference="ruler",
        stride_length_cm=120.0, duration_s=1.2, length_sd_cm=1.0, missed_cm=0.0,
    )  # fmt: skip
    table["end_s"] = table["start_s"] + 1.2
    offset_cm = pd.Series(sets).map(dict(zip(SETS, [3.0, -2.0, -2.0, 1.0, -4.0], strict=True))).to_numpy()
    missed_cm = (motion - strapdown.USUAL_MOTION) @ SLOPES
    error_cm = offset_cm - missed_cm + 0.5 * table["height"].to_numpy() + rng.normal(0, 0.2, n)
    table["strapdown_length_cm"] = 120.0 + error_cm
    median_cm = pd.Series(error_cm).groupby(sets).transform("median").to_numpy()
    return Data(table, rng.normal(size=(n, strapdown.POINTS, 6)), error_cm, median_cm - error_cm)


def test_coefficients_planted_motion_is_found_despite_offsets_of_sets(data):
    slope, usual = coefficients(data, data.training_rows(("as recorded",), ("vicon",)))
    assert slope == pytest.approx(SLOPES, rel=0.4)
    assert usual == pytest.approx(strapdown.USUAL_MOTION, abs=0.3)


def test_motion_rows_leave_each_set_out_once(data):
    rows = list(motion_rows(data, seed=1, resamples=50))
    assert sorted(row["set"] for row in rows) == sorted(SETS)
    for row in rows:
        assert row["n_strides"] == PER_SET


def test_training_rows_leave_one_wearer_out(data):
    rows = data.training_rows(("as recorded",), ("llio-ruler", "llio-ruler-2"))
    assert set(data.table["dataset"][rows]) == {"gaitmap-mocap", "tripod-excerpt", "vicon"}


@pytest.mark.parametrize("waveform", [False, True])
def test_trained_network_learns_causes_but_no_offset_of_a_set(data, monkeypatch, waveform):
    monkeypatch.setattr(small_networks, "STEPS", 150)
    rows = data.training_rows(("as recorded",), ("vicon",))
    correction_cm, sd_cm, n_parameters = trained(data, rows, END, waveform, seed=1)
    unseen = (data.table["dataset"] == "vicon").to_numpy()
    assert n_parameters > 170
    found_cm = correction_cm.mean(axis=0)[unseen]
    assert np.corrcoef(found_cm, -data.table["height"][unseen])[0, 1] > 0.8
    assert abs(np.median(found_cm)) < 0.3
    assert (sd_cm > 0).all()


def test_certainty_small_errors_are_sure():
    own = pd.DataFrame({"reference": ["ruler"] * 100})
    sd_cm = np.repeat([1.0, 5.0], [80, 20])
    covered, surest = certainty(own, 1.5 * sd_cm, sd_cm)
    assert covered == 1
    assert surest == pytest.approx(1 / np.sqrt(0.8 + 0.2 * 25))
