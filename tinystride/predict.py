"""Strides of a recording: length of each, and flags that explain why a length may be unreliable."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from tinystride.datasets.recording import Recording
from tinystride.errors import DataError, ParameterError
from tinystride.gait.options import GaitOptions
from tinystride.gait.strides import extract_strides
from tinystride.learning.features import label_cm, stride_features
from tinystride.learning.prediction import Network

if TYPE_CHECKING:
    from tinystride.streaming.native import NativeEstimator
    from tinystride.streaming.twin import TwinEstimator

RATE_RANGE_HZ = (40.0, 420.0)
RATE_SLACK = 0.05  # a sensor with a nominal rate of 50 Hz may run slightly slower
COLUMNS = ["start_s", "end_s", "duration_s", "stride_length_cm", "strapdown_length_cm", "flags"]
SD = "length_sd_cm"
MORE_COLUMNS = [SD, "repaired_deg"]
# Of unflagged strides of ipol-healthy and llio-ruler, at most 0.5 % of the network's input is clipped.
MAX_CLIPPED_SHARE = 0.01
# Integration alone has an SD of 3.5 cm on llio-ruler: a larger correction by the network is wrong.
MAX_CORRECTION_CM = 10.0


def predict_strides(
    recording: Recording, network: Network, options: GaitOptions | None = None
) -> pd.DataFrame:
    """Estimate the strides of a recording from the recording as a whole.

    Args:
        recording: samples of one foot
        network: int8 or float32 network
        options: limits of the flags; None: the defaults

    Returns:
        One row per stride, in order of time, with COLUMNS and MORE_COLUMNS

        - start_s, end_s: mid-stances, seconds after the first sample; duration_s: time between them
        - stride_length_cm: by the network, or by integration if the network's file says that the network is
          not used by default; NaN if the network has no input, for example without an initial contact
        - strapdown_length_cm: by integration alone
        - flags: why the length may be unreliable, words separated by spaces: those of
          gait.flags.stride_flags; "out-of-range" also if the network has no input or cannot hold its input or
          output; "inconsistent" if network and integration differ by more than MAX_CORRECTION_CM
        - length_sd_cm: standard deviation of the length, see gait.uncertainty
        - repaired_deg: rotation that a clipped gyroscope lost and that was put back, 0 without clipping

    Raises:
        ParameterError: if the rate is outside RATE_RANGE_HZ
        DataError: if the recording has no stride
    """
    _check_rate(recording, RATE_SLACK)
    strides = extract_strides(recording, options)
    table = strides.table.set_index("stride_id").loc[list(strides.signals.stride_id)]
    strapdown_cm = table["strapdown_length_cm"].to_numpy()
    if not network.used:
        return table.assign(stride_length_cm=strapdown_cm)[[*COLUMNS, *MORE_COLUMNS]].reset_index(drop=True)
    features = stride_features(strides.signals, network.features, network.points)
    length_cm = network.lengths_of_features_cm(features, strapdown_cm)
    raised = {
        "out-of-range": _exceeds_int8(
            network, features.values, label_cm(network.estimator, length_cm, strapdown_cm)
        ),
        "inconsistent": np.abs(length_cm - strapdown_cm) > MAX_CORRECTION_CM,
    }
    flags = [
        " ".join(dict.fromkeys([*given.split(), *(flag for flag in raised if raised[flag][i])]))
        for i, given in enumerate(table["flags"])
    ]
    table = table.assign(stride_length_cm=length_cm, flags=flags)
    return table[[*COLUMNS, *MORE_COLUMNS]].reset_index(drop=True)


def stream_strides(recording: Recording, estimator: "NativeEstimator | TwinEstimator") -> pd.DataFrame:
    """Estimate the strides of a recording as the C library reports them, sample by sample.

    Args:
        recording: samples of one foot
        estimator: the C library (streaming.native.NativeEstimator) or its Python twin

    Returns:
        One row per stride, in order of time, columns as of `predict_strides`.

    Raises:
        ParameterError: if the rate is outside RATE_RANGE_HZ
        DataError: if the recording has no stride
    """
    _check_rate(recording)
    strides = estimator.strides(recording)
    if strides.empty:
        raise DataError(
            f"{recording.source or recording.name}: no stride found: the foot never swings between two "
            "moments of rest; record walking, and stand still for a moment before and after it"
        )
    return strides[[*COLUMNS, *(name for name in MORE_COLUMNS if name in strides)]]


def _check_rate(recording: Recording, slack: float = 0.0) -> None:
    low, high = RATE_RANGE_HZ
    if not (1 - slack) * low <= recording.rate_hz <= (1 + slack) * high:
        raise ParameterError(
            f"{recording.source or recording.name}: the sampling rate is {recording.rate_hz:g} Hz; "
            f"resample it to a rate from {low:g} to {high:g} Hz"
        )


def _exceeds_int8(network: Network, values: np.ndarray, output_cm: np.ndarray) -> np.ndarray:
    """Return which strides [n] have no input, or an input or output that an int8 network cannot hold.

    values: features, [n, points, 6]; output_cm: [n]
    """
    (given,), (result,) = network.interpreter.get_input_details(), network.interpreter.get_output_details()
    clipped = _at_limit((values - network.input_offset) / network.input_scale, given)
    overfull = clipped.mean(axis=(1, 2)) > MAX_CLIPPED_SHARE
    return np.isnan(output_cm) | overfull | _at_limit(output_cm, result)


def _at_limit(values: np.ndarray, tensor: dict) -> np.ndarray:
    """Return where an int8 tensor holds its lowest or highest number for these values; never for float32."""
    if tensor["dtype"] == np.float32:
        return np.zeros(values.shape, dtype=bool)
    scale, zero_point = tensor["quantization"]
    number = np.rint(values / scale) + zero_point
    limits = np.iinfo(tensor["dtype"])
    return (number <= limits.min) | (number >= limits.max)
