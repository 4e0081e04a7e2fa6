"""What can be trained: estimators, their presets, and every value of a preset that a parameter may change."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from tinystride.errors import ParameterError
from tinystride.gait.flags import FLAGS
from tinystride.gait.strapdown import POINTS
from tinystride.learning.augmentation import AugmentationOptions

CHANNELS = 6
FEATURES = ("strapdown", "stance-to-stance", "contact-to-contact")
FEET = ("left", "right")
COURSES = ("one-cycle", "constant")
LOSSES = ("mean-squared", "huber")


@dataclass(frozen=True)
class Settings:
    """An estimator, complete: what the network sees, what it looks like and how it is trained.

    estimator: "strapdown-residual" (the network tells length minus strapdown length) or "direct" (the length)
    features: one of FEATURES, see tinystride.learning.features
    points: time steps of the network's input, 16 to 512; its channels are CHANNELS
    feet: whose strides are learned from, of FEET; the network estimates those of either
    filters, kernels, strides: of each Conv1D (same padding, ReLU), in order, up to 256, 64 and 4; max-pooling
        over 2 (same padding) follows each
    dense: widths of the hidden fully-connected layers (ReLU) before the one output, at most 1,024
    epochs: most passes through the training strides
    batch_size: strides a step of Adam
    learning_rate: the highest, at most 1
    course: of the learning rate: "one-cycle" (linear rise, then a cosine down to zero) or "constant"
    patience: epochs without a better validation error after which training stops
    loss: "mean-squared", or "huber", which is linear beyond `huber_delta_cm`
    dataset_weights: {data set: weight of its strides in the loss}, 1 for those not named
    leave_out: of FLAGS; a stride with one of them is not learned from
    copies: augmented strides made from each recorded one, up to 100; contact to contact there are none
    center_labels: take the median error of the integral in each data set out of its labels, so that the
        network learns no bias of a sensor or a reference
    half_rate_share: of the copies, 0 to 1, those made from every second sample of the recorded stride
    augmentation: {name: value} of AugmentationOptions that differ from its defaults
    """

    estimator: str
    features: str
    points: int
    filters: tuple[int, ...]
    kernels: tuple[int, ...]
    strides: tuple[int, ...]
    dense: tuple[int, ...] = ()
    feet: tuple[str, ...] = FEET
    epochs: int = 60
    batch_size: int = 64
    learning_rate: float = 5e-3
    course: str = "one-cycle"
    patience: int = 60
    loss: str = "mean-squared"
    huber_delta_cm: float = 5.0
    dataset_weights: Mapping[str, float] = field(default_factory=dict)
    leave_out: tuple[str, ...] = ()
    copies: int = 0
    center_labels: bool = False
    half_rate_share: float = 0.0
    augmentation: Mapping[str, object] = field(default_factory=dict)

    @property
    def n_parameters(self) -> int:
        return sum(parameters for parameters, _ in self._layers())

    @property
    def n_multiply_accumulates(self) -> int:
        """Of one stride, biases aside; a product with a padded zero counts."""
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
        epochs=15, batch_size=128, loss="huber", huber_delta_cm=1.0, copies=4, center_labels=True,
    )  # fmt: skip


# What a foot does that turns on the spot, or closes up to the other: of these a network that knows lengths
# alone learns nothing about walking.
NO_WALKING = ("out-of-range", "not-walking", "unsteady", "unusual-duration")

# A network that has to integrate by itself must be shown what the integral takes out: offset, tilt, timing.
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
            "direct", "stance-to-stance", 64, (12, 12), (9, 7), (2, 1), (12,),
            epochs=40, batch_size=128, learning_rate=1e-2, loss="huber", copies=6, augmentation=FOR_DIRECT,
            leave_out=NO_WALKING,
        ),
        # Verbiest et al., Sensors 2023, 7166: the network that they deployed, 1.8 s at 60 Hz, right feet.
        "paper": Settings(
            "direct", "contact-to-contact", 108, (32, 16, 32), (5, 5, 15), (1, 1, 1), (128,),
            feet=("right",), epochs=120, batch_size=32, learning_rate=2e-3, course="constant", patience=40,
        ),
    },
}  # fmt: skip

SCHEDULES: dict[str, dict[str, object]] = {
    "fast": {},
    # The paper's "up to 1,500 epochs" of Adam; learning rate and batch size are from its grid.
    "paper": {
        "course": "constant",
        "epochs": 1500,
        "patience": 1500,
        "learning_rate": 1e-3,
        "batch_size": 32,
    },
}


def choose(estimator: str, /, *, preset: str = "tiny", schedule: str = "fast", **changes) -> Settings:
    """The preset of the estimator, with a schedule, and with single values changed; None changes nothing.

    Raises ParameterError for unknown names and values out of the ranges that Settings states.
    """
    chosen = _named("train.preset", _named("estimator", PRESETS, estimator), str(preset))
    schedule_changes = _named("train.schedule", SCHEDULES, schedule)
    changeable = [name for name in Settings.__dataclass_fields__ if name != "estimator"]
    for name in changes:
        if name not in changeable:
            raise ParameterError(f"train.{name}: unknown; there are {', '.join(changeable)}")
    given = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in changes.items()
        if value is not None
    }
    settings = replace(chosen, **{**schedule_changes, **given})
    _check(settings)
    return settings


def can_be_augmented(settings: Settings) -> bool:
    """Whether tinystride.learning.augmentation can make the strides that the network sees."""
    return settings.features != "contact-to-contact" and settings.points == POINTS


def _named(parameter: str, choices: Mapping, name: str):
    if name not in choices:
        raise ParameterError(f"{parameter}: unknown {name!r}; choose one of {', '.join(choices)}")
    return choices[name]


def _check(settings: Settings) -> None:
    for name, choices in (("features", FEATURES), ("course", COURSES), ("loss", LOSSES)):
        if getattr(settings, name) not in choices:
            raise ParameterError(
                f"train.{name}: unknown {getattr(settings, name)!r}; choose one of {', '.join(choices)}"
            )
    for name, kind, low, high in (
        ("points", int, 16, 512),
        ("epochs", int, 1, 100_000),
        ("batch_size", int, 1, 100_000),
        ("patience", int, 1, 100_000),
        ("copies", int, 0, 100),
        ("learning_rate", (int, float), 1e-8, 1),
        ("huber_delta_cm", (int, float), 1e-3, 1e3),
        ("half_rate_share", (int, float), 0, 1),
    ):
        _check_number(name, getattr(settings, name), kind, low, high)
    for name, high in (("filters", 256), ("kernels", 64), ("strides", 4), ("dense", 1024)):
        values = getattr(settings, name)
        if not isinstance(values, tuple) or (not values and name != "dense"):
            raise ParameterError(f"train.{name}: {values!r} is not a list of whole numbers, e.g. [8, 8]")
        for value in values:
            _check_number(name, value, int, 1, high)
    if not len(settings.filters) == len(settings.kernels) == len(settings.strides):
        raise ParameterError(
            "train.filters, train.kernels and train.strides: "
            f"{len(settings.filters)}, {len(settings.kernels)} and {len(settings.strides)} values; "
            "give one of each for every convolution"
        )
    if not isinstance(settings.center_labels, bool):
        raise ParameterError(f"train.center_labels: {settings.center_labels!r} is neither true nor false")
    if not settings.feet or set(settings.feet) - set(FEET):
        raise ParameterError(f"train.feet: {settings.feet!r} is not a list of {' and '.join(FEET)}")
    if not isinstance(settings.leave_out, tuple) or set(settings.leave_out) - set(FLAGS):
        raise ParameterError(f"train.leave_out: {settings.leave_out!r} is not a list of {', '.join(FLAGS)}")
    if not isinstance(settings.dataset_weights, Mapping):
        raise ParameterError(
            "train.dataset_weights: not a mapping of data sets to weights, e.g. {llio-ruler: 2}"
        )
    for dataset, weight in settings.dataset_weights.items():
        _check_number(f"dataset_weights.{dataset}", weight, (int, float), 0, 1e6)
    _check_augmentation(settings)


def _check_augmentation(settings: Settings) -> None:
    if not isinstance(settings.augmentation, Mapping):
        raise ParameterError("train.augmentation: not a mapping of names to values, e.g. {heading_rad: 0.1}")
    for name in settings.augmentation:
        if name not in AugmentationOptions.__dataclass_fields__:
            known = ", ".join(AugmentationOptions.__dataclass_fields__)
            raise ParameterError(f"train.augmentation.{name}: unknown; there are {known}")
    AugmentationOptions(**settings.augmentation)
    if not settings.copies or can_be_augmented(settings):
        return
    if settings.features == "contact-to-contact":
        raise ParameterError("train.copies: strides from contact to contact cannot be augmented; set it to 0")
    raise ParameterError(f"train.copies: augmented strides have {POINTS} points; set train.points to that")


def _check_number(name: str, value, kind, low: float, high: float) -> None:
    if isinstance(value, bool) or not isinstance(value, kind) or not low <= value <= high:
        what = "a whole number" if kind is int else "a number"
        raise ParameterError(f"train.{name}: {value!r} is not {what} from {low:g} to {high:g}")
