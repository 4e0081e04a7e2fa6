"""Session fixtures: recorded data if it can be reached, and the output of the first stages."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.sharing import shared, start_sharing
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


def pytest_configure() -> None:
    start_sharing()


# Files that take the longest come first, so that both processes end at about the same time. The first file
# makes the clone that most of pipeline/ needs, while the other process runs the next files.
LONG = (
    "pipeline/test_repro.py",
    "pipeline/test_paper.py",
    "test_sweep.py",
    "mcu/test_network_benchmark.py",
    "pipeline/test_processors.py",
    "pipeline/test_experiments.py",
    "docs/test_tutorials.py",
    "pipeline/",
    "codegen/",
    "demo/",
    "streaming/",
    "docs/",
)


def place(item: pytest.Item) -> str:
    return item.path.relative_to(ROOT / "tests").as_posix()


def rank(item: pytest.Item) -> int:
    """Return the place of a test's file in LONG, or the length of LONG."""
    found = (number for number, beginning in enumerate(LONG) if place(item).startswith(beginning))
    return next(found, len(LONG))


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        for beginning, marker in MARKERS.items():
            if place(item).startswith(beginning) and place(item) not in UNMARKED:
                item.add_marker(marker)
    items.sort(key=rank)


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
def raw_folder() -> Path:
    """data/raw with all recorded sets; tests that need it are skipped if it cannot be reached."""
    from tinystride.datasets.download import download

    def make(folder: Path) -> None:
        options = {"when_unreachable": "fail", "simulated": {}, "seed": 0, "progress": False}
        download(RECORDED, folder / "raw", mirrors=mirrors(), **options)

    try:
        return shared("recorded", make) / "raw"
    except UnreachableError as error:
        pytest.skip(f"needs recorded data: {error}")


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
def strides_folder(raw_folder) -> Path:
    """data/strides of the recorded sets."""
    from tinystride.datasets.loading import load_recordings
    from tinystride.gait.strides import GaitOptions, gather_strides, write_strides

    def make(folder: Path) -> None:
        strides = gather_strides(load_recordings(raw_folder), GaitOptions(), progress=False)
        write_strides(strides, folder / "strides")

    return shared("preprocessed", make) / "strides"
