"""Strides of the streaming estimator compared with reference lengths and with the offline pipeline."""

import io
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy.spatial.transform import Rotation

from tests.codegen.estimator_library import DESCRIPTION, streaming_network
from tests.predicting import write_csv
from tests.streaming.c_estimator import CEstimator
from tests.streaming.test_agreement import walk
from tinystride import cli, results
from tinystride.codegen import export_model
from tinystride.datasets.loading import load_recordings
from tinystride.datasets.simulated_activities import simulate_activity
from tinystride.datasets.simulator import simulate_walk
from tinystride.datasets.walker import Leg, SimulatedSubject
from tinystride.errors import DataError, ModelError, ParameterError
from tinystride.firmware import constants
from tinystride.gait.matching import match
from tinystride.gait.strides import extract_strides, gather_strides
from tinystride.learning.model_file import attach_metadata
from tinystride.predict import stream_strides
from tinystride.streaming import plausibility
from tinystride.streaming.config import Design
from tinystride.streaming.evaluation import COLUMN, SD_COLUMN, stream_tested, unseen_models
from tinystride.streaming.native import NativeEstimator
from tinystride.streaming.standing import Standing
from tinystride.streaming.state import FLAG
from tinystride.streaming.twin import TwinEstimator


def part(recording, samples: slice):
    return replace(recording, acc_mps2=recording.acc_mps2[samples], gyr_radps=recording.gyr_radps[samples])


def direct_model(folder):
    path = folder / "direct.tflite"
    path.write_bytes(attach_metadata(streaming_network(), {**DESCRIPTION, "estimator": "direct"}))
    return path


def matched_lengths(strides, recording):
    number, _ = match(
        recording.reference,
        recording.reference_event,
        strides["start_s"].to_numpy(),
        strides["end_s"].to_numpy(),
    )
    return number, recording.reference["stride_length_cm"].to_numpy()


@pytest.mark.parametrize("kind", ["driving", "sitting"])
def test_flags_stride_after_not_walking_are_not_walking(native, kind):
    recording = simulate_activity(kind, seed=2, duration_s=120)
    odd = native.strides(recording)["flags"].str.contains("not-walking").to_numpy()
    assert odd.any()
    # So only the last of them may be alone, or one after three walking strides. A stream starts as after one
    # walking stride.
    alone = odd & ~np.append(odd[1:], True) & ~np.concatenate([[False], odd[:-1]])
    walked = np.concatenate([[False, False, True], ~odd])
    assert all(walked[place : place + 3].all() for place in np.flatnonzero(alone))
    assert np.count_nonzero(odd) > 2 * np.count_nonzero(alone)


@pytest.mark.parametrize("rate_hz", [50.0, 75.0, 80.0, 83.3, 87.0, 104.0, 144.0])
def test_strides_slow_walk_are_reported_at_every_rate(native, rate_hz):
    recording = simulate_walk(SimulatedSubject(), speed_mps=0.6, n_strides=12, rate_hz=rate_hz, seed=1)
    strides = native.strides(recording)
    number, length_cm = matched_lengths(strides, recording)
    assert (number >= 0).all() and strides["duration_s"].median() > 1.7
    assert np.abs(strides["stride_length_cm"].to_numpy()[number] - length_cm).max() < 5
    assert not strides["flags"].str.contains("gap").any()


def test_flags_stride_after_too_long_one_are_previous_missing(native):
    # At 75 Hz the history holds 2.7 s.
    legs = [Leg(4, 1.2), Leg(2, 0.32), Leg(4, 1.2)]
    recording = simulate_walk(SimulatedSubject(), legs=legs, rate_hz=75.0, seed=1)
    strides = native.strides(recording)
    number, _ = matched_lengths(strides, recording)
    (missed,) = np.nonzero(number < 0)
    assert len(missed)
    after = strides["start_s"] > recording.reference["start_s"][missed.max()]
    (raised,) = strides["flags"][after].iloc[:1].str.split()
    assert "previous-missing" in raised and "gap" not in raised


@pytest.mark.parametrize("factor", [0.88, 1.0, 1.12])
def test_rate_off_by_an_eighth_flags_sensors_disagree(native, factor):
    recording = simulate_walk(SimulatedSubject(), n_strides=25, seed=1)
    strides = native.strides(replace(recording, rate_hz=factor * 100, walking_s=None))
    flagged = strides["flags"].str.contains("sensors-disagree").to_numpy()
    assert flagged[6:].all() if factor != 1 else not flagged.any()


