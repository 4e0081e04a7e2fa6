"""Write a network as C: one header and one source file, or a whole library with packages and a host test."""

import re
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import yaml

from tinystride import __version__
from tinystride.codegen import ctext
from tinystride.codegen.c_library import attached_description, estimator_files, has_estimator
from tinystride.codegen.emitter import Emitted, emit
from tinystride.codegen.examples import example_files
from tinystride.codegen.graph import Graph
from tinystride.codegen.host import compile_on_host, find_host_compiler, run_on_host
from tinystride.codegen.layers import Buffer, Network
from tinystride.codegen.lowering import lower
from tinystride.codegen.packages import package_files, with_licence
from tinystride.codegen.reader import read_graph
from tinystride.codegen.templates import render
from tinystride.codegen.tflm import example_inputs, run_tflm, tflm_is_installed
from tinystride.errors import ModelError, ParameterError, ToolError
from tinystride.files import atomic_folder, sha256, write_text

LIBRARY_PREFIX = "tinystride_model"
OPTIMIZE = ("speed", "size")
LIBRARY_TEMPLATES = {
    "include/tinystride_model.h": "model.h.j2",
    "src/tinystride_model.c": "model.c.j2",
    "src/tinystride_model.h": "forward.h.j2",
    "examples/minimal/main.c": "main.c.j2",
    "examples/arduino/arduino.ino": "arduino.ino.j2",
    "README.md": "README.md.j2",
}
TEST_TEMPLATES = {
    "test/golden_vectors.h": "golden_vectors.h.j2",
    "test/test_model.c": "test_model.c.j2",
}


