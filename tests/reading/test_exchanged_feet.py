"""Files of one walk whose names or options exchange left and right."""

import pytest

import tinystride
from tests.predicting import models
from tinystride.reading import ReadingOptions, read_recordings


@pytest.fixture(scope="module")
def model_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "stride_float32.tflite"
    path.write_bytes(models("strapdown-residual")[0])
    return path


@pytest.mark.parametrize("exchanged", [False, True])
def test_exchanged_files_of_both_feet_are_flagged_wrong_foot(raw_folder, tmp_path, model_file, exchanged):
    folder = raw_folder / "ipol-healthy" / "GaitData"
    for said, wore in zip("lr", "rl" if exchanged else "lr", strict=True):
        (tmp_path / f"1-1_{said}f.txt").write_bytes((folder / f"1-1_{wore}f.txt").read_bytes())
    paths = [tmp_path / "1-1_lf.txt", tmp_path / "1-1_rf.txt"]
    walk = tinystride.read(*paths)
    assert sorted(walk.feet) == ["left", "right"]
    strides = tinystride.estimate(walk, model=model_file).strides
    flagged = strides["flags"].str.contains("wrong-foot").groupby(strides["foot"]).mean()
    assert flagged.to_dict() == {"left": float(exchanged), "right": float(exchanged)}
    assert not exchanged or not strides["steady"].any()


def test_option_that_names_the_other_foot_is_flagged_wrong_foot(raw_folder, tmp_path, model_file):
    path = tmp_path / "walk.txt"
    path.write_bytes((raw_folder / "ipol-healthy" / "GaitData" / "1-1_lf.txt").read_bytes())
    (recording,) = read_recordings([path], ReadingOptions(foot="right"))
    assert recording.foot == "right"
    strides = tinystride.estimate(recording, model=model_file).strides
    assert strides["flags"].str.contains("wrong-foot").all()
