"""Compare integral and direct network on all measured sets, each while left out: studies/results/ablation.

Estimators: the integral, the integral without its lever arm, and the network that maps a stride to its length
(`direct`).
"""

import numpy as np
import pandas as pd
from tqdm import tqdm

from stages.common import SPLIT, STRIDES, run_stage
from studies.common import BASELINE, STUDIES, compare_with_baseline, measured, measured_parts, write_table
from tinystride.files import atomic_folder, read_json
from tinystride.gait import strapdown
from tinystride.gait.strides import StrideSet, read_strides
from tinystride.learning.cross_validation import cross_validate
from tinystride.learning.estimators import Settings, choose
from tinystride.learning.split import subject_names

WITHOUT_LEVER_ARM = "integral without lever arm"
RECIPES = {"direct": choose("direct")}


def integrals(strides: StrideSet, rows: pd.DataFrame) -> pd.DataFrame:
    """Return the lengths [rows, 2] of the integral with and without lever arm, cm.

    The lever arm changes the length by as much as in an integral with all drift removed as a line in time.
    """
    samples = strapdown.resample(strides.signals.select(rows["stride_id"]))
    with_arm, without = (
        strapdown.integrate(*samples, lever_arm_m=arm_m).length_cm for arm_m in (strapdown.LEVER_ARM_M, 0.0)
    )
    length_cm = rows["strapdown_length_cm"]
    return pd.DataFrame({BASELINE: length_cm, WITHOUT_LEVER_ARM: length_cm + without - with_arm})


def compare(
    strides: StrideSet,
    split: dict,
    recipes: dict[str, Settings],
    *,
    seed: int,
    resamples: int,
    calibration_strides: int,
) -> pd.DataFrame:
    """Return `compare_with_baseline` of each measured set and estimator; int8 networks that left it out."""
    parts = measured_parts(strides.table, split)
    rows = measured(strides.table)
    rows = rows[subject_names(rows).isin([subject for part in parts for subject in part["test"]])]
    lengths = integrals(strides, rows)
    epochs = len(parts) * sum(settings.epochs for settings in recipes.values())
    with tqdm(total=epochs, desc="training", unit="epoch") as bar:
        for name, settings in recipes.items():
            found = [
                cross_validate(
                    strides.table, strides.signals, part, settings, seed=seed,
                    calibration_strides=calibration_strides, on_epoch=lambda _: bar.update(),
                ).predictions
                for part in parts
            ]  # fmt: skip
            int8_cm = pd.concat(found).set_index("stride_id")["int8_cm"]
            lengths[name] = int8_cm.reindex(rows["stride_id"]).to_numpy()
    table = []
    for dataset, own in rows.groupby("dataset"):
        for name in lengths:
            estimate_cm = lengths.loc[own.index, name].to_numpy()
            size = recipes[name].n_parameters if name in recipes else 0
            row = compare_with_baseline(
                own, estimate_cm, lengths.loc[own.index, BASELINE].to_numpy(), seed=seed, resamples=resamples
            )
            median_cm = float(np.nanmedian(np.abs(estimate_cm - own["stride_length_cm"])))
            table.append(
                {"set": dataset, "estimator": name, "parameters": size, "median_abs_cm": median_cm, **row}
            )
    return pd.DataFrame(table)


def main(parameters: dict) -> None:
    table = compare(
        read_strides(STRIDES),
        read_json(SPLIT),
        RECIPES,
        seed=parameters["seed"],
        **parameters["evaluate"],
        calibration_strides=parameters["quantize"]["calibration_strides"],
    )
    with atomic_folder(STUDIES / "ablation") as folder:
        write_table(table, folder / "ablation.csv")


if __name__ == "__main__":
    run_stage("studies/dvc.yaml:ablation", main)
