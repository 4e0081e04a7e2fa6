"""Benchmarks of pipeline and C: `make benchmark` for all, `python -m benchmarks NAME …` for some."""
