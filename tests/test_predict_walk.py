"""The files of one walk, estimated by one process or by several."""

import pandas as pd
import pytest

from tests.predicting import models, write_csv
from tinystride import predict_walk
from tinystride.datasets.simulator import simulate_walk
from tinystride.datasets.walker import SimulatedSubject
from tinystride.errors import DataError, ModelError
from tinystride.reading import ReadingOptions


@pytest.fixture(scope="module")
def model_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "stride_float32.tflite"
    path.write_bytes(models("strapdown-residual")[0])
    return path


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """One walk as one file per foot, as one file, and as one file per sensor."""
    folder = tmp_path_factory.mktemp("walk")
    feet = {
        foot: write_csv(
            simulate_walk(SimulatedSubject(), n_strides=7, seed=2, foot=foot), folder / f"{foot}.csv"
        )
        for foot in ("left", "right")
    }
    left, right = (pd.read_csv(path) for path in feet.values())
    time, n = left[["time_s"]], min(len(left), len(right))
    pair = [
        time,
        left.drop(columns="time_s").add_prefix("left_"),
        right.drop(columns="time_s").add_prefix("right_"),
    ]
    pd.concat(pair, axis=1)[:n].to_csv(folder / "both.csv", index=False)
    for sensor in ("acc", "gyr"):
        columns = ["time_s", *(f"{sensor}_{axis}" for axis in "xyz")]
        right[columns].to_csv(folder / f"r_{sensor}.csv", index=False)
    return folder


@pytest.mark.parametrize(
    "names", [["left.csv", "right.csv"], ["both.csv"], ["left.csv", "r_acc.csv", "r_gyr.csv"]]
)
def test_walk_estimated_by_several_processes_has_the_same_bytes(files, model_file, monkeypatch, names):
    paths, options = [files / name for name in names], ReadingOptions()
    one = predict_walk.estimate_files(paths, options, model_file, "offline")
    monkeypatch.setattr(predict_walk, "LONG_BYTES", 0)
    monkeypatch.setattr(predict_walk, "LONG_S", 0.0)
    monkeypatch.setattr(predict_walk.os, "cpu_count", lambda: 2)
    several = predict_walk.estimate_files(paths, options, model_file, "offline")
    assert several.to_csv() == one.to_csv() and set(one.strides["foot"]) == {"left", "right"}
    assert [own.notes for own in several.recordings] == [own.notes for own in one.recordings]


def test_errors_in_a_process_are_those_of_the_walk(files, model_file, tmp_path, monkeypatch):
    monkeypatch.setattr(predict_walk, "LONG_BYTES", 0)
    monkeypatch.setattr(predict_walk.os, "cpu_count", lambda: 2)
    broken = tmp_path / "right.csv"
    broken.write_bytes(b"%PDF-1.7 broken")
    with pytest.raises(DataError, match=r"right\.csv: .*PDF"):
        predict_walk.estimate_files([files / "left.csv", broken], ReadingOptions(), model_file, "offline")
    no_model = tmp_path / "model.tflite"
    no_model.write_bytes(b"x")
    with pytest.raises(ModelError, match=r"not a \.tflite that runs"):
        predict_walk.estimate_files(
            [files / "left.csv", files / "right.csv"], ReadingOptions(), no_model, "offline"
        )
