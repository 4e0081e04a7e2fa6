"""What the README shows is what the committed run of the pipeline found."""

import json
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from tools.readme import BEGIN, END, README, RESULTS, result_hashes

ROOT = Path(__file__).resolve().parents[2]


def committed(path: str) -> str:
    """A file as it is committed: a run of one's own changes the checkout, and not what this tests."""
    done = subprocess.run(["git", "show", f"HEAD:{path}"], cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"needs a Git checkout with a committed {path}")
    return done.stdout


def test_results_in_the_readme_are_those_of_the_committed_run():
    readme, hashes = committed("README.md"), result_hashes(committed("dvc.lock"))
    if json.loads(committed("results/headline.json"))["source"] == "simulated":
        pytest.skip("the committed run is of simulated walking, which the README does not show")
    assert all(f"{path} " in hashes for path in RESULTS)
    assert f"<!-- {hashes} -->" in readme[readme.index(BEGIN) : readme.index(END)]


def test_every_link_in_the_documents_leads_somewhere():
    for document in [ROOT / README, *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)\)", document.read_text()):
            assert (document.parent / target).exists(), f"{document.name}: {target}"


def test_every_stage_and_parameter_block_is_described():
    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
    assert [name for name, stage in stages.items() if not stage.get("desc")] == []
    used = {name.split(".")[0] for stage in stages.values() for name in stage.get("params", [])}
    assert set(yaml.safe_load((ROOT / "params.yaml").read_text())) == used
