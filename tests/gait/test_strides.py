"""Table and samples of all strides, of recorded and simulated walks and of bad input."""

import hashlib
import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.spatial.transform import Rotation

from tinystride.datasets.recording import reference_table
from tinystride.datasets.simulator import simulate_walk
from tinystride.datasets.virtual_sensor import VirtualSensor
from tinystride.errors import DataError, ParameterError
from tinystride.gait import flags
from tinystride.gait.options import GaitOptions
from tinystride.gait.strapdown import (
    correct_tilt,
    impact_share,
    integrate,
    resample,
    stance_motion,
    untilted_excess_m,
    with_impacts,
    with_stance_motion,
)
from tinystride.gait.strides import (
    COLUMNS,
    MARGIN_S,
    count_strides,
    extract_strides,
    gather_strides,
    read_strides,
    write_strides,
)
from tinystride.streaming.table import FLAG_NAMES


@pytest.fixture(scope="module")
def recorded(strides_folder):
    return read_strides(strides_folder)


def errors_cm(strides, dataset: str) -> pd.Series:
    usable = strides.table[strides.table["usable"] & (strides.table["dataset"] == dataset)]
    return usable["strapdown_length_cm"] - usable["stride_length_cm"]


def test_strapdown_length_ruler_set_is_accurate(recorded):
    """All 952 strides are found; the RMSE is due to footprints with errors of up to 57 cm."""
    error_cm = errors_cm(recorded, "llio-ruler")
    assert len(error_cm) == 952
    assert abs(error_cm.mean()) < 0.5
    assert np.sqrt((error_cm**2).mean()) < 3.45
    assert error_cm.abs().median() < 1.0


def test_strapdown_length_treadmill_set_is_accurate(recorded):
    error_cm = errors_cm(recorded, "tripod-excerpt")
    assert len(error_cm) >= 570
    assert abs(error_cm.mean()) < 1.0
    assert np.sqrt((error_cm**2).mean()) < 3.9
    table = recorded.table[recorded.table["dataset"] == "tripod-excerpt"]
    by_run = error_cm.groupby([table["trial"], table["foot"]])
    assert by_run.std().max() < 4.1
    assert by_run.mean().abs().max() < 1.6


@pytest.mark.parametrize(
    ("dataset", "strides", "rmse_cm", "median_abs_cm"),
    [("gaitmap-mocap", 64, 5.0, 4.2), ("llio-ruler-2", 1900, 7.5, 1.3), ("vicon", 950, 2.9, 1.8)],
)
def test_strapdown_length_other_sets_is_accurate(recorded, dataset, strides, rmse_cm, median_abs_cm):
    error_cm = errors_cm(recorded, dataset)
    assert len(error_cm) >= strides
    assert abs(error_cm.mean()) < 1.3
    assert np.sqrt((error_cm**2).mean()) < rmse_cm
    assert error_cm.abs().median() < median_abs_cm


def test_trajectory_undetected_strides_are_in_the_table(recorded):
    """Each detected stride has a length; the other strides are in the table with a length and a reason."""
    table = recorded.table[recorded.table["dataset"] == "vicon"]
    assert table["stride_length_cm"].notna().all()
    missed = table[table["strapdown_length_cm"].isna()]
    assert 0 < len(missed) < 0.04 * len(table)
    assert (missed["reason"] != "").all()


def test_strapdown_length_ipol_healthy_fits_the_walkway(recorded):
    """The only reference is the length of the walkway; both feet of a walk must have the same speed."""
    table = recorded.table[recorded.table["dataset"] == "ipol-healthy"]
    table = table[table["strapdown_length_cm"].notna() & (table["reason"] != "outside the walk")]
    assert table["usable"].sum() > 3100
    assert (table.loc[table["usable"], "reference"] == "strapdown").all()
    total_m = table.groupby(["subject", "trial", "foot"])["strapdown_length_cm"].sum() / 100
    assert total_m.median() == pytest.approx(21, abs=1)
    straight = table[table["usable"] & (table["turn_deg"].abs() < 10) & (table["strapdown_length_cm"] > 100)]
    speed_mps = straight["strapdown_length_cm"] / straight["duration_s"] / 100
    by_foot = speed_mps.groupby([straight["subject"], straight["foot"]]).mean().unstack()
    assert (by_foot["left"] / by_foot["right"] - 1).mean() == pytest.approx(0, abs=0.01)


