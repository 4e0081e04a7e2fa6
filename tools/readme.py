"""Write the pipeline's tables and picture into README.md, with the hashes of the results they come from."""

import re
import shutil
from pathlib import Path

import yaml

from tinystride.evaluation.tables import markdown
from tinystride.files import read_json, write_text

README = Path("README.md")
PICTURE = Path("docs/images/overview.png")
RESULTS = ("results/evaluate", "results/mcu")
BEGIN, END = "<!-- results: begin -->", "<!-- results: end -->"
SHOWN = ["int8", "int8-streaming", "strapdown", "stride-time-line"]
FOOTPRINT = ("flash_bytes", "ram_bytes")


def result_hashes(lock: str) -> str:
    """Which results the README speaks of: the hashes under which DVC keeps them."""
    outputs = [output for stage in yaml.safe_load(lock)["stages"].values() for output in stage["outs"]]
    return ", ".join(f"{out['path']} {out['md5']}" for out in outputs if out["path"] in RESULTS)


def footprint(cores: dict) -> str:
    lines = [
        "| emulated core | what | flash, bytes | RAM with stack, bytes | instructions | the same as |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for core, parts in cores.items():
        network = parts["network"]
        same = f"TFLM: {network['vectors'] - network['mismatches']:,} of {network['vectors']:,} inputs"
        lines.append(_row(core, "int8 network", network, f"{network['instructions']:,}", same))
        if "estimator" in parts:
            estimator = parts["estimator"]
            instructions = f"{estimator['instructions_per_stride']:,} a stride at 100 Hz, network included"
            told = estimator["strides"]
            same = f"on a computer: {told - estimator['mismatches']:,} of {told:,} strides"
            lines.append(_row("", "whole estimator, samples to strides", estimator, instructions, same))
    return "\n".join(lines)


def _row(core: str, what: str, figures: dict, instructions: str, same: str) -> str:
    return "| " + " | ".join([core, what, *(f"{figures[n]:,}" for n in FOOTPRINT), instructions, same]) + " |"


def main() -> None:
    metrics = read_json("results/evaluate/metrics.json")
    text = "\n\n".join(
        [
            BEGIN,
            f"<!-- {result_hashes(Path('dvc.lock').read_text())} -->",
            markdown(metrics, SHOWN).strip(),
            "What it costs (instructions are exact, but no cycles: wait states are missing):",
            footprint(read_json("results/mcu/metrics.json")),
            END,
        ]
    )
    write_text(README, re.sub(f"{BEGIN}.*{END}", lambda _: text, README.read_text(), flags=re.DOTALL))
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile("results/evaluate/overview.png", PICTURE)


if __name__ == "__main__":
    main()
