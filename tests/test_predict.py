import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.predicting import ESTIMATORS, models, network, write_csv
from tinystride import cli, predict_command
from tinystride.datasets.loading import load_recordings
from tinystride.datasets.simulated_activities import simulate_activity
from tinystride.datasets.simulator import overground, simulate_walk
from tinystride.datasets.walker import SimulatedSubject
from tinystride.errors import DataError, ParameterError
from tinystride.gait.strides import extract_strides
from tinystride.learning.prediction import Network
from tinystride.predict import COLUMNS, MAX_CORRECTION_CM, predict_strides
from tinystride.reading.units import ACC_UNITS, GYR_UNITS
from tinystride.results import COLUMNS as RESULT_COLUMNS
from tinystride.results import complete_table, result_csv
from tinystride.walk_plot import draw_walk, save_png


@pytest.fixture(scope="module")
def model_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "stride_int8.tflite"
    path.write_bytes(models("strapdown-residual")[1])
    return path


@pytest.fixture(scope="module")
def walk():
    """There and back, with a U-turn."""
    return simulate_walk(SimulatedSubject(), legs=overground(1.3, 15), seed=3)


@pytest.fixture
def arguments(walk, model_file, tmp_path):
    """Arguments of a command line that succeeds."""
    recording = write_csv(walk, tmp_path / "walk.csv")
    units = ["--acc-unit", "m/s2", "--gyr-unit", "rad/s"]
    return [
        "predict",
        str(recording),
        *units,
        "--rate-hz",
        "100",
        "--foot",
        "right",
        "--model",
        str(model_file),
    ]


def error_of(capsys, *arguments) -> str:
    """Return the one line on stderr of a command that exits with 1."""
    with pytest.raises(SystemExit) as exit_:
        cli.main([str(argument) for argument in arguments])
    assert exit_.value.code == 1
    out, error = capsys.readouterr()
    assert out == "" and error.startswith("error: ") and error.count("\n") == 1
    return error


def replaced(arguments, old, *new):
    at = arguments.index(old)
    return [*arguments[:at], *new, *arguments[at + len(new) :]]


@pytest.mark.parametrize(
    ("dataset", "trial", "foot"),
    [
        ("tripod-excerpt", "PWS", "right"),
        ("tripod-excerpt", "PWS+20", "left"),
        ("llio-ruler", "38", "right"),
        ("ipol-healthy", "3", "left"),
    ],
)
def test_predict_csv_of_a_recorded_walk_gives_the_pipelines_strides(
    raw_folder, model_file, tmp_path, dataset, trial, foot
):
    recording = next(
        recording
        for recording in load_recordings(raw_folder, [dataset])
        if (recording.trial, recording.foot) == (trial, foot)
    )
    # A csv does not hold the sensor's full scale.
    recording = replace(recording, saturation=(np.nan, np.nan))
    strides = extract_strides(recording)
    table = strides.table.set_index("stride_id").loc[list(strides.signals.stride_id)]
    lengths_cm = Network.load(model_file).lengths_cm(strides.signals, table["strapdown_length_cm"].to_numpy())

    csv = write_csv(recording, tmp_path / "own.csv", ACC_UNITS["g"], GYR_UNITS["deg/s"])
    units = ["--acc-unit", "g", "--gyr-unit", "deg/s"]
    rate_foot = ["--rate-hz", str(recording.rate_hz), "--foot", foot]
    output = tmp_path / "strides.csv"
    cli.main(["predict", str(csv), *rate_foot, *units, "--model", str(model_file), "-o", str(output)])
    result = pd.read_csv(output, keep_default_na=False)

    assert len(result) == len(table) > (90 if dataset == "tripod-excerpt" else 8)
    for column in ("start_s", "end_s", "duration_s"):
        assert result[column].to_numpy() == pytest.approx(table[column].to_numpy(), abs=6e-5)
    assert result["stride_length_cm"].to_numpy() == pytest.approx(lengths_cm, abs=0.006)
    assert result["strapdown_length_cm"].to_numpy() == pytest.approx(table["strapdown_length_cm"], abs=0.006)
    for own, flags in zip(result["flags"], table["flags"], strict=True):
        assert set(own.split()) >= set(flags.split())


