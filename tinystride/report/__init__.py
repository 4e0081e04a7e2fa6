"""The report: one self-contained page about one run of the pipeline: how good, for whom, at what cost."""
