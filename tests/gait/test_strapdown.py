import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from tinystride.datasets.simulator import simulate_walk
from tinystride.gait.signals import StrideSignals
from tinystride.gait.strapdown import (
    CM_PER_MOTION,
    GRAVITY_MPS2,
    MAX_MISSED_CM,
    MIN_MOTION_LENGTH_CM,
    POINTS,
    USUAL_MOTION,
    Strapdown,
    align_to_gravity,
    correct_tilt,
    de_drifted,
    impact_share,
    integrate,
    resample,
    resample_between,
    rotation_matrices,
    stance_motion,
    with_impacts,
    with_stance_motion,
)
from tinystride.gait.strides import extract_strides

SPEEDS_MPS = (0.7, 1.3, 1.8)


@pytest.fixture(scope="module")
def walks(person):
    """Return samples and true lengths, cm, of strides at all speeds, by an ideal sensor."""
    found = [
        extract_strides(simulate_walk(person, speed_mps=speed_mps, rate_hz=200, seed=2))
        for speed_mps in SPEEDS_MPS
    ]
    usable = [each.table[each.table["usable"]] for each in found]
    signals = [each.signals.select(table["stride_id"]) for each, table in zip(found, usable, strict=True)]
    return StrideSignals.concatenate(signals), np.concatenate([table["stride_length_cm"] for table in usable])


@pytest.fixture(scope="module")
def strides(walks):
    signals, length_cm = walks
    return resample(signals), length_cm


def test_integrate_ideal_sensor_gives_the_length(walks, person):
    signals, length_cm = walks
    assert len(length_cm) == 11 * len(SPEEDS_MPS)
    fine = integrate(*resample(signals, points=256, lowpass_hz=30), lever_arm_m=person.shape.height_m)
    assert np.abs(fine.length_cm - length_cm).max() < 0.5


def test_integrate_default_points_and_lever_arm_within_1_cm(strides):
    samples, length_cm = strides
    error_cm = integrate(*samples).length_cm - length_cm
    assert np.sqrt((error_cm**2).mean()) < 0.5
    assert np.abs(error_cm).max() < 1.0


def test_de_drifted_path_ends_at_the_displacement(strides):
    samples, _ = strides
    integral = integrate(*samples)
    velocity_mps, position_m = de_drifted(integral, *samples[1:])
    np.testing.assert_allclose(position_m[:, -1], integral.displacement_m, atol=1e-9)
    np.testing.assert_array_equal(position_m[:, 0], 0)
    # The foot nearly rests at both ends, and swings between them.
    speed_mps = np.linalg.norm(velocity_mps, axis=2)
    assert speed_mps[:, [0, -1]].max() < 0.2 and speed_mps.max(axis=1).min() > 1.5


def test_integrate_without_lever_arm_is_too_short(strides):
    samples, length_cm = strides
    assert -3 < (integrate(*samples, lever_arm_m=0.0).length_cm - length_cm).mean() < -0.5


def test_integrate_any_sensor_axes_gives_the_same_length(strides):
    (acc, gyr, duration), _ = strides
    turn = Rotation.random(random_state=4).as_matrix()
    straight, turned = integrate(acc, gyr, duration), integrate(acc @ turn, gyr @ turn, duration)
    assert turned.length_cm == pytest.approx(straight.length_cm, abs=1e-9)


def test_integrate_constant_accelerometer_error_is_corrected():
    # The foot slides without turning: forward acceleration of one period of a sine, plus an error.
    phase = np.linspace(0, 1, 64)
    acc = np.zeros((1, 64, 3))
    acc[0, :, 0] = 2 * np.pi * np.sin(2 * np.pi * phase)  # 1 m in 1 s
    acc[0, :, 2] = GRAVITY_MPS2
    error = np.array([0.0, 0.0, 0.3])
    slid = integrate(acc + error, np.zeros_like(acc), np.ones(1))
    assert slid.length_cm == pytest.approx([100], abs=0.1)
    assert slid.displacement_m[0] == pytest.approx([1, 0, 0], abs=1e-3)
    assert slid.velocity_mps[0, -1] == pytest.approx([0, 0, 0.3], abs=1e-9)


