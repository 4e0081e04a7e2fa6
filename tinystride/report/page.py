"""The page: one HTML file with style, script and numbers inside, which asks nobody for anything."""

import json
import math
from importlib import resources

import jinja2
from markupsafe import Markup

from tinystride.optional import extra
from tinystride.report import content
from tinystride.report.content import Run

with extra("report"):
    import plotly.offline

OF_SETS = {
    "accuracy": "Accuracy against a measured reference",
    "agreement": "Agreement with an integral of the same sensor, which is no measurement of accuracy",
}


def render(run: Run) -> str:
    """The report of a run as HTML. Equal runs give equal bytes."""
    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    environment.filters |= {"cm": fixed, "count": counted, "interval": interval}
    return environment.from_string(_own("page.html.j2")).render(
        run=run,
        of_sets={kind: title for kind, title in OF_SETS.items() if content.sets_of(run.metrics, kind)},
        sets_of=content.sets_of,
        labels=content.LABELS,
        data_rows=content.data_rows(run),
        footprints=content.footprints(run.cores),
        beside_published=content.beside_published(run),
        verdicts=content.verdicts(run.metrics),
        parameters=content.flat(run.parameters),
        most_drawn=content.MOST_DRAWN,
        style=Markup(_own("page.css")),
        script=Markup(_own("figures.js")),
        plotly=Markup(plotly.offline.get_plotlyjs().replace("</script", r"<\/script")),
        data=_json(content.figure_data(run, content.flash_points(run))),
    )


def fixed(value: float | None, decimals: int = 2) -> str:
    """Like "−0.26", a dash for what could not be computed."""
    if value is None or not math.isfinite(value):
        return "–"
    # Rounding first: what shows as nought has no sign.
    return f"{round(value, decimals) + 0.0:.{decimals}f}".replace("-", "−")


def interval(bounds: list | None, decimals: int = 2) -> str:
    return "" if bounds is None else f"{fixed(bounds[0], decimals)} to {fixed(bounds[1], decimals)}"


def counted(value: int) -> str:
    return f"{value:,}"


def _json(value: object) -> Markup:
    # "</script>" within the data would end it.
    return Markup(json.dumps(value, separators=(",", ":"), allow_nan=False).replace("</", r"<\/"))


def _own(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")
