"""One short script per node of the DAG: parameters and paths in, a call into the library, files out."""

import os
import sys

from stages.processor import settle_arithmetic
from stages.workspace import claim_workspace

settle_arithmetic()
# TensorFlow's account of the processor is no news to anybody. Set before anything imports it.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

# Python is looking for the module that `-m` names: a stage or a study starts, nobody merely imports one.
if sys.argv[0] == "-m":
    claim_workspace()
