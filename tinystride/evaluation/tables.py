"""The metrics of `report.evaluate` as tables: few numbers to track, Markdown to read, all figures to plot."""

from collections.abc import Iterator

import pandas as pd

HEADLINE = {
    "accuracy": {
        "int8": ["rmse_cm", "bias_cm", "sd_cm", "mean5_sd_cm", "coverage", "sd_to_float32_cm"],
        "strapdown": ["rmse_cm"],
    },
    "agreement": {"int8": ["rmse_cm", "coverage"]},
}
COLUMNS = ["set", "reference", "people", "strides (coverage)", "estimator", "RMSE, cm", "bias ± SD, cm",
           "mean of 5 strides, SD, cm"]  # fmt: skip


def headline(metrics: dict) -> dict:
    """What to track: {"source", "accuracy": {set: {estimator: {figure: number}}}, "agreement": likewise}."""
    found = {"source": metrics["source"], "accuracy": {}, "agreement": {}}
    for name, estimators in _sets(metrics):
        kind = kind_of(estimators)
        found[kind][name] = {
            estimator: {figure: estimators[estimator][figure] for figure in figures}
            for estimator, figures in HEADLINE[kind].items()
        }
    return {key: value for key, value in found.items() if value}


def markdown(metrics: dict, shown: list[str] | None = None) -> str:
    """A table of accuracy and one of agreement, with intervals in brackets; ends in a line feed.

    shown: the estimators to list (None: all)
    """
    parts = []
    if metrics["source"] == "simulated":
        parts.append("**Simulated walking, no recorded data: these numbers say nothing about real feet.**")
    rows = {"accuracy": [], "agreement": []}
    for name, estimators in _sets(metrics):
        of_set = [_row(name, *item) for item in estimators.items() if shown is None or item[0] in shown]
        rows[kind_of(estimators)] += of_set[:1] + [["", "", *row[2:]] for row in of_set[1:]]
    titles = {
        "accuracy": "Accuracy, stride by stride, on people the network never saw (95 % interval):",
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
        f"{figures['n_strides']} ({100 * figures['coverage']:.1f} %)",
        estimator,
        with_interval(figures, "rmse_cm"),
        f"{with_interval(figures, 'bias_cm')} ± {with_interval(figures, 'sd_cm')}",
        with_interval(figures, "mean5_sd_cm"),
    ]


def with_interval(figures: dict, name: str) -> str:
    """Like "3.21 (2.80 to 3.62)", a dash for what could not be computed."""
    if figures[name] is None:
        return "–"
    interval = figures[f"{name}_ci95"]
    text = f"{figures[name]:.2f}" + (f" ({interval[0]:.2f} to {interval[1]:.2f})" if interval else "")
    return text.replace("-", "−")


def _table(rows: list[list[str]]) -> str:
    lines = [COLUMNS, ["---"] * len(COLUMNS), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
