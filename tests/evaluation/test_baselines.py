import numpy as np
import pytest

from tests.evaluation.synthetic import walks
from tinystride.errors import DataError
from tinystride.evaluation.baselines import REQUIRED_COLUMNS, baselines


def test_baselines_each_equals_its_definition():
    training, strides = walks(subjects=3), walks(subjects=2, first_subject=3, seed=1)
    estimates = baselines(training, strides)
    slope, intercept = np.polyfit(training["duration_s"], training["stride_length_cm"], 1)
    assert list(estimates) == ["strapdown", "stride-time-line", "mean"]
    np.testing.assert_array_equal(estimates["strapdown"], strides["strapdown_length_cm"])
    np.testing.assert_allclose(estimates["stride-time-line"], intercept + slope * strides["duration_s"])
    np.testing.assert_allclose(estimates["mean"], training["stride_length_cm"].mean())


def test_baselines_test_lengths_have_no_effect():
    training, strides = walks(subjects=3), walks(subjects=2, first_subject=3)
    blind = baselines(training, strides.assign(stride_length_cm=np.nan))
    np.testing.assert_array_equal(blind, baselines(training, strides))


def test_baselines_same_name_in_another_set_is_another_person():
    assert len(baselines(walks(), walks(dataset="elsewhere"))) == 20


def test_baselines_bad_input_is_rejected_in_one_line():
    training, strides = walks(subjects=3), walks(subjects=2, first_subject=2)
    with pytest.raises(DataError, match="lab/S02 is in training and in test"):
        baselines(training, strides)
    strides = walks(first_subject=3)
    with pytest.raises(DataError, match="no training stride"):
        baselines(training[:0], strides)
    for column in REQUIRED_COLUMNS:
        with pytest.raises(DataError, match=f"no column {column};"):
            baselines(training, strides.drop(columns=column))
    with pytest.raises(DataError, match="lab/S00/T0/right/0000 has no stride_length_cm"):
        baselines(training.assign(stride_length_cm=np.nan), strides)
    with pytest.raises(DataError, match="lab/S03/T0/right/0000 has no strapdown_length_cm"):
        baselines(training, strides.assign(strapdown_length_cm=np.nan))
