"""Accuracy against parameters, from none to 7,000: results/studies/sizes."""

from stages.common import SPLIT, STRIDES, run_stage
from studies.common import STUDIES, write_table
from studies.figures import sizes_figure
from studies.networks import WITHOUT_LEVER, compare
from studies.sensors import as_recorded
from tinystride.files import atomic_folder, read_json
from tinystride.gait.strides import read_strides
from tinystride.learning.estimators import PRESETS

RECIPES = PRESETS["strapdown-residual"]


def main(parameters: dict) -> None:
    table = compare(
        read_strides(STRIDES),
        read_json(SPLIT),
        RECIPES,
        {"as recorded": as_recorded},
        seed=parameters["seed"],
        **parameters["evaluate"],
        calibration_strides=parameters["quantize"]["calibration_strides"],
    )
    table = table[table["estimator"] != WITHOUT_LEVER]
    with atomic_folder(STUDIES / "sizes") as folder:
        write_table(table, folder / "sizes.csv")
        sizes_figure(table, folder / "sizes.png")


if __name__ == "__main__":
    run_stage("studies/dvc.yaml:sizes", main)