def test_extract_strides_recorded_sets_find_nearly_all_strides(recorded):
    table = recorded.table
    for dataset, minimum in (("llio-ruler", 0.99), ("tripod-excerpt", 0.99), ("ipol-healthy", 0.98)):
        known = table[(table["dataset"] == dataset) & (table["reference"] != "")]
        known = known[known["reason"] != "outside the walk"]
        assert known["strapdown_length_cm"].notna().mean() > minimum


def test_reason_recorded_sets_is_given_for_each_unusable_stride(recorded):
    table = recorded.table
    assert ((table["reason"] == "") == table["usable"]).all()
    assert table.loc[table["usable"], ["stride_length_cm", "strapdown_length_cm"]].notna().all(axis=None)
    counts = count_strides(table)
    assert list(counts) == [
        "gaitmap-mocap",
        "ipol-healthy",
        "llio-ruler",
        "llio-ruler-2",
        "tripod-excerpt",
        "vicon",
    ]
    for dataset in counts.values():
        assert dataset["usable"] + sum(dataset["left_out"].values()) == dataset["strides"]
    assert counts["ipol-healthy"]["left_out"]["gap"] > 100
    assert counts["ipol-healthy"]["subjects"] == 19


def test_strides_table_and_samples_are_consistent(recorded):
    table, signals = recorded.table, recorded.signals
    assert table["stride_id"].is_unique
    detected = table[table["strapdown_length_cm"].notna()]
    assert signals.stride_id.tolist() == detected["stride_id"].tolist()
    duration_s = np.diff(signals.mid_stance)[:, 0] / signals.rate_hz
    assert duration_s == pytest.approx(detected["duration_s"].to_numpy())
    own = (detected["dataset"] == "llio-ruler") & (detected["trial"] == "31")
    samples = resample(signals.select(detected["stride_id"][own]))
    integral, duration_s = integrate(*samples), samples[2]
    contact = (detected["initial_contact_s"] - detected["start_s"])[own].to_numpy() / duration_s
    excess_m = untilted_excess_m(integral, samples[0], duration_s)
    motion = stance_motion(integral, *samples)
    levelled, explained = correct_tilt(integral, *samples, rate_hz=200)
    drifting = with_impacts(levelled, excess_m, contact, *impact_share(excess_m), explained)
    again = with_stance_motion(drifting, motion)
    assert again.length_cm == pytest.approx(detected["strapdown_length_cm"][own].to_numpy(), abs=1e-4)


@pytest.mark.parametrize("foot", ["left", "right"])
@pytest.mark.parametrize("rate_hz", [50, 128, 400])
def test_extract_strides_any_mounting_gives_the_lengths(person, foot, rate_hz):
    sensor = VirtualSensor(gyr_bias_radps=(0.0175, -0.01, 0.005), acc_bias_mps2=(0.1, 0.1, -0.2))
    recording = simulate_walk(person, foot=foot, rate_hz=rate_hz, seed=4, n_strides=10, sensor=sensor)
    reference = extract_strides(recording).table
    usable = reference[reference["usable"]]
    assert len(usable) >= 8
    error_cm = usable["strapdown_length_cm"] - usable["stride_length_cm"]
    assert error_cm.abs().max() < 2
    for turn in Rotation.random(3, random_state=rate_hz).as_matrix():
        turned = replace(recording, acc_mps2=recording.acc_mps2 @ turn, gyr_radps=recording.gyr_radps @ turn)
        table = extract_strides(turned).table
        assert table["strapdown_length_cm"].to_numpy() == pytest.approx(
            reference["strapdown_length_cm"].to_numpy(), abs=0.1, nan_ok=True
        )


