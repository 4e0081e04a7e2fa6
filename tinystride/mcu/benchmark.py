"""What a network costs on a core: flash, RAM, stack and instructions, its results compared bit by bit."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tinystride.codegen.export import export_model
from tinystride.codegen.reader import read_graph
from tinystride.codegen.reference import example_inputs, run_tflm
from tinystride.errors import ParameterError
from tinystride.mcu.cores import Core, find_core
from tinystride.mcu.emulator import emulate
from tinystride.mcu.toolchain import (
    FLASH_SECTIONS,
    OPTIMIZATION,
    PLATFORM,
    RAM_SECTIONS,
    compile_object,
    compiler_version,
    link,
    section_bytes,
)


@dataclass(frozen=True)
class Measurement:
    """A network that has been run on a core.

    outputs: bytes of its outputs, one row a vector
    instructions, stack_bytes: of each call
    sections: the network's own bytes by section
    """

    outputs: np.ndarray
    instructions: np.ndarray
    stack_bytes: np.ndarray
    sections: dict[str, int]


def measure(core: Core, source: Path, inputs: np.ndarray, flags: Sequence[str] = OPTIMIZATION) -> Measurement:
    """Build `source`/model.c (and model.h, as exported with the prefix `model`) and run it on each input.

    Its bytes are what the image has beyond one in which it is absent: its code, its constants and what it
    needs of the compiler's library.
    """
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        frame = [
            compile_object(core, PLATFORM / f"{name}.c", folder / f"{name}.o", include=[source])
            for name in ("start", "run_model")
        ]
        model = compile_object(core, source / "model.c", folder / "model.o", include=[source], flags=flags)
        image = link(core, [*frame, model], folder / "image.elf")
        absent = link(core, frame, folder / "absent.elf", options=["-Wl,--defsym=model_run=0"])
        without = section_bytes(absent)
        sections = {name: size - without.get(name, 0) for name, size in section_bytes(image).items()}
        inputs.tofile(folder / "inputs.bin")
        emulate(core, image, folder)
        outputs = np.fromfile(folder / "outputs.bin", np.uint8).reshape(len(inputs), -1)
        records = np.fromfile(folder / "records.bin", "<u4").reshape(-1, 2).astype(np.int64)
    counted = np.array([core.instructions(int(ticks)) for ticks in records[:, 0]])
    return Measurement(outputs, counted[1:] - counted[0], records[1:, 1], sections)


def benchmark_model(
    tflite_path: Path | str,
    core: str = "cortex-m4f",
    vectors: int = 1000,
    seed: int = 0,
    inputs: np.ndarray | None = None,
    flags: Sequence[str] = OPTIMIZATION,
) -> dict:
    """Export a .tflite network, build it for `core`, run it in the emulator, compare it with TFLM.

    `inputs` [vectors, input size] are used if given, else `vectors` made from `seed`, extremes among them.
    Flash is code, constants and initial data of the network and of the library functions that it calls;
    RAM is its static data and the stack of a call, working memory included, without the caller's input
    and output. Instructions are those of the costliest vector: exact, but not cycles (no wait states, no
    latencies).

    Raises ModelError, ParameterError for an unknown core or inputs of another size, ToolError for a missing
    compiler or emulator.
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
    expected = run_tflm(path.read_bytes(), graph, inputs)
    with tempfile.TemporaryDirectory() as folder:
        export_model(path, folder, prefix="model")
        measured = measure(chosen, Path(folder), inputs, flags)
    sections = measured.sections
    static_bytes = sum(sections.get(name, 0) for name in RAM_SECTIONS)
    stack_bytes = int(measured.stack_bytes.max())
    return {
        "model": path.name,
        "core": core,
        "flash_bytes": sum(sections.get(name, 0) for name in FLASH_SECTIONS),
        "flash_by_section": {name[1:]: sections[name] for name in FLASH_SECTIONS if sections.get(name)},
        "ram_bytes": static_bytes + stack_bytes,
        "static_bytes": static_bytes,
        "stack_bytes": stack_bytes,
        "instructions": int(measured.instructions.max()),
        "instructions_least": int(measured.instructions.min()),
        "vectors": len(inputs),
        "mismatches": int(np.any(measured.outputs != expected.view(np.uint8), axis=1).sum()),
        "compiler": compiler_version(),
        "flags": " ".join([*chosen.flags, *flags]),
    }
