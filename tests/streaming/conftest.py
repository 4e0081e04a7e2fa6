import pytest

from tests.codegen.estimator_library import export_estimator
from tests.streaming.c_estimator import Library
from tinystride.streaming.native import NativeEstimator
from tinystride.streaming.twin import TwinEstimator


@pytest.fixture(scope="session")
def c_library(tmp_path_factory):
    """The exported C; beside it, stride_int8.tflite."""
    return export_estimator(tmp_path_factory.mktemp("streaming"))


@pytest.fixture(scope="session")
def model_file(c_library):
    return c_library.parent / "stride_int8.tflite"


@pytest.fixture(scope="session")
def native(model_file):
    return NativeEstimator(model_file)


@pytest.fixture(scope="session")
def twin(model_file):
    return TwinEstimator(model_file)


@pytest.fixture(scope="session")
def library(c_library, tmp_path_factory):
    return Library(c_library, tmp_path_factory.mktemp("shared"))
