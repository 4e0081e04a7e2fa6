"""The estimator on emulated cores reports the strides of the host; its costs are counted."""

import numpy as np
import pytest

from tests.codegen.estimator_library import export_estimator
from tinystride.datasets.simulator import simulate_walk
from tinystride.datasets.virtual_sensor import VirtualSensor
from tinystride.datasets.walker import SimulatedSubject
from tinystride.errors import ParameterError, ToolError
from tinystride.mcu import Stream, benchmark_estimator, benchmark_model
from tinystride.mcu.estimator_benchmark import FLAGS, mismatches, stream_on_host


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    return export_estimator(tmp_path_factory.mktemp("estimator"))


@pytest.fixture(scope="module")
def streams():
    """Return two walks at different rates, one of them with lost samples."""
    made = []
    for foot, rate_hz in (("right", 100.0), ("left", 200.0)):
        rng = np.random.default_rng(3)
        walk = simulate_walk(
            SimulatedSubject.draw(rng),
            foot=foot,
            n_strides=8,
            rate_hz=rate_hz,
            sensor=VirtualSensor.draw(rng),
        )
        samples = np.hstack([walk.acc_mps2, walk.gyr_radps])
        made.append(Stream(rate_hz, foot, samples, (156.9, 34.9)))
    made[0].samples[500:502] = np.nan
    return made


@pytest.fixture(scope="module")
def measured(library, streams):
    return benchmark_estimator(library, streams)


def test_benchmark_estimator_strides_equal_those_of_the_host(measured, library, streams):
    on_host = stream_on_host(library, streams)
    assert measured["mismatches"] == 0
    assert measured["strides"] == len(on_host.strides) >= 14
    assert measured["samples"] == sum(len(stream.samples) for stream in streams)
    assert measured["recordings"] == 2 and set(on_host.strides["recording"]) == {0, 1}
    assert (on_host.status < 0).sum() == 2


def test_benchmark_estimator_costs_are_within_bounds(measured):
    assert 5_000 < measured["flash_bytes"] <= 20_000
    assert 3_000 < measured["static_bytes"] < measured["ram_bytes"] <= 8_192
    assert measured["ram_bytes"] == measured["static_bytes"] + measured["stack_bytes"]
    assert 0 < measured["share_of_64_mhz_percent"] <= 0.4
    assert 0.1 < measured["latency_s"] <= measured["latency_worst_s"] < 2


def test_benchmark_estimator_without_network_needs_neither_its_code_nor_its_input(library, streams, measured):
    alone = benchmark_estimator(library, streams, flags=(*FLAGS, "-DTINYSTRIDE_USE_NETWORK=0"))
    assert alone["mismatches"] == 0 and alone["strides"] == measured["strides"]
    # 14.4 kB and 5.0 kB with GCC 12; other compilers differ by some percent.
    assert alone["flash_bytes"] <= min(15_500, measured["flash_bytes"] - 300)
    assert alone["ram_bytes"] <= min(5_500, measured["ram_bytes"] - 384)
    assert alone["instructions_at_stride_end"] < measured["instructions_at_stride_end"]


def test_benchmark_estimator_instructions_add_up(measured):
    per_sample, at_end = measured["instructions_per_sample"], measured["instructions_at_stride_end"]
    assert 50 < per_sample < measured["instructions_per_sample_worst"] < at_end
    assert at_end <= measured["instructions_at_stride_end_worst"]
    assert measured["instructions_per_stride"] == pytest.approx(100 * per_sample + at_end, rel=1e-3)
    share = measured["instructions_per_stride"] / 64e6
    assert measured["share_of_64_mhz_percent"] == pytest.approx(100 * share, abs=1e-3)


@pytest.mark.parametrize("core", ["cortex-m0", "cortex-m7", "rv32imc"])
def test_benchmark_estimator_other_cores_give_the_same_strides(library, streams, core):
    few = [Stream(streams[0].rate_hz, streams[0].foot, streams[0].samples[:900])]
    measured = benchmark_estimator(library, few, core)
    assert measured["mismatches"] == 0 and measured["strides"] >= 4


def test_mismatches_changed_strides_are_counted(library, streams):
    strides = stream_on_host(library, streams).strides
    assert mismatches(strides, strides) == 0
    assert mismatches(strides[:-2], strides) == mismatches(strides, strides[:-2]) == 2
    other = strides.copy()
    other["length_cm"][3] += 0.06
    other["length_cm"][4] += 0.04
    other["end_sample"][5] += 1
    assert mismatches(other, strides) == 3


def test_benchmark_model_library_builds_its_own_sources(library):
    tflite = library.parent / "stride_int8.tflite"
    assert benchmark_model(tflite, vectors=9, library=library) == benchmark_model(tflite, vectors=9)
    source = library / "src/tinystride_model.c"
    text = source.read_text()
    source.write_text(
        text.replace("return TINYSTRIDE_MODEL_OK;", "output[0] ^= 1; return TINYSTRIDE_MODEL_OK;")
    )
    assert benchmark_model(tflite, vectors=9, library=library)["mismatches"] == 9
    source.write_text(text)


def test_benchmark_estimator_bad_input_is_rejected(library, streams):
    with pytest.raises(ParameterError, match="no recordings"):
        benchmark_estimator(library, [])
    with pytest.raises(ParameterError, match="no core 'z80'"):
        benchmark_estimator(library, streams, "z80")
    with pytest.raises(ToolError, match="status 1"):
        benchmark_estimator(library, [Stream(20.0, "left", streams[0].samples)])
