"""Each transformation gives strides whose integral equals the label.

Strides come from recordings and from formulas for a foot that swings, pitches and rolls (`walked`),
evaluated on a fine grid. Neither these nor the integration in this file share code with the module under
test.
"""

from itertools import chain, islice

import numpy as np
import pytest
from attrs import evolve, fields
from scipy.integrate import cumulative_trapezoid
from scipy.spatial.transform import Rotation

from tinystride.datasets.loading import load_recordings
from tinystride.errors import ParameterError
from tinystride.gait import strapdown
from tinystride.gait.signals import StrideSignals
from tinystride.gait.strides import gather_strides
from tinystride.learning.augmentation import (
    CHUNK,
    GRAVITY_MPS2,
    GRID,
    MARGIN,
    POINTS,
    STRIDE,
    AugmentationOptions,
    augment,
    curved,
    cut,
    half_rate,
    mounted,
    pitched,
    recover_motion,
    resample_with_margin,
    scaled,
    synthesize,
    warped,
)

LEVER_ARM_M = np.array([0.0, 0.0, 0.07])
BOUND_CM = 0.3
ACC_ERROR_MPS2 = np.array([0.1, -0.2, 0.05])
STRIDES = 60
FINE = 20


@pytest.fixture(scope="module")
def walked():
    """Return acc_mps2, gyr_radps [n, GRID, 3], duration_s and length_cm [n] of feet at rest at both
    mid-stances.
    """
    rng = np.random.default_rng(1)
    duration = rng.uniform(0.9, 1.4, STRIDES)[:, None]
    length_m = rng.uniform(0.7, 1.7, STRIDES)[:, None]
    phase = (np.arange((GRID - 1) * FINE + 1) / FINE - MARGIN) / (POINTS - 1)
    u = np.clip((phase - 0.2) / 0.7, 0, 1)
    way = u**4 * (35 - 84 * u + 70 * u**2 - 20 * u**3)
    lift = (u * (1 - u)) ** 4 * 256
    pitch = 0.9 * np.sin(2 * np.pi * u) * lift ** (1 / 4) + 0.05 * np.sin(np.pi * phase)
    direction = rng.uniform(-0.2, 0.2, STRIDES)[:, None]
    angles = np.stack(
        np.broadcast_arrays(0.2 * np.sin(3 * np.pi * u) * lift, rng.uniform(0.7, 1.2, (STRIDES, 1)) * pitch),
        axis=-1,
    )
    turn = Rotation.from_euler("XY", angles.reshape(-1, 2))
    point = np.stack(
        np.broadcast_arrays(
            length_m * np.cos(direction) * way, length_m * np.sin(direction) * way, 0.12 * lift
        ),
        axis=-1,
    )
    step = duration[:, :, None] / (POINTS - 1) / FINE
    place = point + turn.apply(LEVER_ARM_M).reshape(point.shape)
    force = np.gradient(np.gradient(place, axis=1), axis=1) / step**2 + [0, 0, GRAVITY_MPS2]
    acc = turn.apply(force.reshape(-1, 3), inverse=True).reshape(point.shape)
    matrices = turn.as_matrix().reshape(*point.shape, 3)
    small = matrices[:, :-1].swapaxes(-1, -2) @ matrices[:, 1:]
    rates = Rotation.from_matrix(small.reshape(-1, 3, 3)).as_rotvec().reshape(STRIDES, -1, 3) / step
    gyr = np.concatenate([rates[:, :1], (rates[:, 1:] + rates[:, :-1]) / 2, rates[:, -1:]], axis=1)
    return acc[:, ::FINE], gyr[:, ::FINE], duration[:, 0], 100 * length_m[:, 0]


