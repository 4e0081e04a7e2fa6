"""Content of the page: plain values for the template, compact lists for the plots."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from tinystride.codegen.costs import call_energy_j, call_time_s
from tinystride.datasets.catalogue import CATALOGUE
from tinystride.datasets.people import COUNTED_BY_DAY, PEOPLE_NOTES
from tinystride.evaluation.metrics import KINDS, REFERENCE_SD_CM, SPEED_BANDS, WALKING
from tinystride.evaluation.out_of_fold import column_of
from tinystride.evaluation.plots import LABELS as PLOT_LABELS
from tinystride.evaluation.published import PUBLISHED, line_text, published_rows
from tinystride.evaluation.tables import kind_of
from tinystride.gait.signals import StrideSignals
from tinystride.report.waveforms import choose_strides, waveforms

MAX_DRAWN = 1500  # strides of a set in a plot: more points would only overlap, and slow a phone down
WAVEFORMS = 15  # strides of a set to look at one by one
LINES = ("bias_cm", "loa_low_cm", "loa_high_cm")
C_LIBRARY = "int8-streaming"
LABELS = PLOT_LABELS | {C_LIBRARY: "C library"}


@dataclass(frozen=True)
class Run:
    """One run of the pipeline.

    Attributes:
        parameters: all of params.yaml
        sources: data/raw/sources.json
        split: data/split.json
        counts: results/preprocess/counts.json
        people: result of `datasets.people.read_people`
        signals: signals of data/strides
        strides: results/evaluate/strides.csv
        metrics: results/evaluate/metrics.json
        published: results/evaluate/published.json
        network: results/quantize/metrics.json
        cores: results/mcu/metrics.json
        files: {path: SHA-256} of the files that the page is about
        versions: {library: version}
        sweeps: {name: table of trials} of `tinystride sweep`, drawn beside this run in error against flash
    """

    parameters: dict
    sources: dict
    split: dict
    counts: dict
    people: pd.DataFrame
    signals: StrideSignals
    strides: pd.DataFrame
    metrics: dict
    published: list
    network: dict
    cores: dict
    files: dict = field(default_factory=dict)
    versions: dict = field(default_factory=dict)
    sweeps: dict[str, pd.DataFrame] = field(default_factory=dict)


def sets_of(metrics: dict, kind: str | None = None) -> list[str]:
    """Return the names of the data sets in the metrics, those with a measured reference first.

    Args:
        metrics: result of `evaluation.metrics.evaluate`
        kind: "accuracy" or "agreement" for the sets of one kind; None: all
    """
    names = [name for name in metrics if name != "source"]
    return [
        name
        for name in sorted(names, key=lambda name: kind_of(metrics[name]))
        if kind in (None, kind_of(metrics[name]))
    ]


def delivered(estimators: Mapping) -> str:
    """Return the name of the estimator that users get: the C library, or else the int8 network.

    Args:
        estimators: the metrics of one data set
    """
    return C_LIBRARY if C_LIBRARY in estimators else "int8"


def answer(run: Run) -> dict[str, Any] | None:
    """Return the numbers of the page's first sentence; None if no data set has a measured reference.

    They are of walking strides: at least SHORT_CM long and slower than RUNNING_MPS, flagged or not.

    Args:
        run: the run

    Returns:
        median_cm, p95_cm: of the absolute error, each from the data set in which it is largest
        worst: name of the data set with the largest p95_cm
        strides, people: how many in all sets; a person of two sets counts once
        core, flash_bytes, ram_bytes, time_ms, energy_uj: per stride, of the whole library on the first core;
            absent if it was not measured
    """
    walks = {name: _walking(run.metrics[name]) for name in sets_of(run.metrics, "accuracy")}
    walks = {name: own for name, own in walks.items() if own.get("n_strides")}
    if not walks:
        return None
    worst = max(walks, key=lambda name: walks[name]["p95_abs_cm"])
    cost = next((row for row in footprints(run.cores) if row["part"] == "estimator"), {})
    return {
        "median_cm": max(own["median_abs_cm"] for own in walks.values()),
        "p95_cm": walks[worst]["p95_abs_cm"],
        "worst": worst,
        "strides": sum(own["n_strides"] for own in walks.values()),
        "people": count_people(run, list(walks)),
        **{
            name: cost[name]
            for name in ("core", "flash_bytes", "ram_bytes", "time_ms", "energy_uj")
            if name in cost
        },
    }


def _walking(estimators: Mapping) -> Mapping:
    """Return the metrics of one set's walking strides, of the estimator that users get."""
    return estimators[delivered(estimators)]["per_gait"].get(WALKING, {})