@pytest.mark.parametrize("factor", [0.85, 1.0, 1.15])
def test_sensors_disagree_clipped_gyroscope_is_compared_after_the_repair(native, factor):
    recording = walk(1)
    limit = 0.7 * np.abs(recording.gyr_radps).max()
    clipped = replace(
        recording,
        gyr_radps=np.clip(recording.gyr_radps, -limit, limit),
        saturation=(np.nan, limit),
        reference=recording.reference.iloc[:0],
        rate_hz=factor * recording.rate_hz,
    )
    for strides in (native.strides(clipped), extract_strides(clipped).table):
        assert (strides["repaired_deg"] > 1).sum() >= 8
        flagged = strides["flags"].str.contains("sensors-disagree")
        assert flagged[5:].all() if factor != 1 else not flagged.any()


def test_walking_flags_single_odd_stride_flags_the_next_one_only_without_three_walking_strides(monkeypatch):
    walks = iter([])
    monkeypatch.setattr(plausibility, "template_correlation", lambda _: (1.0, 0))
    monkeypatch.setattr(plausibility, "is_walking", lambda *_: next(walks))
    integral = SimpleNamespace(gyr=np.zeros((64, 3)), moving=0.0)

    def flagged(kinds: str) -> str:
        nonlocal walks
        walks, checks = iter([kind == "w" for kind in kinds]), plausibility.Checks()
        raised = [checks.walking_flags(integral, 1.0, 0.0, False, FLAG["turn"]) for _ in kinds]
        return "".join("x" if bits & FLAG["not-walking"] else "." for bits in raised)

    assert flagged("wwwnww") == "...x.."
    assert flagged("wwwnnww") == "...xxx."
    assert flagged("wnww") == ".xx."
    assert flagged("nwnwnw") == "xxxxxx"
    assert flagged("wwwnwnw") == "...x.xx"


def test_standing_force_at_rest_is_estimated_from_stances_near_gravity():
    near, offset = (Standing(Design.of(100.0)) for _ in range(2))
    for pushed_mps2 in (0.0, 0.4, 0.05, 0.6, 0.3) * 3:
        counts = (constants.GRAVITY + np.array([pushed_mps2, 0.4])) / constants.ACC_UNIT
        near.update_rest_force([0, 0, round(counts[0])], 600)
        offset.update_rest_force([0, 0, round(counts[1])], 600)
    # The mean of these stances is 0.27 m/s² above gravity. A sensor with an offset is still recognized.
    assert abs(near.rest_mps2 - constants.GRAVITY) < 0.1
    assert offset.rest_mps2 - constants.GRAVITY == pytest.approx(0.4, abs=0.1)


def test_contact_is_not_after_the_end_of_its_stride(native):
    for kind in ("sitting", "driving", "running"):
        strides = native.strides(simulate_activity(kind, seed=5, duration_s=60))
        assert len(strides) and not (strides["initial_contact_s"] > strides["end_s"] + 1e-6).any()


@pytest.mark.parametrize(("seed", "foot", "rate_hz"), [(1, "right", 100), (2, "left", 208), (3, "left", 52)])
def test_strides_simulated_walks_match_the_reference(native, seed, foot, rate_hz):
    recording = walk(seed, rate_hz, foot)
    strides = native.strides(recording)
    number, length_cm = matched_lengths(strides, recording)
    assert (number >= 0).all()
    error_cm = strides["strapdown_length_cm"].to_numpy()[number] - length_cm
    assert np.sqrt(np.mean(error_cm**2)) < 4 and abs(error_cm.mean()) < 2.5
    contacts = strides["initial_contact_s"].to_numpy()[number]
    assert np.median(np.abs(contacts - recording.reference["end_s"])) < 0.04
    turns = (strides["flags"].str.contains("turn")).to_numpy()[number]
    for start_s, end_s in recording.turns_s:
        middle = recording.reference[["start_s", "end_s"]].mean(axis=1).to_numpy()
        assert turns[(middle > start_s) & (middle < end_s)].any()
    assert turns.sum() <= 5


def test_strides_recordings_match_the_offline_ones(native, raw_folder):
    for recording in load_recordings(raw_folder, ["tripod-excerpt"]):
        offline = extract_strides(recording).table
        offline = offline[offline["usable"]]
        strides = native.strides(recording)
        number, _ = match(offline, "mid_stance", strides["start_s"].to_numpy(), strides["end_s"].to_numpy())
        assert (number >= 0).mean() > 0.99
        found = strides.iloc[number[number >= 0]]
        expected = offline[number >= 0]
        assert np.abs(found["start_s"].to_numpy() - expected["start_s"]).max() < 0.08
        apart_cm = found["strapdown_length_cm"].to_numpy() - expected["strapdown_length_cm"]
        # At the first strides the sensor is calibrated less well than after the whole recording.
        assert np.median(np.abs(apart_cm)) < 0.6 and apart_cm[3:].std() < 1.0
        assert found["latency_s"].mean() < 0.7
        assert (found["flags"] == "").mean() > 0.95


