"""If `use_network` of a model file is false, all engines report the length of the integral."""

import numpy as np
import pytest

from tests.codegen.estimator_library import DESCRIPTION, streaming_network
from tinystride.datasets.simulator import simulate_walk
from tinystride.datasets.walker import SimulatedSubject
from tinystride.learning.model_file import attach_metadata
from tinystride.learning.prediction import Network
from tinystride.predict import predict_strides
from tinystride.streaming.native import NativeEstimator
from tinystride.streaming.twin import TwinEstimator


@pytest.fixture(scope="module")
def model_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("integral") / "stride_int8.tflite"
    path.write_bytes(attach_metadata(streaming_network(), {**DESCRIPTION, "use_network": False}))
    return path


def test_use_network_false_reports_the_length_of_the_integral(model_file):
    recording = simulate_walk(SimulatedSubject(), n_strides=15, seed=1)
    offline = predict_strides(recording, Network.load(model_file))
    tables = [offline, NativeEstimator(model_file).strides(recording)]
    tables.append(TwinEstimator(model_file).strides(recording))
    for table in tables:
        assert len(table) > 5
        np.testing.assert_array_equal(table["stride_length_cm"], table["strapdown_length_cm"])
    assert (offline["length_sd_cm"] > 0).all()


def test_use_network_missing_counts_as_true(tmp_path):
    assert Network.load(attach_metadata(streaming_network(), DESCRIPTION)).used
