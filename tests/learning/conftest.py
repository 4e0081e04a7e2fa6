import pytest

from tests.learning.walking import walk
from tinystride.learning.estimators import choose
from tinystride.learning.features import make_examples

TRAINED_ON = ["line/1", "line/2", "line/3", "other/1"]
VALIDATED_ON = ["line/4", "other/2"]
TESTED_ON = ["line/5"]
SMALL = dict(filters=[8, 8], kernels=[5, 5], strides=[1, 1], batch_size=16)  # compiles in half the time


@pytest.fixture(scope="session")
def walked():
    """Return table and signals of people who walk along a line."""
    return walk(dict.fromkeys(TRAINED_ON + VALIDATED_ON + TESTED_ON, 60))


@pytest.fixture(scope="session")
def settings():
    return choose("direct", epochs=12, learning_rate=1e-2, lr_schedule="one-cycle", **SMALL)


@pytest.fixture(scope="session")
def examples(walked, settings):
    """(training, validation)"""
    return tuple(make_examples(*walked, subjects, settings) for subjects in (TRAINED_ON, VALIDATED_ON))


@pytest.fixture(scope="session")
def trained(examples, settings):
    from tinystride.learning.training import train

    return train(*examples, settings, seed=5)


@pytest.fixture(scope="session")
def quantized(trained, examples, walked):
    from tinystride.learning.quantization import quantize

    return quantize(
        trained.model, *examples, walked[1], calibration_strides=50, description={"source": "simulated"}
    )
