import hashlib
from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from tinystride.datasets.loading import load_recordings
from tinystride.datasets.samples import STANDARD_GRAVITY_MPS2, check_recording
from tinystride.datasets.simulator import (
    Leg,
    SimulatedSubject,
    VirtualSensor,
    load_simulated,
    overground,
    simulate_dataset,
    simulate_walk,
    simulate_walk_with_truth,
)
from tinystride.errors import DataError, ParameterError

SUBJECT = SimulatedSubject()
SPEEDS_MPS = {"slow": 0.95, "normal": 1.3, "fast": 1.65}
GRAVITY = np.array([0.0, 0.0, STANDARD_GRAVITY_MPS2])


def integrated_lengths_cm(recording, truth):
    """Stride lengths from one mid-stance to the next by plain strapdown integration of the samples.

    Orientation and velocity at the first mid-stance are true, everything after comes from the sensor.
    """
    rate_hz = recording.rate_hz
    lengths = []
    for start_s, end_s in zip(truth.mid_stance_s[1:-1], truth.mid_stance_s[2:], strict=True):
        first, last = round(start_s * rate_hz), round(end_s * rate_hz)
        gyr, acc = recording.gyr_radps[first : last + 1], recording.acc_mps2[first : last + 1]
        rotation = [truth.rotation[first]]
        for step in Rotation.from_rotvec((gyr[:-1] + gyr[1:]) / (2 * rate_hz)).as_matrix():
            rotation.append(rotation[-1] @ step)
        world = np.einsum("nij,nj->ni", rotation, acc) - GRAVITY
        start_mps = (truth.position_m[first + 1] - truth.position_m[first - 1]) * rate_hz / 2
        velocity = start_mps + np.vstack(
            [np.zeros(3), np.cumsum((world[:-1] + world[1:]) / (2 * rate_hz), axis=0)]
        )
        displacement = ((velocity[:-1] + velocity[1:]) / (2 * rate_hz)).sum(axis=0)
        lengths.append(100 * np.hypot(*displacement[:2]))
    return np.array(lengths)


def assert_integration_finds_the_lengths(recording, truth, tolerance_cm=0.5):
    reference_cm = recording.reference["stride_length_cm"].to_numpy()
    assert len(reference_cm) >= 8
    np.testing.assert_allclose(integrated_lengths_cm(recording, truth), reference_cm, atol=tolerance_cm)


@pytest.mark.parametrize("rate_hz", [100, 128, 200, 400])
@pytest.mark.parametrize("speed", SPEEDS_MPS)
def test_integration_of_a_noise_free_stride_gives_its_length(speed, rate_hz):
    walk = simulate_walk_with_truth(SUBJECT, speed_mps=SPEEDS_MPS[speed], rate_hz=rate_hz, seed=3)
    assert_integration_finds_the_lengths(*walk)


def test_integration_at_50_hz_is_close():
    walk = simulate_walk_with_truth(SUBJECT, rate_hz=50, seed=3)
    assert_integration_finds_the_lengths(*walk, tolerance_cm=1.5)


@pytest.mark.parametrize("foot", ["left", "right"])
@pytest.mark.parametrize("number", range(4))
def test_integration_finds_lengths_for_any_person_and_mounting(number, foot):
    subject = SimulatedSubject.draw(np.random.default_rng(number))
    turned = Rotation.random(random_state=number).as_matrix()
    subject = replace(subject, mounting={"left": turned, "right": turned.T})
    walk = simulate_walk_with_truth(subject, foot=foot, rate_hz=128, seed=number)
    assert_integration_finds_the_lengths(*walk)


@pytest.mark.parametrize("turn_rad", [np.pi, -np.pi / 2, 4 * np.pi])
def test_integration_finds_the_lengths_on_turns(turn_rad):
    legs = [Leg(3, 1.2), Leg(8, 0.8, turn_rad=turn_rad), Leg(3, 1.2)]
    recording, truth = simulate_walk_with_truth(SUBJECT, legs=legs, rate_hz=200)
    assert_integration_finds_the_lengths(recording, truth)
    ((start_s, end_s),) = recording.turns_s
    turning = (truth.contact_s > start_s) & (truth.contact_s < end_s)
    assert 7 <= turning.sum() <= 9
    assert truth.heading_rad[-1] - truth.heading_rad[0] == pytest.approx(turn_rad, abs=0.1)


