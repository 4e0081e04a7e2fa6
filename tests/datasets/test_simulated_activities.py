import numpy as np
import pytest

from tinystride.datasets.samples import STANDARD_GRAVITY_MPS2, check_recording
from tinystride.datasets.simulated_activities import ACTIVITIES, GAITS, POSES, simulate_activity
from tinystride.datasets.virtual_sensor import VirtualSensor
from tinystride.errors import ParameterError


def moved(kind: str, **options) -> tuple[np.ndarray, np.ndarray]:
    """Return |acc| in m/s² and |gyr| in deg/s."""
    recording = simulate_activity(kind, **options)
    acc, gyr = np.linalg.norm(recording.acc_mps2, axis=1), np.linalg.norm(recording.gyr_radps, axis=1)
    return acc, np.rad2deg(gyr)


@pytest.mark.parametrize("kind", ACTIVITIES)
@pytest.mark.parametrize("foot", ["left", "right"])
def test_activity_passes_the_checks_of_recordings(kind, foot):
    sensor = VirtualSensor.draw(np.random.default_rng(3))
    recording = check_recording(simulate_activity(kind, foot=foot, seed=5, sensor=sensor))
    again = simulate_activity(kind, foot=foot, seed=5, sensor=sensor)
    np.testing.assert_array_equal(recording.acc_mps2, again.acc_mps2)
    assert not np.array_equal(
        recording.acc_mps2, simulate_activity(kind, foot=foot, seed=6, sensor=sensor).acc_mps2
    )
    assert recording.condition == recording.trial == kind
    assert recording.duration_s == pytest.approx(30, abs=3)
    assert (len(recording.reference) > 0) == (kind in GAITS)


@pytest.mark.parametrize("kind", ["standing", "sitting", "bus"])
def test_activity_in_place_measures_mostly_gravity(kind):
    acc, gyr = moved(kind)
    assert acc.mean() == pytest.approx(STANDARD_GRAVITY_MPS2, rel=0.02)
    assert 0.2 < np.sqrt((gyr**2).mean()) < 100


def test_bus_has_more_vibration_and_acceleration_than_standing():
    standing, bus = moved("standing")[0], moved("bus")[0]
    assert bus.std() > 5 * standing.std()
    # Speeding up and braking: the mean of two seconds differs from gravity.
    slow = np.convolve(bus, np.ones(200) / 200, "valid")
    assert np.ptp(slow) > 0.05


def test_driving_moves_the_pedals_and_stays_in_place():
    acc, gyr = moved("driving", duration_s=120)
    assert 20 < np.sqrt((gyr**2).mean()) < 60 and 150 < gyr.max() < 400
    # The foot rests for half a second now and then, apart from the shaking of the car.
    smoothed = np.convolve(gyr, np.ones(50) / 50, "valid")
    assert np.quantile(smoothed, 0.2) < 20
    assert acc.max() < 50 and np.median(acc) == pytest.approx(STANDARD_GRAVITY_MPS2, rel=0.04)


def test_shaking_exceeds_walking():
    acc, gyr = moved("shaking")
    assert acc.max() > 40 and gyr.max() > 500


def test_running_strides_are_long_and_fast_and_shuffling_strides_short():
    strides = {kind: simulate_activity(kind).reference.iloc[:-1] for kind in GAITS}
    length = {kind: table["stride_length_cm"].median() for kind, table in strides.items()}
    duration = {kind: (table["end_s"] - table["start_s"]).median() for kind, table in strides.items()}
    assert length["running"] == pytest.approx(210, rel=0.05)
    assert duration["running"] == pytest.approx(0.75, rel=0.05)
    assert length["shuffling"] == pytest.approx(40, rel=0.05)
    assert length["stairs-up"] == pytest.approx(58, rel=0.05) == length["stairs-down"]
    gyr = {kind: np.sqrt((moved(kind)[1] ** 2).mean()) for kind in GAITS}
    assert gyr["shuffling"] < gyr["stairs-up"] < gyr["running"]


def test_activity_with_wrong_arguments_is_refused():
    with pytest.raises(ParameterError, match="kind is 'flying': it has to be one of standing"):
        simulate_activity("flying")
    with pytest.raises(ParameterError, match="rate_hz is 1000: it has to be a number from 50 to 400"):
        simulate_activity("bus", rate_hz=1000)
    with pytest.raises(ParameterError, match="duration_s is -1: it has to be a number of at least 0"):
        simulate_activity("bus", duration_s=-1)


def test_activities_name_every_kind_once():
    assert len(set(ACTIVITIES)) == len(ACTIVITIES) == len(POSES) + len(GAITS)
