"""One short script per node of the DAG: parameters and paths in, a call into the library, files out."""