@pytest.fixture(scope="module")
def recorded(raw_folder):
    """The same for people with measured or integrated stride lengths."""
    recordings = chain.from_iterable(
        islice(load_recordings(raw_folder, [name]), 3) for name in ("ipol-healthy", "llio-ruler")
    )
    strides = gather_strides(recordings)
    usable = strides.table[strides.table["usable"] & (strides.table["flags"] == "")]
    rows = usable.iloc[np.linspace(0, len(usable) - 1, STRIDES).astype(int)]
    samples = resample_with_margin(strides.signals.select(rows["stride_id"]))
    return *samples, rows["stride_length_cm"].to_numpy()


@pytest.fixture(params=["walked", "recorded"])
def measured(request):
    return request.getfixturevalue(request.param)


@pytest.fixture
def motion(measured):
    return recover_motion(*measured, LEVER_ARM_M, with_error=False)


def integral_cm(acc, gyr, duration_s, start, lever_arm_m):
    """Return the displacement [n] of the turning point, by strapdown integration of [n, POINTS, 3].

    start: [n, 3, 3], orientation at the first mid-stance; lever_arm_m: [n, 3], from the point to the sensor
    """
    step = (duration_s / (POINTS - 1))[:, None, None]
    turn = [Rotation.from_matrix(start)]
    for k in range(POINTS - 1):
        turn.append(turn[-1] * Rotation.from_rotvec((gyr[:, k] + gyr[:, k + 1]) / 2 * step[:, 0]))
    acceleration = np.stack([r.apply(acc[:, k]) for k, r in enumerate(turn)], axis=1) - [0, 0, GRAVITY_MPS2]
    at_rest = [turn[k].apply(np.cross(gyr[:, k], lever_arm_m)) for k in (0, -1)]
    velocity = cumulative_trapezoid(acceleration, axis=1, initial=0) * step + at_rest[0][:, None]
    velocity += (at_rest[1] - velocity[:, -1])[:, None] * np.linspace(0, 1, POINTS)[:, None]
    way = (
        np.trapezoid(velocity, axis=1) * step[:, 0] - turn[-1].apply(lever_arm_m) + turn[0].apply(lever_arm_m)
    )
    return 100 * np.hypot(way[:, 0], way[:, 1])


def synthesized_integral_cm(motion, lever_arm_m=None):
    """Return the integral of the samples of a sensor at `lever_arm_m`, integrated with that lever arm."""
    lever_arm = motion.lever_arm_m if lever_arm_m is None else lever_arm_m
    acc, gyr = synthesize(motion, lever_arm)
    return integral_cm(
        acc[:, STRIDE], gyr[:, STRIDE], motion.duration_s, motion.orientation[:, MARGIN], lever_arm
    )


def random(low, high, seed=0):
    return np.random.default_rng(seed).uniform(low, high, STRIDES)


def test_synthesize_untransformed_stride_gives_its_samples(measured):
    acc, gyr, duration, length = measured
    wrong_label = length + 5
    motion = recover_motion(acc + ACC_ERROR_MPS2, gyr, duration, wrong_label, LEVER_ARM_M)
    again = synthesize(motion)
    np.testing.assert_allclose(again[0], acc + ACC_ERROR_MPS2, atol=1e-9)
    np.testing.assert_array_equal(again[1], gyr)
    np.testing.assert_array_equal(motion.length_cm, wrong_label)


def test_recover_motion_without_error_integral_equals_label(measured):
    acc, gyr, duration, length = measured
    label = length * random(0.95, 1.05)
    motion = recover_motion(acc + ACC_ERROR_MPS2, gyr, duration, label, LEVER_ARM_M, with_error=False)
    np.testing.assert_allclose(synthesized_integral_cm(motion), label, atol=BOUND_CM)


def test_recover_motion_with_error_per_stride_is_kept(measured):
    acc, gyr, duration, length = measured
    kept = np.arange(STRIDES) % 2 == 0
    motion = recover_motion(acc, gyr, duration, length + 4, LEVER_ARM_M, with_error=kept)
    found = integral_cm(
        acc[:, STRIDE], gyr[:, STRIDE], duration, motion.orientation[:, MARGIN], motion.lever_arm_m
    )
    made = synthesized_integral_cm(motion)
    np.testing.assert_allclose(made[kept], found[kept], atol=1e-6)
    np.testing.assert_allclose(made[~kept], (length + 4)[~kept], atol=BOUND_CM)


