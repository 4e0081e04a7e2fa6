"""Plot the mean stride of each data set."""

from pathlib import Path

import numpy as np

from tinystride.files import atomic_write
from tinystride.gait.strapdown import POINTS, resample
from tinystride.gait.strides import StrideSet
from tinystride.optional import extra

with extra("plot"):
    from matplotlib.axes import Axes
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

AXES = (("forward", "tab:red"), ("left", "tab:green"), ("up", "tab:blue"))


def plot_waveforms(strides: StrideSet, path: Path | str) -> None:
    """Write a PNG with mean and standard deviation of the usable strides of each data set.

    The curves are low-passed angular rate and specific force in the canonical foot frame, from mid-stance to
    mid-stance. Equal strides give equal bytes.

    Args:
        strides: strides of all data sets
        path: path of the PNG
    """
    usable = strides.table[strides.table["usable"]]
    groups = list(usable.groupby("dataset", sort=True))
    figure = Figure(figsize=(11, 0.8 + 2.6 * max(1, len(groups))), layout="constrained")
    panels = figure.subplots(max(1, len(groups)), 2, squeeze=False, sharex=True)
    for (dataset, table), row in zip(groups, panels, strict=False):
        acc_mps2, gyr_radps, _ = resample(strides.signals.select(table["stride_id"]))
        detected = (strides.table["dataset"] == dataset).sum()
        subjects = table["subject"].nunique()
        row[0].set_title(
            f"{dataset}: {len(table)} usable of {detected} strides, subjects: {subjects}", loc="left"
        )
        _draw(row[0], gyr_radps, "angular rate, rad/s")
        _draw(row[1], acc_mps2, "specific force, m/s²")
    panels[0, 1].legend(ncols=3, loc="upper right", frameon=False)
    for panel in panels[-1]:
        panel.set_xlabel("stride, from mid-stance to mid-stance")
    with atomic_write(path) as partial, open(partial, "wb") as file:
        FigureCanvasAgg(figure).print_png(file, metadata={"Software": None})


def _draw(panel: Axes, waveforms: np.ndarray, label: str) -> None:
    """Draw mean and standard deviation of waveforms [n, POINTS, 3] for each axis of the foot."""
    phase = np.linspace(0, 1, POINTS)
    mean, spread = waveforms.mean(axis=0), waveforms.std(axis=0)
    for axis, (name, colour) in enumerate(AXES):
        panel.plot(phase, mean[:, axis], color=colour, label=name)
        panel.fill_between(
            phase, (mean - spread)[:, axis], (mean + spread)[:, axis], color=colour, alpha=0.2, linewidth=0
        )
    panel.set_ylabel(label)
    panel.grid(alpha=0.3)
