"""The C library as firmware calls it: broken and lost samples, time stamps, a slipping sensor; compilers."""

import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from tests.codegen.c_program import STRICT
from tests.streaming import device as d
from tests.streaming.device import Device
from tests.streaming.test_agreement import walk
from tinystride.datasets import simulated_activities
from tinystride.datasets.simulated_activities import simulate_activity
from tinystride.datasets.virtual_sensor import VirtualSensor
from tinystride.datasets.walker import SimulatedSubject
from tinystride.firmware import constants
from tinystride.firmware.source import header, translation_unit
from tinystride.gait import events, side, walking
from tinystride.streaming import native

RECOVERY = 3
NEAR = 8  # samples
WELL = 40  # samples after which a mid-stance is known to have been one


def told_by(library, recording, push=None, lost=()) -> Device:
    """The device that has been given all samples by `push(device, i, acc, gyr)`."""
    device = Device(library, recording.rate_hz, recording.foot)
    push = push or (lambda device, i, acc, gyr: device.push(acc, gyr))
    for i, (acc, gyr) in enumerate(zip(recording.acc_mps2, recording.gyr_radps, strict=True)):
        if i not in lost:
            push(device, i, acc, gyr)
    return device


@pytest.fixture(scope="module")
def recording():
    return walk(21)


@pytest.fixture(scope="module")
def expected(library, recording):
    return told_by(library, recording)


@pytest.fixture(scope="module")
def middle(expected):
    """A sample in mid-swing of the fourth stride."""
    stride = expected.told[3]
    return int(0.55 * stride["start_sample"] + 0.45 * stride["end_sample"])


def spoilt(recording, spoil):
    acc, gyr = recording.acc_mps2.copy(), recording.gyr_radps.copy()
    spoil(acc, gyr)
    return replace(recording, acc_mps2=acc, gyr_radps=gyr)


def sample_in(expected, stride: int, share: float) -> int:
    """So far into a stride from mid-stance to mid-stance."""
    start, end = (int(expected.told[stride][f"{side}_sample"]) for side in ("start", "end"))
    return start + int(share * (end - start))


def holders(device, first, last, reach=0) -> list[int]:
    """Which of the strides told hold any of these samples."""
    return [
        number
        for number, stride in enumerate(device.told)
        if stride["start_sample"] - reach <= last and stride["end_sample"] + reach >= first
    ]


def assert_loss_is_told(device, first, last):
    """More was lost than can be bridged: nothing is told across it; the next stride alone says so."""
    assert not holders(device, first, last - 1)
    flagged = [number for number, raised in enumerate(device.flags) if "previous-missing" in raised]
    assert flagged == [int((device.starts >= first).argmax())]
    assert not any("gap" in raised for raised in device.flags)


def assert_recovers(device, expected, first, last=None, *, apart_cm=1.5):
    """Strides that end well before `first` are as expected, three after `last` they are again, and wrong ones
    flagged.
    """
    places = {int(stride["start_sample"]): stride["length_cm"] for stride in expected.told}
    own = dict(zip(device.starts.tolist(), zip(device.lengths_cm, device.flags, strict=True), strict=True))
    later = [start for start in places if start > (last or first)][RECOVERY - 1 :]
    before = [int(stride["start_sample"]) for stride in expected.told if stride["end_sample"] < first - WELL]
    for start in [*before, *later]:
        near = [place for place in own if abs(place - start) <= NEAR]
        assert near, f"no stride at {start}"
        assert own[near[0]][0] == pytest.approx(places[start], abs=apart_cm)
    for start, (length_cm, raised) in own.items():
        right = any(abs(start - place) <= 2 * NEAR and abs(length_cm - places[place]) < 5 for place in places)
        assert right or raised, f"stride at {start} of {length_cm:.1f} cm"


def nothing(acc, gyr, at):
    acc[at : at + 2] = np.nan


def infinite(acc, gyr, at):
    gyr[at : at + 20] = np.inf


