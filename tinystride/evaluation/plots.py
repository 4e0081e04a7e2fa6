"""Draw the plots of the evaluation as PNG files whose bytes depend on the numbers only."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tinystride.evaluation.out_of_fold import column_of
from tinystride.evaluation.plot_style import BLACK, BLUE, CM, COLOURS, GREY, ORANGE, STYLE
from tinystride.optional import extra

with extra("plot"):
    import matplotlib.style
    import matplotlib.ticker
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.legend import Legend

LABELS = {
    "int8": "int8 network", "float32": "float32 network", "strapdown": "strapdown integral",
    "stride-time-line": "line on stride time", "mean": "mean of training strides",
}  # fmt: skip
POINTS: dict[str, Any] = {"s": 8, "alpha": 0.35, "linewidths": 0}
LENGTHS = ["stride_length_cm", "int8_cm"]
PANEL_CM = 10.0
SPEED_BINS, MIN_IN_BIN = 8, 10


def draw_plots(metrics: dict, evaluated: pd.DataFrame, folder: Path | str) -> None:
    """Write one PNG of each kind.

    overview.png (for a README), estimate_against_reference.png, bland_altman.png, error_by_subject.png,
    error_by_speed.png

    Args:
        metrics: see `metrics.evaluate`
        evaluated: strides, see `metrics.evaluate`
        folder: is created if it is missing
    """
    Path(folder).mkdir(parents=True, exist_ok=True)
    with matplotlib.style.context(["default", STYLE]):
        for draw in (overview, estimate_against_reference, bland_altman, error_by_subject, error_by_speed):
            figure = draw(metrics, evaluated)
            if metrics["source"] == "simulated":
                figure.suptitle("simulated walking", color=GREY)
            figure.savefig(Path(folder) / f"{draw.__name__}.png", metadata={"Software": None})


def overview(metrics: dict, evaluated: pd.DataFrame) -> Figure:
    """Return a plot of the int8 network against the reference, and of every estimator's RMSE.

    Sets without a measured reference are shown only if there is no other set.

    Args:
        metrics: see `metrics.evaluate`
        evaluated: strides, see `metrics.evaluate`
    """
    names = [name for name in _sets(metrics) if metrics[name]["int8"]["kind"] == "accuracy"] or _sets(metrics)
    figure = Figure(figsize=(20 * CM, 9 * CM))
    scatter, errors = figure.subplots(1, 2)
    for name in names:
        rows = evaluated[evaluated["dataset"] == name]
        scatter.scatter(rows["stride_length_cm"], rows["int8_cm"], label=_title(metrics, name), **POINTS)
    shown = evaluated.loc[evaluated["dataset"].isin(names), LENGTHS]
    _lengths(scatter, shown, "stride length, int8 network, cm")
    scatter.set_title("people never seen in training")
    _opaque(scatter.legend(loc="upper left"))

    estimators = list(dict.fromkeys(estimator for name in names for estimator in metrics[name]))
    for i, name in enumerate(names):
        for row, estimator in enumerate(estimators):
            values = metrics[name].get(estimator)
            if values is None or values["rmse_cm"] is None:
                continue
            low, high = values["rmse_cm_ci95"] or [values["rmse_cm"]] * 2
            y = row + 0.18 * (i - (len(names) - 1) / 2)
            errors.plot([low, high], [y, y], color=COLOURS[i % len(COLOURS)], linewidth=2)
            errors.plot(values["rmse_cm"], y, "o", color=COLOURS[i % len(COLOURS)], markersize=5)
    errors.set_yticks(range(len(estimators)), [LABELS.get(name, name) for name in estimators])
    errors.invert_yaxis()
    # A logarithmic scale shows baselines that are ten times worse as well as differences of a tenth.
    errors.set_xscale("log")
    errors.xaxis.set_major_locator(matplotlib.ticker.LogLocator(subs=[1, 2, 5]))
    errors.xaxis.set_major_formatter("{x:g}")
    errors.xaxis.set_minor_formatter("")
    errors.set_xlabel("RMSE of single strides and 95 % interval, cm")
    return figure


def estimate_against_reference(metrics: dict, evaluated: pd.DataFrame) -> Figure:
    """Return a plot of the int8 network's lengths over the reference's, with the regression line.

    Args:
        metrics: see `metrics.evaluate`
        evaluated: strides, see `metrics.evaluate`
    """
    figure, panels = _panels(metrics)
    for axes, name in panels:
        rows, values = evaluated[evaluated["dataset"] == name], metrics[name]["int8"]
        axes.scatter(rows["stride_length_cm"], rows["int8_cm"], color=BLUE, **POINTS)
        _lengths(axes, rows[LENGTHS], "stride length, int8 network, cm")
        if values["slope"] is not None:
            ends = np.array([rows["stride_length_cm"].min(), rows["stride_length_cm"].max()])
            label = f"{values['intercept_cm']:.1f} cm + {values['slope']:.2f} × reference"
            axes.plot(ends, values["intercept_cm"] + values["slope"] * ends, color=ORANGE, label=label)
            axes.legend(loc="upper left")
    return figure


def bland_altman(metrics: dict, evaluated: pd.DataFrame) -> Figure:
    """Return a plot of the int8 error over the mean of estimate and reference, with limits of agreement.

    Args:
        metrics: see `metrics.evaluate`
        evaluated: strides, see `metrics.evaluate`
    """
    figure, panels = _panels(metrics)
    for axes, name in panels:
        rows, values = evaluated[evaluated["dataset"] == name], metrics[name]["int8"]
        mean_cm = (rows["int8_cm"] + rows["stride_length_cm"]) / 2
        axes.scatter(mean_cm, rows["int8_cm"] - rows["stride_length_cm"], color=BLUE, **POINTS)
        axes.axhline(0, color=GREY, linewidth=0.8)
        for line, style in (("bias_cm", "-"), ("loa_low_cm", "--"), ("loa_high_cm", "--")):
            if values[line] is None:
                continue
            axes.axhline(values[line], color=ORANGE, linestyle=style)
            if values[f"{line}_ci95"]:
                axes.axhspan(*values[f"{line}_ci95"], color=ORANGE, alpha=0.15, linewidth=0)
            text, at = f"{values[line]:.1f}".replace("-", "−"), (1, values[line])
            axes.annotate(text, at, xycoords=("axes fraction", "data"), ha="right", va="bottom")
        axes.set_xlabel("mean of estimate and reference, cm")
        axes.set_ylabel("int8 network − reference, cm")
    return figure


def error_by_subject(metrics: dict, evaluated: pd.DataFrame) -> Figure:
    """Return a plot of each person's bias and SD: int8 network and, unless it is the reference, the integral.

    Args:
        metrics: see `metrics.evaluate`
        evaluated: not used
    """
    rows = [(name, subject) for name in _sets(metrics) for subject in metrics[name]["int8"]["per_subject"]]
    figure = Figure(figsize=(16 * CM, (3 + 0.55 * len(rows)) * CM))
    axes = figure.subplots()
    for estimator, colour, shift in (("int8", BLUE, -0.15), ("strapdown", ORANGE, 0.15)):
        given = [
            (row + shift, entry)
            for row, (name, subject) in enumerate(rows)
            if (entry := metrics[name].get(estimator, {}).get("per_subject", {}).get(subject))
            and entry["bias_cm"] is not None
        ]
        axes.errorbar(
            [entry["bias_cm"] for _, entry in given], [row for row, _ in given],
            xerr=[entry["sd_cm"] or 0 for _, entry in given],
            fmt="o", color=colour, markersize=4, linewidth=1.5, label=LABELS[estimator],
        )  # fmt: skip
    axes.axvline(0, color=GREY, linewidth=0.8)
    axes.set_yticks(range(len(rows)), [f"{name}  {subject}" for name, subject in rows])
    axes.invert_yaxis()
    axes.set_xlabel("error (estimate − reference): mean and SD of single strides, cm")
    figure.legend(loc="outside upper center", ncols=2)
    return figure


def error_by_speed(metrics: dict, evaluated: pd.DataFrame) -> Figure:
    """Return a plot of the int8 error over walking speed, by condition, with means of equally large bins.

    Args:
        metrics: see `metrics.evaluate`
        evaluated: strides, see `metrics.evaluate`
    """
    figure, panels = _panels(metrics)
    for axes, name in panels:
        rows = evaluated[(evaluated["dataset"] == name) & evaluated["int8_cm"].notna()]
        for condition, strides in rows.groupby("condition"):
            error = strides["int8_cm"] - strides["stride_length_cm"]
            axes.scatter(strides["speed_mps"], error, label=condition or "unspecified", **POINTS)
        axes.axhline(0, color=GREY, linewidth=0.8)
        bins = _bins(rows["speed_mps"])
        for estimator, colour, style in (("int8", BLACK, "o-"), ("strapdown", GREY, "s--")):
            if estimator in metrics[name]:
                error = rows[column_of(estimator)] - rows["stride_length_cm"]
                means = rows["speed_mps"].groupby(bins).mean(), error.groupby(bins).mean()
                axes.plot(*means, style, color=colour, markersize=3, label=f"mean, {LABELS[estimator]}")
        axes.set_xlabel("speed (reference length over duration), m/s")
        axes.set_ylabel("estimate − reference, cm")
        _opaque(axes.legend(fontsize=7))
    return figure


def _sets(metrics: dict) -> list[str]:
    return [name for name in metrics if name != "source"]


def _title(metrics: dict, name: str) -> str:
    entry = metrics[name]["int8"]
    return f"{name}: {entry['kind']}, {entry['reference']}"


def _panels(metrics: dict) -> tuple[Figure, list[tuple[Axes, str]]]:
    """Return a figure with one panel for each data set, side by side."""
    names = _sets(metrics)
    figure = Figure(figsize=(PANEL_CM * len(names) * CM, 0.9 * PANEL_CM * CM))
    axes = figure.subplots(1, len(names), squeeze=False)[0]
    for panel, name in zip(axes, names, strict=True):
        panel.set_title(_title(metrics, name))
    return figure, list(zip(axes, names, strict=True))


def _lengths(axes: Axes, lengths_cm: pd.DataFrame, label: str) -> None:
    """Set the same range on both axes, and draw the line of equality."""
    ends = lengths_cm.min(axis=None) - 3, lengths_cm.max(axis=None) + 3
    axes.plot(ends, ends, color=GREY, linewidth=0.8)
    axes.set(xlim=ends, ylim=ends, aspect="equal", xlabel="stride length, reference, cm", ylabel=label)


def _opaque(legend: Legend) -> None:
    for handle in legend.legend_handles:
        if handle is not None:
            handle.set_alpha(1)


def _bins(speed_mps: pd.Series) -> pd.Series:
    """Return the bin of each stride; bins are equally large, with at least MIN_IN_BIN strides if possible."""
    count = int(np.clip(len(speed_mps) // MIN_IN_BIN, 1, SPEED_BINS))
    return pd.Series(speed_mps.rank(method="first").sub(1) * count // len(speed_mps), speed_mps.index)