def test_strides_fast_running_is_found_and_not_confidently_wrong(native, raw_folder):
    """At 3 m/s and more a foot rolls over its sole at up to 6.5 rad/s while it stands.

    A footprint that was measured at the wrong place makes one stride too long and the next one too short, so
    a large error counts only if the neighbour does not cancel it.
    """
    trials = ("51", "53", "55", "56")
    recordings = [r for r in load_recordings(raw_folder, ["llio-ruler-2"]) if r.trial in trials]
    found, without_flag, speed_mps = [], [], []
    for recording in recordings:
        strides = native.strides(recording)
        number, length_cm = matched_lengths(strides, recording)
        bounds = recording.reference[["start_s", "end_s"]].to_numpy()
        found.append(number >= 0)
        speed_mps.append(length_cm / 100 / (bounds[:, 1] - bounds[:, 0]))
        unflagged = (number >= 0) & (strides["flags"].to_numpy()[number] == "")
        without_flag.append(unflagged)
        off_cm = strides["stride_length_cm"].to_numpy()[number] - length_cm
        with_next, with_last = off_cm + np.roll(off_cm, -1), off_cm + np.roll(off_cm, 1)
        min_abs_cm = np.abs([off_cm, with_next, with_last]).min(axis=0)
        assert min_abs_cm[unflagged & (speed_mps[-1] >= 2.2)].max(initial=0) < 15
    found, without_flag, speed_mps = map(np.concatenate, (found, without_flag, speed_mps))
    assert (speed_mps >= 3).sum() > 25
    assert found[speed_mps >= 2.2].mean() >= 0.95
    assert without_flag[speed_mps >= 2.2].mean() >= 0.55


def test_strides_recordings_are_neither_missing_nor_cut(native, raw_folder):
    for recording in load_recordings(raw_folder, ["llio-ruler", "vicon"]):
        offline = extract_strides(recording).table
        offline = offline[offline["usable"] & (offline["strapdown_length_cm"] > 40)]
        strides = native.strides(recording)
        number, _ = match(offline, "mid_stance", strides["start_s"].to_numpy(), strides["end_s"].to_numpy())
        # In one walk, the tilt of one foot contact is next to its limit.
        assert (number < 0).sum() <= 2, recording.source
        start_s, end_s = strides["start_s"].to_numpy(), strides["end_s"].to_numpy()
        for first, last in offline[["start_s", "end_s"]].to_numpy():
            assert np.sum((start_s > first - 0.1) & (end_s < last + 0.1)) <= 1, recording.source


def test_clipping_running_is_repaired_by_its_vertical_velocity(native, raw_folder):
    """A running foot is pushed at mid-stance, so gravity alone leaves an RMSE of 13 cm at 400 deg/s."""
    limit, errors_cm = np.deg2rad(400), []
    for recording in load_recordings(raw_folder, ["llio-ruler"]):
        if recording.trial not in ("34", "35", "44"):
            continue
        clipped = np.clip(recording.gyr_radps, -limit, limit)
        strides = native.strides(replace(recording, gyr_radps=clipped, saturation=(np.nan, limit)))
        number, length_cm = matched_lengths(strides, recording)
        bounds = recording.reference[["start_s", "end_s"]].to_numpy()
        fast = (number >= 0) & (length_cm / 100 / (bounds[:, 1] - bounds[:, 0]) >= 2.2)
        errors_cm.extend(strides["stride_length_cm"].to_numpy()[number[fast]] - length_cm[fast])
    assert len(errors_cm) >= 20
    assert np.sqrt(np.mean(np.square(errors_cm))) < 10


def test_flags_complete_recordings_are_never_gap(native, twin, raw_folder):
    complete = [r for r in load_recordings(raw_folder, ["tripod-excerpt"]) if r.foot == "right"]
    assert not any(len(recording.gaps) for recording in complete)
    for engine in (native, twin):
        flags = [raised.split() for r in complete for raised in engine.strides(r)["flags"]]
        assert sum("previous-missing" in raised for raised in flags) == 2
        assert not any("gap" in raised for raised in flags)


