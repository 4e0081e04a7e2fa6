"""Gait parameters against the truth of simulated walks."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tinystride.datasets.simulator import overground, simulate_walk_with_truth
from tinystride.datasets.walker import SimulatedSubject
from tinystride.gait.both_feet import step_parameters
from tinystride.gait.bouts import place_in_walk
from tinystride.gait.parameters import COLUMNS, gait_parameters, walk_path
from tinystride.gait.strides import extract_strides

SUBJECT = SimulatedSubject()


@pytest.fixture(scope="module", params=["left", "right"])
def walk(request):
    """Return recording, truth, strides and parameters of a straight walk with an ideal sensor."""
    return _walk(foot=request.param, n_strides=14, speed_mps=1.3, seed=4)


def _walk(**options):
    recording, truth = simulate_walk_with_truth(SUBJECT, **options)
    strides = _strides(recording, truth)
    return recording, truth, strides, gait_parameters(recording, strides)


def _strides(recording, truth) -> pd.DataFrame:
    """Return detected mid-stances with true lengths."""
    found = extract_strides(recording).table
    found = found[found["strapdown_length_cm"].notna()].reset_index(drop=True)
    assert len(found) == len(truth.contact_s)
    length_cm = 100 * np.linalg.norm(np.diff(truth.footprint_m[:, :2], axis=0), axis=1)
    return found[["start_s", "end_s"]].assign(stride_length_cm=length_cm)


def test_gait_parameters_have_all_columns_for_every_stride(walk):
    _, _, strides, table = walk
    assert list(table) == list(COLUMNS) and len(table) == len(strides)
    assert table[1:].notna().all().all()


def test_contacts_simulated_walk_within_30_ms(walk):
    _, truth, _, table = walk
    for name, true_s in (("initial_contact_s", truth.contact_s), ("terminal_contact_s", truth.toe_off_s)):
        error_s = table[name].to_numpy() - true_s
        assert np.abs(error_s).max() < 0.03
        assert error_s.std() < 0.01


def test_stance_and_swing_add_up_to_the_stride_time(walk):
    _, _, _, table = walk
    whole = table[1:]
    assert (whole["stance_s"] + whole["swing_s"]).to_numpy() == pytest.approx(
        whole["stride_time_s"].to_numpy()
    )
    assert whole["stance_share"].between(0.55, 0.7).all()
    assert whole["cadence_spm"].to_numpy() == pytest.approx(120 / whole["stride_time_s"].to_numpy())


def test_stance_after_standing_is_nan(walk):
    _, _, strides, table = walk
    assert np.isnan(table["stance_s"].iloc[0]) and np.isnan(table["stance_share"].iloc[0])
    assert table["stride_time_s"].iloc[0] == pytest.approx(strides["end_s"][0] - strides["start_s"][0])


def test_speed_simulated_walk_equals_that_of_the_walker(walk):
    _, _, _, table = walk
    assert table["speed_mps"][2:-2].mean() == pytest.approx(1.3, rel=0.03)


def test_angles_simulated_walk_within_4_degrees(walk):
    recording, truth, _, table = walk
    foot = truth.rotation @ np.asarray(SUBJECT.mounting[recording.foot]).T
    toes_up_deg = np.rad2deg(np.arcsin(foot[:, 2, 0]))
    time_s = np.arange(recording.n_samples) / recording.rate_hz
    for name, event, sign in (
        ("foot_strike_angle_deg", "initial_contact_s", 1),
        ("toe_off_angle_deg", "terminal_contact_s", -1),
    ):
        at_s = table[event]
        true_deg = sign * np.interp(at_s, time_s, toes_up_deg)
        assert np.abs(table[name] - true_deg)[1:-1].max() < 4
    assert table["foot_strike_angle_deg"].between(5, 40).all()
    assert table["toe_off_angle_deg"][1:].between(35, 80).all()


def test_clearance_and_lateral_swing_simulated_walk_within_2_cm(walk):
    recording, truth, strides, table = walk
    time_s = np.arange(recording.n_samples) / recording.rate_hz
    for i in range(1, len(strides) - 1):
        own = (time_s >= strides["start_s"][i]) & (time_s <= strides["end_s"][i])
        position = truth.position_m[own]
        line = np.linspace(position[0], position[-1], len(position))
        assert 100 * (position - line)[:, 2].max() == pytest.approx(table["clearance_cm"][i], abs=2)
        assert abs(table["lateral_swing_cm"][i] - 100 * np.abs((position - line)[:, 1]).max()) < 2
    assert table["height_change_cm"].abs().mean() < 3


def test_turn_to_the_left_is_positive_for_both_feet():
    legs = overground(1.2, 12)
    for foot in ("left", "right"):
        _, truth, _, table = _walk(foot=foot, legs=legs, seed=5)
        true_deg = np.rad2deg(np.diff(truth.heading_rad))
        assert np.abs(table["turn_deg"] - true_deg).max() < 8
        assert np.abs(true_deg).max() > 30


def test_walk_path_ends_at_the_end_of_the_walk():
    recording, truth, strides, _ = _walk(legs=overground(1.2, 12), seed=5)
    path = walk_path(recording, strides)
    travelled = truth.footprint_m[-1, :2] - truth.footprint_m[0, :2]
    assert np.linalg.norm(path[-1, -1, :2]) == pytest.approx(np.linalg.norm(travelled), abs=0.4)


def test_gait_parameters_without_strides_are_empty(walk):
    recording, _, strides, _ = walk
    assert gait_parameters(recording, strides[:0]).empty
    assert len(walk_path(recording, strides[:0])) == 0


@pytest.mark.parametrize("rate_hz", [50, 400])
def test_contacts_other_sampling_rates_within_40_ms(rate_hz):
    _, truth, _, table = _walk(rate_hz=rate_hz, n_strides=10, seed=6)
    for name, true_s in (("initial_contact_s", truth.contact_s), ("terminal_contact_s", truth.toe_off_s)):
        assert np.abs(table[name].to_numpy() - true_s).max() < 0.04


def test_step_parameters_both_feet_add_up_to_strides():
    feet = {foot: _walk(foot=foot, n_strides=12, speed_mps=1.2, seed=9) for foot in ("left", "right")}
    tables = {foot: parts[3] for foot, parts in feet.items()}
    steps = {
        "left": step_parameters(tables["left"], tables["right"]),
        "right": step_parameters(tables["right"], tables["left"]),
    }
    both = pd.concat([steps["left"][2:-2], steps["right"][2:-2]])
    assert both.notna().all().all()
    stride_time_s = pd.concat([table[2:-2] for table in tables.values()])["stride_time_s"]
    assert both["step_time_s"].mean() * 2 == pytest.approx(stride_time_s.mean(), rel=0.03)
    length_cm = pd.concat([feet[foot][2][2:-2] for foot in feet])["stride_length_cm"]
    assert both["step_length_cm"].mean() * 2 == pytest.approx(length_cm.mean(), rel=0.05)
    assert both["double_support_share"].between(0.1, 0.4).all()


def test_step_parameters_without_other_foot_are_nan(walk):
    _, _, _, table = walk
    assert step_parameters(table, table[:0]).isna().all().all()


def test_place_in_walk_numbers_bouts_and_marks_their_ends():
    strides = pd.DataFrame({"start_s": [1.0, 2.0, 3.0, 5.0, 20.0], "end_s": [2.0, 3.0, 4.0, 6.0, 21.0]})
    place = place_in_walk(strides)
    assert list(place["position"]) == ["first", "middle", "last", "only", "only"]
    assert list(place["bout"]) == [1, 1, 1, 1, 2]
    assert place_in_walk(strides[:0]).empty
    assert list(place_in_walk(strides[:1])["position"]) == ["only"]


def test_gait_parameters_any_mounting_are_equal(walk):
    recording, _, strides, table = walk
    turned = np.array([[0, -1.0, 0], [0, 0, 1.0], [-1.0, 0, 0]])
    other = replace(
        recording, acc_mps2=recording.acc_mps2 @ turned.T, gyr_radps=recording.gyr_radps @ turned.T
    )
    again = gait_parameters(other, strides)
    assert np.nanmax(np.abs(again.to_numpy() - table.to_numpy())) < 1e-6
