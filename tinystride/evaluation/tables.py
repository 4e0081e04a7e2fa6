"""Format metrics as tables: few numbers to track, Markdown to read, all metrics to plot."""

from collections.abc import Iterator

import pandas as pd

# {name: (estimator, metric)}; short names, because DVC shows each as a column.
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
    """Return the numbers to track of each set, HEADLINE of its kind: {"source", set: {name: number}}.

    Args:
        metrics: see `metrics.evaluate`
    """
    return {"source": metrics["source"]} | {
        name: {
            short: estimators[estimator][metric]
            for short, (estimator, metric) in HEADLINE[kind_of(estimators)].items()
            if estimator in estimators
        }
        for name, estimators in _sets(metrics)
    }


def markdown(metrics: dict, shown: list[str] | None = None) -> str:
    """Return a table of accuracy and one of agreement, with intervals in parentheses, ending in a line feed.

    Args:
        metrics: see `metrics.evaluate`
        shown: estimators to list, None for all
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
    """Return one row for each metric; NaN if there is no value or interval.

    Columns: set, kind, estimator, by ("all", "subject" or "condition"), group, figure (the metric), value,
    low, high.

    Args:
        metrics: see `metrics.evaluate`
    """
    rows = []
    for name, estimators in _sets(metrics):
        for estimator, entry in estimators.items():
            groups = [("all", "all", entry)]
            groups += [("subject", *item) for item in entry["per_subject"].items()]
            groups += [("condition", *item) for item in entry["per_condition"].items()]
            for by, group, values in groups:
                for metric, value in values.items():
                    if isinstance(value, str | dict) or metric.endswith("_ci95"):
                        continue
                    low, high = values.get(f"{metric}_ci95") or (None, None)
                    rows.append((name, entry["kind"], estimator, by, group, metric, value, low, high))
    columns = ["set", "kind", "estimator", "by", "group", "figure", "value", "low", "high"]
    return pd.DataFrame(rows, columns=columns).astype({"value": float, "low": float, "high": float})


def stride_points(metrics: dict, evaluated: pd.DataFrame) -> pd.DataFrame:
    """Return each int8 estimate as a point: set, stride_length_cm, int8_cm, mean_cm of both, error_cm.

    Only sets with a measured reference are included, or all sets if there is no such set.

    Args:
        metrics: see `metrics.evaluate`
        evaluated: strides, see `metrics.evaluate`
    """
    measured = [name for name, estimators in _sets(metrics) if kind_of(estimators) == "accuracy"]
    rows = evaluated[evaluated["int8_cm"].notna() & (evaluated["dataset"].isin(measured) | (not measured))]
    points = rows[["dataset", "stride_length_cm", "int8_cm"]].rename(columns={"dataset": "set"})
    return points.assign(
        mean_cm=(rows["int8_cm"] + rows["stride_length_cm"]) / 2,
        error_cm=rows["int8_cm"] - rows["stride_length_cm"],
    )


def subject_points(metrics: dict, kind: str) -> pd.DataFrame:
    """Return each person's int8 errors: set, subject as "set/subject", rmse_cm, bias_cm, sd_cm.

    Args:
        metrics: see `metrics.evaluate`
        kind: kind of the sets, "accuracy" or "agreement"
    """
    values = ["rmse_cm", "bias_cm", "sd_cm"]
    rows = [
        (name, f"{name}/{subject}", *(entry[metric] for metric in values))
        for name, estimators in _sets(metrics)
        if kind_of(estimators) == kind
        for subject, entry in estimators["int8"]["per_subject"].items()
    ]
    return pd.DataFrame(rows, columns=["set", "subject", *values])


def kind_of(estimators: dict) -> str:
    """Return the kind of a set, "accuracy" or "agreement"; all its estimators have the same.

    Args:
        estimators: estimators of one set, see `metrics.evaluate`
    """
    return next(iter(estimators.values()))["kind"]


def _sets(metrics: dict) -> Iterator[tuple[str, dict]]:
    return ((name, estimators) for name, estimators in metrics.items() if name != "source")


def _row(name: str, estimator: str, values: dict) -> list[str]:
    return [
        name,
        values["reference"],
        str(values["n_subjects"]),
        f"{values['n_strides']} ({_coverage(values)})",
        estimator,
        with_interval(values, "median_abs_cm"),
        with_interval(values, "rmse_cm"),
        " ± ".join(_number(values, name) for name in ("bias_cm", "sd_cm")),
        _number(values, "p95_abs_cm"),
        _number(values, "mean5_sd_cm"),
        "–" if values.get("unflagged") is None else f"{100 * values['unflagged']:.0f} %",
    ]


def _coverage(values: dict) -> str:
    """Return text such as "89.3 %, of 97.7 % detected"; the difference are strides with lost samples."""
    coverage, detected = values["coverage"], values.get("detected", 0)
    more = f", of {100 * detected:.1f} % detected" if round(detected - coverage, 3) > 0 else ""
    return f"{100 * coverage:.1f} %{more}"


def _number(values: dict, name: str) -> str:
    return "–" if values.get(name) is None else f"{values[name]:.2f}".replace("-", "−")


def with_interval(values: dict, name: str) -> str:
    """Return text such as "3.21 (2.80 to 3.62)", a dash for a metric that could not be computed.

    Args:
        values: metrics
        name: name of the metric
    """
    if values.get(name) is None:
        return "–"
    interval = values.get(f"{name}_ci95")
    text = f"{values[name]:.2f}" + (f" ({interval[0]:.2f} to {interval[1]:.2f})" if interval else "")
    return text.replace("-", "−")


def _table(rows: list[list[str]]) -> str:
    lines = [COLUMNS, ["---"] * len(COLUMNS), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