def count_people(run: Run, names: list[str] | None = None) -> int:
    """Return how many people walked in the data sets; people whom two sets share are counted once.

    Args:
        run: the run
        names: names of the data sets; None: all
    """
    names = sets_of(run.metrics) if names is None else names
    return sum(
        run.counts[name]["subjects"]
        for name in names
        if name not in CATALOGUE or CATALOGUE[name].same_people_as not in names
    )


def at_most(run: Run) -> str:
    """Return "up to " if a data set counts days of recording as people, else "".

    Args:
        run: the run
    """
    return "up to " if set(COUNTED_BY_DAY) & set(sets_of(run.metrics)) else ""


def ages(run: Run) -> str:
    """Return the range of the known ages like "24 to 79 years"; "not known" without any.

    Args:
        run: the run
    """
    years = run.people["age_years"].dropna()
    if years.empty:
        return "not known"
    low, high = years.min(), years.max()
    return f"{low:g} years" if low == high else f"{low:g} to {high:g} years"


def accuracy_rows(run: Run) -> list[dict]:
    """Return one row per data set with a measured reference: metrics of the estimator that users get.

    Args:
        run: the run

    Returns:
        Rows with set, estimator, its metrics, and interval_coverage: of the C library if it is known, else of
            the
        same length computed offline, whose standard deviation it shares.
    """
    rows = []
    for name in sets_of(run.metrics, "accuracy"):
        estimators = run.metrics[name]
        estimator = delivered(estimators)
        offline = "int8" if run.parameters.get("quantize", {}).get("use_network") else "strapdown"
        coverage = [estimators.get(each, {}).get("interval_coverage") for each in (estimator, offline)]
        rows.append(
            {
                "set": name,
                "estimator": estimator,
                **estimators[estimator],
                "interval_coverage": next((each for each in coverage if each is not None), None),
            }
        )
    return rows


def grouped_rows(run: Run, by: str) -> list[dict]:
    """Return one row per speed band, or per kind of stride, that has strides.

    Args:
        run: the run
        by: "per_speed" or "per_kind"

    Returns:
        Rows {"group", "sets": {set: metrics of that group or {}}}.
    """
    per_set = {row["set"]: row.get(by, {}) for row in accuracy_rows(run)}
    return [
        {"group": group, "sets": {name: groups.get(group, {}) for name, groups in per_set.items()}}
        for group in (SPEED_BANDS if by == "per_speed" else KINDS)
        if any(groups.get(group, {}).get("n_strides") for groups in per_set.values())
    ]


def running(run: Run) -> dict[str, dict]:
    """Return {set: metrics} of the fastest speed band, in which people run.

    Args:
        run: the run
    """
    return {
        row["set"]: band
        for row in accuracy_rows(run)
        if (band := row.get("per_speed", {}).get(SPEED_BANDS[-1], {})).get("n_strides")
    }


def slope_rows(run: Run) -> list[dict]:
    """Return what the slopes of both plots mean, one row per data set with a measured reference.

    Args:
        run: the run

    Returns:
        Rows with
        set, slope, slope_ci95: of the estimate on the reference
        low_cm, high_cm: 5th and 95th percentile of the reference
        low_error_cm, high_error_cm: error of the line there
        diluted: slope that the reference's own noise alone would give; None if that noise is not known
        per_10_cm: slope of the Bland-Altman plot (error on the mean of both), cm per 10 cm
        verdict: "none" if the interval holds 1, "noise" if it holds the diluted slope, else "shrinks" or
            "stretches" differences of length
    """
    rows = []
    for row in accuracy_rows(run):
        strides = run.strides[run.strides["dataset"] == row["set"]]
        strides = strides[strides[column_of(row["estimator"])].notna()]
        if row["slope"] is None or strides.empty:
            continue
        reference_cm = strides["stride_length_cm"].to_numpy(float)
        estimate_cm = strides[column_of(row["estimator"])].to_numpy(float)
        low_cm, high_cm = np.quantile(reference_cm, [0.05, 0.95])
        noise_cm = REFERENCE_SD_CM.get(row["reference"])
        mean_cm, error_cm = (reference_cm + estimate_cm) / 2, estimate_cm - reference_cm
        interval = row["slope_ci95"] or [row["slope"]] * 2
        diluted = None if noise_cm is None else float(1 - noise_cm**2 / reference_cm.var())
        rows.append(
            {
                "set": row["set"],
                "slope": row["slope"],
                "slope_ci95": row["slope_ci95"],
                "low_cm": low_cm,
                "high_cm": high_cm,
                "low_error_cm": row["intercept_cm"] + (row["slope"] - 1) * low_cm,
                "high_error_cm": row["intercept_cm"] + (row["slope"] - 1) * high_cm,
                "diluted": diluted,
                "per_10_cm": 10 * np.cov(error_cm, mean_cm)[0, 1] / mean_cm.var(ddof=1),
                "verdict": _slope_verdict(row["slope"], interval, diluted),
            }
        )
    return rows


