"""Text tables of samples: columns, separators, units, gaps; whole and damaged."""

import gzip

import numpy as np
import pandas as pd
import pytest

from tests.reading.conftest import assert_same
from tinystride.datasets.samples import AXES, STANDARD_GRAVITY_MPS2
from tinystride.errors import DataError, ParameterError
from tinystride.reading import ReadingOptions, read_recordings

IN_G_DEG = [1 / STANDARD_GRAVITY_MPS2] * 3 + [180 / np.pi] * 3


def renamed(table: pd.DataFrame, names: str) -> pd.DataFrame:
    return table.set_axis(names.split("|"), axis=1)


def test_units_are_converted(table, read):
    other = read((table * IN_G_DEG).round(6), acc_unit="g", gyr_unit="deg/s")
    assert_same(other, table)
    assert other.foot == "right" and other.name == "own/walk/1/right" and len(other.gaps) == 0


@pytest.mark.parametrize(
    ("acc_unit", "gyr_unit", "factors"),
    [
        ("m/s2", "rad/s", [1.0] * 6),
        ("g", "deg/s", IN_G_DEG),
        ("mg", "mdeg/s", [1000 / STANDARD_GRAVITY_MPS2] * 3 + [180_000 / np.pi] * 3),
    ],
)
def test_units_that_fit_the_signal_are_found_and_noted(table, read, acc_unit, gyr_unit, factors):
    recording = read(table * factors)
    assert_same(recording, table)
    assert f"units {acc_unit}, {gyr_unit}" in recording.notes


@pytest.mark.parametrize(
    "names",
    [
        "ax|ay|az|gx|gy|gz",
        "AccX|AccY|AccZ|GyroX|GyroY|GyroZ",
        "Acc_X_CAL|Acc_Y_CAL|Acc_Z_CAL|Gyro_X_CAL|Gyro_Y_CAL|Gyro_Z_CAL",
        "acceleration x|acceleration y|acceleration z"
        "|angular velocity x|angular velocity y|angular velocity z",
        "linear_acceleration.x|linear_acceleration.y|linear_acceleration.z"
        "|angular_velocity.x|angular_velocity.y|angular_velocity.z",
        "acc_1|acc_2|acc_3|gyr_1|gyr_2|gyr_3",
        "accelerometer[0]|accelerometer[1]|accelerometer[2]|gyroscope[0]|gyroscope[1]|gyroscope[2]",
        "X-axis (m/s^2)|Y-axis (m/s^2)|Z-axis (m/s^2)|X-axis (rad/s)|Y-axis (rad/s)|Z-axis (rad/s)",
        "acc_x_mps2|acc_y_mps2|acc_z_mps2|gyr_x_radps|gyr_y_radps|gyr_z_radps",
        "Sensor1 Accel X|Sensor1 Accel Y|Sensor1 Accel Z|Sensor1 Gyro X|Sensor1 Gyro Y|Sensor1 Gyro Z",
    ],
)
def test_columns_by_common_names_are_found_in_any_order(table, read, names):
    other = renamed(table, names)
    shuffled = other.iloc[:, [4, 0, 5, 2, 1, 3]].assign(mag_x=0.3, mag_y=0.1, mag_z=0.2, label="a")
    recording = read(shuffled)
    assert_same(recording, table)
    assert any(note.startswith("columns ") for note in recording.notes)


def test_columns_named_by_the_caller_are_read(table, read):
    other = renamed(table, "A|B|C|D|E|F").assign(clock=np.arange(len(table)) / 100)
    columns = dict(zip(AXES, "ABCDEF", strict=True)) | {"time": "clock"}
    recording = read(other, columns=columns, rate_hz=None)
    assert_same(recording, table)
    assert recording.rate_hz == 100
    with pytest.raises(ParameterError, match="has no column 'Q'"):
        read(other, columns=columns | {"acc_x": "Q"})


def test_table_without_header_is_read_by_numbers_of_columns(table, read):
    text = table.to_csv(index=False, header=False)
    with pytest.raises(DataError, match="--columns time=1,acc_x=2"):
        read(text)
    assert_same(read(text, columns={axis: str(i + 1) for i, axis in enumerate(AXES)}), table)


