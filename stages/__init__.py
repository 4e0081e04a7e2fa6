"""Scripts of the pipeline stages: read parameters and files, call the library, write files."""

import sys

from stages.workspace import claim_workspace

# Python looks for the module that `-m` names: a stage or a study starts, this is not a mere import.
if sys.argv[0] == "-m":
    claim_workspace()
