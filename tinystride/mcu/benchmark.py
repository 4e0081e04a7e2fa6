"""What a network costs on a core: flash, RAM, stack and instructions, its results compared bit by bit."""

import tempfile
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


def _build(core: Core, tflite_path: Path, folder: Path) -> tuple[Path, dict[str, int]]:
    """The image that runs the network, and the network's own bytes by section.

    Its bytes are what the image has beyond one in which the network is absent: its code, its constants
    and what it needs of the compiler's library.
    """
    export_model(tflite_path, folder / "model", prefix="model")
    include = [folder / "model"]
    model = compile_object(core, folder / "model" / "model.c", folder / "model.o", include=include)
    frame = [
        compile_object(core, PLATFORM / f"{name}.c", folder / f"{name}.o", include=include)
        for name in ("start", "run_model")
    ]
    image = link(core, [*frame, model], folder / "with.elf")
    without = section_bytes(link(core, frame, folder / "without.elf", options=["-Wl,--defsym=model_run=0"]))
    sections = {name: size - without.get(name, 0) for name, size in section_bytes(image).items()}
    return image, sections


def benchmark_model(
    tflite_path: Path | str,
    core: str = "cortex-m4f",
    vectors: int = 1000,
    seed: int = 0,
    inputs: np.ndarray | None = None,
) -> dict:
    """Export a .tflite network, build it for `core`, run it in the emulator, compare it with TFLM.

    `inputs` [vectors, input size] are used if given, else `vectors` made from `seed`, extremes among them.
    Flash is code, constants and initial data of the network and of the library functions that it calls;
    RAM is its static data and the stack of a call, working memory included, without the caller's input
    and output. Instructions are those of the costliest vector: exact, but not cycles (no wait states, no
    latencies).

    Raises ModelError, ParameterError for an unknown core, ToolError for a missing compiler or emulator.
    """
    chosen, path = find_core(core), Path(tflite_path)
    if vectors < 1:
        raise ParameterError(f"{vectors} vectors: at least 1 is needed")
    graph = read_graph(path)
    if inputs is None:
        inputs = example_inputs(graph, vectors, seed)
    inputs = np.ascontiguousarray(inputs, graph.input.dtype).reshape(-1, graph.input.size)
    expected = run_tflm(path.read_bytes(), graph, inputs)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        image, sections = _build(chosen, path, folder)
        inputs.tofile(folder / "inputs.bin")
        emulate(chosen, image, folder)
        outputs = np.fromfile(folder / "outputs.bin", graph.output.dtype).reshape(-1, graph.output.size)
        records = np.fromfile(folder / "records.bin", "<u4").reshape(-1, 2).astype(np.int64)
    overhead, runs = records[0], records[1:]
    instructions = [chosen.instructions(int(ticks - overhead[0])) for ticks in runs[:, 0]]
    stack_bytes = int(runs[:, 1].max())
    static_bytes = sum(sections.get(name, 0) for name in RAM_SECTIONS)
    return {
        "model": path.name,
        "core": core,
        "flash_bytes": sum(sections.get(name, 0) for name in FLASH_SECTIONS),
        "flash_by_section": {name[1:]: sections[name] for name in FLASH_SECTIONS if sections.get(name)},
        "ram_bytes": static_bytes + stack_bytes,
        "static_bytes": static_bytes,
        "stack_bytes": stack_bytes,
        "instructions": max(instructions),
        "instructions_least": min(instructions),
        "vectors": len(inputs),
        "mismatches": int(np.any(outputs != expected, axis=1).sum()) + len(inputs) - len(outputs),
        "compiler": compiler_version(),
        "flags": " ".join([*chosen.flags, *OPTIMIZATION]),
    }
