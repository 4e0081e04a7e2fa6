"""What the page says: plain values for the template, compact lists for the figures."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from tinystride.evaluation.figures import LABELS
from tinystride.evaluation.judging import column_of
from tinystride.evaluation.published import PUBLISHED, line_text, published_rows
from tinystride.evaluation.tables import kind_of
from tinystride.gait.signals import StrideSignals
from tinystride.report.waveforms import choose_strides, waveforms

MOST_DRAWN = 2000  # strides of a set in a figure: more cannot be told apart, and slow a phone down
WAVEFORMS = 24  # strides of a set to look at one by one
LINES = ("bias_cm", "loa_low_cm", "loa_high_cm")


@dataclass(frozen=True)
class Run:
    """One run of the pipeline.

    parameters: all of params.yaml
    sources: data/raw/sources.json; split: data/split.json; counts: results/preprocess/counts.json
    signals: of data/strides; judged: results/evaluate/strides.csv; metrics: results/evaluate/metrics.json
    published: results/evaluate/published.json
    network: results/quantize/metrics.json; cores: results/mcu/metrics.json
    files: {path: SHA-256} of what the page vouches for; versions: {library: version}
    sweeps: {name: table of trials} of `tinystride sweep`, to stand beside this run in error against flash
    """

    parameters: dict
    sources: dict
    split: dict
    counts: dict
    signals: StrideSignals
    judged: pd.DataFrame
    metrics: dict
    published: list
    network: dict
    cores: dict
    files: dict = field(default_factory=dict)
    versions: dict = field(default_factory=dict)
    sweeps: dict[str, pd.DataFrame] = field(default_factory=dict)


def sets_of(metrics: dict, kind: str | None = None) -> list[str]:
    """Names of the sets, or of those of one kind ("accuracy" or "agreement"), the former first."""
    names = [name for name in metrics if name != "source"]
    return [
        name
        for name in sorted(names, key=lambda name: kind_of(metrics[name]))
        if kind in (None, kind_of(metrics[name]))
    ]


def data_rows(run: Run) -> list[dict]:
    """One row of the table of data sets for each that was judged."""
    rows = []
    for name in sets_of(run.metrics):
        judged = run.judged[run.judged["dataset"] == name]
        counts, origin = run.counts[name], run.sources["datasets"].get(name, {})
        people = judged.groupby("subject")["judged_by"].first()
        rows.append(
            {
                "name": name,
                "source": origin.get("source", run.sources["source"]),
                "reference": judged["reference"].iloc[0],
                "kind": kind_of(run.metrics[name]),
                **{key: counts[key] for key in ("subjects", "recordings", "strides", "usable", "left_out")},
                "speed_mps": [float(judged["speed_mps"].quantile(q)) for q in (0.025, 0.975)],
                "judged_by": {
                    "the final network": int((people == "final").sum()),
                    "the network of the fold that leaves each out": int(people.str.startswith("fold").sum()),
                },
                **{key: origin.get(key, "") for key in ("repository", "commit", "licence", "citation")},
            }
        )
    return rows


def footprints(cores: dict) -> list[dict]:
    """One row for each core and part: what a stride costs it, and how many outputs were compared."""
    return [
        {
            "core": core,
            "part": part,
            "instructions": figures.get("instructions_per_stride"),
            "vectors": figures.get("strides"),
            **figures,
        }
        for core, parts in cores.items()
        for part, figures in parts.items()
    ]


def verdicts(metrics: dict) -> list[dict]:
    """Whether the network is better than the integral that it starts from, for each set with a reference."""
    found = []
    for name in sets_of(metrics, "accuracy"):
        difference_cm = metrics[name]["int8"].get("rmse_minus_strapdown_cm")
        interval = metrics[name]["int8"].get("rmse_minus_strapdown_cm_ci95")
        if difference_cm is None or interval is None:
            continue
        side = (
            "no clear difference"
            if interval[0] <= 0 <= interval[1]
            else "better"
            if difference_cm < 0
            else "worse"
        )
        found.append({"set": name, "difference_cm": difference_cm, "interval": interval, "side": side})
    return found


def flat(parameters: dict, prefix: str = "") -> list[tuple[str, object]]:
    """("train.preset", "tiny") and so on; null, which means "as the preset has it", is left out."""
    rows = []
    for name, value in parameters.items():
        if isinstance(value, dict):
            rows += flat(value, f"{prefix}{name}.")
        elif value is not None:
            rows.append((prefix + name, ", ".join(map(str, value)) if isinstance(value, list) else value))
    return rows


def figure_data(run: Run, points: list[dict]) -> dict:
    """Everything that is drawn: strides and figures of each set, waveforms, error against flash."""
    return {
        "labels": LABELS,
        "sets": [_set_data(run, name) for name in sets_of(run.metrics)],
        "points": points,
    }


def _set_data(run: Run, name: str) -> dict:
    judged = run.judged[(run.judged["dataset"] == name) & run.judged["int8_cm"].notna()]
    places = np.unique(np.linspace(0, max(len(judged) - 1, 0), MOST_DRAWN).round().astype(int))[: len(judged)]
    drawn, estimators = judged.iloc[places], run.metrics[name]
    subject, subjects = pd.factorize(drawn["subject"], sort=True)
    condition, conditions = pd.factorize(drawn["condition"], sort=True)
    return {
        "name": name,
        "kind": kind_of(estimators),
        "reference": estimators["int8"]["reference"],
        "strides": len(judged),
        "id": drawn["stride_id"].str.removeprefix(f"{name}/").tolist(),
        "reference_cm": _rounded(drawn["stride_length_cm"], 2),
        "speed_mps": _rounded(drawn["speed_mps"], 3),
        "subject": subject.tolist(),
        "subjects": subjects.tolist(),
        "condition": condition.tolist(),
        "conditions": [each or "unspecified" for each in conditions],
        "estimates": {each: _rounded(drawn[column_of(each)], 2) for each in estimators},
        "figures": {each: _figures(entry) for each, entry in estimators.items()},
        "waveforms": waveforms(choose_strides(judged, WAVEFORMS), run.signals),
    }


def _figures(entry: dict) -> dict:
    def means(by: str) -> dict:
        return {
            name: [group["bias_cm"], group["sd_cm"], group["n_strides"]]
            for name, group in entry[by].items()
            if group["bias_cm"] is not None
        }

    lines = {name: entry[name] for line in LINES for name in (line, f"{line}_ci95")}
    line = {name: entry[name] for name in ("slope", "intercept_cm")}
    return {**lines, **line, "per_subject": means("per_subject"), "per_condition": means("per_condition")}


def _rounded(values: pd.Series, decimals: int) -> list:
    return [None if np.isnan(value) else round(value, decimals) for value in values.astype(float)]


def beside_published(run: Run) -> list[dict]:
    """Rows of the table of this run and the published system, int8 with its footprint; [] without TRIPOD."""
    if not run.published:
        return []
    cost = next((row for row in footprints(run.cores) if row["part"] == "network"), {})
    cost = {name: cost[name] for name in ("flash_bytes", "ram_bytes") if name in cost}
    ours = [row | {"whose": "this run"} | (cost if row["network"] == "int8" else {}) for row in run.published]
    rows = ours + [row | {"whose": "published"} for row in published_rows()]
    return [row | {"line": line_text(row)} for row in rows]


def flash_points(run: Run) -> list[dict]:
    """Error against flash: this run's int8 network on each core, for each set with a reference; trials of
    sweeps; the published networks, of which RMSE² = bias² + SD².
    """
    ours = [
        {
            "series": f"this run, {name}",
            "name": f"int8, {row['core']}",
            "flash_bytes": row["flash_bytes"],
            "rmse_cm": run.metrics[name]["int8"]["rmse_cm"],
            "interval": run.metrics[name]["int8"]["rmse_cm_ci95"],
        }
        for name in sets_of(run.metrics, "accuracy")
        for row in footprints(run.cores)
        if row["part"] == "network" and run.metrics[name]["int8"]["rmse_cm"] is not None
    ]
    theirs = [
        {
            "series": "published (Sensors 2023, 7166), TRIPOD",
            "name": f"{network}, Edge Impulse",
            "flash_bytes": figures["flash_bytes"],
            "rmse_cm": round(float(np.hypot(figures["bias_cm"], figures["sd_cm"])), 2),
            "interval": None,
        }
        for network, figures in PUBLISHED.items()
    ]
    trials = [
        {"series": f"sweep {name}", "name": f"trial {trial.trial}", "interval": None}
        | {"flash_bytes": trial.flash_bytes, "rmse_cm": trial.rmse_cm}
        for name, table in run.sweeps.items()
        for trial in table.dropna(subset=["flash_bytes", "rmse_cm"]).itertuples()
    ]
    return ours + trials + theirs