def test_reference_is_the_distance_between_footprints_from_contact_to_contact():
    recording, truth = simulate_walk_with_truth(SUBJECT, n_strides=9, foot="left")
    reference = recording.reference
    # The swing from standing has no contact before it.
    np.testing.assert_array_equal(reference["start_s"], truth.contact_s[:-1])
    np.testing.assert_array_equal(reference["end_s"], truth.contact_s[1:])
    lengths_cm = 100 * np.hypot(*np.diff(truth.footprint_m[1:, :2], axis=0).T)
    np.testing.assert_allclose(reference["stride_length_cm"], lengths_cm)
    assert set(reference["reference"]) == {"simulated"}
    # The last step only brings the feet together.
    assert lengths_cm[-1] == pytest.approx(np.median(lengths_cm) / 2, rel=0.15)


def test_contacts_of_both_feet_alternate():
    left, right = (simulate_walk_with_truth(SUBJECT, foot=foot, seed=4)[1] for foot in ("left", "right"))
    assert (left.contact_s > right.contact_s).all()
    assert (left.contact_s[:-1] < right.contact_s[1:]).all()
    assert (left.footprint_m[:, 1] > right.footprint_m[:, 1]).all()


def test_standing_foot_measures_gravity_only():
    recording, truth = simulate_walk_with_truth(SUBJECT, standing_s=(3.0, 3.0))
    for standing in (slice(0, 150), slice(-150, None)):
        np.testing.assert_allclose(
            np.linalg.norm(recording.acc_mps2[standing], axis=1), STANDARD_GRAVITY_MPS2, atol=1e-6
        )
        np.testing.assert_allclose(recording.gyr_radps[standing], 0, atol=1e-9)
        np.testing.assert_allclose(truth.rotation[standing][:, 2, 2], 1.0, atol=1e-9)


def test_pause_is_at_rest_and_has_no_stride():
    legs = [Leg(4, 1.2, pause_s=5.0), Leg(4, 1.2)]
    recording, truth = simulate_walk_with_truth(SUBJECT, legs=legs, rate_hz=100)
    assert recording.reference.eval("end_s - start_s").max() < 1.6
    assert len(recording.reference) == len(truth.contact_s) - 2
    paused = round((truth.contact_s[3] + 2.0) * 100)
    assert np.abs(recording.gyr_radps[paused : paused + 100]).max() < 1e-9


def test_mid_stances_are_slow_turns_about_the_floor():
    _, truth = simulate_walk_with_truth(SUBJECT, rate_hz=400)
    sample = np.rint(truth.mid_stance_s[1:-1] * 400).astype(int)
    rate = np.linalg.norm(truth.gyr_radps[sample], axis=1)
    assert (rate < np.deg2rad(25)).all() and np.median(rate) > np.deg2rad(1)
    velocity = np.gradient(truth.position_m, 1 / 400, axis=0)[sample]
    # The sensor moves by rotation about the floor, ω × lever arm, and little else.
    world = np.einsum("nij,nj->ni", truth.rotation[sample], truth.gyr_radps[sample])
    rotation_mps = np.cross(world, [0.0, 0.0, SUBJECT.shape.height_m])
    assert np.abs(velocity - rotation_mps)[:, :2].max() < 0.012


def test_perfect_sensor_samples_agree_with_the_true_motion():
    sensor = VirtualSensor(oversampling=1)
    recording, truth = simulate_walk_with_truth(SUBJECT, sensor=sensor)
    np.testing.assert_allclose(recording.acc_mps2, truth.acc_mps2, atol=1e-9)
    np.testing.assert_allclose(recording.gyr_radps, truth.gyr_radps, atol=1e-9)


def test_mounting_rotates_the_samples_only():
    turned = Rotation.from_euler("xyz", [170, 20, 60], degrees=True).as_matrix()
    straight = simulate_walk(SUBJECT)
    mounted = simulate_walk(replace(SUBJECT, mounting={"left": turned, "right": turned}))
    np.testing.assert_allclose(mounted.acc_mps2 @ turned.T, straight.acc_mps2, atol=1e-9)
    np.testing.assert_allclose(mounted.gyr_radps @ turned.T, straight.gyr_radps, atol=1e-9)


def test_virtual_sensor_clips_and_quantizes():
    full = simulate_walk(SUBJECT, speed_mps=1.7)
    dps = np.deg2rad(1.0)
    sensor = VirtualSensor(
        acc_range_mps2=30.0, gyr_range_radps=250 * dps, acc_step_mps2=0.01, gyr_step_radps=0.1 * dps
    )
    recording = simulate_walk(SUBJECT, speed_mps=1.7, sensor=sensor)
    assert np.abs(full.acc_mps2).max() > 31 and np.abs(full.gyr_radps).max() > 400 * dps
    assert recording.saturation == (30.0, 250 * dps)
    np.testing.assert_allclose(recording.acc_mps2, np.clip(full.acc_mps2, -30, 30), atol=0.0051)
    np.testing.assert_allclose(
        recording.gyr_radps, np.clip(full.gyr_radps, -250 * dps, 250 * dps), atol=0.051 * dps
    )
    counts = recording.acc_mps2 / 0.01
    np.testing.assert_allclose(counts, np.rint(counts), atol=1e-6)


