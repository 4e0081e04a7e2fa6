"""Repair of a clipped gyroscope on simulated walks."""

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
    return table["strapdown_length_cm"].to_numpy() - true_cm


def clipped(recording, share: float, is_known: bool):
    limit = share * np.abs(recording.gyr_radps).max()
    samples = np.clip(recording.gyr_radps, -limit, limit)
    return replace(recording, gyr_radps=samples, saturation=(np.nan, limit if is_known else np.nan))


def unrepaired(acc_mps2, gyr_radps, rate_hz, mid_stances, *_):
    return gyr_radps, np.zeros(len(mid_stances))


@pytest.mark.parametrize("is_known", [True, False])
@pytest.mark.parametrize("share", [0.6, 0.8])
def test_repair_clipped_walk_reduces_the_error(walk, share, is_known, monkeypatch):
    recording, truth = walk
    damaged = clipped(recording, share, is_known)
    repaired_cm = np.sqrt((errors_cm(damaged, truth) ** 2).mean())
    monkeypatch.setattr(strides.clipping, "repair", unrepaired)
    unrepaired_cm = np.sqrt((errors_cm(damaged, truth) ** 2).mean())
    assert repaired_cm < 0.6 * unrepaired_cm


def test_clipped_walk_is_flagged_only_if_much_rotation_was_lost(walk):
    recording, _ = walk
    few, many = (
        extract_strides(
            replace(clipped(recording, share, True), reference=recording.reference.iloc[:0])
        ).table
        for share in (0.97, 0.6)
    )
    assert few["repaired_deg"].gt(0).any() and not few["flags"].str.contains("saturated").any()
    assert many["flags"].str.contains("saturated").sum() >= 8


def test_repair_intact_walk_changes_nothing(walk):
    acc, gyr = walk[0].acc_mps2, walk[0].gyr_radps
    stances = np.array([[300.0, 420.0]])
    same, repaired_rad = strides.clipping.repair(acc, gyr, 100.0, stances, np.zeros_like(gyr), np.eye(3))
    assert (same == gyr).all() and repaired_rad.tolist() == [0.0]


def test_repaired_deg_clipped_walk_is_about_the_lost_rotation(walk):
    recording = walk[0]
    damaged = clipped(recording, 0.7, True)
    lost_rad = np.cumsum(np.abs(recording.gyr_radps - damaged.gyr_radps).sum(axis=1)) / recording.rate_hz
    table = extract_strides(replace(damaged, reference=recording.reference.iloc[:0])).table
    start, end = (np.rint(table[name] * recording.rate_hz).astype(int) for name in ("start_s", "end_s"))
    lost_deg = np.rad2deg(lost_rad[end] - lost_rad[start])
    assert lost_deg.max() > 4
    assert np.abs(table["repaired_deg"] - lost_deg).median() < 0.35 * np.median(lost_deg)


def test_repair_clipping_in_both_directions_adds_the_prior(walk):
    """Losses in opposite directions cancel at the end of the stride, so each run gets the usual lost rate."""
    gyr = np.zeros((200, 3))
    gyr[40:50, 1], gyr[80:90, 1] = -7.0, 7.0
    pitch_rad = np.cumsum(gyr[:, 1] + strides.clipping.CLIPPING_RADPS * np.sign(gyr[:, 1])) / 100
    acc = 9.80665 * np.column_stack([-np.sin(pitch_rad), np.zeros(200), np.cos(pitch_rad)])
    repaired, repaired_rad = strides.clipping.repair(
        acc, gyr, 100.0, np.array([[10.0, 180.0]]), np.sign(gyr), np.eye(3)
    )
    more = repaired - gyr
    assert more[45, 1] == pytest.approx(-strides.clipping.CLIPPING_RADPS, abs=0.05)
    assert more[85, 1] == pytest.approx(strides.clipping.CLIPPING_RADPS, abs=0.05)
    assert repaired_rad[0] == pytest.approx(0.2, abs=0.01)
