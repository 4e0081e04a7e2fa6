"""The check that public functions have complete docstrings."""

import pytest

from tools import docstrings

COMPLETE = '''
"""A module."""
import dataclasses


def length_cm(duration_s: float, *, speed_mps: float) -> float:
    """Return the length of a stride in cm.

    Args:
        duration_s: of the stride, in s
        speed_mps: of the walk, in m/s

    Raises:
        ValueError: if the duration is negative
    """
    if duration_s < 0:
        raise ValueError("negative duration")
    return 100 * duration_s * speed_mps


@dataclasses.dataclass
class Stride:
    """One stride.

    Attributes:
        length_cm: 0 to 300
        foot: "left" or "right"
    """

    length_cm: float
    foot: str

    @property
    def length_m(self) -> float:
        """The length in m."""
        return self.length_cm / 100


def _private(value):
    return value
'''


def problems(tmp_path, text: str) -> list[str]:
    module = tmp_path / "module.py"
    module.write_text(text)
    return [problem for _, _, found in docstrings.public_problems(module) for problem in found]


def test_public_problems_complete_docstrings_are_accepted(tmp_path):
    assert problems(tmp_path, COMPLETE) == []


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("        speed_mps: of the walk, in m/s\n", "", "Args: lacks speed_mps"),
        ("Return the length", "The length", "no Returns:"),
        ("        ValueError: if", "        TypeError: if", "Raises: lacks ValueError"),
        ('        foot: "left" or "right"\n', "", "Attributes: lacks foot"),
        ('        """The length in m."""\n', "", "no docstring"),
    ],
)
def test_public_problems_missing_part_is_named(tmp_path, old, new, problem):
    assert old in COMPLETE
    assert problems(tmp_path, COMPLETE.replace(old, new)) == [problem]


def test_main_finished_modules_have_no_problem(capsys):
    assert docstrings.main([]) == 0, capsys.readouterr().out