def test_scaled_path_and_label_are_scaled(motion):
    factor = random(0.4, 1.5)
    made = scaled(motion, factor, random(0.7, 1.4, seed=1))
    np.testing.assert_allclose(made.length_cm, factor * motion.length_cm)
    np.testing.assert_allclose(synthesized_integral_cm(made), made.length_cm, atol=BOUND_CM)


def test_scaled_error_of_the_integral_is_kept(measured):
    acc, gyr, duration, length = measured
    motion = recover_motion(acc, gyr, duration, length + 4, LEVER_ARM_M)
    made = scaled(motion, random(0.6, 1.4), np.ones(STRIDES))
    missed = length + 4 - synthesized_integral_cm(motion)
    np.testing.assert_allclose(made.length_cm - synthesized_integral_cm(made), missed, atol=BOUND_CM)


def test_warped_motion_follows_the_definition(motion):
    longer, bend = random(0.75, 1.3), 0.02 * np.random.default_rng(2).standard_normal((STRIDES, 2))
    made = warped(motion, longer, np.clip(bend, -0.04, 0.04))
    np.testing.assert_allclose(made.duration_s, longer * motion.duration_s)
    np.testing.assert_array_equal(made.length_cm, motion.length_cm)
    np.testing.assert_allclose(synthesized_integral_cm(made), made.length_cm, atol=BOUND_CM)


def test_warped_duration_only_slows_evenly(motion):
    made = warped(motion, np.full(STRIDES, 2.0), np.zeros((STRIDES, 1)))
    np.testing.assert_allclose(made.gyr_radps, motion.gyr_radps / 2, atol=1e-9)
    np.testing.assert_allclose(made.acceleration_mps2, motion.acceleration_mps2 / 4, atol=1e-9)


def test_pitched_orientation_follows_the_definition(motion):
    factor = random(0.75, 1.25)
    made = pitched(motion, factor)
    np.testing.assert_array_equal(made.length_cm, motion.length_cm)
    np.testing.assert_allclose(synthesized_integral_cm(made), made.length_cm, atol=BOUND_CM)
    old, new = (np.ptp(pitch_rad(m.orientation[:, STRIDE]), axis=1) for m in (motion, made))
    np.testing.assert_allclose(new / old, factor, atol=0.02)
    turned = made.orientation[:, :-1].swapaxes(-1, -2) @ made.orientation[:, 1:]
    rates = Rotation.from_matrix(turned.reshape(-1, 3, 3)).as_rotvec().reshape(STRIDES, -1, 3)
    rates /= made.step_s[:, None, None]
    np.testing.assert_allclose(rates, (made.gyr_radps[:, 1:] + made.gyr_radps[:, :-1]) / 2, atol=0.15)


def pitch_rad(orientation):
    return np.arctan2(-orientation[..., 2, 0], orientation[..., 2, 2])


def test_curved_heading_follows_the_definition(motion):
    heading = random(-0.8, 0.8)
    made = curved(motion, heading)
    np.testing.assert_allclose(synthesized_integral_cm(made), made.length_cm, atol=BOUND_CM)
    turned = made.orientation[:, STRIDE][:, -1] @ motion.orientation[:, STRIDE][:, -1].swapaxes(-1, -2)
    np.testing.assert_allclose(Rotation.from_matrix(turned).as_rotvec()[:, 2], heading, atol=1e-9)


def test_curved_straight_path_becomes_an_arc(walked):
    heading = random(-0.8, 0.8)
    made = curved(recover_motion(*walked, LEVER_ARM_M), heading)
    # The chord of an arc through the angle a is sin(a / 2) / (a / 2) of its length. The foot also turns while
    # it rests, so its path bends less.
    assert np.all(made.length_cm < walked[3])
    assert np.all(made.length_cm > np.sinc(heading / 2 / np.pi) * walked[3])


