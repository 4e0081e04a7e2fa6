"""The generated C is bit-exact with TFLM for every compiler."""

import numpy as np
import pytest

from tests.codegen.c_program import STRICT, compile_program, expected_outputs, export, run_program
from tests.codegen.networks import BUILT, KERAS, network
from tests.codegen.tflite_builder import Builder
from tinystride.codegen.reader import parse_graph
from tinystride.codegen.tflm import example_inputs, run_tflm

VARIED = ["paper", "odd_pooled", "residual_sum", "depthwise_image", "saturated", "strided", "uint8_edges"]


@pytest.mark.parametrize("name", [*BUILT, *KERAS])
def test_run_each_network_equals_tflm(name, tmp_path):
    vectors = 300 if name == "paper" else 2000
    graph, inputs, expected = expected_outputs(network(name), vectors)
    assert len(np.unique(expected, axis=0)) > 10
    program = compile_program(export(network(name), tmp_path), "gcc", "-std=c99", "-O2", *STRICT)
    np.testing.assert_array_equal(run_program(program, graph, inputs), expected)


@pytest.mark.parametrize("name", [*BUILT, *KERAS])
def test_run_with_sanitizers_has_no_error(name, tmp_path):
    graph, inputs, expected = expected_outputs(network(name), 40, seed=2)
    flags = ["-g", "-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
    program = compile_program(export(network(name), tmp_path), "clang", "-std=c99", *STRICT, *flags)
    np.testing.assert_array_equal(run_program(program, graph, inputs), expected)


@pytest.mark.parametrize("name", VARIED)
def test_run_each_compiler_equals_tflm(name, tmp_path):
    graph, inputs, expected = expected_outputs(network(name), 100, seed=3)
    folder = export(network(name), tmp_path)
    c99, cxx = ["-std=c99", *STRICT], ["-x", "c++", "-std=c++17", *STRICT]
    for compiler, *flags in (
        ("gcc", "-O0", *c99),
        ("gcc", "-O1", *c99),
        ("gcc", "-O3", *c99),
        ("gcc", "-Os", *c99),
        ("gcc", "-O2", "-m32", *c99),
        ("gcc", "-O2", "-DTINYSTRIDE_PLAIN_C", *c99),
        ("clang", "-O2", *c99),
        ("g++", "-O2", *cxx),
        ("clang++", "-O3", *cxx),
    ):
        program = compile_program(folder, compiler, *flags)
        results = run_program(program, graph, inputs)
        np.testing.assert_array_equal(results, expected, err_msg=f"{compiler} {flags}")


def test_example_inputs_begin_with_extremes():
    graph = parse_graph(network("strided"), "strided")
    inputs = example_inputs(graph, 50, seed=0)
    assert (inputs[0] == -128).all() and (inputs[1] == 127).all() and (inputs[4] == -12).all()
    assert np.array_equal(inputs, example_inputs(graph, 50, seed=0))
    assert not np.array_equal(inputs, example_inputs(graph, 50, seed=1))


def _quantizing() -> bytes:
    """Return a network with QUANTIZE only, whose scale is a power of two."""
    b = Builder()
    x = b.tensor((1, 12), "float32", name="input")
    b.graph.inputs = [x]
    return b.bytes(b.operator("QUANTIZE", [x], [b.tensor((1, 12), scale=0.125, zero_point=-5)]))


def test_quantize_float_inputs_are_rounded_as_in_tflm_or_clamped(tmp_path):
    """Check half steps, the float below one half, values beyond the range, infinity and NaN."""
    below_half = np.nextafter(np.float32(0.5), np.float32(0))
    steps = [0.5, -0.5, 1.5, -2.5, below_half, -below_half, 131.4, -122.6, 600, -600, 4e8, -4e8]
    inputs = np.array([steps], np.float32) * np.float32(0.125)
    beyond = np.full((5, 12), [[1e30], [-1e30], [np.inf], [-np.inf], [np.nan]], np.float32)
    graph = parse_graph(_quantizing(), "quantizing")
    flags = ["-fsanitize=address,undefined,float-cast-overflow", "-fno-sanitize-recover=all"]
    program = compile_program(export(_quantizing(), tmp_path), "clang", "-std=c99", *STRICT, *flags)
    found = run_program(program, graph, np.concatenate([inputs, beyond]))
    np.testing.assert_array_equal(found[:1], run_tflm(_quantizing(), graph, inputs))
    np.testing.assert_array_equal(found[0, :6], np.array([1, -1, 2, -3, 0, 0]) - 5)
    np.testing.assert_array_equal(found[1:, 0], [127, -128, 127, -128, -5])
