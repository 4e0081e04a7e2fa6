"""Generate strides along a line with exact lengths.

The foot slides forward with one period of a sine as acceleration and pitches by one period of another sine.
A little noise makes the strides differ.
"""

import numpy as np
import pandas as pd

from tinystride.gait import strapdown
from tinystride.gait.signals import StrideSignals

GRAVITY_MPS2 = 9.80665
MARGIN = 25


def stride(length_m: float, duration_s: float, rate_hz: float, noise: np.random.Generator):
    """acc_mps2, gyr_radps [n, 3] and the fractional samples of its two mid-stances."""
    bounds = np.array([MARGIN + 0.3, MARGIN + 0.3 + duration_s * rate_hz])
    samples = np.arange(int(bounds[1]) + MARGIN)
    phase = np.clip((samples - bounds[0]) / (bounds[1] - bounds[0]), 0, 1)
    wave = np.sin(2 * np.pi * phase)
    acc = noise.normal([0, 0, GRAVITY_MPS2], 0.05, (len(samples), 3))
    # x = length (phase - sin(2 pi phase) / 2 pi): at rest at both ends, and as long as it has to be.
    acc[:, 0] += 2 * np.pi * length_m / duration_s**2 * wave
    gyr = noise.normal(0, 0.005, (len(samples), 3))
    gyr[:, 1] += 0.5 * wave * length_m
    # The foot pitches while it slides, so the sensor sees both accelerations turned.
    pitch = -0.25 * length_m * duration_s / np.pi * (np.cos(2 * np.pi * phase) - 1)
    forward, up = acc[:, 0].copy(), acc[:, 2].copy()
    acc[:, 0] = np.cos(pitch) * forward - np.sin(pitch) * up
    acc[:, 2] = np.sin(pitch) * forward + np.cos(pitch) * up
    return acc, gyr, bounds


def walk(subjects: dict[str, int], seed: int = 0) -> tuple[pd.DataFrame, StrideSignals]:
    """The strides table and signals of people ({"dataset/subject": number of strides}), all usable."""
    noise = np.random.default_rng(seed)
    names = np.repeat(list(subjects), list(subjects.values()))
    length_m = noise.uniform(0.8, 1.7, len(names))
    duration_s = noise.uniform(0.9, 1.4, len(names))
    parts = [stride(*each, 100.0, noise) for each in zip(length_m, duration_s, strict=True)]
    mid_stance = np.array([bounds for *_, bounds in parts])
    stride_id = np.array([f"{name}/walk/right/{i:04d}" for i, name in enumerate(names)])
    signals = StrideSignals(
        stride_id=stride_id,
        rate_hz=np.full(len(names), 100.0),
        offset=np.concatenate([[0], np.cumsum([len(acc) for acc, *_ in parts])]),
        mid_stance=mid_stance,
        initial_contact=mid_stance - 12.4,
        acc_mps2=np.concatenate([acc for acc, *_ in parts]).astype(np.float32),
        gyr_radps=np.concatenate([gyr for _, gyr, _ in parts]).astype(np.float32),
    )
    table = pd.DataFrame(
        {
            "stride_id": stride_id,
            "dataset": [name.split("/")[0] for name in names],
            "subject": [name.split("/")[1] for name in names],
            "foot": "right",
            "duration_s": duration_s,
            "stride_length_cm": 100 * length_m,
            "strapdown_length_cm": strapdown.integrate(*strapdown.resample(signals)).length_cm,
            "usable": True,
            "flags": "",
            "reason": "",
        }
    )
    return table, signals
