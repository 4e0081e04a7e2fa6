"""The network that `predict` uses by default: a package has its own, a checkout that of the pipeline."""

from pathlib import Path

NAME = "stride_int8.tflite"
PACKAGE = Path(__file__).resolve().parent
# setup.py copies models/ of the checkout into the package that it builds.
_PACKAGED = PACKAGE / "models" / NAME
DEFAULT_MODEL = _PACKAGED if _PACKAGED.exists() else PACKAGE.parent / "models" / NAME
