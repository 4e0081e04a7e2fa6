"""Small pieces of C source text."""

from collections.abc import Iterable

import numpy as np

WIDTH = 100
OPEN, CLOSE = (["{"], ""), (["},"], "")  # around the members of a structure within a structure


def integer(value: int) -> str:
    """
    >>> integer(5), integer(-5), integer(-(2**31))
    ('5', '-5', '(-2147483647 - 1)')
    """
    return "(-2147483647 - 1)" if value == -(1 << 31) else str(int(value))


def single(value: np.float32) -> str:
    """A float literal that gives back exactly this value.

    >>> single(np.float32(0.1)), single(np.float32(2))
    ('0.1f', '2.0f')
    """
    text = np.format_float_scientific(value, unique=True, trim="0")
    plain = np.format_float_positional(value, unique=True, trim="0")
    return f"{plain if len(plain) < 14 else text}f"


def rows(words: Iterable[int | str], indent: str = "    ") -> str:
    """Comma-separated words on lines of at most WIDTH characters.

    >>> print(rows([0, -1, "last"]))
        0, -1, last,
    """
    lines, line = [], indent
    for word in words:
        word = f"{word if isinstance(word, str) else integer(word)},"
        if len(line) + len(word) > WIDTH and line != indent:
            lines.append(line.rstrip())
            line = indent
        line += f"{word} "
    return "\n".join([*lines, line.rstrip()])


def array(ctype: str, name: str, values: np.ndarray, extent: str | None = None) -> str:
    """
    >>> print(array("int8_t", "weights", np.array([1, -2])))
    static const int8_t weights[2] = {
        1, -2,
    };
    """
    values = np.asarray(values).ravel()
    return f"static const {ctype} {name}[{extent or values.size}] = {{\n{rows(values.tolist())}\n}};"


def macro(name: str, value: int | str) -> str:
    """
    >>> macro("ZERO_POINT", -3)
    '#define ZERO_POINT (-3)'
    """
    text = str(value)
    return f"#define {name} ({text})" if text.startswith("-") else f"#define {name} {text}"


def structure(ctype: str, name: str, members: list[tuple[list, str]]) -> str:
    """A constant structure: some of its members at a time, after a comment that says which.

    A structure within it stands between the members `OPEN` and `CLOSE`.

    >>> print(structure("size_t2", "size", [([2, 3], "height, width")]))
    static const size_t2 size = {
        /* height, width */
        2, 3,
    };
    """
    body = [
        f"    /* {comment} */\n{rows(values)}" if comment else f"    {values[0]}"
        for values, comment in members
    ]
    return "\n".join([f"static const {ctype} {name} = {{", *body, "};"])
