"""Write the simulated walk of the tutorials, docs/tutorials/walk.csv: `python -m tools.docs.example_walk`."""

from pathlib import Path

import numpy as np
import pandas as pd

from tinystride.datasets.recording import FEET
from tinystride.datasets.simulator import simulate_walk
from tinystride.datasets.virtual_sensor import VirtualSensor
from tinystride.datasets.walker import Leg, SimulatedSubject

PATH = Path("docs/tutorials/walk.csv")
LEGS = [Leg(9, 1.25), Leg(3, 0.8, turn_rad=np.pi), Leg(9, 1.25)]
LOST = slice(2010, 2018)  # samples that are missing in the file, 0.08 s
SEED = 1


def example_walk() -> str:
    """Return the csv text: both feet at 100 Hz, 9 strides, a half turn, 9 strides back; samples are lost."""
    rng = np.random.default_rng(SEED)
    person = SimulatedSubject.draw(rng, "simulated")
    feet = [
        simulate_walk(person, foot=foot, legs=LEGS, seed=SEED, sensor=VirtualSensor.draw(rng))
        for foot in FEET
    ]
    n = min(foot.n_samples for foot in feet)
    columns = {"time_s": np.arange(n) / feet[0].rate_hz}
    for foot in feet:
        for sensor, samples, decimals in (("acc", foot.acc_mps2, 2), ("gyr", foot.gyr_radps, 3)):
            for axis, values in zip("xyz", samples[:n].T, strict=True):
                columns[f"{foot.foot}_{sensor}_{axis}"] = np.round(values, decimals) + 0.0
    table = pd.DataFrame(columns)
    return table.drop(index=table.index[LOST]).to_csv(index=False)


if __name__ == "__main__":
    PATH.write_text(example_walk(), encoding="utf-8")
