"""The emulated cores: how to compile for each, which board QEMU has for it, and what its clock counts."""

from dataclasses import dataclass
from fractions import Fraction

from tinystride.errors import ParameterError


@dataclass(frozen=True)
class Core:
    """One core on one board of QEMU, whose virtual clock runs by instructions (`-icount`).

    An instruction takes more than two ticks of the board's clock, so that ticks tell instructions exactly.
    """

    name: str
    machine: str
    flags: tuple[str, ...]
    clock: str  # of platform/start.c
    tick_ns: Fraction
    icount_shift: int  # an instruction takes 2^shift ns of virtual time
    flash: tuple[int, int]  # origin, bytes
    ram: tuple[int, int]

    def instructions(self, ticks: int) -> int:
        """Instructions in so many ticks, to the nearest."""
        return round(ticks * self.tick_ns / (1 << self.icount_shift))


def _mps2(name: str, machine: str, *flags: str) -> Core:
    # Of the board's 4 MB of RAM as much as microcontrollers have: all of it is painted for each call.
    flash, ram = (0, 4 << 20), (0x20000000, 512 << 10)
    return Core(name, machine, ("-mthumb", *flags), "CMSDK_TIMER", Fraction(40), 10, flash, ram)


CORES = {
    core.name: core
    for core in (
        Core(
            name="cortex-m0",
            machine="microbit",
            flags=("-mthumb", "-mcpu=cortex-m0"),
            clock="NRF_TIMER",
            tick_ns=Fraction(125, 2),
            icount_shift=10,
            flash=(0, 256 << 10),
            ram=(0x20000000, 16 << 10),
        ),
        _mps2("cortex-m3", "mps2-an385", "-mcpu=cortex-m3"),
        _mps2("cortex-m4f", "mps2-an386", "-mcpu=cortex-m4", "-mfpu=fpv4-sp-d16", "-mfloat-abi=hard"),
        _mps2("cortex-m7", "mps2-an500", "-mcpu=cortex-m7", "-mfpu=fpv5-sp-d16", "-mfloat-abi=hard"),
        Core(
            name="cortex-m55",
            machine="mps3-an547",
            flags=("-mthumb", "-mcpu=cortex-m55", "-mfloat-abi=hard"),
            clock="SYSTICK",
            tick_ns=Fraction(125, 4),
            icount_shift=6,
            flash=(0, 512 << 10),
            ram=(0x20000000, 512 << 10),
        ),
    )
}


def find_core(name: str) -> Core:
    """Raises ParameterError, listing the cores that there are."""
    if name not in CORES:
        raise ParameterError(f"no core '{name}'; there are {', '.join(CORES)}")
    return CORES[name]
