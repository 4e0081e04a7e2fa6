import numpy as np
import pytest

from studies.sensors import SENSORS, cut_jitter, gyro_bias, thinned, turned_frame
from tests.learning.walking import walk
from tinystride.gait import strapdown


@pytest.fixture(scope="module")
def signals():
    return walk({"line/1": 200})[1]


def lengths_cm(signals):
    return strapdown.integrate(*strapdown.resample(signals)).length_cm


def test_sensors_keep_strides_and_are_deterministic(signals):
    for change in SENSORS.values():
        once, again = (change(signals, np.random.default_rng(3)) for _ in range(2))
        assert list(once.stride_id) == list(signals.stride_id)
        assert once.gyr_radps.tobytes() == again.gyr_radps.tobytes()
        assert once.mid_stance.tobytes() == again.mid_stance.tobytes()
        assert len(once.acc_mps2) == len(once.gyr_radps) == once.offset[-1]


def test_sensors_biased_gyroscope_has_one_degree_per_second(signals):
    off = np.rad2deg(gyro_bias(signals, np.random.default_rng(0)).gyr_radps - signals.gyr_radps)
    assert np.abs(off) == pytest.approx(np.ones(off.shape), abs=1e-4)
    first = off[: signals.offset[1]]
    assert np.ptp(first, axis=0) == pytest.approx([0, 0, 0], abs=1e-4)
    assert np.std(lengths_cm(signals) - lengths_cm(gyro_bias(signals, np.random.default_rng(0)))) > 1


def test_sensors_turned_frame_keeps_the_integral(signals):
    turned = turned_frame(signals, np.random.default_rng(0))
    angle = np.rad2deg(
        np.arccos((turned.acc_mps2[0] @ signals.acc_mps2[0]) / (signals.acc_mps2[0] ** 2).sum())
    )
    assert 0.5 < angle < 30
    assert lengths_cm(turned) == pytest.approx(lengths_cm(signals), abs=1e-3)


def test_sensors_cut_jitter_moves_both_mid_stances(signals):
    shift_s = (cut_jitter(signals, np.random.default_rng(0)).mid_stance - signals.mid_stance) / 100
    assert shift_s.std(axis=0) == pytest.approx([0.02, 0.02], rel=0.2)
    assert abs(np.corrcoef(shift_s.T)[0, 1]) < 0.2


def test_sensors_half_rate_keeps_the_duration():
    signals = walk({"line/1": 20})[1]
    half = thinned(signals, np.random.default_rng(0))
    assert (half.rate_hz == 50).all()
    np.testing.assert_array_equal(half.acc_mps2[: half.offset[1]], signals.acc_mps2[: signals.offset[1] : 2])
    second = slice(signals.offset[1], signals.offset[2], 2)
    np.testing.assert_array_equal(half.gyr_radps[half.offset[1] : half.offset[2]], signals.gyr_radps[second])
    durations = [np.diff(each.mid_stance, axis=1)[:, 0] / each.rate_hz for each in (signals, half)]
    np.testing.assert_allclose(*durations)
