"""Paths, parameters and error handling of all stages."""

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
# Outputs in DVC's cache; the stage publish copies them to MODELS, which is in Git.
BUILT = Path("models/built")
FLOAT32_TFLITE = BUILT / "stride_float32.tflite"
INT8_TFLITE = BUILT / "stride_int8.tflite"
C_LIBRARY = BUILT / "c"
MODELS = Path("models")
RESULTS = Path("results")


def run_stage(name: str, main: Callable[[dict], None]) -> None:
    """Run `main` with the parameters that dvc.yaml declares for the stage, and no others."""
    warnings.showwarning = lambda message, *_, **__: show(f"WARNING: {message}")
    with one_line_errors():
        # DVC names the instance of a matrix stage; outside `dvc repro` the stage's own name is used.
        stage, written = os.environ.get("DVC_STAGE", name), PARAMETERS.read_bytes()
        if "DVC_STAGE" in os.environ:
            show(f"{stage}: {description(name)}")
        parameters = dvc.api.params_show(stages=stage)
        main(parameters)
        # DVC would store the new parameters with results of the old ones.
        if PARAMETERS.read_bytes() != written and dvc.api.params_show(stages=stage) != parameters:
            raise ParameterError("params.yaml has changed while this stage ran; run it again")
        check_experiment()


def description(stage: str) -> str:
    """Return the `desc` of a stage in dvc.yaml, or in the file named before a colon, on one line."""
    file, _, name = stage.rpartition(":")
    return " ".join(yaml.safe_load(Path(file or "dvc.yaml").read_text())["stages"][name]["desc"].split())


def validated_kwargs(block: str, parameters: dict, function: Callable) -> dict:
    """Return a block of parameters as keyword arguments of `function`.

    Raises ParameterError if the function has no such argument.
    """
    accepted = inspect.signature(function).parameters
    for name in parameters[block]:
        if name not in accepted:
            raise ParameterError(
                f"params.yaml: {block}.{name} is unknown; remove it or use one of {', '.join(accepted)}"
            )
    return parameters[block]


def show(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
