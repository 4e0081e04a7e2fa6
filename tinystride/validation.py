"""Ranges of options: attrs checks them, and all messages have the same wording.

    NAME is VALUE: it has to be RULE        train.points is 3: it has to be a whole number from 16 to 512

A rule is a validator of an attrs class: `points: int = attrs.field(validator=whole_number(16, 512))`. It
checks an argument of a function, too: `real_number(50, 400).check("rate_hz", rate_hz)`. A class whose options
belong to a block of parameters names that block in the class variable PREFIX, such as "train.".
"""

from collections.abc import Callable, Collection, Mapping
from math import inf
from numbers import Integral, Real
from typing import Any

import attrs
from attrs import validators

from tinystride.errors import ParameterError

Validator = Callable[[Any, Any, Any], object]


@attrs.frozen
class Rule:
    """A rule for a value.

    Attributes:
        words: complete the sentence "it has to be …"
        validator: an attrs validator; raises ValueError or TypeError for a value that breaks the rule
    """

    words: str
    validator: Validator

    def __call__(self, instance: object, attribute: Any, value: Any) -> None:
        """Check the value of an attribute, as attrs calls it.

        Raises:
            ParameterError: if the value breaks the rule
        """
        self.check(f"{getattr(instance, 'PREFIX', '')}{attribute.name}", value)

    def holds(self, value: object) -> bool:
        """Return whether a value keeps the rule.

        Args:
            value: of any type
        """
        try:
            self.validator(None, _NAMELESS, value)
        except (TypeError, ValueError):
            return False
        return True

    def check(self, name: str, value: object) -> None:
        """Check a value.

        Args:
            name: name of the value, for the message
            value: of any type

        Raises:
            ParameterError: if the value breaks the rule; one line with name, value and rule
        """
        if not self.holds(value):
            raise ParameterError(f"{name} is {value!r}: it has to be {self.words}")


@attrs.frozen
class _Value:
    """Attribute for validators of attrs: they name it in their messages, which Rule replaces."""

    value: object = attrs.field()


_NAMELESS = attrs.fields(_Value).value


def real_number(
    low: float | None = None,
    high: float | None = None,
    *,
    above: float | None = None,
    below: float | None = None,
) -> Rule:
    """Return a rule: a finite number, not a bool, within bounds.

    Args:
        low: smallest value
        high: largest value
        above: value that has to be exceeded
        below: value that must not be reached
    """
    return _number("a number", Real, low, high, above, below)


def whole_number(low: int | None = None, high: int | None = None) -> Rule:
    """Return a rule: a whole number, not a bool, from `low` to `high`.

    Args:
        low: smallest value; None: no bound
        high: largest value; None: no bound
    """
    return _number("a whole number", Integral, low, high, None, None)


def one_of(choices: Collection[str]) -> Rule:
    """Return a rule: one of several names.

    Args:
        choices: the names
    """
    names = tuple(choices)
    return Rule(
        f"one of {', '.join(names)}", validators.and_(validators.instance_of(str), validators.in_(names))
    )


def true_or_false() -> Rule:
    """Return a rule: a bool, and not a number."""
    return Rule("true or false", validators.instance_of(bool))


def each(rule: Rule, *, min_length: int = 0) -> Rule:
    """Return a rule: a list or tuple whose entries all keep a rule.

    Args:
        rule: for each entry
        min_length: number of entries at least
    """
    some = "a list that is not empty" if min_length == 1 else "a list"
    return Rule(
        f"{some}, each entry {rule.words}",
        validators.and_(
            validators.deep_iterable(rule.validator, validators.instance_of((list, tuple))),
            validators.min_len(min_length),
        ),
    )


def mapping(example: str) -> Rule:
    """Return a rule: a mapping. Its entries are checked elsewhere, each under its own name.

    Args:
        example: example of such a mapping, for the message
    """
    return Rule(f"a mapping, e.g. {example}", validators.instance_of(Mapping))


def increasing_pair(*, above: float | None = None, strictly: bool = False) -> Rule:
    """Return a rule: two numbers, the second not below the first.

    Args:
        above: value that both have to exceed; None: no bound
        strictly: whether the second has to be above the first
    """
    entry = real_number(above=above).validator

    def in_order(instance: object, attribute: Any, value: Any) -> None:
        low, high = value
        entry(instance, attribute, low)
        entry(instance, attribute, high)
        if low > high or (strictly and low == high):
            raise ValueError

    numbers = "two numbers" if above is None else f"two numbers above {above:g}"
    return Rule(f"{numbers}, {'the second above the first' if strictly else 'the smaller first'}", in_order)


def _number(
    what: str,
    kind: type,
    low: float | None,
    high: float | None,
    above: float | None,
    below: float | None,
) -> Rule:
    checks: list[Validator] = [
        validators.instance_of(kind),
        validators.not_(validators.instance_of(bool)),
        # Infinite values and NaN break the rule.
        validators.gt(-inf),
        validators.lt(inf),
    ]
    limits = []
    for bound, word, validator in (
        (low, "of at least", validators.ge),
        (above, "above", validators.gt),
        (high, "of at most", validators.le),
        (below, "below", validators.lt),
    ):
        if bound is not None:
            checks.append(validator(bound))
            limits.append(f"{word} {bound:g}")
    closed = low is not None and high is not None
    words = f"from {low:g} to {high:g}" if closed else " and ".join(limits)
    return Rule(f"{what} {words}".rstrip(), validators.and_(*checks))
