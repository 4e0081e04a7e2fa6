"""One trial of a W&B sweep as a DVC experiment: `python -m tools.trial train.copies=0 train.filters=[4]`."""

import os
import re
import subprocess
import sys


def main(settings: list[str]) -> int:
    # The agent's own variables name the run that the last stage mirrors to.
    environment = {"WANDB_MODE": "online"} | os.environ
    # The agent writes values as Python does.
    settings = [re.sub("=None$", "=null", setting) for setting in settings]
    words = [word for setting in settings for word in ("-S", setting)]
    return subprocess.run(["dvc", "exp", "run", "--temp", *words], env=environment).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