def test_transformations_combined_keep_the_label(motion):
    made = warped(
        curved(
            pitched(scaled(motion, random(0.6, 1.4), random(0.8, 1.25, 1)), random(0.85, 1.15, 2)),
            random(-0.4, 0.4, 3),
        ),
        random(0.8, 1.25, 4),
        np.stack([random(-0.02, 0.02, 5), random(-0.02, 0.02, 6)], axis=1),
    )
    np.testing.assert_allclose(synthesized_integral_cm(made), made.length_cm, atol=BOUND_CM)


def test_synthesize_other_lever_arm_keeps_the_length(motion):
    lever_arm = LEVER_ARM_M + 0.02 * np.random.default_rng(3).standard_normal((STRIDES, 3))
    np.testing.assert_allclose(synthesized_integral_cm(motion, lever_arm), motion.length_cm, atol=BOUND_CM)


def test_synthesize_unknown_lever_arm_changes_the_integral(walked):
    motion = recover_motion(*walked, LEVER_ARM_M, with_error=False)
    lever_arm = LEVER_ARM_M + random(-0.04, 0.04)[:, None] * [0, 0, 1]
    acc, gyr = (samples[:, STRIDE] for samples in synthesize(motion, lever_arm))
    start = motion.orientation[:, MARGIN]
    assumed = integral_cm(acc, gyr, motion.duration_s, start, motion.lever_arm_m)
    rates = (gyr[:, 0, 1] + gyr[:, -1, 1]) / 2
    # It misses the mean over both mid-stances of pitch rate × height, for the duration of the stride.
    expected = 100 * rates * (lever_arm - LEVER_ARM_M)[:, 2] * motion.duration_s
    np.testing.assert_allclose(motion.length_cm - assumed, expected, atol=BOUND_CM)


def test_mounted_rotated_axes_keep_the_integral(motion):
    rotation = 0.2 * np.random.default_rng(4).standard_normal((STRIDES, 3))
    acc, gyr = (mounted(samples[:, STRIDE], rotation) for samples in synthesize(motion))
    np.testing.assert_allclose(mounted(acc, -rotation), synthesize(motion)[0][:, STRIDE], atol=1e-9)
    frame = Rotation.from_rotvec(rotation).as_matrix()
    found = integral_cm(
        acc,
        gyr,
        motion.duration_s,
        motion.orientation[:, MARGIN] @ frame,
        (motion.lever_arm_m[:, None] @ frame)[:, 0],
    )
    np.testing.assert_allclose(found, motion.length_cm, atol=BOUND_CM)


def test_integral_gyroscope_bias_error_equals_theory(motion):
    # A pitch that grows by b t turns g into an acceleration g b t; after de-drifting b g T³ / 12 are missing.
    acc, gyr = (samples[:, STRIDE] for samples in synthesize(motion))
    found = integral_cm(
        acc,
        gyr + np.array([0, 0.01, 0]),
        motion.duration_s,
        motion.orientation[:, MARGIN],
        motion.lever_arm_m,
    )
    expected = 100 * 0.01 * GRAVITY_MPS2 * motion.duration_s**3 / 12
    np.testing.assert_allclose(motion.length_cm - found, expected, rtol=0.25)


def test_cut_without_jitter_changes_nothing(motion):
    acc, _ = synthesize(motion)
    at = np.zeros(STRIDES)
    np.testing.assert_allclose(cut(acc, at, at, motion.step_s), acc[:, STRIDE], atol=1e-12)


def test_cut_shifted_gives_samples_at_the_shifted_times():
    times = np.tile((np.arange(GRID) - MARGIN) * 0.02, (STRIDES, 1))
    start, end = random(-0.06, 0.06), random(-0.06, 0.06, seed=1)
    found = cut(np.sin(12 * times)[..., None], start, end, np.full(STRIDES, 0.02))[..., 0]
    wanted = start[:, None] + (0.02 * (POINTS - 1) + end - start)[:, None] * np.linspace(0, 1, POINTS)
    np.testing.assert_allclose(found, np.sin(12 * wanted), atol=2e-4)


