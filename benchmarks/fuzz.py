"""Fuzz the C estimator under sanitizers: arbitrary calls with arbitrary values must not fail."""

import re
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.processes import ROOT

CALLS = 10_000_000
SANITIZERS = "fuzzer,address,undefined,float-cast-overflow"


def build(library: Path, folder: Path) -> Path:
    """Compile the fuzz target with the sources of an exported library; return the program."""
    program = folder / "fuzz_estimator"
    sources = [Path(__file__).with_name("fuzz_estimator.c"), *sorted((library / "src").glob("*.c"))]
    include = [f"-I{library / name}" for name in ("include", "examples/bare_metal")]
    flags = ["-std=c99", "-g", "-O1", f"-fsanitize={SANITIZERS}", "-fno-sanitize-recover=all"]
    subprocess.run(["clang", *flags, *include, *sources, "-lm", "-o", program], check=True)
    return program


def run(program: Path, *, seed: int, runs: int, max_s: int) -> tuple[int, int]:
    """Return (calls, strides) of `runs` inputs, or of as many as fit into max_s.

    Raises AssertionError if a sanitizer or a check reports an error.
    """
    limits = [f"-seed={seed}", f"-runs={runs}", f"-max_total_time={max_s}", "-timeout=20"]
    command = [program, *limits, "-max_len=2048", "-len_control=0", "-print_final_stats=0", "-verbosity=0"]
    ran = subprocess.run(command, cwd=program.parent, capture_output=True, text=True)
    said = re.findall("^.*(?:broken: |runtime error: |SUMMARY: |Base64: |    #).*$", ran.stderr, re.MULTILINE)
    assert ran.returncode == 0, "\n".join([f"seed {seed}:", *said])
    counted = re.search(r"(\d+) calls, (\d+) strides", ran.stdout)
    return int(counted[1]), int(counted[2])


def measure(library: Path = ROOT / "models" / "c") -> Iterator[tuple[str, str, str]]:
    calls = strides = seed = 0
    with tempfile.TemporaryDirectory() as folder:
        program = build(library, Path(folder))
        while calls < CALLS:
            seed += 1
            more = run(program, seed=seed, runs=5_000, max_s=300)
            calls, strides = calls + more[0], strides + more[1]
    yield "fuzzing the estimator: calls without a fault", f"{calls:,}", f">= {CALLS:,}"
    yield "fuzzing the estimator: strides reported", f"{strides:,}", "> 0"