def test_resample_between_compensates_the_filter_delay():
    rate_hz, slow_hz = 100, 1.0
    time_s = np.arange(400) / rate_hz
    wave = np.sin(2 * np.pi * slow_hz * time_s)[:, None]
    read = resample_between(wave, rate_hz, np.array([[150.0, 250.0]]))
    assert read.shape == (1, 64, 1)
    assert read[0, :, 0] == pytest.approx(np.sin(2 * np.pi * np.linspace(1.5, 2.5, 64)), abs=2e-3)


def test_resample_between_stride_at_the_end_of_the_recording():
    constant = np.tile([1.0, -2.0], (120, 1))
    assert resample_between(constant, 100, np.array([[0.0, 119.0]])) == pytest.approx(
        np.tile([1.0, -2.0], (1, 64, 1))
    )


@pytest.mark.parametrize(("rate_hz", "within_cm"), [(50, 0.8), (100, 0.3), (400, 0.3)])
def test_length_other_sampling_rates_is_nearly_equal(person, rate_hz, within_cm):
    finest, coarser = (
        extract_strides(simulate_walk(person, speed_mps=0.7, rate_hz=rate, seed=9)).table
        for rate in (200, rate_hz)
    )
    difference_cm = coarser["strapdown_length_cm"] - finest["strapdown_length_cm"]
    assert np.abs(difference_cm).max() < within_cm


def test_rotation_matrices_equal_scipy():
    vectors = np.random.default_rng(0).normal(0, 1, (20, 3))
    vectors[0] = 0
    assert rotation_matrices(vectors) == pytest.approx(Rotation.from_rotvec(vectors).as_matrix(), abs=1e-12)


def test_align_to_gravity_any_direction_is_the_shortest_way_up():
    force = np.vstack([np.random.default_rng(1).normal(0, 5, (20, 3)), [[0, 0, 9.8], [0, 0, -9.8]]])
    up = np.einsum(
        "nij,nj->ni", align_to_gravity(force), force / np.linalg.norm(force, axis=1, keepdims=True)
    )
    assert up == pytest.approx(np.tile([0.0, 0.0, 1.0], (22, 1)), abs=1e-9)
    angle = Rotation.from_matrix(align_to_gravity(force)).magnitude()
    assert angle == pytest.approx(np.arccos(force[:, 2] / np.linalg.norm(force, axis=1)), abs=1e-6)


def on_slope(samples: tuple, slope_rad: float) -> tuple:
    """Return samples of the same motion on a floor that rises ahead by `slope_rad`."""
    acc, gyr, duration_s = samples
    up = np.array([np.sin(slope_rad), 0, np.cos(slope_rad)]) - [0, 0, 1]
    return acc + GRAVITY_MPS2 * np.einsum("npji,j->npi", integrate(*samples).orientation, up), gyr, duration_s


def pushed_at_start(samples: tuple, tilt_rad: float) -> tuple:
    """Return samples with a push at the start, which tilts the specific force."""
    acc = samples[0].copy()
    acc[:, 0] = 1.1 * acc[:, 0] @ rotation_matrices(np.array([0.0, tilt_rad, 0.0])).T
    return acc, *samples[1:]


