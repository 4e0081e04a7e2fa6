import numpy as np
import pandas as pd
import pytest

from tinystride.summary import summarise


def strides(sd_cm):
    """Return four steady strides of one walk, 100 to 130 cm long, with these standard deviations."""
    length_cm = np.array([100.0, 110.0, 120.0, 130.0])
    return pd.DataFrame(
        {
            "recording": "walk", "person": "A", "foot": "right", "bout": 1, "position": "middle", "flags": "",
            "steady": True, "start_s": np.arange(4.0), "end_s": np.arange(4.0) + 1, "stride_time_s": 1.0,
            "stride_length_cm": length_cm, "speed_mps": length_cm / 100,
            "stride_length_low_cm": length_cm - 1.96 * np.asarray(sd_cm),
            "stride_length_high_cm": length_cm + 1.96 * np.asarray(sd_cm),
        }
    )  # fmt: skip


def mean(table, name):
    return summarise(table)["people"][0]["parameters"][name]["mean"]


def test_summary_mean_stride_with_narrow_interval_has_a_higher_weight():
    table = strides([1, 1, 1, 3])
    assert mean(table, "stride_length_cm") == pytest.approx((330 + 130 / 9) / (3 + 1 / 9), abs=1e-4)
    assert mean(table, "speed_mps") == pytest.approx((3.3 + 1.3 / 9) / (3 + 1 / 9), abs=1e-4)
    assert mean(table, "stride_time_s") == 1


@pytest.mark.parametrize("sd_cm", [[2, 2, 2, 2], [2, 2, 2, np.nan], [2, 2, 2, 0]])
def test_summary_mean_is_plain_without_different_intervals(sd_cm):
    assert mean(strides(sd_cm), "stride_length_cm") == 115
