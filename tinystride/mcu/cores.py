"""List the emulated cores: compiler flags, QEMU board, memory and clock of each."""

from dataclasses import dataclass
from fractions import Fraction

from tinystride.errors import ParameterError


@dataclass(frozen=True)
class Toolchain:
    """The programs for one architecture, with the Debian packages that contain them.

    Attributes:
        prefix: prefix of the compiler: `prefix`-gcc
        gcc_package: with the compiler
        binutils_package: with `prefix`-size
        library_package: with the C library
        qemu: name of the emulator
        qemu_package: with the emulator
        start: file of the start-up code in platform/, without `.c`
    """

    prefix: str
    gcc_package: str
    binutils_package: str
    library_package: str
    qemu: str
    qemu_package: str
    start: str


ARM = Toolchain(
    prefix="arm-none-eabi",
    gcc_package="gcc-arm-none-eabi",
    binutils_package="binutils-arm-none-eabi",
    library_package="libnewlib-arm-none-eabi",
    qemu="qemu-system-arm",
    qemu_package="qemu-system-arm",
    start="start",
)
RISCV = Toolchain(
    prefix="riscv64-unknown-elf",
    gcc_package="gcc-riscv64-unknown-elf",
    binutils_package="binutils-riscv64-unknown-elf",
    library_package="picolibc-riscv64-unknown-elf",
    qemu="qemu-system-riscv32",
    qemu_package="qemu-system-misc",
    start="start_riscv",
)


@dataclass(frozen=True)
class Core:
    """One core on one QEMU board whose virtual clock advances with instructions (`-icount`).

    An instruction takes more than two ticks of the board's clock, so that ticks give the exact number of
    instructions; or the clock counts instructions itself. Clocks count at least 5e11 instructions, which the
    emulator does not execute within its time limit.

    Attributes:
        name: for example "cortex-m4f"
        machine: QEMU's name of the board
        flags: flags of the compiler
        clock: macro that selects the clock in the start-up code
        tick_ns: virtual time of a tick, ns
        icount_shift: an instruction takes 2^icount_shift ns of virtual time
        flash: (origin, bytes)
        ram: (origin, bytes)
        toolchain: compiler and emulator
        machine_options: further options of the emulator
    """

    name: str
    machine: str
    flags: tuple[str, ...]
    clock: str
    tick_ns: Fraction
    icount_shift: int
    flash: tuple[int, int]
    ram: tuple[int, int]
    toolchain: Toolchain = ARM
    machine_options: tuple[str, ...] = ()

    def instructions(self, ticks: int) -> int:
        """Return the number of instructions in a number of ticks, to the nearest.

        Args:
            ticks: ticks of the board's clock
        """
        return round(ticks * self.tick_ns / (1 << self.icount_shift))


def _mps2(name: str, machine: str, *flags: str) -> Core:
    # A part of the board's 4 MB of RAM: as in microcontrollers, and all of it is painted for each call.
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
            icount_shift=8,
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
            clock="SYSTEM_COUNTER",
            tick_ns=Fraction(125, 4),
            icount_shift=7,
            flash=(0, 512 << 10),
            ram=(0x20000000, 512 << 10),
        ),
        Core(
            name="rv32imc",
            machine="virt",
            flags=("-march=rv32imc", "-mabi=ilp32", "--specs=picolibc.specs"),
            clock="MINSTRET",
            tick_ns=Fraction(1),
            icount_shift=0,
            flash=(0x80000000, 4 << 20),
            ram=(0x80500000, 512 << 10),  # memory below it is protected, see platform/start_riscv.c
            toolchain=RISCV,
            machine_options=("-bios", "none"),
        ),
    )
}


def find_core(name: str) -> Core:
    """Return a core by its name.

    Args:
        name: one of CORES

    Raises:
        ParameterError: if there is no such core; the message lists the cores
    """
    if name not in CORES:
        raise ParameterError(f"no core '{name}'; there are {', '.join(CORES)}")
    return CORES[name]
