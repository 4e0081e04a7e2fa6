"""Render the templates of the generated files."""

from functools import cache
from typing import Any

import jinja2


@cache
def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.PackageLoader("tinystride.codegen", "."),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )


def render(template: str, **values: Any) -> str:
    """Return the text of a template; the templates may include files of kernels/.

    Args:
        template: name of a file in templates/
        **values: variables of the template; a missing one is an error
    """
    return _environment().get_template(f"templates/{template}").render(**values)
