"""Compute the metrics of every data set."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from tinystride.evaluation.agreement import DECIMALS, REFERENCE_NOISE_METRICS, agreement, differences
from tinystride.evaluation.out_of_fold import (
    BASELINES,
    NETWORKS,
    column_of,
    estimators_in,
    flags_column_of,
    out_of_fold_estimates,
    sd_column_of,
)
from tinystride.validation import one_of

# Slow, usual, fast and very fast walking, the transition to running, and running.
SPEED_LIMITS_MPS = [0.8, 1.2, 1.6, 2.0, 2.2]
SPEED_BANDS = ["below 0.8", "0.8 to 1.2", "1.2 to 1.6", "1.6 to 2.0", "2.0 to 2.2", "2.2 and more"]  # m/s
GROUP_METRICS = (
    "n_strides", "coverage", "unflagged", "bias_cm", "sd_cm", "rmse_cm", "median_abs_cm", "p95_abs_cm",
)  # fmt: skip
# Kinds of strides, by reference length and the integral's flag `turn`. Each stride has one kind.
SHORT_CM = 40.0
RUNNING_MPS = SPEED_LIMITS_MPS[-1]
# Walking: at least SHORT_CM long and slower than RUNNING_MPS. Running: RUNNING_MPS and faster. Else neither.
WALKING, RUNNING = "walking", "running"
KINDS = ["straight, 40 cm and more", "turn, 40 cm and more", "below 40 cm"]
INTERVAL_SD = 1.96
# Known noise of one reference length, from the autocorrelation of the errors on a treadmill.
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
    """Compute the metrics of every data set from out-of-fold estimates.

    The metrics are {"source": source, set: {estimator: {"kind": …, "reference": …, metric: number,
    "<metric>_ci95": [low, high], "per_subject": {subject: {metric: …}}, "per_condition": {…}, "per_speed":
    {…}, "per_kind": {…}, "per_gait": {…}}}}:

    - kind: "accuracy", or "agreement" if the reference is an integral of the same sensor. In that case the
      integral as an estimator and the noise of the reference would be circular and are left out.
    - metrics: those of `agreement` and `_certainty`; GROUP_METRICS for each of SPEED_BANDS and KINDS, and for
      WALKING and RUNNING with `max_unflagged_abs_cm`, the maximum error without a flag; for int8 also
      `sd_to_float32_cm` (SD of its difference to float32) and `detected` (share of the reference strides
      that were detected, usable or not); for accuracy also `rmse_minus_strapdown_cm` and
      `median_abs_minus_strapdown_cm`, see `differences`
    - coverage: share of the evaluated subjects' reference strides with an estimate. Undetected and unusable
      strides are not covered. Strides without a length are ignored, except those that the integral as
      reference has not detected; detected strides without a reference are ignored.

    Args:
        strides: strides.parquet
        split: see `split_by_subject`. The final model evaluates its test subjects; the other subjects are
            evaluated by the model of the fold that tests them; subjects that no model tests are left out.
        final_predictions: predictions of the final model: `stride_id, float32_cm, int8_cm` of at least all
            usable strides of known length of its test subjects. Each further column `<name>_cm` is one more
            estimator, with its own flags in `<name>_flags` and its own standard deviations, cm, in
            `<name>_sd`, if there are such columns. NaN means no estimate.
        fold_predictions: {fold: predictions} in the same form
        source: "recorded" or "simulated", the origin of the strides
        seed: seed of the intervals
        resamples: number of resamples of the intervals

    Returns:
        the metrics, and the evaluated strides, see `out_of_fold_estimates`

    Raises:
        DataError: if the strides table is empty, lacks a column, has an unknown reference or several in one
            data set; if a subject is in two parts of the split or in none; or if predictions are missing,
            duplicate, infinite, all NaN or of unknown strides
        ParameterError: if the source is unknown or there are too few resamples
    """
    one_of(SOURCES).check("source", source)
    evaluated = out_of_fold_estimates(strides, split, final_predictions, fold_predictions)
    metrics: dict = {"source": source}
    for name, strides_of_set in evaluated.groupby("dataset"):
        metrics[name] = _set_metrics(strides_of_set, {"seed": seed, "resamples": resamples})
    return metrics, evaluated


def _set_metrics(strides: pd.DataFrame, bootstrap: dict) -> dict:
    """Return {estimator: metrics} of one data set."""
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
            values = agreement(rows, estimate_cm, by=["subject", "condition"], **bootstrap)
            values |= _per_speed(rows, estimate_cm, bootstrap)
            values |= _per_kind(rows, _kind(strides), estimate_cm, bootstrap)
            values |= _per_gait(rows, estimate_cm, bootstrap)
            values = _comparisons(strides, estimator, kind, bootstrap) | values
            metrics[estimator] = {"kind": kind, "reference": reference, **_of_kind(kind, values)}
    return metrics


def _per_speed(strides: pd.DataFrame, estimate_cm: pd.Series, bootstrap: dict) -> dict:
    """Return GROUP_METRICS of each of the SPEED_BANDS with strides, by the reference's speed."""
    band = pd.cut(strides["speed_mps"], [-np.inf, *SPEED_LIMITS_MPS, np.inf], right=False, labels=SPEED_BANDS)
    return {"per_speed": _grouped(strides, band, SPEED_BANDS, estimate_cm, bootstrap)}


