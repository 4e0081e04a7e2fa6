"""Hooks of MkDocs: add pages that are no files of docs/, and make links to the repository's files work.

MkDocs calls the functions `on_…` in the order in which they stand here.
"""

import posixpath
import shutil
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files, InclusionLevel
from mkdocs.structure.nav import Link, Navigation
from mkdocs.structure.pages import Page

from tools.docs.c_api import HEADER, c_api
from tools.docs.links import linked_paths, page_of_path, replace_targets, split_target
from tools.docs.python_api import python_api
from tools.docs.tutorials import tutorial_page

DOCS = "docs"
ASSETS = Path("tools/docs/assets")
DEMO = Path("build/demo")
ROOT_PAGES = {"README.md": "index.md", "CONTRIBUTING.md": "contributing.md", "CHANGELOG.md": "changelog.md"}
TEXT = {".c", ".cff", ".h", ".inc", ".json", ".md", ".py", ".sh", ".toml", ".txt", ".yaml", ".yml", ""}
WITHOUT_SIDEBAR = "---\nhide: [navigation]\n---\n"
OF_FILE = "---\nhide: [navigation, toc]\nsearch: {exclude: true}\n---\n"

source_of: dict[str, str] = {}  # page of the site -> file of the repository that its links start from
place_of: dict[str, str] = {}  # file of the repository -> page or file of the site, by the name of its source


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are made here, then the files that pages link to, and complete the navigation."""
    source_of.clear()
    place_of.clear()
    for file in files:
        _place(f"{DOCS}/{file.src_uri}", file.src_uri)
    for path, place in ROOT_PAGES.items():
        text = Path(path).read_text(encoding="utf-8")
        _add(files, config, place, WITHOUT_SIDEBAR + text if place == "index.md" else text, source=path)
    _add_apis(files, config)
    _add_tutorials(files, config)
    for folder, place in ((ASSETS, "assets"), (DEMO, "demo")):
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                _add_copy(files, config, f"{place}/{path.relative_to(folder).as_posix()}", path)
    _add_linked_files(files, config)
    _complete_navigation(files, config)
    return files


def on_nav(nav: Navigation, config: MkDocsConfig, files: Files) -> Navigation:
    """Put the page that runs the C in the browser into the navigation, if it has been built."""
    if files.get_file_from_path("demo/index.html"):
        nav.items.insert(1, Link("Try it", "demo/index.html"))
    return nav


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Lead links to files of the repository to their pages; MkDocs reports those to missing files."""
    source = source_of.get(page.file.src_uri)
    if source is None:
        return markdown
    folder = posixpath.dirname(page.file.src_uri)

    def change(target: str, html: bool) -> str:
        split = split_target(target, source)
        if split is None or split[0] not in place_of:
            return target
        place = place_of[split[0]]
        if place == page.file.src_uri and not split[1]:
            return target  # a tutorial's link to its own script
        if html and (file := files.get_file_from_path(place)):
            return file.url_relative_to(page.file) + split[1]
        return posixpath.relpath(place, folder or ".") + split[1]

    return replace_targets(markdown, change)


def _place(path: str, place: str) -> None:
    place_of[path] = place
    source_of[place] = path


def _add(
    files: Files, config: MkDocsConfig, place: str, content: str, source: str, in_nav: bool = True
) -> None:
    inclusion = InclusionLevel.UNDEFINED if in_nav else InclusionLevel.NOT_IN_NAV
    files.append(File.generated(config, place, content=content, inclusion=inclusion))
    _place(source, place)


def _add_copy(files: Files, config: MkDocsConfig, place: str, path: Path) -> None:
    files.append(File.generated(config, place, abs_src_path=str(path.resolve())))
    place_of[path.as_posix()] = place


def _add_apis(files: Files, config: MkDocsConfig) -> None:
    if not shutil.which("doxygen"):
        raise PluginError("doxygen is missing; install the Debian package doxygen")
    try:
        _add(files, config, "c/tinystride.md", WITHOUT_SIDEBAR + c_api(), source=f"{HEADER}#")
    except ValueError as error:
        raise PluginError(str(error)) from None
    for name in config.extra["python_api"]:
        title, content = python_api(name)
        files.append(
            File.generated(config, f"python/{name}.md", content=f"---\ntitle: {title}\n---\n{content}")
        )


def _add_tutorials(files: Files, config: MkDocsConfig) -> None:
    """Add each script as a page, with its outputs and as a notebook to download if it has been executed."""
    for script in sorted(Path(DOCS).glob("tutorials/*.py")):
        content, pictures, notebook = tutorial_page(script, Path(config.extra["notebooks"]))
        _add(files, config, f"tutorials/{script.stem}.md", content, source=script.as_posix())
        for name, picture in pictures.items():
            files.append(File.generated(config, f"tutorials/{name}", content=picture))
        if notebook:
            _add_copy(files, config, f"tutorials/{notebook.name}", notebook)


def _add_linked_files(files: Files, config: MkDocsConfig) -> None:
    todo = [file for file in files.documentation_pages() if file.src_uri in source_of]
    while todo:
        page = todo.pop(0)
        for path in linked_paths(page.content_string, source_of[page.src_uri]):
            if path in place_of or path.startswith("..") or not Path(path).exists():
                continue
            if Path(path).is_file() and Path(path).suffix not in TEXT:
                _add_copy(files, config, f"files/{path}", Path(path))
                continue
            place = f"files/{path}" if path.endswith(".md") else f"files/{path}.md"
            _add(files, config, place, OF_FILE + page_of_path(Path(path)), source=path, in_nav=False)
            todo.append(files.src_uris[place])


def _complete_navigation(files: Files, config: MkDocsConfig) -> None:
    """Fill the entry "Python API", and add the pages of docs/ that have no entry to "Guides"."""
    sections: dict[str, list] = {}
    for entry in config.nav or []:
        sections |= {name: value for name, value in entry.items() if isinstance(value, list)}
    sections["Python API"] += [f"python/{name}.md" for name in config.extra["python_api"]]
    named = _pages_of(config.nav)
    sections["Guides"] += [
        file.src_uri
        for file in files.documentation_pages()
        if "/" not in file.src_uri and file.src_uri not in named
    ]


def _pages_of(nav: object) -> set[str]:
    if isinstance(nav, str):
        return {nav}
    inside = nav.values() if isinstance(nav, dict) else nav if isinstance(nav, list) else []
    return set().union(*map(_pages_of, inside))
