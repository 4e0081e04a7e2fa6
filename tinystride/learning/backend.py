"""Import TensorFlow and Keras without messages of their C++ on standard error. This takes seconds."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tinystride.optional import extra


@contextmanager
def quiet_stderr() -> Iterator[None]:
    """Discard this process's standard error within the block, including that of C++ code."""
    try:
        standard_error = os.dup(2)
    except OSError:  # closed by the parent process
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


@contextmanager
def _without(*names: str) -> Iterator[None]:
    """Make imports of packages fail within the block, except of those that are imported already."""
    hidden = [name for name in names if name not in sys.modules]
    for name in hidden:
        sys.modules[name] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]


# The discarded messages describe processor and graphics cards; errors are exceptions.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# Keras imports these two, if they are installed, for functions that are not used here: a sixth of the time.
with extra("train"), quiet_stderr(), _without("matplotlib", "sklearn"):
    import keras
    import tensorflow as tf
    from tensorflow.lite.python.convert import mlir_quantize

    # A graphics card does not accelerate networks of a few kilobytes and would sum in another order.
    tf.config.set_visible_devices([], "GPU")
    tf.config.list_logical_devices()

__all__ = ["keras", "mlir_quantize", "quiet_stderr", "tf"]
