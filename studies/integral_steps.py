"""Measure the effect of both corrections of the integral: studies/results/integral_steps.

The strides of each set are integrated three times: with all drift removed as a line in time, with the
correction of drift at foot contact, and also with that of the foot's motion at mid-stance. Intervals come
from resampling people or blocks of strides.
"""

import numpy as np
import pandas as pd

from stages.common import STRIDES, run_stage
from studies.common import STUDIES, measured, write_table
from tinystride.evaluation.agreement import agreement
from tinystride.evaluation.metrics import INTERVAL_SD, REFERENCE_SD_CM
from tinystride.files import atomic_folder
from tinystride.gait import strapdown
from tinystride.gait.strides import StrideSet, read_strides

STATISTICS = ("rmse_cm", "median_abs_cm", "p95_abs_cm")


def rows(strides: StrideSet, **bootstrap: int) -> list[dict]:
    """Return for each set and step its STATISTICS, the ends of their 95 % intervals, and the coverage."""
    table = measured(strides.table)
    samples = strapdown.resample(strides.signals.select(table["stride_id"]))
    line = strapdown.integrate(*samples)
    missed_cm = strapdown.missed_cm(strapdown.stance_motion(line, *samples))
    final_cm = table["strapdown_length_cm"]
    part = np.minimum(final_cm / strapdown.MIN_MOTION_LENGTH_CM, 1)
    steps = {
        "line in time": pd.Series(line.length_cm, table.index),
        "drift at contact": final_cm - part * missed_cm,
        "motion at mid-stance": final_cm,
    }
    found = []
    for name, own in table.groupby("dataset"):
        for step, length_cm in steps.items():
            statistics = agreement(own, length_cm[own.index], **bootstrap)
            error_cm = (length_cm[own.index] - own["stride_length_cm"]).abs()
            row = {"set": name, "step": step, "n_strides": len(own)}
            for each in STATISTICS:
                low, high = statistics[f"{each}_ci95"] or (float("nan"), float("nan"))
                row |= {each: statistics[each], f"{each}_low": low, f"{each}_high": high}
            noise_cm = own["reference"].map(REFERENCE_SD_CM).fillna(0.0)
            covered = error_cm <= INTERVAL_SD * np.hypot(own["length_sd_cm"], noise_cm)
            found.append(row | {"coverage": float(covered.mean())})
    return found


def main(parameters: dict) -> None:
    found = rows(read_strides(STRIDES), seed=parameters["seed"], **parameters["evaluate"])
    with atomic_folder(STUDIES / "integral_steps") as folder:
        write_table(pd.DataFrame(found), folder / "integral_steps.csv")


if __name__ == "__main__":
    run_stage("studies/dvc.yaml:integral-steps", main)
