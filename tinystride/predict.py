"""Strides of anybody's recording: how long each is, and what speaks against believing it."""

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
    from tinystride.streaming.reference import ReferenceEstimator

RATE_RANGE_HZ = (40.0, 420.0)
RATE_SLACK = 0.05  # a sensor said to run at 50 Hz may run a little slower
COLUMNS = ["start_s", "end_s", "duration_s", "stride_length_cm", "strapdown_length_cm", "flags"]
SD = "length_sd_cm"
MORE_COLUMNS = [SD, "repaired_deg"]
# Of unflagged strides of ipol-healthy and llio-ruler, at most 0.5 % of the network's input is clipped.
LARGEST_CLIPPED_SHARE = 0.01
# Integration alone has an SD of 3.5 cm on llio-ruler: a network this far away from it has gone astray.
LARGEST_CORRECTION_CM = 10.0


def predict_strides(
    recording: Recording, network: Network, options: GaitOptions | None = None
) -> pd.DataFrame:
    """The strides found in a recording, in order of time: COLUMNS.

    start_s, end_s: mid-stances, seconds after the first sample; duration_s: between them
    stride_length_cm: by the network, NaN where it has no input, e.g. without an initial contact; by
        integration where the network's file says that it is not used by default
    strapdown_length_cm: by integration alone
    length_sd_cm: standard deviation of either, see gait.uncertainty; a column after COLUMNS
    repaired_deg: rotation that a clipped gyroscope lost and that was put back, 0: none; after it
    flags: what speaks against the length, words separated by spaces: those of gait.flags.stride_flags;
        "out-of-range" also where the network has no input, or cannot hold its input or output;
        "inconsistent" where network and integration differ by more than LARGEST_CORRECTION_CM

    Raises ParameterError for a rate outside of RATE_RANGE_HZ, DataError for a recording without any stride.
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
        "out-of-range": _beyond(
            network, features.values, label_cm(network.estimator, length_cm, strapdown_cm)
        ),
        "inconsistent": np.abs(length_cm - strapdown_cm) > LARGEST_CORRECTION_CM,
    }
    flags = [
        " ".join(dict.fromkeys([*given.split(), *(flag for flag in raised if raised[flag][i])]))
        for i, given in enumerate(table["flags"])
    ]
    table = table.assign(stride_length_cm=length_cm, flags=flags)
    return table[[*COLUMNS, *MORE_COLUMNS]].reset_index(drop=True)


def stream_strides(recording: Recording, estimator: "NativeEstimator | ReferenceEstimator") -> pd.DataFrame:
    """The strides that a device would tell of, sample after sample: COLUMNS.

    estimator: a streaming.native.NativeEstimator (the C library) or a streaming.reference.ReferenceEstimator
    Raises as predict_strides does.
    """
    _check_rate(recording)
    strides = estimator.strides(recording)
    if strides.empty:
        raise DataError(
            f"{recording.source or recording.name}: no stride found, the foot never swings between "
            "two moments of rest; record walking with a moment of standing before and after it"
        )
    return strides[[*COLUMNS, *(name for name in MORE_COLUMNS if name in strides)]]


def _check_rate(recording: Recording, slack: float = 0.0) -> None:
    low, high = RATE_RANGE_HZ
    if not (1 - slack) * low <= recording.rate_hz <= (1 + slack) * high:
        raise ParameterError(
            f"{recording.source or recording.name}: the sampling rate is {recording.rate_hz:g} Hz; "
            f"resample it to one from {low:g} to {high:g} Hz"
        )


def _beyond(network: Network, values: np.ndarray, output_cm: np.ndarray) -> np.ndarray:
    """Which strides [n] have no input, or an input or output that an int8 network cannot hold.

    values: [n, points, 6], their features
    """
    (given,), (told,) = network.interpreter.get_input_details(), network.interpreter.get_output_details()
    clipped = _at_limit((values - network.input_offset) / network.input_scale, given)
    overfull = clipped.mean(axis=(1, 2)) > LARGEST_CLIPPED_SHARE
    return np.isnan(output_cm) | overfull | _at_limit(output_cm, told)


def _at_limit(values: np.ndarray, tensor: dict) -> np.ndarray:
    """Where an int8 tensor has its lowest or highest number for these values; nowhere in a float32 one."""
    if tensor["dtype"] == np.float32:
        return np.zeros(values.shape, dtype=bool)
    scale, zero_point = tensor["quantization"]
    number = np.rint(values / scale) + zero_point
    limits = np.iinfo(tensor["dtype"])
    return (number <= limits.min) | (number >= limits.max)
