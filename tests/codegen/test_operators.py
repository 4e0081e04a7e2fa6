"""Each operator on the host is bit-exact with TFLM, and so are the tables."""

import numpy as np
import pytest

from tests.codegen.c_program import STRICT, compile_program, expected_outputs, export, run, run_program
from tests.codegen.operator_networks import OPERATORS, OperatorBuilder, _options, operator_network
from tinystride.codegen import export_model
from tinystride.codegen.layers import Convolution, DepthwiseConvolution, LookUp, Movement, Softmax
from tinystride.codegen.lowering import lower
from tinystride.codegen.reader import parse_graph
from tinystride.codegen.tflm import run_tflm

SANITIZED = ["-g", "-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]


@pytest.mark.parametrize("name", OPERATORS)
def test_run_each_operator_equals_tflm(name, tmp_path):
    """GCC, and Clang with sanitizers."""
    graph, inputs, expected = expected_outputs(operator_network(name), 300)
    assert len(np.unique(expected, axis=0)) > 10
    folder = export(operator_network(name), tmp_path)
    program = compile_program(folder, "gcc", "-std=c99", "-O2", *STRICT)
    np.testing.assert_array_equal(run_program(program, graph, inputs), expected)
    program = compile_program(folder, "clang", "-std=c99", *STRICT, *SANITIZED)
    np.testing.assert_array_equal(run_program(program, graph, inputs[:60]), expected[:60])


@pytest.mark.parametrize("seed", range(6))
def test_tables_random_quantizations_equal_tflm(seed):
    """Check all 256 inputs of each function, for scales from 1e-4 to 3."""
    rng = np.random.default_rng(seed)
    in_scale, in_zero_point = (
        float(np.exp(rng.uniform(np.log(1e-4), np.log(3)))),
        int(rng.integers(-128, 128)),
    )
    out = float(in_scale * np.exp(rng.uniform(-1, 2))), int(rng.integers(-128, 128))
    slope = float(rng.uniform(0, 2))
    inputs = np.arange(-128, 128).astype(np.int8)[None]
    for kind, scale, zero_point, options in (
        ("LOGISTIC", 1 / 256, -128, None),
        ("TANH", 1 / 128, 0, None),
        ("LEAKY_RELU", *out, _options("LeakyRelu", alpha=slope)),
        ("HARD_SWISH", *out, _options("HardSwish")),
    ):
        b = OperatorBuilder()
        x = b.input((1, 256), in_scale, in_zero_point)
        content = b.bytes(b.function(kind, x, scale, zero_point, options))
        graph = parse_graph(content, kind)
        (layer,) = lower(graph).layers
        assert isinstance(layer, LookUp)
        np.testing.assert_array_equal(layer.table, run_tflm(content, graph, inputs)[0], err_msg=kind)


def layers(name: str) -> list:
    return lower(parse_graph(operator_network(name), name)).layers


def test_lower_shape_arithmetic_leaves_no_layer():
    assert [type(layer) for layer in layers("free_batch")] == [Convolution, Convolution, Softmax]


def test_lower_pad_before_convolution_is_merged():
    """Of five PADs only those before another PAD or before no convolution remain."""
    found = layers("padded")
    assert sum(isinstance(layer, Movement) for layer in found) == 2
    first = next(layer for layer in found if isinstance(layer, Convolution))
    assert (first.window.input, first.window.pad, first.window.output) == ((7, 8), (0, 0), (3, 4))
    depthwise = next(layer for layer in found if isinstance(layer, DepthwiseConvolution))
    assert depthwise.window.pad == (1, 0)


def test_run_two_states_are_independent_and_can_be_reset(tmp_path):
    """Run two streams with a state each; reset one, which then repeats its first outputs."""
    content = operator_network("streaming")
    _, inputs, expected = expected_outputs(content, 8)
    folder = export(content, tmp_path)
    assert "PEER_STATE_BYTES 48" in (folder / "peer.h").read_text()  # 16 and 30, rounded up to words
    rows = ",\n".join("{" + ", ".join(map(str, row)) + "}" for row in inputs.tolist())
    golden = ",\n".join("{" + ", ".join(map(str, row)) + "}" for row in expected.tolist())
    (folder / "main.c").write_text(
        f"""#include <string.h>
#include "peer.h"
static const int8_t inputs[8][PEER_INPUT_SIZE] = {{{rows}}};
static const uint8_t golden[8][PEER_OUTPUT_SIZE] = {{{golden}}};
static int differs(peer_state_t *state, int i)
{{
    uint8_t output[PEER_OUTPUT_SIZE];
    return peer_run(state, inputs[i], output) != PEER_OK || memcmp(output, golden[i], sizeof output) != 0;
}}
int main(void)
{{
    static peer_state_t a, b;
    int i, wrong = 0;
    uint8_t output[PEER_OUTPUT_SIZE];
    peer_reset(&a);
    peer_reset(&b);
    peer_reset(NULL);
    for (i = 0; i < 8; i++) {{
        wrong += differs(&a, i);
        if (i > 2) {{
            wrong += differs(&b, i - 3);
        }}
    }}
    peer_reset(&a);
    wrong += differs(&a, 0) + (peer_run(NULL, inputs[0], output) != PEER_ERROR_NULL);
    return wrong;
}}
"""
    )
    run(compile_program(folder, "gcc", "-std=c99", *STRICT))


def test_check_on_host_network_with_state_passes(tmp_path):
    (tmp_path / "model.tflite").write_bytes(operator_network("streaming"))
    export_model(tmp_path / "model.tflite", tmp_path / "c", vectors=6)
    folder = tmp_path / "c"
    for main in ("test/test_model.c", "examples/minimal/main.c"):
        sources = [folder / "src/tinystride_model.c", folder / main]
        run("gcc", "-std=c99", *STRICT, f"-I{folder / 'include'}", *sources, "-o", tmp_path / "program")
        run(tmp_path / "program")
