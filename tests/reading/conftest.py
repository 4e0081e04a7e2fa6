"""A simulated walk, to be written in the formats of people and makers."""

import numpy as np
import pandas as pd
import pytest

from tinystride.datasets.recording import Recording
from tinystride.datasets.samples import AXES
from tinystride.datasets.simulator import simulate_walk
from tinystride.datasets.walker import SimulatedSubject
from tinystride.reading import ReadingOptions, read_recordings


@pytest.fixture(scope="session")
def simulated() -> dict[str, Recording]:
    """8 strides of each foot at 100 Hz."""
    return {
        foot: simulate_walk(SimulatedSubject(), n_strides=8, seed=4, foot=foot) for foot in ("left", "right")
    }


@pytest.fixture
def table(simulated) -> pd.DataFrame:
    """The right foot's samples in m/s² and rad/s."""
    walk = simulated["right"]
    samples = np.column_stack([walk.acc_mps2, walk.gyr_radps])
    samples += np.random.default_rng(3).normal(0, [0.02] * 3 + [0.002] * 3, samples.shape)
    return pd.DataFrame(samples.round(5), columns=list(AXES))


@pytest.fixture
def read(tmp_path):
    """Write text, or a table as csv, and read it with options; None: option not given."""

    def write_and_read(content, name="walk.csv", **options) -> Recording:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, pd.DataFrame):
            content = content.to_csv(index=False)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        given = {"rate_hz": 100.0, "foot": "right", **options}
        given = {name: value for name, value in given.items() if value is not None}
        (recording,) = read_recordings([path], ReadingOptions(**given))
        return recording

    return write_and_read


def assert_same(recording: Recording, table: pd.DataFrame, atol: float = 1e-4) -> None:
    """Check that the recording holds the samples of the table, in m/s² and rad/s."""
    np.testing.assert_allclose(recording.acc_mps2, table[list(AXES[:3])], atol=atol)
    np.testing.assert_allclose(recording.gyr_radps, table[list(AXES[3:])], atol=atol)
