"""Log a finished run to Weights & Biases. The environment alone switches this on: no stage depends on it."""

import os
import subprocess
import warnings
from pathlib import Path

import pandas as pd

from stages.common import INT8_TFLITE, RESULTS, show
from tinystride.errors import MissingExtraError
from tinystride.files import read_json
from tinystride.tracking import LoggedRun, TrackingError, log_run

CURVES = RESULTS / "train" / "plots" / "metrics"


def log_results(parameters: dict) -> None:
    """Log the results of all stages if WANDB_MODE says so; a failure is a warning."""
    mode = os.environ.get("WANDB_MODE", "")
    if mode in ("", "disabled"):
        return
    folder = log_folder()
    try:
        log_run(collect(parameters), mode=mode, folder=folder)
    except (TrackingError, MissingExtraError, OSError) as error:
        warnings.warn(str(error), stacklevel=2)
        return
    if mode == "offline":
        show(f"W&B: logged offline; run `wandb sync --sync-all` in {folder} to upload it")


def log_folder() -> Path:
    """Return WANDB_DIR, or a folder of the user's outside an experiment's temporary checkout."""
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    named = os.environ.get("WANDB_DIR") or Path(state) / "tinystride"
    return Path(os.environ.get("DVC_ROOT", ".")).resolve() / named


def collect(parameters: dict) -> LoggedRun:
    """Return what the stages have left in results/, to be logged under the name of the experiment."""
    evaluated = read_json(RESULTS / "evaluate" / "metrics.json")
    headlines = sorted(RESULTS.glob("*/headline.json"))
    return LoggedRun(
        name=os.environ.get("DVC_EXP_NAME", "workspace"),
        group=baseline(),
        parameters=parameters,
        curve=pd.concat([_curve(path) for path in sorted(CURVES.rglob("*.tsv"))], axis=1),
        metrics={path.parent.name: read_json(path) for path in headlines} | {"all": _overall(evaluated)},
        plots={path.stem: path for path in sorted(RESULTS.glob("*/*.png"))},
        model=INT8_TFLITE,
    )


def baseline() -> str:
    """Return the commit that an experiment starts from, else the one that is checked out, 7 digits."""
    revision = os.environ.get("DVC_EXP_BASELINE_REV")
    if not revision:
        answer = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True)
        revision = answer.stdout.strip()
    return revision[:7] or "no commit"


def _curve(path: Path) -> pd.DataFrame:
    curve = pd.read_csv(path, sep="\t").set_index("step")[[path.stem]]
    return curve.set_axis([path.relative_to(CURVES).with_suffix("").as_posix()], axis=1)


def _overall(metrics: dict) -> dict:
    """Return the metrics without those of single people and conditions."""
    return {
        name: _overall(value) if isinstance(value, dict) else value
        for name, value in metrics.items()
        if name not in ("per_subject", "per_condition")
    }
