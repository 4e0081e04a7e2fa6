"""One short script per node of the DAG: parameters and paths in, a call into the library, files out."""

import os

# TensorFlow's account of the processor is no news to anybody. Set before anything imports it.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
