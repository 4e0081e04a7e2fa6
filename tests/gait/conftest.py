"""Fixtures: walks of simulated people, whose true stride lengths are known."""

import numpy as np
import pytest

from tinystride.datasets.simulator import simulate_walk_with_truth
from tinystride.datasets.walker import SimulatedSubject


@pytest.fixture(scope="session")
def person() -> SimulatedSubject:
    return SimulatedSubject.draw(np.random.default_rng(3))


@pytest.fixture(scope="session")
def walk(person):
    """Return the recording of a right foot by an ideal sensor, and its truth."""
    return simulate_walk_with_truth(person, foot="right", rate_hz=100, seed=1)
