"""`tinystride predict FOLDER`: good, bad and hostile recordings in one call."""

import io
import json
import os

import pandas as pd
import pytest

from tests.predicting import models, write_csv
from tinystride import cli
from tinystride.datasets.simulated_activities import simulate_activity
from tinystride.datasets.simulator import simulate_walk
from tinystride.datasets.walker import SimulatedSubject
from tinystride.predict_folder import find_walks


@pytest.fixture(scope="module")
def model_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "stride_int8.tflite"
    path.write_bytes(models("strapdown-residual")[1])
    return path


@pytest.fixture(scope="module")
def feet():
    return {
        foot: simulate_walk(SimulatedSubject(), n_strides=7, seed=2, foot=foot) for foot in ("left", "right")
    }


@pytest.fixture
def recordings(feet, tmp_path):
    """Two walks of one name in two folders; each has one file per foot."""
    folder = tmp_path / "recordings"
    for day in ("monday", "friday"):
        (folder / day).mkdir(parents=True)
        for foot, walk in feet.items():
            write_csv(walk, folder / day / f"anna_{foot}.csv")
    return folder


def run(capsys, *arguments) -> tuple[str, str, int]:
    """(standard output, standard error without the progress bar, exit status)."""
    status = 0
    try:
        cli.main(["predict", *map(str, arguments)])
    except SystemExit as ended:
        status = int(ended.code)
    out, error = capsys.readouterr()
    lines = [line.rpartition("\r")[2] for line in error.split("\n")]
    return out, "\n".join(line for line in lines if not line.startswith("recordings:")), status


def test_folder_becomes_one_table_and_one_summary(recordings, model_file, tmp_path, capsys):
    output = tmp_path / "results"
    _, error, status = run(capsys, recordings, "-o", output, "--model", model_file)
    assert (error.strip(), status) == ("", 0)
    table = pd.read_csv(output / "strides.csv")
    names = ["friday/anna_left.csv", "friday/anna_right.csv", "monday/anna_left.csv", "monday/anna_right.csv"]
    assert list(table["recording"].unique()) == names
    assert set(table["person"]) == {"friday/anna", "monday/anna"}
    assert set(table["foot"]) == {"left", "right"} and len(table) >= 4 * 6
    summary = json.loads((output / "summary.json").read_text())
    assert [entry["recording"] for entry in summary["recordings"]] == names
    files = pd.read_csv(output / "files.csv", keep_default_na=False)
    assert list(files["recording"]) == names and set(files["error"]) == {""}
    assert files["notes"].str.contains("units m/s2, rad/s").all()
    again = tmp_path / "again"
    run(capsys, recordings, "-o", again, "--model", model_file)
    for name in ("strides.csv", "summary.json", "files.csv"):
        assert (again / name).read_bytes() == (output / name).read_bytes()


def test_folder_with_bad_files_lists_failures_at_the_end(recordings, feet, model_file, tmp_path, capsys):
    (recordings / "monday" / "broken.csv").write_bytes(os.urandom(5000))
    write_csv(simulate_activity("standing", seed=1), recordings / "standing_right.csv")
    (recordings / "gone.csv").symlink_to(tmp_path / "nowhere.csv")
    (recordings / "notes.pdf").write_bytes(b"%PDF")
    output = tmp_path / "results"
    _, error, status = run(capsys, recordings, "-o", output, "--model", model_file)
    assert status == 0
    lines = error.strip().splitlines()
    assert lines[0] == "3 of 7 files have no strides:" and len(lines) == 4
    for name in ("broken.csv", "standing_right.csv: no stride found", "gone.csv: not found"):
        assert sum(name in line for line in lines) == 1
    assert pd.read_csv(output / "strides.csv")["recording"].nunique() == 4
    files = pd.read_csv(output / "files.csv", keep_default_na=False).set_index("recording")
    assert files.loc["monday/broken.csv", "error"] and not files.loc["monday/anna_left.csv", "error"]


def test_folder_without_a_stride_is_an_error_and_writes_nothing(model_file, tmp_path, capsys):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.csv").write_text("not,a,recording\n")
    _, error, status = run(capsys, tmp_path / "in", "-o", tmp_path / "out", "--model", model_file)
    assert status == 1 and "no stride in any of its 1 files" in error and not (tmp_path / "out").exists()
    (tmp_path / "empty").mkdir()
    _, error, status = run(capsys, tmp_path / "empty", "--model", model_file)
    assert status == 1 and "contains no recording" in error


def test_output_among_the_recordings_is_refused_or_left_out(recordings, model_file, tmp_path, capsys):
    before = sorted(recordings.rglob("*"))
    link = tmp_path / "link"
    link.symlink_to(recordings)
    for output in (recordings, recordings / "monday" / "..", link):
        _, error, status = run(capsys, recordings, "-o", output, "--model", model_file)
        assert status == 1 and "is the folder of the recordings" in error
        assert sorted(recordings.rglob("*")) == before
    file = tmp_path / "table.csv"
    file.write_text("kept")
    _, error, status = run(capsys, recordings, "-o", file, "--model", model_file)
    assert status == 1 and "is not a folder" in error and file.read_text() == "kept"
    inside = recordings / "results"
    for _ in range(2):
        _, error, status = run(capsys, recordings, "-o", inside, "--model", model_file)
        assert (error.strip(), status) == ("", 0)
        assert pd.read_csv(inside / "strides.csv")["recording"].nunique() == 4


def test_find_walks_with_links_and_dots_stays_in_the_folder(recordings, tmp_path):
    (recordings / "loop").symlink_to(recordings)
    (recordings / "monday" / "same.csv").symlink_to(recordings / "monday" / "anna_left.csv")
    dotted = recordings / "monday" / ".." / "monday" / ".."
    walks = find_walks([dotted])
    found = [path.relative_to(root).as_posix() for paths, root in walks for path in paths]
    assert len(found) == 4 and not any(".." in name for name in found)


def test_output_names_like_formulas_are_quoted(feet, model_file, tmp_path, capsys):
    folder = tmp_path / "in"
    folder.mkdir()
    path = write_csv(feet["right"], folder / "=HYPERLINK(1)_right.csv")
    path.write_text(path.read_text().replace("acc_", "=cmd acc_").replace("gyr_", "=cmd gyr_"))
    output = tmp_path / "out"
    _, _, status = run(capsys, folder, "-o", output, "--model", model_file)
    assert status == 0
    for name in ("strides.csv", "files.csv"):
        cells = pd.read_csv(output / name, dtype=str, keep_default_na=False).to_numpy().ravel()
        assert not any(cell.startswith(("=", "+", "@")) for cell in cells)


def test_plot_of_a_folder_is_refused(recordings, model_file, tmp_path, capsys):
    _, error, status = run(capsys, recordings, "--plot", tmp_path / "p.png", "--model", model_file)
    assert status == 1 and "--plot draws one walk" in error


def test_predict_of_several_files_is_one_walk(recordings, model_file, capsys):
    both = sorted((recordings / "monday").iterdir())
    out, error, status = run(capsys, *both, "--model", model_file)
    assert status == 0 and error.startswith("note: anna_left.csv: ") and error.strip().count("\n") == 0
    assert set(pd.read_csv(io.StringIO(out))["foot"]) == {"left", "right"}
