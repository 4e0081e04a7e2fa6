from dataclasses import replace

import numpy as np
import pytest
from numpy.polynomial import Polynomial

from tinystride.datasets.loading import load_recordings
from tinystride.datasets.simulated_activities import simulate_activity
from tinystride.datasets.simulator import simulate_walk, simulate_walk_with_truth
from tinystride.datasets.virtual_sensor import VirtualSensor
from tinystride.datasets.walker import Leg
from tinystride.gait.events import find_strides
from tinystride.gait.strides import extract_strides, gather_strides


@pytest.mark.parametrize("speed_mps", [0.6, 1.0, 1.4, 1.9])
@pytest.mark.parametrize("rate_hz", [50, 400])
def test_find_strides_any_speed_and_rate_finds_each_stride_once(person, speed_mps, rate_hz):
    recording, truth = simulate_walk_with_truth(person, speed_mps=speed_mps, rate_hz=rate_hz, seed=5)
    start_s, end_s = find_strides(recording.acc_mps2, recording.gyr_radps, rate_hz).T / rate_hz
    assert len(start_s) == len(truth.contact_s)
    assert (start_s < truth.toe_off_s).all()
    assert (end_s > truth.contact_s).all()
    assert start_s[1:] == pytest.approx(end_s[:-1], abs=0)


def test_find_strides_runner_that_rolls_at_stance_is_found():
    """Stances of 3 rad/s between swings of 23 rad/s."""
    time_s = np.arange(0, 8, 0.005)
    runs = (time_s > 1) & (time_s < 7)
    rate = np.where(runs, 13 - 10 * np.cos(2 * np.pi * (time_s - 1) / 0.6), 0.0)
    # The foot turns back and forward by the same angle in each swing, so it is upright at stance.
    sign = np.where((time_s - 1) / 0.6 % 1 < 0.5, 1.0, -1.0)
    gyr = np.column_stack([0 * time_s, rate * sign, 0 * time_s])
    acc = np.tile([0.0, 0.0, 9.80665], (len(time_s), 1))
    acc[runs, 0] = 8 * np.sin(2 * np.pi * (time_s[runs] - 1) / 0.3)
    strides = find_strides(acc, gyr, 200)
    assert 8 <= len(strides) <= 11
    assert np.median(np.diff(strides)[:, 0]) / 200 == pytest.approx(0.6, abs=0.03)


def test_find_strides_turn_is_found(person):
    legs = [Leg(4, 1.3), Leg(3, 0.9, turn_rad=np.pi), Leg(4, 1.3)]
    recording, truth = simulate_walk_with_truth(person, legs=legs, seed=6)
    assert len(find_strides(recording.acc_mps2, recording.gyr_radps, 100)) == len(truth.contact_s)


def carried_level(length_m: float, pitch_deg: float, rate_hz: float = 100.0):
    """Return specific force and angular rate of a foot that is carried with hardly any pitch.

    Ten strides of 1.2 s between two times of standing. Half of each stride is the swing; the toes go up in
    its first half.
    """
    time_s = np.arange(-2.0, 14.0, 1 / rate_hz)
    swing_s = 0.6
    part = np.where((time_s > 0) & (time_s < 12), np.minimum(time_s % 1.2 / swing_s, 1), 0)
    bump = Polynomial([0, 0, 0, 1]) * Polynomial([1, -1]) ** 3 * 64
    step = 140 * (Polynomial([0, 0, 0, 1]) * Polynomial([1, -1]) ** 3).integ()
    pitch = np.deg2rad(pitch_deg) * bump(part)
    forward, upward = (
        size * path.deriv(2)(part) / swing_s**2 for size, path in ((length_m, step), (0.04, bump))
    )
    upward = upward + 9.80665
    acc = np.column_stack(
        [
            np.cos(pitch) * forward - np.sin(pitch) * upward,
            0 * part,
            np.sin(pitch) * forward + np.cos(pitch) * upward,
        ]
    )
    rate = np.deg2rad(pitch_deg) * bump.deriv()(part) / swing_s
    return acc, np.column_stack([0 * part, rate, 0 * part])


@pytest.mark.parametrize("length_m", [0.4, 0.8, 1.2])
@pytest.mark.parametrize("pitch_deg", [3, 12])
def test_find_strides_foot_carried_level_is_found(length_m, pitch_deg):
    """In shuffling, or landing on a flat foot, a foot turns less in swing than others do in stance."""
    start_s, end_s = find_strides(*carried_level(length_m, pitch_deg), 100.0).T / 100 - 2
    assert len(start_s) == 10
    leaves_s = 1.2 * np.arange(10)
    assert (start_s[1:] > leaves_s[1:] - 0.6).all() and (start_s < leaves_s + 0.05).all()
    assert (end_s > leaves_s + 0.55).all()


