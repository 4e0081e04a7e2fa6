"""A clipped gyroscope on simulated walks: gravity tells how much rotation was lost."""

from dataclasses import replace

import numpy as np
import pytest

from tinystride.datasets.simulator import simulate_walk_with_truth
from tinystride.datasets.walker import SimulatedSubject
from tinystride.gait import strides
from tinystride.gait.strides import extract_strides


@pytest.fixture(scope="module", params=["left", "right"])
def walk(request):
    subject = SimulatedSubject.draw(np.random.default_rng(2))
    return simulate_walk_with_truth(subject, speed_mps=1.4, n_strides=12, seed=3, foot=request.param)


def errors_cm(recording, truth) -> np.ndarray:
    table = extract_strides(replace(recording, reference=recording.reference.iloc[:0])).table
    start, end = (np.rint(table[name] * recording.rate_hz).astype(int) for name in ("start_s", "end_s"))
    true_cm = 100 * np.linalg.norm(truth.position_m[end, :2] - truth.position_m[start, :2], axis=1)
    assert table["flags"].str.contains("saturated").sum() >= 8
    return table["strapdown_length_cm"].to_numpy() - true_cm


def clipped(recording, share: float, is_known: bool):
    limit = share * np.abs(recording.gyr_radps).max()
    samples = np.clip(recording.gyr_radps, -limit, limit)
    return replace(recording, gyr_radps=samples, saturation=(np.nan, limit if is_known else np.nan))


@pytest.mark.parametrize("is_known", [True, False])
@pytest.mark.parametrize("share", [0.6, 0.8])
def test_repair_clipped_walk_errs_much_less(walk, share, is_known, monkeypatch):
    recording, truth = walk
    damaged = clipped(recording, share, is_known)
    repaired_cm = np.sqrt((errors_cm(damaged, truth) ** 2).mean())
    monkeypatch.setattr(strides.clipping, "repair", lambda acc, gyr, *_: gyr)
    unrepaired_cm = np.sqrt((errors_cm(damaged, truth) ** 2).mean())
    assert repaired_cm < 0.6 * unrepaired_cm


def test_repair_intact_walk_changes_nothing(walk):
    acc, gyr = walk[0].acc_mps2, walk[0].gyr_radps
    stances = np.array([[300.0, 420.0]])
    assert (strides.clipping.repair(acc, gyr, 100.0, stances, np.zeros_like(gyr)) == gyr).all()
