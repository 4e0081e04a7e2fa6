"""Compare lever arm, networks and augmentation, with good and worse sensors: studies/results/ablation."""

from stages.common import SPLIT, STRIDES, run_stage
from studies.common import STUDIES, write_table
from studies.networks import compare
from studies.plots import plot_ablation
from studies.sensors import CUT_JITTER_S, GYRO_BIAS_RADPS, MOUNTING_RAD, SENSORS
from tinystride.files import atomic_folder, read_json
from tinystride.gait.strides import read_strides
from tinystride.learning.estimators import choose

WORSE = {"gyr_bias_radps": GYRO_BIAS_RADPS, "mounting_rad": MOUNTING_RAD, "cut_jitter_s": CUT_JITTER_S}
RECIPES = {
    "network, no augmentation": choose("strapdown-residual", augmentations_per_stride=0),
    "network (default)": choose("strapdown-residual"),
    "network, a quarter at half the rate": choose("strapdown-residual", half_rate_share=0.25),
    "network, augmented with worse sensors": choose("strapdown-residual", augmentation=WORSE),
    "direct, no augmentation": choose("direct", augmentations_per_stride=0),
    "direct": choose("direct"),
}


def main(parameters: dict) -> None:
    table = compare(
        read_strides(STRIDES),
        read_json(SPLIT),
        RECIPES,
        SENSORS,
        seed=parameters["seed"],
        **parameters["evaluate"],
        calibration_strides=parameters["quantize"]["calibration_strides"],
    )
    with atomic_folder(STUDIES / "ablation") as folder:
        write_table(table, folder / "ablation.csv")
        plot_ablation(table, folder / "ablation.png")


if __name__ == "__main__":
    run_stage("studies/dvc.yaml:ablation", main)
