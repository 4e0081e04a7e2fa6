"""Measure the whole estimator on a core with recordings, and compare its strides with those on the host."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tinystride.codegen.host import compile_on_host
from tinystride.errors import ParameterError, ToolError
from tinystride.mcu.cores import Core, find_core
from tinystride.mcu.emulator import emulate
from tinystride.mcu.toolchain import (
    PLATFORM,
    build,
    compiler_version,
    flash_by_section,
    flash_bytes,
    ram_bytes,
    run_tool,
)

# No contraction into fused multiply-adds, so that core and host round in the same way.
FLAGS = ("-std=c99", "-Os", "-ffp-contract=off", "-ffunction-sections", "-fdata-sections")
FUNCTIONS = ("tinystride_init", "tinystride_push", "tinystride_set_full_scale")
FEET = ("left", "right")
HEADER = np.dtype([("rate_hz", "<f4"), ("full_scale", "<f4", 2), ("foot", "<i4"), ("samples", "<u4")])
STRIDE = np.dtype(
    [(name, "<u4") for name in ("recording", "reported_at_sample", "start_sample", "end_sample", "flags")]
    + [(name, "<f4") for name in ("start_fraction", "end_fraction", "length_cm")]
)
RECORD = np.dtype([("ticks", "<u4"), ("status", "<i4")])
TICK_OVERFLOW = (1 << 32) - 1  # TICK_OVERFLOW of platform/run_estimator.c
STATUS_STRIDE = 1  # TINYSTRIDE_STRIDE
MAX_DIFFERENCE_CM = 0.05
# Conditions for which the share of a core is computed.
RATE_HZ, STRIDES_PER_S, CLOCK_HZ = 100, 1, 64e6


@dataclass(frozen=True, eq=False)
class Stream:
    """The samples of one foot as its sensor gives them.

    Attributes:
        rate_hz: 40 to 420
        foot: "left" or "right"
        samples: [n, 6], specific force in m/s² and angular rate in rad/s; a row of NaN is a lost sample
        full_scale: full scale of the sensor, m/s² and rad/s; 0 if it is not known
    """

    rate_hz: float
    foot: str
    samples: np.ndarray
    full_scale: tuple[float, float] = (0.0, 0.0)

    def to_bytes(self) -> bytes:
        """Return the stream in the binary format that platform/run_estimator.c reads."""
        header = (self.rate_hz, self.full_scale, FEET.index(self.foot), len(self.samples))
        return np.array(header, HEADER).tobytes() + self.samples.astype("<f4").tobytes()


@dataclass(frozen=True, eq=False)
class Streamed:
    """Results of running the estimator.

    Attributes:
        strides: strides of dtype STRIDE, those of all streams in turn
        status: [samples], return values of the calls
        instructions: [samples], of the calls; 0 on the host
        state_bytes: size of the caller's state
        stack_bytes: stack of the deepest call
    """

    strides: np.ndarray
    status: np.ndarray
    instructions: np.ndarray
    state_bytes: int
    stack_bytes: int


def _sources(library: Path) -> list[Path]:
    return sorted((library / "src").glob("*.c"))


def _read(folder: Path, core: Core | None = None) -> Streamed:
    records = np.fromfile(folder / "records.bin", RECORD)
    first, last, ticks = records[0], records[-1], records["ticks"][:-1]
    if np.any(ticks == TICK_OVERFLOW):
        raise ToolError("a call took more ticks of the clock than can be counted; choose another core")
    instructions = np.array([core.instructions(int(each)) if core else 0 for each in ticks])
    return Streamed(
        np.fromfile(folder / "strides.bin", STRIDE),
        records["status"][1:-1],
        instructions[1:] - instructions[0],
        int(first["status"]),
        int(last["ticks"]),
    )


def stream_on_host(library: Path, streams: Sequence[Stream], flags: Sequence[str] = FLAGS) -> Streamed:
    """Build the library's estimator for the host and run it on streams.

    Args:
        library: folder of the exported library
        streams: recordings
        flags: flags of the compiler

    Returns:
        strides and status; nothing is measured on the host

    Raises:
        ToolError: if the compiler is missing or fails, or the program fails
    """
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        harness = [PLATFORM / name for name in ("host.c", "run_estimator.c")]
        program, include = folder / "stream", [PLATFORM, library.resolve() / "include"]
        compile_on_host([*harness, *_sources(library.resolve())], program, include=include, flags=flags)
        (folder / "recordings.bin").write_bytes(b"".join(stream.to_bytes() for stream in streams))
        run_tool([program], "the estimator on the host", cwd=folder)
        return _read(folder)


def stream_on_core(
    library: Path, streams: Sequence[Stream], core: Core, flags: Sequence[str] = FLAGS
) -> tuple[Streamed, dict[str, int]]:
    """Build the library's estimator for a core and run it in the emulator on streams.

    Args:
        library: folder of the exported library
        streams: recordings
        core: emulated core
        flags: flags of the compiler

    Returns:
        strides and costs, and {section: bytes} of the estimator alone

    Raises:
        ToolError: if compiler or emulator is missing or fails
    """
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        image, sections = build(
            core,
            folder,
            program="run_estimator",
            sources=_sources(library.resolve()),
            include=library.resolve() / "include",
            functions=FUNCTIONS,
            flags=flags,
        )
        (folder / "recordings.bin").write_bytes(b"".join(stream.to_bytes() for stream in streams))
        emulate(core, image, folder)
        return _read(folder, core), sections


def mismatches(found: np.ndarray, expected: np.ndarray) -> int:
    """Return the number of strides that only one of two lists contains.

    Two strides are the same if they begin and end at the same samples and their lengths differ by at most
    MAX_DIFFERENCE_CM.

    Args:
        found: [n] of dtype STRIDE
        expected: [m] of dtype STRIDE
    """

    def lengths(strides: np.ndarray) -> dict[tuple, float]:
        places = strides[["recording", "start_sample", "end_sample"]].tolist()
        return dict(zip(places, strides["length_cm"].tolist(), strict=True))

    first, second = lengths(found), lengths(expected)
    shared = {
        place
        for place in first.keys() & second.keys()
        if abs(first[place] - second[place]) <= MAX_DIFFERENCE_CM
    }
    return len((first.keys() | second.keys()) - shared)


def benchmark_estimator(
    library: Path | str,
    streams: Sequence[Stream],
    core: str = "cortex-m4f",
    flags: Sequence[str] = FLAGS,
) -> dict:
    """Run an exported library's estimator on recordings in the emulator, and measure it.

    Flash is code and constants of front end, network and the mathematical functions that they call. RAM is
    the caller's state, static data and the stack of the deepest call. "At stride end" refers to calls that
    report a stride. The share of a core assumes one cycle per instruction, 100 samples and one stride per
    second, 64 MHz.

    Args:
        library: folder of the exported library
        streams: recordings
        core: one of `tinystride.mcu.cores.CORES`
        flags: flags of the compiler

    Returns:
        `{core, flash_bytes, flash_by_section, ram_bytes, static_bytes, stack_bytes, instructions_per_sample,
        instructions_per_sample_worst, instructions_at_stride_end, instructions_at_stride_end_worst,
        instructions_per_stride, share_of_64_mhz_percent, latency_s, latency_worst_s, recordings, samples,
        strides, mismatches, compiler, flags}`; `mismatches` counts strides that differ from those of the
            same C
        on the host

    Raises:
        ParameterError: if the core is unknown or there are no streams
        ToolError: if compiler or emulator is missing or fails
    """
    chosen, library = find_core(core), Path(library)
    if not streams:
        raise ParameterError("no recordings to stream through the estimator; name at least one")
    streamed, sections = stream_on_core(library, streams, chosen, flags)
    expected = stream_on_host(library, streams, flags).strides
    reports = streamed.status == STATUS_STRIDE
    between, at_end = streamed.instructions[~reports], streamed.instructions[reports]
    per_stride = RATE_HZ / STRIDES_PER_S * between.mean() + (at_end.mean() if len(at_end) else 0)
    static_bytes = streamed.state_bytes + ram_bytes(sections)
    return {
        "core": core,
        "flash_bytes": flash_bytes(sections),
        "flash_by_section": flash_by_section(sections),
        "ram_bytes": static_bytes + streamed.stack_bytes,
        "static_bytes": static_bytes,
        "stack_bytes": streamed.stack_bytes,
        "instructions_per_sample": round(float(between.mean()), 1),
        "instructions_per_sample_worst": int(between.max()),
        "instructions_at_stride_end": round(float(at_end.mean())) if len(at_end) else 0,
        "instructions_at_stride_end_worst": int(at_end.max(initial=0)),
        "instructions_per_stride": round(float(per_stride)),
        "share_of_64_mhz_percent": round(float(per_stride * STRIDES_PER_S / CLOCK_HZ * 100), 3),
        **_latency(streamed.strides, [stream.rate_hz for stream in streams]),
        "recordings": len(streams),
        "samples": len(reports),
        "strides": len(streamed.strides),
        "mismatches": mismatches(streamed.strides, expected),
        "compiler": compiler_version(chosen),
        "flags": " ".join([*chosen.flags, *flags]),
    }


def _latency(strides: np.ndarray, rates_hz: Sequence[float]) -> dict[str, float]:
    """Return mean and maximum time from the mid-stance that ends a stride to the sample that reports it."""
    if not len(strides):
        return {"latency_s": 0.0, "latency_worst_s": 0.0}
    samples = strides["reported_at_sample"] - (strides["end_sample"] + strides["end_fraction"].astype(float))
    latency_s = samples / np.asarray(rates_hz)[strides["recording"]]
    return {
        "latency_s": round(float(latency_s.mean()), 3),
        "latency_worst_s": round(float(latency_s.max()), 3),
    }
