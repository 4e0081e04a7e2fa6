"""Format small pieces of C source text."""

from collections.abc import Iterable

import numpy as np

WIDTH = 100
OPEN, CLOSE = (["{"], ""), (["},"], "")  # around the members of a nested structure


def integer(value: int) -> str:
    """Return an integer literal of C.

    Args:
        value: -2^31 to 2^31 - 1

    >>> integer(5), integer(-5), integer(-(2**31))
    ('5', '-5', '(-2147483647 - 1)')
    """
    return "(-2147483647 - 1)" if value == -(1 << 31) else str(int(value))


def single(value: np.float32) -> str:
    """Return a float literal of C with exactly this value.

    Args:
        value: finite

    >>> single(np.float32(0.1)), single(np.float32(2))
    ('0.1f', '2.0f')
    """
    text = np.format_float_scientific(value, unique=True, trim="0")
    plain = np.format_float_positional(value, unique=True, trim="0")
    return f"{plain if len(plain) < 14 else text}f"


def rows(words: Iterable[int | str], indent: str = "    ") -> str:
    """Return comma-separated words on lines of at most WIDTH characters.

    Args:
        words: integers, or text that is written as it is
        indent: indent of each line

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
    """Return the definition of a constant array.

    Args:
        ctype: type of its elements in C
        name: name of the array
        values: integers of any shape, written in C order
        extent: expression for the number of elements; None: the number itself

    >>> print(array("int8_t", "weights", np.array([1, -2])))
    static const int8_t weights[2] = {
        1, -2,
    };
    """
    values = np.asarray(values).ravel()
    return f"static const {ctype} {name}[{extent or values.size}] = {{\n{rows(values.tolist())}\n}};"


def macro(name: str, value: int | str) -> str:
    """Return a #define; a negative value is put in parentheses.

    Args:
        name: name of the macro
        value: a number or any C expression

    >>> macro("ZERO_POINT", -3)
    '#define ZERO_POINT (-3)'
    """
    text = str(value)
    return f"#define {name} ({text})" if text.startswith("-") else f"#define {name} {text}"


def structure(ctype: str, name: str, members: list[tuple[list, str]]) -> str:
    """Return the definition of a constant structure.

    Args:
        ctype: type of the structure in C
        name: name of the structure
        members: groups of (values, comment); a nested structure stands between the groups OPEN and CLOSE

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
