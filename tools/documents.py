"""Write tables and sections of the documents from results."""

import re
from pathlib import Path

from tinystride.files import write_text


def table(columns: list[str], rows: list[list[str]], rule: list[str] | None = None) -> str:
    """Return a Markdown table; rule: alignment of each column, such as "---:"."""
    lines = [columns, rule or ["---"] * len(columns), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def replace_section(document: Path, begin: str, end: str, text: str) -> None:
    """Replace the text between two marks in a document; the marks stay."""
    section = "\n\n".join([begin, text, end])
    content = re.sub(f"{begin}.*{end}", lambda _: section, document.read_text(), flags=re.DOTALL)
    write_text(document, content)
