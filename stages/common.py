"""What all stages share: where things are, their parameters, errors in one line."""

import inspect
import os
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import dvc.api

from stages.workspace import check_experiment
from tinystride.cli import one_line_errors
from tinystride.errors import ParameterError

PARAMETERS = Path("params.yaml")
RAW = Path("data/raw")
STRIDES = Path("data/strides")
SPLIT = Path("data/split.json")
FLOAT32 = Path("models/float32")
FLOAT32_TFLITE = Path("models/stride_float32.tflite")
INT8_TFLITE = Path("models/stride_int8.tflite")
C_LIBRARY = Path("models/c")
RESULTS = Path("results")


def run_stage(name: str, main: Callable[[dict], None]) -> None:
    """Run `main` with the parameters that dvc.yaml declares for the stage, and with no others."""
    warnings.showwarning = lambda message, *_, **__: show(f"WARNING: {message}")
    with one_line_errors():
        # DVC names the instance of a matrix stage; outside of `dvc repro` the stage's own name serves.
        stage, written = os.environ.get("DVC_STAGE", name), PARAMETERS.read_bytes()
        parameters = dvc.api.params_show(stages=stage)
        main(parameters)
        # DVC would note the new ones beside the results of the old ones.
        if PARAMETERS.read_bytes() != written and dvc.api.params_show(stages=stage) != parameters:
            raise ParameterError("params.yaml has changed while this stage ran; run it again")
        check_experiment()


def known(block: str, parameters: dict, function: Callable) -> dict:
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
