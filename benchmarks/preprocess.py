"""Time and memory of the stage preprocess on data/raw."""

from collections.abc import Iterator

from benchmarks.processes import timed


def measure() -> Iterator[tuple[str, str, str]]:
    seconds, gigabytes = timed("python", "-m", "stages.preprocess")
    yield "preprocess, all data sets of data/raw", f"{seconds:.1f} s", "at most 20 s"
    yield "preprocess, peak memory", f"{gigabytes:.2f} GB", "at most 2 GB"