def _slope_verdict(slope: float, interval: list, diluted: float | None) -> str:
    if interval[0] <= 1 <= interval[1]:
        return "none"
    if diluted is not None and interval[0] <= diluted <= interval[1]:
        return "noise"
    return "shrinks" if slope < 1 else "stretches"


def data_rows(run: Run) -> list[dict]:
    """Return one row per data set that was evaluated: people, sources, counts of strides.

    Args:
        run: the run
    """
    rows = []
    for name in sets_of(run.metrics):
        strides = run.strides[run.strides["dataset"] == name]
        counts, origin = run.counts[name], run.sources["datasets"].get(name, {})
        models = strides.groupby("subject")["judged_by"].first()
        rows.append(
            {
                "name": name,
                "source": origin.get("source", run.sources["source"]),
                "reference": strides["reference"].iloc[0],
                "kind": kind_of(run.metrics[name]),
                **{key: counts[key] for key in ("subjects", "recordings", "strides", "usable", "left_out")},
                **_people(run.people[run.people["dataset"] == name]),
                "note": PEOPLE_NOTES.get(name, ""),
                "conditions": sorted({each or "unspecified" for each in strides["condition"]}),
                "speed_mps": [float(strides["speed_mps"].quantile(q)) for q in (0.025, 0.975)],
                "models": {
                    "final": int((models == "final").sum()),
                    "of the fold that leaves each out": int(models.str.startswith("fold").sum()),
                },
                **{key: origin.get(key, "") for key in ("repository", "commit", "licence", "citation")},
            }
        )
    return rows


def _people(people: pd.DataFrame) -> dict[str, str]:
    """Return age, height and sex of the people of one set as text; "not known" if their files are silent."""
    texts = {}
    for name, column, unit in (("age", "age_years", "years"), ("height", "height_cm", "cm")):
        values = people[column].dropna()
        if values.empty:
            texts[name] = "not known"
            continue
        low, high = values.min(), values.max()
        span = f"{low:g} {unit}" if low == high else f"{low:g} to {high:g} {unit}, median {values.median():g}"
        texts[name] = span if len(values) == len(people) else f"{span} (of {len(values)}; others not known)"
    counts = people.loc[people["sex"] != "", "sex"].value_counts()
    words = [f"{counts[sex]} {sex}" for sex in ("female", "male") if sex in counts]
    if words and counts.sum() < len(people):
        words.append(f"{len(people) - counts.sum()} not known")
    texts["sex"] = ", ".join(words) or "not known"
    return texts


def footprints(cores: dict) -> list[dict]:
    """Return one row per core and part, "network" or "estimator" (the whole library).

    Args:
        cores: {core: {part: metrics}} of results/mcu

    Returns:
        Rows with core, part, the metrics, instructions (per stride), vectors (how many outputs were
        compared), time_ms (per stride at CLOCK_HZ) and, on cores whose current is known, energy_uj.
    """
    rows = []
    for core, parts in cores.items():
        for part, metrics in parts.items():
            row = {
                "core": core,
                "part": part,
                "instructions": metrics.get("instructions_per_stride"),
                "vectors": metrics.get("strides"),
                **metrics,
            }
            row["time_ms"] = 1e3 * call_time_s(row["instructions"])
            energy_j = call_energy_j(core, row["instructions"])
            rows.append(row if energy_j is None else row | {"energy_uj": 1e6 * energy_j})
    return rows


def verdicts(metrics: dict) -> list[dict]:
    """Return, for each set with a measured reference, whether the network is better than the integral.

    Args:
        metrics: result of `evaluation.metrics.evaluate`

    Returns:
        Rows with set, difference_cm of the RMSE, its interval, and side: "better", "worse" or "no clear
        difference".
    """
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
    """Return ("train.preset", "tiny") and so on, without null, which means "as the preset has it".

    Args:
        parameters: nested parameters
        prefix: text before each name
    """
    rows: list[tuple[str, object]] = []
    for name, value in parameters.items():
        if isinstance(value, dict):
            rows += flat(value, f"{prefix}{name}.")
        elif value is not None:
            rows.append((prefix + name, ", ".join(map(str, value)) if isinstance(value, list) else value))
    return rows