def test_predict_output_is_a_file_or_standard_output(arguments, walk, tmp_path, capsys):
    cli.main(arguments)
    out, error = capsys.readouterr()
    assert error == ""
    assert out.splitlines()[0] == ",".join(RESULT_COLUMNS)
    assert len(out.splitlines()) - 1 == len(extract_strides(walk).signals)
    output = tmp_path / "new" / "strides.csv"
    cli.main([*arguments, "-o", str(output)])
    assert output.read_text() == out
    assert capsys.readouterr() == ("", "")
    assert [path.name for path in output.parent.iterdir()] == ["strides.csv"]


def test_predict_as_a_module_needs_no_tensorflow(arguments):
    code = (
        "import runpy, sys; sys.argv[0] = 'tinystride'; runpy.run_module('tinystride', run_name='__main__');"
        "assert 'tensorflow' not in sys.modules"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith(",".join(COLUMNS) + ",")


def test_predict_flags_mark_start_and_turn(walk):
    flags = predict_strides(walk, network())["flags"]
    turning = [flag.split() for flag in flags if flag]
    assert 2 <= len(turning) <= 4
    assert all("turn" in words for words in turning)
    assert not set(flags[:5]) - {""}


@pytest.mark.parametrize("name", ESTIMATORS)
@pytest.mark.parametrize("int8", [False, True])
def test_predict_strides_works_with_every_estimator(walk, name, int8):
    result = predict_strides(walk, network(name, int8))
    assert list(result)[: len(COLUMNS)] == COLUMNS
    plain = result[result["flags"] == ""]
    # The paper's network, trained for seconds, often differs from the integral by more than the limit.
    assert len(plain) >= (2 if name == "paper" else 5)
    assert np.isfinite(plain["stride_length_cm"]).all()
    max_cm = 3 if name == "strapdown-residual" else MAX_CORRECTION_CM
    assert (plain["stride_length_cm"] - plain["strapdown_length_cm"]).abs().max() <= max_cm


def test_stride_without_network_input_is_flagged_out_of_range(walk):
    """The first stride starts from standing: it has no first contact, so the paper's network has no input."""
    first = predict_strides(walk, network("paper")).iloc[0]
    assert np.isnan(first["stride_length_cm"])
    assert first["strapdown_length_cm"] > 20
    assert "out-of-range" in first["flags"].split()
    assert (
        result_csv(complete_table([walk], [predict_strides(walk, network("paper"))]))
        .splitlines()[1]
        .split(",")[3]
        == ""
    )


def test_network_input_outside_int8_is_flagged_out_of_range(walk):
    fits = small = network(int8=True)
    assert "out-of-range" not in " ".join(predict_strides(walk, fits)["flags"][1:5])
    small = replace(small, input_scale=small.input_scale / 10)
    assert predict_strides(walk, small)["flags"].str.contains("out-of-range").all()
    unbounded = network()
    unbounded = replace(unbounded, input_scale=unbounded.input_scale / 10)
    assert not predict_strides(walk, unbounded)["flags"][1:5].str.contains("out-of-range").any()


def test_length_far_from_the_integral_is_flagged_inconsistent(walk):
    astray = network("direct")
    astray = replace(astray, input_scale=astray.input_scale * 3)
    result = predict_strides(walk, astray)
    apart = (result["stride_length_cm"] - result["strapdown_length_cm"]).abs() > MAX_CORRECTION_CM
    assert apart.any()
    assert (result["flags"].str.contains("inconsistent") == apart).all()


def test_sampling_rate_from_50_to_400_hz_changes_lengths_little():
    """Compared with 400 Hz: by less than 1.5 cm at 50 Hz, by less than 0.5 cm at 100 and 200 Hz."""
    lengths_cm = {}
    for rate_hz in (50, 100, 200, 400):
        walk = simulate_walk(SimulatedSubject(), rate_hz=rate_hz, seed=8, n_strides=25)
        result = predict_strides(walk, network())
        assert set(result["flags"][1:]) == {""}
        lengths_cm[rate_hz] = result["stride_length_cm"].to_numpy()
    for rate_hz, bound_cm in ((50, 1.5), (100, 0.5), (200, 0.5)):
        assert np.abs(lengths_cm[rate_hz] - lengths_cm[400]).max() < bound_cm


def test_predict_minute_repeated_for_an_hour_repeats_its_strides(tmp_path):
    minute = simulate_walk(SimulatedSubject(), n_strides=50, seed=2)
    times = int(np.ceil(3700 / minute.duration_s))
    hour = replace(
        minute, acc_mps2=np.tile(minute.acc_mps2, (times, 1)), gyr_radps=np.tile(minute.gyr_radps, (times, 1))
    )
    result = predict_strides(hour, network())
    once = predict_strides(minute, network())
    assert len(result) == times * len(once) > 3000
    lengths_cm = result["stride_length_cm"].to_numpy().reshape(times, -1)
    assert np.abs(lengths_cm - once["stride_length_cm"].to_numpy()).max() < 0.5
    save_png(draw_walk([hour], complete_table([hour], [result])), tmp_path / "hour.png")
    assert (tmp_path / "hour.png").stat().st_size > 20_000


def test_predict_plot_has_stable_bytes(arguments, tmp_path, capsys):
    for name in ("once", "twice"):
        cli.main([*arguments, "--plot", str(tmp_path / f"{name}.png"), "-o", str(tmp_path / "strides.csv")])
    once, twice = ((tmp_path / f"{name}.png").read_bytes() for name in ("once", "twice"))
    assert once == twice
    assert once.startswith(b"\x89PNG") and len(once) > 20_000
    assert "name it walk.png" in error_of(capsys, *arguments, "--plot", tmp_path / "walk.pdf")


def test_predict_that_fails_leaves_no_file(arguments, tmp_path, capsys):
    before = sorted(tmp_path.iterdir())
    error_of(
        capsys, *replaced(arguments, "100", "333"), "-o", tmp_path / "s.csv", "--plot", tmp_path / "p.png"
    )
    assert sorted(tmp_path.iterdir()) == before


def test_predict_outputs_overwrite_neither_recording_nor_each_other(arguments, tmp_path, capsys):
    recording = tmp_path / "walk.csv"
    before, rows = sorted(tmp_path.iterdir()), recording.read_bytes()
    one, below = tmp_path / "one.png", recording / "strides.csv"
    for targets, message in (
        (["-o", recording], "is the recording; name another file with -o"),
        (["--plot", tmp_path / "x" / ".." / "walk.csv"], "is the recording; name another file with --plot"),
        (["-o", one, "--plot", one], "is the output of -o"),
        (["-o", tmp_path], "is a folder; name a file with -o"),
        (["--plot", one, "-o", below], "is not a folder"),
    ):
        assert message in error_of(capsys, *arguments, *targets)
        assert sorted(tmp_path.iterdir()) == before and recording.read_bytes() == rows


def test_predict_output_to_a_pipe_is_refused_and_to_a_link_follows_it(arguments, tmp_path, capsys):
    pipe, link, target = tmp_path / "pipe", tmp_path / "link.csv", tmp_path / "far" / "strides.csv"
    os.mkfifo(pipe)
    for option in ("-o", "--plot"):
        message = error_of(capsys, *arguments, option, pipe)
        assert f"{pipe}: is not a regular file; name another one with {option}" in message
    assert pipe.is_fifo()
    target.parent.mkdir()
    link.symlink_to(target)
    cli.main([*arguments, "-o", str(link)])
    assert link.is_symlink() and target.read_text().startswith(",".join(COLUMNS))


def test_predict_with_one_unwritable_output_writes_neither(arguments, tmp_path, capsys, monkeypatch):
    closed = tmp_path / "closed"
    closed.mkdir()
    # Root may write everywhere.
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != closed)
    before = sorted(tmp_path.iterdir())
    targets = ["--plot", tmp_path / "p.png", "-o", closed / "s.csv"]
    message = error_of(capsys, *arguments, *targets)
    assert f"{closed / 's.csv'}: {closed} cannot be written to" in message
    assert sorted(tmp_path.iterdir()) == before