def _per_kind(strides: pd.DataFrame, kind: pd.Series, estimate_cm: pd.Series, bootstrap: dict) -> dict:
    """Return GROUP_METRICS of each of the KINDS with strides."""
    return {"per_kind": _grouped(strides, kind, KINDS, estimate_cm, bootstrap)}


def _per_gait(strides: pd.DataFrame, estimate_cm: pd.Series, bootstrap: dict) -> dict:
    """Return GROUP_METRICS and max_unflagged_abs_cm of WALKING and RUNNING, if there are such strides."""
    running = strides["speed_mps"] >= RUNNING_MPS
    walking = (strides["speed_mps"] < RUNNING_MPS) & (strides["stride_length_cm"] >= SHORT_CM)
    gait = pd.Series(np.select([running, walking], [RUNNING, WALKING], ""), index=strides.index)
    found = _grouped(strides, gait, [WALKING, RUNNING], estimate_cm, bootstrap)
    error_cm = (estimate_cm - strides["stride_length_cm"]).abs()[strides["flags"].fillna("") == ""]
    for name, values in found.items():
        own_cm = error_cm[gait == name].dropna()
        values["max_unflagged_abs_cm"] = round(float(own_cm.max()), DECIMALS) if len(own_cm) else None
    return {"per_gait": found}


def _kind(strides: pd.DataFrame) -> pd.Series:
    """Return the kind of each stride, one of KINDS; an undetected stride has no flag."""
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
            values = agreement(own, estimate_cm[own.index], **bootstrap)
            found[name] = {
                metric: value
                for metric, value in values.items()
                if metric.removesuffix("_ci95") in GROUP_METRICS
            }
    return found


def _of_kind(kind: str, values: dict) -> dict:
    """Return the metrics, without the reference's noise if the reference is an integral."""
    if kind == ACCURACY:
        return values
    return {
        name: _of_kind(kind, value) if isinstance(value, dict) else value
        for name, value in values.items()
        if name.removesuffix("_ci95") not in REFERENCE_NOISE_METRICS
    }


def _comparisons(strides: pd.DataFrame, estimator: str, kind: str, bootstrap: dict) -> dict:
    estimate_cm, found = strides[column_of(estimator)], {}
    if estimator == "int8":
        sd_cm = (estimate_cm - strides[column_of("float32")]).std()
        found["sd_to_float32_cm"] = None if np.isnan(sd_cm) else round(float(sd_cm), DECIMALS)
        found["detected"] = round(float(strides["strapdown_length_cm"].notna().mean()), DECIMALS)
    sd_column = sd_column_of(estimator, strides)
    if kind == ACCURACY and sd_column:
        found |= _certainty(strides, estimate_cm, strides[sd_column])
    if kind == ACCURACY and estimator != "strapdown":
        paired = differences(strides, estimate_cm, strides[column_of("strapdown")], **bootstrap)
        found |= {name.replace("difference", "minus_strapdown"): value for name, value in paired.items()}
    return found


def _certainty(strides: pd.DataFrame, estimate_cm: pd.Series, sd_cm: pd.Series) -> dict:
    """Return how well each stride's own SD predicts its error.

    - interval_coverage: share of the errors within INTERVAL_SD standard deviations, including the known
      noise of the reference
    - surest80_rmse_cm: RMSE of the 80 % of the strides with the smallest SD
    """
    complete = estimate_cm.notna() & sd_cm.notna()
    if not complete.any():
        return {}
    error_cm = (estimate_cm - strides["stride_length_cm"])[complete].abs()
    sd_cm = sd_cm[complete]
    reference_sd_cm = REFERENCE_SD_CM.get(strides["reference"].iloc[0], 0.0)
    sure = sd_cm <= sd_cm.quantile(0.8)
    values = {
        "interval_coverage": (error_cm <= INTERVAL_SD * np.hypot(sd_cm, reference_sd_cm)).mean(),
        "surest80_rmse_cm": np.sqrt((error_cm[sure] ** 2).mean()),
    }
    return {name: round(float(value), DECIMALS) for name, value in values.items()}
