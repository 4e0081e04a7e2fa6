"""The C library called like firmware: broken and lost samples, time stamps, slips; compilers, constants."""

import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from tests.codegen.c_program import STRICT
from tests.streaming import c_estimator as c
from tests.streaming.c_estimator import CEstimator
from tests.streaming.test_agreement import walk
from tinystride.datasets import simulated_activities
from tinystride.datasets.simulated_activities import simulate_activity
from tinystride.datasets.virtual_sensor import VirtualSensor
from tinystride.datasets.walker import SimulatedSubject
from tinystride.firmware import constants
from tinystride.firmware.source import header, translation_unit
from tinystride.gait import events, side, walking
from tinystride.gait.flags import rotation_error_m
from tinystride.streaming import native

RECOVERY = 3
NEAR = 8  # samples
CONFIRMED = 40  # samples after which a mid-stance is confirmed


def push_all(library, recording, push=None, lost=()) -> CEstimator:
    """Return an estimator after `push(estimator, i, acc, gyr)` of all samples that are not lost."""
    estimator = CEstimator(library, recording.rate_hz, recording.foot)
    push = push or (lambda estimator, i, acc, gyr: estimator.push(acc, gyr))
    for i, (acc, gyr) in enumerate(zip(recording.acc_mps2, recording.gyr_radps, strict=True)):
        if i not in lost:
            push(estimator, i, acc, gyr)
    return estimator


@pytest.fixture(scope="module")
def recording():
    return walk(21)


@pytest.fixture(scope="module")
def expected(library, recording):
    return push_all(library, recording)


@pytest.fixture(scope="module")
def middle(expected):
    """Return a sample in the swing of the fourth stride."""
    stride = expected.strides[3]
    return int(0.55 * stride["start_sample"] + 0.45 * stride["end_sample"])


def damaged_copy(recording, damage):
    acc, gyr = recording.acc_mps2.copy(), recording.gyr_radps.copy()
    damage(acc, gyr)
    return replace(recording, acc_mps2=acc, gyr_radps=gyr)


def sample_in(expected, stride: int, share: float) -> int:
    """Return the sample at this share of a stride, 0 to 1."""
    start, end = (int(expected.strides[stride][f"{side}_sample"]) for side in ("start", "end"))
    return start + int(share * (end - start))


def strides_with(estimator, first, last, reach=0) -> list[int]:
    """Return the indices of the strides that contain any of these samples."""
    return [
        number
        for number, stride in enumerate(estimator.strides)
        if stride["start_sample"] - reach <= last and stride["end_sample"] + reach >= first
    ]


def assert_loss_is_reported(estimator, first, last):
    """Assert that no stride contains the gap, and that only the next stride is flagged."""
    assert not strides_with(estimator, first, last - 1)
    flagged = [number for number, raised in enumerate(estimator.flags) if "previous-missing" in raised]
    assert flagged == [int((estimator.starts >= first).argmax())]
    assert not any("gap" in raised for raised in estimator.flags)


def assert_recovers(estimator, expected, first, last=None, *, apart_cm=1.5):
    """Assert that an error in the samples `first` to `last` has a limited effect.

    Strides that end before it and strides from the third after it on are as expected; wrong ones in between
    are flagged.
    """
    places = {int(stride["start_sample"]): stride["length_cm"] for stride in expected.strides}
    own = dict(
        zip(estimator.starts.tolist(), zip(estimator.lengths_cm, estimator.flags, strict=True), strict=True)
    )
    later = [start for start in places if start > (last or first)][RECOVERY - 1 :]
    before = [
        int(stride["start_sample"]) for stride in expected.strides if stride["end_sample"] < first - CONFIRMED
    ]
    for start in [*before, *later]:
        near = [place for place in own if abs(place - start) <= NEAR]
        assert near, f"no stride at {start}"
        assert own[near[0]][0] == pytest.approx(places[start], abs=apart_cm)
    for start, (length_cm, raised) in own.items():
        right = any(abs(start - place) <= 2 * NEAR and abs(length_cm - places[place]) < 5 for place in places)
        assert right or raised, f"stride at {start} of {length_cm:.1f} cm"