def test_predict_broken_pipe_is_silent(arguments):
    command = [sys.executable, "-m", "tinystride", *arguments]
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, text=True)
    os.close(write)
    assert done.returncode == 128 + 13 and done.stderr == ""


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("100", ["0"], "rate_hz is 0.0: it has to be a number above 0"),
        ("100", ["30"], "30 Hz"),
        ("100", ["500"], "500 Hz"),
        ("--rate-hz", ["--acc-unit", "g", "--rate-hz", "100"], "m/s² fits: give --acc-unit m/s2"),
        ("--rate-hz", ["--gyr-unit", "deg/s", "--rate-hz", "100"], "rad/s fits: give --gyr-unit rad/s"),
    ],
)
def test_predict_wrong_rate_or_unit_is_one_line(arguments, capsys, old, new, message):
    at = arguments.index(old)
    rest = arguments[at + (2 if old == "--rate-hz" else 1) :]
    assert message in error_of(capsys, *arguments[:at], *new, *rest)


def test_predict_missing_file_is_one_line_with_a_remedy(arguments, tmp_path, capsys, monkeypatch):
    assert "none.csv: not found" in error_of(
        capsys, *replaced(arguments, arguments[1], tmp_path / "none.csv")
    )
    without_model = arguments[: arguments.index("--model")]
    monkeypatch.setattr(predict_command, "DEFAULT_MODEL", tmp_path / "models" / "stride_int8.tflite")
    assert "run `dvc repro`, or name a .tflite with --model" in error_of(capsys, *without_model)
    assert "not a .tflite" in error_of(capsys, *without_model, "--model", arguments[1])


