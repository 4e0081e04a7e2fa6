"""Run the Python twin of the C library, with the network of a model."""

from pathlib import Path

import numpy as np
import pandas as pd
from ai_edge_litert.interpreter import Interpreter, OpResolverType

from tinystride.codegen.c_library import attached_description, has_estimator, input_scaling, quantization_of
from tinystride.codegen.lowering import lower
from tinystride.codegen.reader import read_graph
from tinystride.datasets.recording import Recording
from tinystride.errors import ModelError
from tinystride.firmware import constants as c
from tinystride.streaming.block import segments
from tinystride.streaming.config import Design
from tinystride.streaming.estimator import Estimator
from tinystride.streaming.state import BACKWARD, FLAG, Stride
from tinystride.streaming.table import NOT_FOR_STREAMING, STRIDE, raw_samples, stride_table


class TwinEstimator:
    """The Python twin of a model's C library.

    Args:
        model: .tflite file of an int8 strapdown-residual network

    Raises:
        ModelError: if the model is another one
    """

    def __init__(self, model: Path | str):
        graph = read_graph(model)
        network = lower(graph)
        description = attached_description(graph)
        if not has_estimator(network, description):
            raise ModelError(f"{model}: {NOT_FOR_STREAMING}")
        self._factor, self._summand = input_scaling(network, description)
        self._scale, self._zero_point = quantization_of(network.output_quantization)
        self._use_network = bool(description.get("use_network", True))
        # Kernels whose results equal those of TFLM.
        self._interpreter = Interpreter(
            str(model), experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
        )
        self._interpreter.allocate_tensors()

    def strides(self, recording: Recording) -> pd.DataFrame:
        """Return the strides of a recording.

        Args:
            recording: one foot, 40 to 420 Hz

        Returns:
            one row per stride, see table.stride_table
        """
        design = Design.of(recording.rate_hz)
        estimator = Estimator(design, recording.foot)
        for segment in segments(*raw_samples(recording), design, recording.saturation):
            estimator.process_segment(segment)
        found = np.zeros(len(estimator.strides), STRIDE)
        lengths: list[tuple[float, float]] = []
        for row, stride in zip(found, estimator.strides, strict=True):
            self._fill(row, stride, lengths)
        return stride_table(found, recording.rate_hz)

    def _fill(self, row: np.void, stride: Stride, lengths: list[tuple[float, float]]) -> None:
        """Fill in a row: add the network's correction to a stride (apply_network of the C).

        lengths: (length in cm, weight) of each stride so far without flags, added to
        """
        inputs = self._quantized(stride.values)
        if stride.is_reversed:
            inputs = self._quantized((inputs - self._summand) / self._factor * np.tile(BACKWARD, 2))
        output = self._run(inputs.astype(np.int8)) if self._use_network else self._zero_point
        correction_cm = (output - self._zero_point) * float(self._scale)
        flags = stride.flags
        clipped = np.count_nonzero((inputs <= -128) | (inputs >= 127))
        if self._use_network and (clipped > c.MAX_CLIPPED_INPUTS or output in (-128, 127)):
            flags |= FLAG["out-of-range"]
        if abs(correction_cm) > c.MAX_CORRECTION_CM:
            flags |= FLAG["inconsistent"]
        row["length_cm"] = stride.strapdown_length_cm + correction_cm
        if not flags & ~FLAG["no-standing"]:
            lengths.append((float(row["length_cm"]), stride.length_sd_cm**-2))
        for name, last in (("mean5_cm", lengths[-5:]), ("mean10_cm", lengths[-10:])):
            row[name] = np.average([own[0] for own in last], weights=[own[1] for own in last]) if last else 0
        row["flags"] = flags
        for name in ("strapdown_length_cm", "length_sd_cm", "duration_s", "latency_s", "repaired_deg"):
            row[name] = getattr(stride, name)
        for event in ("start", "end", "contact"):
            place = getattr(stride, event)
            place = stride.start if np.isnan(place) else place
            row[f"{event}_sample"], row[f"{event}_fraction"] = int(place), place % 1

    def _quantized(self, values: np.ndarray) -> np.ndarray:
        """Return features [64, 6] as input of the network, -128 to 127."""
        return np.clip(np.rint(values * self._factor + self._summand), -128, 127)

    def _run(self, inputs: np.ndarray) -> int:
        """Return the output of the network, -128 to 127."""
        (source,), (result,) = self._interpreter.get_input_details(), self._interpreter.get_output_details()
        self._interpreter.set_tensor(source["index"], inputs[None])
        self._interpreter.invoke()
        return int(self._interpreter.get_tensor(result["index"]).item())
