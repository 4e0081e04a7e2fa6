"""A small run of the pipeline: simulated people on a treadmill, and on a street without a reference."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tinystride.datasets.simulator import simulate_walk
from tinystride.datasets.walker import SimulatedSubject
from tinystride.evaluation.metrics import evaluate
from tinystride.evaluation.published import by_protocol
from tinystride.gait.strides import count_strides, gather_strides
from tinystride.learning.split import split_by_subject
from tinystride.report.content import Run

NETWORK = {
    "flash_bytes": 3344, "ram_bytes": 912, "stack_bytes": 900, "instructions": 28303,
    "vectors": 20, "mismatches": 0,
}  # fmt: skip
ESTIMATOR = {
    "flash_bytes": 12000, "ram_bytes": 9000, "stack_bytes": 1500, "instructions_per_stride": 900000,
    "strides": 12, "mismatches": 0,
}  # fmt: skip


def recordings():
    for number in range(5):
        person = SimulatedSubject.draw(np.random.default_rng(number), f"S<{number}>")
        for speed_mps, condition in ((0.9, "slow"), (1.4, "fast")):
            walk = simulate_walk(person, speed_mps=speed_mps, rate_hz=100, foot="right", seed=number)
            yield replace(walk, dataset="tripod", trial=condition, condition=condition)
        reference = walk.reference.assign(stride_length_cm=np.nan, reference="strapdown")
        yield replace(walk, dataset="street", reference=reference)


def predicted(table: pd.DataFrame, tested: list[str]) -> pd.DataFrame:
    own = table[table["usable"] & (table["dataset"] + "/" + table["subject"]).isin(tested)]
    error_cm = np.random.default_rng(1).normal(1, 2, len(own))
    lengths_cm = own["stride_length_cm"] + error_cm
    return pd.DataFrame(
        {
            "stride_id": own["stride_id"],
            "float32_cm": lengths_cm,
            "int8_cm": lengths_cm.round(1),
            "int8_streaming_cm": lengths_cm + 0.25,
            "int8_streaming_flags": "",
        }
    )


def people() -> pd.DataFrame:
    """Five people of the treadmill, of whom two ages are known, and unknown people of the street."""
    names = [(name, f"S<{number}>") for name in ("tripod", "street") for number in range(5)]
    table = pd.DataFrame(names, columns=["dataset", "subject"]).assign(weight_kg=np.nan, sex="")
    ages = [31.0, 64.0] + [np.nan] * 8
    return table.assign(age_years=ages, height_cm=[170.0] * 5 + [np.nan] * 5)


@pytest.fixture(scope="session")
def run() -> Run:
    strides = gather_strides(recordings(), progress=False)
    split = split_by_subject(
        strides.table, strategy="grouped-kfold", seed=1, folds=3, held_out=[], validation_fraction=0.2
    )
    final = predicted(strides.table, split["final"]["test"])
    folds = {part["fold"]: predicted(strides.table, part["test"]) for part in split["folds"]}
    metrics, evaluated = evaluate(
        strides.table, split, final, folds, source="simulated", seed=1, resamples=50
    )
    return Run(
        parameters={
            "seed": 1,
            "estimator": "direct",
            "train": {"preset": "paper", "epochs": None},
            "folds": [0, 1, 2],
        },
        sources={"source": "simulated", "datasets": {}},
        split=split,
        counts=count_strides(strides.table),
        people=people(),
        signals=strides.signals,
        strides=evaluated,
        metrics=metrics,
        published=by_protocol(evaluated, seed=1, resamples=50),
        network={
            "parameters": 973,
            "multiply_accumulates": 13190,
            "tflite_bytes": {"float32": 8224, "int8": 6416},
        },
        cores={
            "cortex-m4f": {"network": NETWORK, "estimator": ESTIMATOR},
            "cortex-m0": {"network": NETWORK | {"flash_bytes": 4100}},
        },
        files={"models/stride_int8.tflite": "5" * 64},
        versions={"Python": "3.11"},
    )
