"""A mirror of a run on Weights & Biases. The files of the pipeline are the truth; nothing is read back."""

import logging
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

import pandas as pd

from tinystride.errors import TinyStrideError
from tinystride.optional import extra

PROJECT = "tinystride"
MODES = ("online", "offline")
START_TIMEOUT_S = 30
FINISH_TIMEOUT_S = 120


class TrackingError(TinyStrideError):
    """The mirror could not be written; what it mirrors is not concerned."""


@dataclass(frozen=True)
class Mirrored:
    """What a run shows.

    name: of the run; group: the runs that it is to be compared with
    parameters: nested, plain values
    curve: one row an epoch, a column each figure, indexed by the epoch
    metrics: nested; numbers and strings are shown, under their names joined by "/"
    figures: pictures, by name
    model: a file, kept as the artifact "stride-model"
    """

    name: str
    group: str
    parameters: Mapping
    curve: pd.DataFrame
    metrics: Mapping
    figures: Mapping[str, Path]
    model: Path


def mirror(run: Mirrored, *, mode: str, folder: Path) -> None:
    """Send the run ("online"), or write it to `folder`/wandb/offline-run-*, from where `wandb sync` sends it.

    folder: absolute, made if it is not there
    Raises TrackingError if W&B cannot be reached, refuses the key, has none, or fails otherwise.
    """
    if mode not in MODES:
        raise TrackingError(f"W&B: mode {mode!r} is none of {', '.join(MODES)}")
    # What it has to say about itself would be lines on somebody's terminal.
    os.environ.update({"WANDB_SILENT": "true", "WANDB_ERROR_REPORTING": "false"})
    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
    with extra("track"):
        import wandb
    try:
        folder.mkdir(parents=True, exist_ok=True)
        settings = wandb.Settings(
            console="off",
            disable_git=True,
            disable_code=True,
            x_disable_stats=True,
            init_timeout=START_TIMEOUT_S,
            finish_timeout=FINISH_TIMEOUT_S,
            finish_timeout_raises=True,
        )
        with wandb.init(
            project=os.environ.get("WANDB_PROJECT", PROJECT),
            name=run.name,
            group=run.group,
            config=dict(run.parameters),
            dir=folder,
            mode=cast(Literal["online", "offline"], mode),
            settings=settings,
        ) as opened:
            for epoch, figures in run.curve.iterrows():
                opened.log({"epoch": epoch, **{str(name): value for name, value in figures.items()}})
            opened.log({f"figures/{name}": wandb.Image(str(path)) for name, path in run.figures.items()})
            opened.summary.update(dict(flat(run.metrics)))
            artifact = wandb.Artifact("stride-model", type="model")
            artifact.add_file(str(run.model))
            opened.log_artifact(artifact)
    # Whatever a service, a network or its client does: nothing here is worth an interrupted pipeline.
    except Exception as error:
        said = next(iter(str(error).splitlines()), "") or type(error).__name__
        raise TrackingError(
            f"W&B: {said}; the results are complete without it. Check WANDB_API_KEY and the network, or set "
            "WANDB_MODE=offline"
        ) from error


def flat(values: Mapping, prefix: str = "") -> Iterator[tuple[str, float | str]]:
    """("a/b", number or string) of {"a": {"b": …}}; lists and None are left out."""
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from flat(value, f"{prefix}{name}/")
        elif isinstance(value, int | float | str):
            yield f"{prefix}{name}", value
