"""The C library and its Python twin report the same strides for any samples."""

from dataclasses import replace

import numpy as np
import pytest

from tinystride.datasets.loading import load_recordings
from tinystride.datasets.simulated_activities import simulate_activity
from tinystride.datasets.simulator import overground, simulate_walk
from tinystride.datasets.virtual_sensor import VirtualSensor
from tinystride.datasets.walker import Leg, SimulatedSubject
from tinystride.firmware import constants
from tinystride.gait.flags import rotation_error_m

EXACT = ["start_s", "end_s", "flags"]


def walk(seed: int, rate_hz: float = 100.0, foot: str = "right", **more):
    rng = np.random.default_rng(seed)
    subject, sensor = SimulatedSubject.draw(rng), VirtualSensor.draw(rng).with_losses(more.pop("lost", 0.0))
    return simulate_walk(
        subject, foot=foot, legs=overground(1.2, 14), rate_hz=rate_hz, sensor=sensor, seed=seed, **more
    )


def assert_same(native, twin, recording):
    c, python = native.strides(recording), twin.strides(recording)
    assert len(c) == len(python) > 0
    for column in EXACT:
        assert c[column].tolist() == python[column].tolist(), column
    for column in ("stride_length_cm", "strapdown_length_cm"):
        assert np.abs(c[column] - python[column]).max() <= 0.05, column
    # A difference of 0.1 mm in height changes the weight of a stride, and strides may differ by a metre.
    for column in ("mean5_cm", "mean10_cm"):
        assert np.abs(c[column] - python[column]).max() <= 0.15, column
    # After broken samples the standard deviation of a length may be metres.
    np.testing.assert_allclose(c["length_sd_cm"], python["length_sd_cm"], rtol=1e-3, atol=0.05)
    assert np.abs(c["repaired_deg"] - python["repaired_deg"]).max() < 0.05
    assert np.nanmax(np.abs(c["initial_contact_s"] - python["initial_contact_s"]), initial=0) < 0.005
    return c


@pytest.mark.parametrize("rate_hz", [50, 64, 87, 100, 104, 128, 200, 333, 400])
def test_engines_any_rate_agree(native, twin, rate_hz):
    strides = assert_same(native, twin, walk(rate_hz, rate_hz, foot=["left", "right"][rate_hz % 2]))
    assert len(strides) >= 12


@pytest.mark.parametrize("lost", [0.01, 0.05, 0.1])
def test_engines_lost_samples_agree(native, twin, lost):
    assert_same(native, twin, walk(2, lost=lost))


def every_other(recording):
    return np.arange(recording.n_samples) // 2 * 2


def held_at_random(recording):
    lost = VirtualSensor(oversampling=1, lost=0.05, run_length=2.0)._losses(
        recording.n_samples, np.random.default_rng(7)
    )
    return np.maximum.accumulate(np.where(lost, 0, np.arange(recording.n_samples)))


def single_held(recording):
    number = np.arange(recording.n_samples)
    return np.where(np.random.default_rng(8).random(len(number)) < 0.04, number - 1, number).clip(0)


@pytest.mark.parametrize("repeat", [held_at_random, single_held])
@pytest.mark.parametrize("seed", range(2, 5))
def test_repeated_samples_leave_no_large_error_unflagged(native, twin, seed, repeat):
    recording = walk(seed)
    at = repeat(recording)
    broken = replace(recording, acc_mps2=recording.acc_mps2[at], gyr_radps=recording.gyr_radps[at])
    intact, strides = native.strides(recording), assert_same(native, twin, broken)
    assert len(strides) == len(intact)
    assert (strides["flags"] == "").sum() >= 3
    assert unflagged_error_cm(strides, intact) < 10


@pytest.mark.parametrize("rate_hz", [50, 100, 200])
def test_flags_every_sample_twice_are_gap(native, twin, rate_hz):
    recording = walk(2, rate_hz)
    at = every_other(recording)
    broken = replace(recording, acc_mps2=recording.acc_mps2[at], gyr_radps=recording.gyr_radps[at])
    strides = assert_same(native, twin, broken)
    assert strides["flags"].str.contains("gap").all() and len(strides) == len(native.strides(recording))


