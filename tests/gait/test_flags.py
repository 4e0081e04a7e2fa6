import numpy as np
import pytest

from tinystride.gait.flags import is_steady, residual_scores, shows_impacts
from tinystride.gait.strapdown import GRAVITY_MPS2, POINTS, Strapdown


def ending(velocity_mps=(0.0, 0.0, 0.0), tilt_rad=0.0) -> Strapdown:
    """Return the integral of one stride that ends with a velocity and a tilt."""
    velocity = np.linspace(0, 1, POINTS)[:, None] * np.array(velocity_mps)
    return Strapdown(
        length_cm=np.array([140.0]),
        displacement_m=np.array([[1.4, 0, 0]]),
        velocity_mps=velocity[None],
        orientation=np.tile(np.eye(3), (1, POINTS, 1, 1)),
        excess_mps=np.array([velocity_mps]),
        tilt_rad=np.array([tilt_rad]),
    )


def foot(force: float = 1.0, rate_radps: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Return samples of a foot with a specific force, in multiples of gravity, and a pitch rate."""
    acc_mps2, gyr_radps = np.zeros((2, 1, POINTS, 3))
    acc_mps2[..., 2], gyr_radps[..., 1] = force * GRAVITY_MPS2, rate_radps
    return acc_mps2, gyr_radps


def test_is_steady_vertical_velocity_has_a_lower_limit_than_horizontal():
    assert is_steady(ending((2.0, 0.0, 0.0)), *foot())
    assert is_steady(ending((0.0, 0.0, -0.7)), *foot())
    assert not is_steady(ending((0.0, 0.0, -0.9)), *foot())
    assert not is_steady(ending((1.8, 1.8, 0.0)), *foot())


@pytest.mark.parametrize(("force", "rate_radps", "steady"), [(1, 0.4, False), (1.2, 0, True), (1, 2, True)])
def test_is_steady_foot_that_moves_at_its_ends_may_tilt_its_force(force, rate_radps, steady):
    assert is_steady(ending(tilt_rad=0.35), *foot(force, rate_radps)) == steady
    assert not is_steady(ending(tilt_rad=1.0), *foot(force, rate_radps))


def test_residual_scores_at_the_limits_are_1():
    drift, tilt = residual_scores(ending((2.5, 0.0, 0.0), tilt_rad=0.25), *foot())
    assert drift[0] == pytest.approx(1) and tilt[0] == pytest.approx(1)


def test_shows_impacts_vertical_velocity_has_the_limit_of_horizontal():
    assert shows_impacts(ending((0.0, 0.0, -2.4)))
    assert not shows_impacts(ending((0.0, 0.0, -2.6)))
    assert not shows_impacts(ending((0.0, 0.0, -1.0), tilt_rad=0.3))
