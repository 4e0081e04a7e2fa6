"""Build the networks in Keras. Importing this module imports TensorFlow, which takes seconds."""

from functools import partial
from typing import Any

from tinystride.learning.backend import keras
from tinystride.learning.estimators import CHANNELS, Settings


class PairMaximum(keras.layers.Layer):
    """Max-pooling over 2 steps, same padding, of values that are not negative.

    It replaces MaxPooling1D in training, because XLA compiles no deterministic gradient of that.
    """

    def call(self, values: Any) -> Any:
        """Return the maximum of every two steps.

        Args:
            values: [batch, steps, channels], not negative
        """
        if values.shape[1] % 2:
            values = keras.ops.pad(values, [[0, 0], [0, 1], [0, 0]])
        return keras.ops.maximum(values[:, 0::2], values[:, 1::2])


def build(
    settings: Settings,
    *,
    batch_size: int | None = None,
    for_training: bool = False,
    dtype: str = "float32",
) -> keras.Model:
    """Build a network, [batch, points, 6] standardised features to [batch, 1].

    Networks built from the same settings have weights of the same shapes.

    Args:
        settings: architecture
        batch_size: fixed batch size, None for any; a .tflite with a fixed one has no shape arithmetic in its
            graph
        for_training: build an equivalent form that XLA compiles
        dtype: type of weights and arithmetic, "float32" or "float64"

    Returns:
        the untrained network
    """
    # Layers have names because default names count all layers of the process and are stored in the .tflite.
    inputs = keras.Input((settings.points, CHANNELS), batch_size=batch_size, dtype=dtype, name="stride")
    values = inputs
    convolutions = zip(settings.filters, settings.kernels, settings.strides, strict=True)
    for i, (filters, kernel, stride) in enumerate(convolutions, start=1):
        values = keras.layers.Conv1D(
            filters, kernel, stride, padding="same", activation="relu", dtype=dtype, name=f"convolution_{i}"
        )(values)
        pooling = PairMaximum if for_training else partial(keras.layers.MaxPooling1D, 2, padding="same")
        values = pooling(dtype=dtype, name=f"pooling_{i}")(values)
    values = keras.layers.Flatten(dtype=dtype, name="flatten")(values)
    for i, units in enumerate(settings.dense, start=1):
        values = keras.layers.Dense(units, activation="relu", dtype=dtype, name=f"dense_{i}")(values)
    output = keras.layers.Dense(1, dtype=dtype, name="length_cm")(values)
    return keras.Model(inputs, output, name="tinystride")
