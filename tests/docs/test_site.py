"""The documentation site, built as `make docs` builds it, and opened from the disk in headless Chromium."""

import ast
import os
import re
import subprocess
import sys
from functools import cached_property
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from playwright.sync_api import Page

ROOT = Path(__file__).resolve().parents[2]
PAGES = [
    "index.html",
    "parameters.html",
    "python/tinystride.html",
    "c/tinystride.html",
    "tutorials/analyse_my_walk.html",
]
LOADED = {"script": "src", "img": "src", "iframe": "src", "link": "href", "source": "srcset"}


class Document(HTMLParser):
    """A page's anchors, links, loaded files and paragraphs."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.anchors: set[str] = {""}
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.paragraphs: list[str] = []
        self._open: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        self.anchors |= {values[name] for name in ("id", "name") if values.get(name)}
        if tag == "a" and values.get("href"):
            self.links.append(values["href"])
        if values.get(LOADED.get(tag, "")):
            self.loaded.append(values[LOADED[tag]])
        if tag == "p":
            self.paragraphs.append("")
        if tag in ("p", "code"):
            self._open.append(tag)

    def handle_endtag(self, tag):
        if tag in self._open:
            self._open.remove(tag)

    def handle_data(self, data):
        if "p" in self._open and "code" not in self._open:
            self.paragraphs[-1] += data


class Site:
    def __init__(self, folder: Path, said: str) -> None:
        self.folder, self.said = folder, said

    @cached_property
    def documents(self) -> dict[Path, Document]:
        return {path: Document(path) for path in self.folder.rglob("*.html") if "demo" not in path.parts}


def run(*command: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=ROOT, env=os.environ | environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:]
    return done.stdout


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Site:
    """The site with the shortest tutorial executed, built without any way to the network."""
    notebooks, folder = tmp_path_factory.mktemp("notebooks"), tmp_path_factory.mktemp("site")
    name = "analyse_my_walk"
    run("tools.docs.tutorials", f"docs/tutorials/{name}.py", f"{notebooks}/{name}.ipynb")
    unreachable = "http://127.0.0.1:9"
    said = run(
        "mkdocs", "build", "--strict", "--site-dir", str(folder),
        TUTORIAL_NOTEBOOKS=str(notebooks), NO_MKDOCS_2_WARNING="1",
        HTTP_PROXY=unreachable, HTTPS_PROXY=unreachable,
    )  # fmt: skip
    return Site(folder, said)


@pytest.fixture
def opened(browser, site):
    """Opens a page of the site from the disk; fails on an error message or a request to another address."""
    complaints, contexts = [], []

    def open_page(name: str, width: int) -> Page:
        contexts.append(browser.new_context(viewport={"width": width, "height": 800}))
        contexts[-1].set_default_timeout(300_000)
        page = contexts[-1].new_page()
        page.on("console", lambda message: complaints.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("requestfailed", lambda request: complaints.append(request.url))
        page.on("request", lambda request: complaints.append(request.url) if elsewhere(request.url) else None)
        page.goto((site.folder / name).as_uri())
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []


def elsewhere(url: str) -> bool:
    return urlsplit(url).scheme not in ("", "file", "data", "blob", "about")


def test_build_strict_gives_no_warning(site):
    assert "Documentation built" in site.said
    assert not re.search("warning|error|deprecat", site.said, re.IGNORECASE)


def test_links_lead_to_files_and_anchors_of_the_site(site):
    broken = []
    for path, document in site.documents.items():
        for link in document.links + document.loaded:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc or path.name == "404.html":
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if not target.is_file():
                broken.append(f"{path.relative_to(site.folder)}: {link}")
            elif target in site.documents and unquote(parts.fragment) not in site.documents[target].anchors:
                broken.append(f"{path.relative_to(site.folder)}: {link}: no such anchor")
    assert broken == []


def test_pages_load_nothing_from_elsewhere(site):
    loaded = {link for document in site.documents.values() for link in document.loaded}
    assert loaded and not {link for link in loaded if elsewhere(link) or link.startswith("//")}


def test_markdown_that_github_renders_is_rendered(site):
    """A list, table or heading directly below a paragraph, or a leftover of a link, would be in its text."""
    left = [
        f"{path.relative_to(site.folder)}: {text[:60]!r}"
        for path, document in site.documents.items()
        for text in document.paragraphs
        if re.search(r"^\s*([-*+]|1\.) \S|^\s*\|.*\|$|\]\(|^#+ ", text, re.MULTILINE)
    ]
    assert left == []


def test_c_api_documents_every_public_function_and_constant(site):
    header = (ROOT / "tinystride/firmware/tinystride.h").read_text()
    public = re.sub(r"@cond PRIVATE.*?@endcond", "", header, flags=re.DOTALL)
    functions = re.findall(r"^int (tinystride_\w+)\(", public, re.MULTILINE)
    constants = re.findall(r"^#define (TINYSTRIDE_\w+) +\S", public, re.MULTILINE)
    assert len(functions) >= 8 and len(constants) >= 20
    assert {*functions, *constants} <= site.documents[site.folder / "c/tinystride.html"].anchors


def test_python_api_documents_every_public_name(site):
    tree = ast.parse((ROOT / "tinystride/__init__.py").read_text())
    (names,) = (
        ast.literal_eval(each.value)
        for each in tree.body
        if isinstance(each, ast.Assign) and ast.unparse(each.targets[0]) == "__all__"
    )
    anchors = site.documents[site.folder / "python/tinystride.html"].anchors
    assert len(names) > 5 and {f"tinystride.{name}" for name in names} <= anchors
    for package in ("reading", "gait", "learning", "evaluation", "codegen", "mcu", "streaming"):
        modules = {path.stem for path in (ROOT / "tinystride" / package).glob("*.py") if path.stem[0] != "_"}
        anchors = site.documents[site.folder / f"python/{package}.html"].anchors
        assert {f"tinystride.{package}.{module}" for module in modules} <= anchors


def test_every_guide_is_in_the_navigation(site):
    links = {urlsplit(link).path for link in site.documents[site.folder / "index.html"].links}
    assert {f"{path.stem}.html" for path in (ROOT / "docs").glob("*.md")} <= links


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("name", PAGES)
def test_page_fits_the_window(opened, name, width):
    page = opened(name, width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    box = page.locator("article").bounding_box()
    assert box["x"] >= 0 and box["x"] + box["width"] <= width


@pytest.mark.parametrize("width", [1280, 390])
def test_search_from_the_disk_finds_a_function(opened, width):
    page = opened("index.html", width)
    if width < 1000:
        page.click("label[for=__search].md-header__button")
    page.locator(".md-search__input").press_sequentially("tinystride_push")
    page.wait_for_selector(".md-search-result__item a")
    found = page.eval_on_selector_all(
        ".md-search-result__item a", "all => all.map(one => one.getAttribute('href'))"
    )
    assert any("c/tinystride.html" in link for link in found)


def test_tutorial_shows_what_its_code_prints_and_draws(opened):
    page = opened("tutorials/analyse_my_walk.html", 1280)
    assert "feet: left, right" in page.locator(".output").first.inner_text()
    assert page.locator("article img").evaluate("image => image.naturalWidth") > 500
    links = page.eval_on_selector_all("article a", "all => all.map(one => one.getAttribute('href'))")
    assert {"analyse_my_walk.py", "analyse_my_walk.ipynb", "walk.csv"} <= set(links)


def test_tutorial_pages_name_their_script(site):
    scripts = sorted(path.stem for path in (ROOT / "docs/tutorials").glob("*.py"))
    assert scripts == sorted(path.stem for path in (site.folder / "tutorials").glob("*.html"))