@pytest.mark.parametrize("slope_rad", [-0.15, 0.0, 0.15])
@pytest.mark.parametrize("tilt_rad", [-0.2, 0.1, 0.3])
def test_correct_tilt_pushed_start_gives_the_length_and_keeps_the_slope(strides, tilt_rad, slope_rad):
    samples, length_cm = strides
    pushed = pushed_at_start(on_slope(samples, slope_rad), tilt_rad)
    tilted = integrate(*pushed)
    levelled, explained = correct_tilt(tilted, *pushed, rate_hz=200)
    height_m = length_cm / 100 * np.sin(slope_rad)
    before_m, after_m = (np.abs(each.displacement_m[:, 2] - height_m) for each in (tilted, levelled))
    assert before_m.min() > 0.5 * np.abs(tilt_rad)
    assert after_m.max() < 0.35 * before_m.max() and np.median(after_m) < 0.2 * np.median(before_m)
    # The push itself moves the foot by up to 4 cm.
    assert np.abs(levelled.length_cm - length_cm * np.cos(slope_rad)).max() < 4.5
    assert np.linalg.norm(levelled.velocity_mps[:, -1], axis=1).max() < 0.7
    assert explained.min() > 0.8
    # The velocity belongs to the rotated orientation.
    force = np.einsum("npij,npj->npi", levelled.orientation, pushed[0]) - [0, 0, GRAVITY_MPS2]
    step_s = pushed[2] / (force.shape[1] - 1)
    velocity = ((force[:, 1:] + force[:, :-1]) / 2).sum(axis=1) * step_s[:, None]
    np.testing.assert_allclose(velocity, levelled.velocity_mps[:, -1], atol=1e-9)


def test_correct_tilt_low_rate_trusts_the_velocity_less(strides):
    pushed = pushed_at_start(strides[0], 0.2)
    integral = integrate(*pushed)
    explained = [np.median(correct_tilt(integral, *pushed, rate_hz=each)[1]) for each in (50, 100, 200)]
    assert explained[0] < 0.3 and explained[0] < explained[1] < explained[2]


def test_correct_tilt_foot_at_rest_is_not_changed(strides):
    samples, _ = strides
    samples = on_slope(samples, 0.1)
    integral = integrate(*samples)
    levelled, explained = correct_tilt(integral, *samples, rate_hz=200)
    rests = explained == 0
    assert rests.sum() >= 20
    np.testing.assert_allclose(levelled.displacement_m[rests], integral.displacement_m[rests], atol=1e-12)


def drifted(share: float, rng: np.random.Generator, n: int = 400):
    """Return excess velocity [n, 3] and displacement error [n], m: a share comes at 0.7 T."""
    impact = rng.normal(0, 0.2, (n, 3))
    evenly = rng.normal(0, 0.2 * np.sqrt(1 / share - 1), n)
    excess = impact + np.column_stack([evenly, np.zeros((n, 2))])
    return excess, -0.2 * impact[:, 0]


@pytest.mark.parametrize("share", [0.1, 0.5, 1.0])
def test_impact_share_known_drift_is_estimated(share):
    excess, _ = drifted(share, np.random.default_rng(0))
    found, usual_m = impact_share(excess + np.array([0.1, 0, -0.2]))
    assert found == pytest.approx(share, abs=0.15)
    assert usual_m == pytest.approx(0.1, abs=0.05)


def test_impact_share_few_strides_is_small():
    assert impact_share(np.zeros((0, 3)))[0] < 0.2
    assert impact_share(np.array([[0.3, 0, 0.02]]))[0] < 0.1


def test_impact_share_follows_the_vertical_excess_within_two_strides():
    shaken = np.array([[0.2, 0, 0.2], [-0.2, 0, -0.2]])
    assert impact_share(shaken)[0] > 0.4 and impact_share(shaken * [1, 1, 0.1])[0] < 0.05


@pytest.mark.parametrize("share", [0.3, 0.9])
def test_with_impacts_drift_at_contact_is_corrected(share):
    excess, error_m = drifted(share, np.random.default_rng(1))
    n = len(excess)
    integral = Strapdown(
        length_cm=100 * (1.4 + error_m),
        displacement_m=np.column_stack([1.4 + error_m, np.zeros((n, 2))]),
        velocity_mps=np.zeros((n, 2, 3)),
        orientation=np.tile(np.eye(3), (n, 2, 1, 1)),
        excess_mps=excess,
        tilt_rad=np.zeros(n),
    )
    contact = np.full(n, 0.7)
    contact[::9] = np.nan
    after = with_impacts(integral, excess, contact, *impact_share(excess)).length_cm - 140
    assert np.sqrt((after**2).mean()) < np.sqrt(1.1 - share) * 100 * error_m.std()


