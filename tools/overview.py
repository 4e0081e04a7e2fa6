"""Draw the picture of README.md from the strides of the pipeline."""

import matplotlib.style
import pandas as pd
from matplotlib.figure import Figure

from tinystride.evaluation.plot_style import CM, COLOURS, GREY, STYLE

MAX_STRIDES = 60  # of the recording on the left, so that single strides can be seen
RECORDING = ["dataset", "subject", "trial", "foot"]


def overview(strides: pd.DataFrame, column: str) -> Figure:
    """Return a plot of one recording, stride by stride, and of all estimates against reference lengths.

    strides: rows of results/evaluate/strides.csv; only rows with an estimate and a measured length are drawn
    column: lengths to draw, cm, such as "strapdown_cm"
    The recording on the left is the one with the largest range of lengths (10th to 90th percentile).
    """
    shown = strides[(strides["reference"] != "strapdown") & strides[column].notna()]
    with matplotlib.style.context(["default", STYLE]):
        figure = Figure(figsize=(26 * CM, 7.5 * CM), layout="constrained")
        single, every = figure.subplots(1, 2, width_ratios=[2, 1])
        own = recording_with_widest_range(shown).sort_values("start_s")[:MAX_STRIDES]
        number = range(1, len(own) + 1)
        single.step(number, own["stride_length_cm"], where="mid", color=GREY, label="reference length")
        single.plot(number, own[column], "o", color=COLOURS[0], markersize=4, label="TinyStride")
        title = f"one recording of {own['dataset'].iloc[0]}"
        single.set(title=title, xlabel="stride", ylabel="stride length, cm")
        single.set_ylim(bottom=0)
        single.legend(loc="lower right")
        for i, (name, rows) in enumerate(shown.groupby("dataset")):
            colour = COLOURS[i % len(COLOURS)]
            every.plot(rows["stride_length_cm"], rows[column], ".", color=colour, alpha=0.4, label=name)
        low_high = [0, 1.05 * shown["stride_length_cm"].max()]
        every.plot(low_high, low_high, color=GREY, linewidth=0.8)
        every.set(
            title=f"all {len(shown):,} strides", xlabel="reference length, cm", ylabel="TinyStride, cm",
            xlim=low_high, ylim=low_high,
        )  # fmt: skip
        every.set_aspect("equal")
        figure.legend(*every.get_legend_handles_labels(), loc="outside right center", markerscale=2)
    return figure


def recording_with_widest_range(strides: pd.DataFrame) -> pd.DataFrame:
    """Return the strides of the recording with the largest range of lengths, 10th to 90th percentile."""
    lengths = strides.groupby(RECORDING)["stride_length_cm"]
    spread = (lengths.quantile(0.9) - lengths.quantile(0.1))[lengths.size() >= min(20, lengths.size().max())]
    dataset, subject, trial, foot = spread.idxmax()
    return strides[(strides[RECORDING] == [dataset, subject, trial, foot]).all(axis=1)]
