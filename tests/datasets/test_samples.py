"""The rules that the samples of every recording have to keep."""

from dataclasses import replace

import numpy as np
import pytest

from tinystride.datasets.recording import Recording, reference_table
from tinystride.datasets.samples import check_recording, fill_gaps, numbers, read_table, sample_numbers
from tinystride.errors import DataError


@pytest.fixture
def recording(walk) -> Recording:
    acc_mps2, gyr_radps = walk(100.0)
    return Recording("own", "me", "1", "right", 100.0, acc_mps2, gyr_radps, source="own.csv")


def test_check_recording_returns_a_good_recording_unchanged(recording):
    assert check_recording(recording) is recording


def test_check_recording_of_standing_still_passes(recording):
    still = np.random.default_rng(0).normal(0, 0.002, (500, 3))
    check_recording(replace(recording, acc_mps2=still + np.array([0, 0, 9.81]), gyr_radps=still))


@pytest.mark.parametrize("factor", [0.93, 1.08])
def test_check_recording_of_a_badly_calibrated_accelerometer_passes(recording, factor):
    check_recording(replace(recording, acc_mps2=recording.acc_mps2 * factor))


def test_check_recording_that_starts_while_walking_passes(recording):
    check_recording(
        replace(recording, acc_mps2=recording.acc_mps2[290:], gyr_radps=recording.gyr_radps[290:])
    )


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"foot": "r"}, "foot is 'r'; it has to be one of left, right"),
        ({"rate_hz": 0.0}, "sampling rate is 0 Hz"),
        ({"rate_hz": float("nan")}, "sampling rate is nan Hz"),
        ({"rate_hz": 3000.0}, "contains 2000 samples, less than a second"),
        ({"acc_mps2": np.zeros((2000, 2))}, r"acc is (2000, 2) and gyr (2000, 3)"),
        ({"reference_event": "toe_off"}, "its reference is not a table of strides"),
        ({"reference": reference_table([1.0], [30.0], [130], "ruler")}, "stride 0 is from 1.00 to 30.00 s"),
        ({"reference": reference_table([1.0], [2.0], [1.3], "ruler")}, "stride 0 is 1.3 cm long"),
    ],
)
def test_check_recording_of_a_bad_recording_is_refused(recording, changes, rule):
    with pytest.raises(DataError) as caught:
        check_recording(replace(recording, **changes))
    assert str(caught.value).startswith("own.csv: ") and rule in str(caught.value)


@pytest.mark.parametrize(
    ("array", "factor", "remedy"),
    [
        ("acc_mps2", 1 / 9.80665, "state that its unit is g"),
        ("acc_mps2", 9.80665, "state that its unit is m/s²"),
        ("acc_mps2", 1000 / 9.80665, "multiply it by 0.00980665"),
        ("acc_mps2", 2.0, "check unit, calibration"),
        ("gyr_radps", 180 / np.pi, "state that its unit is deg/s"),
        ("gyr_radps", np.pi / 180, "state that its unit is rad/s"),
    ],
)
def test_check_recording_in_a_wrong_unit_names_the_factor(recording, array, factor, remedy):
    with pytest.raises(DataError, match=remedy):
        check_recording(replace(recording, **{array: getattr(recording, array) * factor}))


def test_sample_numbers_with_jitter_and_drift_find_lost_samples():
    kept = np.delete(np.arange(1000), [10, 11, 500])
    jitter_s = np.random.default_rng(3).uniform(-0.001, 0.001, len(kept))
    number = sample_numbers("own.csv", kept / 100.2 + jitter_s, 100.0)
    np.testing.assert_array_equal(number, kept)
    filled, gaps = fill_gaps("own.csv", number, kept[:, None].astype(float))
    np.testing.assert_allclose(filled[:, 0], np.arange(1000))
    assert gaps.tolist() == [[10, 12], [500, 501]]


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("", "has 0 lines and no rows"),
        ("a,b\n", "has 1 lines and no rows"),
        ("a,b\n1,2\n3\n", "line 3 has 1 columns, not 2"),
        ("a,b\n1,2\n3,4,5\n", "line 3 has 3 columns, not 2"),
        ("a,c\n1,2\n", "lacks the column 'b'; it needs a, b"),
        ("a,b\n1,2\n1,x\n", "line 3: b is missing or not a finite number"),
        ("a,b\n1,\n", "line 2: b is missing or not a finite number"),
    ],
)
def test_read_table_of_a_bad_table_is_refused(tmp_path, text, rule):
    path = tmp_path / "own.csv"
    path.write_text(text)
    with pytest.raises(DataError) as caught:
        numbers(path, read_table(path), ["a", "b"])
    assert f"{path}: {rule}" in str(caught.value)


def test_read_table_of_a_missing_file_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"own\.csv: is missing; "):
        read_table(tmp_path / "own.csv")