def stuck(acc, gyr, at):
    acc[at : at + 30], gyr[at : at + 30] = acc[at], gyr[at]


def gyroscope_stuck(acc, gyr, at):
    gyr[at : at + 30] = gyr[at]


def accelerometer_stuck(acc, gyr, at):
    acc[at : at + 30] = acc[at]


def slips(axis, angle_deg):
    def spoil(acc, gyr, at):
        slip = Rotation.from_rotvec(np.deg2rad(angle_deg) * np.eye(3)[axis]).as_matrix()
        acc[at:], gyr[at:] = acc[at:] @ slip, gyr[at:] @ slip

    return spoil


BROKEN = [nothing, infinite, stuck, gyroscope_stuck, accelerometer_stuck]
SLIPS = [
    *(slips(0, angle_deg) for angle_deg in (-9, 9, 20)),
    *(slips(1, angle_deg) for angle_deg in (-9, 9, 20, 45)),
    *(slips(2, angle_deg) for angle_deg in (30, 90, 180)),
]
SLIP_NAMES = ["x-9", "x9", "x20", "y-9", "y9", "y20", "y45", "z30", "z90", "z180"]


@pytest.mark.parametrize("spoil", BROKEN, ids=lambda spoil: spoil.__name__)
def test_broken_samples_are_recovered_from(library, recording, expected, middle, spoil):
    device = told_by(library, spoilt(recording, lambda acc, gyr: spoil(acc, gyr, middle)))
    assert_recovers(device, expected, middle)


@pytest.mark.parametrize("spoil", BROKEN[2:], ids=lambda spoil: spoil.__name__)
@pytest.mark.parametrize("share", [0.3, 0.45, 0.6])
def test_the_stride_in_which_a_sensor_is_stuck_says_so(library, recording, expected, spoil, share):
    at = sample_in(expected, 8, share)
    device = told_by(library, spoilt(recording, lambda acc, gyr: spoil(acc, gyr, at)))
    assert_recovers(device, expected, at, at + 30)
    assert [number for number, raised in enumerate(device.flags) if "gap" in raised] == [8]


@pytest.mark.parametrize("spoil", BROKEN[2:], ids=lambda spoil: spoil.__name__)
def test_a_sensor_stuck_for_three_blocks_says_so(library, recording, expected, spoil):
    at = sample_in(expected, 8, 0.45)
    whole, part = spoilt(recording, lambda acc, gyr: spoil(acc, gyr, at)), slice(at + 7, None)
    whole.acc_mps2[part], whole.gyr_radps[part] = recording.acc_mps2[part], recording.gyr_radps[part]
    flags_raised = told_by(library, whole).flags
    assert [number for number, raised in enumerate(flags_raised) if "gap" in raised] == [8]


