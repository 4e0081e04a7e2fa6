"""What the generated C costs on emulated cores, as a whole and layer by layer."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import flatbuffers
from ai_edge_litert import schema_py_generated as schema

from benchmarks.shapes import SHAPES
from tinystride.codegen import export_model
from tinystride.codegen.reader import parse_graph
from tinystride.mcu import benchmark_model

# Network and core: instructions, flash and RAM, each with the bound and what CMSIS-NN called directly takes.
BOUNDS = {
    ("published", "cortex-m4f"): ("<= 470,000; CMSIS-NN 1,285,000", "<= 73,500; 84,100", "<= 5,200; 10,200"),
    ("published", "cortex-m7"): ("<= 470,000", "", ""),
    ("published", "cortex-m55"): ("<= 150,000; CMSIS-NN 231,000", "<= 73,500", "< 10,200"),
    ("published", "cortex-m3"): ("<= 630,000; CMSIS-NN 1,792,000", "<= 73,500", "<= 5,200"),
    ("published", "cortex-m0"): ("<= 4,000,000; CMSIS-NN 4,110,000", "<= 73,500", "<= 5,200"),
    ("keyword spotting", "cortex-m4f"): ("<= 7,500,000; CMSIS-NN 7,690,000", "", "< 16,700"),
    ("keyword spotting", "cortex-m55"): ("<= 1,800,000; CMSIS-NN 1,810,000", "", "< 16,700"),
    ("ResNet8", "cortex-m4f"): ("<= 29,000,000; CMSIS-NN 29,900,000", "", ""),
    ("ResNet8", "cortex-m55"): ("<= 4,900,000; CMSIS-NN 4,900,000", "", ""),
    ("person detection", "cortex-m4f"): ("<= 22,000,000; CMSIS-NN 22,900,000", "", "< 56,000"),
    ("person detection", "cortex-m55"): ("<= 6,500,000; CMSIS-NN 6,500,000", "", "< 56,000"),
    ("wake word", "cortex-m4f"): ("<= 2,100,000; CMSIS-NN 2,220,000", "", ""),
    ("wake word", "cortex-m55"): ("<= 400,000; CMSIS-NN 403,000", "", ""),
    ("activity", "cortex-m4f"): ("<= 800,000; CMSIS-NN 1,595,000", "", ""),
    ("activity", "cortex-m55"): ("<= 280,000; CMSIS-NN 285,000", "", ""),
    ("autoencoder", "cortex-m4f"): ("<= 360,000; CMSIS-NN 580,000", "", ""),
    ("autoencoder", "cortex-m55"): ("<= 140,000; CMSIS-NN 147,000", "", ""),
}
# Multiply-accumulates of the instruction of each core that has the most of them, for 8-bit factors.
MACS_AN_INSTRUCTION = {"cortex-m4f": 2, "cortex-m55": 16}
LAYERS = ("published", "keyword spotting", "ResNet8")


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
        if kind != "RESHAPE" and not pooled_next:
            figures = _figures(_first_operators(content, count), core)
            grown = [figures[name] - before[name] for name in ("instructions", "multiply_accumulates")]
            yield figures["layers"][-1], *grown
            before = figures


def measure() -> Iterator[tuple[str, str, str]]:
    for (name, core), bounds in BOUNDS.items():
        figures = _figures(SHAPES[name](), core)
        for figure, bound in zip(("instructions", "flash_bytes", "ram_bytes"), bounds, strict=True):
            yield f"{name} on {core}: {figure}", f"{figures[figure]:,}", bound
        yield f"{name} on {core}: mismatches with TFLM", str(figures["mismatches"]), "0"
    for name in LAYERS:
        for core, macs_an_instruction in MACS_AN_INSTRUCTION.items():
            for layer, instructions, macs in layers(SHAPES[name](), core):
                share = f"{macs / macs_an_instruction / instructions:.0%}" if macs else f"{instructions:,}"
                limit = f"of {macs_an_instruction} MACs an instruction" if macs else "instructions, no MACs"
                yield f"{name} on {core}: {layer}", share, limit
