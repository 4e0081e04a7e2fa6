import numpy as np
import pytest

from tinystride.datasets.simulator import simulate_walk, simulate_walk_with_truth
from tinystride.datasets.virtual_sensor import VirtualSensor
from tinystride.datasets.walker import SimulatedSubject
from tinystride.gait.calibration import calibrate
from tinystride.gait.strapdown import GRAVITY_MPS2
from tinystride.gait.strides import extract_strides

BIAS_RADPS = np.deg2rad([0.6, -0.7, 0.4])


@pytest.fixture(scope="module")
def recording(person):
    sensor = VirtualSensor(
        gyr_bias_radps=tuple(BIAS_RADPS), acc_bias_mps2=(0.2, -0.3, 0.25), gyr_noise_density=1e-4
    )
    return simulate_walk(person, rate_hz=100, n_strides=20, seed=1, sensor=sensor)


def test_calibrate_standing_shows_bias_and_gravity(recording):
    acc, gyr, stands, _ = calibrate(recording.acc_mps2, recording.gyr_radps, 100)
    assert stands
    assert recording.gyr_radps - gyr == pytest.approx(np.tile(BIAS_RADPS, (len(gyr), 1)), abs=2e-4)
    assert np.linalg.norm(acc[:200].mean(axis=0)) == pytest.approx(GRAVITY_MPS2, abs=1e-3)
    # The correction is an offset, so the samples of the moving foot are shifted and not scaled.
    assert np.ptp(recording.acc_mps2 - acc, axis=0) == pytest.approx(0, abs=1e-9)


def test_calibrate_without_standing_strides_show_the_bias(recording):
    walking = slice(400, -300)
    acc, gyr, stands, _ = calibrate(recording.acc_mps2[walking], recording.gyr_radps[walking], 100)
    assert not stands
    left = (recording.gyr_radps[walking] - gyr)[0] - BIAS_RADPS
    assert np.linalg.norm(left) < 0.75 * np.linalg.norm(BIAS_RADPS)
    assert np.linalg.norm(acc, axis=1).min() < GRAVITY_MPS2


def test_calibrate_constant_rotation_is_not_a_bias():
    noise = np.random.default_rng(0)
    gyr = noise.normal([0, 0, 0.5], 0.001, (1000, 3))
    acc = noise.normal([0, 0, 9.6], 0.01, (1000, 3))
    calibrated_acc, calibrated_gyr, stands, _ = calibrate(acc, gyr, 100)
    assert not stands
    assert calibrated_gyr == pytest.approx(gyr)
    assert calibrated_acc[:, 2].mean() == pytest.approx(GRAVITY_MPS2, abs=0.01)


def test_calibrate_lost_samples_are_not_standing(recording):
    walking = slice(400, -300)
    acc, gyr = recording.acc_mps2[walking].copy(), recording.gyr_radps[walking].copy()
    # Interpolation between two equal samples looks like standing.
    first = int(np.linalg.norm(gyr, axis=1).argmin())
    lost = np.arange(first + 1, first + 300)
    acc[lost], gyr[lost] = acc[first], gyr[first]
    is_lost = np.isin(np.arange(len(acc)), lost)
    assert calibrate(acc, gyr, 100)[2] and not calibrate(acc, gyr, 100, is_lost)[2]
    # Single lost samples during standing do not matter.
    few = np.isin(np.arange(recording.n_samples), np.arange(20, 250, 40))
    found = [calibrate(recording.acc_mps2, recording.gyr_radps, 100, is_lost) for is_lost in (None, few)]
    assert found[1][2] and found[1][1] == pytest.approx(found[0][1], abs=1e-3)


def test_calibrate_rolling_foot_is_not_a_bias():
    # The foot rolls over at 0.03 rad/s for a second: as constant as a bias, but gravity turns with it.
    noise = np.random.default_rng(0)
    time_s = np.arange(100) / 100
    tilt = 0.03 * time_s
    acc = GRAVITY_MPS2 * np.column_stack([-np.sin(tilt), np.zeros(100), np.cos(tilt)])
    gyr = np.tile(BIAS_RADPS + np.array([0, 0.03, 0]), (100, 1)) + noise.normal(0, 0.002, (100, 3))
    _, without_bias, stands, _ = calibrate(acc + noise.normal(0, 0.02, (100, 3)), gyr, 100)
    assert stands
    assert (gyr - without_bias)[0] == pytest.approx(BIAS_RADPS, abs=3e-3)


def test_calibrate_half_a_second_at_rest_is_not_standing():
    noise = np.random.default_rng(1)
    gyr, acc = noise.normal(0, 0.001, (50, 3)) + BIAS_RADPS, noise.normal([0, 0, 9.8], 0.02, (50, 3))
    assert not calibrate(acc, gyr, 100).stands
    assert calibrate(np.vstack([acc, acc]), np.vstack([gyr, gyr]), 100).stands


@pytest.mark.parametrize("speed_mps", [0.55, 0.8])
@pytest.mark.parametrize("standing_s", [0.3, 0.6, 1.0, 1.5])
def test_calibrate_slow_walker_short_standing_is_right_or_flagged(speed_mps, standing_s):
    for seed in range(3):
        rng = np.random.default_rng([seed, 5])
        recording, truth = simulate_walk_with_truth(
            SimulatedSubject.draw(rng), speed_mps=speed_mps, n_strides=8, seed=seed,
            sensor=VirtualSensor.draw(rng), standing_s=(standing_s, 0.2),
        )  # fmt: skip
        table = extract_strides(recording).table
        table = table[table["strapdown_length_cm"].notna()]
        start, end = (np.rint(table[name] * 100).astype(int) for name in ("start_s", "end_s"))
        true_cm = 100 * np.linalg.norm(np.diff(truth.position_m[[start, end], :2], axis=0)[0], axis=1)
        error_cm = (table["strapdown_length_cm"] - true_cm)[(table["flags"] == "").to_numpy()]
        assert error_cm.abs().max() < 5 or error_cm.empty
        assert abs(error_cm.mean()) < 2.5 or error_cm.empty
