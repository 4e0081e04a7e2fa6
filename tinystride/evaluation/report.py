"""Metrics of every data set, and the folder that results/evaluate is."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from tinystride.errors import ParameterError
from tinystride.evaluation.agreement import DECIMALS, REFERENCE_NOISE_FIGURES, agreement, rmse_difference
from tinystride.evaluation.figures import draw_figures
from tinystride.evaluation.judging import BASELINES, NETWORKS, column_of, estimators_in, judge_strides
from tinystride.evaluation.tables import headline, long, markdown
from tinystride.files import write_json, write_text

SOURCES = ["recorded", "simulated"]
ACCURACY, AGREEMENT = "accuracy", "agreement"


def evaluate(
    strides: pd.DataFrame,
    split: dict,
    final_predictions: pd.DataFrame,
    fold_predictions: Mapping,
    *,
    source: str,
    seed: int,
    resamples: int = 1000,
) -> tuple[dict, pd.DataFrame]:
    """Metrics of every data set and the table of the strides that they come from.

    strides: strides.parquet split: as made by `split_by_subject`. Whom the final model is tested on is judged
    by the final model, others by
        the model of the fold that tests them; who is nobody's test is not judged.
    final_predictions, fold_predictions: table of the final model, {fold: table}: `stride_id, float32_cm,
        int8_cm` of at least all usable strides of known length of the subjects that the model judges. Any
        other column `<name>_cm` is one more estimator, whose NaN lower its coverage.
    source: "recorded" or "simulated": what the strides were made from
    seed, resamples: of the intervals

    Returns (metrics, judged):
      metrics: {"source": source, set: {estimator: {"kind", "reference", figure: number, "<figure>_ci95":
      [low,
        high], "per_subject": {subject: {figure: …}}, "per_condition": {condition: {figure: …}}}}} kind:
        "accuracy", or "agreement" where the reference is itself an integral of the same sensor. Then the
          integral as an estimator and the reference's noise would be circular and are left out.
        figures: those of `agreement`, also `rmse_minus_strapdown_cm` (see `rmse_difference`; not where the
        kind
          is agreement) and, of int8, `sd_to_float32_cm`, the SD of its difference from float32
        coverage: share of the judged subjects' reference strides of known length with an estimate. Those not
          detected or found unusable count as not covered; detected ones without a reference do not count.
      judged: see `judge_strides`

    Raises DataError if the strides table is empty, lacks a column, has an unknown reference or several in one
    data set, if a subject is on two sides of the split or in none, or if predictions are missing, doubled,
    not finite or of unknown strides; ParameterError for an unknown source or too few resamples.
    """
    if source not in SOURCES:
        raise ParameterError(f"source is {source!r}; it has to be {' or '.join(SOURCES)}")
    judged = judge_strides(strides, split, final_predictions, fold_predictions)
    metrics = {"source": source}
    for name, strides_of_set in judged.groupby("dataset"):
        metrics[name] = _set_metrics(strides_of_set, {"seed": seed, "resamples": resamples})
    return metrics, judged


def write_report(folder: Path | str, metrics: dict, judged: pd.DataFrame) -> None:
    """Write what `evaluate` returned into an existing folder; equal metrics and strides give equal bytes.

    metrics.json; headline.json (few numbers, to track); headline.md (for a README); figures.csv (one row each
    figure); strides.csv (one row each stride); figures/*.png
    """
    folder = Path(folder)
    write_json(folder / "metrics.json", metrics)
    write_json(folder / "headline.json", headline(metrics))
    write_text(folder / "headline.md", markdown(metrics))
    write_text(folder / "figures.csv", long(metrics).to_csv(index=False))
    write_text(folder / "strides.csv", judged.to_csv(index=False, float_format=f"%.{DECIMALS}f"))
    draw_figures(metrics, judged, folder / "figures")


def _set_metrics(strides: pd.DataFrame, bootstrap: dict) -> dict:
    """{estimator: figures} of one data set."""
    reference = strides["reference"].iloc[0]
    kind = AGREEMENT if reference == "strapdown" else ACCURACY
    condition = strides["condition"].replace("", "unspecified")
    metrics = {}
    for estimator in estimators_in(strides):
        column = column_of(estimator)
        circular = kind == AGREEMENT and estimator == "strapdown"
        absent = estimator not in NETWORKS + BASELINES and strides[column].isna().all()
        if not (circular or absent):
            metrics[estimator] = {
                "kind": kind,
                "reference": reference,
                **_figures(strides, column, kind, bootstrap),
                **_comparisons(strides, estimator, kind, bootstrap),
                "per_subject": _each(strides.groupby("subject"), column, kind, bootstrap),
                "per_condition": _each(strides.groupby(condition), column, kind, bootstrap),
            }
    return metrics


def _figures(strides: pd.DataFrame, column: str, kind: str, bootstrap: dict) -> dict:
    figures = agreement(strides, strides[column], **bootstrap)
    circular = REFERENCE_NOISE_FIGURES if kind == AGREEMENT else []
    return {name: value for name, value in figures.items() if name.removesuffix("_ci95") not in circular}


def _each(groups, column: str, kind: str, bootstrap: dict) -> dict:
    return {name: _figures(strides, column, kind, bootstrap) for name, strides in groups}


def _comparisons(strides: pd.DataFrame, estimator: str, kind: str, bootstrap: dict) -> dict:
    own_cm, found = strides[column_of(estimator)], {}
    if kind == ACCURACY and estimator != "strapdown":
        difference = rmse_difference(strides, own_cm, strides[column_of("strapdown")], **bootstrap)
        found = {
            name.replace("rmse_difference", "rmse_minus_strapdown"): value
            for name, value in difference.items()
        }
    if estimator == "int8":
        sd_cm = (own_cm - strides[column_of("float32")]).std()
        found["sd_to_float32_cm"] = None if np.isnan(sd_cm) else round(float(sd_cm), DECIMALS)
    return found
