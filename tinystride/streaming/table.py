"""What goes into the streaming estimator and what comes out, the same for both of its languages."""

import numpy as np
import pandas as pd

from tinystride.datasets.recording import Recording

NOT_FOR_STREAMING = (
    "not an int8 strapdown-residual network of 64 points, which streaming needs; choose another model or the "
    "offline engine"
)
# By bit, from the lowest.
FLAG_NAMES = (
    "no-standing", "wrong-foot", "turn", "climb", "unusual-duration", "out-of-range", "not-walking",
    "gap", "saturated", "unsteady", "inconsistent", "sensors-disagree",
    "previous-missing",
)  # fmt: skip
# tinystride_stride_t
STRIDE = np.dtype(
    [
        *(
            (name, "<f4")
            for name in ("length_cm", "strapdown_length_cm", "duration_s", "mean5_cm", "mean10_cm")
        ),
        *((name, "<f4") for name in ("length_sd_cm", "latency_s")),
        *((f"{event}_sample", "<u4") for event in ("start", "end", "contact")),
        *((f"{event}_fraction", "<f4") for event in ("start", "end", "contact")),
        ("repaired_deg", "<f4"),
        ("flags", "<u2"),
    ],
    align=True,
)


def raw_samples(recording: Recording) -> tuple[np.ndarray, np.ndarray]:
    """The samples [n, 6] float32 that the sensor delivered, m/s² and rad/s, and how many are missing before
    each [n]: those that a loader has filled in are lost again.
    """
    samples = np.column_stack([recording.acc_mps2, recording.gyr_radps]).astype(np.float32)
    place = np.flatnonzero(~recording.lost)
    return samples[place], np.diff(place, prepend=-1) - 1


def stride_table(strides: np.ndarray, rate_hz: float) -> pd.DataFrame:
    """One row per stride: start_s, end_s (mid-stances), initial_contact_s (NaN: none found), duration_s,
    stride_length_cm, strapdown_length_cm, mean5_cm, mean10_cm, length_sd_cm, latency_s, repaired_deg,
    flags.

    strides: structured array with the members of tinystride_stride_t
    """
    place = {
        event: strides[f"{event}_sample"].astype(float) + strides[f"{event}_fraction"]
        for event in ("start", "end", "contact")
    }
    unknown = place["contact"] == place["start"]
    return pd.DataFrame(
        {
            "start_s": place["start"] / rate_hz,
            "end_s": place["end"] / rate_hz,
            "initial_contact_s": np.where(unknown, np.nan, place["contact"] / rate_hz),
            "duration_s": strides["duration_s"].astype(float),
            "stride_length_cm": strides["length_cm"].astype(float),
            "strapdown_length_cm": strides["strapdown_length_cm"].astype(float),
            "mean5_cm": strides["mean5_cm"].astype(float),
            "mean10_cm": strides["mean10_cm"].astype(float),
            "length_sd_cm": strides["length_sd_cm"].astype(float),
            "latency_s": strides["latency_s"].astype(float),
            "repaired_deg": strides["repaired_deg"].astype(float),
            "flags": pd.Series([flag_words(flags) for flags in strides["flags"]], dtype=object),
        }
    )


def flag_words(flags: int) -> str:
    return " ".join(name for bit, name in enumerate(FLAG_NAMES) if int(flags) >> bit & 1)
