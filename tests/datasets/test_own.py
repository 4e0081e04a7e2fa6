"""Somebody's own csv, whole and damaged."""

import numpy as np
import pandas as pd
import pytest

from tinystride.datasets.own import load_csv
from tinystride.datasets.samples import AXES
from tinystride.errors import DataError, ParameterError


@pytest.fixture
def table(walk) -> pd.DataFrame:
    return pd.DataFrame(np.column_stack(walk(100.0)), columns=list(AXES))


def load(table, tmp_path, **options):
    path = tmp_path / "own.csv"
    table.to_csv(path, index=False)
    return load_csv(path, **{"rate_hz": 100.0, "foot": "left", **options})


def test_units_are_converted(table, tmp_path):
    metric = load(table, tmp_path)
    factor = [1 / 9.80665] * 3 + [180 / np.pi] * 3
    other = load(table * factor, tmp_path, acc_unit="g", gyr_unit="deg/s")
    np.testing.assert_allclose(other.acc_mps2, metric.acc_mps2)
    np.testing.assert_allclose(other.gyr_radps, metric.gyr_radps, atol=1e-12)
    assert metric.foot == "left" and metric.name == "own/own/1/left" and len(metric.gaps) == 0


def test_columns_may_come_in_any_order_and_time_shows_lost_samples(table, tmp_path):
    table = table.assign(note="x", time_s=5 + np.arange(len(table)) / 100)[
        [*reversed(AXES), "note", "time_s"]
    ]
    recording = load(table.drop(index=[700, 701]), tmp_path)
    assert recording.n_samples == len(table) and recording.gaps.tolist() == [[700, 702]]
    np.testing.assert_allclose(recording.acc_mps2[699], table.loc[699, list(AXES[:3])].astype(float))


@pytest.mark.parametrize(
    ("change", "options", "rule"),
    [
        (lambda t: t.drop(columns="gyr_z"), {}, "lacks the column 'gyr_z'; it needs acc_x, acc_y"),
        (lambda t: t.iloc[:0], {}, "has 1 lines and no rows"),
        (
            lambda t: t.assign(acc_x=t.acc_x.where(t.index != 12)),
            {},
            "line 14: acc_x is missing or not a finite number",
        ),
        (lambda t: t, {"acc_unit": "g"}, "say that its unit is m/s²"),
        (lambda t: t, {"gyr_unit": "deg/s"}, "say that its unit is rad/s"),
        (lambda t: t, {"foot": "both"}, "it has to be one of left, right"),
        (lambda t: t.assign(time_s=np.arange(len(t)) / 50), {}, "its time stamps say 50 Hz, not 100 Hz"),
        (lambda t: t.assign(time_s=t.index * 10), {}, "look like milliseconds: turn them into seconds"),
        (lambda t: t.rename(columns={"acc_y": "acc_x"}), {}, "has the column 'acc_x' more than once"),
        (lambda t: t.assign(time_s=-t.index / 100), {}, "line 3: time does not increase"),
    ],
)
def test_a_bad_csv_is_refused(table, tmp_path, change, options, rule):
    with pytest.raises(DataError) as caught:
        load(change(table), tmp_path, **options)
    assert str(caught.value).startswith(f"{tmp_path / 'own.csv'}: ") and rule in str(caught.value)


@pytest.mark.parametrize("options", [{"acc_unit": "ft/s2"}, {"gyr_unit": "rpm"}])
def test_an_unknown_unit_is_refused(table, tmp_path, options):
    with pytest.raises(ParameterError, match="unknown unit"):
        load(table, tmp_path, **options)


@pytest.mark.parametrize("sep", [",", ";", "\t", ", "])
@pytest.mark.parametrize("decimal", [".", ","])
def test_any_usual_way_to_write_a_table_is_read(table, tmp_path, sep, decimal):
    if decimal == "," and "," in sep:
        return
    plain = load(table, tmp_path)
    rows = [sep.join(f"{value:.6f}".replace(".", decimal) for value in row) for row in table.to_numpy()]
    names = sep.join(f'"{name.upper()}"' for name in table)
    path = tmp_path / "usual.csv"
    path.write_text("\n".join(["# a sensor", f"# of 2 g{sep}1{sep}2", names, *rows]), encoding="utf-8-sig")
    recording = load_csv(path, rate_hz=100.0, foot="left")
    np.testing.assert_allclose(recording.acc_mps2, plain.acc_mps2, atol=1e-6)
    np.testing.assert_allclose(recording.gyr_radps, plain.gyr_radps, atol=1e-6)
    path.write_text(path.read_text(encoding="utf-8-sig").replace(rows[7], sep.join(["?"] * 6)))
    with pytest.raises(DataError, match="line 11: acc_x is missing"):
        load_csv(path, rate_hz=100.0, foot="left")


