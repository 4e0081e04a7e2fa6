"""Fit the weights of `gait.uncertainty` and test them on a left-out set: studies/results/interval_weights.

The variance of a length is a sum over causes: weights² · causes². The weights maximize the likelihood of the
errors of the measured sets and of worse copies of them. The errors follow Student's t distribution with 5
degrees of freedom, scaled so that its 95 % interval is ± 1.96 standard deviations, because single reference
lengths have large errors. The weight of a set or copy is the root of its number of strides. Last, all weights
are multiplied by one factor, so that 95 % of the errors are within the interval; for it, all sets and copies
have the same weight.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd
from scipy.optimize import minimize

from stages.common import RAW
from studies.common import STUDIES, write_table
from studies.sensor_settings import at_rate, with_gyr_range
from tinystride.datasets.loading import load_recordings
from tinystride.datasets.recording import Recording
from tinystride.errors import DataError
from tinystride.evaluation.metrics import INTERVAL_SD, REFERENCE_SD_CM
from tinystride.files import atomic_folder
from tinystride.gait import strapdown
from tinystride.gait.flags import shows_impacts
from tinystride.gait.strides import extract_strides
from tinystride.gait.uncertainty import error_causes

SETS = ("gaitmap-mocap", "llio-ruler", "llio-ruler-2", "tripod-excerpt", "vicon")
CAUSES = ["base", "height", "vertical", "doubt", "rotation", "repair", "turn"]
FREEDOM, T_95 = 5, 2.571
COVERAGE = 0.95
# Minimum SD, before that factor: the foot is round, the sole is soft, a mid-stance is not a single instant.
MIN_BASE_CM = 0.8
COPIES: dict[str, Callable[[Recording], Recording]] = {
    "as recorded": lambda it: it,
    "half the rate": lambda it: at_rate(it, it.rate_hz / 2, False),
    "50 Hz": lambda it: at_rate(it, 50, False),
    "clipped at 400 deg/s": lambda it: with_gyr_range(it, 400),
}


def examples(recording: Recording) -> pd.DataFrame:
    """Return set, error_cm, noise_cm of the reference and CAUSES of the strides with a reference length."""
    try:
        found = extract_strides(recording)
    except DataError:  # no stride found
        return pd.DataFrame()
    table = found.table.set_index("stride_id").loc[list(found.signals.stride_id)]
    acc_mps2, gyr_radps, duration_s = strapdown.resample(found.signals)
    integral = strapdown.integrate(acc_mps2, gyr_radps, duration_s)
    excess_m = strapdown.untilted_excess_m(integral, acc_mps2, duration_s)
    integral, explained = strapdown.correct_tilt(integral, acc_mps2, gyr_radps, duration_s, recording.rate_hz)
    known = shows_impacts(integral)
    contact = ((table["initial_contact_s"] - table["start_s"]) / table["duration_s"]).to_numpy()
    causes = error_causes(
        integral,
        gyr_radps,
        excess_m,
        duration_s,
        contact,
        strapdown.impact_share(excess_m[known]),
        explained,
        np.deg2rad(table["repaired_deg"].to_numpy()),
        recording.rate_hz,
    )
    rows = pd.DataFrame(causes, columns=CAUSES).assign(
        set=recording.dataset,
        error_cm=(table["strapdown_length_cm"] - table["stride_length_cm"]).to_numpy(),
        noise_cm=table["reference"].map(REFERENCE_SD_CM).fillna(0.0).to_numpy(),
    )
    return rows[table["usable"].to_numpy() & np.isfinite(rows["error_cm"])]


def fitted(rows: pd.DataFrame) -> np.ndarray:
    """Return the weights [causes] under which the errors are most likely, times the factor for 95 %."""
    squares = rows[CAUSES].to_numpy() ** 2
    error_cm, noise_cm2 = rows["error_cm"].to_numpy(), rows["noise_cm"].to_numpy() ** 2
    weight = rows.groupby(["set", "copy"])["error_cm"].transform("size").to_numpy() ** -0.5
    weight = weight / weight.sum()

    def loss(logs: np.ndarray) -> float:
        variance = squares @ np.exp(2 * logs) + noise_cm2
        ratio = error_cm**2 / variance * (T_95 / INTERVAL_SD) ** 2 / FREEDOM
        return float(weight @ (np.log(variance) + (FREEDOM + 1) * np.log1p(ratio)) / 2)

    usual = np.sqrt(squares.mean(axis=0))
    start = np.log(1.5 / np.sqrt(len(CAUSES)) / usual)
    low = start - 4
    low[0] = np.log(MIN_BASE_CM)
    start = np.maximum(start, low)
    bounds = list(zip(low, start + 4, strict=True))
    weights = np.exp(minimize(loss, start, method="L-BFGS-B", bounds=bounds).x)
    # The factor that a stride needs to be within the interval; without an error beyond the noise, none.
    own_cm2 = np.maximum((error_cm / INTERVAL_SD) ** 2 - noise_cm2, 0.0)
    needed = np.sqrt(own_cm2 / (squares @ weights**2))
    order = np.argsort(needed, kind="stable")
    counts = rows.groupby(["set", "copy"])["error_cm"].transform("size").to_numpy()
    within = np.cumsum(1 / counts[order]) / (1 / counts).sum()
    return weights * needed[order][np.searchsorted(within, COVERAGE)]


def held(rows: pd.DataFrame, weights: np.ndarray) -> dict:
    """Return the share of errors within the interval, and the RMSE of the surest 80 % over that of all."""
    sd_cm = np.sqrt(rows[CAUSES].to_numpy() ** 2 @ weights**2)
    error_cm = rows["error_cm"].abs().to_numpy()
    sure = sd_cm <= np.quantile(sd_cm, 0.8)
    return {
        "coverage": float((error_cm <= INTERVAL_SD * np.hypot(sd_cm, rows["noise_cm"])).mean()),
        "surest80": float(np.sqrt((error_cm[sure] ** 2).mean() / (error_cm**2).mean())),
    }


def main() -> None:
    recordings = list(load_recordings(RAW, list(SETS)))
    rows = pd.concat(
        [examples(make(each)).assign(copy=name) for name, make in COPIES.items() for each in recordings],
        ignore_index=True,
    )
    without = {name: fitted(rows[rows["set"] != name]) for name in SETS}
    weights = {"all sets": fitted(rows), **{f"without {name}": each for name, each in without.items()}}
    estimated = [
        {"set": name, "copy": copy, "n_strides": len(own), **held(own, without[name])}
        for (name, copy), own in rows.groupby(["set", "copy"], sort=False)
    ]
    with atomic_folder(STUDIES / "interval_weights") as folder:
        write_table(
            [{"fitted to": name, **dict(zip(CAUSES, each, strict=True))} for name, each in weights.items()],
            folder / "weights.csv",
        )
        write_table(estimated, folder / "held.csv")


if __name__ == "__main__":
    main()
