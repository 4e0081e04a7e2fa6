"""Tutorials: a script in percent format -> a notebook, executed -> a page of the site.

python -m tools.docs.tutorials docs/tutorials/NAME.py build/tutorials/NAME.ipynb
"""

import base64
import hashlib
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import jupytext
import nbformat
from jupyter_client import AsyncKernelManager
from nbclient import NotebookClient
from nbformat import NotebookNode

PICTURE = re.compile(r"(?<=\]\()([\w-]+\.png)(?=\))")
TIMEOUT_S = 900


def execute(script: Path, folder: Path) -> NotebookNode:
    """Run a tutorial in `folder`, next to copies of its data. Return the notebook with its outputs.

    A picture that a text cell shows and that the code has written into the folder becomes part of the cell.
    Raises nbclient.exceptions.CellExecutionError if a cell fails.
    """
    for data in script.parent.glob("*.csv"):
        shutil.copy(data, folder)
    notebook = jupytext.read(script)
    notebook.metadata = {
        "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
        "script_sha256": digest(script),
    }
    resources = {"metadata": {"path": str(folder)}}
    with tempfile.TemporaryDirectory() as sockets:  # in place of network ports
        kernel = AsyncKernelManager(kernel_name="python3", transport="ipc", ip=f"{sockets}/kernel")
        client = NotebookClient(
            notebook, km=kernel, timeout=TIMEOUT_S, record_timing=False, resources=resources
        )
        # Messages of libraries that do not come from a cell are not shown.
        client.execute(stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number}"
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if output.get("name") == "stdout"]
        if cell.cell_type == "markdown":
            _attach(cell, folder)
    return notebook


def digest(script: Path) -> str:
    """Return the SHA-256 of a script, by which an executed notebook knows that it is up to date."""
    return hashlib.sha256(script.read_bytes()).hexdigest()


def tutorial_page(script: Path, notebooks: Path) -> tuple[str, dict[str, bytes], Path | None]:
    """Return the page of a tutorial as Markdown, its pictures by file name, and its executed notebook.

    Without an executed notebook of this very script in the folder `notebooks`, the page has no outputs and no
    pictures, and the notebook is None.
    """
    path = notebooks / f"{script.stem}.ipynb"
    executed = nbformat.read(path, as_version=4) if path.is_file() else None
    if executed is None or executed.metadata.get("script_sha256") != digest(script):
        return _markdown(jupytext.read(script), [script.name]), {}, None
    data = sorted(
        each.name for each in script.parent.glob("*.csv") if each.name in script.read_text(encoding="utf-8")
    )
    pictures: dict[str, bytes] = {}
    for cell in executed.cells:
        for name, content in cell.get("attachments", {}).items():
            pictures[f"{script.stem}-{name}"] = base64.b64decode(content["image/png"])
    text = _markdown(executed, [script.name, path.name, *data])
    return text.replace("](attachment:", f"]({script.stem}-"), pictures, path


def _attach(cell: NotebookNode, folder: Path) -> None:
    attachments = {}
    for name in PICTURE.findall(cell.source):
        picture = folder / name
        if picture.is_file():
            attachments[name] = {"image/png": base64.b64encode(picture.read_bytes()).decode()}
    if attachments:
        cell.attachments = attachments
        cell.source = PICTURE.sub(
            lambda name: f"attachment:{name[0]}" if name[0] in attachments else name[0], cell.source
        )


def _markdown(notebook: NotebookNode, downloads: list[str]) -> str:
    """Return the cells as Markdown, with links to files of the same folder below the heading."""
    links = ", ".join(f"[{name}]({name})" for name in downloads)
    parts = []
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            parts.append(cell.source)
        elif cell.cell_type == "code":
            parts.append(f"```python\n{cell.source}\n```")
            if printed := "".join(output.get("text", "") for output in cell.get("outputs", [])).rstrip():
                parts.append(f"``` {{ .text .output }}\n{printed}\n```")
    heading, newline, rest = parts[0].partition("\n")
    parts[0] = f"{heading}\n\nDownload: {links}{newline}{rest}"
    return "\n\n".join(parts) + "\n"


def main() -> None:
    script, target = Path(sys.argv[1]), Path(sys.argv[2])
    folder = target.with_suffix("")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    nbformat.write(execute(script, folder), target)


if __name__ == "__main__":
    main()
