"""What the generated C costs on emulated cores, as a whole and layer by layer."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import flatbuffers
from ai_edge_litert import schema_py_generated as schema

from tests.codegen.networks import network
from tinystride.codegen import export_model
from tinystride.codegen.reader import parse_graph
from tinystride.mcu import benchmark_model

BOUNDS = {  # network, core: instructions, flash, RAM
    ("paper", "cortex-m4f"): ("<= 580,000", "<= 73,500", "<= 5,200"),
    ("paper", "cortex-m7"): ("", "", ""),
    ("paper", "cortex-m55"): ("", "", ""),
    ("paper", "cortex-m3"): ("<= 1,700,000", "", ""),
    ("paper", "cortex-m0"): ("<= 5,000,000", "", ""),
    ("residual", "cortex-m4f"): ("<= 30,000", "<= 3,500", "<= 1,000"),
    ("tiny", "cortex-m4f"): ("", "", ""),
}


def _first_operators(content: bytes, count: int) -> bytes:
    """The network that ends with its operator numbered `count`."""
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(content, 0))
    graph = model.subgraphs[0]
    graph.operators = graph.operators[:count]
    graph.outputs = list(graph.operators[-1].outputs)
    model.signatureDefs = model.metadata = None
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def _figures(content: bytes, core: str) -> dict:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.tflite"
        path.write_bytes(content)
        exported = export_model(path, Path(folder) / "c", prefix="peer")
        return exported | benchmark_model(path, core, vectors=5)


def layers(content: bytes, core: str) -> Iterator[tuple[str, int, int]]:
    """(layer, instructions, multiply-accumulates), each from the network up to it less the one before."""
    kinds = [operator.kind for operator in parse_graph(content, "network").operators]
    before = {"instructions": 0, "multiply_accumulates": 0}
    for count, kind in enumerate(kinds, start=1):
        pooled_next = kinds[count : count + 1] == ["MAX_POOL_2D"]
        if kind in ("CONV_2D", "MAX_POOL_2D", "FULLY_CONNECTED") and not pooled_next:
            figures = _figures(_first_operators(content, count), core)
            grown = [figures[name] - before[name] for name in ("instructions", "multiply_accumulates")]
            yield figures["layers"][-1], *grown
            before = figures


def measure() -> Iterator[tuple[str, str, str]]:
    for (name, core), bounds in BOUNDS.items():
        figures = _figures(network(name), core)
        for figure, bound in zip(("instructions", "flash_bytes", "ram_bytes"), bounds, strict=True):
            yield f"{name} on {core}: {figure}", f"{figures[figure]:,}", bound
    for name in ("paper", "residual"):
        for layer, instructions, macs in layers(network(name), "cortex-m4f"):
            yield f"{name}: {layer}: instructions a MAC", f"{instructions / macs:.2f}", "0.5 by SMLAD alone"
