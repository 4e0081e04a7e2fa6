"""Predict stride lengths with a .tflite file that describes itself. TensorFlow is not needed."""

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
    """A .tflite file, float32 or int8, ready to run.

    Attributes:
        interpreter: interpreter of the file
        estimator: "strapdown-residual" or "direct"
        features: kind of features, see `tinystride.learning.features`
        points: time steps of the input
        input_offset: [6]
        input_scale: [6]; the network's input is (features - input_offset) / input_scale
        used: whether predict_strides uses the network; otherwise it returns the integral
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
        """Load a network from a file or its content.

        Args:
            model: path or content

        Returns:
            the network

        Raises:
            ModelError: if it cannot be read or has no complete description
        """
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
        """Return the network's input [n, points, 6] in its own type.

        The input of an int8 network is rounded and clipped to its range.

        Args:
            values: features [n, points, 6]
        """
        (tensor,) = self.interpreter.get_input_details()
        return _quantized((values - self.input_offset) / self.input_scale, tensor)

    def output_cm(self, values: np.ndarray) -> np.ndarray:
        """Return the network's output [n], cm.

        Args:
            values: features [n, points, 6]
        """
        (source,), (target,) = self.interpreter.get_input_details(), self.interpreter.get_output_details()
        inputs = self.inputs(values)
        outputs = np.empty(len(values), target["dtype"])
        for i in range(len(values)):
            self.interpreter.set_tensor(source["index"], inputs[i : i + 1])
            self.interpreter.invoke()
            outputs[i] = self.interpreter.get_tensor(target["index"]).item()
        return _dequantized(outputs, target)

    def lengths_cm(
        self,
        signals: StrideSignals,
        strapdown_length_cm: np.ndarray,
        *,
        output_cm: Callable[[np.ndarray], np.ndarray] | None = None,
    ) -> np.ndarray:
        """Return stride lengths [n], cm; NaN for strides without features.

        Args:
            signals: signals of n strides
            strapdown_length_cm: [n]
            output_cm: used instead of the network's own output: the same network in another arithmetic
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
        """Return stride lengths [n], cm, as `lengths_cm`, from known features.

        Args:
            features: features of n strides
            strapdown_length_cm: [n]
            output_cm: used instead of the network's own output
        """
        complete = features.reason == ""
        outputs = np.full(len(complete), np.nan)
        outputs[complete] = (output_cm or self.output_cm)(features.values[complete])
        return length_cm(self.estimator, outputs, np.asarray(strapdown_length_cm, float))


def predict(model: bytes | Path | str, signals: StrideSignals, strapdown_length_cm: np.ndarray) -> np.ndarray:
    """Return stride lengths [n], cm; NaN for strides without features.

    Args:
        model: .tflite file, float32 or int8: its path or content
        signals: signals of n strides
        strapdown_length_cm: [n]; not used by the direct estimator

    Raises:
        ModelError: if the model cannot be read, does not run or has no description
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
    """Predict the usable strides of some subjects, in the table's order.

    Lengths are rounded to DECIMALS, because the arithmetic of other processors differs in later digits.

    Args:
        table: strides table
        signals: signals of its usable strides
        subjects: "dataset/subject"
        float32: function from features [n, points, 6] to the output [n], cm, of the network before
            quantization, such as `TrainedModel.predict`
        int8: .tflite file: its path or content

    Returns:
        columns stride_id, float32_cm and int8_cm

    Raises:
        ModelError: as in `predict`
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
