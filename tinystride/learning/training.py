"""Train the float32 network and store it. Importing this module imports TensorFlow.

Training computes in float64. Libraries select kernels by processor, and these add numbers in different
orders: in float32 the weights then differ between processors, in float64 only by about 1e-16 per step. After
each epoch all weights are rounded to float32, which removes these differences, so that the bytes are the
same.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import attrs
import numpy as np

from tinystride.errors import ModelError, ParameterError
from tinystride.files import atomic_folder, read_json, write_json
from tinystride.learning.architectures import build
from tinystride.learning.backend import keras, tf
from tinystride.learning.estimators import (
    RENAMED_AUGMENTATION,
    RENAMED_SETTINGS,
    Settings,
    current_names,
)
from tinystride.learning.features import Examples

WARM_UP = 0.1  # share of the steps in which the learning rate rises
AVERAGED_SHARE = 0.15  # time constant of the average of the weights, share of all steps
ROUNDED_TO = 6  # decimals of the errors in cm, above the rounding errors of float64 sums
MIN_LABEL_SCALE_CM = 0.1  # for labels that are nearly equal, such as residuals of integrals from integrals


@dataclass(frozen=True, eq=False)
class TrainedModel:
    """A float32 network and its scaling.

    Attributes:
        settings: architecture and training
        input_offset: [6]
        input_scale: [6]; the network's input is (features - input_offset) / input_scale
        network: Keras, float32, [1, points, 6] to [1, 1], cm
    """

    settings: Settings
    input_offset: np.ndarray
    input_scale: np.ndarray
    network: keras.Model

    @cached_property
    def exact(self) -> keras.Model:
        """The same weights with float64 arithmetic, [batch, points, 6] to [batch, 1], cm."""
        network = build(self.settings, dtype="float64")
        network.set_weights(self.network.get_weights())
        return network

    def standardised(self, values: np.ndarray) -> np.ndarray:
        """Return the network's input [n, points, 6] float64.

        Args:
            values: features [n, points, 6]
        """
        return (values - self.input_offset) / self.input_scale

    def predict(self, values: np.ndarray) -> np.ndarray:
        """Return the output [n], cm, computed in float64.

        float32 would add rounding errors of about 1e-5 cm that depend on the processor.

        Args:
            values: features [n, points, 6]
        """
        return self.exact(tf.constant(self.standardised(values), tf.float64)).numpy()[:, 0]

    def save(self, folder: Path | str) -> None:
        """Write model.weights.h5 and model.json; the same model gives the same bytes.

        Args:
            folder: is replaced when complete
        """
        with atomic_folder(folder) as partial:
            self.network.save_weights(partial / "model.weights.h5")
            write_json(
                partial / "model.json",
                {
                    **attrs.asdict(self.settings),
                    "input_offset": self.input_offset.tolist(),
                    "input_scale": self.input_scale.tolist(),
                },
            )

    @staticmethod
    def load(folder: Path | str) -> "TrainedModel":
        """Load a model that `save` wrote.

        Args:
            folder: with the files

        Returns:
            the model

        Raises:
            ModelError: if the folder does not contain such a model
        """
        folder = Path(folder)
        try:
            content = read_json(folder / "model.json")
            offset, scale = (np.array(content.pop(name), float) for name in ("input_offset", "input_scale"))
            content = current_names(content, RENAMED_SETTINGS)
            content["augmentation"] = current_names(content["augmentation"], RENAMED_AUGMENTATION)
            tuples = {name: tuple(value) for name, value in content.items() if isinstance(value, list)}
            settings = Settings(**{**content, **tuples})
            network = build(settings, batch_size=1)
            network.load_weights(folder / "model.weights.h5")
        except (OSError, ValueError, KeyError, TypeError, ParameterError) as error:
            raise ModelError(f"{folder}: not a trained model ({error}); run the train stage again") from error
        return TrainedModel(settings, offset, scale, network)


@dataclass(frozen=True)
class Epoch:
    """Errors of one epoch, rounded to ROUNDED_TO decimals.

    Attributes:
        number: from 0
        train_rmse_cm: over the strides of the epoch, each before its own step
        validation_rmse_cm: mean over the validation subjects of their RMSE
    """

    number: int
    train_rmse_cm: float
    validation_rmse_cm: float


@dataclass(frozen=True, eq=False)
class Training:
    """Result of a training.

    Attributes:
        model: with the weights of the best epoch
        epochs: all epochs
        best: number of the best epoch
    """

    model: TrainedModel
    epochs: list[Epoch]
    best: int


def train(
    training: Examples,
    validation: Examples,
    settings: Settings,
    *,
    seed: int,
    on_epoch: Callable[[Epoch], None] = lambda epoch: None,
) -> Training:
    """Train a network and return it with the weights of the epoch with the lowest validation error.

    The same arguments give the same weights, also in another process, on another processor and with other
    settings of its libraries.

    Args:
        training: strides to train on
        validation: strides to validate on
        settings: settings of the network and its training
        seed: seed of the random choices
        on_epoch: called after each epoch

    Returns:
        the model and all epochs
    """
    keras.backend.clear_session()  # otherwise names of layers, which are in the files, would count up
    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()
    offset, scale = _standardisation(training.values, settings)
    label_offset = float(training.label_cm.mean())
    label_scale = max(float(training.label_cm.std()), MIN_LABEL_SCALE_CM)
    learner = build(settings, for_training=True, dtype="float64")
    optimizer = keras.optimizers.Adam(_learning_rate(settings, len(training)))
    optimizer.build(learner.trainable_variables)
    trained = learner
    if settings.lr_schedule == "averaged":
        trained = build(settings, for_training=True, dtype="float64")
        trained.set_weights(learner.get_weights())
    variables = {id(each): each for each in (*learner.variables, *trained.variables, *optimizer.variables)}
    state = [each for each in variables.values() if "float" in str(each.dtype)]
    _round_to_float32(state)
    run_epoch = _epoch_function(
        learner,
        trained,
        optimizer,
        (training.values - offset) / scale,
        (training.label_cm - label_offset) / label_scale,
        training.weight / training.weight.mean(),
        settings,
        huber_delta=settings.huber_delta_cm / label_scale,
    )
    seen = tf.constant((validation.values - offset) / scale, tf.float64)
    run_validation = tf.function(lambda: trained(seen))

    random = np.random.default_rng(seed)
    epochs: list[Epoch] = []
    best, weights = -1, trained.get_weights()
    for number in range(settings.epochs):
        squares = float(run_epoch(_batches(len(training), settings.batch_size, random)))
        _round_to_float32(state)
        output_cm = run_validation().numpy()[:, 0] * label_scale + label_offset
        epoch = Epoch(
            number,
            round(label_scale * float(np.sqrt(squares / len(training))), ROUNDED_TO),
            round(subject_rmse_cm(output_cm - validation.label_cm, validation.subject), ROUNDED_TO),
        )
        epochs.append(epoch)
        on_epoch(epoch)
        if best < 0 or epoch.validation_rmse_cm < epochs[best].validation_rmse_cm:
            best, weights = number, trained.get_weights()
        if number - best >= settings.patience:
            break
    network = build(settings, batch_size=1)
    # Scale the output to cm, so that users of the network need no other constants.
    weights[-2] = weights[-2] * label_scale
    weights[-1] = weights[-1] * label_scale + label_offset
    network.set_weights(weights)
    return Training(TrainedModel(settings, offset, scale, network), epochs, best)


def subject_rmse_cm(error_cm: np.ndarray, subject: np.ndarray) -> float:
    """Return the mean over subjects of their RMSE; all have the same weight.

    Args:
        error_cm: [n]
        subject: [n]
    """
    return float(np.mean([np.sqrt(np.mean(error_cm[subject == name] ** 2)) for name in np.unique(subject)]))


def _standardisation(values: np.ndarray, settings: Settings) -> tuple[np.ndarray, np.ndarray]:
    """Return offset and scale, [6] each; contact-to-contact features keep the scale of the paper."""
    if settings.features == "contact-to-contact":
        return np.zeros(values.shape[-1]), np.ones(values.shape[-1])
    # All channels share one int8 scale: use the range of each channel without rare peaks, not its deviation.
    low, high = np.quantile(values.reshape(-1, values.shape[-1]).astype(float), [0.0005, 0.9995], axis=0)
    half_range = np.where(high > low, (high - low) / 2, 1.0)
    # Round to float32, because firmware computes with these constants.
    return _as_float32((low + high) / 2), _as_float32(half_range)


def _as_float32(values: np.ndarray) -> np.ndarray:
    return values.astype(np.float32).astype(np.float64)


def _batches(n: int, batch_size: int, random: np.random.Generator) -> tf.Tensor:
    """Return shuffled rows [batches, batch size]; the last batch is filled up with rows from the start."""
    size = min(batch_size, n)
    order = random.permutation(n)
    return tf.constant(np.resize(order, (-(-n // size), size)), tf.int32)


def _round_to_float32(variables: list[keras.Variable]) -> None:
    for variable in variables:
        variable.assign(tf.cast(tf.cast(variable.value, tf.float32), variable.dtype))


def _epoch_function(
    learner: keras.Model,
    averaged: keras.Model,
    optimizer: keras.optimizers.Optimizer,
    values: np.ndarray,
    labels: np.ndarray,
    weights: np.ndarray,
    settings: Settings,
    *,
    huber_delta: float,
) -> Callable[[tf.Tensor], tf.Tensor]:
    """Return a function that trains one epoch on batches of rows and returns the sum of the squared errors.

    If `averaged` is another network than `learner`, its weights become the exponential moving average of
    those of `learner` over the steps. The function runs without Python code in between; Keras's own `fit`
    takes twice as long for networks of this size.
    """
    n_steps = settings.epochs * _steps_per_epoch(settings, len(labels))
    new_share = 1 / max(1.0, AVERAGED_SHARE * n_steps)
    values, labels, weights = (tf.constant(array, tf.float64) for array in (values, labels, weights))

    def loss(error: tf.Tensor, weight: tf.Tensor) -> tf.Tensor:
        squared = error**2
        if settings.loss == "huber":
            size = tf.abs(error)
            squared = tf.where(size <= huber_delta, squared, huber_delta * (2 * size - huber_delta))
        return tf.reduce_mean(weight * squared)

    @tf.function(jit_compile=True)
    def step(rows: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            error = learner(tf.gather(values, rows), training=True)[:, 0] - tf.gather(labels, rows)
            objective = loss(error, tf.gather(weights, rows))
        gradients = tape.gradient(objective, learner.trainable_variables)
        optimizer.apply_gradients(zip(gradients, learner.trainable_variables, strict=True))
        if averaged is not learner:
            for mean, weight in zip(averaged.trainable_variables, learner.trainable_variables, strict=True):
                mean.assign_add(new_share * (weight - mean))
        return tf.reduce_mean(error**2)

    @tf.function
    def epoch(batches: tf.Tensor) -> tf.Tensor:
        squares = tf.constant(0.0, tf.float64)
        for rows in batches:
            squares += step(rows)
        return squares / tf.cast(tf.shape(batches)[0], tf.float64) * len(labels)

    return epoch


class _TabulatedRate(keras.optimizers.schedules.LearningRateSchedule):
    """Learning rate [steps] of each step; it stays constant after the last one."""

    def __init__(self, rates: np.ndarray) -> None:
        self.rates = rates

    def __call__(self, step: tf.Tensor) -> tf.Tensor:
        return keras.ops.take(self.rates, keras.ops.minimum(step, len(self.rates) - 1))

    def get_config(self) -> dict:
        return {"rates": self.rates}


def _learning_rate(settings: Settings, n_examples: int) -> float | _TabulatedRate:
    if settings.lr_schedule == "constant":
        return settings.learning_rate
    steps = settings.epochs * _steps_per_epoch(settings, n_examples)
    rise = max(1, round(WARM_UP * steps))
    step = np.arange(steps)
    falling = 0.5 + 0.5 * np.cos(np.pi * np.clip((step - rise) / max(1, steps - rise), 0, 1))
    after = 1.0 if settings.lr_schedule == "averaged" else falling
    # Round, because the last digit of a cosine depends on the processor.
    share = np.where(step < rise, step / rise, after).astype(np.float32)
    return _TabulatedRate(settings.learning_rate * share.astype(float))


def _steps_per_epoch(settings: Settings, n_examples: int) -> int:
    return -(-n_examples // min(settings.batch_size, n_examples))