def test_virtual_sensor_errors_have_the_given_size():
    sensor = VirtualSensor(
        acc_noise_density=0.002,
        gyr_noise_density=2e-4,
        acc_bias_mps2=(0.1, -0.2, 0.3),
        gyr_bias_radps=(0.01, 0.02, -0.03),
        gyr_drift=1e-3,
        gyr_scale=(0.0, 0.02, 0.0),
    )
    still = dict(standing_s=(30.0, 1.0), n_strides=2, rate_hz=200, seed=8)
    recording, truth = simulate_walk_with_truth(SUBJECT, sensor=sensor, **still)
    rest = slice(0, 5000)
    np.testing.assert_allclose(recording.acc_mps2[rest].std(axis=0), 0.002 * 10, rtol=0.05)
    np.testing.assert_allclose(recording.acc_mps2[rest].mean(axis=0) - GRAVITY, (0.1, -0.2, 0.3), atol=1e-3)
    np.testing.assert_allclose(truth.gyr_offset_radps[0], (0.01, 0.02, -0.03), atol=1e-3)
    drift = np.diff(truth.gyr_offset_radps, axis=0)
    np.testing.assert_allclose(drift.std(axis=0), 1e-3 / np.sqrt(200), rtol=0.05)
    left_over = recording.gyr_radps[rest] - truth.gyr_offset_radps[rest]
    np.testing.assert_allclose(left_over.std(axis=0), 2e-4 * 10, rtol=0.05)
    scaled = VirtualSensor(gyr_scale=(0.0, 0.02, 0.0))
    plain, tilted = (simulate_walk(SUBJECT, sensor=s) for s in (VirtualSensor(), scaled))
    np.testing.assert_allclose(tilted.gyr_radps, plain.gyr_radps * [1, 1.02, 1], atol=1e-12)


def test_virtual_sensor_losses_are_listed_and_interpolated():
    complete = simulate_walk(SUBJECT, n_strides=30)
    recording = simulate_walk(SUBJECT, n_strides=30, sensor=VirtualSensor(lost=0.05, run_length=3.0))
    lost = np.zeros(recording.n_samples, dtype=bool)
    for first, last in recording.gaps:
        assert not lost[first - 1] and first < last
        lost[first:last] = True
        straight = np.linspace(recording.acc_mps2[first - 1], recording.acc_mps2[last], last - first + 2)
        np.testing.assert_allclose(recording.acc_mps2[first:last], straight[1:-1])
    assert lost.mean() == pytest.approx(0.05, abs=0.02)
    assert np.diff(recording.gaps).mean() == pytest.approx(3.0, abs=0.7)
    np.testing.assert_array_equal(recording.acc_mps2[~lost], complete.acc_mps2[~lost])


def test_drawn_subjects_have_speeds_and_cadences_of_adults():
    rng = np.random.default_rng(11)
    for number in range(8):
        subject = SimulatedSubject.draw(rng)
        for speed_mps in (0.8, 1.2, 1.7):
            recording, truth = simulate_walk_with_truth(subject, speed_mps=speed_mps, seed=number)
            strides = recording.reference.iloc[:-1]
            duration_s = (strides["end_s"] - strides["start_s"]).mean()
            length_cm = strides["stride_length_cm"]
            low, high = {0.8: (95, 135), 1.2: (110, 150), 1.7: (130, 180)}[speed_mps]
            assert low < length_cm.mean() < high
            assert 75 < 120 / duration_s < 145
            assert length_cm.mean() / duration_s == pytest.approx(100 * speed_mps, rel=0.05)
            assert 0.004 < length_cm.std() / length_cm.mean() < 0.06
            assert (
                0.5 < np.percentile(np.linalg.norm(recording.gyr_radps, axis=1), 99.5) / np.deg2rad(500) < 1.6
            )
            rise_m = np.ptp(truth.position_m[:, 2])
            assert 0.04 < rise_m < 0.20


def test_foot_stays_above_the_floor():
    """The heel and the ball of the foot stay over the floor, within the shoe's give."""
    rng = np.random.default_rng(12)
    for number in range(6):
        subject = SimulatedSubject.draw(rng)
        shape = subject.shape
        still = replace(subject, mounting={"left": np.eye(3), "right": np.eye(3)})
        _, truth = simulate_walk_with_truth(still, legs=overground(1.3, 12), seed=number)
        for x_m in (shape.heel_m, shape.ball_m):
            from_sensor = np.array([x_m, 0.0, -shape.height_m])
            height_m = truth.position_m[:, 2] + truth.rotation[:, 2] @ from_sensor
            assert height_m.min() > -0.02


