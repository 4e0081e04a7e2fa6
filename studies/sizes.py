"""Compare residual networks of 0 to 7,000 parameters: studies/results/sizes."""

from stages.common import SPLIT, STRIDES, run_stage
from studies.common import STUDIES, write_table
from studies.networks import WITHOUT_LEVER_ARM, compare
from studies.plots import plot_sizes
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
    table = table[table["estimator"] != WITHOUT_LEVER_ARM]
    with atomic_folder(STUDIES / "sizes") as folder:
        write_table(table, folder / "sizes.csv")
        plot_sizes(table, folder / "sizes.png")


if __name__ == "__main__":
    run_stage("studies/dvc.yaml:sizes", main)
