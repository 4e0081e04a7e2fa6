"""Time to make 50,000 augmented strides from data/strides."""

import time
from collections.abc import Iterator

import numpy as np

from benchmarks.processes import ROOT

STRIDES = 50_000


def measure() -> Iterator[tuple[str, str, str]]:
    from tinystride.gait.strapdown import LEVER_ARM_M
    from tinystride.gait.strides import read_strides
    from tinystride.learning.augmentation import (
        AugmentationOptions,
        augment,
        recover_motion,
        resample_with_margin,
    )

    strides = read_strides(ROOT / "data" / "strides")
    usable = strides.table[strides.table["usable"]]
    samples = resample_with_margin(strides.signals.select(usable["stride_id"]))
    start = time.perf_counter()
    motion = recover_motion(*samples, usable["stride_length_cm"].to_numpy(), [0, 0, LEVER_ARM_M])
    augment(motion, np.arange(STRIDES) % len(motion), AugmentationOptions(), np.random.default_rng(0))
    yield f"{STRIDES:,} augmented strides", f"{time.perf_counter() - start:.1f} s", "at most 30 s"
