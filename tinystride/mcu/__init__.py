"""Build for a core, run it in an emulator, count bytes and instructions."""

from tinystride.mcu.benchmark import benchmark_model

__all__ = ["benchmark_model"]
