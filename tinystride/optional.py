"""Packages that only some commands need, and the extra of `pip install` that brings each."""

from collections.abc import Iterator
from contextlib import contextmanager

from tinystride.errors import MissingExtraError


@contextmanager
def extra(name: str) -> Iterator[None]:
    """Name the extra to install if an import within the block fails.

    Args:
        name: an entry of `project.optional-dependencies` in pyproject.toml, such as "plot"

    Yields:
        Nothing: the block holds imports.

    Raises:
        MissingExtraError: if a package is missing
        ModuleNotFoundError: if a module of tinystride itself is missing
    """
    try:
        yield
    except ModuleNotFoundError as error:
        package = (error.name or str(error)).partition(".")[0]
        if package == "tinystride":
            raise
        raise MissingExtraError(package, name) from error
