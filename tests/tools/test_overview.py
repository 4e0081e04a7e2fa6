"""The picture of README.md."""

import numpy as np
import pandas as pd
import pytest

from tools.overview import MAX_STRIDES, overview, recording_with_widest_range


@pytest.fixture
def strides() -> pd.DataFrame:
    """Three recordings of two sets: constant lengths, varied lengths, and lengths without a reference."""
    rng = np.random.default_rng(1)
    parts = []
    for dataset, reference, spread_cm in (("a", "ruler", 1), ("b", "mocap", 30), ("c", "strapdown", 60)):
        length_cm = 130 + spread_cm * rng.normal(size=80)
        parts.append(
            pd.DataFrame(
                {
                    "dataset": dataset, "subject": "1", "trial": "1", "foot": "left", "reference": reference,
                    "start_s": np.arange(80.0), "stride_length_cm": length_cm, "strapdown_cm": length_cm + 2,
                }
            )
        )  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def test_overview_shows_all_measured_strides_and_the_recording_with_widest_range(strides):
    single, every = overview(strides, "strapdown_cm").axes
    shown = single.lines[1].get_ydata()
    own = strides[strides["dataset"] == "b"]["strapdown_cm"]
    np.testing.assert_array_equal(shown, own[:MAX_STRIDES])
    assert sum(len(line.get_xdata()) for line in every.lines[:2]) == 160
    assert every.get_title() == "all 160 strides"


def test_recording_with_widest_range_ignores_short_recordings(strides):
    short = strides[:3].assign(trial="short", stride_length_cm=[10.0, 130, 300])
    assert set(recording_with_widest_range(pd.concat([strides[:160], short]))["dataset"]) == {"b"}