def test_cut_at_rest_keeps_the_integral(walked):
    motion = recover_motion(*walked, LEVER_ARM_M, with_error=False)
    # The feet of `walked` rest for at least a tenth of the stride before and after each mid-stance.
    start, end = random(-0.05, 0.05), random(-0.05, 0.05, seed=1)
    acc, gyr = (cut(samples, start, end, motion.step_s) for samples in synthesize(motion))
    found = integral_cm(
        acc, gyr, motion.duration_s + end - start, motion.orientation[:, MARGIN], motion.lever_arm_m
    )
    np.testing.assert_allclose(found, motion.length_cm, atol=0.5)


ALL = np.arange(STRIDES)
OFF = AugmentationOptions(
    **{field.name: (1, 1) if isinstance(field.default, tuple) else 0 for field in fields(AugmentationOptions)}
)


@pytest.mark.parametrize("first", [0, 1])
def test_half_rate_impact_is_doubled_or_lost(first):
    rate_hz, duration_s, impact_s, impact_mps2 = 200.0, 1.1, 0.8, 40.0
    time = np.arange(-30, round(duration_s * rate_hz) + 30) / rate_hz
    phase = np.clip(time / duration_s, 0, 1)
    acc = np.zeros((len(time), 3))
    acc[:, 0] = 2 * np.pi * 1.3 / duration_s**2 * np.sin(2 * np.pi * phase)
    acc[:, 2] = GRAVITY_MPS2
    struck = acc.copy()
    struck[np.abs(time - impact_s).argmin(), 0] += impact_mps2

    def lengths_cm(acc_mps2):
        signals = StrideSignals(
            stride_id=np.array(["a"]),
            rate_hz=np.array([rate_hz]),
            offset=np.array([0, len(time)]),
            mid_stance=np.array([[30, 30 + duration_s * rate_hz]]),
            initial_contact=np.full((1, 2), np.nan),
            acc_mps2=acc_mps2,
            gyr_radps=np.zeros_like(acc_mps2),
        )
        pair = signals, half_rate(signals, first)
        return [strapdown.integrate(*strapdown.resample(each)).length_cm[0] for each in pair]

    smooth, smooth_half = lengths_cm(acc)
    assert [smooth, smooth_half] == pytest.approx([130, 130], abs=BOUND_CM)
    whole, half = lengths_cm(struck)
    # The impact's velocity, once too much or missing altogether, lasts; half of it is taken for drift.
    velocity_mps = impact_mps2 / rate_hz * (1 if first == 0 else -1)
    assert half - whole == pytest.approx(100 * velocity_mps * (duration_s / 2 - impact_s), abs=BOUND_CM)


def test_augment_all_options_zero_returns_the_strides(measured):
    acc, gyr, duration, length = measured
    made = augment(recover_motion(*measured, LEVER_ARM_M), ALL, OFF, np.random.default_rng(0))
    for found, wanted in zip(made, (acc[:, STRIDE], gyr[:, STRIDE], duration, length), strict=True):
        np.testing.assert_allclose(found, wanted, atol=1e-9)


@pytest.mark.parametrize("name", [field.name for field in fields(AugmentationOptions)])
def test_augment_each_option_changes_the_strides(motion, name):
    option = {name: getattr(AugmentationOptions(), name)}
    plain, made = (
        augment(motion, ALL, options, np.random.default_rng(0)) for options in (OFF, evolve(OFF, **option))
    )
    assert not np.allclose(plain[0], made[0]) or not np.allclose(plain[1], made[1])
    changes_label = name in ("horizontal_scale", "heading_rad")
    assert np.allclose(plain[3], made[3]) != changes_label


