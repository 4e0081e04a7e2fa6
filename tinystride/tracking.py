"""Logging of a run to Weights & Biases (W&B): written once, never read back by the pipeline."""

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
    """The run could not be logged. Its results are not affected."""


@dataclass(frozen=True)
class LoggedRun:
    """Content of a run's log.

    Attributes:
        name: name of the run
        group: name shared by the runs that it is compared with
        parameters: nested, plain values
        curve: one row per epoch, indexed by it; one column per metric
        metrics: nested; numbers and strings are logged under their names joined by "/"
        plots: {name: PNG file}
        model: file that is kept as the artifact "stride-model"
    """

    name: str
    group: str
    parameters: Mapping
    curve: pd.DataFrame
    metrics: Mapping
    plots: Mapping[str, Path]
    model: Path


def log_run(run: LoggedRun, *, mode: str, folder: Path) -> None:
    """Send a run to W&B, or write it to `folder`/wandb/offline-run-*, which `wandb sync` sends later.

    Args:
        run: the run
        mode: "online" or "offline"
        folder: absolute path; made if missing

    Raises:
        TrackingError: if the mode is unknown, the key missing or refused, or W&B fails or is not reached
        MissingExtraError: without the extra `track`
    """
    if mode not in MODES:
        raise TrackingError(f"W&B: mode {mode!r} is unknown; use one of {', '.join(MODES)}")
    # W&B's own messages would appear on the user's terminal.
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
            for epoch, values in run.curve.iterrows():
                opened.log({"epoch": epoch, **{str(name): value for name, value in values.items()}})
            opened.log({f"figures/{name}": wandb.Image(str(path)) for name, path in run.plots.items()})
            opened.summary.update(dict(flat(run.metrics)))
            artifact = wandb.Artifact("stride-model", type="model")
            artifact.add_file(str(run.model))
            opened.log_artifact(artifact)
    # The service, the network and W&B's client raise many kinds of errors, which must not stop the pipeline.
    except Exception as error:
        reason = next(iter(str(error).splitlines()), "") or type(error).__name__
        raise TrackingError(
            f"W&B: {reason}; the results are complete without it. Check WANDB_API_KEY and the network, or "
            "set WANDB_MODE=offline"
        ) from error


def flat(values: Mapping, prefix: str = "") -> Iterator[tuple[str, float | str]]:
    """Yield ("a/b", number or string) for {"a": {"b": …}}; lists and None are left out.

    Args:
        values: nested mappings
        prefix: text before each name

    Yields:
        Name and value.
    """
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from flat(value, f"{prefix}{name}/")
        elif isinstance(value, int | float | str):
            yield f"{prefix}{name}", value
