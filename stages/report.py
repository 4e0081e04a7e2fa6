"""Write the report, a page with all results of this run that works offline: results/report/index.html.

`python -m stages.report sweeps/NAME/trials.csv …` adds plots of sweeps and writes sweeps/report. Sweeps are
not part of the pipeline, so the pipeline's own report does not contain them.
"""

import sys
from importlib.metadata import version
from pathlib import Path

import pandas as pd

from stages.common import (
    BUILT,
    C_LIBRARY,
    FLOAT32_TFLITE,
    INT8_TFLITE,
    MODELS,
    RAW,
    RESULTS,
    SPLIT,
    STRIDES,
    run_stage,
)
from stages.tracking import log_results
from tinystride.datasets.people import read_people
from tinystride.files import atomic_folder, read_json, sha256, write_text
from tinystride.gait.strides import read_strides
from tinystride.report.content import Run
from tinystride.report.page import render

VOUCHED_FOR = [
    STRIDES / "strides.parquet",
    STRIDES / "signals.npz",
    SPLIT,
    FLOAT32_TFLITE,
    INT8_TFLITE,
    C_LIBRARY / "src" / "tinystride_model.c",
]
LIBRARIES = ["tensorflow", "keras", "ai-edge-litert", "numpy", "scipy", "pandas", "scikit-learn"]
SWEEPS = [Path(table) for table in sys.argv[1:]]


def published_name(path: Path) -> str:
    """Return the path to which the stage publish copies a file, or its own path."""
    return (MODELS / path.relative_to(BUILT) if path.is_relative_to(BUILT) else path).as_posix()


def main(parameters: dict) -> None:
    strides = pd.read_csv(RESULTS / "evaluate" / "strides.csv", dtype={"subject": str, "trial": str})
    run = Run(
        parameters=parameters,
        sources=read_json(RAW / "sources.json"),
        split=read_json(SPLIT),
        counts=read_json(RESULTS / "preprocess" / "counts.json"),
        people=read_people(RAW, strides[["dataset", "subject"]].itertuples(index=False, name=None)),
        signals=read_strides(STRIDES).signals,
        strides=strides.fillna({"condition": ""}),
        metrics=read_json(RESULTS / "evaluate" / "metrics.json"),
        published=read_json(RESULTS / "evaluate" / "published.json"),
        network=read_json(RESULTS / "quantize" / "metrics.json"),
        cores=read_json(RESULTS / "mcu" / "metrics.json"),
        files={published_name(path): sha256(path) for path in VOUCHED_FOR},
        versions={name: version(name) for name in LIBRARIES},  # not Python's: the lock is for several
        sweeps={table.parent.name: pd.read_csv(table) for table in SWEEPS},
    )
    with atomic_folder(Path("sweeps/report") if SWEEPS else RESULTS / "report") as folder:
        write_text(folder / "index.html", render(run))
    log_results(parameters)


if __name__ == "__main__":
    run_stage("report", main)