@pytest.mark.parametrize("seed", range(2, 5))
def test_empty_samples_leave_no_large_error_unflagged(native, twin, seed):
    recording = walk(seed)
    empty = np.random.default_rng(9).random(recording.n_samples) < 0.01
    samples = [np.where(empty[:, None], 0.0, own) for own in (recording.acc_mps2, recording.gyr_radps)]
    broken = replace(recording, acc_mps2=samples[0], gyr_radps=samples[1])
    intact, strides = native.strides(recording), assert_same(native, twin, broken)
    assert len(strides) == len(intact) and (strides["flags"] == "").sum() >= 5
    assert unflagged_error_cm(strides, intact) < 8


@pytest.mark.parametrize("kind", ["sitting", "bus", "running", "stairs-up"])
def test_engines_other_activities_agree(native, twin, kind):
    rng = np.random.default_rng(4)
    recording = simulate_activity(kind, duration_s=120, seed=1, sensor=VirtualSensor.draw(rng))
    assert_same(native, twin, recording)


@pytest.mark.parametrize("axes", [range(6), range(3), range(3, 6), [4]])
def test_engines_stuck_sensor_agree(native, twin, axes):
    recording = walk(6)
    samples = np.hstack([recording.acc_mps2, recording.gyr_radps])
    for at, length in zip(range(300, recording.n_samples - 300, 97), (5, 15, 30, 200) * 9, strict=False):
        samples[at : at + length, list(axes)] = samples[at, list(axes)]
    broken = replace(recording, acc_mps2=samples[:, :3], gyr_radps=samples[:, 3:])
    assert_same(native, twin, broken)


@pytest.mark.parametrize("lost", [(), (1500,)])
def test_engines_start_while_running_agree(native, twin, lost):
    recording = simulate_activity("running", seed=1)
    acc = recording.acc_mps2[1000:].copy()
    for at in lost:
        acc[at - 1000 : at - 990] = np.nan
    assert_same(native, twin, replace(recording, acc_mps2=acc, gyr_radps=recording.gyr_radps[1000:]))


def test_engines_broken_samples_agree(native, twin):
    recording = walk(6)
    acc, gyr = recording.acc_mps2.copy(), recording.gyr_radps.copy()
    rng = np.random.default_rng(0)
    for start in rng.integers(300, len(acc) - 100, 12):
        broken = [np.nan, np.inf, 900.0, 160.0][start % 4]
        acc[start : start + start % 9] = broken
    gyr[700:760] = gyr[700]
    clipped = np.clip(gyr, -5, 5)
    for samples in (gyr, clipped):
        broken = replace(recording, acc_mps2=acc, gyr_radps=samples, saturation=(np.nan, np.nan))
        assert_same(native, twin, broken)


@pytest.mark.parametrize("is_known", [True, False])
@pytest.mark.parametrize("rate_hz", [50, 100, 204.8, 400])
def test_clipping_clipped_gyroscope_is_repaired_by_both_engines(native, twin, rate_hz, is_known):
    recording = walk(6, rate_hz, foot="left")
    limit = 0.7 * np.abs(recording.gyr_radps).max()
    samples = np.clip(recording.gyr_radps, -limit, limit)
    clipped = replace(recording, gyr_radps=samples, saturation=(np.nan, limit if is_known else np.nan))
    intact, strides = native.strides(recording), assert_same(native, twin, clipped)
    both = strides.merge(intact, on=["start_s", "end_s"], suffixes=("", "_intact")).iloc[1:]
    repaired = both[both["repaired_deg"] > 1]
    repaired_m = rotation_error_m(repaired["duration_s"], np.deg2rad(repaired["repaired_deg"]))
    much = repaired_m > constants.MAX_REPAIRED_M
    assert len(repaired) >= 7 and much.sum() >= 4
    assert (repaired["flags"].str.contains("saturated") == much).all()
    off_cm = (repaired["stride_length_cm"] - repaired["stride_length_cm_intact"]).abs()
    assert off_cm.median() < 1.5 and off_cm.max() < 5


