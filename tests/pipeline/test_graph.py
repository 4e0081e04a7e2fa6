"""The deps in dvc.yaml are complete: a change of any module that a stage uses makes it run again."""

import ast
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
PROJECT = ("tinystride", "studies")
STAGES = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
# Recording.from_frame reads users' tables; no stage calls it, and it imports the reader when it is called.
FROM_FRAME, READING = ROOT / "tinystride/datasets/recording.py", ROOT / "tinystride/reading"
# Checks of options, error messages, moves of files and W&B logging change no result.
WITHOUT_RESULT = {
    "tinystride/__init__.py",
    "tinystride/cli.py",
    "tinystride/edge_impulse_command.py",
    "tinystride/errors.py",
    "tinystride/files.py",
    "tinystride/optional.py",
    "tinystride/sweep_command.py",
    "tinystride/tracking.py",
    "tinystride/validation.py",
}


def imported(path: Path) -> set[Path]:
    """The project's modules that a module imports, at its top or within a function."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    files = {ROOT / f"{name.replace('.', '/')}{end}" for name in names for end in (".py", "/__init__.py")}
    found = {file for file in files if file.is_file() and file.relative_to(ROOT).parts[0] in PROJECT}
    return {file for file in found if path != FROM_FRAME or not file.is_relative_to(READING)}


def used_modules(script: str) -> set[str]:
    """Every module of PROJECT that the script of a stage leads to."""
    found, todo = set(), [ROOT / script]
    while todo:
        new = imported(todo.pop()) - found
        found |= new
        todo += [path for path in new if path.relative_to(ROOT).as_posix() not in WITHOUT_RESULT]
    return {path.relative_to(ROOT).as_posix() for path in found} - WITHOUT_RESULT


@pytest.mark.parametrize("name", STAGES)
def test_stage_deps_hold_all_used_modules(name):
    deps = [dep for dep in STAGES[name]["deps"] if dep.startswith("tinystride")]
    script = next(dep for dep in STAGES[name]["deps"] if dep.startswith("stages/"))
    uncovered = [
        path for path in used_modules(script) if not any(Path(path).is_relative_to(dep) for dep in deps)
    ]
    assert sorted(uncovered) == []


def test_library_layers_import_downwards_only():
    allowed = {
        "datasets": {"datasets"},
        "gait": {"datasets", "gait"},
        "learning": {"datasets", "gait", "learning"},
        "evaluation": {"datasets", "gait", "learning", "evaluation"},
        "firmware": {"datasets", "gait", "firmware"},
        "codegen": {"codegen", "firmware"},
        "mcu": {"codegen", "mcu"},
    }
    for layer, below in allowed.items():
        for path in (ROOT / "tinystride" / layer).rglob("*.py"):
            for other in imported(path):
                parts = other.relative_to(ROOT / "tinystride").parts
                assert len(parts) == 1 or parts[0] in below, f"{path.name} imports {'/'.join(parts)}"
