"""Metrics of every data set."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from tinystride.evaluation.agreement import DECIMALS, REFERENCE_NOISE_FIGURES, agreement, differences
from tinystride.evaluation.judging import (
    BASELINES,
    NETWORKS,
    column_of,
    estimators_in,
    flags_column_of,
    judge_strides,
)
from tinystride.validation import one_of

# Slow, usual, fast and very fast walking, the change to running, and running.
SPEED_LIMITS_MPS = [0.8, 1.2, 1.6, 2.0, 2.2]
SPEED_BANDS = ["below 0.8", "0.8 to 1.2", "1.2 to 1.6", "1.6 to 2.0", "2.0 to 2.2", "2.2 and more"]  # m/s
SPEED_FIGURES = (
    "n_strides", "coverage", "unflagged", "bias_cm", "sd_cm", "rmse_cm", "median_abs_cm", "p95_abs_cm",
)  # fmt: skip
# What a stride is, by reference length and the flag `turn` of the integral: each stride is of one kind.
SHORT_CM = 40.0
KINDS = ["straight, 40 cm and more", "turn, 40 cm and more", "below 40 cm"]
INTERVAL_SD = 1.96
# Noise of one reference length where it is known, from the autocorrelation of the errors on a treadmill.
REFERENCE_SD_CM = {"optogait": 2.8}
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

    strides: strides.parquet
    split: as made by `split_by_subject`. Whom the final model is tested on is judged by the final model,
        others by the model of the fold that tests them; who is nobody's test is not judged.
    final_predictions, fold_predictions: table of the final model, {fold: table}: `stride_id, float32_cm,
        int8_cm` of at least all usable strides of known length of the subjects that the model judges. Any
        other column `<name>_cm` is one more estimator. NaN: no estimate of this stride.
    source: "recorded" or "simulated": what the strides were made from
    seed, resamples: of the intervals

    Returns (metrics, judged):
      metrics: {"source": source, set: {estimator: {"kind": …, "reference": …, figure: number,
        "<figure>_ci95": [low, high], "per_subject": {subject: {figure: …}}, "per_condition": {…},
        "per_speed": {…}, "per_kind": {…}}}}
        kind: "accuracy", or "agreement" where the reference is itself an integral of the same sensor. Then
          the integral as an estimator and the reference's noise would be circular and are left out.
        figures: those of `agreement`, of `_certainty`, SPEED_FIGURES of SPEED_BANDS and KINDS; also of
          int8 `sd_to_float32_cm`, the SD of its difference from float32, `detected`, the share of the
          reference strides that were detected, usable or not, and, where the kind is accuracy,
          `rmse_minus_strapdown_cm` and `median_abs_minus_strapdown_cm` (see `differences`)
        coverage: share of the judged subjects' reference strides with an estimate. Those not detected or
          found unusable count as not covered; those without a length, other than of an integral that has not
          found them, and detected ones without a reference do not count.
      judged: see `judge_strides`

    Raises DataError if the strides table is empty, lacks a column, has an unknown reference or several in one
    data set, if a subject is on two sides of the split or in none, or if predictions are missing, doubled,
    infinite, all NaN or of unknown strides; ParameterError for an unknown source or too few resamples.
    """
    one_of(SOURCES).check("source", source)
    judged = judge_strides(strides, split, final_predictions, fold_predictions)
    metrics: dict = {"source": source}
    for name, strides_of_set in judged.groupby("dataset"):
        metrics[name] = _set_metrics(strides_of_set, {"seed": seed, "resamples": resamples})
    return metrics, judged


def _set_metrics(strides: pd.DataFrame, bootstrap: dict) -> dict:
    """{estimator: figures} of one data set."""
    reference = strides["reference"].iloc[0]
    kind = AGREEMENT if reference == "strapdown" else ACCURACY
    strides = strides.assign(condition=strides["condition"].replace("", "unspecified"))
    metrics = {}
    for estimator in estimators_in(strides):
        estimate_cm = strides[column_of(estimator)]
        circular = kind == AGREEMENT and estimator == "strapdown"
        absent = estimator not in NETWORKS + BASELINES and estimate_cm.isna().all()
        if not (circular or absent):
            rows = strides.assign(flags=strides[flags_column_of(estimator, strides)])
            figures = agreement(rows, estimate_cm, by=["subject", "condition"], **bootstrap)
            figures |= _per_speed(rows, estimate_cm, bootstrap)
            figures |= _per_kind(rows, _kind(strides), estimate_cm, bootstrap)
            figures = _comparisons(strides, estimator, kind, bootstrap) | figures
            metrics[estimator] = {"kind": kind, "reference": reference, **_of_kind(kind, figures)}
    return metrics


