"""The metrics of `report.evaluate` as tables: few numbers to track, Markdown to read, all figures to plot."""

from collections.abc import Iterator

import pandas as pd

# {name: (estimator, figure)}; short names, since DVC makes each a column.
HEADLINE = {
    "accuracy": {
        "rmse_cm": ("int8", "rmse_cm"),
        "median_cm": ("int8", "median_abs_cm"),
        "bias_cm": ("int8", "bias_cm"),
        "mean5_sd_cm": ("int8", "mean5_sd_cm"),
        "coverage": ("int8", "coverage"),
        "streaming_cm": ("int8-streaming", "rmse_cm"),
        "strapdown_cm": ("strapdown", "rmse_cm"),
        "strapdown_median_cm": ("strapdown", "median_abs_cm"),
    },
    "agreement": {"agreement_cm": ("int8", "rmse_cm"), "coverage": ("int8", "coverage")},
}
COLUMNS = ["set", "reference", "people", "strides (coverage)", "estimator", "median error, cm", "RMSE, cm",
           "bias ± SD, cm", "95 % of errors below, cm", "mean of 5 strides, SD, cm", "unflagged"]  # fmt: skip


def headline(metrics: dict) -> dict:
    """What to track of each set, HEADLINE of its kind, beside the source: {"source", set: {name: number}}."""
    return {"source": metrics["source"]} | {
        name: {
            short: estimators[estimator][figure]
            for short, (estimator, figure) in HEADLINE[kind_of(estimators)].items()
            if estimator in estimators
        }
        for name, estimators in _sets(metrics)
    }


def markdown(metrics: dict, shown: list[str] | None = None) -> str:
    """A table of accuracy and one of agreement, with intervals in brackets; ends in a line feed.

    shown: the estimators to list (None: all)
    """
    parts = []
    if metrics["source"] == "simulated":
        parts.append("**Simulated walking, no recorded data: these numbers say nothing about real feet.**")
    rows: dict[str, list[list[str]]] = {"accuracy": [], "agreement": []}
    for name, estimators in _sets(metrics):
        of_set = [_row(name, *item) for item in estimators.items() if shown is None or item[0] in shown]
        rows[kind_of(estimators)] += of_set[:1] + [["", "", *row[2:]] for row in of_set[1:]]
    titles = {
        "accuracy": "Accuracy, stride by stride, on unseen people and sensors (in brackets: 95 % interval):",
        "agreement": "Agreement with an integral of the same sensor, which is no measurement of accuracy:",
    }
    for kind, title in titles.items():
        parts += [title, _table(rows[kind])] if rows[kind] else []
    return "\n\n".join(parts) + "\n"


def long(metrics: dict) -> pd.DataFrame:
    """One row for each figure; NaN where there is no value or interval.

    Columns: set, kind, estimator, by ("all", "subject" or "condition"), group, figure, value, low, high
    """
    rows = []
    for name, estimators in _sets(metrics):
        for estimator, entry in estimators.items():
            groups = [("all", "all", entry)]
            groups += [("subject", *item) for item in entry["per_subject"].items()]
            groups += [("condition", *item) for item in entry["per_condition"].items()]
            for by, group, figures in groups:
                for figure, value in figures.items():
                    if isinstance(value, str | dict) or figure.endswith("_ci95"):
                        continue
                    low, high = figures.get(f"{figure}_ci95") or (None, None)
                    rows.append((name, entry["kind"], estimator, by, group, figure, value, low, high))
    columns = ["set", "kind", "estimator", "by", "group", "figure", "value", "low", "high"]
    return pd.DataFrame(rows, columns=columns).astype({"value": float, "low": float, "high": float})


def stride_points(metrics: dict, judged: pd.DataFrame) -> pd.DataFrame:
    """Each int8 estimate as a point of a plot: set, stride_length_cm, int8_cm, mean_cm of both, error_cm.

    Of sets with a measured reference; of all if there is none.
    """
    measured = [name for name, estimators in _sets(metrics) if kind_of(estimators) == "accuracy"]
    rows = judged[judged["int8_cm"].notna() & (judged["dataset"].isin(measured) | (not measured))]
    points = rows[["dataset", "stride_length_cm", "int8_cm"]].rename(columns={"dataset": "set"})
    return points.assign(
        mean_cm=(rows["int8_cm"] + rows["stride_length_cm"]) / 2,
        error_cm=rows["int8_cm"] - rows["stride_length_cm"],
    )


def subject_points(metrics: dict, kind: str) -> pd.DataFrame:
    """Each person's int8 errors: set, subject as "set/subject", rmse_cm, bias_cm, sd_cm.

    kind: of the sets, "accuracy" or "agreement"
    """
    figures = ["rmse_cm", "bias_cm", "sd_cm"]
    rows = [
        (name, f"{name}/{subject}", *(entry[figure] for figure in figures))
        for name, estimators in _sets(metrics)
        if kind_of(estimators) == kind
        for subject, entry in estimators["int8"]["per_subject"].items()
    ]
    return pd.DataFrame(rows, columns=["set", "subject", *figures])


def kind_of(estimators: dict) -> str:
    """ "accuracy" or "agreement": of a set, for which all its estimators have the same."""
    return next(iter(estimators.values()))["kind"]


def _sets(metrics: dict) -> Iterator[tuple[str, dict]]:
    return ((name, estimators) for name, estimators in metrics.items() if name != "source")


def _row(name: str, estimator: str, figures: dict) -> list[str]:
    return [
        name,
        figures["reference"],
        str(figures["n_subjects"]),
        f"{figures['n_strides']} ({_coverage(figures)})",
        estimator,
        with_interval(figures, "median_abs_cm"),
        with_interval(figures, "rmse_cm"),
        " ± ".join(_number(figures, name) for name in ("bias_cm", "sd_cm")),
        _number(figures, "p95_abs_cm"),
        _number(figures, "mean5_sd_cm"),
        "–" if figures.get("unflagged") is None else f"{100 * figures['unflagged']:.0f} %",
    ]


def _coverage(figures: dict) -> str:
    """Like "89.3 %, of 97.7 % detected": the rest of these has lost samples."""
    coverage, detected = figures["coverage"], figures.get("detected", 0)
    more = f", of {100 * detected:.1f} % detected" if round(detected - coverage, 3) > 0 else ""
    return f"{100 * coverage:.1f} %{more}"


def _number(figures: dict, name: str) -> str:
    return "–" if figures.get(name) is None else f"{figures[name]:.2f}".replace("-", "−")


def with_interval(figures: dict, name: str) -> str:
    """Like "3.21 (2.80 to 3.62)", a dash for what could not be computed."""
    if figures.get(name) is None:
        return "–"
    interval = figures.get(f"{name}_ci95")
    text = f"{figures[name]:.2f}" + (f" ({interval[0]:.2f} to {interval[1]:.2f})" if interval else "")
    return text.replace("-", "−")


def _table(rows: list[list[str]]) -> str:
    lines = [COLUMNS, ["---"] * len(COLUMNS), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
