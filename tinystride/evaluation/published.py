"""Compare this project's metrics with the published system from which it started, by its protocol.

Verbiest et al., "Gait Stride Length Estimation Using Embedded Machine Learning", Sensors 2023, 23(16), 7166:
TRIPOD, right feet, 9 people for training, 3 for validation and 3 for test. The paper reports bias ± SD, the
regression line, limits of agreement and a minimal detectable change, which is 1.96 SD of the error and has
that name here.
"""

import pandas as pd

from tinystride.evaluation.agreement import agreement
from tinystride.evaluation.out_of_fold import EVALUATED_BY, FINAL, NETWORKS, column_of
from tinystride.evaluation.tables import with_interval

# Flash and RAM are those of the whole Edge Impulse library on a Cortex-M4F (int8: EON compiled).
PUBLISHED = {
    "int8": {"bias_cm": 0.07, "sd_cm": 4.3, "flash_bytes": 91_600, "ram_bytes": 13_600},
    "float32": {"bias_cm": 0.23, "sd_cm": 4.3, "flash_bytes": 284_500, "ram_bytes": 31_900},
}
SETS = ("tripod", "tripod-excerpt")
FOOT = "right"
METRICS = ("bias_cm", "sd_cm", "loa_low_cm", "loa_high_cm", "slope", "intercept_cm", "rmse_cm")
COLUMNS = ["whose", "tested on", "strides", "network", "bias ± SD, cm", "limits of agreement, cm",
           "1.96 SD, cm", "regression line", "flash, kB", "RAM, kB"]  # fmt: skip


def by_protocol(evaluated: pd.DataFrame, *, seed: int, resamples: int = 1000) -> list[dict]:
    """Return the metrics of right feet on TRIPOD: of the final network's test people, and of all people.

    Args:
        evaluated: strides, see `out_of_fold_estimates`
        seed: see `agreement`
        resamples: see `agreement`

    Returns:
        rows of {"set", "tested_on", "people", "strides", "network", metrics and their intervals,
        "sd196_cm"}; empty if no right foot of these sets was evaluated
    """
    rows = []
    for name in SETS:
        in_set = (evaluated["dataset"] == name) & (evaluated["foot"] == FOOT)
        strides = evaluated[in_set & evaluated["usable"]]
        final = strides[strides[EVALUATED_BY] == FINAL]
        groups = {"test people": final, "everybody, by folds": strides}
        if len(final) in (0, len(strides)):
            groups = {"test people" if len(final) else "everybody, by folds": strides}
        rows += [
            {
                "set": name,
                "tested_on": group,
                "network": network,
                **_metrics(members, network, seed, resamples),
            }
            for group, members in groups.items()
            if len(members)
            for network in NETWORKS
        ]
    return rows


def _metrics(strides: pd.DataFrame, network: str, seed: int, resamples: int) -> dict:
    found = agreement(strides, strides[column_of(network)], seed=seed, resamples=resamples)
    kept = {name: found[name] for metric in METRICS for name in (metric, f"{metric}_ci95")}
    sd196_cm = None if found["sd_cm"] is None else round(1.96 * found["sd_cm"], 4)
    return {"people": found["n_subjects"], "strides": found["n_strides"], **kept, "sd196_cm": sd196_cm}


def published_rows() -> list[dict]:
    """Return the published numbers in the form of `by_protocol`, without numbers that were not reported."""
    rows = []
    for network, values in PUBLISHED.items():
        reach = 1.96 * values["sd_cm"]
        limits = {"loa_low_cm": values["bias_cm"] - reach, "loa_high_cm": values["bias_cm"] + reach}
        rows.append(
            {"set": "tripod", "tested_on": "test people", "people": 3, "network": network}
            | values | limits | {"sd196_cm": reach}
        )  # fmt: skip
    return rows


def markdown_beside_published(rows: list[dict]) -> str:
    """Return a Markdown table of own and published numbers, "" if there is nothing to compare.

    Args:
        rows: see `by_protocol`
    """
    if not rows:
        return ""
    lines = [COLUMNS, ["---"] * len(COLUMNS)]
    lines += [_cells("this run", row) for row in rows] + [
        _cells("published", row) for row in published_rows()
    ]
    table = "\n".join("| " + " | ".join(line) + " |" for line in lines)
    return f"Beside the published system (Sensors 2023, 7166), right feet:\n\n{table}\n"


def _cells(whose: str, row: dict) -> list[str]:
    return [
        whose,
        f"{row['set']}, {row['tested_on']} ({row['people']})",
        str(row.get("strides", "–")),
        row["network"],
        f"{with_interval(row, 'bias_cm')} ± {with_interval(row, 'sd_cm')}",
        f"{with_interval(row, 'loa_low_cm')} to {with_interval(row, 'loa_high_cm')}",
        with_interval(row, "sd196_cm"),
        line_text(row),
        *(f"{row[name] / 1000:.1f}" if name in row else "–" for name in ("flash_bytes", "ram_bytes")),
    ]


def line_text(row: dict) -> str:
    """Return text such as "1.20 cm + 0.99 × reference", a dash if there is no line.

    Args:
        row: row of `by_protocol`
    """
    if row.get("slope") is None:
        return "–"
    return f"{row['intercept_cm']:.2f} cm + {row['slope']:.3f} × reference".replace("-", "−")
