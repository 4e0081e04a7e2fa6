"""Find words and sentence patterns that readers have to decode: `python -m tools.language [paths …]`.

Reads prose (Markdown outside of code), comments, docstrings, messages, identifiers, file and test names.
Prints `file:line: words -> replacement` for each hit and exits with status 1 if there is one. Accepted uses
are listed with their reason in tools/language_exceptions.toml; an unused entry there is an error, too.
"""

import argparse
import ast
import io
import re
import subprocess
import sys
import tokenize
import tomllib
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import NamedTuple

EXCEPTIONS = Path(__file__).with_name("language_exceptions.toml")
# Generated or foreign files: locks, results, models (copied from tinystride/), pictures, hashes, recordings.
SKIPPED = (
    "models/*", "results/*", "data/*", "docs/images/*", "*.lock", "*/fixtures/*", "LICENSE",
    "tinystride/datasets/hashes/*", "build/*", ".venv*",
)  # fmt: skip

# Words in prose, comments, docstrings and messages: pattern, replacement. Lower-case patterns match any case.
PROSE = [
    (r"unrest", "motion energy"),
    (r"calm(?:er|est|ness|ly)?", "stationary, stationarity"),
    (r"told|tells?|telling", "report, emit, show, distinguish"),
    (r"nobody", "no one; better: name the subject"),
    (r"whoever", "name the subject"),
    (r"(?:is|are|was|were)\s+\(?none\)?(?!\))", "is not …, has no …"),
    (r"none\s+of", "no …"),
    (r"speaks?\s+against", "makes … unreliable"),
    (r"believe[sd]?|believing", "accept, trust"),
    (r"not\s+to\s+be\s+had", "not available, not possible"),
    (r"for\s+want\s+of", "because … is missing"),
    (r"strangeness", "residual score"),
    (r"likeness", "template correlation"),
    (r"strayed", "previous stride not walking"),
    (r"judge[sd]?|judging|judge?ment", "evaluate, out of fold"),
    (r"plants?", "foot contact, stance"),
    (r"levers?(?![\s-]+arms?)", "lever arm"),
    (r"(?<!of )course", "learning-rate schedule"),
    (r"figures", "metrics (numbers) or plots (pictures)"),
    (r"reference\s+interpreter", "TFLM"),
    (r"mirror\w*[^.|]{0,40}(?:W&B|wandb)|(?:W&B|wandb)[^.|]{0,40}mirror\w*", "W&B logging"),
]
# A sentence does not begin with these, unless it is a question.
SUBJECTS = r"(?:who|what|whoever|whatever|nobody)\b(?!')|none\s+(?:is|are|was|were|has|have|may|can|will)\b"

# Of variables and constants; in the name of a test these are ordinary words.
SUPERLATIVES = {
    **dict.fromkeys(("largest", "longest", "most"), "MAX_…, max_…"),
    **dict.fromkeys(("smallest", "shortest", "fewest", "least"), "MIN_…, min_…"),
}
# Parts of identifiers (between underscores or capitals), everywhere.
PARTS = {
    **SUPERLATIVES,
    "unrest": "motion",
    **dict.fromkeys(("calm", "calmness", "calmer", "calmest"), "stationary, stationarity"),
    **dict.fromkeys(("told", "tell", "tells", "untold"), "report, emit"),
    **dict.fromkeys(("nobody", "whoever"), "name the subject"),
    "strangeness": "residual_score",
    "likeness": "template_correlation",
    "strayed": "previous_not_walking",
    **dict.fromkeys(("judge", "judged", "judges", "judging"), "evaluate, out_of_fold"),
    **dict.fromkeys(("plant", "plants"), "contact, stance"),
    "lever": "lever_arm",
    "course": "lr_schedule",
    "figures": "metrics or plots",
    "believed": "accepted",
}
STANDARD = {"least_squares", "at_least", "at_most", "most_common", "lever_arm", "of_course"}
# Whole identifiers, everywhere.
NAMES = {
    "copies": "augmentations_per_stride",
    "leave_out": "exclude_flags",
    "know_bias": "init_bias_covariance",
    "see_tilt": "kalman_update_axis",
    "complete_file": "atomic_write",
    "settle_arithmetic": "pin_cpu_kernels",
    "PARTS_OF_BLOCK": "Q14_ONE",
    "APART": "NOINLINE",
    "WITHIN": "ALWAYS_INLINE",
}
# Names of functions and classes; as variables these are ordinary words.
DEFINITIONS = {"known": "validated_kwargs"}
# Functions of the C and of its Python twin; elsewhere these are ordinary words.
FUNCTIONS = {
    "beyond": "flag_if_outside",
    "limited": "clampf",
    "magnitude": "abs_sort_key",
    "follow": "process_block",
    "rest": "end_stride_at_pause",
    "begin": "reset_stream",
    "mark": "record_event",
    "look": "update_velocity",
    "level": "align_to_gravity",
}
TWIN = ("tinystride/streaming/*",)
TEST_NAMES = re.compile(
    r"^test_(?:who|whose|whom|what|whatever|where|they)_"
    r"|_(?:who|whom|whose|whatever|somebody|everybody|hears?|is_none|are_none|none_of|told|tells?)(?=_|$)"
)
TEST_PATTERN = "test_<unit>_<condition>_<expectation>"