def test_find_strides_slow_leg_swing_has_no_empty_stride():
    """A leg that swings from a high seat hardly moves at its turning points."""
    for seed in range(6):
        swinging = simulate_activity("swinging", seed=seed, duration_s=120)
        start, end = find_strides(swinging.acc_mps2, swinging.gyr_radps, swinging.rate_hz).T
        assert len(start) and (end - start).min() > 8


def test_find_strides_pause_is_in_no_stride(person):
    first, second = (simulate_walk(person, n_strides=4, seed=seed, rate_hz=100) for seed in (1, 2))
    acc = np.concatenate([first.acc_mps2, second.acc_mps2])
    gyr = np.concatenate([first.gyr_radps, second.gyr_radps])
    start, end = find_strides(acc, gyr, 100.0).T
    assert len(start) == len(find_strides(first.acc_mps2, first.gyr_radps, 100)) + len(
        find_strides(second.acc_mps2, second.gyr_radps, 100)
    )
    assert np.diff(np.column_stack([start, end])).max() < 200
    assert (start[1:] - end[:-1]).max() > 300


def test_find_strides_noise_moves_mid_stances_by_milliseconds(person):
    noisy = VirtualSensor(acc_noise_density=0.002, gyr_noise_density=0.0003)
    for speed_mps in (0.7, 1.3, 1.8):
        found = [
            find_strides(recording.acc_mps2, recording.gyr_radps, 200)[1:]
            for recording in (
                simulate_walk(person, speed_mps=speed_mps, rate_hz=200, seed=7, sensor=sensor)
                for sensor in (VirtualSensor(), noisy)
            )
        ]
        assert np.std(found[0] - found[1]) / 200 < 0.01


def test_initial_contacts_simulated_walk_within_30_ms(walk):
    recording, truth = walk
    contacts_s = extract_strides(recording).table["initial_contact_s"].to_numpy()
    assert contacts_s == pytest.approx(truth.contact_s, abs=0.03)


def test_initial_contacts_ipol_healthy_equal_hand_checked_ones(raw_folder):
    """Straight walking; contacts more than 0.25 s apart are missed or made up."""
    recordings = [each for each in load_recordings(raw_folder, ["ipol-healthy"]) if each.trial in "24"]
    differences_s, missed, made_up = [], 0, 0
    for recording in recordings:
        found_s = extract_strides(recording).table["initial_contact_s"].dropna().to_numpy()
        checked_s = np.union1d(recording.reference["start_s"], recording.reference["end_s"])
        (turn_start_s, turn_end_s) = recording.turns_s[0]
        found_s, checked_s = (
            times_s[(times_s < turn_start_s - 0.2) | (times_s > turn_end_s + 0.2)]
            for times_s in (found_s, checked_s)
        )
        found_s = found_s[(found_s > checked_s[0] - 0.3) & (found_s < checked_s[-1] + 0.3)]
        apart_s = found_s[np.abs(found_s[None, :] - checked_s[:, None]).argmin(axis=1)] - checked_s
        differences_s.extend(apart_s[np.abs(apart_s) < 0.25])
        missed += (np.abs(apart_s) >= 0.25).sum()
        made_up += len(found_s) - (np.abs(apart_s) < 0.25).sum()
    assert len(recordings) == 76
    assert missed < 0.015 * len(differences_s)
    assert made_up < 0.01 * len(differences_s)
    assert abs(np.mean(differences_s)) < 0.01
    assert np.std(differences_s) < 0.03


def test_find_strides_foot_at_rest_or_always_moving_is_empty():
    noise = np.random.default_rng(0)
    resting = noise.normal([0, 0, 9.81], 0.02, (1000, 3)), noise.normal(0, 0.002, (1000, 3))
    assert find_strides(*resting, 100.0).shape == (0, 2)
    turning = np.tile([0.0, 5.0, 0.0], (1000, 1)) + noise.normal(0, 0.1, (1000, 3))
    assert find_strides(noise.normal([0, 0, 9.81], 3, (1000, 3)), turning, 100.0).shape == (0, 2)


def test_find_strides_start_in_mid_stride_finds_the_others(walk):
    recording, truth = walk
    cut = round((truth.toe_off_s[3] + 0.1) * recording.rate_hz)
    late = replace(
        recording,
        acc_mps2=recording.acc_mps2[cut:],
        gyr_radps=recording.gyr_radps[cut:],
        reference=recording.reference.iloc[:0],
        turns_s=recording.turns_s[:0],
    )
    strides = gather_strides([late]).table
    assert len(strides) == len(truth.contact_s) - 4
    assert strides["strapdown_length_cm"].to_numpy() == pytest.approx(
        recording.reference["stride_length_cm"].to_numpy()[-len(strides) :], abs=1.5
    )