def plot_data(run: Run, points: list[dict]) -> dict:
    """Return everything that is drawn, ready for JSON.

    Args:
        run: the run
        points: result of `flash_points`

    Returns:
        {"labels", "default": estimator that is drawn first, "sets": strides, metrics and waveforms of each
        set, "points"}
    """
    sets = [_set_data(run, name) for name in sets_of(run.metrics)]
    return {
        "labels": LABELS,
        "default": next((delivered(run.metrics[name]) for name in sets_of(run.metrics)), "int8"),
        "sets": sets,
        "points": points,
    }


def _set_data(run: Run, name: str) -> dict:
    strides = run.strides[(run.strides["dataset"] == name) & run.strides["int8_cm"].notna()]
    rows = np.unique(np.linspace(0, max(len(strides) - 1, 0), MAX_DRAWN).round().astype(int))[: len(strides)]
    drawn, estimators = strides.iloc[rows], run.metrics[name]
    condition, conditions = pd.factorize(drawn["condition"], sort=True)
    return {
        "name": name,
        "kind": kind_of(estimators),
        "reference": estimators["int8"]["reference"],
        "strides": len(strides),
        "id": drawn["stride_id"].str.removeprefix(f"{name}/").tolist(),
        "reference_cm": _rounded(drawn["stride_length_cm"], 1),
        "speed_mps": _rounded(drawn["speed_mps"], 2),
        "condition": condition.tolist(),
        "conditions": [each or "unspecified" for each in conditions],
        "estimates": {each: _rounded(drawn[column_of(each)], 1) for each in estimators},
        "metrics": {each: _plotted_metrics(entry) for each, entry in estimators.items()},
        "waveforms": waveforms(choose_strides(strides, WAVEFORMS), run.signals),
    }


def _plotted_metrics(entry: dict) -> dict:
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
    """Return the rows of the comparison with the published system; [] without TRIPOD.

    Flash and RAM are those of whole libraries: of this run's C library on the first core, in the row of the
        int8
    network, and of the published one.

    Args:
        run: the run
    """
    if not run.published:
        return []
    cost = next((row for row in footprints(run.cores) if row["part"] == "estimator"), {})
    cost = {name: cost[name] for name in ("flash_bytes", "ram_bytes") if name in cost}
    ours = [row | {"whose": "this run"} | (cost if row["network"] == "int8" else {}) for row in run.published]
    rows = ours + [row | {"whose": "published"} for row in published_rows()]
    return [row | {"line": line_text(row)} for row in rows]


def flash_points(run: Run) -> list[dict]:
    """Return error against flash, whole libraries only.

    This run: RMSE of the C library on each set with a measured reference, and the flash of that library on
    each core. Trials of sweeps: flash of the trial's network plus that of this run's library without its
    network, on the first core. Published systems: RMSE² = bias² + SD².

    Args:
        run: the run

    Returns:
        Points with series, name, flash_bytes, rmse_cm, interval ([low, high] or None) and published.
    """
    libraries = [row for row in footprints(run.cores) if row["part"] == "estimator"]
    ours = [
        {
            "series": f"this run, {name}",
            "name": row["core"],
            "flash_bytes": row["flash_bytes"],
            "rmse_cm": entry["rmse_cm"],
            "interval": entry["rmse_cm_ci95"],
            "published": False,
        }
        for name in sets_of(run.metrics, "accuracy")
        if (entry := run.metrics[name].get(C_LIBRARY)) and entry["rmse_cm"] is not None
        for row in libraries
    ]
    theirs = [
        {
            "series": "published (Sensors 2023, 7166), TRIPOD",
            "name": f"{network}, Edge Impulse",
            "flash_bytes": metrics["flash_bytes"],
            "rmse_cm": round(float(np.hypot(metrics["bias_cm"], metrics["sd_cm"])), 2),
            "interval": None,
            "published": True,
        }
        for network, metrics in PUBLISHED.items()
    ]
    if not libraries:
        return theirs
    front_end_bytes = libraries[0]["flash_bytes"]
    if run.parameters.get("quantize", {}).get("use_network"):
        front_end_bytes -= run.cores[libraries[0]["core"]]["network"]["flash_bytes"]
    trials = [
        {
            "series": f"sweep {name}",
            "name": f"trial {trial.trial}",
            "flash_bytes": trial.flash_bytes + front_end_bytes,
            "rmse_cm": trial.rmse_cm,
            "interval": None,
            "published": False,
        }
        for name, table in run.sweeps.items()
        for trial in table.dropna(subset=["flash_bytes", "rmse_cm"]).itertuples()
    ]
    return ours + trials + theirs
