import numpy as np
import pytest

from tinystride.datasets.simulator import simulate_walk
from tinystride.datasets.virtual_sensor import VirtualSensor
from tinystride.gait.calibration import calibrate
from tinystride.gait.strapdown import GRAVITY_MPS2

BIAS_RADPS = np.deg2rad([0.6, -0.7, 0.4])


@pytest.fixture(scope="module")
def recording(person):
    sensor = VirtualSensor(
        gyr_bias_radps=tuple(BIAS_RADPS), acc_bias_mps2=(0.2, -0.3, 0.25), gyr_noise_density=1e-4
    )
    return simulate_walk(person, rate_hz=100, n_strides=20, seed=1, sensor=sensor)


def test_standing_shows_bias_and_gravity(recording):
    acc, gyr, stands = calibrate(recording.acc_mps2, recording.gyr_radps, 100)
    assert stands
    assert recording.gyr_radps - gyr == pytest.approx(np.tile(BIAS_RADPS, (len(gyr), 1)), abs=2e-4)
    assert np.linalg.norm(acc[:200].mean(axis=0)) == pytest.approx(GRAVITY_MPS2, abs=1e-3)
    # An offset is taken out, so the moving foot's samples are shifted and not scaled.
    assert np.ptp(recording.acc_mps2 - acc, axis=0) == pytest.approx(0, abs=1e-9)


def test_without_standing_the_strides_show_most_of_the_bias(recording):
    walking = slice(400, -300)
    acc, gyr, stands = calibrate(recording.acc_mps2[walking], recording.gyr_radps[walking], 100)
    assert not stands
    left = (recording.gyr_radps[walking] - gyr)[0] - BIAS_RADPS
    assert np.linalg.norm(left) < 0.75 * np.linalg.norm(BIAS_RADPS)
    assert np.linalg.norm(acc, axis=1).min() < GRAVITY_MPS2


def test_a_turning_table_is_no_bias():
    noise = np.random.default_rng(0)
    gyr = noise.normal([0, 0, 0.5], 0.001, (1000, 3))
    acc = noise.normal([0, 0, 9.6], 0.01, (1000, 3))
    calibrated_acc, calibrated_gyr, stands = calibrate(acc, gyr, 100)
    assert not stands
    assert calibrated_gyr == pytest.approx(gyr)
    assert calibrated_acc[:, 2].mean() == pytest.approx(GRAVITY_MPS2, abs=0.01)


def test_what_was_lost_is_no_standing(recording):
    walking = slice(400, -300)
    acc, gyr = recording.acc_mps2[walking].copy(), recording.gyr_radps[walking].copy()
    # Between two instants that are alike, here equal, interpolation makes a foot that stands.
    first = int(np.linalg.norm(gyr, axis=1).argmin())
    lost = np.arange(first + 1, first + 300)
    acc[lost], gyr[lost] = acc[first], gyr[first]
    gone = np.isin(np.arange(len(acc)), lost)
    assert calibrate(acc, gyr, 100)[2] and not calibrate(acc, gyr, 100, gone)[2]
    # A sample lost here and there while somebody stands does not undo the standing.
    few = np.isin(np.arange(recording.n_samples), np.arange(20, 250, 40))
    found = [calibrate(recording.acc_mps2, recording.gyr_radps, 100, gone) for gone in (None, few)]
    assert found[1][2] and found[1][1] == pytest.approx(found[0][1], abs=1e-3)
