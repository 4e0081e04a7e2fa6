"""Measure the error over sampling rate, range and resolution, on good recordings made worse.

Each recording is changed as a sensor with that setting would record it, and goes through the whole estimator:
calibration, stride detection, integration. The noise and the inexact clock of a real low-power mode are not
included.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pandas as pd
from scipy.signal import resample_poly
from tqdm import tqdm

from stages.common import RAW
from studies.common import STUDIES, write_table
from tinystride.datasets.loading import load_recordings
from tinystride.datasets.recording import Recording
from tinystride.errors import DataError
from tinystride.files import atomic_folder
from tinystride.gait.strapdown import GRAVITY_MPS2
from tinystride.gait.strides import extract_strides

# Use every n-th recording of a set: enough strides of each wearer, in a few minutes.
EVERY = {"gaitmap-mocap": 1, "llio-ruler": 3, "tripod-excerpt": 1, "vicon": 3}
MAX_DENOMINATOR = 512
RATES_HZ = (200, 100, 50, 25)
GYR_RANGES_DPS = (1000, 500, 250)
ACC_RANGES_G = (16, 8, 4, 2)
BITS = (16, 12, 10, 8)
FULL_GYR_DPS, FULL_ACC_G = 2000.0, 16.0
AS_RECORDED = "as recorded"


def at_rate(recording: Recording, rate_hz: float, filtered: bool) -> Recording:
    """Return the recording at a lower rate: behind an anti-alias filter, or as samples picked from it."""
    sensors, recorded_hz = [recording.acc_mps2, recording.gyr_radps], recording.rate_hz
    if filtered:
        ratio = Fraction(rate_hz / recording.rate_hz).limit_denominator(MAX_DENOMINATOR)
        rate_hz = recording.rate_hz * float(ratio)
        sensors = [
            resample_poly(each, ratio.numerator, ratio.denominator, padtype="line") for each in sensors
        ]
    else:
        place = np.arange(0, recording.n_samples - 1, recording.rate_hz / rate_hz)
        sensors = [
            np.column_stack([np.interp(place, np.arange(len(each)), axis) for axis in each.T])
            for each in sensors
        ]
    # A sample next to a lost one is lost, too.
    gaps = np.column_stack(
        [
            np.floor(recording.gaps[:, 0] * rate_hz / recorded_hz),
            np.minimum(np.ceil(recording.gaps[:, 1] * rate_hz / recorded_hz), len(sensors[0])),
        ]
    ).astype(np.int64)
    return replace(recording, rate_hz=rate_hz, acc_mps2=sensors[0], gyr_radps=sensors[1], gaps=gaps)


def with_gyr_range(recording: Recording, range_dps: float) -> Recording:
    """Return the recording of a gyroscope that clips; the estimator knows the range."""
    limit = np.deg2rad(range_dps)
    clipped = np.clip(recording.gyr_radps, -limit, limit)
    return replace(recording, gyr_radps=clipped, saturation=(recording.saturation[0], limit))


def with_acc_range(recording: Recording, range_g: float) -> Recording:
    """Return the recording of an accelerometer that clips; the estimator knows the range."""
    limit = range_g * GRAVITY_MPS2
    clipped = np.clip(recording.acc_mps2, -limit, limit)
    return replace(recording, acc_mps2=clipped, saturation=(limit, recording.saturation[1]))


def with_bits(recording: Recording, bits: int) -> Recording:
    """Return the recording in steps of 1 / 2^bits of ±2000 deg/s and of ±16 g."""
    acc_step = 2 * FULL_ACC_G * GRAVITY_MPS2 / 2**bits
    gyr_step = 2 * np.deg2rad(FULL_GYR_DPS) / 2**bits
    return replace(
        recording,
        acc_mps2=np.rint(recording.acc_mps2 / acc_step) * acc_step,
        gyr_radps=np.rint(recording.gyr_radps / gyr_step) * gyr_step,
    )


def settings() -> dict[str, Callable[[Recording], Recording | None]]:
    """Return each setting with a function that changes a recording (None: the recording is too slow)."""

    def rate(hz: float, filtered: bool):
        # A recording at 128 Hz cannot show the effect of 200 Hz.
        return lambda it: at_rate(it, hz, filtered) if hz <= 0.9 * it.rate_hz else None

    made: dict[str, Callable] = {AS_RECORDED: lambda it: it}
    for hz in RATES_HZ[1:]:
        made[f"{hz} Hz, anti-alias filter"] = rate(hz, True)
        made[f"{hz} Hz, no filter"] = rate(hz, False)
    made |= {f"gyroscope ±{dps} deg/s": lambda it, dps=dps: with_gyr_range(it, dps) for dps in GYR_RANGES_DPS}
    made |= {f"accelerometer ±{g} g": lambda it, g=g: with_acc_range(it, g) for g in ACC_RANGES_G}
    made |= {f"{bits} bits of ±2000 deg/s and ±16 g": lambda it, b=bits: with_bits(it, b) for bits in BITS}
    return made


def strides_of(recording: Recording | None) -> pd.DataFrame:
    if recording is None:
        return pd.DataFrame()
    try:
        return extract_strides(recording).table
    except DataError:  # no stride found: all are missed
        return pd.DataFrame()


def rows(recordings: list[Recording]) -> Iterator[dict]:
    recorded: dict[str, int] = {}
    for setting, make in tqdm(settings().items(), desc="settings", unit=""):
        tables = [strides_of(make(recording)) for recording in recordings]
        strides = pd.concat(tables, ignore_index=True)
        for name, own in strides[strides["usable"]].groupby("dataset"):
            n_recorded = recorded.setdefault(name, len(own))
            error = own["strapdown_length_cm"] - own["stride_length_cm"]
            yield {
                "setting": setting,
                "set": name,
                "n_strides": len(own),
                "found": len(own) / n_recorded,
                "unflagged": float((own["flags"].isin(["", "turn"])).mean()),
                "median_abs_cm": float(error.abs().median()),
                "rmse_cm": float(np.sqrt((error**2).mean())),
                "bias_cm": float(error.mean()),
            }


def main() -> None:
    chosen = []
    for name, every in EVERY.items():
        chosen += list(load_recordings(RAW, [name]))[::every]
    with atomic_folder(STUDIES / "sensor_settings") as folder:
        write_table(list(rows(chosen)), folder / "sensor_settings.csv")


if __name__ == "__main__":
    main()