def with_and_without(motion, **option):
    """Return strides that `augment` makes with one option alone, and with all options zero."""
    return (
        augment(motion, ALL, options, np.random.default_rng(0)) for options in (evolve(OFF, **option), OFF)
    )


def found_cm(motion, acc, gyr, duration_s, start=None, lever_arm_m=None):
    start = motion.orientation[:, MARGIN] if start is None else start
    return integral_cm(
        acc, gyr, duration_s, start, motion.lever_arm_m if lever_arm_m is None else lever_arm_m
    )


@pytest.mark.parametrize(("name", "which"), [("acc_bias_mps2", 0), ("gyr_bias_radps", 1)])
def test_augment_bias_is_constant_with_the_given_sd(motion, name, which):
    made, plain = with_and_without(motion, **{name: 0.02})
    bias = made[which] - plain[which]
    np.testing.assert_allclose(bias - bias[:, :1], 0, atol=1e-12)
    np.testing.assert_array_equal(made[1 - which], plain[1 - which])
    assert bias[:, 0].std(axis=0) == pytest.approx(0.02, rel=0.3)
    assert np.abs(np.corrcoef(bias[:, 0].T) - np.eye(3)).max() < 0.5


def test_integral_accelerometer_bias_is_removed_with_the_drift(motion):
    made, _ = with_and_without(motion, acc_bias_mps2=0.05)
    # A bias turns with the foot, so drift is not all of it: b T² / 12 is left at most, 0.5 cm of 0.05 m/s².
    missed = made[3] - found_cm(motion, *made[:3])
    assert np.abs(missed).max() < 3 * 0.5 * made[2].max() ** 2 + BOUND_CM
    assert missed.std() > 0.02


def test_augment_bias_is_the_error_of_the_integral(motion):
    made, plain = with_and_without(motion, gyr_bias_radps=0.01)
    bias = (made[1] - plain[1])[:, :1]
    unbiased = found_cm(motion, made[0], made[1] - bias, made[2])
    np.testing.assert_allclose(unbiased, made[3], atol=BOUND_CM)
    missed = made[3] - found_cm(motion, *made[:3])
    expected = 100 * bias[:, 0, 1] * GRAVITY_MPS2 * made[2] ** 3 / 12
    assert np.corrcoef(missed, expected)[0, 1] > 0.9 and missed.std() > 3 * BOUND_CM


@pytest.mark.parametrize(("name", "which"), [("acc_noise_mps2", 0), ("gyr_noise_radps", 1)])
def test_augment_noise_is_white_with_the_given_sd(motion, name, which):
    made, plain = with_and_without(motion, **{name: 0.03})
    noise = made[which] - plain[which]
    np.testing.assert_array_equal(made[1 - which], plain[1 - which])
    assert noise.std() == pytest.approx(0.03, rel=0.05)
    assert np.abs(noise.mean(axis=1)).max() < 5 * 0.03 / np.sqrt(POINTS)
    assert abs((noise[:, 1:] * noise[:, :-1]).mean()) < 0.05 * 0.03**2


def test_augment_noise_hardly_changes_the_integral(motion):
    made, _ = with_and_without(motion, acc_noise_mps2=0.03, gyr_noise_radps=0.001)
    np.testing.assert_allclose(found_cm(motion, *made[:3]), made[3], atol=2 * BOUND_CM)


def test_augment_mounting_is_the_same_for_both_sensors(motion):
    made, plain = with_and_without(motion, mounting_rad=0.1)
    frames = []
    for turned, before in zip(made[:2], plain[:2], strict=True):
        found = [Rotation.align_vectors(b, a)[0].as_matrix() for a, b in zip(turned, before, strict=True)]
        np.testing.assert_allclose(turned @ np.array(found).swapaxes(1, 2), before, atol=1e-6)
        frames.append(np.array(found))
    np.testing.assert_allclose(frames[0], frames[1], atol=1e-6)
    angle = Rotation.from_matrix(frames[0]).as_rotvec()
    assert angle.std(axis=0) == pytest.approx(0.1, rel=0.3)
    lever_arm = (motion.lever_arm_m[:, None] @ frames[0])[:, 0]
    start = motion.orientation[:, MARGIN] @ frames[0]
    np.testing.assert_allclose(found_cm(motion, *made[:3], start, lever_arm), made[3], atol=BOUND_CM)


