"""Instructions, flash and RAM of the generated C on emulated cores, in total and by layer."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import flatbuffers
from ai_edge_litert import schema_py_generated as schema

from benchmarks.shapes import SHAPES
from tinystride.codegen import export_model
from tinystride.codegen.reader import parse_graph
from tinystride.mcu import benchmark_model

# Network and core: bounds of instructions, flash and RAM, with the same metrics of CMSIS-NN called directly.
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
# Multiply-accumulates of the widest 8-bit instruction of each core.
MACS_AN_INSTRUCTION = {"cortex-m4f": 2, "cortex-m55": 16}
LAYERS = ("published", "keyword spotting", "ResNet8")


def _first_operators(content: bytes, count: int) -> bytes:
    """Return the network of the first `count` operators."""
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(content, 0))
    graph = model.subgraphs[0]
    graph.operators = graph.operators[:count]
    graph.outputs = list(graph.operators[-1].outputs)
    model.signatureDefs = model.metadata = None
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def _metrics(content: bytes, core: str) -> dict:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.tflite"
        path.write_bytes(content)
        exported = export_model(path, Path(folder) / "c", prefix="peer")
        return exported | benchmark_model(path, core, vectors=5)


def layers(content: bytes, core: str) -> Iterator[tuple[str, int, int]]:
    """Yield (layer, instructions, multiply-accumulates) of each layer.

    They are the difference between the network that ends there and the one that ends a layer earlier.
    """
    kinds = [operator.kind for operator in parse_graph(content, "network").operators]
    before = {"instructions": 0, "multiply_accumulates": 0}
    for count, kind in enumerate(kinds, start=1):
        pooled_next = kinds[count : count + 1] == ["MAX_POOL_2D"]
        if kind != "RESHAPE" and not pooled_next:
            metrics = _metrics(_first_operators(content, count), core)
            grown = [metrics[name] - before[name] for name in ("instructions", "multiply_accumulates")]
            yield metrics["layers"][-1], *grown
            before = metrics


def measure() -> Iterator[tuple[str, str, str]]:
    for (name, core), bounds in BOUNDS.items():
        metrics = _metrics(SHAPES[name](), core)
        for metric, bound in zip(("instructions", "flash_bytes", "ram_bytes"), bounds, strict=True):
            yield f"{name} on {core}: {metric}", f"{metrics[metric]:,}", bound
        yield f"{name} on {core}: mismatches with TFLM", str(metrics["mismatches"]), "0"
    for name in LAYERS:
        for core, macs_an_instruction in MACS_AN_INSTRUCTION.items():
            for layer, instructions, macs in layers(SHAPES[name](), core):
                share = f"{macs / macs_an_instruction / instructions:.0%}" if macs else f"{instructions:,}"
                limit = f"of {macs_an_instruction} MACs an instruction" if macs else "instructions, no MACs"
                yield f"{name} on {core}: {layer}", share, limit
