"""Run the C library, compiled for the host."""

import ctypes
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from tinystride.codegen import export_model
from tinystride.codegen.c_library import is_streaming_model
from tinystride.codegen.host import compile_on_host
from tinystride.datasets.recording import FEET, Recording
from tinystride.errors import ModelError
from tinystride.streaming.table import NOT_FOR_STREAMING, STRIDE, raw_samples, stride_table

FLAGS = ("-std=c99", "-O2", "-ffp-contract=off", "-fPIC", "-shared")


class NativeEstimator:
    """The C library of a model, compiled in a temporary folder that exists as long as this object.

    Args:
        model: .tflite file of an int8 strapdown-residual network

    Raises:
        ModelError: if the model is another one
        ToolError: if there is no C compiler, or the C does not compile
    """

    def __init__(self, model: Path | str):
        if not is_streaming_model(model):
            raise ModelError(f"{model}: {NOT_FOR_STREAMING}")
        self._folder = tempfile.TemporaryDirectory()
        library = Path(self._folder.name) / "c"
        export_model(model, library, vectors=0)
        sources = [*sorted((library / "src").glob("*.c")), Path(__file__).with_name("replay.c")]
        compile_on_host(sources, library / "replay.so", include=[library / "include"], flags=FLAGS)
        self._replay = ctypes.CDLL(str(library / "replay.so")).replay
        self._replay.restype = ctypes.c_ssize_t

    def strides(self, recording: Recording) -> pd.DataFrame:
        """Return the strides of a recording.

        Args:
            recording: one foot, 40 to 420 Hz; at another rate there is no stride

        Returns:
            one row per stride, see table.stride_table
        """
        samples, lost = raw_samples(recording)
        samples = np.ascontiguousarray(samples, np.float32)
        lost = np.ascontiguousarray(lost, np.uint32)
        found = np.zeros(int(recording.duration_s / 0.2) + 2, STRIDE)
        count = self._replay(
            ctypes.c_float(recording.rate_hz),
            FEET.index(recording.foot),
            *(ctypes.c_float(np.nan_to_num(limit)) for limit in recording.saturation),
            ctypes.c_size_t(len(samples)),
            ctypes.c_void_p(samples.ctypes.data),
            ctypes.c_void_p(lost.ctypes.data),
            ctypes.c_size_t(len(found)),
            ctypes.c_void_p(found.ctypes.data),
        )
        return stride_table(found[: max(count, 0)], recording.rate_hz)
