"""The rules of options: accepted values, and the wording of refusals."""

import math

import attrs
import numpy as np
import pytest

from tinystride.errors import ParameterError
from tinystride.validation import (
    Rule,
    each,
    increasing_pair,
    mapping,
    one_of,
    real_number,
    true_or_false,
    whole_number,
)


@pytest.mark.parametrize(
    ("rule", "words", "accepted", "refused"),
    [
        (real_number(0, 0.2), "a number from 0 to 0.2", [0, 0.2, np.float32(0.1)], [-1e-9, 0.3, "0", None]),
        (real_number(1), "a number of at least 1", [1, 1e9], [0.99, math.inf, math.nan, True]),
        (real_number(high=1), "a number of at most 1", [1, -1e9], [1.01, -math.inf, math.nan, True]),
        (real_number(above=0), "a number above 0", [1e-9], [0, -1, math.inf, math.nan, True]),
        (real_number(0, below=0.5), "a number of at least 0 and below 0.5", [0, 0.49], [0.5, -0.1, math.nan]),
        (real_number(above=0, below=1), "a number above 0 and below 1", [0.5], [0, 1, math.nan]),
        (whole_number(16, 512), "a whole number from 16 to 512", [16, np.int64(512)], [15, 513, 16.0, "16"]),
        (whole_number(1), "a whole number of at least 1", [1, 10**9], [0, True, 1.5, None]),
        (one_of(["left", "right"]), "one of left, right", ["left"], ["both", None, ["left"], ("left",)]),
        (true_or_false(), "true or false", [True, False], [0, 1, "true", None]),
        (mapping("{a: 1}"), "a mapping, e.g. {a: 1}", [{}, {"b": 2}], [[1], "a", None]),
        (
            each(whole_number(1, 4)),
            "a list, each entry a whole number from 1 to 4",
            [(), [1], (1, 4)],
            [(1, 5), (True,), 1, "11", {1: 2}],
        ),
        (
            each(one_of(["left"]), min_length=1),
            "a list that is not empty, each entry one of left",
            [("left",), ["left", "left"]],
            [(), ("right",), "left"],
        ),
        (
            increasing_pair(above=0),
            "two numbers above 0, the smaller first",
            [(1, 1), [0.5, 2]],
            [(2, 1), (0, 1), (1, math.inf), (1, True), (1, 2, 3), 1, "12", None],
        ),
        (
            increasing_pair(strictly=True),
            "two numbers, the second above the first",
            [(-1, 1)],
            [(1, 1), (2, 1), (math.nan, 1), ("a", "b")],
        ),
    ],
)
def test_rule_refuses_with_name_value_and_rule(rule, words, accepted, refused):
    for value in accepted:
        rule.check("block.option", value)
    for value in refused:
        with pytest.raises(ParameterError) as caught:
            rule.check("block.option", value)
        assert str(caught.value) == f"block.option is {value!r}: it has to be {words}"


def test_rule_of_an_attribute_names_the_block_of_its_class():
    @attrs.frozen
    class Options:
        PREFIX = "block."
        points: int = attrs.field(default=4, validator=whole_number(1, 8))

    with pytest.raises(ParameterError, match=r"^block\.points is 9: it has to be a whole number from 1 to 8"):
        Options(9)
    with pytest.raises(ParameterError, match=r"^block\.points is 0: "):
        attrs.evolve(Options(), points=0)


def test_rule_holds_returns_without_raising():
    rule: Rule = whole_number(1)
    assert rule.holds(1) and not rule.holds(0)