def test_flags_recording_with_losses_are_gap_or_previous_missing(native, raw_folder):
    """Lose a few samples, which are interpolated, and half a second, whose stride is missing."""
    recording = next(r for r in load_recordings(raw_folder, ["tripod-excerpt"]) if r.foot == "right")
    strides = native.strides(recording)
    contact, middle = strides["initial_contact_s"][20], strides[["start_s", "end_s"]].loc[40].mean()
    places = (int(contact * recording.rate_hz), 3), (int(middle * recording.rate_hz), 64)
    gaps = np.array([[place, place + lost] for place, lost in places])
    damaged = native.strides(replace(recording, gaps=gaps))
    gap, missing = (damaged["flags"].str.contains(name) for name in ("gap", "previous-missing"))
    assert damaged["start_s"][gap].round(2).tolist() == [round(strides["start_s"][20], 2)]
    between = damaged[missing & (damaged["start_s"] < strides["start_s"][50])]
    assert between["start_s"].tolist() == pytest.approx([strides["start_s"][41]], abs=0.1)
    # Its samples are complete, so its length is right.
    length_cm = between["strapdown_length_cm"].iloc[0]
    assert length_cm == pytest.approx(strides["strapdown_length_cm"][41], abs=1.5)


def test_strides_any_mounting_are_equal(native):
    recording = walk(5)
    expected = native.strides(recording)
    for seed in range(4):
        mounting = Rotation.random(rng=seed).as_matrix()
        turned = replace(
            recording, acc_mps2=recording.acc_mps2 @ mounting, gyr_radps=recording.gyr_radps @ mounting
        )
        strides = native.strides(turned)
        assert np.abs(strides["start_s"] - expected["start_s"]).max() < 0.01
        assert np.abs(strides["stride_length_cm"] - expected["stride_length_cm"]).max() < 1
        assert strides["flags"].tolist() == expected["flags"].tolist()


def test_means_exclude_flagged_strides(native):
    strides = native.strides(walk(7))
    unflagged = []
    for stride in strides.itertuples():
        if stride.flags in ("", "no-standing"):
            unflagged.append((stride.stride_length_cm, stride.length_sd_cm**-2))
        for mean_cm, last in ((stride.mean5_cm, unflagged[-5:]), (stride.mean10_cm, unflagged[-10:])):
            mean = np.average([own[0] for own in last], weights=[own[1] for own in last]) if last else 0
            assert mean_cm == pytest.approx(mean, abs=1e-3)
    assert 8 < len(unflagged) < len(strides)
    assert (strides["length_sd_cm"] > 1).all()


def test_flags_other_foot_are_wrong_foot(native, raw_folder):
    recording = next(load_recordings(raw_folder, ["tripod-excerpt"]))
    other = {"left": "right", "right": "left"}[recording.foot]
    flagged = native.strides(replace(recording, foot=other))["flags"].str.contains("wrong-foot")
    assert flagged.mean() > 0.9
    assert not native.strides(recording)["flags"].str.contains("wrong-foot").any()


def after(before, recording):
    """Append a recording to others of the same sensor."""
    parts = [*before, recording]
    return replace(
        recording,
        acc_mps2=np.concatenate([part.acc_mps2 for part in parts]),
        gyr_radps=np.concatenate([part.gyr_radps for part in parts]),
        gaps=[],
    )


def test_flags_stairs_are_not_wrong_foot(native):
    stairs = [simulate_activity("stairs-up", foot="left", seed=seed) for seed in range(2)]
    strides = native.strides(after(stairs, walk(21)))
    assert strides["flags"].str.contains("climb").sum() > 20
    assert not strides["flags"].str.contains("wrong-foot").any()


def test_flags_sensor_moved_to_other_foot_are_right_after_twenty_strides(native):
    other = simulate_walk(SimulatedSubject(), foot="left", n_strides=40, seed=1)
    strides = native.strides(after([other], simulate_walk(SimulatedSubject(), n_strides=40, seed=2)))
    wrong = strides["flags"].str.contains("wrong-foot").to_numpy()
    later = strides["start_s"].to_numpy() > other.duration_s
    assert wrong[~later].mean() > 0.9
    assert not wrong[later][22:].any() and later.sum() > 35


def test_flags_walk_without_standing_are_no_standing(native):
    recording = walk(8)
    start = int((recording.reference["start_s"].iloc[1] + 0.3) * recording.rate_hz)
    strides = native.strides(part(recording, slice(start, -200)))
    # Later strides have learned the bias from earlier ones.
    assert len(strides) > 8 and strides["flags"].str.contains("no-standing")[1:4].all()


