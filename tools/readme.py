"""Write the tables of README.md and docs/results.md, and their picture, from the results of the pipeline.

Both documents name the hashes of these results, so that a test finds tables of an older run.
"""

import math
from pathlib import Path

import pandas as pd
import yaml

from tinystride.codegen.costs import CLOCK_HZ, call_time_s
from tinystride.evaluation.metrics import RUNNING, RUNNING_MPS, SHORT_CM, WALKING
from tinystride.evaluation.tables import kind_of, markdown
from tinystride.files import read_json
from tools.documents import replace_section, table
from tools.overview import overview

README = Path("README.md")
RESULTS_PAGE = Path("docs/results.md")
PICTURE = Path("docs/images/overview.png")
RESULTS = ("results/evaluate", "results/mcu")
PEERS = Path("studies/results/peers/peers.csv")
BEGIN, END = "<!-- results: begin -->", "<!-- results: end -->"
LIMITS_BEGIN, LIMITS_END = "<!-- limits: begin -->", "<!-- limits: end -->"
SHOWN = ["int8", "int8-streaming", "strapdown", "stride-time-line"]
# Short forms of Recording.reference.
REFERENCES = {"mocap": "motion capture", "optogait": "light barriers", "ruler": "ruler"}


def result_hashes(lock: str) -> str:
    """Return the paths and DVC hashes of the results that the documents show; lock: text of dvc.lock."""
    outputs = [output for stage in yaml.safe_load(lock)["stages"].values() for output in stage["outs"]]
    return ", ".join(f"{out['path']} {out['md5']}" for out in outputs if out["path"] in RESULTS)


def measured_sets(metrics: dict) -> dict[str, dict]:
    """Return {data set: {estimator: metrics}} of the data sets with measured lengths."""
    return {
        name: estimators
        for name, estimators in metrics.items()
        if name != "source" and kind_of(estimators) == "accuracy"
    }


def default_estimator(rule: dict) -> str:
    """Return the name of the estimator whose lengths `tinystride predict` reports by default."""
    return "int8" if rule["use_network"] else "strapdown"


def best_peers(path: Path = PEERS) -> dict[str, dict]:
    """Return {data set: row of studies.peers} of the other method with the lowest 95th percentile."""
    rows = pd.read_csv(path)
    others = rows[rows["method"].str.startswith("gaitmap")].sort_values("p95_abs_cm")
    return others.drop_duplicates("set").set_index("set").to_dict("index")


def accuracy(metrics: dict, rule: dict, peers: dict) -> str:
    """Return a table of four columns: the errors of `predict`, of the C library and of a peer on each set.

    peers: `best_peers`
    """
    rows = []
    for name, estimators in measured_sets(metrics).items():
        own = estimators[default_estimator(rule)]
        reference = REFERENCES.get(own["reference"], own["reference"])
        people = "1 person" if own["n_subjects"] == 1 else f"{own['n_subjects']} people"
        dataset = f"`{name}` ({reference}; {people}, {own['n_strides']:,} strides)"
        c_library, peer = estimators.get("int8-streaming"), peers.get(name)
        rows.append([dataset, errors(own), errors(c_library), errors(peer)])
    return table(["data set", "`tinystride predict`", "C library", "gaitmap, best of 3 methods"], rows)


def errors(own: dict | None) -> str:
    """Like "1.7 / 5.5": median and 95th percentile of the absolute error, cm; "–" without metrics."""
    if not own:
        return "–"
    return f"{own['median_abs_cm']:.1f} / {own['p95_abs_cm']:.1f}"


def network_sentence(rule: dict) -> str:
    """Return in one sentence what the network changes, from results/evaluate/rule.json."""
    better, significant, n = len(rule["better"]), len(rule["significant"]), len(rule["sets"])
    found = (
        f"On data sets that it was not trained on, the neural network lowers the median error on {better} "
        f"of {n}, significantly on {significant}"
    )
    if rule["use_network"]:
        return f"{found}; it is on by default."
    return f"{found}; this is not enough, so it is off by default."


def cost_sentence(cores: dict) -> str:
    """Return flash, RAM, instructions and time of the C library on the first emulated core."""
    core, own = next((core, parts["estimator"]) for core, parts in cores.items() if "estimator" in parts)
    time_ms = 1e3 * call_time_s(own["instructions_per_stride"])
    return (
        f"On a {core.replace('cortex-m', 'Cortex-M').replace('4f', '4F')}, the C library needs "
        f"{own['flash_bytes'] / 1000:.1f} kB of flash, {own['ram_bytes'] / 1000:.1f} kB of RAM and "
        f"{own['instructions_per_stride']:,} instructions per stride at 100 Hz: about {time_ms:.1f} ms at "
        f"{CLOCK_HZ / 1e6:.0f} MHz ([docs/firmware.md](docs/firmware.md))."
    )


