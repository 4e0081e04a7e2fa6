"""Check that the docstrings of all public functions, methods and classes of tinystride/ are complete.

`python -m tools.docstrings [PATH …]` prints one line for each missing part and, at the end, the number of
complete docstrings; the exit status is 1 if a part is missing. Modules whose docstrings are not finished
stand in the per-file-ignores of pyproject.toml with the rule "D"; they are skipped unless they are named.

A docstring is complete if it has
  - a summary,
  - `Args:` with every parameter,
  - `Returns:` or `Yields:` if there is a value; a summary that begins with "Return" or "Yield" is enough,
  - `Raises:` with every exception that the function raises itself,
  - `Attributes:` with every public field of a data class.
Properties are described like attributes and need a summary only. ruff (rules D and DOC) checks the form.
"""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
Function = ast.FunctionDef | ast.AsyncFunctionDef
SECTION = re.compile(
    r"^(Args|Attributes|Returns|Yields|Raises|Example|Examples|Note|Notes|References):$", re.MULTILINE
)
DATA_CLASS_DECORATORS = {"dataclass", "frozen", "define", "mutable"}
SKIPPED_DECORATORS = {"overload", "property", "cached_property", "setter"}


def sections(docstring: str) -> dict[str, str]:
    """Return the text of each section of a docstring by its name, such as "Args"."""
    parts = SECTION.split(docstring)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def entries(section: str) -> set[str]:
    """Return the names that a section describes: `name: …`, `name (type): …` or `first, second: …`."""
    found: set[str] = set()
    for line in re.findall(r"^    ?(?! )(?:  )?(\S[^:]*):", section, re.MULTILINE):
        found |= {name.strip().lstrip("*").split(" (")[0] for name in line.split(",")}
    return found


def decorators(node: Function | ast.ClassDef) -> set[str]:
    """Return the last name of each decorator: `attrs.frozen(…)` gives "frozen"."""
    found = set()
    for decorator in node.decorator_list:
        called = decorator.func if isinstance(decorator, ast.Call) else decorator
        found.add(called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", ""))
    return found


def parameters(node: Function, *, is_method: bool) -> list[str]:
    """Return the names of a function's parameters, without self, cls and private ones."""
    arguments = node.args
    named = [*arguments.posonlyargs, *arguments.args]
    if is_method and "staticmethod" not in decorators(node):
        named = named[1:]
    named += [*arguments.kwonlyargs, *(each for each in (arguments.vararg, arguments.kwarg) if each)]
    return [each.arg for each in named if not each.arg.startswith("_")]


def own_nodes(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes of a function's body without those of functions and classes within it."""
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, Function | ast.ClassDef | ast.Lambda):
            yield child
            yield from own_nodes(child)


def raised(node: Function) -> set[str]:
    """Return the names of the exceptions that a function raises by name."""
    found = set()
    for child in own_nodes(node):
        if isinstance(child, ast.Raise) and isinstance(child.exc, ast.Call):
            called = child.exc.func
            name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
            if name[:1].isupper():
                found.add(name)
    return found


def returns_value(node: Function) -> bool:
    """Return whether a function returns or yields something other than None."""
    annotation = node.returns
    if isinstance(annotation, ast.Constant) and annotation.value is None:
        return False
    if annotation is not None:
        return ast.unparse(annotation) not in ("NoReturn", "Never", "Iterator[None]")
    return any(isinstance(child, ast.Return) and child.value is not None for child in own_nodes(node))


def function_problems(node: Function, *, is_method: bool) -> list[str]:
    """Return what the docstring of a function or method lacks, in words."""
    if "overload" in decorators(node):
        return []
    docstring = ast.get_docstring(node)
    if not docstring:
        return ["no docstring"]
    if decorators(node) & SKIPPED_DECORATORS:
        return []
    found = sections(docstring)
    problems = [
        f"Args: lacks {name}"
        for name in parameters(node, is_method=is_method)
        if name not in entries(found.get("Args", ""))
    ]
    described = {"Returns", "Yields"} & found.keys() or re.match(r"(Return|Yield)s? ", docstring)
    if returns_value(node) and not described:
        problems.append("no Returns:")
    described_errors = entries(found.get("Raises", ""))
    problems += [f"Raises: lacks {name}" for name in sorted(raised(node)) if name not in described_errors]
    return problems


def class_problems(node: ast.ClassDef) -> list[str]:
    """Return what the docstring of a class lacks, in words."""
    docstring = ast.get_docstring(node)
    if not docstring:
        return ["no docstring"]
    bases = {ast.unparse(base).rsplit(".", 1)[-1] for base in node.bases}
    if not (decorators(node) & DATA_CLASS_DECORATORS or bases & {"NamedTuple", "TypedDict"}):
        return []
    found = sections(docstring)
    described = entries(found.get("Attributes", "")) | entries(found.get("Args", ""))
    fields = [
        statement.target.id
        for statement in node.body
        if isinstance(statement, ast.AnnAssign)
        and isinstance(statement.target, ast.Name)
        and not statement.target.id.startswith("_")
        and "ClassVar" not in ast.unparse(statement.annotation)
    ]
    return [f"Attributes: lacks {name}" for name in fields if name not in described]


def public_problems(path: Path) -> Iterator[tuple[int, str, list[str]]]:
    """Yield line, qualified name and problems of each public function, method and class of a module."""
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, Function) and not node.name.startswith("_"):
            yield node.lineno, node.name, function_problems(node, is_method=False)
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield node.lineno, node.name, class_problems(node)
            for member in node.body:
                if isinstance(member, Function) and not member.name.startswith("_"):
                    name = f"{node.name}.{member.name}"
                    yield member.lineno, name, function_problems(member, is_method=True)


def unfinished() -> list[str]:
    """Return the patterns of files that pyproject.toml exempts from the rule "D"."""
    ruff = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["ruff"]["lint"]
    return [
        pattern
        for pattern, rules in ruff.get("per-file-ignores", {}).items()
        if "D" in rules and not pattern.startswith("!")
    ]


def files(arguments: list[str]) -> list[Path]:
    """Return the modules to check: those named, or all of tinystride/ whose docstrings are finished."""
    if arguments:
        named = [Path(argument) for argument in arguments]
        return [file for path in named for file in (sorted(path.rglob("*.py")) if path.is_dir() else [path])]
    skipped = unfinished()
    return [
        path
        for path in sorted((ROOT / "tinystride").rglob("*.py"))
        if not any(fnmatch(path.relative_to(ROOT).as_posix(), pattern) for pattern in skipped)
    ]


def main(arguments: list[str]) -> int:
    """Print what is missing. Return 0 if every docstring is complete, 1 if not."""
    complete = total = 0
    for path in files(arguments):
        for line, name, problems in public_problems(path):
            total += 1
            complete += not problems
            for problem in problems:
                print(f"{path.absolute().relative_to(ROOT)}:{line}: {name}: {problem}")
    print(f"{complete} of {total} public functions, methods and classes have a complete docstring")
    return int(complete < total)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