def still(length_cm: np.ndarray) -> Strapdown:
    """Return integrals of given lengths."""
    n = len(length_cm)
    return Strapdown(
        length_cm=length_cm,
        displacement_m=np.column_stack([length_cm / 100, np.zeros((n, 2))]),
        velocity_mps=np.zeros((n, POINTS, 3)),
        orientation=np.tile(np.eye(3), (n, POINTS, 1, 1)),
        excess_mps=np.zeros((n, 3)),
        tilt_rad=np.zeros(n),
    )


def test_stance_motion_known_signals_are_measured():
    time_s = np.linspace(0, 1.2, POINTS)
    acc, gyr = np.zeros((1, POINTS, 3)), np.zeros((1, POINTS, 3))
    acc[0, :, 2] = GRAVITY_MPS2 + 0.2
    gyr[0, :, 0], gyr[0, :, 1] = 0.3, 2.0 * time_s
    duration_s = np.array([1.2])
    motion = stance_motion(integrate(acc, 0 * gyr, duration_s), acc, gyr, duration_s)
    assert motion[0, :3] == pytest.approx([0.2, 2.0, 0.3])
    assert motion[0, 3] == pytest.approx(0, abs=1e-9)
    acc[0, 50:, 0] = 0.7
    motion = stance_motion(integrate(acc, 0 * gyr, duration_s), acc, gyr, duration_s)
    assert motion[0, 3] == pytest.approx(0.7)


def test_with_stance_motion_unusual_motion_changes_the_length():
    motion = np.array([USUAL_MOTION] * 3) + np.outer([0, 1, 1], [0.1, 0, 0, 0])
    after = with_stance_motion(still(np.array([120.0, 120.0, MIN_MOTION_LENGTH_CM / 2])), motion)
    missed_cm = 0.1 * CM_PER_MOTION[0]
    assert after.length_cm == pytest.approx([120, 120 + missed_cm, MIN_MOTION_LENGTH_CM / 2 + missed_cm / 2])
    assert 100 * after.displacement_m[:, 0] == pytest.approx(after.length_cm)


def test_with_stance_motion_extreme_motion_is_limited():
    before = still(np.array([120.0, 0.0]))
    after = with_stance_motion(before, np.array([[1e6, 1e6, 1e6, -1e6]] * 2))
    assert after.length_cm == pytest.approx([120 + 4 * MAX_MISSED_CM, 0])


def test_resample_many_strides_equals_resample_between():
    from tinystride.gait.signals import StrideSignals
    from tinystride.gait.strapdown import resample, resample_between

    rng = np.random.default_rng(4)
    length = rng.integers(90, 400, 300)
    offset = np.concatenate([[0], np.cumsum(length)])
    samples = rng.normal(size=(offset[-1], 6)).astype(np.float32)
    bounds = np.column_stack([rng.uniform(5, 20, 300), length - rng.uniform(1, 15, 300)])
    signals = StrideSignals(
        stride_id=np.arange(300).astype(str),
        rate_hz=np.where(np.arange(300) % 3, 100.0, 128.0),
        offset=offset,
        mid_stance=bounds,
        initial_contact=bounds,
        acc_mps2=samples[:, :3],
        gyr_radps=samples[:, 3:],
    )
    acc, gyr, _ = resample(signals)
    for i in (0, 1, 57, 299):
        own = samples[offset[i] : offset[i + 1]].astype(float)
        alone = resample_between(own, signals.rate_hz[i], bounds[i : i + 1])[0]
        np.testing.assert_allclose(np.column_stack([acc[i], gyr[i]]), alone, atol=1e-12)