def test_finish_repeated_sample_is_not_standing(native, twin):
    """The repeated last sample does not count as standing."""
    walked = walk(9)
    walked = part(walked, slice(int((walked.reference["start_s"].iloc[1] + 0.3) * walked.rate_hz), None))
    for end_s in native.strides(walked)["end_s"][6:10]:
        for end in range(int(end_s * walked.rate_hz) - 8, int(end_s * walked.rate_hz) + 8, 4):
            cut = part(walked, slice(0, end))
            strides = native.strides(cut)
            assert strides["flags"].str.contains("no-standing")[2:4].all()
            assert strides["flags"].tolist() == twin.strides(cut)["flags"].tolist()


def test_finish_foot_at_rest_reports_the_last_stride(library):
    recording = walk(9)
    end = int((recording.reference["end_s"].iloc[-2] + 0.25) * recording.rate_hz)
    estimator = CEstimator(library, recording.rate_hz)
    for acc, gyr in zip(recording.acc_mps2[:end], recording.gyr_radps[:end], strict=True):
        estimator.push(acc, gyr)
    reported = len(estimator.strides)
    assert estimator.finish() == 1 and len(estimator.strides) == reported + 1
    assert estimator.strides[-1]["end_sample"] < end + 50


def test_predict_all_engines_report_the_same_strides(model_file, tmp_path, capsys):
    recording = write_csv(walk(10), tmp_path / "walk.csv")
    arguments = ["predict", str(recording), "--rate-hz", "100", "--foot", "right", "--model", str(model_file)]
    outputs = []
    for engine in ("c", "python", "offline"):
        cli.main([*arguments, "--engine", engine])
        outputs.append(capsys.readouterr().out.splitlines())
    c, python, offline = (
        pd.read_csv(io.StringIO("\n".join(lines)), keep_default_na=False) for lines in outputs
    )
    assert list(c) == list(python) == list(offline) == list(results.COLUMNS)
    assert len(c) == len(python) and abs(len(c) - len(offline)) <= 1
    assert c[["start_s", "end_s", "flags"]].equals(python[["start_s", "end_s", "flags"]])
    for column in ("stride_length_cm", "strapdown_length_cm"):
        assert np.allclose(c[column].astype(float), python[column].astype(float), atol=0.05)


def test_streaming_unsupported_recording_or_model_raises(native, model_file, tmp_path):
    recording = walk(11)
    with pytest.raises(ParameterError, match="40 to 420 Hz"):
        stream_strides(replace(recording, rate_hz=30.0), native)
    with pytest.raises(DataError, match="no stride found"):
        stream_strides(part(recording, slice(0, 150)), native)
    direct = direct_model(tmp_path)
    for engine in (NativeEstimator, TwinEstimator):
        with pytest.raises(ModelError, match="not an int8 strapdown-residual network"):
            engine(direct)
    files = export_model(direct, tmp_path / "direct", vectors=1)["files"]
    assert not any(name.endswith("tinystride.h") for name in files)


def test_stream_tested_uses_the_model_not_trained_on_the_subject(model_file, tmp_path):
    recordings = [replace(walk(seed), subject=name) for seed, name in ((1, "A"), (2, "B"))]
    table = gather_strides(recordings).table
    other = tmp_path / "fold.tflite"
    other.write_bytes(model_file.read_bytes())
    split = {
        "final": {"test": ["simulated/A"]},
        "folds": [{"fold": 0, "test": ["simulated/A"]}, {"fold": 1, "test": ["simulated/B"]}],
    }
    models = unseen_models(split, model_file, {0: other, 1: other})
    assert models == {"simulated/A": model_file, "simulated/B": other}
    lengths, counts = stream_tested(recordings, table, models)
    usable = table[table["usable"]].set_index("stride_id")
    assert set(lengths["stride_id"]) <= set(usable.index) and len(lengths) >= 0.97 * len(usable)
    assert (lengths[SD_COLUMN] > 0.5).all()
    apart_cm = lengths.set_index("stride_id")[COLUMN] - usable["strapdown_length_cm"]
    assert apart_cm.abs().median() < 2.5
    assert counts["simulated"]["strides"] >= len(lengths)
    only_b, _ = stream_tested(recordings, table, {"simulated/B": other})
    assert only_b["stride_id"].str.contains("/B/").all()
    none, nothing = stream_tested(recordings, table, {"simulated/B": direct_model(tmp_path)})
    assert none.empty and list(none) == ["stride_id"] and nothing == {}
