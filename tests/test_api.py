"""The public interface: names, reading, estimating and writing."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import tinystride
from tests.predicting import models, write_csv
from tinystride.datasets.simulator import overground, simulate_walk
from tinystride.datasets.walker import SimulatedSubject
from tinystride.results import result_csv
from tinystride.summary import readable

PUBLIC = [
    "COLUMNS", "DataError", "MissingExtraError", "ModelError", "ParameterError", "Recording", "Result",
    "TinyStrideError", "Walk",
    "estimate", "read",
]  # fmt: skip


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A float32 network: outputs of a briefly trained int8 network could exceed its range."""
    path = tmp_path_factory.mktemp("model") / "stride_float32.tflite"
    path.write_bytes(models("strapdown-residual")[0])
    return path


@pytest.fixture(scope="module")
def int8_model(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "stride_int8.tflite"
    path.write_bytes(models("strapdown-residual")[1])
    return path


@pytest.fixture(scope="module")
def walk_csv(tmp_path_factory):
    walk = simulate_walk(SimulatedSubject(), legs=overground(1.3, 12), seed=3)
    return write_csv(walk, tmp_path_factory.mktemp("walk") / "anna.csv")


@pytest.fixture(scope="module")
def result(walk_csv, model):
    return tinystride.estimate(
        tinystride.read(walk_csv, rate_hz=100, foot="right", acc_unit="m/s2", gyr_unit="rad/s"), model=model
    )


def test_public_names_are_stable():
    assert tinystride.__all__ == PUBLIC
    assert all(getattr(tinystride, name) is not None for name in PUBLIC)
    with pytest.raises(AttributeError, match="no_such_name"):
        tinystride.no_such_name  # noqa: B018


def test_result_columns_begin_as_documented(result):
    assert list(result.strides) == list(tinystride.COLUMNS)
    assert list(result.strides)[:6] == [
        "start_s", "end_s", "duration_s", "stride_length_cm", "strapdown_length_cm", "flags",
    ]  # fmt: skip


def test_quality_of_unflagged_strides_is_kept_by_read_csv(result, tmp_path):
    result.to_csv(tmp_path / "strides.csv")
    table = pd.read_csv(tmp_path / "strides.csv")
    assert table.quality.notna().all() and {"ok"} < set(table.quality)
    assert list(table.quality == "ok") == list(result.strides["flags"] == "")


def test_steady_leaves_out_first_last_turns_and_flags(result):
    strides = result.strides
    assert list(strides["position"][[0, 1]]) == ["first", "middle"] and strides["position"].iloc[-1] == "last"
    assert not strides.loc[strides["position"] != "middle", "steady"].any()
    assert not strides.loc[strides["flags"] != "", "steady"].any()
    assert strides["steady"].sum() >= 6


def test_summary_is_json_and_counts_every_stride(result):
    summary = json.loads(json.dumps(result.summary))
    (recording,), (person,) = summary["recordings"], summary["people"]
    assert recording["recording"] == "anna.csv" and recording["foot"] == "right"
    counts = recording["strides"]
    assert counts["found"] == len(result.strides) and counts["steady"] == result.strides["steady"].sum()
    assert counts["left_out"]["first of a walk"] == counts["left_out"]["last of a walk"] == 1
    steady = result.strides.loc[result.strides["steady"], "stride_length_cm"]
    length = person["parameters"]["stride_length_cm"]
    assert length["n"] == len(steady)
    chosen = result.strides[result.strides["steady"]]
    width_cm = chosen["stride_length_high_cm"] - chosen["stride_length_low_cm"]
    assert length["mean"] == pytest.approx(np.average(steady, weights=width_cm**-2), abs=1e-3)
    assert length["sd"] == pytest.approx(steady.std(), abs=1e-3)
    assert length["cv_percent"] == pytest.approx(100 * steady.std() / length["mean"], abs=0.01)
    accepted = result.strides[result.strides["flags"].isin(["", "turn"])]
    assert recording["distance_m"] == pytest.approx(accepted["stride_length_cm"].sum() / 100, abs=0.01)
    assert [bout["strides"] for bout in recording["bouts"]] == [len(result.strides)]


def test_readable_summary_fits_80_columns(result):
    text = readable(result.summary)
    assert "stride length, cm" in text and max(map(len, text.splitlines())) <= 80


def test_both_feet_on_one_clock_give_steps_and_asymmetry(model):
    feet = [simulate_walk(SimulatedSubject(), n_strides=10, seed=2, foot=foot) for foot in ("left", "right")]
    shared = [_on_clock(recording, "one file") for recording in feet]
    together = tinystride.estimate(shared, model=model)
    assert together.strides.loc[together.strides["steady"], "step_time_s"].notna().all()
    assert abs(together.summary["people"][0]["asymmetry_percent"]["stride_length_cm"]) < 5
    apart = tinystride.estimate([_on_clock(recording, "") for recording in feet], model=model)
    assert apart.strides["step_time_s"].isna().all()


def test_time_start_uses_the_clock_of_the_file(model):
    walk = simulate_walk(SimulatedSubject(), n_strides=6, seed=2)
    utc = tinystride.estimate(_on_clock(walk, "utc", 1.7e9), model=model).strides
    assert utc["time_start"].str.match(r"2023-11-14T22:13:2\d\.\d{3}Z").all()
    own = tinystride.estimate(_on_clock(walk, "counter", 12.5), model=model).strides
    assert own["time_start"].astype(float).to_numpy() == pytest.approx(own["start_s"] + 12.5, abs=1e-4)
    assert set(tinystride.estimate(walk, model=model).strides["time_start"]) == {""}


@pytest.mark.parametrize("engine", ["python", "c"])
def test_every_engine_gives_the_same_columns(walk_csv, int8_model, result, engine):
    walk = tinystride.read(walk_csv, rate_hz=100, foot="right", acc_unit="m/s2", gyr_unit="rad/s")
    other = tinystride.estimate(walk, model=int8_model, engine=engine).strides
    assert list(other) == list(result.strides)
    assert len(other) == len(result.strides)
    for name in ("initial_contact_s", "terminal_contact_s", "foot_strike_angle_deg"):
        assert np.nanmax(np.abs(other[name].to_numpy(float) - result.strides[name].to_numpy(float))) < 5


def test_to_csv_text_like_a_formula_is_quoted(result):
    table = result.strides.assign(person='=HYPERLINK("x")', recording="@SUM(1).csv")
    lines = result_csv(table).splitlines()
    assert "'=HYPERLINK" in lines[1] and "'@SUM(1).csv" in lines[1]


def test_plot_writes_a_picture(result, tmp_path):
    result.plot(tmp_path / "walk.png")
    assert (tmp_path / "walk.png").stat().st_size > 20_000
    with pytest.raises(tinystride.ParameterError, match="PNG"):
        result.plot(tmp_path / "walk.pdf")


def test_estimate_unknown_engine_is_refused(model):
    walk = simulate_walk(SimulatedSubject(), n_strides=6, seed=2)
    with pytest.raises(tinystride.ParameterError, match="engine is 'fast'"):
        tinystride.estimate(walk, model=model, engine="fast")


def test_recording_from_frame_reads_as_the_file_does(walk_csv, model, result):
    frame = pd.read_csv(walk_csv)
    given = {"acc_unit": "m/s2", "gyr_unit": "rad/s"}
    walk = tinystride.Recording.from_frame(frame, rate_hz=100, foot="right", name="anna.csv", **given)
    assert tinystride.estimate(walk, model=model).to_csv() == result.to_csv()
    untimed = frame.drop(columns="time_s")
    other = tinystride.Recording.from_frame(untimed, rate_hz=100, foot="right", **given)
    assert np.array_equal(other.acc_mps2, walk.acc_mps2)
    timed = untimed.set_index(pd.to_timedelta(frame["time_s"], unit="s").rename("time"))
    assert tinystride.Recording.from_frame(timed, foot="right", **given).rate_hz == pytest.approx(100)


def test_recording_from_frame_in_g_with_two_header_rows(walk_csv):
    frame = pd.read_csv(walk_csv)
    axes = [f"{sensor}_{axis}" for sensor in ("acc", "gyr") for axis in "xyz"]
    both = pd.concat({"left_sensor": frame[axes], "right_sensor": frame[axes]}, axis=1)
    walk = tinystride.Recording.from_frame(both, rate_hz=100, foot="right", acc_unit="m/s2", gyr_unit="rad/s")
    assert walk.foot == "right"
    with pytest.raises(tinystride.ParameterError, match="left and right"):
        tinystride.Recording.from_frame(both, rate_hz=100, acc_unit="m/s2", gyr_unit="rad/s")


def test_recording_from_frame_without_a_sensor_is_refused():
    with pytest.raises(tinystride.DataError, match="notes"):
        tinystride.Recording.from_frame(pd.DataFrame({"a": [1.0], "b": [2.0]}), rate_hz=100, name="notes")


def test_documented_example_runs(walk_csv, model, tmp_path, monkeypatch, capsys):
    text = (Path(__file__).parents[1] / "docs/parameters.md").read_text()
    code = text.split("<!-- example: begin -->")[1].split("```python")[1].split("```")[0]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tinystride.api.default_model", lambda: model)
    (tmp_path / "walk.csv").write_bytes(walk_csv.read_bytes())
    exec(compile(code, "docs/parameters.md", "exec"), {})
    assert (tmp_path / "strides.csv").is_file() and (tmp_path / "walk.png").is_file()
    assert "stride_length_cm" in capsys.readouterr().out


def _on_clock(recording, clock, start_s=0.0):
    from dataclasses import replace

    return replace(recording, clock=clock, clock_start_s=start_s)
