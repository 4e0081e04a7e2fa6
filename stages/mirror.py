"""What a finished run shows on Weights & Biases; the environment alone decides, so no stage runs for it."""

import os
import subprocess
import warnings
from pathlib import Path

import pandas as pd

from stages.common import INT8_TFLITE, RESULTS, show
from tinystride.errors import MissingExtraError
from tinystride.files import read_json
from tinystride.tracking import Mirrored, TrackingError, mirror

CURVES = RESULTS / "train" / "plots" / "metrics"


def mirror_run(parameters: dict) -> None:
    """Mirror what the stages have left, if WANDB_MODE says so; a failure is a warning."""
    mode = os.environ.get("WANDB_MODE", "")
    if mode in ("", "disabled"):
        return
    folder = mirror_folder()
    try:
        mirror(collect(parameters), mode=mode, folder=folder)
    except (TrackingError, MissingExtraError, OSError) as error:
        warnings.warn(str(error), stacklevel=2)
        return
    if mode == "offline":
        show(f"W&B: `wandb sync --sync-all` in {folder} sends what is there")


def mirror_folder() -> Path:
    """WANDB_DIR, or a folder of the user's: an experiment's copy of the checkout does not outlive it."""
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    named = os.environ.get("WANDB_DIR") or Path(state) / "tinystride"
    return Path(os.environ.get("DVC_ROOT", ".")).resolve() / named


def collect(parameters: dict) -> Mirrored:
    evaluated = read_json(RESULTS / "evaluate" / "metrics.json")
    headlines = sorted(RESULTS.glob("*/headline.json"))
    return Mirrored(
        name=os.environ.get("DVC_EXP_NAME", "workspace"),
        group=baseline(),
        parameters=parameters,
        curve=pd.concat([_curve(path) for path in sorted(CURVES.rglob("*.tsv"))], axis=1),
        metrics={path.parent.name: read_json(path) for path in headlines} | {"all": _overall(evaluated)},
        figures={path.stem: path for path in sorted(RESULTS.glob("*/*.png"))},
        model=INT8_TFLITE,
    )


def baseline() -> str:
    """The commit that an experiment starts from, else the one that is checked out."""
    revision = os.environ.get("DVC_EXP_BASELINE_REV")
    if not revision:
        asked = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True)
        revision = asked.stdout.strip()
    return revision[:7] or "no commit"


def _curve(path: Path) -> pd.DataFrame:
    curve = pd.read_csv(path, sep="\t").set_index("step")[[path.stem]]
    return curve.set_axis([path.relative_to(CURVES).with_suffix("").as_posix()], axis=1)


def _overall(metrics: dict) -> dict:
    """Without the figures of single people and conditions."""
    return {
        name: _overall(value) if isinstance(value, dict) else value
        for name, value in metrics.items()
        if name not in ("per_subject", "per_condition")
    }