def _per_speed(strides: pd.DataFrame, estimate_cm: pd.Series, bootstrap: dict) -> dict:
    """SPEED_FIGURES in each of the SPEED_BANDS that has strides, by the reference's speed."""
    band = pd.cut(strides["speed_mps"], [-np.inf, *SPEED_LIMITS_MPS, np.inf], right=False, labels=SPEED_BANDS)
    return {"per_speed": _grouped(strides, band, SPEED_BANDS, estimate_cm, bootstrap)}


def _per_kind(strides: pd.DataFrame, kind: pd.Series, estimate_cm: pd.Series, bootstrap: dict) -> dict:
    """SPEED_FIGURES of each of the KINDS that has strides."""
    return {"per_kind": _grouped(strides, kind, KINDS, estimate_cm, bootstrap)}


def _kind(strides: pd.DataFrame) -> pd.Series:
    """Which of KINDS each stride is; an undetected one has no flag."""
    turns = strides["flags"].fillna("").str.split().apply(lambda flags: "turn" in flags)
    kind = np.select([strides["stride_length_cm"] < SHORT_CM, turns], [KINDS[2], KINDS[1]], KINDS[0])
    return pd.Series(kind, index=strides.index)


def _grouped(
    strides: pd.DataFrame, group: pd.Series, names: list[str], estimate_cm: pd.Series, bootstrap: dict
) -> dict:
    found = {}
    for name in names:
        own = strides[group == name]
        if len(own):
            figures = agreement(own, estimate_cm[own.index], **bootstrap)
            found[name] = {
                figure: value
                for figure, value in figures.items()
                if figure.removesuffix("_ci95") in SPEED_FIGURES
            }
    return found


def _of_kind(kind: str, figures: dict) -> dict:
    """Without the noise of a reference that is an integral."""
    if kind == ACCURACY:
        return figures
    return {
        name: _of_kind(kind, value) if isinstance(value, dict) else value
        for name, value in figures.items()
        if name.removesuffix("_ci95") not in REFERENCE_NOISE_FIGURES
    }


def _comparisons(strides: pd.DataFrame, estimator: str, kind: str, bootstrap: dict) -> dict:
    estimate_cm, found = strides[column_of(estimator)], {}
    if estimator == "int8":
        sd_cm = (estimate_cm - strides[column_of("float32")]).std()
        found["sd_to_float32_cm"] = None if np.isnan(sd_cm) else round(float(sd_cm), DECIMALS)
        found["detected"] = round(float(strides["strapdown_length_cm"].notna().mean()), DECIMALS)
    if kind == ACCURACY and estimator in ("int8", "strapdown"):
        found |= _certainty(strides, estimate_cm)
    if kind == ACCURACY and estimator != "strapdown":
        paired = differences(strides, estimate_cm, strides[column_of("strapdown")], **bootstrap)
        found |= {name.replace("difference", "minus_strapdown"): value for name, value in paired.items()}
    return found


def _certainty(strides: pd.DataFrame, estimate_cm: pd.Series) -> dict:
    """How well each stride's own SD tells its error.

    interval_coverage: share of the errors within INTERVAL_SD standard deviations, with the known noise of the
        reference added to their variance
    surest80_rmse_cm: RMSE of the 80 % of the strides with the smallest SD
    """
    known = estimate_cm.notna() & strides["length_sd_cm"].notna()
    if not known.any():
        return {}
    error_cm = (estimate_cm - strides["stride_length_cm"])[known].abs()
    sd_cm = strides["length_sd_cm"][known]
    reference_sd_cm = REFERENCE_SD_CM.get(strides["reference"].iloc[0], 0.0)
    sure = sd_cm <= sd_cm.quantile(0.8)
    figures = {
        "interval_coverage": (error_cm <= INTERVAL_SD * np.hypot(sd_cm, reference_sd_cm)).mean(),
        "surest80_rmse_cm": np.sqrt((error_cm[sure] ** 2).mean()),
    }
    return {name: round(float(value), DECIMALS) for name, value in figures.items()}
