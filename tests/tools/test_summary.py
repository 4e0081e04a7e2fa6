"""The summary at the end of a run: results in at most 15 lines."""

from tools.summary import MAX_SETS, summary

NUMBERS = {
    "n_subjects": 3,
    "n_strides": 1200,
    "rmse_cm": 2.5,
    "rmse_cm_ci95": [2.25, 2.75],
    "bias_cm": -0.25,
    "bias_cm_ci95": [-0.5, 0.0],
}
CORES = {"cortex-m4f": {part: {"flash_bytes": 13216, "ram_bytes": 5028} for part in ("network", "estimator")}}


def metrics(source: str, sets: int) -> dict:
    own = {f"set-{i}": {"int8": {"kind": "accuracy", **NUMBERS}} for i in range(sets)}
    return {"source": source, **own, "street": {"int8": {"kind": "agreement", **NUMBERS}}}


def test_summary_run_shows_errors_costs_and_report():
    lines = summary(metrics("recorded", 2), CORES).splitlines()
    (row,) = [line.split() for line in lines if "set-1" in line]
    assert row == ["set-1", "3", "1200", "2.50", "(2.25", "to", "2.75)", "−0.25", "(−0.50", "to", "0.00)"]
    (street,) = [line for line in lines if "street" in line]
    assert "agreement" in street
    assert "13,216 bytes of flash, 5,028 of RAM" in lines[-2]
    assert "results/report/index.html" in lines[-1]
    assert not any("SIMULATED" in line for line in lines)


def test_summary_simulated_walking_is_marked():
    assert "SIMULATED" in summary(metrics("simulated", 1), CORES)


def test_summary_many_sets_has_at_most_15_lines():
    lines = summary(metrics("recorded", 30), CORES).splitlines()
    assert len(lines) <= 15 and f"and {31 - MAX_SETS} more" in "\n".join(lines)