def limits(metrics: dict, rule: dict) -> str:
    """Return the range of a single stride's error in walking and in running, over the measured sets.

    Args:
        metrics: results/evaluate/metrics.json
        rule: results/evaluate/rule.json

    Returns:
        A paragraph: each limit is the 95th percentile of the absolute error, rounded up to 0.1 cm.
    """
    own = [estimators[default_estimator(rule)] for estimators in measured_sets(metrics).values()]
    people = [each["n_subjects"] for each in own]
    walks, runs = (
        [each["per_gait"][gait] for each in own if gait in each["per_gait"]] for gait in (WALKING, RUNNING)
    )
    within, half = ([_rounded_up(each[name]) for each in walks] for name in ("p95_abs_cm", "median_abs_cm"))
    flagged = [100 * (1 - each["unflagged"]) for each in walks]
    text = (
        f"For healthy level walking (strides of {SHORT_CM:.0f} cm and more, slower than "
        f"{RUNNING_MPS} m/s), a single stride is within ±{max(within):.1f} cm of the reference "
        f"length (95 % of the strides, worst of {len(within)} data sets; best: ±{min(within):.1f} cm); half "
        f"of the strides are within ±{max(half):.1f} cm. These numbers include flagged strides: "
        f"{min(flagged):.0f} % to {max(flagged):.0f} % of a data set. Each data set has only {min(people)} "
        f"to {max(people)} people, so the numbers say little about how people differ."
    )
    if runs:
        half_cm = max(_rounded_up(each["median_abs_cm"]) for each in runs)
        clear = [100 * each["unflagged"] for each in runs]
        clear_cm = [each["max_unflagged_abs_cm"] for each in runs if each["max_unflagged_abs_cm"] is not None]
        flag_free = f", and these are within ±{_rounded_up(max(clear_cm)):.1f} cm" if clear_cm else ""
        text += (
            f" Running ({sum(each['n_strides'] for each in runs)} strides at {RUNNING_MPS} m/s and more): "
            f"half of the strides are within ±{half_cm:.1f} cm (worst of {len(runs)} data sets); "
            f"{min(clear):.0f} % to {max(clear):.0f} % of a data set have no flag{flag_free}."
        )
    return text


def _rounded_up(error_cm: float) -> float:
    return math.ceil(10 * error_cm) / 10


def footprint(cores: dict) -> str:
    """Return a table of what network and whole estimator need on each emulated core."""
    columns = [
        "emulated core",
        "part",
        "flash, bytes",
        "RAM with stack, bytes",
        "instructions",
        "same result as",
    ]
    rows = []
    for core, parts in cores.items():
        network = parts["network"]
        same = "TFLM: not compared"
        if network["mismatches"] is not None:
            same = f"TFLM: {network['vectors'] - network['mismatches']:,} of {network['vectors']:,} inputs"
        rows.append([core, "int8 network", *_bytes(network), f"{network['instructions']:,}", same])
        if "estimator" in parts:
            estimator = parts["estimator"]
            instructions = f"{estimator['instructions_per_stride']:,} a stride at 100 Hz, network included"
            reported = estimator["strides"]
            same = f"on a computer: {reported - estimator['mismatches']:,} of {reported:,} strides"
            part = "whole estimator, samples to strides"
            rows.append(["", part, *_bytes(estimator), instructions, same])
    return table(columns, rows)


def _bytes(metrics: dict) -> list[str]:
    return [f"{metrics[name]:,}" for name in ("flash_bytes", "ram_bytes")]


def main() -> None:
    metrics, cores = (read_json(f"{folder}/metrics.json") for folder in RESULTS)
    rule = read_json("results/evaluate/rule.json")
    strides = pd.read_csv("results/evaluate/strides.csv", dtype={"subject": str, "trial": str})
    hashes = f"<!-- {result_hashes(Path('dvc.lock').read_text())} -->"
    short = [
        hashes,
        "Error of a single stride, cm: median / 95 % of the errors are below.",
        accuracy(metrics, rule, best_peers()),
        network_sentence(rule),
        cost_sentence(cores),
    ]
    replace_section(README, BEGIN, END, "\n\n".join(short))
    replace_section(README, LIMITS_BEGIN, LIMITS_END, limits(metrics, rule))
    wide = [
        hashes,
        rule["sentence"],
        markdown(metrics, SHOWN).strip(),
        "Costs (instructions are exact, but they are not cycles: wait states are missing):",
        footprint(cores),
    ]
    replace_section(RESULTS_PAGE, BEGIN, END, "\n\n".join(wide))
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    figure = overview(strides, f"{default_estimator(rule)}_cm")
    figure.savefig(PICTURE, dpi=110, metadata={"Software": None})


if __name__ == "__main__":
    main()