def missing(acc, gyr, at):
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
    def damage(acc, gyr, at):
        slip = Rotation.from_rotvec(np.deg2rad(angle_deg) * np.eye(3)[axis]).as_matrix()
        acc[at:], gyr[at:] = acc[at:] @ slip, gyr[at:] @ slip

    return damage


BROKEN = [missing, infinite, stuck, gyroscope_stuck, accelerometer_stuck]
SLIPS = [
    *(slips(0, angle_deg) for angle_deg in (-9, 9, 20)),
    *(slips(1, angle_deg) for angle_deg in (-9, 9, 20, 45)),
    *(slips(2, angle_deg) for angle_deg in (30, 90, 180)),
]
SLIP_NAMES = ["x-9", "x9", "x20", "y-9", "y9", "y20", "y45", "z30", "z90", "z180"]


@pytest.mark.parametrize("damage", BROKEN, ids=lambda damage: damage.__name__)
def test_push_broken_samples_recovers(library, recording, expected, middle, damage):
    estimator = push_all(library, damaged_copy(recording, lambda acc, gyr: damage(acc, gyr, middle)))
    assert_recovers(estimator, expected, middle)


@pytest.mark.parametrize("damage", BROKEN[2:], ids=lambda damage: damage.__name__)
@pytest.mark.parametrize("share", [0.3, 0.45, 0.6])
def test_flags_stuck_sensor_are_gap_in_its_stride_only(library, recording, expected, damage, share):
    at = sample_in(expected, 8, share)
    estimator = push_all(library, damaged_copy(recording, lambda acc, gyr: damage(acc, gyr, at)))
    assert_recovers(estimator, expected, at, at + 30)
    assert [number for number, raised in enumerate(estimator.flags) if "gap" in raised] == [8]


@pytest.mark.parametrize("damage", BROKEN[2:], ids=lambda damage: damage.__name__)
def test_flags_sensor_stuck_for_three_blocks_are_gap(library, recording, expected, damage):
    at = sample_in(expected, 8, 0.45)
    whole, part = damaged_copy(recording, lambda acc, gyr: damage(acc, gyr, at)), slice(at + 7, None)
    whole.acc_mps2[part], whole.gyr_radps[part] = recording.acc_mps2[part], recording.gyr_radps[part]
    flags_raised = push_all(library, whole).flags
    assert [number for number, raised in enumerate(flags_raised) if "gap" in raised] == [8]


