"""Print the results of a run in at most 15 lines: `python -m tools.summary`, the end of `make run`."""

from pathlib import Path

from tinystride.cli import one_line_errors
from tinystride.evaluation.tables import kind_of, with_interval
from tinystride.files import read_json

RESULTS = Path("results")
MAX_SETS = 8  # fits into 15 lines
ROW = "  {:<16}{:>7}{:>9}   {:<24}{}"


def summary(metrics: dict, cores: dict) -> str:
    """Return the int8 errors on each data set, flash and RAM on the first core, and file names.

    metrics, cores: results/evaluate/metrics.json and results/mcu/metrics.json
    """
    sets = {name: estimators for name, estimators in metrics.items() if name != "source"}
    lines = ["", "Stride length on people the network was not trained on, int8, 95 % intervals in brackets:"]
    if metrics["source"] == "simulated":
        lines[1] = "SIMULATED walking, no recorded data: these numbers say nothing about real feet."
    lines.append(ROW.format("data set", "people", "strides", "RMSE, cm", "bias, cm"))
    for name, estimators in list(sets.items())[:MAX_SETS]:
        own = estimators["int8"]
        agreement = "  (agreement with an integral)" * (kind_of(estimators) == "agreement")
        errors = (with_interval(own, "rmse_cm"), with_interval(own, "bias_cm") + agreement)
        lines.append(ROW.format(name, own["n_subjects"], own["n_strides"], *errors))
    if len(sets) > MAX_SETS:
        lines.append(f"  … and {len(sets) - MAX_SETS} more")
    core, parts = next(iter(cores.items()))
    for part, what in (("network", "network"), ("estimator", "samples to strides")):
        if part in parts:
            flash, ram = (f"{parts[part][name]:,}" for name in ("flash_bytes", "ram_bytes"))
            lines.append(f"On {core}, {what}: {flash} bytes of flash, {ram} of RAM")
    lines.append("Report: results/report/index.html. Network: models/stride_int8.tflite. C library: models/c")
    return "\n".join(lines)


def main() -> None:
    with one_line_errors():
        print(summary(read_json(RESULTS / "evaluate/metrics.json"), read_json(RESULTS / "mcu/metrics.json")))


if __name__ == "__main__":
    main()
