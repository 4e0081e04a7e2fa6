"""From the trained network to .tflite, and what int8 costs. Importing this module imports TensorFlow."""

import io
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from tinystride.errors import ParameterError
from tinystride.learning.features import Examples
from tinystride.learning.model_file import attach_metadata
from tinystride.learning.prediction import Network
from tinystride.learning.training import TrainedModel


@dataclass(frozen=True, eq=False)
class Quantized:
    """float32, int8: .tflite files of a fixed batch of one, which describe themselves
    calibration: stride_ids whose values set the ranges of the int8 network's tensors
    difference: {"train" | "validation": {"n_strides", "bias_cm", "sd_cm", "max_abs_cm"}} of int8 - float32
    """

    float32: bytes
    int8: bytes
    calibration: list[str]
    difference: dict[str, dict[str, float]]


def quantize(
    model: TrainedModel,
    training: Examples,
    validation: Examples,
    *,
    calibration_strides: int,
    description: dict | None = None,
) -> Quantized:
    """Convert the network, with int8 weights, activations, input and output in the int8 form.

    training, validation: as the model was trained on
    calibration_strides: how many of the training strides set the ranges, 1 to 100,000; all of them if fewer
    description: what the files tell beside what a prediction needs, e.g. {"source": "simulated"}
    Raises ParameterError for a number out of range.
    """
    if not 1 <= calibration_strides <= 100_000:
        raise ParameterError(f"quantize.calibration_strides: {calibration_strides} is not from 1 to 100000")
    rows = calibration_rows(training.label_cm, calibration_strides)
    described = {
        **(description or {}),
        "estimator": model.settings.estimator,
        "features": model.settings.features,
        "points": model.settings.points,
        "input_offset": model.input_offset.tolist(),
        "input_scale": model.input_scale.tolist(),
    }
    float32 = attach_metadata(_convert(model, None), described)
    int8 = attach_metadata(_convert(model, training.values[rows]), described)
    networks = Network.load(float32), Network.load(int8)
    return Quantized(
        float32,
        int8,
        calibration=training.stride_id[rows].tolist(),
        difference={
            "train": _difference(*networks, training.values),
            "validation": _difference(*networks, validation.values),
        },
    )


def calibration_rows(label_cm: np.ndarray, n: int) -> np.ndarray:
    """Rows of n strides at even steps through the sorted labels, shortest and longest included."""
    order = np.argsort(label_cm, kind="stable")
    return order[np.unique(np.rint(np.linspace(0, len(order) - 1, n)).astype(int))]


def _convert(model: TrainedModel, calibration_values: np.ndarray | None) -> bytes:
    converter = tf.lite.TFLiteConverter.from_keras_model(model.network)
    if calibration_values is not None:
        standardised = ((calibration_values - model.input_offset) / model.input_scale).astype(np.float32)
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: ([stride[None]] for stride in standardised)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = tf.int8
    with _silence():
        return converter.convert()


def _difference(float32: Network, int8: Network, values: np.ndarray) -> dict[str, float]:
    difference_cm = int8.output_cm(values) - float32.output_cm(values)
    return {
        "n_strides": len(values),
        "bias_cm": float(difference_cm.mean()),
        "sd_cm": float(difference_cm.std()),
        "max_abs_cm": float(np.abs(difference_cm).max()),
    }


@contextmanager
def _silence() -> Iterator[None]:
    """The converter tells what it does: Python on standard output and as warnings, C++ on standard error."""
    sys.stderr.flush()
    standard_error = os.dup(2)
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        with redirect_stdout(io.StringIO()), warnings.catch_warnings(action="ignore"):
            yield
    finally:
        os.dup2(standard_error, 2)
        os.close(standard_error)