def _source_values(emitted: Emitted, prefix: str) -> dict:
    """Return the values of the variables in the templates of header and source."""
    network = emitted.network
    values = {
        "prefix": prefix,
        "upper": prefix.upper(),
        "input_shape": list(network.input_shape),
        "output_shape": list(network.output_shape),
        "input_size": network.input.size,
        "output_size": network.output.size,
        "input_type": network.input.ctype,
        "output_type": network.output.ctype,
        "scratch_words": max(1, -(-emitted.plan.size // 4)),
        "layers": network.layers,
        "blocks": emitted.plan.blocks,
        "buffers": emitted.plan.buffers,
        "kernels": emitted.kernels,
        "constants": emitted.constants,
        "calls": emitted.calls,
        "resets": emitted.resets,
        "state_bytes": emitted.state_bytes,
    } | {name: value for name, value in vars(emitted.variants).items() if name != "blocks"}
    for which, quantization in (
        ("input", network.input_quantization),
        ("output", network.output_quantization),
    ):
        values[f"{which}_scale"] = ctext.single(quantization[0]) if quantization else None
        values[f"{which}_zero_point"] = quantization[1] if quantization else None
    return values


def _check_prefix(prefix: str) -> None:
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,39}", prefix):
        raise ParameterError(f"prefix '{prefix}': must be a C name of letters, digits and _, such as 'peer'")


def _card(path: Path, graph: Graph, emitted: Emitted) -> dict:
    network = emitted.network

    def end(
        shape: tuple[int, ...], buffer: Buffer, quantization: tuple[np.float32, int] | None
    ) -> dict[str, object]:
        card: dict[str, object] = {"shape": list(shape), "type": buffer.ctype}
        if quantization:
            card |= {"scale": float(quantization[0]), "zero_point": quantization[1]}
        return card

    return {
        "file": path.name,
        "bytes": path.stat().st_size,
        "sha256": sha256(path),
        "generator": f"TinyStride {__version__}",
        "input": end(network.input_shape, network.input, network.input_quantization),
        "output": end(network.output_shape, network.output, network.output_quantization),
        "layers": [f"{layer.name}: {layer.shapes}" for layer in network.layers],
        "multiply_accumulates": sum(getattr(layer, "macs", 0) for layer in network.layers),
        "weights": sum(layer.weights.size for layer in network.layers if hasattr(layer, "weights")),
        "working_memory_bytes": emitted.plan.size,
        **({"state_bytes": emitted.state_bytes} if emitted.state_bytes else {}),
        "numerics": "bit-exact with TensorFlow Lite for Microcontrollers",
        "description": attached_description(graph),
        "licence": "MIT",
    }


def _values(array: np.ndarray) -> str:
    if array.dtype == np.float32:
        return "\n".join(f"    {ctext.single(value)}," for value in array)
    return ctext.rows(array.tolist())


def _golden_outputs(
    content: bytes, graph: Graph, inputs: np.ndarray, files: dict[str, str], state_bytes: int
) -> np.ndarray:
    """Return the outputs of TFLM; if it is not installed, those of the generated C (the same bits)."""
    if tflm_is_installed():
        return run_tflm(content, graph, inputs)
    return run_on_host(files, f"src/{LIBRARY_PREFIX}.c", LIBRARY_PREFIX, graph, inputs, state_bytes)


def _library_files(
    path: Path, graph: Graph, network: Network, card: dict, values: dict, vectors: int
) -> dict[str, str]:
    streams = has_estimator(network, card["description"])
    inputs = example_inputs(graph, vectors, seed=0)
    values = values | {
        "version": __version__,
        "vectors": vectors,
        "golden_inputs": [_values(row) for row in inputs],
        "card": card,
        "streams": streams,
    }
    files = {name: render(template, **values) for name, template in LIBRARY_TEMPLATES.items()}
    if vectors:
        outputs = _golden_outputs(path.read_bytes(), graph, inputs, files, values["state_bytes"])
        values["golden_outputs"] = [_values(row) for row in outputs]
        files |= {name: render(template, **values) for name, template in TEST_TEMPLATES.items()}
    if streams:
        files |= estimator_files(network, card["description"]) | example_files()
    files |= package_files(version=__version__, streams=streams, vectors=vectors)
    files["model_card.yaml"] = yaml.safe_dump(card, sort_keys=False, width=100)
    return files


def _write_files(folder: Path, files: dict[str, str]) -> None:
    """Write files atomically: a new folder appears complete; in an existing one, other files stay."""
    if folder.exists():
        for name, text in files.items():
            write_text(folder / name, text)
        return
    with atomic_folder(folder) as partial:
        for name, text in files.items():
            write_text(partial / name, text)


def export_model(
    tflite_path: Path | str,
    out_folder: Path | str,
    *,
    prefix: str = LIBRARY_PREFIX,
    vectors: int = 24,
    optimize: str = "speed",
) -> dict:
    """Write the int8 network of a .tflite file as C99 into a folder.

    With the prefix `tinystride_model` the folder becomes a library: packages, model card, golden vectors
    made with TFLM and a host test, and the streaming estimator if the network is its residual network. With
    another prefix only `<prefix>.h` and `<prefix>.c` are written. The same file gives the same bytes. If
    neither TFLM nor a C compiler is installed, golden vectors and host test are left out.

    Args:
        tflite_path: path of the model
        out_folder: is created if it is missing
        prefix: prefix of all names in C, a C identifier of at most 40 characters
        vectors: number of golden vectors
        optimize: "speed" for kernels that depend on shape and core, "size" for the general kernels only

    Returns:
        `{prefix, files, layers, multiply_accumulates, weights, working_memory_bytes}`

    Raises:
        ModelError: if the file is not a complete model of supported operators
        ParameterError: if prefix or optimize is invalid
    """
    _check_prefix(prefix)
    if optimize not in OPTIMIZE:
        raise ParameterError(f"optimize '{optimize}': must be {' or '.join(OPTIMIZE)}")
    path = Path(tflite_path)
    graph = read_graph(path)
    try:
        emitted = emit(lower(graph, optimize))
    except ModelError as error:
        raise ModelError(f"{path.name}: {error}") from error
    if not tflm_is_installed() and find_host_compiler() is None:
        vectors = 0
    values = _source_values(emitted, prefix) | {"optimize": optimize}
    card = _card(path, graph, emitted)
    if prefix == LIBRARY_PREFIX:
        files = _library_files(path, graph, emitted.network, card, values, vectors)
    else:
        files = {f"{prefix}.{ending}": render(f"model.{ending}.j2", **values) for ending in "hc"}
    _write_files(Path(out_folder), {name: with_licence(name, text) for name, text in files.items()})
    summary = ("layers", "multiply_accumulates", "weights", "working_memory_bytes")
    return {"prefix": prefix, "files": sorted(files)} | {name: card[name] for name in summary}


def check_on_host(out_folder: Path | str) -> dict:
    """Compile the host test of an exported library and run it.

    Args:
        out_folder: folder of the library, as `export_model` wrote it

    Returns:
        `{vectors, mismatches, compiler, flags}`

    Raises:
        ToolError: if there is no C compiler, the C does not compile, or an output differs from its golden
            vector
    """
    folder = Path(out_folder)
    flags = ["-std=c99", "-O2", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Werror"]
    with tempfile.TemporaryDirectory() as temporary:
        program = Path(temporary) / "test_model"
        sources = [*sorted((folder / "src").glob("*.c")), folder / "test" / "test_model.c"]
        compiler = compile_on_host(sources, program, include=[folder / "include"], flags=flags)
        ran = subprocess.run([str(program)], capture_output=True, text=True)
    counted = re.fullmatch(r"(\d+) vectors, (\d+) mismatches\n", ran.stdout)
    if ran.returncode or not counted:
        raise ToolError(f"the host test of {folder} failed: {ran.stdout.strip() or ran.returncode}")
    return {
        "vectors": int(counted[1]),
        "mismatches": int(counted[2]),
        "compiler": compiler,
        "flags": " ".join(flags),
    }
