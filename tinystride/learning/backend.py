"""TensorFlow and Keras, without what their C++ says on standard error. Importing this takes seconds."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tinystride.optional import extra


@contextmanager
def quiet_stderr() -> Iterator[None]:
    """Lead this process's standard error, C++ included, nowhere within the block."""
    try:
        standard_error = os.dup(2)
    except OSError:  # closed by whoever started this process
        yield
        return
    _flush()
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        _flush()
        os.dup2(standard_error, 2)
        os.close(standard_error)


def _flush() -> None:
    if sys.stderr is not None:
        sys.stderr.flush()


# What it says there of the processor and of graphics cards is no news and no error: errors are exceptions.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
with extra("train"), quiet_stderr():
    import keras
    import tensorflow as tf
    from tensorflow.lite.python.convert import mlir_quantize

    # Networks of a few kilobytes gain nothing from a graphics card, which would add up in another order.
    tf.config.set_visible_devices([], "GPU")
    tf.config.list_logical_devices()

__all__ = ["keras", "mlir_quantize", "quiet_stderr", "tf"]
