"""Run a trial of a W&B sweep as a DVC experiment: `python -m tools.trial train.epochs=5 train.dense=[4]`."""

import os
import re
import subprocess
import sys


def main(settings: list[str]) -> int:
    # The agent's variables name the run to which the last stage logs.
    environment = {"WANDB_MODE": "online"} | os.environ
    # The agent writes Python values, dvc reads YAML.
    settings = [re.sub("=None$", "=null", setting) for setting in settings]
    words = [word for setting in settings for word in ("-S", setting)]
    return subprocess.run(["dvc", "exp", "run", "--temp", *words], env=environment).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
