"""Plots of the studies."""

from pathlib import Path

import matplotlib.style
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from tinystride.evaluation.plot_style import CM, COLOURS, GREY, STYLE


def plot_ablation(table: pd.DataFrame, path: Path) -> None:
    """Plot RMSE minus that of the integral, with intervals: a panel for each set, a group for each sensor."""
    with matplotlib.style.context(["default", STYLE]):
        sets, sensors = table["set"].unique(), list(table["sensor"].unique())
        shown = [name for name in table["estimator"].unique() if name != "integral"]
        figure = Figure(figsize=(11 * CM * len(sets), 11 * CM))
        panels = figure.subplots(1, len(sets), sharey=True, squeeze=False)[0]
        for axes, name in zip(panels, sets, strict=True):
            for i, estimator in enumerate(shown):
                rows = table[(table["set"] == name) & (table["estimator"] == estimator)]
                y = [sensors.index(sensor) + 0.13 * (i - (len(shown) - 1) / 2) for sensor in rows["sensor"]]
                centre = rows["rmse_difference_cm"]
                errors = centre - rows["rmse_difference_cm_low"], rows["rmse_difference_cm_high"] - centre
                axes.errorbar(
                    centre, y, xerr=errors, markersize=4,
                    fmt="os"[i // len(COLOURS)], color=COLOURS[i % len(COLOURS)],
                    label=estimator if name == sets[0] else None,
                )  # fmt: skip
            axes.axvline(0, color=GREY, linewidth=0.8)
            axes.set_xscale("symlog", linthresh=1, linscale=2)
            axes.set_xticks([-1, -0.5, 0, 0.5, 1, 3, 10], ["−1", "−0.5", "0", "0.5", "1", "3", "10"])
            axes.minorticks_off()
            axes.set_title(name)
            axes.set_yticks(range(len(sensors)), sensors)
            axes.set_xlabel("RMSE minus that of the integral, cm")
        axes.invert_yaxis()
        figure.legend(loc="outside lower center", ncols=3)
        _save(figure, path)


def plot_sizes(table: pd.DataFrame, path: Path) -> None:
    """Plot the RMSE over the number of parameters, with intervals; the integral is at 0."""
    with matplotlib.style.context(["default", STYLE]):
        figure = Figure(figsize=(14 * CM, 9 * CM))
        axes = figure.subplots()
        for i, (name, rows) in enumerate(table.groupby("set")):
            errors = rows["rmse_cm"] - rows["rmse_cm_low"], rows["rmse_cm_high"] - rows["rmse_cm"]
            axes.errorbar(
                np.arange(len(rows)) + 0.08 * i, rows["rmse_cm"], yerr=errors, fmt="o-", markersize=4,
                color=COLOURS[i % len(COLOURS)], label=name,
            )  # fmt: skip
            axes.set_xticks(range(len(rows)), [f"{parameters:,}" for parameters in rows["parameters"]])
        axes.set(xlabel="parameters (0: the integral alone)", ylabel="RMSE of single strides, cm")
        axes.legend()
        _save(figure, path)


def plot_learning_curve(table: pd.DataFrame, path: Path) -> None:
    """Plot the RMSE over the number of people: each draw as a point, their mean as a line."""
    with matplotlib.style.context(["default", STYLE]):
        estimators, sets = table["estimator"].unique(), table["set"].unique()
        figure = Figure(figsize=(9 * CM * len(estimators), 8 * CM))
        panels = figure.subplots(1, len(estimators), squeeze=False)[0]
        for axes, estimator in zip(panels, estimators, strict=True):
            for i, name in enumerate(sets):
                rows = table[(table["estimator"] == estimator) & (table["set"] == name)]
                axes.plot(rows["people"], rows["rmse_cm"], ".", color=COLOURS[i % len(COLOURS)], alpha=0.5)
                axes.plot(
                    rows.groupby("people")["rmse_cm"].mean(), "-", color=COLOURS[i % len(COLOURS)], label=name
                )
            axes.set_xscale("log", base=2)
            axes.xaxis.set_major_formatter("{x:g}")
            axes.set(title=estimator, xlabel="training people", ylabel="RMSE of single strides, cm")
            axes.legend()
        _save(figure, path)


def _save(figure: Figure, path: Path) -> None:
    figure.savefig(path, metadata={"Software": None})
