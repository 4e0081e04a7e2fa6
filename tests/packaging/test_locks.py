"""The three locks: every package of pyproject.toml, with hashes, without an address, in one version each."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LOCKS = {"requirements-core.lock": [], "requirements.lock": ["pipeline"], "requirements-dev.lock": ["dev"]}
PIN = re.compile(r"^([\w.-]+)(?:\[[^]]*\])?==(\S+)(?: ; .*)? \\$", re.MULTILINE)


def standard(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def pins(lock: str) -> dict[str, list[str]]:
    """Versions by package."""
    found: dict[str, list[str]] = {}
    for name, version in PIN.findall((ROOT / lock).read_text()):
        found.setdefault(standard(name), []).append(version)
    return found


def required_packages(extras: list[str]) -> set[str]:
    """Packages that the project and these extras, and the extras that they name, ask for."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked, todo = list(project["dependencies"]), list(extras)
    while todo:
        for requirement in project["optional-dependencies"][todo.pop()]:
            if own := re.match(r"tinystride\[(.*)\]", requirement):
                todo += own[1].split(",")
            else:
                asked.append(requirement)
    return {standard(re.match(r"[\w.-]+", requirement)[0]) for requirement in asked}


@pytest.mark.parametrize("lock", LOCKS)
def test_lock_holds_all_requirements_of_pyproject(lock):
    missing = required_packages(LOCKS[lock]) - pins(lock).keys()
    assert not missing, f"{lock} lacks {', '.join(sorted(missing))}; run: make lock UPGRADE="


@pytest.mark.parametrize("lock", LOCKS)
def test_lock_has_one_version_with_hashes_per_package_and_no_url(lock):
    text = (ROOT / lock).read_text()
    assert not re.search(r"https?://|--(index-url|find-links|extra-index-url)", text)
    assert {name: versions for name, versions in pins(lock).items() if len(versions) > 1} == {}
    blocks = re.split(r"^(?=[\w.-]+(?:\[[^]]*\])?==)", text, flags=re.MULTILINE)[1:]
    assert len(blocks) == len(pins(lock))
    assert all("--hash=sha256:" in block for block in blocks)


def test_locks_agree_on_versions():
    dev_pins = pins("requirements-dev.lock")
    for lock in LOCKS:
        assert pins(lock).items() <= dev_pins.items()


def test_lock_tflite_micro_is_limited_to_its_platform():
    (line,) = re.findall(r"^tflite-micro==.*$", (ROOT / "requirements.lock").read_text(), re.MULTILINE)
    assert "sys_platform == 'linux'" in line and "platform_machine == 'x86_64'" in line


def test_lock_core_has_few_packages():
    core = pins("requirements-core.lock")
    assert len(core) <= 30
    assert not core.keys() & {"tensorflow", "scipy", "scikit-learn", "dvc", "wandb", "pyarrow"}
