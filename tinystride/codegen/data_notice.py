"""List the data sets behind a model's constants, with their licences."""

from collections.abc import Mapping

HEADER = """# The data behind the constants

The network's weights and the ranges of its int8 numbers were learned from recordings. The estimator's own
constants (thresholds, templates, the lever arm) were chosen by hand on recordings of the same data sets. No
recording is part of this library. The licence of its code is in LICENSE; the data have their own licences:

| data set | used for the weights | licence | source |
|---|---|---|---|
"""


def data_notice(sources: Mapping[str, Mapping], split: Mapping[str, list[str]]) -> str:
    """Return a Markdown table of the data sets with their use, licence and citation.

    Args:
        sources: {data set: {"source", "licence", "citation", …}} as the download stage writes it
        split: {"train" | "validation" | "test": ["dataset/subject", …]} of the model
    """
    rows = []
    for name, source in sources.items():
        people = {
            side: sum(subject.startswith(f"{name}/") for subject in subjects)
            for side, subjects in split.items()
            if side in ("train", "validation")
        }
        uses = [f"{'training' if side == 'train' else side}, {n} people" for side, n in people.items() if n]
        simulated = source["source"] == "simulated"
        licence = source.get("licence", "none: made by the simulator" if simulated else "not stated")
        cited = source.get("citation", "simulated walking, no recorded person" if simulated else "")
        rows.append(f"| {name} | {'; '.join(uses) or 'no, tested on only'} | {licence} | {cited} |")
    return HEADER + "\n".join(rows) + "\n"
