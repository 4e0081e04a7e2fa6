"""Run an image on an emulated core."""

import subprocess
from pathlib import Path

from tinystride.errors import ToolError
from tinystride.mcu.cores import Core
from tinystride.mcu.toolchain import find_tool

TIMEOUT_S = 1800


def emulate(core: Core, image: Path, folder: Path) -> None:
    """Run `image` until it exits, `folder` being where its files are.

    Raises ToolError without QEMU, if the program faults, exits with another status than 0 or never ends.
    """
    qemu = find_tool("qemu-system-arm", "qemu-system-arm")
    command = [
        qemu,
        *("-M", core.machine, "-nographic", "-monitor", "none", "-serial", "none"),
        *("-semihosting-config", "enable=on,target=native"),
        *("-icount", f"shift={core.icount_shift}"),
        *("-kernel", str(image.resolve())),
    ]
    try:
        ran = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=TIMEOUT_S, stdin=subprocess.DEVNULL
        )
    except subprocess.TimeoutExpired as error:
        raise ToolError(f"{image.name} on {core.name} did not end within {TIMEOUT_S} s") from error
    if ran.returncode:
        reason = {70: "a fault", 71: "a file that cannot be written"}.get(
            ran.returncode, ran.stderr.strip()[:300]
        )
        raise ToolError(f"{image.name} on {core.name} ended with status {ran.returncode}: {reason}")
