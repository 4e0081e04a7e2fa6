"""Links that work on GitHub and on the site: pages are made for files outside of docs/ that are linked."""

import posixpath
import re
from collections.abc import Callable
from pathlib import Path

# A link follows "](", "[name]: ", src= or href=, but not in fenced code and code spans.
FENCED = r"^[ ]*(?P<fence>```+|~~~+)[^\n]*\n.*?^[ ]*(?P=fence)[ \t]*$"
SPAN = r"(?<!`)(?P<ticks>`+)(?!`)[^\n]+?(?<!`)(?P=ticks)(?!`)"
MARKDOWN = r"(?:\]\(<?|^\[[^\]\n]+\]:[ \t]+)"
HTML = r"\b(?:src|href|srcset)=\""
PATTERN = re.compile(
    f'{FENCED}|{SPAN}|(?P<before>{MARKDOWN}|(?P<html>{HTML}))(?P<target>[^\\s)>"]+)', re.MULTILINE | re.DOTALL
)
ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]*:|#|/")
LANGUAGES = {
    ".py": "python",
    ".h": "c",
    ".inc": "c",
    ".c": "c",
    ".yaml": "yaml",
    ".toml": "toml",
    ".sh": "sh",
}


def replace_targets(markdown: str, change: Callable[[str, bool], str]) -> str:
    """Return the text with each target of a link or an image replaced.

    change: called with the target and whether it stands in HTML; returns the new target
    """

    def changed(match: re.Match) -> str:
        if match["target"] is None:
            return match[0]
        return match["before"] + change(match["target"], bool(match["html"]))

    return PATTERN.sub(changed, markdown)


def split_target(target: str, source: str) -> tuple[str, str] | None:
    """Split a target in the repository's file `source` into its path in the repository and "#anchor" or "".

    Returns None for a target that is no relative path.
    """
    if ELSEWHERE.match(target):
        return None
    path, hash_mark, anchor = target.partition("#")
    return posixpath.normpath(posixpath.join(posixpath.dirname(source), path)), hash_mark + anchor


def linked_paths(markdown: str, source: str) -> list[str]:
    """Return the paths in the repository that the text of `source` links to."""
    found: list[str] = []

    def note(target: str, _html: bool) -> str:
        if split := split_target(target, source):
            found.append(split[0])
        return target

    replace_targets(markdown, note)
    return list(dict.fromkeys(found))


def page_of_path(path: Path) -> str:
    """Return Markdown that shows a text file of the repository, or lists a folder."""
    if path.is_dir():
        inside = sorted(each.name for each in path.iterdir() if is_shown(each))
        links = [
            f"- [{name}]({path.name}/{name})" if (path / name).is_file() else f"- {name}/" for name in inside
        ]
        return "\n".join([f"# {path}/", "", *links, ""])
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".md":
        return text
    return f"# {path}\n\n`````{LANGUAGES.get(path.suffix, 'text')}\n{text.rstrip()}\n`````\n"


def is_shown(path: Path) -> bool:
    """Return whether a folder's page lists this: no hidden file, cache or empty module."""
    hidden = path.name.startswith(".") or path.name == "__pycache__"
    return not hidden and (path.is_dir() or path.stat().st_size > 0)
