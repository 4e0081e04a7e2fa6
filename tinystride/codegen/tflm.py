"""Run TensorFlow Lite for Microcontrollers (TFLM), which the generated C matches bit by bit."""

import platform
import sys
from importlib.util import find_spec

import numpy as np

from tinystride.codegen.graph import Graph
from tinystride.errors import ModelError
from tinystride.optional import extra


def tflm_supports_this_platform() -> bool:
    """Return whether the package `tflite-micro` is published for this system and processor."""
    return sys.platform == "linux" and platform.machine() == "x86_64"


def tflm_is_installed() -> bool:
    """Return whether the package `tflite-micro` is installed, which `run_tflm` needs."""
    try:
        return find_spec("tflite_micro") is not None
    except (ImportError, ValueError):
        return False


def run_tflm(content: bytes, graph: Graph, inputs: np.ndarray) -> np.ndarray:
    """Run a model in the TFLM interpreter.

    Args:
        content: bytes of the .tflite file
        graph: graph of the same file
        inputs: [vectors, input size]

    Returns:
        outputs [vectors, output size]

    Raises:
        MissingExtraError: if the package `tflite-micro` is not installed
        ModelError: if TFLM rejects the model
    """
    with extra("benchmark"):
        from tflite_micro import runtime
    activations = sum(tensor.size for operator in graph.operators for tensor in operator.outputs)
    try:
        interpreter = runtime.Interpreter.from_bytes(
            content, arena_size=2 * len(content) + 16 * activations + 4096 * len(graph.operators) + (1 << 18)
        )
        outputs = np.empty((len(inputs), graph.output.size), graph.output.dtype)
        for row, values in enumerate(inputs):
            interpreter.set_input(values.reshape(graph.input.shape), 0)
            interpreter.invoke()
            outputs[row] = interpreter.get_output(0).ravel()
    except RuntimeError as error:
        raise ModelError(
            f"TFLM cannot run this model ({error}); convert it for int8 built-in operators"
        ) from error
    return outputs


def example_inputs(graph: Graph, vectors: int, seed: int) -> np.ndarray:
    """Return inputs [vectors, input size] for a network: extreme values first, then random ones.

    Random integers alternate between both ends of their range, a uniform distribution and a normal
    distribution around the zero point. Random floats are normally distributed with a scale between e^-3 and
    e^3.

    Args:
        graph: graph of the model
        vectors: number of inputs
        seed: the same seed gives the same inputs
    """
    shape = (vectors, graph.input.size)
    rng = np.random.default_rng(seed)
    if graph.input.dtype == "float32":
        return rng.normal(scale=np.exp(rng.uniform(-3, 3, (vectors, 1))), size=shape).astype(np.float32)
    limits = np.iinfo(graph.input.dtype)
    values = rng.integers(limits.min, limits.max, shape, endpoint=True)
    values[::3] = np.where(rng.random((len(values[::3]), shape[1])) < 0.5, limits.min, limits.max)
    zero_point = graph.input.zero_point if len(graph.input.zero_points) else 0
    near = rng.normal(zero_point, rng.uniform(1, 40, (len(values[2::3]), 1)), (len(values[2::3]), shape[1]))
    values[2::3] = np.clip(np.rint(near), limits.min, limits.max)
    alternating = np.where(np.arange(shape[1]) % 2, limits.min, limits.max)
    extremes = [np.full(shape[1], limits.min), np.full(shape[1], limits.max), alternating, -1 - alternating]
    if graph.input.dtype == "uint8":
        extremes[3] = 255 - alternating
    extremes.append(np.full(shape[1], zero_point))
    for row, extreme in zip(values, extremes, strict=False):
        row[:] = extreme
    return values.astype(graph.input.dtype)
