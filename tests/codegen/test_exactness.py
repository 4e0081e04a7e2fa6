"""The generated C gives what TFLM gives, bit by bit, however it is compiled."""

import numpy as np
import pytest

from tests.codegen.c_program import STRICT, compile_program, expected_outputs, export, run_program
from tests.codegen.networks import BUILT, KERAS, network
from tinystride.codegen.reader import parse_graph
from tinystride.codegen.reference import example_inputs

VARIED = ["paper", "odd_pooled", "residual_sum", "depthwise_image", "saturated", "strided", "uint8_edges"]


@pytest.mark.parametrize("name", [*BUILT, *KERAS])
def test_same_as_tflm(name, tmp_path):
    vectors = 300 if name == "paper" else 2000
    graph, inputs, expected = expected_outputs(network(name), vectors)
    assert len(np.unique(expected, axis=0)) > 10
    program = compile_program(export(network(name), tmp_path), "gcc", "-std=c99", "-O2", *STRICT)
    np.testing.assert_array_equal(run_program(program, graph, inputs), expected)


@pytest.mark.parametrize("name", [*BUILT, *KERAS])
def test_sanitizers_find_nothing(name, tmp_path):
    graph, inputs, expected = expected_outputs(network(name), 40, seed=2)
    flags = ["-g", "-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
    program = compile_program(export(network(name), tmp_path), "clang", "-std=c99", *STRICT, *flags)
    np.testing.assert_array_equal(run_program(program, graph, inputs), expected)


@pytest.mark.parametrize("name", VARIED)
def test_same_bytes_with_every_compiler(name, tmp_path):
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


def test_example_inputs_hold_the_extremes():
    graph = parse_graph(network("strided"), "strided")
    inputs = example_inputs(graph, 50, seed=0)
    assert (inputs[0] == -128).all() and (inputs[1] == 127).all() and (inputs[4] == -12).all()
    assert np.array_equal(inputs, example_inputs(graph, 50, seed=0))
    assert not np.array_equal(inputs, example_inputs(graph, 50, seed=1))
