"""Compile C for a bare core, link it, and count its bytes by section."""

import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tinystride.errors import ToolError
from tinystride.mcu.cores import Core

PLATFORM = Path(__file__).parent / "platform"
# With scheduling before register allocation GCC 12 needs more registers, which costs instructions.
OPTIMIZATION = ("-std=c99", "-O2", "-fno-schedule-insns", "-ffunction-sections", "-fdata-sections")
FLASH_SECTIONS = (".vectors", ".text", ".rodata", ".data")
RAM_SECTIONS = (".data", ".bss")


def find_tool(program: str, package: str) -> str:
    """Return the path of a program.

    Args:
        program: its name
        package: the Debian package that contains it

    Raises:
        ToolError: if it is not installed; the message names the package
    """
    path = shutil.which(program)
    if path is None:
        raise ToolError(f"{program} is missing; install the Debian package {package}")
    return path


def one_line(text: str) -> str:
    """Return the output of a tool as one line of at most 1,000 characters.

    Args:
        text: output of the tool
    """
    return " ".join(text.split())[:1000]


def run_tool(command: Sequence[str | Path], what: str, **options: Any) -> subprocess.CompletedProcess:
    """Run a command.

    Args:
        command: program and arguments
        what: description of the command for the message
        **options: of subprocess.run

    Returns:
        the finished process

    Raises:
        ToolError: if it fails; the message holds the start of its output
    """
    ran = subprocess.run([str(part) for part in command], capture_output=True, text=True, **options)
    if ran.returncode:
        raise ToolError(f"{what} failed: {one_line(ran.stderr or ran.stdout) or ran.returncode}")
    return ran


def _compiler(core: Core) -> Path | str:
    toolchain = core.toolchain
    return find_tool(f"{toolchain.prefix}-gcc", toolchain.gcc_package)


def _run_compiler(core: Core, arguments: Sequence[str | Path], what: str) -> None:
    """Run the core's compiler. Raise a ToolError if it fails or the image does not fit the core."""
    try:
        run_tool([_compiler(core), *core.flags, *arguments], what)
    except ToolError as error:
        over = re.findall(r"region `(\w+)' overflowed by (\d+) bytes", str(error))
        if over:
            sizes = {"FLASH": core.flash[1], "RAM": core.ram[1]}
            excess = " and ".join(f"{name} of {sizes[name]} bytes by {count}" for name, count in over)
            raise ToolError(
                f"the program does not fit {core.name}: it exceeds {excess} bytes; "
                "choose a larger core or a smaller network"
            ) from error
        missing = re.search(
            r"picolibc\.specs|cannot find -l[cm]\b|(stdint|string|math)\.h: No such file", str(error)
        )
        if missing:
            package = core.toolchain.library_package
            raise ToolError(
                f"the C library for {core.name} is missing; install the Debian package {package}"
            ) from error
        raise


def compiler_version(core: Core) -> str:
    """Return the first line of the version message of the core's compiler.

    Args:
        core: emulated core

    Raises:
        ToolError: if the compiler is missing or fails
    """
    path = _compiler(core)
    return run_tool([path, "--version"], str(path)).stdout.splitlines()[0]


def compile_object(
    core: Core,
    source: Path,
    target: Path,
    *,
    include: Sequence[Path] = (),
    flags: Sequence[str] = OPTIMIZATION,
) -> Path:
    """Compile one C file for a core.

    Args:
        core: emulated core
        source: C file
        target: object file to write
        include: folders of headers
        flags: flags of the compiler

    Returns:
        `target`

    Raises:
        ToolError: if the compiler is missing or fails
    """
    folders = [f"-I{folder}" for folder in (PLATFORM, *include)]
    arguments: list[str | Path] = [*flags, f"-D{core.clock}", *folders, "-c", source, "-o", target]
    _run_compiler(core, arguments, f"compiling {source.name} for {core.name}")
    return target


