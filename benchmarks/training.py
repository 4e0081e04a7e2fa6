"""Time of training: the tiny presets, and the paper preset with its 1,500 epochs and with the fast schedule.

Reads data/strides and data/split.json; plots both curves to docs/images/schedules.png.
"""

import time
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure
from tqdm import tqdm

from benchmarks.processes import ROOT
from tinystride.files import read_json
from tinystride.gait.strides import read_strides
from tinystride.learning.estimators import choose

SEED = 20231
PICTURE = Path("docs/images/schedules.png")
SIDES = ("train", "validation")


def measure() -> Iterator[tuple[str, str, str]]:
    start = time.perf_counter()
    from tinystride.learning.features import augmented, make_examples
    from tinystride.learning.schedules import compare_schedules, seconds_to_reach
    from tinystride.learning.training import train

    strides, final = read_strides(ROOT / "data/strides"), read_json(ROOT / "data/split.json")["final"]

    def examples(settings):
        recorded = [make_examples(strides.table, strides.signals, final[side], settings) for side in SIDES]
        return [augmented(side, strides.signals, settings, seed=SEED) for side in recorded]

    for estimator in ("strapdown-residual", "direct"):
        settings = choose(estimator)
        train(*examples(settings), settings, seed=SEED)
        seconds = time.perf_counter() - start
        yield f"train {estimator} tiny, reading and imports included", f"{seconds:.0f} s", "at most 60 s"
        start = time.perf_counter()

    schedules = {name: choose("direct", preset="paper", schedule=name) for name in ("fast", "paper")}
    with tqdm(total=sum(settings.epochs for settings in schedules.values()), unit="epoch") as bar:
        curves = compare_schedules(
            *examples(schedules["fast"]), schedules, seed=SEED, on_epoch=lambda _: bar.update()
        )
    draw(curves)
    slow = curves[curves["schedule"] == "paper"]
    error = slow["validation_rmse_cm"].min()
    slow_s, fast_s = (seconds_to_reach(curves, name, error) for name in ("paper", "fast"))
    yield "paper preset, lowest validation RMSE of 1,500 epochs", f"{error:.2f} cm", "–"
    yield "… its 1,500 epochs", f"{slow['seconds'].max():.0f} s", "–"
    yield "… reached by them after", f"{slow_s:.0f} s", "–"
    yield "… reached by the fast schedule after", f"{fast_s:.0f} s", "–"
    yield (
        "… faster than the 1,500 epochs",
        f"{slow['seconds'].max() / fast_s:.0f} times",
        "at least 10",
    )


def draw(curves: pd.DataFrame) -> None:
    figure = Figure(figsize=(7, 3.5), layout="constrained")
    axes = figure.subplots()
    for name, own in curves.groupby("schedule"):
        axes.plot(own["seconds"], own["validation_rmse_cm"].cummin(), label=f"{name} schedule")
    axes.set(
        xscale="log", yscale="log", xlabel="training time, s", ylabel="lowest validation RMSE so far, cm"
    )
    axes.legend()
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(PICTURE, dpi=120, metadata={"Software": None})
