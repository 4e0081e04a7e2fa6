"""Run an image on an emulated core."""

import subprocess
from pathlib import Path

from tinystride.errors import ToolError
from tinystride.mcu.cores import Core
from tinystride.mcu.toolchain import find_tool, one_line

TIMEOUT_S = 1800
# The statuses of platform/platform.h.
REASONS = {
    70: "fault: an address or an instruction that the core does not have",
    71: "the results could not be written to a file; free some disk space",
    72: "stack larger than the RAM; choose a core with more RAM or a smaller network",
}


def emulate(core: Core, image: Path, folder: Path) -> None:
    """Run an image until it exits.

    Args:
        core: emulated core
        image: ELF file
        folder: with the files that the program reads and writes

    Raises:
        ToolError: if QEMU is missing, the program faults, ends with a status other than 0, or does not end
    """
    qemu = find_tool(core.toolchain.qemu, core.toolchain.qemu_package)
    command = [
        qemu,
        *("-M", core.machine, *core.machine_options, "-nographic", "-monitor", "none", "-serial", "none"),
        *("-semihosting-config", "enable=on,target=native"),
        *("-icount", f"shift={core.icount_shift}"),
        *("-kernel", str(image.resolve())),
    ]
    try:
        ran = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=TIMEOUT_S, stdin=subprocess.DEVNULL
        )
    except subprocess.TimeoutExpired as error:
        raise ToolError(
            f"the program on {core.name} did not end within {TIMEOUT_S} s; give fewer vectors"
        ) from error
    if ran.returncode:
        raise ToolError(f"the program on {core.name} ({core.ram[1]} bytes of RAM): {_reason(ran)}")


def _reason(ran: subprocess.CompletedProcess) -> str:
    if "Lockup" in ran.stderr:
        return "the core locked up, a fault while another was handled; choose another core or network"
    if ran.returncode in REASONS:
        return REASONS[ran.returncode]
    # The first line of QEMU's message; the others are a dump of registers.
    lines = [line for line in ran.stderr.splitlines() if line.strip()]
    return f"ended with status {ran.returncode}" + (f": {one_line(lines[0])[:300]}" if lines else "")
