"""One self-contained page about one run of the pipeline: what it was run on, what came out, at what cost."""
