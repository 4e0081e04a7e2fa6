"""Compare the C library with its Python twin on every recording of data/raw, with the pipeline's model."""

import time
from collections.abc import Iterator

import numpy as np
from tqdm import tqdm

from stages.common import INT8_TFLITE, RAW
from tinystride.datasets.loading import load_recordings
from tinystride.streaming.native import NativeEstimator
from tinystride.streaming.twin import TwinEstimator

DECISIONS = ["start_s", "end_s", "flags"]


def measure() -> Iterator[tuple[str, str, str]]:
    native, reference = NativeEstimator(INT8_TFLITE), TwinEstimator(INT8_TFLITE)
    recordings = samples = strides = different = 0
    seconds, apart_cm = np.zeros(2), 0.0
    for recording in tqdm(load_recordings(RAW), unit="", desc="recordings"):
        clock = [time.perf_counter()]
        tables = []
        for estimator in (native, reference):
            tables.append(estimator.strides(recording))
            clock.append(time.perf_counter())
        c, python = tables
        recordings, samples, strides = recordings + 1, samples + recording.n_samples, strides + len(c)
        seconds += np.diff(clock)
        if c[DECISIONS].to_numpy().tolist() != python[DECISIONS].to_numpy().tolist():
            different += 1
        elif len(c):
            apart_cm = max(apart_cm, np.abs(c["stride_length_cm"] - python["stride_length_cm"]).max())
    yield "streaming, recordings, samples, strides", f"{recordings} {samples} {strides}", ""
    yield "streaming, recordings on which C and Python differ", f"{different}", "0"
    yield "streaming, lengths by C and Python, maximum difference", f"{apart_cm:.3f} cm", "at most 0.05 cm"
    yield "streaming, C, per million samples", f"{1e6 * seconds[0] / samples:.1f} s", "at most 10 s"
    yield "streaming, Python, per million samples", f"{1e6 * seconds[1] / samples:.1f} s", "at most 120 s"
