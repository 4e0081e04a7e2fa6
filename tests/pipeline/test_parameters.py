"""Parameters given to `dvc exp run -S` are used for training or rejected in one line."""

import json
import shutil

import attrs
import pytest
import yaml
from dvc.utils.hydra import apply_overrides

from tests.pipeline.test_graph import ROOT
from tinystride.errors import ParameterError
from tinystride.gait.options import RENAMED, GaitOptions, options_from
from tinystride.learning.augmentation import AugmentationOptions
from tinystride.learning.estimators import PRESETS, Settings, choose


@pytest.fixture
def settings_of(tmp_path):
    """The settings that parameters like those after `-S` lead to."""
    path = tmp_path / "params.yaml"
    shutil.copyfile(ROOT / "params.yaml", path)

    def choose_with_options(*overrides: str) -> Settings:
        apply_overrides(path, list(overrides))
        parameters = yaml.safe_load(path.read_text())
        return choose(parameters["estimator"], **parameters["train"])

    return choose_with_options


def test_params_unchanged_give_the_default_preset(settings_of):
    assert settings_of() == PRESETS["strapdown-residual"]["tiny"]


@pytest.mark.parametrize("preset", PRESETS["strapdown-residual"])
def test_params_preset_gives_each_size(settings_of, preset):
    settings = settings_of(f"train.preset={preset}")
    assert settings == PRESETS["strapdown-residual"][preset]
    named = {"tiny": 500}.get(preset) or int(preset)
    assert 0.85 * named < settings.n_parameters <= named


def test_params_augmentation_value_is_changed_by_name(settings_of):
    settings = settings_of(
        "train.augmentations_per_stride=2",
        "train.augmentation={heading_rad: 0.2, horizontal_scale: [0.9, 1.1]}",
    )
    assert settings.augmentations_per_stride == 2
    options = AugmentationOptions(**settings.augmentation)
    assert (options.heading_rad, list(options.horizontal_scale)) == (0.2, [0.9, 1.1])
    assert options.lever_arm_m == AugmentationOptions().lever_arm_m


def test_sweep_every_value_is_accepted(settings_of):
    sweep = yaml.safe_load((ROOT / "sweep.yaml").read_text())
    for name, how in sweep["parameters"].items():
        for value in how["values"]:
            settings = settings_of(f"{name}={json.dumps(value)}")
            found = getattr(settings, name.partition(".")[2], value)
            assert list(found) == value if isinstance(value, list) else found == value


def test_params_layers_and_weights_are_changed(settings_of):
    changes = ["train.filters=[4,4]", "train.dense=[]", "train.loss=mean-squared"]
    settings = settings_of(*changes, "train.dataset_weights={llio-ruler: 2}", "train.learning_rate=1e-3")
    assert (settings.filters, settings.dense, settings.loss) == ((4, 4), (), "mean-squared")
    assert settings.dataset_weights == {"llio-ruler": 2}
    assert settings.learning_rate == 1e-3


@pytest.mark.parametrize(
    ("override", "name", "value"),
    [
        ("train.copies=8", "augmentations_per_stride", 8),
        ("train.leave_out=[turn]", "exclude_flags", ("turn",)),
        ("+train.course=constant", "lr_schedule", "constant"),
        ("train.augmentation={lever_m: 0.02}", "augmentation", {"lever_arm_m": 0.02}),
    ],
)
def test_params_old_name_works_with_a_warning_of_one_line(settings_of, override, name, value):
    with pytest.warns(FutureWarning, match=r"is now \w+; the old name works for one more release") as said:
        settings = settings_of(override)
    assert getattr(settings, name) == value
    assert len(said) == 1 and "\n" not in str(said[0].message)


def test_params_old_and_current_name_are_rejected(settings_of):
    with pytest.raises(ParameterError, match="copies: is the old name of augmentations_per_stride"):
        settings_of("train.copies=8", "train.augmentations_per_stride=4")


@pytest.mark.parametrize(
    ("override", "says"),
    [
        ("train.preset=500", "train.preset is '500': it has to be one of tiny, 1000, 2000, 4000, 7000"),
        (
            "train.augmentations_per_stride=lots",
            "train.augmentations_per_stride is 'lots': it has to be a whole number",
        ),
        (
            "train.augmentation={heading: 1}",
            "train.augmentation.heading: unknown; there are horizontal_scale",
        ),
        (
            "train.augmentation={horizontal_scale: [2, 1]}",
            "has to be two numbers above 0, the smaller first",
        ),
        (
            "train.augmentation={lever_arm_m: -1}",
            "augmentation.lever_arm_m is -1: it has to be a number of at",
        ),
        ("train.augmentation=more", "train.augmentation is 'more': it has to be a mapping"),
        ("train.schedule=slow", "train.schedule is 'slow': it has to be one of"),
        ("estimator=guess", "estimator is 'guess': it has to be one of"),
        ("+train.copy=3", "train.copy: unknown; there are"),
    ],
)
def test_params_invalid_value_is_rejected_in_one_line(settings_of, override, says):
    with pytest.raises(ParameterError) as refused:
        settings_of(override)
    assert says in str(refused.value) and "\n" not in str(refused.value)


@pytest.fixture
def options_of(tmp_path):
    """Return the function that gives the limits of a stride for arguments of `-S`."""
    path = tmp_path / "params.yaml"

    def choose_with_options(*overrides: str) -> GaitOptions:
        shutil.copyfile(ROOT / "params.yaml", path)
        apply_overrides(path, list(overrides))
        return options_from(yaml.safe_load(path.read_text())["preprocess"])

    return choose_with_options


def test_params_unchanged_give_the_default_limits(options_of, recwarn):
    assert options_of() == GaitOptions()
    assert not recwarn.list


@pytest.mark.parametrize(("old", "new"), RENAMED.items())
def test_params_old_name_of_a_limit_works_with_a_warning(options_of, old, new):
    value = 0.9 * getattr(GaitOptions(), new)
    with pytest.warns(FutureWarning, match=f"^preprocess.{old} is now {new}; the old name works") as said:
        options = options_of(f"preprocess.{old}={value}")
    assert options == attrs.evolve(GaitOptions(), **{new: value})
    assert options == options_of(f"preprocess.{new}={value}")
    assert len(said) == 1


@pytest.mark.parametrize(
    ("overrides", "says"),
    [
        (
            ["preprocess.longest_s=1.5", "preprocess.max_duration_s=1.6"],
            "preprocess.longest_s is the old name of",
        ),
        (["+preprocess.max_s=1"], "preprocess.max_s: unknown; there are max_gap_s, min_duration_s"),
        (["preprocess.longest_gap_s=3"], "max_gap_s is 3: it has to be a number from 0 to 0.2"),
    ],
)
@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_params_invalid_limit_is_rejected_in_one_line(options_of, overrides, says):
    with pytest.raises(ParameterError) as refused:
        options_of(*overrides)
    assert says in str(refused.value) and "\n" not in str(refused.value)
