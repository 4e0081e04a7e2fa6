"""One short script per node of the DAG: parameters and paths in, a call into the library, files out."""

import sys

from stages.workspace import claim_workspace

# Python is looking for the module that `-m` names: a stage or a study starts, nobody merely imports one.
if sys.argv[0] == "-m":
    claim_workspace()
