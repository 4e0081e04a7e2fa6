"""Input samples and output table of the streaming estimator, the same for the C and its twin."""

import numpy as np
import pandas as pd

from tinystride.datasets.recording import Recording

NOT_FOR_STREAMING = (
    "not an int8 strapdown-residual network of 64 points, which streaming needs; choose another model or the "
    "offline engine"
)
# Names of the flags, from the lowest bit.
FLAG_NAMES = (
    "no-standing", "wrong-foot", "turn", "climb", "unusual-duration", "out-of-range", "not-walking",
    "gap", "saturated", "unsteady", "inconsistent", "sensors-disagree",
    "previous-missing",
)  # fmt: skip
# Members of tinystride_stride_t.
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
    """Return the samples that the sensor delivered, without samples that a loader filled in.

    Args:
        recording: one foot; rows of `lost` were filled in by the loader

    Returns:
        samples: [n, 6] float32, acc in m/s², gyr in rad/s
        lost: [n] number of samples that are missing before each sample
    """
    samples = np.column_stack([recording.acc_mps2, recording.gyr_radps]).astype(np.float32)
    place = np.flatnonzero(~recording.lost)
    return samples[place], np.diff(place, prepend=-1) - 1


def stride_table(strides: np.ndarray, rate_hz: float) -> pd.DataFrame:
    """Convert strides of the C or its twin to a table.

    Args:
        strides: [strides] structured array of type STRIDE, the members of tinystride_stride_t
        rate_hz: sampling rate, Hz

    Returns:
        one row per stride with start_s, end_s (mid-stances), initial_contact_s (NaN if not found),
        duration_s, stride_length_cm, strapdown_length_cm, mean5_cm, mean10_cm, length_sd_cm, latency_s,
        repaired_deg and flags (names separated by spaces)
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
    """Return the names of flags, separated by spaces.

    Args:
        flags: TINYSTRIDE_NO_STANDING | ...

    Returns:
        names as in FLAG_NAMES; empty without flags
    """
    return " ".join(name for bit, name in enumerate(FLAG_NAMES) if int(flags) >> bit & 1)
