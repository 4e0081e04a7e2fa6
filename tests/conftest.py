"""Session fixtures: recorded data if it can be reached, and the output of the first stages."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tinystride.errors import UnreachableError

ROOT = Path(__file__).resolve().parents[1]
RECORDED = ["gaitmap-mocap", "ipol-healthy", "llio-ruler", "llio-ruler-2", "tripod-excerpt", "vicon"]

# A test has no time limit: a busy machine is slow, not wrong.
settings.register_profile("no-deadline", deadline=None)
settings.load_profile("no-deadline")

# Markers of whole folders and files, by the beginning of their path below tests/.
MARKERS = {
    "codegen/test_estimator_": "compilers",
    "codegen/test_exactness.py": "compilers",
    "demo/": "browser",
    "docs/test_site.py": "browser",
    "learning/test_backend.py": "slow",
    "learning/test_prediction.py": "slow",
    "learning/test_quantization.py": "slow",
    "learning/test_training.py": "slow",
    "mcu/": "mcu",
    "pipeline/": "pipeline",
    "report/test_page.py": "browser",
    "test_sweep.py": "cluster",
}
# Tests of pipeline/ that read dvc.yaml and params.yaml and run nothing.
UNMARKED = ("pipeline/test_graph.py",)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        place = item.path.relative_to(ROOT / "tests").as_posix()
        for beginning, marker in MARKERS.items():
            if place.startswith(beginning) and place not in UNMARKED:
                item.add_marker(marker)


def mirrors() -> list[str]:
    beside = ROOT.parent / "shared" / "data"
    named = os.environ.get("TINYSTRIDE_MIRROR")
    return ([named] if named else []) + ([str(beside)] if beside.is_dir() else [])


@pytest.fixture(scope="module")
def browser() -> Iterator:
    """Chromium without a window. It ends with its module: Playwright runs once at a time in a process."""
    from playwright.sync_api import sync_playwright

    executable = shutil.which("chromium")
    if executable is None:
        pytest.skip("needs chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=executable, args=["--no-sandbox", "--disable-gpu"]
        )
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def raw_folder(tmp_path_factory) -> Path:
    """data/raw with all recorded sets; tests that need it are skipped if it cannot be reached."""
    from tinystride.datasets.download import download

    folder = tmp_path_factory.mktemp("recorded") / "raw"
    try:
        download(
            RECORDED, folder, mirrors=mirrors(), when_unreachable="fail", simulated={}, seed=0, progress=False
        )
    except UnreachableError as error:
        pytest.skip(f"needs recorded data: {error}")
    return folder


@pytest.fixture(scope="session")
def recorded_data(raw_folder, tmp_path_factory) -> Path:
    """The recorded sets laid out as <owner>/<repository>/<commit>/<path>, like a download mirror."""
    from tinystride.datasets.catalogue import CATALOGUE

    folder = tmp_path_factory.mktemp("mirror")
    for name in RECORDED:
        entry = CATALOGUE[name]
        link = folder / entry.owner / entry.repository / entry.commit
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(raw_folder / name, target_is_directory=True)
    return folder


@pytest.fixture(scope="session")
def strides_folder(raw_folder, tmp_path_factory) -> Path:
    """data/strides of the recorded sets."""
    from tinystride.datasets.loading import load_recordings
    from tinystride.gait.strides import GaitOptions, gather_strides, write_strides

    folder = tmp_path_factory.mktemp("preprocessed") / "strides"
    write_strides(gather_strides(load_recordings(raw_folder), GaitOptions(), progress=False), folder)
    return folder