@pytest.mark.parametrize("value", [0.0, 0.7])
@pytest.mark.parametrize("axis", range(6))
def test_strides_on_a_dead_axis_say_so(library, recording, expected, axis, value):
    at = sample_in(expected, 5, 0.3)

    def dies(acc, gyr):
        (acc, gyr)[axis // 3][at:, axis % 3] = value

    device = told_by(library, spoilt(recording, dies))
    flags_raised = [flags for start, flags in zip(device.starts, device.flags, strict=True) if start > at]
    assert all("gap" in raised for raised in flags_raised)
    # Without the vertical axis of the accelerometer no foot stands, and there is no stride.
    assert len(flags_raised) >= RECOVERY or (axis == 2 and not flags_raised)


def test_a_foot_that_hardly_turns_is_not_stuck(library, recording, expected):
    """By a count or two, which is next to nothing of what the foot turns else."""
    at, rng = sample_in(expected, 8, 0.45), np.random.default_rng(5)

    def hardly_turns(acc, gyr):
        gyr[at : at + 20] = rng.integers(-2, 3, (20, 3)) * constants.GYR_UNIT

    assert not any("gap" in raised for raised in told_by(library, spoilt(recording, hardly_turns)).flags)


@pytest.mark.parametrize("before", range(-12, 12, 4))
def test_a_sensor_that_is_stuck_in_a_stance_does_not_stand(library, recording, expected, before):
    """What it tells then is no bias: later strides are right."""
    at = sample_in(expected, 8, 0) - before

    def is_stuck(acc, gyr):
        acc[at : at + 300], gyr[at : at + 300] = acc[at - 1], gyr[at - 1]

    device = told_by(library, spoilt(recording, is_stuck))
    assert sum(device.starts > at + 300) >= RECOVERY
    assert_recovers(device, expected, at, at + 300)


@pytest.mark.parametrize("share", [0.3, 0.55, 0.75])
@pytest.mark.parametrize("spoil", SLIPS, ids=SLIP_NAMES)
def test_a_sensor_that_slips_is_flagged_and_followed(library, recording, expected, spoil, share):
    at = sample_in(expected, 3, share)
    device = told_by(library, spoilt(recording, lambda acc, gyr: spoil(acc, gyr, at)))
    assert_recovers(device, expected, at, apart_cm=3)
    for number in holders(device, at, at):
        apart_cm = device.told[number]["length_cm"] - expected.told[number]["length_cm"]
        assert device.flags[number] or abs(apart_cm) <= 2


@pytest.mark.parametrize("share", [0.12, 0.3, 0.5, 0.75])
def test_a_flag_is_that_of_the_stride_that_holds_the_event(library, recording, expected, share):
    """Even where the stride before has not been told yet; and of two events, each is."""
    late, again = sample_in(expected, 4, share), sample_in(expected, 5, 0.2)
    full_scale = [d.ctypes.c_float(value) for value in (160, 35)]

    def loses(acc, gyr, at):
        acc[at : at + 3] = np.nan
        acc[at + 3] += 40

    def saturates(acc, gyr, at):
        acc[at : at + 3, 0] = 160

    for spoil, flag in ((loses, "gap"), (saturates, "saturated")):
        for places, strides in (((late,), [4]), ((late, again), [4, 5])):
            device = Device(library, recording.rate_hz)
            library.c.tinystride_set_full_scale(device.state, *full_scale)
            acc, gyr = recording.acc_mps2.copy(), recording.gyr_radps.copy()
            for at in places:
                spoil(acc, gyr, at)
            for sample in zip(acc, gyr, strict=True):
                device.push(*sample)
            assert [number for number, raised in enumerate(device.flags) if flag in raised] == strides
            assert_recovers(device, expected, places[0], places[-1])


LOSSES = ["said", "nan", "inf", "time stamps", "jump"]


@pytest.mark.parametrize("share", [0.1, 0.4, 0.6, 0.9])
@pytest.mark.parametrize("how", LOSSES)
def test_a_stride_that_is_lost_is_told_by_the_next_one(library, recording, expected, how, share):
    first, lost = sample_in(expected, 6, share), 7
    acc, gyr = recording.acc_mps2.copy(), recording.gyr_radps.copy()
    device = Device(library, recording.rate_hz)
    for i in range(recording.n_samples):
        gone, sample = first <= i < first + lost, (acc[i], gyr[i])
        if how in ("time stamps", "jump"):
            jump_us = 10_000_000 if how == "jump" and i >= first else 0
            if not gone:
                device.push_at(10_000 * i + jump_us, *sample)
        elif how == "said":
            if i == first:
                device.gap(lost)
            if not gone:
                device.push(*sample)
        else:
            device.push(sample[0], sample[1] * (float(how) if gone else 1.0))
    # After a jump of the time nobody knows how many samples there were.
    shift = lost - 4 if how == "jump" else 0
    for stride in device.told:
        for end in ("start_sample", "end_sample"):
            stride[end] += shift if stride[end] > first else 0
    assert_recovers(device, expected, first, first + lost, apart_cm=2)
    assert_loss_is_told(device, first, first + lost)
    assert len(expected.told) - len(device.told) <= (2 if share < 0.4 else 1)


def test_a_loss_before_the_first_stance_or_a_bridged_one_flags_nothing(library, recording, expected):
    device = Device(library, recording.rate_hz)
    device.gap(50)
    for i, sample in enumerate(zip(recording.acc_mps2, recording.gyr_radps, strict=True)):
        if i == 3:
            device.gap(20)
        device.push(*sample)
    # The first stride, half of one, is just long enough or not.
    assert device.flags[1:] == expected.flags[1:] and len(device.told) == len(expected.told)
    assert set(device.flags[:1]) <= {"", "out-of-range"}


@pytest.mark.parametrize("samples", [1, 3, 4, 10, 100, 1000])
def test_lost_samples_are_bridged_or_begun_after(library, recording, expected, middle, samples):
    def push(device, i, acc, gyr):
        if i == middle + samples:
            device.gap(samples)
        device.push(acc, gyr)

    lost = range(middle, middle + samples)
    device = told_by(library, recording, push, lost)
    assert_recovers(device, expected, middle, middle + samples)
    assert (len(device.told) == len(expected.told)) == (samples <= 3)


@pytest.fixture(scope="module")
def run():
    return simulate_activity("running", seed=1)


def test_who_begins_while_running_is_told_strides(library, run):
    device = Device(library, run.rate_hz)
    for acc, gyr in zip(run.acc_mps2[1000:], run.gyr_radps[1000:], strict=True):
        device.push(acc, gyr)
    assert len(device.told) >= 12


def test_a_loss_while_running_costs_few_strides(library, run):
    """In a run no foot is as calm as a standing one."""
    whole = told_by(library, run)
    first = sample_in(whole, 8, 0.5)
    device = told_by(library, spoilt(run, lambda acc, gyr: np.copyto(acc[first : first + 5], np.nan)))
    assert len(device.told) >= len(whole.told) - 3
    assert_loss_is_told(device, first, first + 5)


def test_saturation_is_flagged_with_and_without_a_known_full_scale(library, recording, expected):
    assert not any("saturated" in raised for raised in expected.flags)
    clipped = spoilt(recording, lambda acc, gyr: np.clip(gyr, -5, 5, out=gyr))
    unknown = told_by(library, clipped)
    assert len(unknown.told) >= 10
    device = Device(library, recording.rate_hz)
    full_scale = [d.ctypes.c_float(value) for value in (160, 5)]
    assert library.c.tinystride_set_full_scale(device.state, *full_scale) == d.OK
    for acc, gyr in zip(recording.acc_mps2, np.clip(recording.gyr_radps, -5, 5), strict=True):
        device.push(acc, gyr)
    assert len(device.told) >= 10
    for own in (unknown, device):
        # Of strides that lost much rotation; little is put back without a flag.
        much = [np.deg2rad(told["repaired_deg"]) > constants.MAX_REPAIRED_RAD for told in own.told]
        assert ["saturated" in raised for raised in own.flags] == much and sum(much) >= 5


@pytest.mark.parametrize("full_scale_mps2", [120, 0])
def test_saturation_that_passes_is_recovered_from(library, recording, expected, full_scale_mps2):
    """Of an accelerometer whose full scale is known or not."""
    at = sample_in(expected, 4, 0.7)
    acc = recording.acc_mps2.copy()
    acc[at : at + 4, 0] = 120
    device = Device(library, recording.rate_hz)
    full_scale = [d.ctypes.c_float(value) for value in (full_scale_mps2, 0)]
    assert library.c.tinystride_set_full_scale(device.state, *full_scale) == d.OK
    for sample in zip(acc, recording.gyr_radps, strict=True):
        device.push(*sample)
    assert [number for number, raised in enumerate(device.flags) if "saturated" in raised] == [4]
    assert_recovers(device, expected, at, at + 4)


def test_samples_that_are_none_are_refused(library):
    device = Device(library, 100)
    assert device.push([0, 0, 9.8], [0, 0, 0]) == d.OK
    for acc, gyr in (([np.nan, 0, 0], [0] * 3), ([0, 0, -np.inf], [0] * 3), ([0] * 3, [0, 1e9, 0])):
        assert device.push(acc, gyr) == d.ERROR_SAMPLE
    assert device.push([150.1, 160.0, -900.0], [40, -190, 0]) == d.OK


def test_the_wrong_unit_is_told(library, recording):
    statuses = set()
    device = Device(library, recording.rate_hz)
    for acc, gyr in zip(recording.acc_mps2 / 9.80665, recording.gyr_radps, strict=True):
        statuses.add(device.push(acc, gyr))
    assert statuses == {d.OK, d.ERROR_UNITS} and not device.told


def test_calls_with_wrong_arguments_are_refused(library, recording):
    for rate_hz in (39.9, 420.1, np.nan, -100):
        device = Device(library, rate_hz)
        assert device.status == d.ERROR_RATE
        assert device.push([0] * 3, [0] * 3) == device.reset() == device.gap(1) == d.ERROR_STATE
    assert library.c.tinystride_init(None, 0, 0) == d.ERROR_NULL
    device = Device(library, 100)
    assert library.c.tinystride_push(device.state, None, None, None) == d.ERROR_NULL
    assert library.c.tinystride_init(device.state, d.ctypes.c_float(100), 2) == d.ERROR_FOOT


def test_reset_forgets_all_but_the_full_scale(library, recording, expected):
    device = told_by(library, recording)
    assert device.reset() == d.OK
    device.told.clear()
    for acc, gyr in zip(recording.acc_mps2, recording.gyr_radps, strict=True):
        device.push(acc, gyr)
    assert device.starts.tolist() == expected.starts.tolist()
    assert device.lengths_cm.tolist() == expected.lengths_cm.tolist()


def test_raw_counts_give_the_same_strides(library, recording, expected):
    scales = 16 * 9.80665 / 32768, np.deg2rad(2000) / 32768

    def push(device, i, acc, gyr):
        device.push_int16(np.rint(acc / scales[0]).astype(int), np.rint(gyr / scales[1]).astype(int), *scales)

    device = told_by(library, recording, push)
    assert device.starts.tolist() == expected.starts.tolist()
    assert device.lengths_cm == pytest.approx(expected.lengths_cm, abs=0.2)


@pytest.mark.parametrize("off", [0.97, 1.0, 1.03])
@pytest.mark.parametrize("from_sample", [0, 430])
def test_time_stamps_correct_a_rate_that_is_off(library, recording, expected, off, from_sample):
    """The sensor is sampled at 100 Hz, the estimator has been told another rate; the clock wraps around.

    Whoever begins in mid-walk is given no second of standing to learn the rate in.
    """
    start_us, rng = (1 << 32) - 5_000_000, np.random.default_rng(1)
    jitter_us = rng.integers(-800, 800, recording.n_samples)
    stamped, plain = Device(library, off * recording.rate_hz), Device(library, recording.rate_hz)
    for i in range(from_sample, recording.n_samples):
        sample = recording.acc_mps2[i], recording.gyr_radps[i]
        stamped.push_at(start_us + 10_000 * i + int(jitter_us[i]), *sample)
        plain.push(*sample)
    assert len(plain.told) >= 12 - from_sample // 100
    assert np.abs(stamped.starts - plain.starts).max() <= 3
    apart_cm = np.abs(stamped.lengths_cm - plain.lengths_cm)
    assert apart_cm[RECOVERY:].max() < 1
    assert all(apart < 1 or raised for apart, raised in zip(apart_cm, stamped.flags, strict=True))


@pytest.mark.parametrize("off", [0.97, 0.99, 1.01, 1.03])
def test_without_time_stamps_a_rate_that_is_off_costs_its_share(library, recording, expected, off):
    """Nothing in the samples tells of it: docs/firmware.md says that 1 % costs 2.4 %."""
    device = Device(library, off * recording.rate_hz)
    for sample in zip(recording.acc_mps2, recording.gyr_radps, strict=True):
        device.push(*sample)
    ratio = device.lengths_cm / expected.lengths_cm
    assert len(ratio) == len(expected.told)
    assert np.median(ratio) - 1 == pytest.approx(-2.4 * (off - 1), rel=0.1)


def test_time_stamps_tell_of_lost_samples_and_may_jump(library, recording, expected, middle):
    def stamped(jump_us):
        def push(device, i, acc, gyr):
            statuses.add(device.push_at(10_000 * i + (jump_us if i >= middle else 0), acc, gyr))

        return push

    for jump_us in (40_000_000, -40_000_000):
        statuses = set()
        assert_recovers(told_by(library, recording, stamped(jump_us)), expected, middle)
        assert d.ERROR_TIME not in statuses
    statuses = set()
    device = told_by(library, recording, stamped(0), range(middle, middle + 3))
    assert len(device.told) == len(expected.told)
    assert device.push_at(10_000 * (recording.n_samples - 1), [0, 0, 9.8], [0, 0, 0]) == d.ERROR_TIME


@pytest.mark.parametrize("ahead_us", [10_000, 20_000, 30_000])
def test_a_clock_that_jumps_a_little_ahead_spoils_no_stride_in_silence(
    library, recording, expected, ahead_us
):
    """Though all samples are there, some are taken for lost."""
    flagged = 0
    for share in np.linspace(0.05, 0.95, 10):
        at = sample_in(expected, 5, share)
        device = Device(library, recording.rate_hz)
        for i, sample in enumerate(zip(recording.acc_mps2, recording.gyr_radps, strict=True)):
            device.push_at(10_000 * i + (ahead_us if i >= at else 0), *sample)
        off_cm = device.lengths_cm[5] - expected.lengths_cm[5]
        assert "gap" in device.flags[5] or abs(off_cm) < 5
        assert np.abs(device.lengths_cm - expected.lengths_cm)[6:].max() < 2
        flagged += "gap" in device.flags[5]
    assert flagged >= 5


def test_a_sensor_turned_back_to_front_is_noticed_by_where_the_foot_goes(library, recording, expected):
    """About the vertical and in one stance, so that nothing else tells of it."""
    at = int(expected.told[6]["start_sample"])
    up = recording.acc_mps2[:100].mean(axis=0)
    half_turn = 2 * np.outer(up, up) / (up @ up) - np.eye(3)
    device = Device(library, recording.rate_hz)
    for i, sample in enumerate(zip(recording.acc_mps2, recording.gyr_radps, strict=True)):
        device.push(*(axes @ half_turn if i >= at else axes for axes in sample))
    assert_recovers(device, expected, at, at, apart_cm=2)
    assert not any("not-walking" in raised for raised in expected.flags)
    assert "not-walking" in device.flags[6] and "not-walking" not in " ".join(device.flags[8:])


@pytest.mark.parametrize("seed", [5, 7, 11])
def test_who_kicks_ahead_and_back_does_not_walk(native, monkeypatch, seed):
    """Single kicks of a leg that hangs from a high seat; one of each seed turns like a walking foot."""

    def kicks(rng, time_s):
        angle = simulated_activities._levels(rng, time_s, 0.5, 0.5, np.deg2rad(-25), np.deg2rad(40))
        foot = 0.45 * np.stack([np.sin(angle), 0 * angle, 1 - np.cos(angle)], axis=1)
        return foot, np.outer(angle, [0, -1, 0])

    monkeypatch.setitem(simulated_activities.POSES, "sitting", kicks)
    rng = np.random.default_rng([seed, 7])
    person = {"subject": SimulatedSubject.draw(rng), "sensor": VirtualSensor.draw(rng)}
    told = native.strides(simulate_activity("sitting", duration_s=300, seed=seed, **person))
    assert len(told) > 20 and (told["flags"] == "").sum() <= 1


@pytest.mark.parametrize("share", [0.3, 0.45, 0.6, 0.75])
@pytest.mark.parametrize("back_us", [20_000, 50_000, 100_000, 300_000, 900_000])
def test_a_clock_that_is_set_back_spoils_a_stride(library, recording, expected, share, back_us):
    """Samples are dropped until it has caught up, and nothing tells how many."""
    at = sample_in(expected, 5, share)
    device = Device(library, recording.rate_hz)
    for i, sample in enumerate(zip(recording.acc_mps2, recording.gyr_radps, strict=True)):
        device.push_at(10_000 * i - (back_us if i >= at else 0), *sample)
    # Samples are numbered without those dropped.
    for stride in device.told:
        for end in ("start_sample", "end_sample"):
            stride[end] += back_us // 10_000 if stride[end] >= at else 0
    assert_recovers(device, expected, at, at + back_us // 10_000, apart_cm=2)
    assert "gap" in device.flags[5] and sum("gap" in raised for raised in device.flags) == 1


def test_stamps_that_jitter_about_their_place_flag_nothing(library, recording, expected):
    """Of a sample read twice the second is dropped."""
    rng, device = np.random.default_rng(2), Device(library, recording.rate_hz)
    statuses = []
    for i, sample in enumerate(zip(recording.acc_mps2, recording.gyr_radps, strict=True)):
        stamp_us = 10_000 * i + int(rng.integers(-2000, 2000))
        statuses.append(device.push_at(stamp_us, *sample))
        if i % 50 == 49:
            statuses.append(device.push_at(stamp_us - int(rng.integers(2000)), *sample))
    assert statuses.count(d.ERROR_TIME) == recording.n_samples // 50
    # The first stride is about as short as a stride may be.
    assert device.flags[1:] == expected.flags[1:]


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
@pytest.mark.parametrize("level", ["-Os", "-O3"])
def test_it_compiles_without_a_warning_or_a_double(c_library, tmp_path, compiler, level):
    assert shutil.which(compiler), f"install the Debian package {compiler}"
    flags = ["-std=c99", level, *STRICT, "-Wdouble-promotion", "-Wvla", f"-I{c_library / 'include'}"]
    built = subprocess.run(
        [compiler, *flags, "-c", c_library / "src/tinystride.c", "-o", tmp_path / "ts.o"],
        capture_output=True,
        text=True,
    )
    assert built.returncode == 0, built.stderr[:2000]
    needs = subprocess.run(["nm", "-u", tmp_path / "ts.o"], capture_output=True, text=True).stdout.split()
    allowed = {"U", "memset", "memcpy", "tinystride_model_run", "__stack_chk_fail"}
    assert set(needs) - allowed == set()


def test_the_source_has_no_double_no_allocation_no_stdio():
    text = translation_unit() + header()
    code = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    assert not re.findall(r"\b(double|malloc|calloc|free|printf|stdio)\b", code)
    assert not re.findall(r"(?<![\w.])\d+\.\d*(?:e-?\d+)?(?![\dfe.])", code), (
        "a literal without f is a double"
    )


def defined(name: str) -> float:
    found = re.search(rf"#define {name} \(?([-\d.e]+)[fu]?\)?(?:\s|$)", translation_unit() + header())
    assert found, name
    return float(found[1])


def test_constants_of_c_and_python_are_the_same():
    own = {name: value for name, value in vars(constants).items() if name.isupper() and name[0] != "_"}
    numbers = {name: own[name] for name in constants.__annotations__ if not isinstance(own[name], tuple)}
    assert len(numbers) > 70
    for name, value in numbers.items():
        # Whole numbers decide, so nearly the same is not the same.
        assert defined(name) == (value if isinstance(value, int) else pytest.approx(value, rel=1e-7)), name
    assert defined("TINYSTRIDE_HISTORY_BLOCKS") == constants.HISTORY_BLOCKS
    assert defined("TINYSTRIDE_MOTION_BLOCKS") == constants.MOTION_BLOCKS


def test_constants_in_counts_are_those_of_the_pipeline():
    unit = 1e-4
    assert constants.STATIONARY_THRESHOLD * unit == pytest.approx(events.CALM**2)
    assert constants.MAX_STANCE_MOTION * unit == pytest.approx(events.LARGEST_STANCE_UNREST**2)
    assert constants.MOTION_FLOOR * unit == pytest.approx(events.UNREST_FLOOR_RADPS**2)
    counts = constants.ACC_UNIT / events.MPS2_PER_RADPS
    assert counts**2 * constants.ACC_SQUARES_PER_MOTION == pytest.approx(unit)
    assert pytest.approx(unit) == constants.GYR_UNIT**2 * 2**constants.ENERGY_SHIFT
    assert np.divide(constants.PITCH_TEMPLATE_VALUES, 10) == pytest.approx(walking.PITCH_RADPS)
    assert np.divide(constants.SIDE_WEIGHT_VALUES, 100) == pytest.approx(side.WEIGHTS)


def test_sanitizers_find_nothing_in_a_walk_with_everything(c_library, recording, tmp_path):
    acc, gyr = recording.acc_mps2.copy(), recording.gyr_radps.copy()
    rng = np.random.default_rng(3)
    for at in rng.integers(0, len(acc) - 60, 15):
        acc[at : at + 5] *= rng.choice([np.nan, 1e30, -200, 0.01, 40])
        gyr[at : at + rng.integers(1, 50)] = rng.choice([0.0, 35.0, np.inf])
    samples = np.hstack([acc, gyr]).astype(np.float32)
    lost = rng.choice([0, 0, 0, 0, 0, 0, 1, 5, 5000], len(samples)).astype(np.uint32) * (
        rng.random(len(samples)) < 0.05
    )
    (tmp_path / "samples.bin").write_bytes(samples.tobytes())
    (tmp_path / "lost.bin").write_bytes(lost.astype(np.uint32).tobytes())
    (tmp_path / "main.c").write_text(MAIN % (len(samples), len(samples)))
    replay = Path(native.__file__).with_name("replay.c")
    sources = [*sorted((c_library / "src").glob("*.c")), replay, tmp_path / "main.c"]
    sanitizers = "-fsanitize=address,undefined,float-cast-overflow"
    flags = ["-std=c99", "-O1", "-g", sanitizers, "-fno-sanitize-recover=all", f"-I{c_library / 'include'}"]
    built = subprocess.run(
        ["gcc", *flags, *sources, "-o", tmp_path / "run", "-lm"], capture_output=True, text=True
    )
    assert built.returncode == 0, built.stderr[:2000]
    ran = subprocess.run([tmp_path / "run"], cwd=tmp_path, capture_output=True, text=True)
    assert ran.returncode == 0 and int(ran.stdout) >= 0, ran.stderr[:2000]


MAIN = """
#include <stddef.h>
#include <stdio.h>
#include "tinystride.h"
ptrdiff_t replay(float, int, float, float, size_t, const float *, const uint32_t *, size_t,
                 tinystride_stride_t *);
static float samples[%d][6];
static uint32_t lost[%d];
static tinystride_stride_t strides[1000];
int main(void)
{
    FILE *file = fopen("samples.bin", "rb");
    const size_t n = fread(samples, sizeof *samples, sizeof samples / sizeof *samples, file);
    fclose(file);
    file = fopen("lost.bin", "rb");
    if (fread(lost, sizeof *lost, n, file) != n) {
        return 1;
    }
    fclose(file);
    const float rates[] = {50.0f, 87.0f, 100.0f, 208.0f, 400.0f};
    long found = 0;
    for (int i = 0; i < 10; ++i) {
        found += (long)replay(rates[i / 2], i %% 2, 0.0f, 0.0f, n, samples[0], lost, 1000, strides);
    }
    printf("%%ld\\n", found);
    return 0;
}
"""
