"""Define estimators and their presets; parameters change single values of a preset."""

import math
import warnings
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, TypeVar

import attrs
import numpy as np

from tinystride.errors import ParameterError
from tinystride.gait.flags import FLAGS
from tinystride.gait.strapdown import POINTS
from tinystride.learning.augmentation import AugmentationOptions
from tinystride.validation import Rule, each, mapping, one_of, real_number, true_or_false, whole_number

T = TypeVar("T")

CHANNELS = 6
FEATURES = ("strapdown", "stance-to-stance", "contact-to-contact")
FEET = ("left", "right")
# Old names of settings and of augmentation options. They work for one more release, with a warning.
RENAMED_SETTINGS = {
    "copies": "augmentations_per_stride",
    "course": "lr_schedule",
    "leave_out": "exclude_flags",
}
RENAMED_AUGMENTATION = {"lever_m": "lever_arm_m"}
LR_SCHEDULES = ("one-cycle", "averaged", "constant")
LOSSES = ("mean-squared", "huber")


def _widths(high: int, *, min_length: int = 1) -> Rule:
    return each(whole_number(1, high), min_length=min_length)


@attrs.frozen
class Settings:
    """A complete estimator: input, architecture and training of its network.

    Attributes:
        estimator: "strapdown-residual" (the network's output is length minus strapdown length) or "direct"
            (the length)
        features: one of FEATURES, see `tinystride.learning.features`
        points: time steps of the network's input, 16 to 512, with CHANNELS channels
        filters: number of filters of each Conv1D (same padding, ReLU, max-pooling over 2 with same padding),
            in order, up to 256
        kernels: kernel width of each Conv1D, up to 64
        strides: strides of each Conv1D, up to 4
        dense: widths of the hidden fully-connected layers (ReLU) before the output, up to 1,024
        feet: of FEET; only their strides are used for training, but the network estimates those of either
            foot
        epochs: maximum number of passes through the training strides
        batch_size: strides per step of Adam
        learning_rate: maximum, up to 1
        lr_schedule: of the learning rate, "one-cycle" (linear rise, then a cosine down to zero), "averaged"
            (linear rise, then constant; the network has the exponential moving average of the weights) or
            "constant"
        patience: epochs without a better validation error after which training stops
        loss: "mean-squared", or "huber", which is linear above `huber_delta_cm`
        huber_delta_cm: 0.001 to 1,000
        dataset_weights: {data set: weight of its strides in the loss}; 1 for data sets that are not named
        exclude_flags: of FLAGS; strides with one of them are not used for training
        augmentations_per_stride: augmented strides made from each recorded one, up to 100; 0 for
            contact-to-contact features
        center_labels: subtract the integral's median error in each data set from its labels, so that the
            network learns no bias of a sensor or a reference
        half_rate_share: share of the augmented strides made from every second sample of the recorded stride,
            0 to 1
        augmentation: {name: value} of AugmentationOptions that differ from its defaults

    Raises:
        ParameterError: for a value that is unknown or out of range
    """

    PREFIX: ClassVar[str] = "train."

    estimator: str
    features: str = attrs.field(validator=one_of(FEATURES))
    points: int = attrs.field(validator=whole_number(16, 512))
    filters: tuple[int, ...] = attrs.field(validator=_widths(256))
    kernels: tuple[int, ...] = attrs.field(validator=_widths(64))
    strides: tuple[int, ...] = attrs.field(validator=_widths(4))
    dense: tuple[int, ...] = attrs.field(default=(), validator=_widths(1024, min_length=0))
    feet: tuple[str, ...] = attrs.field(default=FEET, validator=each(one_of(FEET), min_length=1))
    epochs: int = attrs.field(default=60, validator=whole_number(1, 100_000))
    batch_size: int = attrs.field(default=64, validator=whole_number(1, 100_000))
    learning_rate: float = attrs.field(default=5e-3, validator=real_number(1e-8, 1))
    lr_schedule: str = attrs.field(default="one-cycle", validator=one_of(LR_SCHEDULES))
    patience: int = attrs.field(default=60, validator=whole_number(1, 100_000))
    loss: str = attrs.field(default="mean-squared", validator=one_of(LOSSES))
    huber_delta_cm: float = attrs.field(default=5.0, validator=real_number(1e-3, 1e3))
    dataset_weights: Mapping[str, float] = attrs.field(factory=dict, validator=mapping("{llio-ruler: 2}"))
    exclude_flags: tuple[str, ...] = attrs.field(default=(), validator=each(one_of(FLAGS)))
    augmentations_per_stride: int = attrs.field(default=0, validator=whole_number(0, 100))
    center_labels: bool = attrs.field(default=False, validator=true_or_false())
    half_rate_share: float = attrs.field(default=0.0, validator=real_number(0, 1))
    augmentation: Mapping[str, Any] = attrs.field(factory=dict, validator=mapping("{heading_rad: 0.1}"))

    def __attrs_post_init__(self) -> None:
        for dataset, weight in self.dataset_weights.items():
            real_number(0, 1e6).check(f"train.dataset_weights.{dataset}", weight)
        if not len(self.filters) == len(self.kernels) == len(self.strides):
            raise ParameterError(
                "train.filters, train.kernels and train.strides: "
                f"{len(self.filters)}, {len(self.kernels)} and {len(self.strides)} values; "
                "give one of each for every convolution"
            )
        names = [entry.name for entry in attrs.fields(AugmentationOptions)]
        for name in self.augmentation:
            if name not in names:
                raise ParameterError(f"train.augmentation.{name}: unknown; there are {', '.join(names)}")
        AugmentationOptions(**self.augmentation)

    @property
    def n_parameters(self) -> int:
        """Number of weights and biases."""
        return sum(parameters for parameters, _ in self._layers())

    @property
    def n_multiply_accumulates(self) -> int:
        """Multiply-accumulates of one stride without biases; products with padded zeros count."""
        return sum(multiply_accumulates for _, multiply_accumulates in self._layers())

    def _layers(self) -> Iterator[tuple[int, int]]:
        points, channels = self.points, CHANNELS
        for filters, kernel, stride in zip(self.filters, self.kernels, self.strides, strict=True):
            points = math.ceil(points / stride)
            yield (kernel * channels + 1) * filters, points * kernel * channels * filters
            points, channels = math.ceil(points / 2), filters
        inputs = points * channels
        for outputs in (*self.dense, 1):
            yield (inputs + 1) * outputs, inputs * outputs
            inputs = outputs