@pytest.mark.parametrize("sep", [",", ";", "\t", ", ", " ", "   "])
@pytest.mark.parametrize("decimal", [".", ","])
def test_table_of_any_usual_notation_is_read(table, read, sep, decimal):
    if decimal == "," and "," in sep:
        return
    rows = [sep.join(f"{value:.5f}".replace(".", decimal) for value in row) for row in table.to_numpy()]
    names = sep.join(f'"{name.upper()}"' for name in table)
    assert_same(read("\n".join(["# a sensor", f"# of 2 g{sep}1{sep}2", names, *rows])), table)


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.encode("utf-8-sig"),
        lambda text: text.encode("utf-16"),
        lambda text: text.encode("utf-16-le"),
        lambda text: gzip.compress(text.encode()),
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.replace("\n", "\r"),
        lambda text: "sep=,\n" + text,
        lambda text: "Device;7A\nRate;100\n\n" + text,
        lambda text: "Vorwärts,7°\n".encode("latin-1") + text.encode(),
        lambda text: text.replace("\n", ",\n"),
        lambda text: text.replace(",", " , "),
        lambda text: text.replace("\n", "\n# marker, at 3 s\n", 300).replace("# marker, at 3 s\n", "", 1),
        lambda text: text.replace("\n", "\n\n"),
        lambda text: text.replace("\n", "\nm/s2,m/s2,m/s2,rad/s,rad/s,rad/s\n", 1),
        lambda text: "# " + text,
    ],
    ids=[
        "bom", "utf-16", "utf-16 without bom", "gzip", "crlf", "cr", "sep=", "preamble", "latin-1",
        "trailing separators", "spaces", "comments", "blank lines", "row of units", "header in a comment",
    ],
)  # fmt: skip
def test_table_with_unusual_encoding_is_read(table, read, change):
    recording = read(change(table.to_csv(index=False)))
    assert_same(recording, table)
    assert len(recording.gaps) == 0


def test_skipped_lines_are_noted(table, read):
    recording = read("Device;7A\nRate;100\n\n" + table.to_csv(index=False), rate_hz=None)
    assert recording.rate_hz == 100
    assert {"100 Hz from its header", "lines skipped: 2 before the header"} <= set(recording.notes)


@pytest.mark.parametrize("cut", [8, 30, 52])
def test_incomplete_last_line_is_dropped_and_noted(table, read, cut):
    text = table.assign(end=1.23456).to_csv(index=False)
    recording = read(text[:-cut])
    assert_same(recording, table[:-1])
    assert "incomplete last line dropped" in recording.notes


def test_two_header_rows_of_both_feet_are_read(simulated, tmp_path):
    columns = {}
    for foot, walk in simulated.items():
        for name, samples in (("acc", walk.acc_mps2), ("gyr", np.rad2deg(walk.gyr_radps))):
            columns |= {(f"{foot}_sensor", f"{name}_{axis}"): samples[:, i] for i, axis in enumerate("xyz")}
    path = tmp_path / "both.csv"
    pd.DataFrame({key: values[:900] for key, values in columns.items()}).to_csv(path)
    recordings = read_recordings([path], ReadingOptions(rate_hz=100.0))
    assert [recording.foot for recording in recordings] == ["left", "right"]
    for recording in recordings:
        np.testing.assert_allclose(recording.gyr_radps, simulated[recording.foot].gyr_radps[:900], atol=1e-9)
    (right,) = read_recordings([path], ReadingOptions(rate_hz=100.0, foot="right"))
    assert right.foot == "right"


@pytest.mark.parametrize("row", ["nan,nan,nan,nan,nan,nan", ",,,,,", "", "?,?,?,?,?,?", "1,2"])
def test_row_without_numbers_is_a_lost_sample(table, read, row):
    lines = table.to_csv(index=False).splitlines()
    lines[701] = row
    recording = read("\n".join(lines) + "\n")
    assert recording.n_samples == len(table) and recording.gaps.tolist() == [[700, 701]]
    assert "1 sample lost in 1 gap" in recording.notes


def test_row_with_too_many_cells_is_a_lost_sample(table, read):
    lines = table.to_csv(index=False).splitlines()
    lines[701] += ",1,2,3"
    assert read("\n".join(lines)).gaps.tolist() == [[700, 701]]


@pytest.mark.parametrize("value", [1e9, -99999.0, np.inf])
def test_single_impossible_value_is_a_lost_sample(table, read, value):
    table.loc[700, "acc_x"] = value
    assert read(table).gaps.tolist() == [[700, 701]]


@pytest.mark.parametrize("row", ["zeros", "the one before"])
def test_placeholder_rows_count_as_lost_samples(table, read, row):
    first = int(np.linalg.norm(table[list(AXES[3:])], axis=1).argmax())
    table.iloc[first + 1 : first + 5] = 0.0 if row == "zeros" else table.iloc[first].to_numpy()
    recording = read(table)
    assert recording.n_samples == len(table) and recording.gaps.tolist() == [[first + 1, first + 5]]
    assert np.ptp(recording.gyr_radps[first : first + 6], axis=0).min() > 0