@pytest.mark.parametrize("value", [0.0, 0.7])
@pytest.mark.parametrize("axis", range(6))
def test_flags_dead_axis_are_gap_in_all_strides(library, recording, expected, axis, value):
    at = sample_in(expected, 5, 0.3)

    def dies(acc, gyr):
        (acc, gyr)[axis // 3][at:, axis % 3] = value

    estimator = push_all(library, damaged_copy(recording, dies))
    flags_raised = [
        flags for start, flags in zip(estimator.starts, estimator.flags, strict=True) if start > at
    ]
    assert all("gap" in raised for raised in flags_raised)
    # Without the vertical axis of the accelerometer no stance is found, so there is no stride.
    assert len(flags_raised) >= RECOVERY or (axis == 2 and not flags_raised)


def test_flags_foot_turning_by_single_counts_are_not_gap(library, recording, expected):
    """Turn by one or two counts, which is almost nothing."""
    at, rng = sample_in(expected, 8, 0.45), np.random.default_rng(5)

    def hardly_turns(acc, gyr):
        gyr[at : at + 20] = rng.integers(-2, 3, (20, 3)) * constants.GYR_UNIT

    assert not any(
        "gap" in raised for raised in push_all(library, damaged_copy(recording, hardly_turns)).flags
    )


@pytest.mark.parametrize("before", range(-12, 12, 4))
def test_standing_sensor_stuck_in_stance_is_not_calibrated(library, recording, expected, before):
    """A stuck sensor must not change the bias: later strides are right."""
    at = sample_in(expected, 8, 0) - before

    def is_stuck(acc, gyr):
        acc[at : at + 300], gyr[at : at + 300] = acc[at - 1], gyr[at - 1]

    estimator = push_all(library, damaged_copy(recording, is_stuck))
    assert sum(estimator.starts > at + 300) >= RECOVERY
    assert_recovers(estimator, expected, at, at + 300)


@pytest.mark.parametrize("share", [0.3, 0.55, 0.75])
@pytest.mark.parametrize("damage", SLIPS, ids=SLIP_NAMES)
def test_push_slipped_sensor_is_flagged_and_recovers(library, recording, expected, damage, share):
    at = sample_in(expected, 3, share)
    estimator = push_all(library, damaged_copy(recording, lambda acc, gyr: damage(acc, gyr, at)))
    assert_recovers(estimator, expected, at, apart_cm=3)
    for number in strides_with(estimator, at, at):
        apart_cm = estimator.strides[number]["length_cm"] - expected.strides[number]["length_cm"]
        assert estimator.flags[number] or abs(apart_cm) <= 2


@pytest.mark.parametrize("share", [0.12, 0.3, 0.5, 0.75])
def test_flags_event_are_raised_in_the_stride_of_the_event(library, recording, expected, share):
    """Also if the stride before is not reported yet, and for each of two events."""
    late, again = sample_in(expected, 4, share), sample_in(expected, 5, 0.2)
    full_scale = [c.ctypes.c_float(value) for value in (160, 35)]

    def loses(acc, gyr, at):
        acc[at : at + 3] = np.nan
        acc[at + 3] += 40

    def saturates(acc, gyr, at):
        acc[at : at + 3, 0] = 160

    for damage, flag in ((loses, "gap"), (saturates, "saturated")):
        for places, strides in (((late,), [4]), ((late, again), [4, 5])):
            estimator = CEstimator(library, recording.rate_hz)
            library.c.tinystride_set_full_scale(estimator.state, *full_scale)
            acc, gyr = recording.acc_mps2.copy(), recording.gyr_radps.copy()
            for at in places:
                damage(acc, gyr, at)
            for sample in zip(acc, gyr, strict=True):
                estimator.push(*sample)
            assert [number for number, raised in enumerate(estimator.flags) if flag in raised] == strides
            assert_recovers(estimator, expected, places[0], places[-1])


LOSSES = ["gap", "nan", "inf", "time stamps", "jump"]


@pytest.mark.parametrize("share", [0.1, 0.4, 0.6, 0.9])
@pytest.mark.parametrize("how", LOSSES)
def test_push_lost_stride_flags_the_next_one_previous_missing(library, recording, expected, how, share):
    first, lost = sample_in(expected, 6, share), 7
    acc, gyr = recording.acc_mps2.copy(), recording.gyr_radps.copy()
    estimator = CEstimator(library, recording.rate_hz)
    for i in range(recording.n_samples):
        gone, sample = first <= i < first + lost, (acc[i], gyr[i])
        if how in ("time stamps", "jump"):
            jump_us = 10_000_000 if how == "jump" and i >= first else 0
            if not gone:
                estimator.push_at(10_000 * i + jump_us, *sample)
        elif how == "gap":
            if i == first:
                estimator.gap(lost)
            if not gone:
                estimator.push(*sample)
        else:
            estimator.push(sample[0], sample[1] * (float(how) if gone else 1.0))
    # After a jump of the clock the number of lost samples is unknown.
    shift = lost - 4 if how == "jump" else 0
    for stride in estimator.strides:
        for end in ("start_sample", "end_sample"):
            stride[end] += shift if stride[end] > first else 0
    assert_recovers(estimator, expected, first, first + lost, apart_cm=2)
    assert_loss_is_reported(estimator, first, first + lost)
    assert len(expected.strides) - len(estimator.strides) <= (2 if share < 0.4 else 1)


def test_gap_before_first_stance_flags_nothing(library, recording, expected):
    estimator = CEstimator(library, recording.rate_hz)
    estimator.gap(50)
    for i, sample in enumerate(zip(recording.acc_mps2, recording.gyr_radps, strict=True)):
        if i == 3:
            estimator.gap(20)
        estimator.push(*sample)
    # The first stride is half as long as others, near the limit of "out-of-range".
    assert estimator.flags[1:] == expected.flags[1:] and len(estimator.strides) == len(expected.strides)
    assert set(estimator.flags[:1]) <= {"", "out-of-range"}


@pytest.mark.parametrize("samples", [1, 3, 4, 10, 100, 1000])
def test_gap_lost_samples_are_interpolated_or_strides_start_again(
    library, recording, expected, middle, samples
):
    def push(estimator, i, acc, gyr):
        if i == middle + samples:
            estimator.gap(samples)
        estimator.push(acc, gyr)

    lost = range(middle, middle + samples)
    estimator = push_all(library, recording, push, lost)
    assert_recovers(estimator, expected, middle, middle + samples)
    assert (len(estimator.strides) == len(expected.strides)) == (samples <= 3)


@pytest.fixture(scope="module")
def run():
    return simulate_activity("running", seed=1)


def test_push_start_while_running_reports_strides(library, run):
    estimator = CEstimator(library, run.rate_hz)
    for acc, gyr in zip(run.acc_mps2[1000:], run.gyr_radps[1000:], strict=True):
        estimator.push(acc, gyr)
    assert len(estimator.strides) >= 12


def test_gap_while_running_loses_few_strides(library, run):
    """A running foot is never stationary."""
    whole = push_all(library, run)
    first = sample_in(whole, 8, 0.5)
    estimator = push_all(
        library, damaged_copy(run, lambda acc, gyr: np.copyto(acc[first : first + 5], np.nan))
    )
    assert len(estimator.strides) >= len(whole.strides) - 3
    assert_loss_is_reported(estimator, first, first + 5)


def test_set_full_scale_known_or_unknown_saturation_is_flagged(library, recording, expected):
    assert not any("saturated" in raised for raised in expected.flags)
    clipped = damaged_copy(recording, lambda acc, gyr: np.clip(gyr, -5, 5, out=gyr))
    unknown = push_all(library, clipped)
    assert len(unknown.strides) >= 10
    estimator = CEstimator(library, recording.rate_hz)
    full_scale = [c.ctypes.c_float(value) for value in (160, 5)]
    assert library.c.tinystride_set_full_scale(estimator.state, *full_scale) == c.OK
    for acc, gyr in zip(recording.acc_mps2, np.clip(recording.gyr_radps, -5, 5), strict=True):
        estimator.push(acc, gyr)
    assert len(estimator.strides) >= 10
    for own in (unknown, estimator):
        # Strides are flagged if they lost much rotation; less is repaired without a flag.
        repaired_m = [
            rotation_error_m(stride["duration_s"], np.deg2rad(stride["repaired_deg"]))
            for stride in own.strides
        ]
        much = [moved_m > constants.MAX_REPAIRED_M for moved_m in repaired_m]
        assert ["saturated" in raised for raised in own.flags] == much and sum(much) >= 5


@pytest.mark.parametrize("full_scale_mps2", [120, 0])
def test_push_short_saturation_recovers(library, recording, expected, full_scale_mps2):
    """Saturate the accelerometer, with a known and an unknown full scale."""
    at = sample_in(expected, 4, 0.7)
    acc = recording.acc_mps2.copy()
    acc[at : at + 4, 0] = 120
    estimator = CEstimator(library, recording.rate_hz)
    full_scale = [c.ctypes.c_float(value) for value in (full_scale_mps2, 0)]
    assert library.c.tinystride_set_full_scale(estimator.state, *full_scale) == c.OK
    for sample in zip(acc, recording.gyr_radps, strict=True):
        estimator.push(*sample)
    assert [number for number, raised in enumerate(estimator.flags) if "saturated" in raised] == [4]
    assert_recovers(estimator, expected, at, at + 4)


def test_push_invalid_samples_returns_error(library):
    estimator = CEstimator(library, 100)
    assert estimator.push([0, 0, 9.8], [0, 0, 0]) == c.OK
    for acc, gyr in (([np.nan, 0, 0], [0] * 3), ([0, 0, -np.inf], [0] * 3), ([0] * 3, [0, 1e9, 0])):
        assert estimator.push(acc, gyr) == c.ERROR_SAMPLE
    assert estimator.push([150.1, 160.0, -900.0], [40, -190, 0]) == c.OK


def test_push_wrong_unit_returns_error_units(library, recording):
    statuses = set()
    estimator = CEstimator(library, recording.rate_hz)
    for acc, gyr in zip(recording.acc_mps2 / 9.80665, recording.gyr_radps, strict=True):
        statuses.add(estimator.push(acc, gyr))
    assert statuses == {c.OK, c.ERROR_UNITS} and not estimator.strides


def test_calls_wrong_arguments_return_errors(library, recording):
    for rate_hz in (39.9, 420.1, np.nan, -100):
        estimator = CEstimator(library, rate_hz)
        assert estimator.status == c.ERROR_RATE
        assert estimator.push([0] * 3, [0] * 3) == estimator.reset() == estimator.gap(1) == c.ERROR_STATE
    assert library.c.tinystride_init(None, 0, 0) == c.ERROR_NULL
    estimator = CEstimator(library, 100)
    assert library.c.tinystride_push(estimator.state, None, None, None) == c.ERROR_NULL
    assert library.c.tinystride_init(estimator.state, c.ctypes.c_float(100), 2) == c.ERROR_FOOT


def test_reset_same_walk_gives_the_same_strides(library, recording, expected):
    estimator = push_all(library, recording)
    assert estimator.reset() == c.OK
    estimator.strides.clear()
    for acc, gyr in zip(recording.acc_mps2, recording.gyr_radps, strict=True):
        estimator.push(acc, gyr)
    assert estimator.starts.tolist() == expected.starts.tolist()
    assert estimator.lengths_cm.tolist() == expected.lengths_cm.tolist()


def test_push_int16_counts_give_the_same_strides(library, recording, expected):
    scales = 16 * 9.80665 / 32768, np.deg2rad(2000) / 32768

    def push(estimator, i, acc, gyr):
        estimator.push_int16(
            np.rint(acc / scales[0]).astype(int), np.rint(gyr / scales[1]).astype(int), *scales
        )

    estimator = push_all(library, recording, push)
    assert estimator.starts.tolist() == expected.starts.tolist()
    assert estimator.lengths_cm == pytest.approx(expected.lengths_cm, abs=0.2)


@pytest.mark.parametrize("off", [0.97, 1.0, 1.03])
@pytest.mark.parametrize("from_sample", [0, 430])
def test_push_at_wrong_rate_is_corrected(library, recording, expected, off, from_sample):
    """Configure a rate other than the true 100 Hz, with a clock that wraps around.

    A stream that starts during a walk has no second of standing in which the rate can be measured.
    """
    start_us, rng = (1 << 32) - 5_000_000, np.random.default_rng(1)
    jitter_us = rng.integers(-800, 800, recording.n_samples)
    stamped, plain = CEstimator(library, off * recording.rate_hz), CEstimator(library, recording.rate_hz)
    for i in range(from_sample, recording.n_samples):
        sample = recording.acc_mps2[i], recording.gyr_radps[i]
        stamped.push_at(start_us + 10_000 * i + int(jitter_us[i]), *sample)
        plain.push(*sample)
    assert len(plain.strides) >= 12 - from_sample // 100
    assert np.abs(stamped.starts - plain.starts).max() <= 3
    apart_cm = np.abs(stamped.lengths_cm - plain.lengths_cm)
    assert apart_cm[RECOVERY:].max() < 1
    assert all(apart < 1 or raised for apart, raised in zip(apart_cm, stamped.flags, strict=True))


@pytest.mark.parametrize("off", [0.97, 0.99, 1.01, 1.03])
def test_push_wrong_rate_scales_lengths(library, recording, expected, off):
    """Samples do not show a wrong rate: 1 % changes lengths by 2.4 % (docs/firmware.md)."""
    estimator = CEstimator(library, off * recording.rate_hz)
    for sample in zip(recording.acc_mps2, recording.gyr_radps, strict=True):
        estimator.push(*sample)
    ratio = estimator.lengths_cm / expected.lengths_cm
    assert len(ratio) == len(expected.strides)
    assert np.median(ratio) - 1 == pytest.approx(-2.4 * (off - 1), rel=0.1)


def test_push_at_lost_samples_and_jumps_recover(library, recording, expected, middle):
    def stamped(jump_us):
        def push(estimator, i, acc, gyr):
            statuses.add(estimator.push_at(10_000 * i + (jump_us if i >= middle else 0), acc, gyr))

        return push

    for jump_us in (40_000_000, -40_000_000):
        statuses = set()
        assert_recovers(push_all(library, recording, stamped(jump_us)), expected, middle)
        assert c.ERROR_TIME not in statuses
    statuses = set()
    estimator = push_all(library, recording, stamped(0), range(middle, middle + 3))
    assert len(estimator.strides) == len(expected.strides)
    assert estimator.push_at(10_000 * (recording.n_samples - 1), [0, 0, 9.8], [0, 0, 0]) == c.ERROR_TIME


@pytest.mark.parametrize("ahead_us", [10_000, 20_000, 30_000])
def test_push_at_small_clock_jump_leaves_no_error_unflagged(library, recording, expected, ahead_us):
    """All samples arrive, but some count as lost."""
    flagged = 0
    for share in np.linspace(0.05, 0.95, 10):
        at = sample_in(expected, 5, share)
        estimator = CEstimator(library, recording.rate_hz)
        for i, sample in enumerate(zip(recording.acc_mps2, recording.gyr_radps, strict=True)):
            estimator.push_at(10_000 * i + (ahead_us if i >= at else 0), *sample)
        off_cm = estimator.lengths_cm[5] - expected.lengths_cm[5]
        assert "gap" in estimator.flags[5] or abs(off_cm) < 5
        assert np.abs(estimator.lengths_cm - expected.lengths_cm)[6:].max() < 2
        flagged += "gap" in estimator.flags[5]
    assert flagged >= 5


def test_direction_sensor_turned_by_half_turn_flags_not_walking(library, recording, expected):
    """Turn about the vertical in one stance, so that only the direction of the foot shows it."""
    at = int(expected.strides[6]["start_sample"])
    up = recording.acc_mps2[:100].mean(axis=0)
    half_turn = 2 * np.outer(up, up) / (up @ up) - np.eye(3)
    estimator = CEstimator(library, recording.rate_hz)
    for i, sample in enumerate(zip(recording.acc_mps2, recording.gyr_radps, strict=True)):
        estimator.push(*(axes @ half_turn if i >= at else axes for axes in sample))
    assert_recovers(estimator, expected, at, at, apart_cm=2)
    assert not any("not-walking" in raised for raised in expected.flags)
    assert "not-walking" in estimator.flags[6] and "not-walking" not in " ".join(estimator.flags[8:])


@pytest.mark.parametrize("seed", [5, 7, 11])
def test_direction_reversal_flags_not_walking(native, monkeypatch, seed):
    """Simulate single kicks of a leg on a high seat; one kick of each seed turns like a walking foot."""

    def kicks(rng, time_s):
        angle = simulated_activities._levels(rng, time_s, 0.5, 0.5, np.deg2rad(-25), np.deg2rad(40))
        foot = 0.45 * np.stack([np.sin(angle), 0 * angle, 1 - np.cos(angle)], axis=1)
        return foot, np.outer(angle, [0, -1, 0])

    monkeypatch.setitem(simulated_activities.POSES, "sitting", kicks)
    rng = np.random.default_rng([seed, 7])
    person = {"subject": SimulatedSubject.draw(rng), "sensor": VirtualSensor.draw(rng)}
    strides = native.strides(simulate_activity("sitting", duration_s=300, seed=seed, **person))
    assert len(strides) > 20 and (strides["flags"] == "").sum() <= 1


@pytest.mark.parametrize("share", [0.3, 0.45, 0.6, 0.75])
@pytest.mark.parametrize("back_us", [20_000, 50_000, 100_000, 300_000, 900_000])
def test_push_at_clock_set_back_flags_gap(library, recording, expected, share, back_us):
    """Samples are dropped until the clock passes its earlier value; their number is unknown."""
    at = sample_in(expected, 5, share)
    estimator = CEstimator(library, recording.rate_hz)
    for i, sample in enumerate(zip(recording.acc_mps2, recording.gyr_radps, strict=True)):
        estimator.push_at(10_000 * i - (back_us if i >= at else 0), *sample)
    # Sample numbers do not include dropped samples.
    for stride in estimator.strides:
        for end in ("start_sample", "end_sample"):
            stride[end] += back_us // 10_000 if stride[end] >= at else 0
    assert_recovers(estimator, expected, at, at + back_us // 10_000, apart_cm=2)
    assert "gap" in estimator.flags[5] and sum("gap" in raised for raised in estimator.flags) == 1


def test_push_at_jitter_flags_nothing(library, recording, expected):
    """If a sample is read twice, the second one is dropped."""
    rng, estimator = np.random.default_rng(2), CEstimator(library, recording.rate_hz)
    statuses = []
    for i, sample in enumerate(zip(recording.acc_mps2, recording.gyr_radps, strict=True)):
        stamp_us = 10_000 * i + int(rng.integers(-2000, 2000))
        statuses.append(estimator.push_at(stamp_us, *sample))
        if i % 50 == 49:
            statuses.append(estimator.push_at(stamp_us - int(rng.integers(2000)), *sample))
    assert statuses.count(c.ERROR_TIME) == recording.n_samples // 50
    # The first stride is near the limit of "out-of-range".
    assert estimator.flags[1:] == expected.flags[1:]


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
@pytest.mark.parametrize("level", ["-Os", "-O3"])
def test_source_strict_compilers_give_no_warning(c_library, tmp_path, compiler, level):
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


def test_source_has_no_double_allocation_or_stdio():
    text = translation_unit() + header()
    code = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    assert not re.findall(r"\b(double|malloc|calloc|free|printf|stdio)\b", code)
    assert not re.findall(r"(?<![\w.])\d+\.\d*(?:e-?\d+)?(?![\dfe.])", code), (
        "a literal without f is a double"
    )


def test_header_deprecated_names_have_the_new_values(c_library):
    text = '#include "tinystride.h"\nTINYSTRIDE_LEAST_RATE_HZ TINYSTRIDE_LARGEST_RATE_HZ\n'
    command = ["cc", "-E", "-P", "-x", "c", f"-I{c_library / 'include'}", "-"]
    expanded = subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout
    assert expanded.splitlines()[-1].split() == ["40.0f", "420.0f"]


def defined(name: str) -> float:
    found = re.search(rf"#define {name} \(?([-\d.e]+)[fu]?\)?(?:\s|$)", translation_unit() + header())
    assert found, name
    return float(found[1])


def test_constants_c_and_python_are_equal():
    own = {name: value for name, value in vars(constants).items() if name.isupper() and name[0] != "_"}
    numbers = {name: own[name] for name in constants.__annotations__ if not isinstance(own[name], tuple)}
    assert len(numbers) > 70
    for name, value in numbers.items():
        # Integers must be equal, because they decide about strides.
        assert defined(name) == (value if isinstance(value, int) else pytest.approx(value, rel=1e-7)), name
    assert defined("TINYSTRIDE_HISTORY_BLOCKS") == constants.HISTORY_BLOCKS
    assert defined("TINYSTRIDE_MOTION_BLOCKS") == constants.MOTION_BLOCKS


def test_constants_in_counts_equal_those_of_gait():
    unit = 1e-4
    assert constants.STATIONARY_ENERGY * unit == pytest.approx(events.STATIONARY_THRESHOLD**2)
    for name in ("STATIONARY_THRESHOLD", "MAX_STANCE_MOTION", "MAX_RUNNING_MOTION"):
        assert getattr(constants, name) / 1600 == pytest.approx(getattr(events, name)), name
    assert 1600**2 * unit == 2**constants.MOTION_SHIFT == constants.MOTION_PER_ROOT**2
    assert constants.MOTION_FLOOR * unit == pytest.approx(events.MOTION_FLOOR**2)
    counts = constants.ACC_UNIT / events.MPS2_PER_RADPS
    assert counts**2 * constants.ACC_SQUARES_PER_MOTION == pytest.approx(unit)
    assert pytest.approx(unit) == constants.GYR_UNIT**2 * 2**constants.ENERGY_SHIFT
    assert np.divide(constants.PITCH_TEMPLATE_VALUES, 10) == pytest.approx(walking.PITCH_RADPS)
    assert np.divide(constants.SIDE_WEIGHT_VALUES, 100) == pytest.approx(side.WEIGHTS)


def test_replay_walk_with_all_errors_passes_sanitizers(c_library, recording, tmp_path):
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
