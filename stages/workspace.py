"""One run at a time in a checkout. DVC's own lock covers only part: it lets go of it while a stage runs."""

import fcntl
import json
import os
import sys
import time
from pathlib import Path

LOCK = Path(".dvc/tmp/lock")
PATIENCE_S = 3  # as DVC's own
EXPERIMENT = Path(".dvc/tmp/exps/run/workspace/workspace.run")  # where DVC notes which one has the checkout
_held = []


def claim_workspace() -> None:
    """Hold DVC's lock until this process ends, however it ends, or end it in one line.

    A second `dvc exp run` would otherwise change params.yaml under the first one's stages, and neither would
    be kept. Two that begin in the same second still get past each other's lock.
    """
    if not LOCK.is_file():
        return
    _held.append(LOCK.open())
    until = time.monotonic() + PATIENCE_S
    while not _locked(_held[0]):
        if time.monotonic() > until:
            _refuse("another DVC command is at work in this checkout")
        time.sleep(0.1)
    check_experiment()


def check_experiment() -> None:
    """End this process in one line if the experiment that it belongs to has lost the checkout."""
    name = os.environ.get("DVC_EXP_NAME")
    # Elsewhere (`--temp`, the queue) an experiment has a checkout of its own.
    if name and os.environ.get("DVC_ROOT") == os.getcwd() and name != _running():
        _refuse("another experiment began in this checkout")


def _locked(file) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _running() -> str | None:
    try:
        return json.loads(EXPERIMENT.read_text())["name"]
    except FileNotFoundError:  # removed by whoever ended first
        return None


def _refuse(why: str) -> None:
    remedy = "nothing is lost; run it again when that is done, or elsewhere with `dvc exp run --temp`"
    print(f"error: {why}; {remedy}", file=sys.stderr)
    sys.exit(1)
