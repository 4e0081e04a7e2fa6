import numpy as np
import pytest

from tinystride.gait.strapdown import Strapdown, rotation_matrices
from tinystride.gait.strides import read_strides
from tinystride.gait.uncertainty import (
    BASE_SD_CM,
    SD_PER_HEIGHT_CM_PER_M,
    SD_PER_ROTATION_CM_PER_RAD,
    error_causes,
    length_sd_cm,
)

DURATION_S = 1.2
CONTACT = 0.7


def sd_cm(
    forward_mps=0.0,
    vertical_mps=0.0,
    height_m=0.0,
    turn_deg=0.0,
    rate_radps=0.0,
    repaired_rad=0.0,
    share=0.5,
    explained=0.0,
    rate_hz=100.0,
):
    """Return the SD of a stride that ends with these errors; `share` of the drift comes at contact."""
    integral = Strapdown(
        length_cm=np.array([130.0]),
        displacement_m=np.array([[1.3, 0, height_m]]),
        velocity_mps=np.zeros((1, 2, 3)),
        orientation=np.stack([np.eye(3), rotation_matrices(np.deg2rad([0, 0, turn_deg]))])[None],
        excess_mps=np.array([[forward_mps, 0, vertical_mps]]),
        tilt_rad=np.zeros(1),
    )
    causes = error_causes(
        integral,
        np.full((1, 2, 3), [0, rate_radps, 0]),
        integral.excess_mps * DURATION_S,
        np.array([DURATION_S]),
        np.array([CONTACT]),
        (share, 0.0),
        np.array([explained]),
        np.array([repaired_rad]),
        rate_hz,
    )
    return length_sd_cm(causes)[0]


def test_length_sd_perfect_stride_is_the_base():
    assert sd_cm() == pytest.approx(BASE_SD_CM, abs=1e-6)


@pytest.mark.parametrize(
    "cause",
    [
        {"forward_mps": 0.3},
        {"vertical_mps": 0.3},
        {"height_m": -0.05},
        {"turn_deg": -40},
        {"rate_radps": 4.0},
        {"repaired_rad": 0.1},
    ],
)
def test_length_sd_increases_with_each_cause(cause):
    assert sd_cm(**cause) > 1.1 * sd_cm()


def test_length_sd_lower_rate_has_more_rotation_between_samples():
    expected = np.hypot(BASE_SD_CM, SD_PER_ROTATION_CM_PER_RAD * 4 / 50)
    assert sd_cm(rate_radps=4.0, rate_hz=50) == pytest.approx(expected)


def test_length_sd_height_due_to_shaking_at_contact_does_not_count():
    lost_m = -(CONTACT - 0.5) * 0.5 * DURATION_S
    assert sd_cm(vertical_mps=0.5, height_m=lost_m, share=1.0) == pytest.approx(BASE_SD_CM, abs=1e-6)
    assert sd_cm(height_m=lost_m, share=1.0) == pytest.approx(
        np.hypot(BASE_SD_CM, SD_PER_HEIGHT_CM_PER_M * lost_m)
    )


def test_length_sd_forward_velocity_counts_if_its_time_is_in_doubt():
    assert sd_cm(forward_mps=0.5, share=0.5) > 2 * BASE_SD_CM
    for share in (0.0, 1.0):
        assert sd_cm(forward_mps=0.5, share=share) == pytest.approx(BASE_SD_CM, abs=1e-6)
    assert sd_cm(forward_mps=0.5, share=0.5, explained=1.0) == pytest.approx(BASE_SD_CM, abs=1e-6)


@pytest.mark.parametrize(
    ("dataset", "reference_sd_cm"),
    [("gaitmap-mocap", 0), ("llio-ruler", 0), ("llio-ruler-2", 0), ("tripod-excerpt", 2.8), ("vicon", 0)],
)
def test_interval_contains_about_95_percent_of_the_errors(strides_folder, dataset, reference_sd_cm):
    table = read_strides(strides_folder).table
    own = table[table["usable"] & (table["dataset"] == dataset)]
    error_cm = own["strapdown_length_cm"] - own["stride_length_cm"]
    covered = error_cm.abs() <= 1.96 * np.hypot(own["length_sd_cm"], reference_sd_cm)
    # By chance, all of 64 strides may be within the interval; of hundreds, some must be outside.
    assert 0.9 <= covered.mean() <= (0.985 if len(own) > 100 else 1)


@pytest.mark.parametrize(
    ("dataset", "limit"), [("vicon", 0.85), ("llio-ruler", 0.85), ("gaitmap-mocap", 0.9)]
)
def test_length_sd_small_values_have_smaller_errors(strides_folder, dataset, limit):
    table = read_strides(strides_folder).table
    own = table[table["usable"] & (table["dataset"] == dataset)]
    error_cm = (own["strapdown_length_cm"] - own["stride_length_cm"]).abs()
    low = own["length_sd_cm"] <= own["length_sd_cm"].quantile(0.8)
    assert np.sqrt((error_cm[low] ** 2).mean()) < limit * np.sqrt((error_cm**2).mean())
