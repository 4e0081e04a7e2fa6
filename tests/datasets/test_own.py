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
