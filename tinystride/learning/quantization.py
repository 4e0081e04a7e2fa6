"""From the trained network to .tflite, and what int8 costs. Importing this module imports TensorFlow."""

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

from tinystride.errors import ModelError, ParameterError
from tinystride.gait.signals import StrideSignals
from tinystride.learning.backend import keras, mlir_quantize, quiet_stderr, tf
from tinystride.learning.estimators import Settings, can_be_augmented
from tinystride.learning.features import Examples, stretched_features
from tinystride.learning.model_file import IDENTIFIER, attach_metadata
from tinystride.learning.prediction import Network
from tinystride.learning.training import TrainedModel

# Strides of these lengths have to fit into the ranges of the int8 network.
COVERED_CM = (40.0, 220.0)
BEYOND_SHARE = 0.1
# Ranges of one tensor in float32 and in float64 differ by less than this share of the range.
SAME_RANGE = 1e-4
MIN_WIDTH = 1e-6  # of a range: some layers of a network may give one value only
DECIMALS = 4


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
    use_network: bool = True,
    description: dict | None = None,
) -> Quantized:
    """Convert the network, with int8 weights, activations, input and output in the int8 form.

    training, validation: the recorded strides that the model was trained on; signals: theirs
    calibration_strides: how many of the training strides set the ranges, see `calibrate`
    use_network: whether predictions and the C library add a residual network's correction to the integral by
        default; if not, the length is the integral's, and the C leaves the network out
    description: what the files tell beside what a prediction needs, e.g. {"source": "simulated"}
    Raises ParameterError for a number out of range.
    """
    calibration = calibrate(training, signals, model.settings, calibration_strides)
    described = {
        **(description or {}),
        "estimator": model.settings.estimator,
        "use_network": bool(use_network),
        "features": model.settings.features,
        "points": model.settings.points,
        "input_offset": model.input_offset.tolist(),
        "input_scale": model.input_scale.tolist(),
    }
    float32 = attach_metadata(_convert(model, None), described)
    int8 = attach_metadata(_convert(model, calibration.values), described)
    network = Network.load(int8)
    return Quantized(
        float32,
        int8,
        calibration=calibration,
        difference={
            "train": _difference(model, network, training.values),
            "validation": _difference(model, network, validation.values),
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
        samples = model.standardised(calibration_values)
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: ([each[None]] for each in samples.astype(np.float32))
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        # The float32 network with the range of each tensor, as the converter makes it on the way to int8.
        converter._experimental_calibrate_only = True
    with _silence():
        content = converter.convert()
        if calibration_values is None:
            return content
        return mlir_quantize(
            _with_exact_ranges(content, model.exact, samples),
            fully_quantize=True,
            input_data_type=tf.int8,
            output_data_type=tf.int8,
        )


def _with_exact_ranges(calibrated: bytes, network: keras.Model, samples: np.ndarray) -> bytes:
    """The calibrated float32 .tflite with the ranges that its tensors have in float64 arithmetic.

    The converter computes them in float32, so that their last digits, and with them the scales of the int8
    network, depend on the processor. Which layer a tensor belongs to is told by its range.
    Raises ModelError for a tensor whose range is no layer's.
    """
    layers = keras.Model(network.inputs, [layer.output for layer in network.layers])
    # The converter's highest value begins at the smallest positive float: none of its ranges ends below zero.
    exact = [
        (values.min(), max(values.max(), 0.0)) for values in map(np.asarray, layers(tf.constant(samples)))
    ]
    ranges = np.array(exact, float)
    width = np.maximum(np.ptp(ranges, axis=1), MIN_WIDTH)
    file = schema.ModelT.InitFromPackedBuf(bytearray(calibrated))
    for tensor in file.subgraphs[0].tensors:
        found = tensor.quantization
        if found is None or found.min is None or not len(found.min):
            continue
        distance = np.abs(ranges - [found.min[0], found.max[0]]).max(axis=1) / width
        nearest = int(distance.argmin())
        if not distance[nearest] < SAME_RANGE:
            raise ModelError(f"tensor {tensor.name.decode()} of the converted network is no layer's output")
        low, high = ranges[nearest].astype(np.float32)
        found.min = [low]
        found.max = [high] if high > 0 else found.max
    builder = flatbuffers.Builder(len(calibrated))
    builder.Finish(file.Pack(builder), IDENTIFIER)
    return bytes(builder.Output())


def _difference(model: TrainedModel, int8: Network, values: np.ndarray) -> dict[str, float]:
    difference_cm = int8.output_cm(values) - model.predict(values)
    return {
        "n_strides": len(values),
        "bias_cm": round(float(difference_cm.mean()), DECIMALS),
        "sd_cm": round(float(difference_cm.std()), DECIMALS),
        "max_abs_cm": round(float(np.abs(difference_cm).max()), DECIMALS),
    }


@contextmanager
def _silence() -> Iterator[None]:
    """The converter tells what it does: Python on standard output and as warnings, C++ on standard error."""
    with quiet_stderr(), redirect_stdout(io.StringIO()), warnings.catch_warnings(action="ignore"):
        yield
