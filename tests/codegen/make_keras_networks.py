"""Convert Keras networks with random weights to int8 .tflite files in the folder given."""

import os
import sys
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import keras
import numpy as np
import tensorflow as tf
from keras import layers


def convert(inputs, outputs, edge=tf.int8, **attributes) -> bytes:
    """Quantize to int8 with random data as calibration; `edge` is the type of input and output."""
    converter = tf.lite.TFLiteConverter.from_keras_model(keras.Model(inputs, outputs))
    rng = np.random.default_rng(0)
    shape = (1, *inputs.shape[1:])
    samples = [rng.normal(size=shape).astype(np.float32) for _ in range(50)]
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([sample] for sample in samples)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = edge
    for name, value in attributes.items():
        setattr(converter, name, value)
    return converter.convert()


def paper():
    x = start = keras.Input((108, 6), batch_size=1)
    for filters, kernel in ((32, 5), (16, 5), (32, 15)):
        x = layers.Conv1D(filters, kernel, padding="same", activation="relu")(x)
        x = layers.MaxPool1D(2, padding="same")(x)
    x = layers.Dense(128, activation="relu")(layers.Flatten()(x))
    return convert(start, layers.Dense(1)(x))


def tiny():
    x = start = keras.Input((64, 6), batch_size=1)
    for _ in range(3):
        x = layers.Conv1D(16, 5, padding="same", activation="relu")(x)
        x = layers.MaxPool1D(2, padding="same")(x)
    return convert(start, layers.Dense(1)(layers.Flatten()(x)))


def residual():
    x = start = keras.Input((64, 6), batch_size=1)
    for stride in (2, 1):
        x = layers.Conv1D(8, 5, stride, padding="same", activation="relu")(x)
        x = layers.MaxPool1D(2, padding="same")(x)
    x = layers.Dense(6, activation="relu")(layers.Flatten()(x))
    return convert(start, layers.Dense(1)(x))


def separable():
    x = start = keras.Input((16, 16, 2), batch_size=1)
    x = layers.ReLU(6.0)(layers.BatchNormalization()(layers.Conv2D(8, 3, strides=2, padding="same")(x)))
    y = layers.Conv2D(8, 1)(layers.DepthwiseConv2D(3, padding="same", activation="relu6")(x))
    x = layers.Add()([x, y])
    x = layers.AveragePooling2D(2)(x)
    return convert(start, layers.Dense(3)(layers.GlobalAveragePooling2D()(x)))


def float_edges():
    start = keras.Input((12, 3), batch_size=1)
    x = layers.Conv1D(4, 3, activation="relu")(start)
    return convert(start, layers.Dense(2)(layers.Flatten()(x)), tf.float32)


def uint8_edges():
    start = keras.Input((12, 3), batch_size=1)
    x = layers.Conv1D(4, 3, activation="relu")(start)
    return convert(start, layers.Dense(2)(layers.Flatten()(x)), tf.uint8)


def dense_per_tensor():
    start = keras.Input((20,), batch_size=1)
    x = layers.Dense(3)(layers.Dense(16, activation="relu")(start))
    return convert(start, x, _experimental_disable_per_channel_quantization_for_dense_layers=True)


if __name__ == "__main__":
    keras.utils.set_random_seed(0)
    for make in (paper, tiny, residual, separable, float_edges, uint8_edges, dense_per_tensor):
        (Path(sys.argv[1]) / f"{make.__name__}.tflite").write_bytes(make())
