"""Stride lengths from a .tflite that describes itself. TensorFlow is not needed."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from ai_edge_litert.interpreter import Interpreter

from tinystride.errors import ModelError
from tinystride.gait.signals import StrideSignals
from tinystride.learning.features import Features, length_cm, stride_features
from tinystride.learning.model_file import open_model, read_metadata
from tinystride.learning.split import subject_names

DECIMALS = 4  # of lengths in cm


@dataclass(frozen=True, eq=False)
class Network:
    """A .tflite, float32 or int8, ready to run.

    estimator, features, points: as in Settings
    used: whether predict_strides gives the lengths of the network; otherwise those of the integral
    input_offset, input_scale: [6]; the network takes (features - offset) / scale
    """

    interpreter: Interpreter
    estimator: str
    features: str
    points: int
    input_offset: np.ndarray
    input_scale: np.ndarray
    used: bool = True

    @staticmethod
    def load(model: bytes | Path | str) -> "Network":
        """From a file or its content. Raises ModelError if it is unreadable or does not tell all this."""
        content, source = (model, "model") if isinstance(model, bytes) else (_read(Path(model)), str(model))
        description = read_metadata(content, source)
        try:
            return Network(
                open_model(content, source),
                estimator=description["estimator"],
                features=description["features"],
                points=description["points"],
                input_offset=np.array(description["input_offset"], float),
                input_scale=np.array(description["input_scale"], float),
                used=description["estimator"] == "direct" or bool(description.get("use_network", True)),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(f"{source}: its description lacks {error}; quantize it again") from error

    def inputs(self, values: np.ndarray) -> np.ndarray:
        """What the network is given, [n, points, 6] of its own type, of features of this shape.

        Of an int8 network it is rounded to its grid and clipped to its range.
        """
        (given,) = self.interpreter.get_input_details()
        return _quantized((values - self.input_offset) / self.input_scale, given)

    def output_cm(self, values: np.ndarray) -> np.ndarray:
        """What the network tells, [n] cm, of features [n, points, 6]."""
        (given,), (told,) = self.interpreter.get_input_details(), self.interpreter.get_output_details()
        inputs = self.inputs(values)
        outputs = np.empty(len(values), told["dtype"])
        for i in range(len(values)):
            self.interpreter.set_tensor(given["index"], inputs[i : i + 1])
            self.interpreter.invoke()
            outputs[i] = self.interpreter.get_tensor(told["index"]).item()
        return _dequantized(outputs, told)

    def lengths_cm(
        self,
        signals: StrideSignals,
        strapdown_length_cm: np.ndarray,
        *,
        output_cm: Callable[[np.ndarray], np.ndarray] | None = None,
    ) -> np.ndarray:
        """Stride lengths [n], cm; NaN where stride_features has none.

        output_cm: used instead of the network's own, for the same network in another arithmetic
        """
        return self.lengths_of_features_cm(
            stride_features(signals, self.features, self.points), strapdown_length_cm, output_cm
        )

    def lengths_of_features_cm(
        self,
        features: Features,
        strapdown_length_cm: np.ndarray,
        output_cm: Callable[[np.ndarray], np.ndarray] | None = None,
    ) -> np.ndarray:
        """As lengths_cm, of strides whose features are known."""
        known = features.reason == ""
        outputs = np.full(len(known), np.nan)
        outputs[known] = (output_cm or self.output_cm)(features.values[known])
        return length_cm(self.estimator, outputs, np.asarray(strapdown_length_cm, float))


def predict(model: bytes | Path | str, signals: StrideSignals, strapdown_length_cm: np.ndarray) -> np.ndarray:
    """Lengths [n], cm, of n strides; NaN where `stride_features` has none.

    model: a .tflite, float32 or int8, its content or its path
    strapdown_length_cm: [n]; the direct estimator does not look at it
    Raises ModelError if the model cannot be read, does not run or does not tell what it estimates.
    """
    return Network.load(model).lengths_cm(signals, strapdown_length_cm)


def predict_subjects(
    table: pd.DataFrame,
    signals: StrideSignals,
    subjects: list[str],
    *,
    float32: Callable[[np.ndarray], np.ndarray],
    int8: bytes | Path | str,
) -> pd.DataFrame:
    """stride_id, float32_cm and int8_cm of each usable stride of `subjects`, in the table's order.

    float32: output [n], cm, of the network before quantization for features [n, points, 6], such as
        `TrainedModel.predict`
    int8: the .tflite, its content or its path
    Lengths are rounded to DECIMALS: arithmetic on another processor differs far behind these.
    """
    network = Network.load(int8)
    rows = table[table["usable"].astype(bool) & subject_names(table).isin(subjects)]
    chosen = signals.select(rows["stride_id"])
    strapdown_cm = rows["strapdown_length_cm"].to_numpy(float)
    lengths_cm = {
        "float32_cm": network.lengths_cm(chosen, strapdown_cm, output_cm=float32),
        "int8_cm": network.lengths_cm(chosen, strapdown_cm),
    }
    return pd.DataFrame({"stride_id": rows["stride_id"].to_numpy(), **lengths_cm}).round(DECIMALS)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error.strerror}); name a .tflite file") from error


def _quantized(values: np.ndarray, tensor: dict) -> np.ndarray:
    if tensor["dtype"] == np.float32:
        return values.astype(np.float32)
    scale, zero_point = tensor["quantization"]
    limits = np.iinfo(tensor["dtype"])
    return np.clip(np.rint(values / scale) + zero_point, limits.min, limits.max).astype(tensor["dtype"])


def _dequantized(outputs: np.ndarray, tensor: dict) -> np.ndarray:
    if tensor["dtype"] == np.float32:
        return outputs.astype(float)
    scale, zero_point = tensor["quantization"]
    return (outputs.astype(float) - zero_point) * scale
