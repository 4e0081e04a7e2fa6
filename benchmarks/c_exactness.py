"""Mismatches between the generated C and TFLM on many inputs, including extremes and saturation."""

import ctypes
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from tests.codegen.networks import BUILT, KERAS, network
from tinystride.codegen import export_model
from tinystride.codegen.reader import parse_graph
from tinystride.codegen.tflm import example_inputs, run_tflm

VECTORS = 10_000


def mismatches(content: bytes, vectors: int, seed: int) -> int:
    """Return the number of inputs for which the C on the host and TFLM give different bytes."""
    graph = parse_graph(content, "network")
    inputs = example_inputs(graph, vectors, seed)
    expected = run_tflm(content, graph, inputs)
    outputs = np.empty_like(expected)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        (folder / "model.tflite").write_bytes(content)
        export_model(folder / "model.tflite", folder / "c", prefix="peer")
        command = [
            "gcc",
            "-std=c99",
            "-O2",
            "-shared",
            "-fPIC",
            folder / "c/peer.c",
            "-o",
            folder / "peer.so",
        ]
        subprocess.run(command, check=True)
        run = ctypes.CDLL(str(folder / "peer.so")).peer_run
        run.argtypes = [ctypes.c_void_p, ctypes.c_void_p]
        for values, row in zip(inputs, outputs, strict=True):
            run(values.ctypes.data, row.ctypes.data)
    return int(np.any(outputs != expected, axis=1).sum())


def measure() -> Iterator[tuple[str, str, str]]:
    for seed, name in enumerate([*BUILT, *KERAS]):
        wrong = mismatches(network(name), VECTORS, seed)
        yield f"mismatches with TFLM, {name}, of {VECTORS}", str(wrong), "0"
