"""Compile C for a bare core, link it, and count its bytes by section."""

import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tinystride.errors import ToolError
from tinystride.mcu.cores import Core

COMPILER = "arm-none-eabi-gcc"
PLATFORM = Path(__file__).parent / "platform"
# Scheduling before register allocation costs GCC 12 registers, and with them instructions.
OPTIMIZATION = ("-std=c99", "-O2", "-fno-schedule-insns", "-ffunction-sections", "-fdata-sections")
FLASH_SECTIONS = (".vectors", ".text", ".rodata", ".data")
RAM_SECTIONS = (".data", ".bss")


def find_tool(program: str, package: str) -> str:
    """The path of a program. Raises ToolError with the Debian package to install."""
    path = shutil.which(program)
    if path is None:
        raise ToolError(f"{program} is missing; install the Debian package {package}")
    return path


def run_tool(command: Sequence[str | Path], what: str, **options) -> subprocess.CompletedProcess:
    """Run a command; ToolError with the start of its complaint if it fails."""
    ran = subprocess.run([str(part) for part in command], capture_output=True, text=True, **options)
    if ran.returncode:
        raise ToolError(f"{what} failed: {(ran.stderr or ran.stdout).strip()[:500] or ran.returncode}")
    return ran


def compiler_version() -> str:
    path = find_tool(COMPILER, "gcc-arm-none-eabi")
    return run_tool([path, "--version"], COMPILER).stdout.splitlines()[0]


def compile_object(
    core: Core,
    source: Path,
    target: Path,
    *,
    include: Sequence[Path] = (),
    flags: Sequence[str] = OPTIMIZATION,
) -> Path:
    """Compile one C file for `core` into the object file `target`."""
    folders = [f"-I{folder}" for folder in (PLATFORM, *include)]
    command = [find_tool(COMPILER, "gcc-arm-none-eabi"), *core.flags, *flags, f"-D{core.clock}", *folders]
    run_tool([*command, "-c", source, "-o", target], f"compiling {source.name} for {core.name}")
    return target


def link(core: Core, objects: Sequence[Path], target: Path, *, options: Sequence[str] = ()) -> Path:
    """Link objects into an image for `core`, dropping what is not used."""
    memory = [
        f"-Wl,--defsym={name}_{what}={value}"
        for name, values in (("FLASH", core.flash), ("RAM", core.ram))
        for what, value in zip(("ORIGIN", "SIZE"), values, strict=True)
    ]
    command = [find_tool(COMPILER, "gcc-arm-none-eabi"), *core.flags, "-nostartfiles", "-Wl,--gc-sections"]
    script = [f"-Wl,-T,{PLATFORM / 'link.ld'}", *memory, *options]
    run_tool([*command, *script, *objects, "-lm", "-o", target], f"linking for {core.name}")
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
    """Build platform/`program`.c with `sources` into an image in `folder`; and the sources' bytes by section.

    These are what the image has beyond one in which the `functions` that the program calls are absent: code,
    constants, and what they need of the compiler's library.
    """
    frame = [
        compile_object(core, PLATFORM / f"{name}.c", folder / f"{name}.o", include=[include])
        for name in ("start", program)
    ]
    measured = [
        compile_object(core, source, folder / f"{source.stem}.o", include=[include], flags=flags)
        for source in sources
    ]
    image = link(core, [*frame, *measured], folder / "image.elf")
    absent = [f"-Wl,--defsym={function}=0" for function in functions]
    without = section_bytes(link(core, frame, folder / "absent.elf", options=absent))
    return image, {name: size - without.get(name, 0) for name, size in section_bytes(image).items()}


def section_bytes(image: Path) -> dict[str, int]:
    """Bytes by section of an image."""
    listing = run_tool(
        [find_tool("arm-none-eabi-size", "binutils-arm-none-eabi"), "-A", image], "size"
    ).stdout
    return {name: int(size) for name, size in re.findall(r"^(\.\w+)\s+(\d+)\s", listing, re.MULTILINE)}


def flash_by_section(sections: dict[str, int]) -> dict[str, int]:
    return {name[1:]: sections[name] for name in FLASH_SECTIONS if sections.get(name)}


def flash_bytes(sections: dict[str, int]) -> int:
    return sum(flash_by_section(sections).values())


def ram_bytes(sections: dict[str, int]) -> int:
    """Of static data."""
    return sum(sections.get(name, 0) for name in RAM_SECTIONS)