def test_other_columns_may_share_a_name_or_have_none(table, tmp_path):
    path = tmp_path / "own.csv"
    lines = table.to_csv(index=False).splitlines()
    path.write_text("\n".join([lines[0] + ",note,note,,", *(line + ",1,2,,x" for line in lines[1:])]))
    assert load_csv(path, rate_hz=100.0, foot="left").n_samples == len(table)


@pytest.mark.parametrize("true_hz", [97.0, 99.0, 102.0])
def test_a_rate_a_little_off_is_that_of_the_time_stamps(table, tmp_path, true_hz):
    recording = load(table.assign(time_s=np.arange(len(table)) / true_hz), tmp_path)
    assert recording.rate_hz == pytest.approx(true_hz)
    assert recording.n_samples == len(table) and len(recording.gaps) == 0


def test_time_stamps_as_coarse_as_milliseconds_leave_the_rate(walk, tmp_path):
    table = pd.DataFrame(np.column_stack(walk(128.0)), columns=list(AXES))
    time_s = np.round(1.7e9 + np.arange(len(table)) / 128, 3)
    recording = load(table.assign(time_s=time_s).drop(index=[300, 301]), tmp_path, rate_hz=128.0)
    assert recording.rate_hz == 128 and recording.gaps.tolist() == [[300, 302]]


def test_what_is_no_text_is_refused(table, tmp_path):
    path = tmp_path / "own.csv"
    path.write_text(table.to_csv(index=False), encoding="utf-16")
    with pytest.raises(DataError, match="is no text, or not in UTF-8"):
        load_csv(path, rate_hz=100.0, foot="left")


@pytest.mark.parametrize("pause_s", [2.003, 2.004, 12.0])
@pytest.mark.parametrize("said_hz", [100.0, 104.0])
def test_a_pause_of_any_length_leaves_the_rate_of_the_time_stamps(table, tmp_path, pause_s, said_hz):
    time_s = np.arange(len(table)) / 100 + pause_s * (np.arange(len(table)) >= 900)
    recording = load(table.assign(time_s=time_s), tmp_path, rate_hz=said_hz)
    assert recording.rate_hz == pytest.approx(100)
    assert recording.gaps.tolist() == [[900, 900 + round(100 * pause_s)]]


@pytest.mark.parametrize("row", ["zeros", "the one before"])
def test_rows_in_place_of_lost_samples_are_lost(table, tmp_path, row):
    first = int(np.linalg.norm(table[list(AXES[3:])], axis=1).argmax())
    spoilt = table.astype(float)
    spoilt.iloc[first + 1 : first + 5] = 0.0 if row == "zeros" else spoilt.iloc[first].to_numpy()
    recording = load(spoilt, tmp_path)
    assert recording.n_samples == len(table) and recording.gaps.tolist() == [[first + 1, first + 5]]
    assert np.ptp(recording.gyr_radps[first : first + 6], axis=0).min() > 0


def test_a_coarse_sensor_may_repeat_itself_at_rest(table, tmp_path):
    assert len(load(table.round(2), tmp_path).gaps) == 0


def test_time_stamps_coarser_than_the_samples_are_named(table, tmp_path):
    coarse = table.assign(time_s=np.round(np.arange(len(table)) / 100, 1))
    with pytest.raises(DataError, match="time stamps as fine as the sampling interval"):
        load(coarse, tmp_path)


@pytest.mark.parametrize("rate_hz", [0.0, -100.0, float("nan"), float("inf")])
def test_an_impossible_rate_is_refused_as_such(table, tmp_path, rate_hz):
    with pytest.raises(ParameterError, match=r"sampling rate of .* cannot be"):
        load(table.assign(time_s=np.arange(len(table)) / 100), tmp_path, rate_hz=rate_hz)
