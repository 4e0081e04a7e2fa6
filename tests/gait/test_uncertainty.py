import numpy as np
import pytest

from tinystride.gait.strapdown import Strapdown, rotation_matrices
from tinystride.gait.strides import read_strides
from tinystride.gait.uncertainty import BASE_SD_CM, SD_PER_INTERVAL_CM_PER_S, length_sd_cm


def ended(excess_mps=0.0, height_m=0.0, turn_deg=0.0, tilt_rad=0.0):
    """Return the integral of one stride of 1.3 m that ends upright."""
    return Strapdown(
        length_cm=np.array([130.0]),
        displacement_m=np.array([[1.3, 0, height_m]]),
        velocity_mps=np.zeros((1, 2, 3)),
        orientation=np.stack([np.eye(3), rotation_matrices(np.deg2rad([0, 0, turn_deg]))])[None],
        excess_mps=np.array([[excess_mps, 0, 0]]),
        tilt_rad=np.array([tilt_rad]),
    )


def sd_cm(strapdown, rate_hz=1e6):
    return length_sd_cm(strapdown, 1.2 * strapdown.excess_mps[:, 0], rate_hz)[0]


def test_length_sd_perfect_stride_is_the_base():
    assert sd_cm(ended()) == pytest.approx(BASE_SD_CM, abs=1e-6)


def test_length_sd_increases_with_each_cause():
    base = sd_cm(ended())
    for worse in (
        sd_cm(ended(excess_mps=0.3)),
        sd_cm(ended(tilt_rad=0.1)),
        sd_cm(ended(height_m=-0.05)),
        sd_cm(ended(turn_deg=-40)),
    ):
        assert worse > 1.1 * base
    assert sd_cm(ended(), rate_hz=50) == pytest.approx(np.hypot(base, SD_PER_INTERVAL_CM_PER_S / 50))


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


def test_length_sd_small_values_have_smaller_errors(strides_folder):
    table = read_strides(strides_folder).table
    own = table[table["usable"] & (table["dataset"] == "vicon")]
    error_cm = (own["strapdown_length_cm"] - own["stride_length_cm"]).abs()
    low = own["length_sd_cm"] <= own["length_sd_cm"].quantile(0.8)
    assert np.sqrt((error_cm[low] ** 2).mean()) < 0.95 * np.sqrt((error_cm**2).mean())
