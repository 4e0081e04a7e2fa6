"""Faults of simulated walks are repaired, or their strides are flagged."""

from dataclasses import replace

import numpy as np
import pytest

from tinystride.datasets.loading import load_recordings
from tinystride.datasets.recording import Recording
from tinystride.datasets.simulator import simulate_walk_with_truth
from tinystride.datasets.virtual_sensor import VirtualSensor
from tinystride.datasets.walker import SimulatedSubject
from tinystride.gait.flags import _sensors_disagree, clipped_axes
from tinystride.gait.strapdown import GRAVITY_MPS2, height_lost_m
from tinystride.gait.strides import extract_strides

MAX_ERROR_CM = 5.0


@pytest.fixture(scope="module", params=[3, 9])
def walk(request):
    rng = np.random.default_rng(request.param)
    return simulate_walk_with_truth(
        SimulatedSubject.draw(rng), speed_mps=1.2, n_strides=14, sensor=VirtualSensor.draw(rng), seed=1
    )


def errors(recording: Recording, truth) -> tuple[np.ndarray, np.ndarray]:
    """Return the error [n] of each stride's length, cm, and its flags [n]."""
    table = extract_strides(replace(recording, reference=recording.reference.iloc[:0])).table
    start, end = (np.rint(table[name] * recording.rate_hz).astype(int) for name in ("start_s", "end_s"))
    true_cm = 100 * np.linalg.norm(truth.position_m[end, :2] - truth.position_m[start, :2], axis=1)
    return table["strapdown_length_cm"].to_numpy() - true_cm, table["flags"].to_numpy()


@pytest.fixture(scope="module", params=[(4, 0.6), (5, 0.85), (6, 1.5)])
def other_walk(request):
    number, speed_mps = request.param
    rng = np.random.default_rng(number)
    return simulate_walk_with_truth(
        SimulatedSubject.draw(rng), speed_mps=speed_mps, n_strides=14, sensor=VirtualSensor.draw(rng), seed=2
    )


def test_intact_walk_is_unflagged(walk):
    error_cm, flags = errors(*walk)
    assert np.abs(error_cm).max() < MAX_ERROR_CM and (flags == "").all()


@pytest.mark.parametrize("lag_samples", [-3, -2, -1, 1, 2, 3])
def test_delayed_gyroscope_is_corrected_or_flagged(walk, lag_samples):
    recording, truth = walk
    shifted = replace(recording, gyr_radps=np.roll(recording.gyr_radps, lag_samples, axis=0))
    error_cm, flags = errors(shifted, truth)
    assert np.abs(error_cm[flags == ""]).max(initial=0) < MAX_ERROR_CM + 2
    # If a wrong rate would cause the same drift, nothing is corrected and every stride is flagged.
    assert (flags == "").mean() > 0.8 or all("sensors-disagree" in words for words in flags)


@pytest.mark.parametrize("lag_samples", [-3, -2, 2, 3])
def test_delayed_gyroscope_at_any_speed_is_corrected_or_flagged(other_walk, lag_samples):
    recording, truth = other_walk
    shifted = replace(recording, gyr_radps=np.roll(recording.gyr_radps, lag_samples, axis=0))
    error_cm, flags = errors(shifted, truth)
    assert np.abs(error_cm[flags == ""]).max(initial=0) < 8


@pytest.mark.parametrize("share", [0.85, 1.15])
def test_wrong_gyroscope_scale_is_not_corrected_as_delay(walk, share):
    recording, truth = walk
    scaled = replace(recording, gyr_radps=share * recording.gyr_radps, saturation=(np.nan, np.nan))
    assert all("sensors-disagree" in words for words in errors(scaled, truth)[1])


@pytest.mark.parametrize("change_degps", [-3.0, 3.0])
def test_bias_that_changes_steadily_is_removed(other_walk, change_degps):
    recording, truth = other_walk
    change = np.deg2rad(change_degps) * np.array([1, -1, 1])
    drifting = recording.gyr_radps + np.linspace(0, 1, recording.n_samples)[:, None] * change
    intact_cm = np.abs(errors(recording, truth)[0])
    error_cm, _ = errors(replace(recording, gyr_radps=drifting, saturation=(np.nan, np.nan)), truth)
    assert np.abs(error_cm).max() < intact_cm.max() + 2


@pytest.mark.parametrize("share", [0.35, 0.65])
def test_bias_that_jumps_is_corrected_or_flagged(other_walk, share):
    recording, truth = other_walk
    jumps = np.arange(recording.n_samples) > share * recording.n_samples
    jumped = recording.gyr_radps + np.deg2rad([2.0, 2.0, -2.0]) * jumps[:, None]
    error_cm, flags = errors(replace(recording, gyr_radps=jumped, saturation=(np.nan, np.nan)), truth)
    assert np.abs(error_cm[flags == ""]).max(initial=0) < 10


@pytest.mark.parametrize("sensor", ["acc_mps2", "gyr_radps"])
@pytest.mark.parametrize("axis", range(3))
def test_flipped_axis_flags_sensors_disagree(walk, other_walk, sensor, axis):
    signs = np.where(np.arange(3) == axis, -1.0, 1.0)
    for recording, truth in (walk, other_walk):
        flipped = replace(recording, **{sensor: signs * getattr(recording, sensor)})
        assert all("sensors-disagree" in words for words in errors(flipped, truth)[1])