def link(
    core: Core, objects: Sequence[Path], target: Path, *, stack_bytes: int = 0, options: Sequence[str] = ()
) -> Path:
    """Link objects into an image for a core, without unused sections.

    Args:
        core: emulated core
        objects: object files
        target: image to write
        stack_bytes: size of the stack
        options: further options of the linker

    Returns:
        `target`

    Raises:
        ToolError: if the linker fails or the image does not fit the core
    """
    values = {"STACK_SIZE": stack_bytes}
    for name, (origin, size) in (("FLASH", core.flash), ("RAM", core.ram)):
        values |= {f"{name}_ORIGIN": origin, f"{name}_SIZE": size}
    defined = [f"-Wl,--defsym={name}={value}" for name, value in values.items()]
    script: list[str | Path] = [
        "-nostartfiles",
        "-Wl,--gc-sections",
        "-T",
        PLATFORM / "link.ld",
        *defined,
        *options,
    ]
    _run_compiler(core, [*script, *objects, "-lm", "-o", target], f"linking for {core.name}")
    return target


def build(
    core: Core,
    folder: Path,
    *,
    program: str,
    sources: Sequence[Path],
    include: Path,
    functions: Sequence[str],
    flags: Sequence[str] = OPTIMIZATION,
) -> tuple[Path, dict[str, int]]:
    """Build a program of platform/ with sources into an image, and count the bytes of the sources.

    The stack gets the RAM that static data leave. The bytes are the difference to an image without
    `functions`: code, constants, and the functions of the compiler's library that the sources need.

    Args:
        core: emulated core
        folder: for object files and images
        program: name of the main file in platform/, without `.c`
        sources: C files to measure
        include: folder of their headers
        functions: names of the functions that the program calls
        flags: flags of the compiler, for the sources

    Returns:
        path of the image, and {section: bytes} of the sources

    Raises:
        ToolError: if the compiler is missing or fails, or the image does not fit the core
    """
    harness = [
        compile_object(core, PLATFORM / f"{name}.c", folder / f"{name}.o", include=[include])
        for name in (core.toolchain.start, "files", program)
    ]
    measured = [
        compile_object(core, source, folder / f"{source.stem}.o", include=[include], flags=flags)
        for source in sources
    ]
    objects = [*harness, *measured]
    image = link(core, objects, folder / "image.elf")
    sections = section_bytes(core, image)
    # Sections may begin after a gap of up to seven bytes.
    stack_bytes = max(core.ram[1] - ram_bytes(sections) - 16, 0) // 8 * 8
    link(core, objects, image, stack_bytes=stack_bytes)
    absent = [f"-Wl,--defsym={function}={core.flash[0]}" for function in functions]
    without = section_bytes(core, link(core, harness, folder / "absent.elf", options=absent))
    return image, {name: size - without.get(name, 0) for name, size in sections.items()}


def section_bytes(core: Core, image: Path) -> dict[str, int]:
    """Return the bytes of each section of an image.

    Args:
        core: emulated core
        image: ELF file

    Raises:
        ToolError: if the tool `size` is missing or fails
    """
    tool = find_tool(f"{core.toolchain.prefix}-size", core.toolchain.binutils_package)
    listing = run_tool([tool, "-A", image], "size").stdout
    return {name: int(size) for name, size in re.findall(r"^(\.\w+)\s+(\d+)\s", listing, re.MULTILINE)}


def flash_by_section(sections: dict[str, int]) -> dict[str, int]:
    """Return the bytes of the sections in flash, without the leading dot of their names.

    Args:
        sections: {section: bytes}
    """
    return {name[1:]: sections[name] for name in FLASH_SECTIONS if sections.get(name)}


def flash_bytes(sections: dict[str, int]) -> int:
    """Return the bytes of all sections in flash.

    Args:
        sections: {section: bytes}
    """
    return sum(flash_by_section(sections).values())


def ram_bytes(sections: dict[str, int]) -> int:
    """Return the bytes of static data.

    Args:
        sections: {section: bytes}
    """
    return sum(sections.get(name, 0) for name in RAM_SECTIONS)
