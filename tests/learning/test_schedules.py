import pandas as pd
from attrs import evolve

from tinystride.learning.schedules import compare_schedules, seconds_to_reach


def test_compare_schedules_fast_schedule_is_sooner(examples, settings):
    seen = []
    schedules = {
        "fast": evolve(settings, epochs=6),
        "paper": evolve(settings, epochs=8, lr_schedule="constant", learning_rate=1e-4),
    }
    curves = compare_schedules(*examples, schedules, seed=1, on_epoch=seen.append)
    assert curves.groupby("schedule").size().to_dict() == {"fast": 6, "paper": 8}
    assert len(seen) == 14
    for _, own in curves.groupby("schedule"):
        assert own["seconds"].is_monotonic_increasing
    best_of_paper = curves[curves["schedule"] == "paper"]["validation_rmse_cm"].min()
    assert curves[curves["schedule"] == "fast"]["validation_rmse_cm"].min() < best_of_paper


def test_seconds_to_reach_first_time_or_infinity():
    curves = pd.DataFrame(
        {
            "schedule": ["fast", "fast", "paper", "paper"],
            "seconds": [1.0, 2.0, 10.0, 30.0],
            "validation_rmse_cm": [5.0, 4.0, 5.0, 4.5],
        }
    )
    assert seconds_to_reach(curves, "fast", 4.5) == 2.0
    assert seconds_to_reach(curves, "paper", 5.0) == 10.0
    assert seconds_to_reach(curves, "paper", 4.0) == float("inf")
