"""Compile exported networks for the host, as a program that reads inputs from a file and writes outputs."""

import subprocess
from pathlib import Path

import numpy as np

from tinystride.codegen import export_model
from tinystride.codegen.graph import Graph
from tinystride.codegen.reader import parse_graph
from tinystride.codegen.tflm import example_inputs, run_tflm

STRICT = ["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Werror"]
MAIN = """
#include <stdio.h>
#include "peer.h"
int main(int count, char **names)
{
    static PEER_INPUT_TYPE input[PEER_INPUT_SIZE];
    static PEER_OUTPUT_TYPE output[PEER_OUTPUT_SIZE];
#ifdef PEER_STATE_BYTES
    static peer_state_t state;
#define peer_run(input, output) peer_run(&state, input, output)
    peer_reset(&state);
#endif
    FILE *const inputs = fopen(names[1], "rb"), *const outputs = fopen(names[2], "wb");
    (void)count;
    while (fread(input, sizeof input, 1, inputs) == 1) {
        if (peer_run(input, output) != PEER_OK) {
            return 1;
        }
        fwrite(output, sizeof output, 1, outputs);
    }
    fclose(outputs);
    fclose(inputs);
    return 0;
}
"""


def run(*command, **options) -> str:
    """Return standard output of a command that must succeed."""
    ran = subprocess.run([str(part) for part in command], capture_output=True, text=True, **options)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def export(content: bytes, folder: Path) -> Path:
    """Export peer.c and peer.h with a main.c. Return their folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.tflite").write_bytes(content)
    export_model(folder / "model.tflite", folder / "c", prefix="peer")
    (folder / "c" / "main.c").write_text(MAIN)
    return folder / "c"


def compile_program(folder: Path, compiler: str, *flags: str) -> Path:
    program = folder / "program"
    sources = [folder / "peer.c", folder / "main.c"]
    built = subprocess.run([compiler, *flags, *sources, "-o", program], capture_output=True, text=True)
    assert built.returncode == 0, built.stderr[:2000]
    return program


def run_program(program: Path, graph: Graph, inputs: np.ndarray) -> np.ndarray:
    inputs.tofile(program.parent / "inputs.bin")
    command = [program, program.parent / "inputs.bin", program.parent / "outputs.bin"]
    ran = subprocess.run(command, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr[:2000]
    return np.fromfile(program.parent / "outputs.bin", graph.output.dtype).reshape(len(inputs), -1)


def expected_outputs(content: bytes, vectors: int, seed: int = 1) -> tuple[Graph, np.ndarray, np.ndarray]:
    """Return graph, inputs, and TFLM's outputs."""
    graph = parse_graph(content, "network")
    inputs = example_inputs(graph, vectors, seed)
    return graph, inputs, run_tflm(content, graph, inputs)