C_LIKE = {".c", ".h", ".inc", ".ino", ".js", ".css"}
HASH_COMMENTS = {".toml", ".sh", ".cfg", ".cmake", ".yaml", ".yml", ".ld", ".conf", ""}


class Passage(NamedTuple):
    """Text to be read, or an identifier."""

    line: int
    text: str
    # prose, fragment (headings and cells: no whole sentences), name, definition, function (C, twin) or test
    kind: str


class Hit(NamedTuple):
    path: str
    line: int
    words: str
    replacement: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.words} -> {self.replacement}"


def blank(text: str, pattern: str, flags: int = 0) -> str:
    """The text with every match replaced by spaces; line breaks stay, so line numbers do."""
    return re.sub(pattern, lambda match: re.sub(r"[^\n]", " ", match[0]), text, flags=flags)


def without_code(text: str) -> str:
    """Prose without code in backticks, links' targets and addresses."""
    text = blank(text, r"(`+)(?!`).+?(?<!`)\1(?!`)", re.DOTALL)
    return blank(text, r"\]\([^)]*\)|https?://\S+")


def markdown(text: str) -> Iterator[Passage]:
    text = blank(text, r"<!--.*?-->", re.DOTALL)
    text = blank(text, r"^ *(```|~~~).*?^ *\1 *$", re.DOTALL | re.MULTILINE)
    block, start = [], 0
    for number, line in enumerate([*without_code(text).split("\n"), ""], start=1):
        bare = line.strip()
        fragment = bare.startswith(("#", "|"))
        if block and (not bare or fragment or re.match(r"[-*+] |\d+\. ", bare)):
            yield Passage(start, "\n".join(block), "prose")
            block = []
        if fragment:
            yield Passage(number, line, "fragment")
        elif bare:
            if not block:
                start = number
            block.append(re.sub(r"^(\s*)(?:[-*+]|\d+\.) ", r"\1  ", line).replace("*", " "))


def joined(comments: list[tuple[int, int, str]]) -> Iterator[Passage]:
    """Comments on neighbouring lines in the same column are one passage."""
    block: list[str] = []
    start = last = column = 0
    for line, place, text in [*comments, (-9, 0, "")]:
        if block and (line != last + 1 or place != column):
            yield Passage(start, without_code("\n".join(block)), "prose")
            block = []
        if not block:
            start, column = line, place
        block.append(text)
        last = line


def is_sentence(text: str) -> bool:
    return re.search(r"[A-Za-z]+,? [a-z]+,? [a-z]+", text) is not None


def kind(function: str, twin: bool) -> str:
    return "test" if function.startswith("test_") else "function" if twin else "definition"


def python(text: str, tests: bool, twin: bool) -> Iterator[Passage]:
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    comments = [(t.start[0], t.start[1], t.string.lstrip("#")) for t in tokens if t.type == tokenize.COMMENT]
    yield from joined(
        [comment for comment in comments if not comment[2].strip().startswith(("noqa", "type:", "fmt:"))]
    )
    tree = ast.parse(text)
    docstrings = set()
    for node in ast.walk(tree):
        line = getattr(node, "lineno", 1)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Module):
            first = node.body[0] if node.body else None
            if (
                isinstance(first, ast.Expr)
                and isinstance(first.value, ast.Constant)
                and isinstance(first.value.value, str)
            ):
                docstrings.add(first.value)
                yield Passage(first.lineno, without_code(first.value.value), "prose")
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield Passage(line, node.name, kind(node.name, twin))
        elif isinstance(node, ast.ClassDef):
            yield Passage(line, node.name, "definition")
        elif isinstance(node, ast.arg):
            yield Passage(line, node.arg, "name")
        elif isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield Passage(line, node.id if isinstance(node, ast.Name) else node.attr, "name")
    if not tests:
        yield from messages(tree, docstrings)


