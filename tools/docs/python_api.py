"""Pages of the Python API: directives that mkdocstrings fills from the docstrings."""

import ast
from pathlib import Path

PACKAGE = Path("tinystride")
# The order in which a newcomer needs them; the errors come last.
FIRST = ("read", "Walk", "estimate", "Result", "COLUMNS", "Recording", "TinyStrideError")
INTRODUCTION = """# tinystride

`import tinystride` offers these names: read a recording, estimate its strides, look at them. The other pages
list the modules behind them.

```python
import tinystride

walk = tinystride.read("walk.csv")
result = tinystride.estimate(walk)
print(result.strides, result.summary)
result.plot("walk.png")
result.to_csv("strides.csv")
```
"""


def python_api(name: str) -> tuple[str, str]:
    """Return title and Markdown of a page: the public names of `tinystride`, or the modules of a package."""
    if name == PACKAGE.name:
        names = _public_names()
        order = [each for each in FIRST if each in names]
        order += [each for each in names if each not in order]
        return name, "\n".join([INTRODUCTION, *(f"::: tinystride.{each}\n" for each in order)])
    modules = sorted(path.stem for path in (PACKAGE / name).glob("*.py") if not path.stem.startswith("_"))
    whole = f"::: tinystride.{name}\n    options: {{members: false, heading_level: 1}}\n"
    return f"tinystride.{name}", "\n".join(
        [whole, *(f"::: tinystride.{name}.{module}\n" for module in modules)]
    )


def _public_names() -> list[str]:
    """Return `tinystride.__all__`, without importing it."""
    for statement in ast.parse((PACKAGE / "__init__.py").read_text(encoding="utf-8")).body:
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "__all__":
            return ast.literal_eval(statement.value)
    raise ValueError(f"{PACKAGE}/__init__.py has no __all__")
