"""The generated C, built for the computer that runs this."""

import ctypes
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from tinystride.codegen.graph import Graph
from tinystride.errors import ToolError


def host_compiler() -> str | None:
    """The first C compiler in the path, by its name."""
    return next((name for name in ("cc", "gcc", "clang") if shutil.which(name)), None)


def compile_on_host(
    sources: Sequence[Path], target: Path, *, include: Sequence[Path] = (), flags: Sequence[str] = ()
) -> str:
    """Compile and link C files into `target`; returns the compiler's name.

    Raises ToolError without a C compiler, or if it refuses the C.
    """
    compiler = host_compiler()
    if compiler is None:
        raise ToolError("no C compiler; install the Debian package gcc")
    command = [compiler, *flags, *(f"-I{folder}" for folder in include), *map(str, sources)]
    built = subprocess.run([*command, "-o", str(target), "-lm"], capture_output=True, text=True)
    if built.returncode:
        raise ToolError(f"{compiler} refuses the generated C: {built.stderr.strip()[:500]}")
    return compiler


def run_on_host(
    files: Mapping[str, str],
    source: str,
    prefix: str,
    graph: Graph,
    inputs: np.ndarray,
    state_bytes: int = 0,
) -> np.ndarray:
    """What a generated network makes of `inputs` [vectors, input size]; gives [vectors, output size].

    files: its sources, text by relative path, of which `source` is compiled; prefix: of its names in C
    state_bytes: what it keeps from one vector to the next
    Raises ToolError as compile_on_host does, or if a call fails.
    """
    outputs = np.empty((len(inputs), graph.output.size), graph.output.dtype)
    inputs = np.ascontiguousarray(inputs, graph.input.dtype)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for name, text in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)
        library = folder / "network.so"
        flags = ["-std=c99", "-O2", "-fPIC", "-shared"]
        compile_on_host([folder / source], library, include=[folder / "include"], flags=flags)
        loaded = ctypes.CDLL(str(library))
        run, state = getattr(loaded, f"{prefix}_run"), np.zeros(state_bytes, np.int8)
        kept = [ctypes.c_void_p(state.ctypes.data)] if state_bytes else []
        if state_bytes:
            getattr(loaded, f"{prefix}_reset")(*kept)
        for given, told in zip(inputs, outputs, strict=True):
            if run(*kept, ctypes.c_void_p(given.ctypes.data), ctypes.c_void_p(told.ctypes.data)):
                raise ToolError(f"{prefix}_run of the generated C refuses an input")
    return outputs
