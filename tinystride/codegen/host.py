"""The generated C, built for the computer that runs this."""

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tinystride.errors import ToolError


def compile_on_host(
    sources: Sequence[Path], target: Path, *, include: Sequence[Path] = (), flags: Sequence[str] = ()
) -> str:
    """Compile and link C files into `target`; returns the compiler's name.

    Raises ToolError without a C compiler, or if it refuses the C.
    """
    compiler = next((name for name in ("cc", "gcc", "clang") if shutil.which(name)), None)
    if compiler is None:
        raise ToolError("no C compiler; install the Debian package gcc")
    command = [compiler, *flags, *(f"-I{folder}" for folder in include), *map(str, sources)]
    built = subprocess.run([*command, "-o", str(target), "-lm"], capture_output=True, text=True)
    if built.returncode:
        raise ToolError(f"{compiler} refuses the generated C: {built.stderr.strip()[:500]}")
    return compiler
