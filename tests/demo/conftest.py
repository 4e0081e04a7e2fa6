"""The page of demo/, built around the C library that `tinystride predict --engine c` compiles."""

import importlib.util
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from playwright.sync_api import Browser, Page

from tinystride.codegen import export_model
from tinystride.default_model import DEFAULT_MODEL

ROOT = Path(__file__).resolve().parents[2]


def load_build() -> ModuleType:
    """demo/build.py as a module."""
    spec = importlib.util.spec_from_file_location("demo_build", ROOT / "demo" / "build.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def build() -> ModuleType:
    if shutil.which("wasm-ld") is None:
        pytest.skip("needs clang, lld and wasi-libc: make demo installs them")
    return load_build()


@pytest.fixture(scope="session")
def sample(build) -> bytes:
    return build.sample_csv()


@pytest.fixture(scope="session")
def page_path(build, sample, tmp_path_factory) -> Path:
    """The page in a folder of its own. It has the library of today: models/c may be older."""
    folder = tmp_path_factory.mktemp("demo")
    export_model(DEFAULT_MODEL, folder / "c", vectors=0)
    path = folder / "index.html"
    path.write_text(build.assemble(build.compile_module(folder / "c"), sample), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def opened(browser: Browser, page_path: Path):
    """A function that opens the page from its file, offline; console output and requests fail the module."""
    complaints: list[str] = []
    contexts = []

    def open_page(width: int = 1280, script: str = "", **options) -> Page:
        options = {"reduced_motion": "reduce", "accept_downloads": True} | options
        contexts.append(browser.new_context(viewport={"width": width, "height": 900}, **options))
        contexts[-1].set_offline(True)
        contexts[-1].set_default_timeout(300_000)
        page = contexts[-1].new_page()
        if script:
            page.add_init_script(script)
        page.on("console", lambda message: complaints.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: complaints.append(request.url))
        page.goto(page_path.as_uri())
        return page

    yield open_page
    for context in contexts:
        context.close()
    others = {line for line in complaints if not line.startswith(("blob:", "data:"))}
    assert others <= {page_path.as_uri()}


FINISHED = "body[data-state=done], body[data-state=error]"


@pytest.fixture(scope="module")
def analyse(opened) -> Callable[..., str]:
    """A function that analyses files with options of the form and returns the csv or the error."""
    page = opened()

    def run(*paths: Path, feet: tuple[str, ...] = (), **options: str) -> str:
        page.click("#options summary") if not page.is_visible("#clear") else None
        page.click("#clear")
        for name, value in options.items():
            page.evaluate(
                "([name, value]) => { document.forms[0].elements[name].value = value; }", [name, value]
            )
        page.set_input_files("#files", [str(path) for path in paths])
        page.wait_for_selector(FINISHED, timeout=300_000)
        for number, foot in enumerate(feet):
            page.locator("#file-list select").nth(number).select_option(foot)
            page.wait_for_selector(FINISHED, timeout=300_000)
        return outcome(page)

    return run


def outcome(page: Page) -> str:
    """The csv that the page offers, or its error."""
    if page.get_attribute("body", "data-state") == "error":
        return page.inner_text("#error")
    return downloaded(page, "#save-csv")


def wait_until(page: Page, expression: str, timeout_s: float = 300.0) -> None:
    """Wait until a JavaScript expression is true: the page's policy forbids Playwright's way."""
    end = time.monotonic() + timeout_s
    while not page.evaluate(expression):
        assert time.monotonic() < end, expression
        page.wait_for_timeout(20)


def downloaded(page: Page, button: str) -> str:
    with page.expect_download() as download:
        page.click(button)
    return Path(download.value.path()).read_text(encoding="utf-8")