def test_predict_wrong_usage_exits_with_2(arguments, capsys):
    for wrong in (
        [*arguments[:-2], "--foot", "both"],
        [*arguments, "--acc-unit", "ft/s2"],
        [*arguments, "--columns", "acc_x"],
        replaced(arguments, "100", "fast"),
        arguments[:1],
    ):
        with pytest.raises(SystemExit) as exit_:
            cli.main(wrong)
        assert exit_.value.code == 2
        assert capsys.readouterr().err.startswith("usage: tinystride predict")


def test_predict_help_offers_the_loaders_units(capsys):
    with pytest.raises(SystemExit):
        cli.main(["predict", "--help"])
    shown = capsys.readouterr().out
    assert f"{{{','.join(ACC_UNITS)}}}" in shown and f"{{{','.join(GYR_UNITS)}}}" in shown


def test_predict_strides_of_standing_is_refused():
    with pytest.raises(DataError, match=r"no stride found.*record walking"):
        predict_strides(simulate_activity("standing", seed=1), network())
    walk = simulate_walk(SimulatedSubject(), n_strides=5)
    with pytest.raises(ParameterError, match="from 40 to 420 Hz"):
        predict_strides(replace(walk, rate_hz=35.0), network())


def test_predict_summary_goes_beside_the_table_and_to_the_terminal(arguments, tmp_path, capsys):
    cli.main([*arguments, "--summary", "-o", str(tmp_path / "strides.csv")])
    out, error = capsys.readouterr()
    summary = json.loads((tmp_path / "strides.summary.json").read_text())
    assert out.startswith(f"{summary['people'][0]['person']}: ") and "stride length, cm" in out
    assert error == ""
    cli.main([*arguments, "--summary"])
    out, error = capsys.readouterr()
    assert out.startswith("start_s,") and "stride length, cm" in error


def test_predict_summary_never_overwrites_the_recording(arguments, tmp_path, capsys):
    recording = Path(arguments[1]).rename(tmp_path / "strides.summary.json")
    error = error_of(
        capsys, "predict", recording, *arguments[2:], "--summary", "-o", tmp_path / "strides.csv"
    )
    assert "is the recording" in error
    assert not (tmp_path / "strides.csv").exists()
