"""A picture of a recording and of what was found in it."""

from pathlib import Path

import matplotlib.style
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tinystride.datasets.recording import Recording
from tinystride.errors import ParameterError
from tinystride.evaluation.figures import BLUE, CM, GREY, ORANGE, STYLE
from tinystride.files import complete_file

BINS = 3000


def draw_strides(recording: Recording, strides: pd.DataFrame, path: Path | str) -> None:
    """Write a PNG: angular rate, specific force, lengths and flags over time; its bytes are stable.

    strides: of this recording, as predict_strides returned them. Raises ParameterError for another suffix.
    """
    path = Path(path)
    if path.suffix.lower() != ".png":
        raise ParameterError(f"{path}: a figure is written as PNG; name it {path.with_suffix('.png').name}")
    flags = strides["flags"].str.split()
    rows = list(dict.fromkeys(flags.explode().dropna())) or ["no flags"]
    with matplotlib.style.context(["default", STYLE]):
        figure = Figure(figsize=(26 * CM, (15 + 0.6 * len(rows)) * CM))
        gyr, acc, length, raised = figure.subplots(
            4, sharex=True, height_ratios=[3, 3, 5, 0.4 + 0.6 * len(rows)]
        )
        for axes, samples, label in (
            (gyr, recording.gyr_radps, "angular rate, rad/s"),
            (acc, recording.acc_mps2, "specific force, m/s²"),
        ):
            _signal(axes, np.linalg.norm(samples, axis=1), recording.rate_hz, strides, label)
        _lengths(length, strides)
        _flags(raised, strides, flags, rows)
        raised.set_xlim(0, recording.duration_s)
        raised.set_xlabel("time, s")
        figure.align_ylabels()
        figure.suptitle(_title(recording, strides))
        with complete_file(path) as partial, open(partial, "wb") as file:
            figure.savefig(file, format="png", metadata={"Software": None})


def _title(recording: Recording, strides: pd.DataFrame) -> str:
    plain = strides.loc[strides["flags"] == "", "stride_length_cm"]
    mean = f", mean length {plain.mean():.1f} cm, SD {plain.std(ddof=0):.1f} cm" if len(plain) else ""
    return (
        f"{recording.subject}, {recording.foot} foot: {len(plain)} of {len(strides)} strides unflagged{mean}"
    )


def _signal(axes: Axes, size: np.ndarray, rate_hz: float, strides: pd.DataFrame, label: str) -> None:
    """Magnitude [N], as lowest and highest value of each of BINS where samples are more; strides shaded."""
    for chosen, colour in ((strides["flags"] == "", BLUE), (strides["flags"] != "", ORANGE)):
        spans = strides.loc[chosen, ["start_s", "duration_s"]].to_numpy()
        axes.broken_barh(
            spans, (0, 1), transform=axes.get_xaxis_transform(), color=colour, alpha=0.15, linewidth=0
        )
    edges = np.unique(np.linspace(0, len(size), min(BINS, len(size)) + 1).astype(int))[:-1]
    low, high = np.minimum.reduceat(size, edges), np.maximum.reduceat(size, edges)
    axes.fill_between(edges / rate_hz, low, high, color=GREY, linewidth=0.8)
    mid_stances_s = np.unique(strides[["start_s", "end_s"]].to_numpy())
    axes.plot(mid_stances_s, np.zeros_like(mid_stances_s), "|", color="black", markersize=4)
    axes.set_ylabel(label)


def _lengths(axes: Axes, strides: pd.DataFrame) -> None:
    middle_s = (strides["start_s"] + strides["end_s"]) / 2
    plain = strides["flags"] == ""
    axes.plot(
        middle_s, strides["strapdown_length_cm"], "x", color=GREY, markersize=3, label="integration alone"
    )
    for chosen, colour, label in ((plain, BLUE, "unflagged"), (~plain, ORANGE, "flagged")):
        axes.plot(
            middle_s[chosen],
            strides["stride_length_cm"][chosen],
            "o",
            color=colour,
            markersize=4,
            label=label,
        )
    axes.set_ylim(bottom=0)
    axes.set_ylabel("stride length, cm")
    axes.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=3, borderaxespad=0.2)


def _flags(axes: Axes, strides: pd.DataFrame, flags: pd.Series, rows: list[str]) -> None:
    for row, flag in enumerate(rows):
        chosen = strides[[flag in words for words in flags]]
        axes.hlines(np.full(len(chosen), row), chosen["start_s"], chosen["end_s"], color=ORANGE, linewidth=5)
    axes.set_yticks(range(len(rows)), rows)
    axes.set_ylim(len(rows) - 0.5, -0.5)
