"""Build for a core, run it in an emulator, count bytes and instructions."""

from tinystride.mcu.benchmark import benchmark_model
from tinystride.mcu.estimator import Stream, benchmark_estimator

__all__ = ["Stream", "benchmark_estimator", "benchmark_model"]
