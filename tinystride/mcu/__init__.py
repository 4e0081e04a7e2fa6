"""Build the C for a core, run it in an emulator, and count bytes and instructions."""

from tinystride.mcu.estimator_benchmark import Stream, benchmark_estimator
from tinystride.mcu.network_benchmark import benchmark_model

__all__ = ["Stream", "benchmark_estimator", "benchmark_model"]