def _residual(filters: tuple[int, ...], dense: tuple[int, ...]) -> Settings:
    return Settings(
        "strapdown-residual", "strapdown", 64, filters, (5, 5), (2, 1), dense,
        epochs=15, batch_size=128, loss="huber", huber_delta_cm=1.0, augmentations_per_stride=4,
        center_labels=True,
    )  # fmt: skip


# Flags of movements that teach nothing about walking. Short strides are not among them: a network that has
# not seen any overestimates strides of 20 cm by 15 cm.
NO_WALKING = ("not-walking", "unsteady")

# A direct network must learn to ignore the errors that the integration removes: offset, tilt, timing.
# Chosen on `tripod-excerpt` and `vicon`: with a wider range of length, the RMSE of one network was 0.14 cm
# higher on the former; with a larger change of heading, 0.5 cm higher on the latter. With kernels of 9 points
# and a wider range of duration, it is 0.1 cm higher on the former and 0.5 cm lower on the latter (means).
FOR_DIRECT = {
    "horizontal_scale": [0.75, 1.3],
    "pitch_scale": [0.85, 1.15],
    "pace_bend": 0.01,
    "mounting_rad": 0.05,
    "acc_bias_mps2": 0.15,
    "cut_jitter_s": 0.01,
}

PRESETS: dict[str, dict[str, Settings]] = {
    "strapdown-residual": {
        "tiny": _residual((6, 4), (4,)),
        "1000": _residual((8, 8), (6,)),
        "2000": _residual((16, 12), (5,)),
        "4000": _residual((20, 20), (8,)),
        "7000": _residual((24, 24), (17,)),
    },
    "direct": {
        "tiny": Settings(
            "direct", "stance-to-stance", 64, (24, 24), (5, 5), (2, 1), (10,),
            epochs=20, batch_size=128, learning_rate=5e-3, lr_schedule="averaged", loss="huber",
            huber_delta_cm=10.0, augmentations_per_stride=6, augmentation=FOR_DIRECT,
            exclude_flags=NO_WALKING,
        ),
        # Verbiest et al., Sensors 2023, 7166: the network that they deployed, 1.8 s at 60 Hz, right feet.
        "paper": Settings(
            "direct", "contact-to-contact", 108, (32, 16, 32), (5, 5, 15), (1, 1, 1), (128,),
            feet=("right",), epochs=120, batch_size=32, learning_rate=2e-3, lr_schedule="constant",
            patience=40,
        ),
    },
}  # fmt: skip

