# %% [markdown]
# # Train a variant and compare it
#
# Change one parameter of the pipeline, train, and compare the result with the one before, by `dvc exp`. The
# question of this tutorial: does a smaller network save flash without a larger error?
#
# Run it in a clone of the repository that `make run` has set up. It works in a temporary copy, with few
# **simulated** people, few epochs and two folds, so that both runs take 2 to 3 minutes. The numbers
# therefore show how to compare, not how good TinyStride is.

# %%
import io
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pandas as pd

# DVC runs the stages with the `python` that it finds first; this is the one that runs this tutorial.
os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"


def run(*command: str, folder: str = ".") -> str:
    """Run a command in a folder and return what it prints."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
    return done.stdout


# %% [markdown]
# ## Work in a copy
#
# An experiment changes `params.yaml`, `dvc.lock` and the results in the folder where it runs. In your own
# work you run it in your clone, and `git checkout . && dvc checkout` brings everything back. Here a copy
# keeps your clone as it is.

# %%
repository = run("git", "rev-parse", "--show-toplevel").strip()
temporary = tempfile.TemporaryDirectory(prefix="tinystride-")
copy = temporary.name
run("git", "clone", "--quiet", repository, copy)
print(*sorted(path.name for path in Path(copy).glob("*.yaml")))

# %% [markdown]
# ## Run the baseline
#
# `dvc exp run -S NAME=VALUE` sets a parameter of `params.yaml` and runs the stages that depend on it. The
# first line below names the experiment and the last stage that is wanted; the other lines make the run
# small. `publish` is the stage that writes the metrics which `dvc exp show` compares.

# %%
QUICK = [
    "download.datasets=[simulated]",
    "download.simulated.subjects=4",
    "folds=[0,1]",
    "split.strategy=grouped-kfold",
    "train.epochs=3",
    "train.augmentations_per_stride=1",
    "evaluate.resamples=50",
    "benchmark.cores=[cortex-m4f]",
    "benchmark.vectors=20",
    "benchmark.recordings=1",
]


def experiment(name: str, changes: list[str]) -> None:
    """Run an experiment up to the stage publish, and print which stages ran and which were skipped."""
    settings = [word for change in changes for word in ("-S", change)]
    printed = run("dvc", "exp", "run", "-n", name, *settings, "publish", folder=copy)
    lines = [line for line in printed.splitlines() if line.startswith(("Running stage", "Stage", "Ran"))]
    print("\n".join(lines))


experiment("baseline", QUICK)

# %% [markdown]
# ## Run the variant
#
# The default network has convolutions with 6 and 4 filters and a dense layer of 4. The variant has 4 and 2
# filters and no dense layer. Only these two parameters change: if more changed, you would not know which
# one made the difference.
#
# DVC skips the stages whose parameters and inputs are as before: data, strides and split are not made
# again.

# %%
experiment("small", ["train.filters=[4,2]", "train.dense=[]"])

# %% [markdown]
# ## Compare
#
# On a terminal, `dvc exp show --only-changed` shows all experiments with what differs between them. The
# same as csv gives the table that is wanted here: error and cost. All columns are metrics of the people
# that the network has not seen in training.

# %%
table = pd.read_csv(io.StringIO(run("dvc", "exp", "show", "--csv", folder=copy)))
table = table[table["Experiment"].isin(["baseline", "small"])].set_index("Experiment").sort_index()
columns = {
    "simulated.rmse_cm": "RMSE, cm",
    "simulated.strapdown_cm": "without network, cm",
    "parameters": "parameters",
    "net.flash_bytes": "flash, bytes",
    "net.instructions": "instructions",
}
comparison = table[list(columns)].rename(columns=columns)
print(comparison.round(2).to_string())

# %% [markdown]
# - `RMSE`: root mean square error of single strides, with the int8 network.
# - `without network`: the same by integration alone. It is the same in both rows, because no training is
#   involved.
# - `flash` and `instructions`: cost of the network on an emulated Cortex-M4F.
#
# The variant costs less. Whether its error is larger cannot be decided with four simulated people and three
# epochs: repeat it with the defaults, and compare the difference with the 95 % intervals in
# `results/evaluate/metrics.json`. [Decisions](../decisions.md) lists what such comparisons have found.
#
# ## Keep one
#
# ```sh
# dvc exp apply small                    # bring its parameters and results into the workspace
# dvc exp branch small smaller-network   # or make a Git branch of it
# dvc exp remove baseline                # or forget it
# ```
#
# More ways to run and compare, also many experiments in a queue, are in [Experiments](../experiments.md).

# %%
temporary.cleanup()
