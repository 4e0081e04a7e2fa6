"""Convert the trained network to .tflite and measure the effect of int8.

Importing this module imports TensorFlow.
"""

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
from tinystride.learning.architectures import build
from tinystride.learning.backend import keras, mlir_quantize, quiet_stderr, tf
from tinystride.learning.estimators import Settings, can_be_augmented
from tinystride.learning.features import Examples, stretched_features
from tinystride.learning.model_file import IDENTIFIER, attach_metadata
from tinystride.learning.prediction import Network
from tinystride.learning.training import TrainedModel

# The ranges of the int8 network must cover strides of these lengths.
COVERED_CM = (40.0, 220.0)
EXTENSION_SHARE = 0.1
# Ranges of one tensor in float32 and float64 differ by less than this share of the range.
SAME_RANGE = 1e-4
MIN_WIDTH = 1e-6  # of a range: some layers may have a constant output
DECIMALS = 4


@dataclass(frozen=True, eq=False)
class Calibration:
    """Strides whose values set the ranges of the int8 network's tensors.

    Attributes:
        stride_id: [n] str; a stretched stride has "*" and the factor appended
        values: [n, points, 6], features
        length_cm: [n]
    """

    stride_id: list[str]
    values: np.ndarray
    length_cm: np.ndarray


@dataclass(frozen=True, eq=False)
class Quantized:
    """.tflite files of one network, with a fixed batch of one.

    Attributes:
        float32: content of the float32 file, with description
        int8: content of the int8 file, with description
        calibration: strides that set the ranges of the int8 network's tensors
        difference: {"train" | "validation": {"n_strides", "bias_cm", "sd_cm", "max_abs_cm"}} of int8 -
            float32
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
    """Convert a network; weights, activations, input and output of the int8 form are int8.

    The int8 form of a direct network has the same mean length over the calibration strides as the float32
    form (bias correction: Nagel et al., ICCV 2019, here of the output only).

    Args:
        model: trained network
        training: the recorded strides on which the model was trained
        validation: the recorded strides on which it was validated
        signals: signals of training and validation strides
        calibration_strides: number of training strides that set the ranges, see `calibrate`
        use_network: default of predictions and C library: whether a residual network's correction is added
            to the integral; if not, the length is the integral's, and the C omits the network
        description: further entries of the files' description, such as {"source": "simulated"}

    Returns:
        the files and their difference

    Raises:
        ParameterError: if calibration_strides is out of range
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
    if model.settings.estimator == "direct":
        # Rounded weights shift all lengths of a direct network by up to 1 cm.
        shift_cm = _difference(model, network, calibration.values)["bias_cm"]
        int8 = attach_metadata(_convert(_shifted(model, -shift_cm), calibration.values), described)
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
    """Return n training strides at even steps through the sorted lengths, with the shortest and longest.

    With fewer training strides all are returned. If they do not reach both ends of COVERED_CM, the shortest
    (longest) of them are stretched to lengths at even steps up to that end, EXTENSION_SHARE of n at each
    end; strides that cannot be augmented are not stretched.

    Args:
        training: the recorded strides on which the model was trained
        signals: signals of these strides
        settings: settings of the network
        n: 1 to 100,000

    Raises:
        ParameterError: if n is out of range
    """
    if not 1 <= n <= 100_000:
        raise ParameterError(f"quantize.calibration_strides: {n} is not from 1 to 100000")
    order = np.argsort(training.length_cm, kind="stable")
    rows = order[np.unique(np.rint(np.linspace(0, len(order) - 1, n)).astype(int))]
    recorded = Calibration(training.stride_id[rows].tolist(), training.values[rows], training.length_cm[rows])
    stretched, length_cm = _extension(training.length_cm, order, max(1, round(EXTENSION_SHARE * n)))
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


def _extension(length_cm: np.ndarray, order: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows to stretch and their new lengths, up to n strides at each end that is not reached."""
    rows, wanted_cm = [np.zeros(0, int)], [np.zeros(0)]
    for own, end_cm, sign in ((order[:n], COVERED_CM[0], 1), (order[::-1][:n], COVERED_CM[1], -1)):
        if sign * (length_cm[own[0]] - end_cm) > 0:
            rows.append(own)
            wanted_cm.append(np.linspace(end_cm, length_cm[own[0]], len(own), endpoint=False))
    return np.concatenate(rows), np.concatenate(wanted_cm)


def _shifted(model: TrainedModel, shift_cm: float) -> TrainedModel:
    """Return the model with shift_cm added to its output."""
    network = build(model.settings, batch_size=1)
    *weights, bias = model.network.get_weights()
    network.set_weights([*weights, bias + np.float32(shift_cm)])
    return TrainedModel(model.settings, model.input_offset, model.input_scale, network)


def _convert(model: TrainedModel, calibration_values: np.ndarray | None) -> bytes:
    converter = tf.lite.TFLiteConverter.from_keras_model(model.network)
    if calibration_values is not None:
        samples = model.standardised(calibration_values)
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: ([each[None]] for each in samples.astype(np.float32))
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        # Stop at the float32 network with the range of each tensor, an intermediate result of the conversion.
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
    """Return the calibrated float32 .tflite with ranges from float64 arithmetic.

    The converter computes ranges in float32, so that their last digits, and the scales of the int8 network,
    depend on the processor. The layer of a tensor is found by its range.

    Raises:
        ModelError: for a tensor without a layer
    """
    layers = keras.Model(network.inputs, [layer.output for layer in network.layers])
    # The converter's maximum starts at the smallest positive float, so that no range ends below zero.
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
        closest = int(distance.argmin())
        if not distance[closest] < SAME_RANGE:
            raise ModelError(
                f"tensor {tensor.name.decode()} of the converted network is not the output of a layer"
            )
        low, high = ranges[closest].astype(np.float32)
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
    """Discard the converter's messages: Python's on standard output and as warnings, C++'s on stderr."""
    with quiet_stderr(), redirect_stdout(io.StringIO()), warnings.catch_warnings(action="ignore"):
        yield
