"""Measure a network on a core: flash, RAM, stack, instructions, and mismatches with TFLM."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tinystride.codegen.emitter import state_offsets
from tinystride.codegen.export import LIBRARY_PREFIX, export_model
from tinystride.codegen.lowering import lower
from tinystride.codegen.reader import read_graph
from tinystride.codegen.tflm import (
    example_inputs,
    run_tflm,
    tflm_is_installed,
    tflm_supports_this_platform,
)
from tinystride.errors import ParameterError
from tinystride.files import write_text
from tinystride.mcu.cores import Core, find_core
from tinystride.mcu.emulator import emulate
from tinystride.mcu.toolchain import (
    OPTIMIZATION,
    build,
    compiler_version,
    flash_by_section,
    flash_bytes,
    ram_bytes,
)


@dataclass(frozen=True)
class Measurement:
    """Results of running a network on a core.

    Attributes:
        outputs: bytes of the outputs, [vectors, bytes]
        instructions: count of each call, [vectors]
        stack_bytes: stack that each call used, [vectors]
        sections: {section: bytes} of the network alone
    """

    outputs: np.ndarray
    instructions: np.ndarray
    stack_bytes: np.ndarray
    sections: dict[str, int]


def measure(core: Core, source: Path, inputs: np.ndarray, flags: Sequence[str] = OPTIMIZATION) -> Measurement:
    """Build a network for a core and run it in the emulator on each input.

    Args:
        core: emulated core
        source: folder with model.c and model.h, as exported with the prefix `model`
        inputs: [vectors, input size]
        flags: flags of the compiler

    Returns:
        outputs and costs

    Raises:
        ToolError: if compiler or emulator is missing or fails
    """
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        image, sections = build(
            core,
            folder,
            program="run_model",
            sources=[source / "model.c"],
            include=source,
            functions=["model_run", "model_reset"],
            flags=flags,
        )
        inputs.tofile(folder / "inputs.bin")
        emulate(core, image, folder)
        outputs = np.fromfile(folder / "outputs.bin", np.uint8).reshape(len(inputs), -1)
        records = np.fromfile(folder / "records.bin", "<u8").reshape(-1, 2).astype(np.int64)
    counted = np.array([core.instructions(int(ticks)) for ticks in records[:, 0]])
    return Measurement(outputs, counted[1:] - counted[0], records[1:, 1], sections)


def _as_model(library: Path, folder: Path) -> None:
    """Write model.h and model.c that give the network of an exported library the prefix `model`."""
    library, upper = library.resolve(), LIBRARY_PREFIX.upper()
    names = [f"{end}_{what}" for end in ("INPUT", "OUTPUT") for what in ("SIZE", "TYPE")]
    header = [
        *(f"#define {LIBRARY_PREFIX}_{what} model_{what}" for what in ("run", "reset", "state_t")),
        f'#include "{library}/include/{LIBRARY_PREFIX}.h"',
        *(f"#define MODEL_{name} {upper}_{name}" for name in names),
        f"#ifdef {upper}_STATE_BYTES",
        f"#define MODEL_STATE_BYTES {upper}_STATE_BYTES",
        "#endif",
    ]
    write_text(folder / "model.h", "\n".join(header) + "\n")
    write_text(folder / "model.c", f'#include "model.h"\n#include "{library}/src/{LIBRARY_PREFIX}.c"\n')


def benchmark_model(
    tflite_path: Path | str,
    core: str = "cortex-m4f",
    vectors: int = 1000,
    seed: int = 0,
    inputs: np.ndarray | None = None,
    flags: Sequence[str] = OPTIMIZATION,
    library: Path | str | None = None,
) -> dict:
    """Export a .tflite network, build it for a core, run it in the emulator, and compare it with TFLM.

    Flash is code, constants and initial data of the network and of the library functions that it calls. RAM
    is its static data, its state and the stack of a call including working memory, without the caller's
    input and output. Instructions are those of the most expensive vector: an exact count, but not cycles (no
    wait states, no latencies).

    Args:
        tflite_path: path of the model
        core: one of `tinystride.mcu.cores.CORES`
        vectors: number of generated inputs, see `tinystride.codegen.tflm.example_inputs`
        seed: seed of the generated inputs
        inputs: [vectors, input size], used instead of generated ones
        flags: flags of the compiler
        library: folder of a library exported from the same file, whose sources are built instead of a new
            export

    Returns:
        `{model, core, flash_bytes, flash_by_section, ram_bytes, static_bytes, stack_bytes, instructions,
        instructions_least, vectors, mismatches, compiler, flags}`; `mismatches` counts vectors whose outputs
        differ from TFLM's, None if `tflite-micro` is not published for this platform

    Raises:
        ModelError: if the model cannot be read or has unsupported operators
        ParameterError: if the core is unknown or inputs have another shape or type than the network's
        ToolError: if compiler or emulator is missing or fails
        MissingExtraError: if `tflite-micro` is published for this platform, but not installed
    """
    chosen, path = find_core(core), Path(tflite_path)
    if vectors < 1:
        raise ParameterError(f"{vectors} vectors: at least 1 is needed")
    graph = read_graph(path)
    if inputs is None:
        inputs = example_inputs(graph, vectors, seed)
    if inputs.ndim != 2 or inputs.shape[1] != graph.input.size or inputs.dtype != graph.input.dtype:
        raise ParameterError(
            f"inputs of {inputs.dtype} {list(inputs.shape)}: {path.name} takes {graph.input.dtype} "
            f"[vectors, {graph.input.size}]"
        )
    compared = tflm_is_installed() or tflm_supports_this_platform()
    expected = run_tflm(path.read_bytes(), graph, inputs).view(np.uint8) if compared else None
    with tempfile.TemporaryDirectory() as folder:
        if library is None:
            export_model(path, folder, prefix="model")
        else:
            _as_model(Path(library), Path(folder))
        measured = measure(chosen, Path(folder), inputs, flags)
    sections = measured.sections
    _, state_bytes = state_offsets(lower(graph))
    static_bytes, stack_bytes = ram_bytes(sections) + state_bytes, int(measured.stack_bytes.max())
    return {
        "model": path.name,
        "core": core,
        "flash_bytes": flash_bytes(sections),
        "flash_by_section": flash_by_section(sections),
        "ram_bytes": static_bytes + stack_bytes,
        "static_bytes": static_bytes,
        "stack_bytes": stack_bytes,
        "instructions": int(measured.instructions.max()),
        "instructions_least": int(measured.instructions.min()),
        "vectors": len(inputs),
        "mismatches": None if expected is None else int((measured.outputs != expected).any(axis=1).sum()),
        "compiler": compiler_version(chosen),
        "flags": " ".join([*chosen.flags, *flags]),
    }
