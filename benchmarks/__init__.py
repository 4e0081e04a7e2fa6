"""What the pipeline costs: `make benchmark`, or `python -m benchmarks NAME …` for some of it."""
