"""What the README shows is what the committed run of the pipeline found."""

import re
from pathlib import Path

import pytest
import yaml

from tools.readme import BEGIN, END, README, RESULTS, result_hashes

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def readme() -> str:
    return (ROOT / README).read_text()


def test_results_in_the_readme_are_those_of_the_committed_run(readme):
    hashes = result_hashes((ROOT / "dvc.lock").read_text())
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
