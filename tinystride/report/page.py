"""The page: one HTML file that holds its style, script and numbers, and loads nothing."""

import json
import math
from importlib import resources

import jinja2
from markupsafe import Markup

from tinystride.codegen.costs import (
    AMPERE_PER_HZ,
    CLOCK_HZ,
    COREMARK_URL,
    CYCLES_PER_INSTRUCTION,
    DATASHEET_URL,
    SENSOR_MICROAMPERE,
    SUPPLY_V,
)
from tinystride.evaluation.metrics import RUNNING_MPS, SHORT_CM
from tinystride.report import content
from tinystride.report.content import Run

OF_SETS = {
    "accuracy": "All estimators, against a measured reference",
    "agreement": "All estimators, agreement with an integral of the same sensor",
}
CORE_NAMES = {"cortex-m4f": "Cortex-M4F", "cortex-m0": "Cortex-M0", "cortex-m3": "Cortex-M3"}


def render(run: Run) -> str:
    """Return the report of a run as HTML. Equal runs give equal bytes.

    Args:
        run: the run
    """
    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    environment.filters |= {
        "cm": fixed, "count": counted, "interval": interval, "percent": percent, "signed": signed,
    }  # fmt: skip
    points = content.flash_points(run)
    return environment.from_string(_own("page.html.j2")).render(
        run=run,
        answer=content.answer(run),
        accuracy_rows=content.accuracy_rows(run),
        running_mps=RUNNING_MPS,
        short_cm=SHORT_CM,
        grouped_rows={by: content.grouped_rows(run, by) for by in ("per_speed", "per_kind")},
        slope_rows=content.slope_rows(run),
        running=content.running(run),
        persons_total=content.count_people(run),
        at_most=content.at_most(run),
        ages=content.ages(run),
        of_sets={kind: title for kind, title in OF_SETS.items() if content.sets_of(run.metrics, kind)},
        sets_of=content.sets_of,
        delivered=content.delivered,
        labels=content.LABELS,
        core_names=CORE_NAMES,
        data_rows=content.data_rows(run),
        footprints=content.footprints(run.cores),
        beside_published=content.beside_published(run),
        verdicts=content.verdicts(run.metrics),
        parameters=content.flat(run.parameters),
        max_drawn=content.MAX_DRAWN,
        clock_mhz=CLOCK_HZ / 1e6,
        cycles_per_instruction=f"{CYCLES_PER_INSTRUCTION:g}",
        microampere_per_mhz=f"{1e12 * AMPERE_PER_HZ:g}",
        supply_v=SUPPLY_V,
        sensor_microampere=SENSOR_MICROAMPERE,
        datasheet_url=DATASHEET_URL,
        coremark_url=COREMARK_URL,
        has_points=bool(points),
        style=Markup(_own("page.css")),
        script=Markup(_own("plots.js")),
        data=_json(content.plot_data(run, points)),
    )


def fixed(value: float | None, decimals: int = 2) -> str:
    """Return a number like "−0.26"; a dash for one that could not be computed.

    Args:
        value: a number, or None
        decimals: number of decimals
    """
    if value is None or not math.isfinite(value):
        return "–"
    # Rounding first: a number that is shown as 0 has no sign.
    return f"{round(value, decimals) + 0.0:.{decimals}f}".replace("-", "−")


def signed(value: float | None, decimals: int = 2) -> str:
    """Return a number like "+0.26" or "−0.26"; a dash for one that could not be computed.

    Args:
        value: a number, or None
        decimals: number of decimals
    """
    text = fixed(value, decimals)
    return text if text[0] in "–−" else f"+{text}"


def interval(bounds: list | None, decimals: int = 2) -> str:
    """Return an interval like "1.20 to 3.40"; "" for None.

    Args:
        bounds: [low, high], or None
        decimals: number of decimals
    """
    return "" if bounds is None else f"{fixed(bounds[0], decimals)} to {fixed(bounds[1], decimals)}"


def percent(share: float | None, decimals: int = 1) -> str:
    """Return a share like "97.5 %"; a dash for one that could not be computed.

    Args:
        share: 0 to 1, or None
        decimals: number of decimals
    """
    text = fixed(None if share is None else 100 * share, decimals)
    return text if text == "–" else f"{text} %"


def counted(value: int) -> str:
    """Return a whole number like "12,212".

    Args:
        value: a whole number
    """
    return f"{value:,}"


def _json(value: object) -> Markup:
    # "</script>" within the data would end the script element.
    return Markup(json.dumps(value, separators=(",", ":"), allow_nan=False).replace("</", r"<\/"))


def _own(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")