@pytest.mark.parametrize(("peak_radps", "is_clipped"), [(7.0, False), (9.0, True)])
def test_clipped_axes_of_a_coarse_sensor_are_clipped_only_above_the_full_scale(peak_radps, is_clipped):
    step_radps, full_scale_radps = 0.07, 7.7
    time_s = np.arange(2000) / 100
    heights = 0.9 + 0.1 * np.sin(2 * np.pi * 0.1 * time_s)
    swing = peak_radps * heights * np.sin(2 * np.pi * time_s) ** 3
    gyr = np.clip(step_radps * np.rint(swing / step_radps), -full_scale_radps, full_scale_radps)
    gyr = gyr[:, None] * [0, 1, 0]
    assert clipped_axes(Recording("test", "S", "1", "right", 100.0, gyr, gyr)).any() == is_clipped


@pytest.mark.parametrize("range_g", [2, 4])
def test_accelerometer_overflow_flags_wrong_strides(walk, range_g):
    recording, truth = walk
    span = 2 * range_g * GRAVITY_MPS2
    wrapped = (recording.acc_mps2 + span / 2) % span - span / 2
    assert (np.abs(wrapped - recording.acc_mps2) > 1).any()
    error_cm, flags = errors(replace(recording, acc_mps2=wrapped, saturation=(np.nan, np.nan)), truth)
    assert np.abs(error_cm[flags == ""]).max(initial=0) < 8


def test_repeated_samples_flag_all_strides(walk):
    recording, truth = walk
    every_other = np.arange(recording.n_samples) // 2 * 2
    twice = replace(
        recording, acc_mps2=recording.acc_mps2[every_other], gyr_radps=recording.gyr_radps[every_other]
    )
    assert all("gap" in raised for raised in errors(twice, truth)[1])


@pytest.mark.parametrize("sensor", ["acc_mps2", "gyr_radps"])
def test_sensor_at_half_the_rate_flags_all_strides(walk, sensor):
    recording, truth = walk
    every_other = np.arange(recording.n_samples) // 2 * 2
    slow = replace(recording, **{sensor: getattr(recording, sensor)[every_other]})
    assert all("gap" in raised for raised in errors(slow, truth)[1])


def test_lost_samples_that_repeat_the_last_one_are_interpolated_like_lost_samples(walk):
    recording, truth = walk
    lost = np.random.default_rng(5).random(recording.n_samples) < 0.03
    held = np.maximum.accumulate(np.where(lost, 0, np.arange(recording.n_samples)))
    broken = replace(recording, acc_mps2=recording.acc_mps2[held], gyr_radps=recording.gyr_radps[held])
    error_cm, flags = errors(broken, truth)
    plain = np.abs(error_cm[flags == ""])
    assert len(plain) > 3 and plain.max() < MAX_ERROR_CM


def test_empty_samples_are_interpolated_like_lost_samples(walk):
    recording, truth = walk
    empty = np.random.default_rng(5).random(recording.n_samples) < 0.01
    samples = [np.where(empty[:, None], 0.0, own) for own in (recording.acc_mps2, recording.gyr_radps)]
    error_cm, flags = errors(replace(recording, acc_mps2=samples[0], gyr_radps=samples[1]), truth)
    plain = np.abs(error_cm[flags == ""])
    assert len(plain) > 5 and plain.max() < MAX_ERROR_CM


@pytest.mark.parametrize("early", [-2, 2])
def test_repeated_samples_of_a_delayed_gyroscope_flag_their_strides(walk, early):
    """The delay is removed by interpolation, after which no sample repeats another one."""
    recording, truth = walk
    number = np.arange(recording.n_samples)
    half = recording.n_samples // 2
    held = np.where(number < half, number, half + (number - half) // 2 * 2)
    gyr = np.roll(recording.gyr_radps, -early, axis=0)[held]
    flags = errors(replace(recording, acc_mps2=recording.acc_mps2[held], gyr_radps=gyr), truth)[1]
    assert all("gap" in raised for raised in flags[-4:])


@pytest.mark.parametrize(("share", "disagrees"), [(1.0, False), (0.0, True)])
def test_sensors_disagree_scattered_drift_unless_at_contact(share, disagrees):
    rng, n = np.random.default_rng(4), 40
    vertical_mps, contact = rng.normal(0, 0.3, n), rng.normal(0.7, 0.02, n)
    lost_m = height_lost_m(vertical_mps, contact)
    noise_m = rng.normal(0, 0.008, n)
    assert _sensors_disagree(vertical_mps, share * lost_m + noise_m - lost_m) == disagrees


def test_sensors_disagree_gaitmap_only_with_a_wrong_scale(raw_folder):
    for recording in load_recordings(raw_folder, ["gaitmap-mocap"]):
        own = extract_strides(recording).table["flags"]
        assert not own.str.contains("sensors-disagree").any()
        fast = replace(recording, gyr_radps=1.1 * recording.gyr_radps)
        assert extract_strides(fast).table["flags"].str.contains("sensors-disagree").all()