SCHEDULES: dict[str, dict[str, Any]] = {
    "fast": {},
    # The paper's "up to 1,500 epochs" of Adam; learning rate and batch size are from its grid.
    "paper": {
        "lr_schedule": "constant",
        "epochs": 1500,
        "patience": 1500,
        "learning_rate": 1e-3,
        "batch_size": 32,
    },
}


def choose(estimator: str, /, *, preset: str = "tiny", schedule: str = "fast", **changes: Any) -> Settings:
    """Return the settings of a preset, with a schedule and single changed values.

    Args:
        estimator: "strapdown-residual" or "direct"
        preset: preset of the estimator, one of PRESETS
        schedule: one of SCHEDULES
        **changes: values of Settings by name, also by their old names; None keeps the preset's

    Raises:
        ParameterError: for unknown names and values out of range, see Settings
    """
    chosen = _named("train.preset", _named("estimator", PRESETS, estimator), str(preset))
    schedule_changes = _named("train.schedule", SCHEDULES, schedule)
    changes = _with_current_names(changes)
    changeable = [entry.name for entry in attrs.fields(Settings) if entry.name != "estimator"]
    for name in changes:
        if name not in changeable:
            raise ParameterError(f"train.{name}: unknown; there are {', '.join(changeable)}")
    given = {name: _plain(value) for name, value in changes.items() if value is not None}
    settings = attrs.evolve(chosen, **{**schedule_changes, **given})
    _check_augmentation(settings)
    return settings


def can_be_augmented(settings: Settings) -> bool:
    """Return whether the strides that the network sees can be augmented.

    They must have POINTS points from mid-stance to mid-stance.

    Args:
        settings: settings of the network
    """
    return settings.features != "contact-to-contact" and settings.points == POINTS


def current_names(values: Mapping[str, Any], renamed: Mapping[str, str]) -> dict[str, Any]:
    """Return values by name, with old names replaced by current ones; None under an old name is dropped.

    Args:
        values: by old or current name
        renamed: {old name: current name}

    Raises:
        ParameterError: if a value is given by both names
    """
    current = {name: value for name, value in values.items() if name not in renamed}
    for old, new in renamed.items():
        if values.get(old) is not None:
            if current.get(new) is not None:
                raise ParameterError(f"{old}: is the old name of {new}, which is also given; remove {old}")
            current[new] = values[old]
    return current


def _with_current_names(changes: dict[str, Any]) -> dict[str, Any]:
    """Return changed settings by their current names, and warn of old ones."""
    augmentation = changes.get("augmentation")
    used = [(f"train.{old}", new) for old, new in RENAMED_SETTINGS.items() if changes.get(old) is not None]
    changes = current_names(changes, RENAMED_SETTINGS)
    if isinstance(augmentation, Mapping):
        used += [
            (f"train.augmentation.{old}", new)
            for old, new in RENAMED_AUGMENTATION.items()
            if augmentation.get(old) is not None
        ]
        changes["augmentation"] = current_names(augmentation, RENAMED_AUGMENTATION)
    for old, new in used:
        warnings.warn(
            f"{old} is now {new}; the old name works for one more release", FutureWarning, stacklevel=3
        )
    return changes


def _named(parameter: str, choices: Mapping[str, T], name: str) -> T:
    one_of(choices).check(parameter, name)
    return choices[name]


def _plain(value: Any) -> Any:
    """Return lists as tuples, and NumPy's numbers as Python's, which JSON supports."""
    if isinstance(value, list | tuple):
        return tuple(_plain(entry) for entry in value)
    return value.item() if isinstance(value, np.generic) else value


def _check_augmentation(settings: Settings) -> None:
    if not settings.augmentations_per_stride or can_be_augmented(settings):
        return
    if settings.features == "contact-to-contact":
        raise ParameterError(
            "train.augmentations_per_stride: strides from contact to contact cannot be augmented; set it to 0"
        )
    raise ParameterError(
        f"train.augmentations_per_stride: augmented strides have {POINTS} points; set train.points to that"
    )
