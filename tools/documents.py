"""Tables and sections of the documents that are written from results."""

import re
from pathlib import Path

from tinystride.files import write_text


def table(columns: list[str], rows: list[list[str]], rule: list[str] | None = None) -> str:
    """A Markdown table; rule: how its columns are aligned, like "---:"."""
    lines = [columns, rule or ["---"] * len(columns), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def replace_section(document: Path, begin: str, end: str, text: str) -> None:
    """Put a text between these marks, which stay."""
    section = "\n\n".join([begin, text, end])
    content = re.sub(f"{begin}.*{end}", lambda _: section, document.read_text(), flags=re.DOTALL)
    write_text(document, content)
