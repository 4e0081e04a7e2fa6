"""Recordings as files, in the forms that people have."""

import datetime
import gzip
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from tinystride.datasets.recording import Recording
from tinystride.datasets.samples import AXES
from tinystride.datasets.simulator import overground, simulate_walk
from tinystride.datasets.virtual_sensor import VirtualSensor
from tinystride.datasets.walker import SimulatedSubject

G = 9.80665
DEG = np.pi / 180


def walk(seed: int = 5, rate_hz: float = 100.0, foot: str = "right", strides: int = 12) -> Recording:
    """A simulated walk with a turn, of a 16-bit sensor."""
    rng = np.random.default_rng(seed)
    person, sensor = SimulatedSubject.draw(rng), VirtualSensor.draw(rng)
    return simulate_walk(
        person, foot=foot, legs=overground(1.2, strides), rate_hz=rate_hz, sensor=sensor, seed=seed
    )


def frame(recording: Recording) -> pd.DataFrame:
    """time_s and AXES of the samples that were not lost, in m/s² and rad/s."""
    table = pd.DataFrame(np.column_stack([recording.acc_mps2, recording.gyr_radps]), columns=list(AXES))
    table.insert(0, "time_s", np.arange(len(table)) / recording.rate_hz)
    return table[~recording.lost]


def write_recording(recording: Recording, path: Path) -> Path:
    """The recording as csv with all digits of its samples."""
    frame(recording).to_csv(path, index=False)
    return path


def _text(table: pd.DataFrame, **options) -> str:
    return table.to_csv(index=False, **({"float_format": "%.5f"} | options))


