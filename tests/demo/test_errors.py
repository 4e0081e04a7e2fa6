"""Files that the page refuses: one line with file, rule and remedy; the option that resolves it."""

import numpy as np
import pytest

from tests.demo.walks import DEG, G, frame, walk, write_recording

SAMPLES = frame(walk())
WITHOUT_TIME = SAMPLES.drop(columns="time_s")
TICKS = SAMPLES.assign(time_s=SAMPLES["time_s"] * 32768).rename(columns={"time_s": "time"})
SAID_TO_BE_G = SAMPLES.rename(columns={f"acc_{axis}": f"acc_{axis} (g)" for axis in "xyz"})
COUNTS = (SAMPLES / [1, *[G / 2048] * 3, *[0.00106526] * 3]).round({name: 0 for name in SAMPLES.columns[1:]})


def text(table, **options) -> str:
    return table.to_csv(index=False, **options)


# Name → (file name, content, words of the error, options that resolve it).
REFUSED = {
    "no rate": ("walk_R.csv", text(WITHOUT_TIME), "no time column", {"rateHz": "100"}),
    "raw counts": (
        "walk_R.csv", text(COUNTS), "raw counts", {"accScale": str(G / 2048), "gyrScale": "0.00106526"},
    ),
    "unit of time": (
        "walk_R.csv", text(TICKS), "unit of 'time' is unknown", {"timeUnit": "ticks:32768"},
    ),
    "wrong unit in the name": (
        "walk_R.csv", text(SAID_TO_BE_G), "m/s² fits", {"accUnit": "m/s2"},
    ),
    "columns without names": (
        "walk_R.csv", text(SAMPLES, header=False), "has no column names",
        {"columns": "time=1, acc_x=2, acc_y=3, acc_z=4, gyr_x=5, gyr_y=6, gyr_z=7"},
    ),
    "columns with other names": (
        "walk_R.csv", text(SAMPLES.set_axis(["t", *"abcdef"], axis=1)), "has no columns of an accelerometer",
        {"columns": "acc_x=a, acc_y=b, acc_z=c, gyr_x=d, gyr_y=e, gyr_z=f"},
    ),
}  # fmt: skip
HOPELESS = {
    "empty": ("walk.csv", "", "is empty"),
    "prose": ("walk.csv", "A walk in the park.\nIt was nice.\n", "contains no rows of numbers"),
    "workbook": ("walk.csv", b"PK\x03\x04" + bytes(range(256)) * 8, "is a zip archive or an Excel workbook"),
    "noise": ("walk.csv", np.random.default_rng(1).bytes(5000).replace(b"\0", b"\1"), "is not text"),
    "no gyroscope": ("walk.csv", text(SAMPLES.iloc[:, :4]), "lacks the columns of a gyroscope"),
    "no gravity": (
        "walk_R.csv", text(SAMPLES.rename(columns={f"acc_{a}": f"userAcceleration.{a}" for a in "xyz"})),
        "gravity was removed",
    ),
    "25 Hz": ("walk_R.csv", text(SAMPLES.iloc[::4]), "40 to 420 Hz"),
    "standing": (
        "walk_R.csv", text(SAMPLES.iloc[:250].assign(acc_x=lambda t: t["acc_x"] + 1e-3 * np.sin(t.index))),
        "no stride found",
    ),
    "damaged gzip": ("walk_R.csv.gz", b"\x1f\x8b" + bytes(100), "is damaged gzip"),
    "a dead axis": ("walk_R.csv", text(SAMPLES.assign(gyr_y=0.5)), "gyr_y is 0.5 from first to last sample"),
}  # fmt: skip


def written(folder, name: str, content: str | bytes):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def assert_one_line(error: str, name: str) -> None:
    assert error.startswith(f"{name}: ")
    assert "; " in error
    assert "\n" not in error and "page has a fault" not in error


@pytest.mark.parametrize("case", REFUSED)
def test_ambiguous_file_is_refused_until_the_option_is_set(analyse, tmp_path, case):
    name, content, words, options = REFUSED[case]
    path = written(tmp_path, name, content)
    error = analyse(path)
    assert_one_line(error, name)
    assert words in error
    assert analyse(path, **options).startswith("start_s,end_s,")


@pytest.mark.parametrize("case", HOPELESS)
def test_unusable_file_is_refused_in_one_line(analyse, tmp_path, case):
    name, content, words = HOPELESS[case]
    error = analyse(written(tmp_path, name, content))
    assert_one_line(error, name)
    assert words in error


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"rateHz": "50"}, "its time stamps"),
        ({"accUnit": "g"}, "m/s² fits"),
        ({"gyrUnit": "deg/s"}, "rad/s fits"),
        ({"gyrUnit": "mdeg/s"}, "rad/s fits"),
        ({"timeColumn": "hour"}, "has no column 'hour'"),
        ({"columns": "acc_x=nothing"}, "has no column 'nothing'"),
    ],
)
def test_option_that_contradicts_the_file_is_refused(analyse, tmp_path, options, words):
    error = analyse(write_recording(walk(), tmp_path / "walk_R.csv"), **options)
    assert_one_line(error, "walk_R.csv")
    assert words in error


@pytest.mark.parametrize(
    ("options", "words"), [({"columns": "x"}, "acc_x=NAME"), ({"timeUnit": "h"}, "time unit")]
)
def test_misspelled_option_is_refused(analyse, tmp_path, options, words):
    error = analyse(write_recording(walk(), tmp_path / "walk_R.csv"), **options)
    assert words in error


def test_two_files_of_one_foot_are_refused_until_a_foot_is_chosen(analyse, tmp_path):
    paths = [write_recording(walk(3, foot=foot), tmp_path / f"{foot}ed_R.csv") for foot in ("left", "right")]
    error = analyse(*paths)
    assert_one_line(error, "lefted_R.csv and righted_R.csv")
    assert "are both of the right foot" in error
    assert analyse(*paths, feet=("left", "right")).startswith("start_s,")


def test_three_files_are_refused(analyse, tmp_path):
    paths = [write_recording(walk(3), tmp_path / f"walk_{n}.csv") for n in range(3)]
    assert "more than two files" in analyse(*paths)


def test_undetermined_foot_requires_a_choice(analyse, tmp_path):
    path = write_recording(walk(4, strides=2), tmp_path / "walk.csv")
    error = analyse(path)
    assert_one_line(error, "walk.csv")
    assert "which foot" in error
    assert analyse(path, feet=("right",)).startswith("start_s,")


def test_unit_of_degrees_is_applied(analyse, tmp_path):
    in_degrees = SAMPLES.assign(**{axis: SAMPLES[axis] / DEG for axis in ("gyr_x", "gyr_y", "gyr_z")})
    paths = [written(tmp_path, f"{name}_R.csv", text(t)) for name, t in (("a", SAMPLES), ("b", in_degrees))]
    first, second = (analyse(path).replace("b_R.csv", "a_R.csv").replace(",b\n", ",a\n") for path in paths)
    assert first.replace(",b", ",a") == second.replace(",b", ",a")