def test_augment_cut_agrees_with_the_duration(walked):
    motion = recover_motion(*walked, LEVER_ARM_M, with_error=False)
    made, plain = with_and_without(motion, cut_jitter_s=0.02)
    longer = made[2] - plain[2]
    assert longer.std() == pytest.approx(0.02 * np.sqrt(2), rel=0.3)
    # Of all pairs of shifts that make the stride so much longer, one explains the samples of both sensors.
    acc, gyr = synthesize(motion)
    shifts = np.linspace(-0.08, 0.08, 321)
    for i in range(0, STRIDES, 7):
        one = [np.repeat(samples[i : i + 1], len(shifts), axis=0) for samples in (acc, gyr)]
        step = np.full(len(shifts), motion.step_s[i])
        far = [
            np.abs(cut(samples, shifts, shifts + longer[i], step) - made[k][i]).max(axis=(1, 2))
            for k, samples in enumerate(one)
        ]
        assert far[0].min() < 0.5 and far[1].min() < 0.05
        assert abs(shifts[far[0].argmin()] - shifts[far[1].argmin()]) <= 0.001
    np.testing.assert_allclose(found_cm(motion, *made[:3]), made[3], atol=0.5)


def test_augment_lever_arm_keeps_the_length(motion):
    made, plain = with_and_without(motion, lever_arm_m=0.01)
    np.testing.assert_array_equal(made[3], plain[3])
    missed = made[3] - found_cm(motion, *made[:3])
    rates = (made[1][:, 0, 1] + made[1][:, -1, 1]) / 2
    # An integrator that assumes the old lever arm ignores pitch rate × unknown height (1 cm SD).
    assert np.all(np.abs(missed) < BOUND_CM + 100 * 0.04 * (np.abs(rates) + 0.5) * made[2])


def test_warped_path_is_the_same_at_another_pace(walked):
    motion = recover_motion(*walked, LEVER_ARM_M, with_error=False)
    longer, bend = random(0.75, 1.3), np.stack([random(-0.02, 0.02, 5), random(-0.02, 0.02, 6)], axis=1)
    made = warped(motion, longer, bend)
    u = np.linspace(0, 1, POINTS)
    tau = u + bend @ np.sin(np.pi * np.arange(1, 3)[:, None] * u)
    old, new = (
        cumulative_trapezoid(m.velocity_mps[:, STRIDE], axis=1, initial=0) * m.step_s[:, None, None]
        for m in (motion, made)
    )
    wanted = np.stack([[np.interp(tau[i], u, axis) for axis in old[i].T] for i in range(STRIDES)]).swapaxes(
        1, 2
    )
    np.testing.assert_allclose(new, wanted, atol=0.005)


def test_augment_same_seed_gives_the_same_bytes_for_any_chunk(motion):
    rows = np.arange(CHUNK + 50) % STRIDES
    first, second = (augment(motion, rows, AugmentationOptions(), np.random.default_rng(7)) for _ in range(2))
    other = augment(motion, rows, AugmentationOptions(), np.random.default_rng(8))
    for a, b, c in zip(first, second, other, strict=True):
        assert a.tobytes() == b.tobytes() != c.tobytes()
        assert np.isfinite(a).all()


@pytest.mark.parametrize(
    "wrong", [{"horizontal_scale": (1.2, 0.8)}, {"pitch_scale": (0, 1)}, {"cut_jitter_s": -0.01}]
)
def test_options_out_of_range_are_rejected(wrong):
    (name,) = wrong
    with pytest.raises(ParameterError, match=rf"^augmentation\.{name} is .*: it has to be "):
        AugmentationOptions(**wrong)
