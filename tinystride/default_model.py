"""The network that is used by default: the package's own, or in a checkout the one of the pipeline."""

from pathlib import Path

NAME = "stride_int8.tflite"
PACKAGE = Path(__file__).resolve().parent
# setup.py copies models/ of the checkout into the package.
_PACKAGED = PACKAGE / "models" / NAME
DEFAULT_MODEL = _PACKAGED if _PACKAGED.exists() else PACKAGE.parent / "models" / NAME