def test_coarse_sensor_repeated_samples_at_rest_are_accepted(table, read):
    assert len(read(table.round(2)).gaps) == 0


def test_other_columns_may_share_a_name_or_have_none(table, read):
    lines = table.to_csv(index=False).splitlines()
    text = "\n".join([lines[0] + ",note,note,,", *(line + ",1,2,,x" for line in lines[1:])])
    assert_same(read(text), table)


@pytest.mark.parametrize("rate_hz", [820.0, 1000.0])
def test_fast_samples_are_decimated_behind_a_filter(table, read, rate_hz):
    time_s = np.arange(0, 9.0, 1 / rate_hz)
    places = np.arange(len(table)) / 100
    fast = pd.DataFrame({axis: np.interp(time_s, places, table[axis]) for axis in AXES})
    disturbed = fast.assign(acc_x=fast.acc_x + 3 * np.cos(2 * np.pi * 0.49 * rate_hz * time_s))
    recording = read(disturbed, rate_hz=rate_hz)
    assert 300 < recording.rate_hz <= 420
    at = np.arange(recording.n_samples) / recording.rate_hz
    slow = np.interp(at, time_s, fast.acc_x)
    # Without the filter 3: the disturbance would come back below 200 Hz.
    assert np.percentile(np.abs(recording.acc_mps2[50:-50, 0] - slow[50:-50]), 95) < 0.3
    assert any(note.startswith("decimated") for note in recording.notes)


@pytest.mark.parametrize(
    ("change", "options", "rule"),
    [
        (lambda t: t.drop(columns="gyr_z"), {}, "lacks the columns of a gyroscope; it needs acc_x, acc_y"),
        (lambda t: t.iloc[:0], {}, "contains no rows of numbers"),
        (lambda t: t.iloc[:50], {}, "less than a second"),
        (lambda t: t, {"acc_unit": "g"}, "m/s² fits: give --acc-unit m/s2"),
        (lambda t: t, {"gyr_unit": "deg/s"}, "rad/s fits: give --gyr-unit rad/s"),
        (lambda t: (t * 417.6).round().astype(int), {}, "raw counts.*--acc-scale and --gyr-scale"),
        (lambda t: t * 417.6, {"acc_scale": 0.01, "gyr_scale": 0.01}, "--acc-scale 0.00239.* would fit"),
        (lambda t: t * [3, 3, 3, 1, 1, 1], {}, "not 9.81 m/s² in any of the units m/s2, g, mg"),
        (lambda t: t.rename(columns={"acc_y": "acc_x"}), {}, "has the column 'acc_x' more than once"),
        (
            lambda t: t.rename(columns=lambda n: "free_" + n if n[0] == "a" else n),
            {},
            "gravity was removed",
        ),
        (
            lambda t: t.assign(gyr_x=t.gyr_x.where(t.index % 3 == 0)),
            {},
            "gyr_x is missing .* 67% of all rows",
        ),
    ],
)
def test_bad_table_is_refused_with_a_remedy(table, read, tmp_path, change, options, rule):
    with pytest.raises(DataError, match=rule) as caught:
        read(change(table), **options)
    assert str(caught.value).startswith(f"{tmp_path / 'walk.csv'}: ")


def test_acceleration_without_gravity_is_refused_as_such(simulated, table, read):
    walk = simulated["right"]
    still = np.linalg.norm(walk.gyr_radps, axis=1) < 0.3
    free = table.copy()
    # About what a fusion filter leaves: nothing at rest, all of the movement.
    free[list(AXES[:3])] = np.where(
        still[:, None], np.random.default_rng(0).normal(0, 0.05, (len(free), 3)),
        walk.acc_mps2 - walk.acc_mps2[still].mean(axis=0),
    )  # fmt: skip
    with pytest.raises(DataError, match="gravity was removed"):
        read(free)


@pytest.mark.parametrize(
    "options",
    [
        {"acc_unit": "ft/s2"},
        {"gyr_unit": "rpm"},
        {"time_unit": "days"},
        {"columns": {"acc": "a"}},
        {"acc_scale": 0.0},
        {"rate_hz": -100.0},
        {"rate_hz": float("nan")},
        {"foot": "both"},
    ],
)
def test_option_out_of_range_is_refused(options):
    with pytest.raises(ParameterError, match=rf"{next(iter(options))} is .*: it has to be "):
        ReadingOptions(**options)


@pytest.mark.parametrize(
    "content", ["no numbers here\n" * 50, "a,b\n1,2\n" * 40, "0.5\n" * 200, "\n\n\n", ""]
)
def test_text_without_a_table_is_refused(read, content):
    with pytest.raises(DataError):
        read(content)