def test_signals_contain_a_margin_around_the_events(walk):
    recording, _ = walk
    strides = extract_strides(recording)
    signals = strides.signals
    assert signals.acc_mps2.dtype == np.float32
    margin = MARGIN_S * recording.rate_hz
    first = np.fmin(signals.mid_stance[:, 0], signals.initial_contact[:, 0])
    assert (first >= margin - 1).all()
    assert (np.diff(signals.offset) - 1 - signals.mid_stance[:, 1] >= margin - 1).all()
    assert np.isnan(signals.initial_contact[0, 0])
    assert (signals.initial_contact[1:, 0] < signals.mid_stance[1:, 0]).all()


@pytest.mark.parametrize(
    ("event", "allowed"), [("mid_stance_s", 3), ("contact_s", 0)], ids=["at rest", "at an impact"]
)
def test_gap_long_or_during_movement_makes_a_stride_unusable(walk, event, allowed):
    recording, truth = walk
    whole = extract_strides(recording).table
    at = round(getattr(truth, event)[5] * recording.rate_hz) + (2 if event == "mid_stance_s" else 0)
    for lost in (allowed, allowed + 1):
        table = extract_strides(replace(recording, gaps=np.array([[at, at + lost]]))).table
        spoilt = table["flags"].str.contains("gap")
        assert spoilt.any() == (lost > allowed)
        assert (table.loc[spoilt, "reason"] == "gap").all()
        assert table["usable"].sum() == whole["usable"].sum() - spoilt.sum()


def test_stride_flags_names_are_equal_everywhere(walk, monkeypatch):
    returned = []

    def spy(*given):
        returned.append(flags.stride_flags(*given))
        return returned[-1]

    monkeypatch.setattr("tinystride.gait.strides.stride_flags", spy)
    extract_strides(walk[0])
    assert sorted(returned[0]) == sorted(flags.FLAGS)
    assert {*flags.FLAGS, "inconsistent", "previous-missing"} == set(FLAG_NAMES)
    assert set(flags.EXTRAORDINARY) < set(flags.FLAGS)


