"""The published system that this project starts from, and our figures by its protocol beside it.

Verbiest et al., "Gait Stride Length Estimation Using Embedded Machine Learning", Sensors 2023, 23(16), 7166:
TRIPOD, right feet, 9 people to train, 3 to validate and 3 to test on. Reported are bias ± SD, the regression
line, limits of agreement and what the paper calls the minimal detectable change, which is 1.96 SD of the
error and is named so here.
"""

import pandas as pd

from tinystride.evaluation.agreement import agreement
from tinystride.evaluation.judging import NETWORKS, column_of
from tinystride.evaluation.tables import with_interval

# Flash and RAM are those of the whole Edge Impulse library on a Cortex-M4F (int8: EON compiled).
PUBLISHED = {
    "int8": {"bias_cm": 0.07, "sd_cm": 4.3, "flash_bytes": 91_600, "ram_bytes": 13_600},
    "float32": {"bias_cm": 0.23, "sd_cm": 4.3, "flash_bytes": 284_500, "ram_bytes": 31_900},
}
SETS = ("tripod", "tripod-excerpt")
FOOT = "right"
FIGURES = ("bias_cm", "sd_cm", "loa_low_cm", "loa_high_cm", "slope", "intercept_cm", "rmse_cm")
COLUMNS = ["whose", "tested on", "strides", "network", "bias ± SD, cm", "limits of agreement, cm",
           "1.96 SD, cm", "regression line", "flash, kB", "RAM, kB"]  # fmt: skip


def by_protocol(judged: pd.DataFrame, *, seed: int, resamples: int = 1000) -> list[dict]:
    """Figures of right feet on TRIPOD: of the people that the final network is tested on, and of everybody.

    judged: see `judge_strides`; seed, resamples: see `agreement`
    Each of the result is {"set", "tested_on", "people", "strides", "network", figures and their intervals,
    "sd196_cm"}; the list is empty where nobody's right foot of these sets was judged.
    """
    rows = []
    for name in SETS:
        strides = judged[(judged["dataset"] == name) & (judged["foot"] == FOOT) & judged["usable"]]
        final = strides[strides["judged_by"] == "final"]
        groups = {"test people": final, "everybody, by folds": strides}
        if len(final) in (0, len(strides)):
            groups = {"test people" if len(final) else "everybody, by folds": strides}
        rows += [
            {
                "set": name,
                "tested_on": group,
                "network": network,
                **_figures(members, network, seed, resamples),
            }
            for group, members in groups.items()
            if len(members)
            for network in NETWORKS
        ]
    return rows


def _figures(strides: pd.DataFrame, network: str, seed: int, resamples: int) -> dict:
    found = agreement(strides, strides[column_of(network)], seed=seed, resamples=resamples)
    kept = {name: found[name] for figure in FIGURES for name in (figure, f"{figure}_ci95")}
    sd196_cm = None if found["sd_cm"] is None else round(1.96 * found["sd_cm"], 4)
    return {"people": found["n_subjects"], "strides": found["n_strides"], **kept, "sd196_cm": sd196_cm}


def published_rows() -> list[dict]:
    """The published figures in the form of `by_protocol`; what was not reported is missing."""
    rows = []
    for network, figures in PUBLISHED.items():
        reach = 1.96 * figures["sd_cm"]
        limits = {"loa_low_cm": figures["bias_cm"] - reach, "loa_high_cm": figures["bias_cm"] + reach}
        rows.append(
            {"set": "tripod", "tested_on": "test people", "people": 3, "network": network}
            | figures | limits | {"sd196_cm": reach}
        )  # fmt: skip
    return rows


def markdown_beside_published(rows: list[dict]) -> str:
    """Ours and theirs as a Markdown table; "" where there is nothing to compare."""
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
    """Like "1.20 cm + 0.99 × reference", a dash where there is no line."""
    if row.get("slope") is None:
        return "–"
    return f"{row['intercept_cm']:.2f} cm + {row['slope']:.3f} × reference".replace("-", "−")
