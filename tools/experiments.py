"""Compare DVC's experiments by error and footprint: a table and a plot. `python -m tools.experiments`."""

import argparse
import json
import subprocess
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator, StrMethodFormatter

from tinystride.cli import one_line_errors
from tinystride.errors import DataError, ToolError
from tinystride.files import atomic_write
from tinystride.sweep import pareto

HEADLINE = "results/headline.json"
# {column: path in DVC's metrics}
COSTS = {
    "parameters": (HEADLINE, "parameters"),
    "flash, bytes": (HEADLINE, "net", "flash_bytes"),
    "RAM, bytes": (HEADLINE, "net", "ram_bytes"),
    "instructions": (HEADLINE, "net", "instructions"),
    "training, GMAC": (HEADLINE, "training_gmac"),
}
SHOWN = ("flash, bytes", "instructions")


def shown_experiments() -> list[dict]:
    """Return [{"name", "data": {"metrics": …}}] of the checked-out commit and its finished experiments.

    Raises ToolError if `dvc exp show` fails.
    """
    done = subprocess.run(["dvc", "exp", "show", "--json", "--hide-queued"], capture_output=True, text=True)
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
        raise ToolError(f"dvc exp show: {(said or ['failed'])[0]}")
    found = []
    for baseline in json.loads(done.stdout)[1:]:
        found.append(baseline)
        for experiment in baseline["experiments"] or []:
            # An experiment that still runs shows the metrics of its starting point.
            if (experiment.get("executor") or {}).get("state") in (None, "success"):
                found += experiment["revs"][:1]
    return found


def compare(experiments: list[dict], sets: list[str] | None = None) -> pd.DataFrame:
    """Return one row per experiment: RMSE of int8 on each set, cm, and COSTS.

    Experiments without one of these numbers are left out.

    sets: data sets; None: all data sets with measured lengths in the first experiment
    """
    rows = []
    for experiment in experiments:
        metrics = {
            path: content.get("data") or {}
            for path, content in ((experiment.get("data") or {}).get("metrics") or {}).items()
        }
        errors = metrics.get(HEADLINE, {})
        if sets is None:
            sets = [
                name for name, own in errors.items() if isinstance(own, dict) and "rmse_cm" in own
            ] or None
        row = {"experiment": experiment["name"] or experiment["rev"][:7]}
        row |= {name: errors.get(name, {}).get("rmse_cm") for name in sets or []}
        row |= {name: _at(metrics, place) for name, place in COSTS.items()}
        rows.append(row)
    return pd.DataFrame(rows).dropna().reset_index(drop=True)


def _at(values: dict, place: tuple[str, ...]):
    for name in place:
        values = values.get(name) or {}
    return values or None


def draw(table: pd.DataFrame, error: str, path: Path) -> None:
    """Plot the error against flash and against instructions, both logarithmic.

    A line joins the experiments that no other one beats in both.
    """
    figure = Figure(figsize=(9, 3.8), layout="constrained")
    for axes, cost in zip(figure.subplots(1, len(SHOWN)), SHOWN, strict=True):
        best = table[pareto(table[[error, cost]].to_numpy(float))].sort_values(cost)
        axes.plot(best[cost], best[error], color="C0", linewidth=1)
        axes.scatter(table[cost], table[error], color="C0", s=16)
        for _, row in table.iterrows():
            place = {"textcoords": "offset points", "size": 7, "rotation": 50}
            axes.annotate(row["experiment"], (row[cost], row[error]), (1, 4), **place)
        axes.set(xscale="log", xlabel=cost, ylabel=f"RMSE, {error}, cm")
        axes.margins(0.2)
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    with atomic_write(path) as partial:
        figure.savefig(partial, format="png", dpi=150, metadata={"Software": None})


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.experiments", description=__doc__)
    parser.add_argument("--sets", nargs="+", help="data sets to show (default: all with measured lengths)")
    parser.add_argument(
        "--plot", type=Path, metavar="FILE.png", help="plot the error of the first set against cost"
    )
    parser.add_argument("--figure", type=Path, dest="plot", help=argparse.SUPPRESS)  # old name
    arguments = parser.parse_args(argv)
    with one_line_errors():
        table = compare(shown_experiments(), arguments.sets)
        if table.empty:
            raise DataError("no experiment has all metrics; run some with `dvc exp run -S …`")
        print("RMSE of single strides on each data set, cm, and what the network costs:")
        print(table.sort_values("flash, bytes").to_string(index=False, float_format="%.2f"))
        if arguments.plot:
            draw(table, table.columns[1], arguments.plot)


if __name__ == "__main__":
    main()