def _renamed(table: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    return table.set_axis(names, axis=1)


def _scaled(table: pd.DataFrame, acc: float, gyr: float) -> pd.DataFrame:
    scaled = table.copy()
    scaled[list(AXES[:3])] /= acc
    scaled[list(AXES[3:])] /= gyr
    return scaled


def _timed(table: pd.DataFrame, name: str, values) -> pd.DataFrame:
    return table.drop(columns="time_s").assign(**{name: values})


def _lossy(table: pd.DataFrame, share: float, jitter_s: float, seed: int = 1) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    kept = rng.random(len(table)) >= share
    return table.assign(time_s=table["time_s"] + rng.normal(0, jitter_s, len(table)))[kept]


def _iso(table: pd.DataFrame, zone: str = "") -> list[str]:
    start = datetime.datetime(2024, 3, 1, 10, 0)
    return [
        (start + datetime.timedelta(seconds=s)).isoformat(timespec="microseconds") + zone
        for s in table["time_s"]
    ]


def _packets(table: pd.DataFrame, size: int = 12) -> np.ndarray:
    """Milliseconds since 1970 that all samples of a packet share."""
    return 1_700_000_000_000 + (np.arange(len(table)) // size) * size * 10


def _uneven(table: pd.DataFrame) -> pd.DataFrame:
    """Samples at times whose intervals vary independently of one another."""
    steps = np.random.default_rng(3).uniform(0.8, 1.2, len(table)) * 0.01
    times = np.cumsum(steps)
    moved = {axis: np.interp(times, table["time_s"], table[axis]) for axis in AXES}
    return pd.DataFrame({"time_s": times, **moved})


UNIT_NAMES = [
    "Time (s)",
    *(f"Accelerometer {axis} (g)" for axis in "XYZ"),
    *(f"Gyroscope {axis} (deg/s)" for axis in "XYZ"),
]
IN_MG = (G / 1000, DEG / 1000)
UNITS_ROW = "\ns,m/s2,m/s2,m/s2,rad/s,rad/s,rad/s\n"


def _jump(table: pd.DataFrame, seconds: float) -> pd.DataFrame:
    return table.assign(time_s=table["time_s"] + np.where(table.index > 900, seconds, 0))


def _counted(table: pd.DataFrame) -> str:
    """A counter of samples that skips the lost ones, and the rate in the line before."""
    lossy = _lossy(table, 0.02, 0.0)
    return "Rate;100\n" + _text(lossy.drop(columns="time_s").assign(**{"packet counter": lossy.index}))


def _repeated(table: pd.DataFrame) -> pd.DataFrame:
    return table.loc[np.repeat(table.index, np.where(table.index % 97 == 0, 2, 1))]


def _with_nan(table: pd.DataFrame) -> pd.DataFrame:
    return table.mask((table.index % 331 == 5)[:, None] & (table.columns != "time_s"))


def _with_blank_line(table: pd.DataFrame) -> str:
    lines = _untimed(table).splitlines()
    return "\n".join([*lines[:400], "", *lines[400:]]) + "\n"


def _untimed(table: pd.DataFrame) -> str:
    return _text(table.drop(columns="time_s"))


def _whole(table: pd.DataFrame, factor: float) -> pd.Series:
    return (table["time_s"] * factor).round().astype(int)


# The same walk at 100 Hz in many forms: name → content of the file.
FORMS: dict[str, Callable[[pd.DataFrame], str | bytes]] = {
    "plain": _text,
    "semicolons, decimal comma": lambda t: _text(t, sep=";", decimal=","),
    "tabs": lambda t: _text(t, sep="\t"),
    "spaces": lambda t: _text(t, sep=" "),
    "quoted cells": lambda t: _text(t.astype(str), quoting=1),
    "sep line": lambda t: "sep=,\n" + _text(t),
    "preamble with the rate": lambda t: "Device;7A\nSampling rate: 100 Hz\n\n" + _untimed(t),
    "units row": lambda t: _text(t).replace("\n", UNITS_ROW, 1),
    "units in names": lambda t: _text(_renamed(_scaled(t, G, DEG), UNIT_NAMES)),
    "mg and mdps": lambda t: _text(_scaled(t, *IN_MG).round(dict.fromkeys(AXES, 0))),
    "g and deg/s unnamed": lambda t: _text(_scaled(t, G, DEG)),
    "milliseconds": lambda t: _text(_timed(t, "time_ms", _whole(t, 1e3))),
    "microseconds unnamed": lambda t: _text(_timed(t, "timestamp", _whole(t, 1e6))),
    "since 1970": lambda t: _text(_timed(t, "time", t["time_s"] + 1_700_000_000.125)),
    "dates": lambda t: _text(_timed(t, "time", _iso(t))),
    "dates with a zone": lambda t: _text(_timed(t, "time", _iso(t, "+01:00"))),
    "packets": lambda t: _text(_timed(t, "epoch_ms", _packets(t))),
    "packets, two lost": lambda t: _text(_timed(t, "epoch_ms", _packets(t)).drop(index=t.index[600:624])),
    "losses": lambda t: _text(_lossy(t, 0.04, 0.0)),
    "losses and jitter": lambda t: _text(_lossy(t, 0.03, 0.002)),
    "much jitter": lambda t: _text(_lossy(t, 0.0, 0.004)),
    "uneven sampling": lambda t: _text(_uneven(t)),
    "pause": lambda t: _text(_jump(t, 7.004)),
    "clock back": lambda t: _text(_jump(t, -0.5)),
    "counter with losses": _counted,
    "duplicate rows": lambda t: _text(_repeated(t)),
    "NaN rows": lambda t: _text(_with_nan(t)),
    "comment inside": lambda t: _text(t).replace("\n", "\n# battery 80 %\n", 9),
    "blank line inside": _with_blank_line,
    "line with too many cells": lambda t: _text(t) + "1,2,3,4,5,6,7,8,9\n",
    "cut last line": lambda t: _text(t)[:-25],
    "UTF-16": lambda t: _text(t).encode("utf-16"),
    "Latin-1": lambda t: ("# Größe\n" + _text(t)).encode("latin-1"),
    "CR LF": lambda t: _text(t, lineterminator="\r\n"),
    "gzip": lambda t: gzip.compress(_text(t).encode()),
    "many columns": lambda t: _text(t.assign(mag_x=1.0, temperature=20.5, quat_w=1.0)),
    "columns turned around": lambda t: _text(t[t.columns[::-1]]),
}


def write_form(name: str, table: pd.DataFrame, folder: Path) -> Path:
    """The walk in one of FORMS; the file's name says the foot."""
    content = FORMS[name](table)
    path = folder / ("walk_R.csv.gz" if name == "gzip" else "walk_R.csv")
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path