def unflagged_error_cm(strides, intact) -> float:
    """Return the maximum difference of an unflagged length from that of the intact recording, cm."""
    place = np.abs(strides["end_s"].to_numpy()[:, None] - intact["end_s"].to_numpy())
    off_cm = np.abs(strides["stride_length_cm"] - intact["stride_length_cm"].to_numpy()[place.argmin(axis=1)])
    return float(off_cm[(strides["flags"] == "").to_numpy() & (place.min(axis=1) < 0.2)].max())


@pytest.mark.parametrize("seed", range(4))
def test_flags_overflowed_accelerometer_leave_no_large_error_unflagged(native, twin, seed):
    recording, full_scale = walk(seed), 2 * 9.80665
    wrapped = (recording.acc_mps2 + full_scale) % (2 * full_scale) - full_scale
    broken = replace(recording, acc_mps2=wrapped, saturation=(np.nan, np.nan))
    assert np.any(np.abs(wrapped - recording.acc_mps2) > 1)
    strides = assert_same(native, twin, broken)
    assert not unflagged_error_cm(strides, native.strides(recording)) > 8


@pytest.mark.parametrize("early", [-3, 2, 3])
def test_flags_delayed_gyroscope_are_sensors_disagree_from_second_stride(native, twin, early):
    recording = walk(3)
    broken = replace(recording, gyr_radps=np.roll(recording.gyr_radps, -early, axis=0))
    strides = assert_same(native, twin, broken)
    assert strides["flags"].iloc[1:].str.contains("sensors-disagree").all()
    # The first stride is half as long as others: a small error of it cannot be detected.
    assert not unflagged_error_cm(strides, native.strides(recording)) > 4


@pytest.mark.parametrize("sensor", ["acc_mps2", "gyr_radps"])
def test_flags_sensor_at_half_the_rate_are_gap(native, twin, sensor):
    recording = walk(2)
    every_other = np.arange(recording.n_samples) // 2 * 2
    slow = replace(recording, **{sensor: getattr(recording, sensor)[every_other]})
    assert assert_same(native, twin, slow)["flags"].str.contains("gap").all()


@pytest.mark.parametrize("early", [-2, 2])
def test_flags_delayed_gyroscope_in_a_circle_are_sensors_disagree(native, early):
    """Strides in a circle are flagged "turn", too; their ends show the delay as well as others."""
    rng = np.random.default_rng(7)
    subject, sensor = SimulatedSubject.draw(rng), VirtualSensor.draw(rng)
    circle = [Leg(16, 1.2, turn_rad=4 * np.pi)]
    recording = simulate_walk(subject, legs=circle, sensor=sensor, seed=7)
    delayed = replace(recording, gyr_radps=np.roll(recording.gyr_radps, -early, axis=0))
    flags = native.strides(delayed)["flags"].iloc[4:]
    assert flags.str.contains("turn").sum() > 8 and flags.str.contains("sensors-disagree").all()
    assert not native.strides(recording)["flags"].str.contains("sensors-disagree").any()


@pytest.mark.parametrize("seed", range(4))
def test_flags_synchronous_sensors_are_not_sensors_disagree(native, seed):
    assert not native.strides(walk(seed))["flags"].str.contains("sensors-disagree").any()


def test_clipping_intact_gyroscope_is_not_repaired(native):
    assert not native.strides(walk(5))["repaired_deg"].any()


def test_engines_recordings_of_all_sets_agree(native, twin, raw_folder):
    """Compare every sixteenth recording of all data sets."""
    strides = 0
    for number, recording in enumerate(load_recordings(raw_folder)):
        if number % 16 == 5:
            strides += len(assert_same(native, twin, recording))
    assert strides > 300