def messages(tree: ast.Module, docstrings: set) -> Iterator[Passage]:
    """Strings of three words and more: messages, help and what is written to reports."""
    parts = {part for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        text = ""
        if isinstance(node, ast.JoinedStr):
            text = "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)
        elif (
            isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in docstrings | parts
        ):
            text = node.value
        # Regular expressions are no sentences.
        if is_sentence(text) and not re.search(r"\(\?|\\[bsdw]|\[\^", text):
            yield Passage(node.lineno, without_code(text).replace("\n", " "), "prose")


def c_like(text: str, suffix: str) -> Iterator[Passage]:
    strings = r'"(?:\\.|[^"\\\n])*"' + (r"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`" if suffix == ".js" else "")
    lines = r"|//[^\n]*" if suffix != ".css" else ""
    comments = []
    for match in re.finditer(rf"/\*.*?\*/{lines}|{strings}", text, re.DOTALL):
        line = text.count("\n", 0, match.start()) + 1
        column = match.start() - text.rfind("\n", 0, match.start())
        if match[0].startswith("//"):
            comments.append((line, column, match[0].lstrip("/!<")))
        elif match[0].startswith("/*"):
            bare = re.sub(r"^\s*\*(?!/)", "", match[0][2:-2], flags=re.MULTILINE)
            yield Passage(line, without_code(bare.lstrip("*!<")), "prose")
        elif is_sentence(match[0]):
            yield Passage(line, match[0].strip("\"'`"), "prose")
    yield from joined(comments)
    if suffix == ".css":
        return
    code = blank(text, rf"/\*.*?\*/{lines}|{strings}|^\s*#\s*include[^\n]*", re.DOTALL | re.MULTILINE)
    seen = set()
    for match in re.finditer(r"(?<![\w.$>])[A-Za-z_]\w*(\s*\()?", code):
        name = match[0].rstrip("( \n")
        if name not in seen:
            seen.add(name)
            yield Passage(code.count("\n", 0, match.start()) + 1, name, "function" if match[1] else "name")


def hash_comments(text: str, suffix: str) -> Iterator[Passage]:
    comments = []
    for number, line in enumerate(text.split("\n"), start=1):
        match = re.search(r"(?:^|\s)#+(?!!)(.*)", line)
        if match:
            comments.append((number, match.start(), match[1]))
        code = line[: match.start()] if match else line
        if suffix in {".yaml", ".yml", ".toml"}:
            key = re.match(r"\s*-?\s*([\w-]+) *[:=]", code)
            if key:
                yield Passage(number, key[1], "name")
            value = code[key.end() :] if key else code
            if is_sentence(value):
                yield Passage(number, without_code(value), "fragment")
    yield from joined(comments)


def html(text: str) -> Iterator[Passage]:
    text = blank(text, r"<(script|style)\b.*?</\1>", re.DOTALL)
    text = blank(text, r"<(?!!--)[^>]*>", re.DOTALL)
    for number, line in enumerate(text.replace("<!--", "    ").replace("-->", "   ").split("\n"), start=1):
        yield Passage(number, line, "fragment")


def passages(path: Path, name_in_checkout: str) -> Iterator[Passage]:
    """Yield all that a reader reads in a file, by its kind; nothing for an unknown kind of file."""
    try:
        text = path.read_text()
    except UnicodeDecodeError:
        return
    name = path.name
    if name.endswith(".j2"):
        name = name.removesuffix(".j2")
        text = blank(text, r"\{[{%].*?[}%]\}", re.DOTALL)
        text = blank(text, r"\{#|#\}")
    suffix = Path(name).suffix
    yield Passage(1, path.stem, "test" if path.stem.startswith("test_") else "name")
    if suffix == ".md":
        yield from markdown(text)
    elif suffix == ".py":
        twin = any(fnmatch(name_in_checkout, pattern) for pattern in TWIN)
        yield from python(text, "tests" in Path(name_in_checkout).parts, twin)
    elif suffix in C_LIKE:
        yield from c_like(text, suffix)
    elif suffix == ".html":
        yield from html(text)
    elif suffix in HASH_COMMENTS or name in {"Makefile", "Doxyfile"}:
        yield from hash_comments(text, suffix)


def in_prose(passage: Passage) -> Iterator[tuple[int, str, str]]:
    """Each hit in a text: line, words, replacement."""
    text = passage.text
    found = []
    for pattern, replacement in PROSE:
        flags = 0 if "none" in pattern and "of" not in pattern else re.IGNORECASE
        found += [
            (match.start(), match[0], replacement)
            for match in re.finditer(rf"(?<![\w./-])(?:{pattern})(?![\w/(]|-\w)", text, flags)
        ]
    if passage.kind == "prose":
        for match in re.finditer(
            rf"(?:^|(?<=[.!?;])\s)\s*({SUBJECTS})([^.;!?]|\.(?!\s|$))*([.;!?]|$)", text, re.IGNORECASE
        ):
            if match[3] != "?" and match[1].casefold() not in {"nobody", "whoever"}:
                found.append((match.start(1), match[1], "a noun as the subject of the sentence"))
    for start, words, replacement in found:
        yield passage.line + text.count("\n", 0, start), " ".join(words.split()), replacement


def in_name(passage: Passage) -> Iterator[tuple[int, str, str]]:
    name = passage.text
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).casefold().replace("-", "_")
    for standard in STANDARD:
        snake = re.sub(rf"(?:^|(?<=_)){standard}(?=_|$)", "", snake)
    parts = [part for part in snake.split("_") if passage.kind != "test" or part not in SUPERLATIVES]
    replacements = [PARTS[part] for part in parts if part in PARTS]
    if name in NAMES:
        replacements.append(NAMES[name])
    if passage.kind in {"function", "definition"} and name in DEFINITIONS:
        replacements.append(DEFINITIONS[name])
    if passage.kind == "function" and name.lstrip("_") in FUNCTIONS:
        replacements.append(FUNCTIONS[name.lstrip("_")])
    if name.endswith("_256th"):
        replacements.append("…_q8")
    if passage.kind == "test" and (not replacements and TEST_NAMES.search(name)):
        replacements.append(TEST_PATTERN)
    for replacement in dict.fromkeys(replacements):
        yield passage.line, name, replacement