@pytest.mark.parametrize("axis", [0, 1, 3, 4, 5])
def test_gap_constant_axis_is_flagged(walk, axis):
    recording, _ = walk
    name, channel = ("acc_mps2", "gyr_radps")[axis // 3], axis % 3
    samples = getattr(recording, name).copy()
    at = int(recording.reference["start_s"].iloc[4] * recording.rate_hz)
    samples[at:, channel] = samples[at, channel]
    table = extract_strides(replace(recording, **{name: samples})).table
    later = table[(table["start_s"] * recording.rate_hz > at) & table["strapdown_length_cm"].notna()]
    assert len(later) and later["flags"].str.contains("gap").all() and not later["usable"].any()


def test_saturated_unknown_full_scale_is_flagged(walk):
    """A full scale that is not in the data sheet is found, even with few samples in a row."""
    recording, _ = walk
    size = np.abs(recording.acc_mps2).max(axis=1)
    limit = np.sort(size)[-6]
    unknown = replace(recording, saturation=(np.nan, np.nan))
    table = extract_strides(replace(unknown, acc_mps2=np.clip(recording.acc_mps2, -limit, limit))).table
    for at in np.flatnonzero(size >= limit) / recording.rate_hz:
        holders = table[(table["start_s"] < at) & (at < table["end_s"])]
        assert holders["flags"].str.contains("saturated").all()
    assert 0 < table["flags"].str.contains("saturated").sum() < len(table)
    assert not extract_strides(unknown).table["flags"].str.contains("saturated").any()


def test_usable_depends_on_reference_and_walk(walk):
    recording, _ = walk
    reference = recording.reference
    known = reference.assign(
        stride_length_cm=[np.nan, *reference["stride_length_cm"][1:]],
        note=["length not credible", *[""] * (len(reference) - 1)],
    )
    table = extract_strides(replace(recording, reference=known)).table
    assert table["reason"].tolist()[:3] == ["no reference", "length not credible", ""]
    inside = replace(recording, walking_s=(0.0, float(reference["end_s"].iloc[-3])))
    outside = extract_strides(inside).table["reason"] == "outside the walk"
    assert outside.tolist() == [*[False] * (len(table) - 2), True, True]


def test_usable_without_reference_is_every_complete_stride(walk):
    recording, _ = walk
    table = extract_strides(replace(recording, reference=recording.reference.iloc[:0])).table
    assert table["usable"].all()
    assert table["stride_length_cm"].isna().all()
    assert (table["reference"] == "").all()


def test_reference_stride_undetected_stays_in_the_table(walk):
    recording, _ = walk
    before = reference_table([0.2], [1.2], 120.0, "simulated")
    late = pd.concat([before, recording.reference], ignore_index=True)
    strides = extract_strides(replace(recording, reference=late))
    first = strides.table.iloc[0]
    assert (first["reason"], first["usable"], first["stride_length_cm"]) == (
        "no stride detected",
        False,
        120.0,
    )
    assert np.isnan(first["strapdown_length_cm"])
    assert first["stride_id"] not in strides.signals.stride_id
    assert strides.table["start_s"].is_monotonic_increasing


def test_write_strides_equal_strides_give_equal_bytes(walk, tmp_path):
    recording, _ = walk
    hashes = []
    for name in ("once", "twice"):
        strides = gather_strides([recording])
        write_strides(strides, tmp_path / name)
        files = sorted((tmp_path / name).iterdir())
        assert [file.name for file in files] == ["signals.npz", "strides.parquet"]
        hashes.append([hashlib.sha256(file.read_bytes()).hexdigest() for file in files])
    assert hashes[0] == hashes[1]
    again = read_strides(tmp_path / "once")
    pd.testing.assert_frame_equal(again.table, strides.table)
    assert list(again.table) == list(COLUMNS)
    assert again.signals.acc_mps2.tobytes() == strides.signals.acc_mps2.tobytes()


def test_read_strides_damaged_file_is_rejected(walk, tmp_path):
    whole = tmp_path / "whole"
    write_strides(extract_strides(walk[0]), whole)
    with pytest.raises(DataError, match="run the preprocess stage again"):
        read_strides(tmp_path / "absent")
    for name in ("strides.parquet", "signals.npz"):
        damaged = shutil.copytree(whole, tmp_path / f"cut {name}")
        content = (damaged / name).read_bytes()
        (damaged / name).write_bytes(content[: len(content) // 2])
        with pytest.raises(DataError, match=name):
            read_strides(damaged)
    pd.read_parquet(whole / "strides.parquet").drop(columns="usable").to_parquet(whole / "strides.parquet")
    with pytest.raises(DataError, match="usable"):
        read_strides(whole)


def still(recording, n: int):
    noise = np.random.default_rng(0)
    return replace(
        recording,
        acc_mps2=noise.normal([0, 0, 9.81], 0.02, (n, 3)),
        gyr_radps=noise.normal(0, 0.002, (n, 3)),
        reference=recording.reference.iloc[:0],
    )


def test_extract_strides_recording_without_stride_is_rejected_in_one_line(walk):
    with pytest.raises(DataError, match=r"no stride found.*record walking") as refused:
        extract_strides(still(walk[0], 1000))
    assert walk[0].source in str(refused.value)
    assert "\n" not in str(refused.value)
    never_at_rest = replace(still(walk[0], 1000), gyr_radps=np.full((1000, 3), [0.0, 4.0, 0.0]))
    with pytest.raises(DataError, match="no stride found"):
        extract_strides(never_at_rest)
    with pytest.raises(DataError, match="no recording"):
        gather_strides([])


def test_extract_strides_one_stride_is_found(person):
    assert len(extract_strides(simulate_walk(person, n_strides=1, seed=1)).table) == 1


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("max_gap_s", 0.0, 0.2),
        ("min_duration_s", 0.2, 1.0),
        ("max_duration_s", 1.0, 5.0),
        ("min_length_cm", 0.0, 100.0),
        ("max_length_cm", 100.0, 400.0),
        ("turn_deg", 5.0, 180.0),
    ],
)
def test_gait_options_out_of_range_are_rejected(name, low, high):
    for value in (low - 1, high + 1, float("nan"), "3", None, True):
        with pytest.raises(
            ParameterError, match=f"^{name} is .*: it has to be a number from {low:g} to {high:g}$"
        ):
            GaitOptions(**{name: value})
    assert getattr(GaitOptions(**{name: high}), name) == high
