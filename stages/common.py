"""What all stages share: where things are, their parameters, errors in one line."""

import inspect
import os
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import dvc.api
import yaml

from stages.workspace import check_experiment
from tinystride.cli import one_line_errors
from tinystride.errors import ParameterError

PARAMETERS = Path("params.yaml")
RAW = Path("data/raw")
STRIDES = Path("data/strides")
SPLIT = Path("data/split.json")
FLOAT32 = Path("models/float32")
# What stages compute, in DVC's cache; the stage publish copies it to MODELS, which is in Git.
BUILT = Path("models/built")
FLOAT32_TFLITE = BUILT / "stride_float32.tflite"
INT8_TFLITE = BUILT / "stride_int8.tflite"
C_LIBRARY = BUILT / "c"
MODELS = Path("models")
RESULTS = Path("results")


def run_stage(name: str, main: Callable[[dict], None]) -> None:
    """Run `main` with the parameters that dvc.yaml declares for the stage, and with no others."""
    warnings.showwarning = lambda message, *_, **__: show(f"WARNING: {message}")
    with one_line_errors():
        # DVC names the instance of a matrix stage; outside of `dvc repro` the stage's own name serves.
        stage, written = os.environ.get("DVC_STAGE", name), PARAMETERS.read_bytes()
        if "DVC_STAGE" in os.environ:
            show(f"{stage}: {description(name)}")
        parameters = dvc.api.params_show(stages=stage)
        main(parameters)
        # DVC would note the new ones beside the results of the old ones.
        if PARAMETERS.read_bytes() != written and dvc.api.params_show(stages=stage) != parameters:
            raise ParameterError("params.yaml has changed while this stage ran; run it again")
        check_experiment()


def description(stage: str) -> str:
    """Return what dvc.yaml, or the file named before a colon, says of a stage, in one line."""
    file, _, name = stage.rpartition(":")
    return " ".join(yaml.safe_load(Path(file or "dvc.yaml").read_text())["stages"][name]["desc"].split())


def validated_kwargs(block: str, parameters: dict, function: Callable) -> dict:
    """The block of parameters as keyword arguments of `function`; a name it has not is a ParameterError."""
    accepted = inspect.signature(function).parameters
    for name in parameters[block]:
        if name not in accepted:
            raise ParameterError(
                f"params.yaml: {block}.{name} is unknown; remove it or use one of {', '.join(accepted)}"
            )
    return parameters[block]


def show(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
