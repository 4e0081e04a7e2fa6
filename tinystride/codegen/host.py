"""Build and run the generated C on the host."""

import ctypes
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from tinystride.codegen.graph import Graph
from tinystride.errors import ToolError


def find_host_compiler() -> str | None:
    """Return the name of the first C compiler in the path, None if there is no compiler."""
    return next((name for name in ("cc", "gcc", "clang") if shutil.which(name)), None)


def compile_on_host(
    sources: Sequence[Path], target: Path, *, include: Sequence[Path] = (), flags: Sequence[str] = ()
) -> str:
    """Compile and link C files for the host.

    Args:
        sources: C files
        target: program or library to write
        include: folders of headers
        flags: flags of the compiler

    Returns:
        the compiler's name

    Raises:
        ToolError: if there is no C compiler or it rejects the C
    """
    compiler = find_host_compiler()
    if compiler is None:
        raise ToolError("no C compiler; install the Debian package gcc")
    command = [compiler, *flags, *(f"-I{folder}" for folder in include), *map(str, sources)]
    built = subprocess.run([*command, "-o", str(target), "-lm"], capture_output=True, text=True)
    if built.returncode:
        raise ToolError(f"{compiler} rejects the generated C: {built.stderr.strip()[:500]}")
    return compiler


def run_on_host(
    files: Mapping[str, str],
    source: str,
    prefix: str,
    graph: Graph,
    inputs: np.ndarray,
    state_bytes: int = 0,
) -> np.ndarray:
    """Run a generated network on the host.

    Args:
        files: its sources, {relative path: text}
        source: path of the file to compile
        prefix: prefix of its names in C
        graph: graph of the model, for type and size of the output
        inputs: [vectors, input size]
        state_bytes: size of the state that it keeps between vectors; 0: no state

    Returns:
        [vectors, output size]

    Raises:
        ToolError: if it does not compile, or a call fails
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
        for vector, output in zip(inputs, outputs, strict=True):
            if run(*kept, ctypes.c_void_p(vector.ctypes.data), ctypes.c_void_p(output.ctypes.data)):
                raise ToolError(f"{prefix}_run of the generated C returned an error")
    return outputs