def hits(path: Path, name: str) -> Iterator[Hit]:
    """Everything in a file that a reader would have to decode.

    Raises SyntaxError if it is Python that cannot be parsed.
    """
    for passage in passages(path, name):
        find = in_prose if passage.kind in {"prose", "fragment"} else in_name
        for line, words, replacement in find(passage):
            yield Hit(name, line, words, replacement)


def files(paths: list[str], root: Path) -> Iterator[tuple[Path, str]]:
    """The files of the checkout below these paths: path, name relative to the checkout."""
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *paths]
    done = subprocess.run(listed, cwd=root, capture_output=True, text=True, check=True)
    for name in sorted(set(done.stdout.splitlines())):
        path = root / name
        if (
            path.is_file()
            and not path.is_symlink()
            and not any(fnmatch(name, pattern) for pattern in SKIPPED)
        ):
            yield path, name


class Exceptions:
    """Accepted uses: [[accepted]] with path (a glob), words (a regular expression) and reason."""

    def __init__(self, path: Path = EXCEPTIONS):
        self.entries = tomllib.loads(path.read_text()).get("accepted", [])
        for entry in self.entries:
            if set(entry) != {"path", "words", "reason"} or len(entry["reason"]) < 10:
                raise ValueError(f"{path}: {entry}: needs path, words and a reason")
        self.used = [False] * len(self.entries)

    def accept(self, hit: Hit) -> bool:
        for number, entry in enumerate(self.entries):
            if fnmatch(hit.path, entry["path"]) and re.fullmatch(entry["words"], hit.words, re.IGNORECASE):
                self.used[number] = True
                return True
        return False

    def unused(self) -> list[dict]:
        return [entry for entry, used in zip(self.entries, self.used, strict=True) if not used]


def check(paths: list[str], root: Path) -> list[str]:
    """One line for each hit, and for each exception that is not needed any more."""
    exceptions = Exceptions()
    found = [hit for path, name in files(paths, root) for hit in hits(path, name)]
    lines = [str(hit) for hit in dict.fromkeys(found) if not exceptions.accept(hit)]
    if not paths:
        lines += [
            f"{EXCEPTIONS.name}: {entry['path']}: {entry['words']} -> not found any more: remove"
            for entry in exceptions.unused()
        ]
    return lines


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tools.language", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("paths", nargs="*", help="files and folders; without any: the whole checkout")
    lines = check(parser.parse_args().paths, Path.cwd())
    print("\n".join([*lines, f"{len(lines)} found"] if lines else ["no banned word found"]))
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
