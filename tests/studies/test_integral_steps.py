"""The study of the estimator's steps cuts recordings as it says, and compares the same strides."""

from dataclasses import replace
from itertools import islice
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from studies.integral_steps import STEPS, cut, lengths, slow_walkers, statistics, with_short_start
from tinystride.datasets.recording import trajectory_table
from tinystride.datasets.simulator import simulate_walk
from tinystride.datasets.walker import SimulatedSubject
from tinystride.gait.strides import extract_strides

# Stands for a network that changes nothing.
NO_NETWORK = SimpleNamespace(lengths_cm=lambda signals, strapdown_length_cm: strapdown_length_cm)


@pytest.fixture(scope="module")
def recording():
    return simulate_walk(SimulatedSubject.draw(np.random.default_rng(3)), standing_s=(3.0, 2.0))


@pytest.mark.parametrize("standing_s", [0.5, 1.5])
def test_with_short_start_keeps_so_much_standing_and_all_strides(recording, standing_s):
    short = with_short_start(recording, standing_s)
    rate = np.linalg.norm(short.gyr_radps, axis=1)
    assert np.argmax(rate > 1.0) / short.rate_hz == pytest.approx(standing_s, abs=0.35)
    assert short.n_samples < recording.n_samples - 1.5 * recording.rate_hz
    before, after = (extract_strides(each).table.query("usable") for each in (recording, short))
    assert len(before) == len(after) > 8
    assert after["stride_length_cm"].tolist() == before["stride_length_cm"].tolist()
    assert after["strapdown_length_cm"].to_numpy() == pytest.approx(before["strapdown_length_cm"], abs=2)


def test_cut_moves_a_trajectory_to_the_new_clock(recording):
    time_s = np.arange(recording.n_samples) / recording.rate_hz
    path = trajectory_table(time_s, np.column_stack([time_s, 0 * time_s, 0 * time_s]))
    short = cut(replace(recording, reference=path), 200, 900)
    assert short.n_samples == 700
    assert np.interp(0, short.reference["time_s"], short.reference["x_m"]) == pytest.approx(2.0)


def test_lengths_slow_walkers_former_calibration_is_worse_and_other_steps_use_the_same_strides():
    table = pd.concat([lengths(each, NO_NETWORK) for each in islice(slow_walkers(), 6)])
    rows = pd.DataFrame(statistics(table, "short start", seed=1, resamples=20)).set_index("step")
    assert list(rows.index) == list(STEPS) and set(rows["n_strides"]) == {len(table)}
    assert rows.loc["as it was", "rmse_cm"] > 3 * rows.loc["standing mended", "rmse_cm"]
    assert rows.loc["network", "rmse_cm"] == rows.loc["motion at mid-stance", "rmse_cm"]
    assert rows["coverage"].isna().tolist() == [True, True, True, True, False, False]
