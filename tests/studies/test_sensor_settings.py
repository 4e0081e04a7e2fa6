from dataclasses import replace

import numpy as np
import pytest

from studies.sensor_settings import at_rate, rows, settings, with_acc_range, with_bits, with_gyr_range
from tinystride.datasets.simulator import simulate_walk
from tinystride.datasets.walker import SimulatedSubject
from tinystride.gait.strapdown import GRAVITY_MPS2


@pytest.fixture(scope="module")
def recording():
    return simulate_walk(SimulatedSubject(), n_strides=12, rate_hz=200, seed=2, dataset="simulated")


@pytest.mark.parametrize("filtered", [True, False])
def test_at_rate_keeps_duration_and_slow_motion(recording, filtered):
    slow = at_rate(recording, 50, filtered)
    assert slow.rate_hz == pytest.approx(50)
    assert slow.duration_s == pytest.approx(recording.duration_s, abs=0.05)
    # Standing at the start is equal at every rate.
    assert slow.acc_mps2[10:50].mean(axis=0) == pytest.approx(
        recording.acc_mps2[40:200].mean(axis=0), abs=0.02
    )


@pytest.mark.parametrize("filtered", [True, False])
def test_at_rate_counts_gaps_in_its_own_samples(recording, filtered):
    end = recording.n_samples
    slow = at_rate(replace(recording, gaps=np.array([[401, 409], [end - 2, end]])), 50, filtered)
    assert slow.gaps[0].tolist() == [100, 103]
    assert slow.gaps[1, 1] == slow.n_samples


def test_with_range_clips_and_sets_the_limit(recording):
    clipped = with_gyr_range(recording, 250)
    assert (
        np.rad2deg(np.abs(clipped.gyr_radps).max()) == pytest.approx(250) == np.rad2deg(clipped.saturation[1])
    )
    assert np.abs(with_acc_range(recording, 2).acc_mps2).max() == pytest.approx(2 * GRAVITY_MPS2)


def test_with_bits_rounds_to_steps_of_the_full_range(recording):
    steps = with_bits(recording, 8).acc_mps2 / (2 * 16 * GRAVITY_MPS2 / 256)
    np.testing.assert_allclose(steps, np.rint(steps), atol=1e-9)


def test_rows_rate_above_the_recorded_one_is_skipped():
    slow = simulate_walk(SimulatedSubject(), n_strides=6, rate_hz=50, seed=2)
    assert settings()["100 Hz, no filter"](slow) is None


def test_rows_compare_each_setting_with_the_unchanged_recording(recording):
    table = {(row["setting"], row["set"]): row for row in rows([recording])}
    good, coarse = table["as recorded", "simulated"], table["8 bits of ±2000 deg/s and ±16 g", "simulated"]
    assert good["found"] == 1 and good["n_strides"] >= 9
    assert coarse["rmse_cm"] > good["rmse_cm"]
