"""Write the pipeline's tables and picture into README.md, with the hashes of the results they come from."""

import shutil
from pathlib import Path

import yaml

from tinystride.evaluation.tables import markdown
from tinystride.files import read_json
from tools.documents import replace_section, table

README = Path("README.md")
PICTURE = Path("docs/images/overview.png")
RESULTS = ("results/evaluate", "results/mcu")
BEGIN, END = "<!-- results: begin -->", "<!-- results: end -->"
SHOWN = ["int8", "int8-streaming", "strapdown", "stride-time-line"]


def result_hashes(lock: str) -> str:
    """Which results the README speaks of: the hashes under which DVC keeps them."""
    outputs = [output for stage in yaml.safe_load(lock)["stages"].values() for output in stage["outs"]]
    return ", ".join(f"{out['path']} {out['md5']}" for out in outputs if out["path"] in RESULTS)


def footprint(cores: dict) -> str:
    columns = [
        "emulated core",
        "what",
        "flash, bytes",
        "RAM with stack, bytes",
        "instructions",
        "the same as",
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
            told = estimator["strides"]
            same = f"on a computer: {told - estimator['mismatches']:,} of {told:,} strides"
            what = "whole estimator, samples to strides"
            rows.append(["", what, *_bytes(estimator), instructions, same])
    return table(columns, rows)


def _bytes(figures: dict) -> list[str]:
    return [f"{figures[name]:,}" for name in ("flash_bytes", "ram_bytes")]


def main() -> None:
    parts = [
        f"<!-- {result_hashes(Path('dvc.lock').read_text())} -->",
        read_json("results/evaluate/rule.json")["sentence"],
        markdown(read_json("results/evaluate/metrics.json"), SHOWN).strip(),
        "What it costs (instructions are exact, but no cycles: wait states are missing):",
        footprint(read_json("results/mcu/metrics.json")),
    ]
    replace_section(README, BEGIN, END, "\n\n".join(parts))
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile("results/evaluate/overview.png", PICTURE)


if __name__ == "__main__":
    main()
