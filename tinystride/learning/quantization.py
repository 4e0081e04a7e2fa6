"""From the trained network to .tflite, and what int8 costs. Importing this module imports TensorFlow."""

import io
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass

import numpy as np

from tinystride.errors import ParameterError
from tinystride.gait.signals import StrideSignals
from tinystride.learning.estimators import Settings, can_be_augmented
from tinystride.learning.features import Examples, stretched_features
from tinystride.learning.model_file import attach_metadata
from tinystride.learning.prediction import Network
from tinystride.learning.training import TrainedModel
from tinystride.optional import extra

with extra("train"):
    import tensorflow as tf

# Strides of these lengths have to fit into the ranges of the int8 network.
COVERED_CM = (40.0, 220.0)
BEYOND_SHARE = 0.1


@dataclass(frozen=True, eq=False)
class Calibration:
    """Strides whose values set the ranges of the int8 network's tensors.

    stride_id: [n] str; of a stretched stride with "*" and the factor
    values: [n, points, 6]; length_cm: [n]
    """

    stride_id: list[str]
    values: np.ndarray
    length_cm: np.ndarray


@dataclass(frozen=True, eq=False)
class Quantized:
    """float32, int8: .tflite files of a fixed batch of one, which describe themselves
    calibration: what set the ranges of the int8 network's tensors
    difference: {"train" | "validation": {"n_strides", "bias_cm", "sd_cm", "max_abs_cm"}} of int8 - float32
    """

    float32: bytes
    int8: bytes
    calibration: Calibration
    difference: dict[str, dict[str, float]]


def quantize(
    model: TrainedModel,
    training: Examples,
    validation: Examples,
    signals: StrideSignals,
    *,
    calibration_strides: int,
    description: dict | None = None,
) -> Quantized:
    """Convert the network, with int8 weights, activations, input and output in the int8 form.

    training, validation: the recorded strides that the model was trained on; signals: theirs
    calibration_strides: how many of the training strides set the ranges, see `calibrate`
    description: what the files tell beside what a prediction needs, e.g. {"source": "simulated"}
    Raises ParameterError for a number out of range.
    """
    calibration = calibrate(training, signals, model.settings, calibration_strides)
    described = {
        **(description or {}),
        "estimator": model.settings.estimator,
        "features": model.settings.features,
        "points": model.settings.points,
        "input_offset": model.input_offset.tolist(),
        "input_scale": model.input_scale.tolist(),
    }
    float32 = attach_metadata(_convert(model, None), described)
    int8 = attach_metadata(_convert(model, calibration.values), described)
    networks = Network.load(float32), Network.load(int8)
    return Quantized(
        float32,
        int8,
        calibration=calibration,
        difference={
            "train": _difference(*networks, training.values),
            "validation": _difference(*networks, validation.values),
        },
    )


def calibrate(training: Examples, signals: StrideSignals, settings: Settings, n: int) -> Calibration:
    """n training strides at even steps through the sorted lengths, shortest and longest included.

    All if there are fewer. Where these do not reach to both ends of COVERED_CM, the shortest (longest) of
    them are stretched to lengths at even steps to there, BEYOND_SHARE of n at each end; strides that cannot
    be augmented are not.
    Raises ParameterError for n outside of 1 to 100,000.
    """
    if not 1 <= n <= 100_000:
        raise ParameterError(f"quantize.calibration_strides: {n} is not from 1 to 100000")
    order = np.argsort(training.length_cm, kind="stable")
    rows = order[np.unique(np.rint(np.linspace(0, len(order) - 1, n)).astype(int))]
    recorded = Calibration(training.stride_id[rows].tolist(), training.values[rows], training.length_cm[rows])
    stretched, length_cm = _beyond(training.length_cm, order, max(1, round(BEYOND_SHARE * n)))
    if not len(stretched) or not can_be_augmented(settings):
        return recorded
    factors = (length_cm / training.length_cm[stretched]).tolist()
    names = [
        f"{name}*{factor:.3f}" for name, factor in zip(training.stride_id[stretched], factors, strict=True)
    ]
    values = stretched_features(training, signals, settings, stretched, length_cm)
    return Calibration(
        recorded.stride_id + names,
        np.concatenate([recorded.values, values]),
        np.concatenate([recorded.length_cm, length_cm]),
    )


def _beyond(length_cm: np.ndarray, order: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows, and to which length to stretch each, of up to n strides at each end that is not reached."""
    rows, wanted_cm = [np.zeros(0, int)], [np.zeros(0)]
    for own, end_cm, sign in ((order[:n], COVERED_CM[0], 1), (order[::-1][:n], COVERED_CM[1], -1)):
        if sign * (length_cm[own[0]] - end_cm) > 0:
            rows.append(own)
            wanted_cm.append(np.linspace(end_cm, length_cm[own[0]], len(own), endpoint=False))
    return np.concatenate(rows), np.concatenate(wanted_cm)


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
