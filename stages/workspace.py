"""Allow one run at a time in a checkout. DVC's own lock is not enough: DVC releases it while a stage runs."""

import fcntl
import json
import os
import sys
import time
from pathlib import Path

LOCK = Path(".dvc/tmp/lock")
PATIENCE_S = 3  # as DVC
EXPERIMENT = Path(
    ".dvc/tmp/exps/run/workspace/workspace.run"
)  # DVC writes here which experiment uses the checkout
_held = []


def claim_workspace() -> None:
    """Hold DVC's lock until this process ends, or exit with one line.

    Otherwise a second `dvc exp run` would change params.yaml while stages of the first one run, and DVC would
    keep neither. Two runs that start in the same second are not detected here.
    """
    if not LOCK.is_file():
        return
    _held.append(LOCK.open())
    until = time.monotonic() + PATIENCE_S
    while not _locked(_held[0]):
        if time.monotonic() > until:
            _refuse("another DVC command is running in this checkout")
        time.sleep(0.1)
    check_experiment()


def check_experiment() -> None:
    """Exit with one line if another experiment has taken over the checkout of this one."""
    name = os.environ.get("DVC_EXP_NAME")
    # With `--temp` and in the queue, an experiment has its own checkout.
    if name and os.environ.get("DVC_ROOT") == os.getcwd() and name != _running():
        _refuse("another experiment has started in this checkout")


def _locked(file) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _running() -> str | None:
    try:
        return json.loads(EXPERIMENT.read_text())["name"]
    except FileNotFoundError:  # removed by the experiment that ended first
        return None


def _refuse(why: str) -> None:
    remedy = "nothing is lost; run it again when the other one has ended, or now with `dvc exp run --temp`"
    print(f"error: {why}; {remedy}", file=sys.stderr)
    sys.exit(1)
