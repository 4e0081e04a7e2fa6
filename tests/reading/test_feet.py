"""Left or right foot: from the option, the columns, the file name or the motion."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tinystride.datasets.samples import AXES
from tinystride.errors import DataError
from tinystride.reading import ReadingOptions, read_recordings
from tinystride.reading.feet import foot_of_file
from tinystride.reading.files import subject_of


@pytest.mark.parametrize(
    ("path", "foot"),
    [
        ("walk_LF.csv", "left"), ("1-1_rf.txt", "right"), ("LeftFoot_3.csv", "left"), ("anna-R.csv", "right"),
        ("right/walk.csv", "right"), ("Right foot_D422CD.csv", "right"), ("walk.csv", None),
        ("left_and_right.csv", None), ("Barefoot.csv", None), ("trial.csv", None),
    ],
)  # fmt: skip
def test_foot_of_file_name(path, foot):
    assert foot_of_file(Path("data") / path) == foot


@pytest.mark.parametrize(
    ("left", "right", "person"),
    [
        ("anna_LF.csv", "anna_RF.csv", "anna"),
        ("1-1_lf.txt", "1-1_rf.txt", "1-1"),
        ("d/L.csv", "d/R.csv", "d"),
    ],
)
def test_both_feet_of_a_person_have_one_name(left, right, person):
    assert subject_of(Path(left)) == subject_of(Path(right)) == person


@pytest.mark.parametrize("foot", ["left", "right"])
def test_foot_is_found_by_its_motion(raw_folder, tmp_path, foot):
    source = next((raw_folder / "ipol-healthy" / "GaitData").glob(f"1-1_{foot[0]}f.txt"))
    path = tmp_path / "walk.txt"
    path.write_bytes(source.read_bytes())
    (recording,) = read_recordings([path], ReadingOptions())
    assert recording.foot == foot and f"{foot} foot, by its motion" in recording.notes


def test_foot_undetermined_by_the_strides_is_required(simulated, tmp_path):
    walk = simulated["right"]
    samples = np.column_stack([walk.acc_mps2, walk.gyr_radps])[:300]
    samples += np.random.default_rng(0).normal(0, 0.01, samples.shape)
    path = tmp_path / "walk.csv"
    pd.DataFrame(samples, columns=list(AXES)).to_csv(path, index=False)
    with pytest.raises(DataError, match="give it with --foot left or right"):
        read_recordings([path], ReadingOptions(rate_hz=100.0))
