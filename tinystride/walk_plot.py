"""Plot of a walk: from above and from the side, lengths and flags over time, both feet together."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from tinystride.datasets.recording import Recording
from tinystride.errors import ParameterError
from tinystride.evaluation.plot_style import BLUE, CM, GREY, ORANGE, STYLE
from tinystride.files import atomic_write
from tinystride.gait.parameters import walk_path
from tinystride.optional import extra
from tinystride.results import recording_name

with extra("plot"):
    import matplotlib.style
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BINS = 3000
GREEN = "#2a9d6f"
COLOURS = {"left": GREEN, "right": BLUE}
# For the drawing only: the distance between the feet is not measured.
DRAWN_APART_M = 0.2


def draw_walk(recordings: Sequence[Recording], strides: pd.DataFrame) -> Figure:
    """Draw the recordings of one walk, one or both feet.

    Args:
        recordings: one per foot
        strides: their rows of `results.complete_table`; flagged strides are drawn orange

    Returns:
        The Matplotlib figure.
    """
    tables = [_own(strides, recording) for recording in recordings]
    flags = strides["flags"].str.split()
    rows = list(dict.fromkeys(flags.explode().dropna())) or ["no flags"]
    with matplotlib.style.context(["default", STYLE]):
        figure = Figure(figsize=(26 * CM, (21 + 0.6 * len(rows)) * CM), layout="constrained")
        above, side, gyr, length, raised = figure.subplots(
            5, height_ratios=[5, 2, 3, 5, 0.4 + 0.6 * len(rows)]
        )
        for axes in (gyr, length):
            axes.sharex(raised)
        for recording, own in zip(recordings, tables, strict=True):
            _paths(above, side, recording, own)
            _signal(gyr, recording, own)
            _lengths(length, own, recording.foot)
        _flags(raised, strides, flags, rows)
        above.set_aspect("equal", adjustable="datalim")
        above.set_xlabel("m, seen from above; feet are drawn 0.2 m apart")
        above.set_ylabel("to the left, m")
        side.set_xlabel("distance walked, m")
        side.set_ylabel("height, cm")
        gyr.set_ylabel("angular rate,\nrad/s")
        length.set_ylim(bottom=0)
        length.set_ylabel("stride length, cm")
        length.legend(loc="lower right", ncols=3)
        raised.set_xlim(0, max(recording.duration_s for recording in recordings))
        raised.set_xlabel("time, s")
        figure.suptitle(_title(recordings, strides))
    return figure


def save_png(figure: Figure, path: Path | str) -> None:
    """Write a figure as PNG; equal plots give equal bytes.

    Args:
        figure: Matplotlib figure
        path: the file to write

    Raises:
        ParameterError: if the file does not end in .png
    """
    path = Path(path)
    if path.suffix.lower() != ".png":
        raise ParameterError(f"{path}: the plot is written as PNG; name it {path.with_suffix('.png').name}")
    with atomic_write(path) as partial, open(partial, "wb") as file:
        figure.savefig(file, format="png", metadata={"Software": None})


def _own(strides: pd.DataFrame, recording: Recording) -> pd.DataFrame:
    return strides[(strides["recording"] == recording_name(recording)) & (strides["foot"] == recording.foot)]


def _title(recordings: Sequence[Recording], strides: pd.DataFrame) -> str:
    steady = strides.loc[strides["steady"].astype(bool), "stride_length_cm"]
    mean = f", mean length {steady.mean():.1f} cm, SD {steady.std(ddof=0):.1f} cm" if len(steady) else ""
    feet = " and ".join(dict.fromkeys(recording.foot for recording in recordings))
    return f"{recordings[0].subject}, {feet} foot: {len(steady)} of {len(strides)} strides steady{mean}"


def _paths(above: Axes, side: Axes, recording: Recording, strides: pd.DataFrame) -> None:
    path = walk_path(recording, strides)
    if not len(path):
        return
    aside = DRAWN_APART_M / 2 * (1 if recording.foot == "left" else -1)
    steps = np.linalg.norm(np.diff(path[..., :2], axis=1), axis=-1)
    walked = np.concatenate([[0.0], np.cumsum(steps)]).reshape(-1)
    for i, (each, flags) in enumerate(zip(path, strides["flags"], strict=True)):
        colour = ORANGE if flags else COLOURS[recording.foot]
        above.plot(each[:, 0], each[:, 1] + aside, color=colour, linewidth=1)
        along = walked[i * steps.shape[1] : (i + 1) * steps.shape[1] + 1]
        side.plot(along, 100 * (each[:, 2] - each[0, 2]), color=colour, linewidth=1)
    ends = np.concatenate([path[:1, 0], path[:, -1]])
    above.plot(
        ends[:, 0], ends[:, 1] + aside, "o", color=COLOURS[recording.foot], markersize=3, label=recording.foot
    )


def _signal(axes: Axes, recording: Recording, strides: pd.DataFrame) -> None:
    """Draw the magnitude, as lowest and highest value of BINS in a long recording, and the mid-stances."""
    size = np.linalg.norm(recording.gyr_radps, axis=1)
    edges = np.unique(np.linspace(0, len(size), min(BINS, len(size)) + 1).astype(int))[:-1]
    low, high = np.minimum.reduceat(size, edges), np.maximum.reduceat(size, edges)
    colour = COLOURS[recording.foot]
    axes.fill_between(edges / recording.rate_hz, low, high, color=colour, alpha=0.6, linewidth=0.6)
    mid_stances_s = np.unique(strides[["start_s", "end_s"]].to_numpy(float))
    axes.plot(mid_stances_s, np.zeros_like(mid_stances_s), "|", color="black", markersize=4)


def _lengths(axes: Axes, strides: pd.DataFrame, foot: str) -> None:
    middle_s = ((strides["start_s"] + strides["end_s"]) / 2).to_numpy(float)
    length_cm = strides["stride_length_cm"].to_numpy(float)
    low, high = (strides[f"stride_length_{end}_cm"].to_numpy(float) for end in ("low", "high"))
    if np.isfinite(low).any():
        axes.vlines(middle_s, low, high, color=GREY, linewidth=1)
    plain = (strides["flags"] == "").to_numpy()
    for chosen, colour, label in ((plain, COLOURS[foot], foot), (~plain, ORANGE, f"{foot}, flagged")):
        if chosen.any():
            axes.plot(middle_s[chosen], length_cm[chosen], "o", color=colour, markersize=4, label=label)


def _flags(axes: Axes, strides: pd.DataFrame, flags: pd.Series, rows: list[str]) -> None:
    for row, flag in enumerate(rows):
        chosen = strides[[flag in words for words in flags]]
        axes.hlines(np.full(len(chosen), row), chosen["start_s"], chosen["end_s"], color=ORANGE, linewidth=5)
    axes.set_yticks(range(len(rows)), rows)
    axes.set_ylim(len(rows) - 0.5, -0.5)