def test_position_is_continuous_between_stance_and_swing():
    rng = np.random.default_rng(13)
    for number in range(6):
        subject = replace(SimulatedSubject.draw(rng), impact_mps2=0.0, release_mps2=0.0)
        legs = [Leg(4, 0.5), Leg(4, 1.9, pause_s=2.0), Leg(5, 0.6, turn_rad=2 * np.pi)]
        recording = simulate_walk(subject, legs=legs, rate_hz=400, seed=number)
        # A jump of a millimetre within a sampling interval would be 160 m/s².
        assert np.linalg.norm(recording.acc_mps2, axis=1).max() < 90


def digests(folder):
    return {
        path.relative_to(folder): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*.npz")
    }


def test_simulate_dataset_of_an_equal_seed_has_equal_bytes(tmp_path):
    for name, seed in (("a", 5), ("b", 5), ("c", 6)):
        simulate_dataset(tmp_path / name, subjects=2, seed=seed, strides=6)
    assert digests(tmp_path / "a") == digests(tmp_path / "b")
    assert len(digests(tmp_path / "a")) == 2 * 3 * 2
    assert not set(digests(tmp_path / "a").values()) & set(digests(tmp_path / "c").values())


def test_load_simulated_returns_the_simulated_recordings(tmp_path):
    simulate_dataset(tmp_path / "simulated", subjects=2, seed=5, rate_hz=128.0, strides=9)
    recordings = list(load_recordings(tmp_path))
    assert [r.name for r in recordings] == sorted(r.name for r in recordings) and len(recordings) == 12
    for recording in recordings:
        check_recording(recording)
        assert recording.dataset == "simulated" and recording.rate_hz == 128.0
        assert recording.condition == recording.trial and len(recording.turns_s) == 1
        assert len(recording.reference) == 8 and set(recording.reference["reference"]) == {"simulated"}
    speeds = {}
    for recording in recordings:
        strides = recording.reference
        speed = strides["stride_length_cm"].median() / (strides["end_s"] - strides["start_s"]).median()
        speeds.setdefault(recording.condition, []).append(speed)
    assert np.mean(speeds["slow"]) < np.mean(speeds["normal"]) < np.mean(speeds["fast"])


def test_simulate_dataset_of_more_people_keeps_the_first(tmp_path):
    simulate_dataset(tmp_path / "one", subjects=1, seed=5, strides=6)
    simulate_dataset(tmp_path / "two", subjects=2, seed=5, strides=6)
    assert digests(tmp_path / "one").items() <= digests(tmp_path / "two").items()


def test_load_simulated_of_a_damaged_file_names_it(tmp_path):
    with pytest.raises(DataError, match="contains no simulated walk"):
        list(load_simulated(tmp_path))
    simulate_dataset(tmp_path / "set", subjects=1, strides=5)
    path = tmp_path / "set" / "S01" / "fast_left.npz"
    content = path.read_bytes()
    for damaged in (b"", content[: len(content) // 2], content[:-10]):
        path.write_bytes(damaged)
        with pytest.raises(DataError, match=r"fast_left\.npz: is not a simulated walk.*download again"):
            list(load_simulated(tmp_path / "set"))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"foot": "both"}, "^foot is 'both': it has to be one of left, right$"),
        ({"rate_hz": 20.0}, "^rate_hz is 20.0: it has to be a number from 50 to 400$"),
        ({"speed_mps": 5.5}, "^leg.speed_mps is 5.5: it has to be a number from 0.2 to 4$"),
        ({"n_strides": 0}, "^leg.strides is 0: it has to be a whole number of at least 1$"),
        ({"standing_s": (-1.0, 1.0)}, "^standing_s is .*: it has to be a list, each entry a number of at"),
    ],
)
def test_simulate_walk_with_wrong_arguments_is_refused(wrong, message):
    with pytest.raises(ParameterError, match=message):
        simulate_walk(SUBJECT, **wrong)


def test_sensors_and_data_sets_with_wrong_arguments_are_refused(tmp_path):
    with pytest.raises(
        ParameterError, match=r"^lost is 0\.7: it has to be a number of at least 0 and below 0\.5$"
    ):
        VirtualSensor(lost=0.7)
    with pytest.raises(ParameterError, match=r"^subjects is 0: it has to be a whole number of at least 1$"):
        simulate_dataset(tmp_path / "set", subjects=0)
    assert not list(tmp_path.iterdir())
