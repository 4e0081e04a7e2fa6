"""Compute the agreement of estimates of stride length with a reference, with confidence intervals.

Strides of one person are not independent, so intervals come from resampling persons (cluster bootstrap;
Field and Welsh 2007, J. R. Stat. Soc. B 69, 369). With a single person, blocks of consecutive strides are
resampled (Künsch 1989, Ann. Stat. 17, 1217); with too few persons to estimate their differences, persons and
then their blocks (Davison and Hinkley 1997, section 3.8). The percentiles are expanded as Student's t
distribution is for the number of clusters (Hesterberg 2015, Am. Stat. 69, 371, section 5.2).

Nearly all metrics are functions of sums over strides. A resample needs only the sums of each block, weighted
by how often it was drawn: one matrix product for all resamples. Quantiles need the strides themselves,
weighted like their block.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike

from tinystride.errors import DataError
from tinystride.learning.split import subject_names
from tinystride.optional import extra
from tinystride.validation import whole_number

with extra("train"):
    from scipy import stats

WALK = ["dataset", "subject", "trial", "foot"]
REQUIRED_COLUMNS = [*WALK, "start_s", "end_s", "stride_length_cm"]
MEANS_OVER = (5, 10)
QUANTILES = {"median_abs_cm": 0.5, "p95_abs_cm": 0.95}
REFERENCE_NOISE_METRICS = ["lag1_autocorrelation", "reference_noise_sd_cm", "sd_without_reference_noise_cm"]
BLOCK_STRIDES = 10
ENOUGH_SUBJECTS = 5
# Consecutive strides share a mid-stance: their times differ only by rounding.
CONSECUTIVE_WITHIN_S = 0.05
# A smaller variance is a rounding error: the values are constant and have no correlation.
CONSTANT_BELOW_CM2 = 1e-9
DECIMALS = 4

Sums = np.ndarray  # [] or [resamples], over the strides of each resample


def agreement(
    strides: pd.DataFrame,
    estimate_cm: ArrayLike,
    *,
    seed: int,
    resamples: int = 1000,
    by: Sequence[str] = (),
) -> dict:
    """Compute metrics of error = estimate − reference, with 95 % intervals as `<metric>_ci95: [low, high]`.

    The result contains:

    - n_strides, n_subjects: strides with an estimate and their subjects; all metrics except the coverage
      refer to these
    - coverage: share of `strides` with an estimate
    - unflagged: share of estimates without a flag, if `strides` has the column `flags`
    - median_abs_cm, p95_abs_cm: median and 95th percentile of the magnitude of the error, which are robust
      to single wrong reference lengths
    - bias_cm, sd_cm, rmse_cm, mae_cm: mean, SD (n − 1), root mean square and mean magnitude of the error
    - loa_low_cm, loa_high_cm: limits of agreement, bias ± 1.96 SD (Bland and Altman 1986, Lancet 327, 307)
    - relative_bias_percent, relative_mae_percent: mean and mean magnitude of error / reference
    - pearson_r, icc_2_1: correlation, and intraclass correlation for absolute agreement of single
      measurements
    - slope, intercept_cm: least-squares line of the estimate on the reference
    - mean5_sd_cm, mean10_sd_cm: SD of the error of the mean over 5 (10) consecutive strides of one trial and
      foot, over all windows, including overlapping ones
    - lag1_autocorrelation, reference_noise_sd_cm, sd_without_reference_noise_cm: see `_reference_noise`
    - resampled: "subjects"; "subjects and their blocks of 10 strides" for fewer than 5; "blocks of 10
      strides" for one, in which case the intervals are valid for this person only

    A metric that cannot be computed is None, and so is its interval: the SD of one stride, a correlation
    with a constant, a mean of 5 without 5 consecutive strides. With a single block all intervals are None.

    Args:
        strides: all strides of the reference, in any order, with the REQUIRED_COLUMNS; `stride_length_cm` is
            above 0, or NaN if neither reference nor estimate have a length
        estimate_cm: [n], NaN if there is no estimate, which lowers the coverage
        seed: seed of the bootstrap; the same seed draws the same subjects for every estimator
        resamples: number of resamples, at least 1
        by: columns of `strides`; metrics of each of their values are added under `per_<column>`

    Returns:
        {metric: value}, see above

    Raises:
        DataError: if there are no strides, a column is missing, a reference is not above 0, an estimate is
            infinite, or shapes differ
        ParameterError: if `resamples` is below 1
    """
    blocks = _blocks(strides, estimate_cm, by)
    result = _summary(blocks, seed, resamples)
    for column in by:
        groups = blocks.keys.groupby(column).indices
        result[f"per_{column}"] = {
            name: _summary(blocks.select(rows), seed, resamples) for name, rows in groups.items()
        }
    return result


def differences(
    strides: pd.DataFrame, estimate_cm: np.ndarray, other_cm: np.ndarray, *, seed: int, resamples: int = 1000
) -> dict:
    """Compute RMSE and median |error| of one estimate minus those of another (negative: the first is better).

    Strides with both estimates are compared on the same resamples, so that the interval shows whether one
    estimate is better; two overlapping intervals could not show that.

    Args:
        strides: as for `agreement`
        estimate_cm: [n], first estimate
        other_cm: [n], second estimate
        seed: seed of the bootstrap
        resamples: number of resamples, at least 1

    Returns:
        `rmse_difference_cm` and `median_abs_difference_cm` with their intervals

    Raises:
        DataError: as `agreement`
        ParameterError: as `agreement`
    """
    missing = np.isnan(estimate_cm) | np.isnan(other_cm)
    first, second = (
        _bootstrap(_blocks(strides, np.where(missing, np.nan, values)), seed, resamples)
        for values in (estimate_cm, other_cm)
    )
    result: dict[str, float | list[float] | None] = {}
    for metric in ("rmse_cm", "median_abs_cm"):
        difference = first.point[metric] - second.point[metric]
        draws = first.draws[metric] - second.draws[metric]
        result |= _with_interval(metric.replace("_cm", "_difference_cm"), difference, draws, first.tail)
    return result


def require_columns(table: pd.DataFrame, names: list[str], source: str) -> None:
    """Raise a DataError that names the first missing column.

    Args:
        table: table to check
        names: names of the required columns
        source: name of the table, for the message

    Raises:
        DataError: if a column is missing
    """
    if missing := [name for name in names if name not in table]:
        raise DataError(f"{source}: no column {missing[0]}; run the stage that makes it again")


def _checked(strides: pd.DataFrame, estimate_cm: ArrayLike, by: Sequence[str]) -> np.ndarray:
    require_columns(strides, [*REQUIRED_COLUMNS, *by], "strides table")
    if strides.empty:
        raise DataError("strides table: no stride of known length; evaluate a set that has a reference")
    estimate_cm = np.asarray(estimate_cm, dtype=float)
    if estimate_cm.shape != (len(strides),):
        raise DataError(f"estimates: shape {estimate_cm.shape} for {len(strides)} strides; give one each")
    length_cm = strides["stride_length_cm"].to_numpy(dtype=float)
    wrong = ~(np.isfinite(length_cm) & (length_cm > 0)) & ~(np.isnan(length_cm) & np.isnan(estimate_cm))
    if wrong.any():
        raise DataError(
            f"strides table: a reference length of {length_cm[wrong][0]} cm; leave out unknown lengths"
        )
    if np.isinf(estimate_cm).any():
        raise DataError("estimates: an infinite length; NaN means that there is no estimate")
    return estimate_cm


class _Blocks(NamedTuple):
    """Sums over blocks of up to BLOCK_STRIDES consecutive strides of one walk, sorted by subject.

    Attributes:
        keys: walk of each block (WALK and the columns to group by)
        sums: {term of `_terms`: [blocks]} as a table
        origin_cm: length that is subtracted from all lengths
        magnitude_cm: [n] |error| of each stride with an estimate, ascending
        block: [n] block of each of these strides
    """

    keys: pd.DataFrame
    sums: pd.DataFrame
    origin_cm: float
    magnitude_cm: np.ndarray
    block: np.ndarray

    def select(self, rows: np.ndarray) -> "_Blocks":
        place = np.full(len(self.keys), -1)
        place[rows] = np.arange(len(rows))
        kept = place[self.block] >= 0
        return _Blocks(
            self.keys.iloc[rows],
            self.sums.iloc[rows],
            self.origin_cm,
            self.magnitude_cm[kept],
            place[self.block[kept]],
        )


def _blocks(strides: pd.DataFrame, estimate_cm: ArrayLike, by: Sequence[str] = ()) -> _Blocks:
    ordered = strides.assign(estimate_cm=_checked(strides, estimate_cm, by))
    ordered = ordered.sort_values([*WALK, "start_s"], ignore_index=True)
    keys = ordered[[*WALK, *(column for column in by if column not in WALK)]]
    walk = _numbered(keys)
    position = np.arange(len(ordered)) - np.searchsorted(walk, walk)
    begins = np.flatnonzero(position % BLOCK_STRIDES == 0)
    terms = _terms(ordered, walk)
    sums = pd.DataFrame(np.add.reduceat(terms.to_numpy(), begins, axis=0), columns=terms.columns)
    magnitude_cm = (ordered["estimate_cm"] - ordered["stride_length_cm"]).abs().to_numpy()
    ascending = np.argsort(magnitude_cm, kind="stable")[: int(np.isfinite(magnitude_cm).sum())]
    block = (np.searchsorted(begins, np.arange(len(ordered)), "right") - 1)[ascending]
    return _Blocks(
        keys.iloc[begins], sums, ordered["stride_length_cm"].mean(), magnitude_cm[ascending], block
    )


def _numbered(sorted_keys: pd.DataFrame) -> np.ndarray:
    """Return the number of each row's key, from 0."""
    return (sorted_keys != sorted_keys.shift()).any(axis=1).cumsum().to_numpy() - 1


def _summary(blocks: _Blocks, seed: int, resamples: int) -> dict:
    bootstrap = _bootstrap(blocks, seed, resamples)
    estimated = blocks.keys[blocks.sums["n"].to_numpy() > 0]
    result = {
        "n_strides": int(blocks.sums["n"].sum()),
        "n_subjects": int(subject_names(estimated).nunique()),
    }
    for name in bootstrap.point:
        result |= _with_interval(name, bootstrap.point[name], bootstrap.draws[name], bootstrap.tail)
    return result | {"resampled": bootstrap.resampled}


class _Bootstrap(NamedTuple):
    """Metrics and their bootstrap distribution.

    Attributes:
        point: {metric: value}
        draws: {metric: [resamples]}
        resampled: description of the resampled units
        tail: share of the resamples outside each end of an interval
    """

    point: dict
    draws: dict
    resampled: str
    tail: float


def _bootstrap(blocks: _Blocks, seed: int, resamples: int) -> _Bootstrap:
    whole_number(1).check("resamples", resamples)
    owner = _numbered(blocks.keys[WALK[:2]])
    subjects = owner[-1] + 1
    clusters = subjects if subjects > 1 else len(owner)
    # Resampling a single cluster gives no information about the spread.
    drawn = _drawn(owner, np.random.default_rng(seed), resamples if clusters > 1 else 0)
    sums = blocks.sums.to_numpy()
    point, draws = (
        _metrics(dict(zip(blocks.sums, (weights @ sums).T, strict=True)), blocks.origin_cm)
        | _quantiles(blocks, weights)
        for weights in (np.ones(len(sums)), drawn)
    )
    point = {name: float(value) for name, value in point.items()}
    return _Bootstrap(point, draws, resampled=_resampled(subjects), tail=_tail(clusters))


def _drawn(owner: np.ndarray, rng: np.random.Generator, resamples: int) -> np.ndarray:
    """Return how often each block of strides is drawn, [resamples, blocks].

    Args:
        owner: [blocks] number of the subject, in ascending order
        rng: random number generator
        resamples: number of resamples
    """
    blocks = np.bincount(owner)
    times = rng.multinomial(len(blocks), np.full(len(blocks), 1 / len(blocks)), size=resamples)
    if len(blocks) >= ENOUGH_SUBJECTS:
        return times[:, owner]
    each = [rng.multinomial(times[:, i] * count, np.full(count, 1 / count)) for i, count in enumerate(blocks)]
    return np.concatenate(each, axis=1)


def _resampled(subjects: int) -> str:
    if subjects >= ENOUGH_SUBJECTS:
        return "subjects"
    return ("subjects and their " if subjects > 1 else "") + f"blocks of {BLOCK_STRIDES} strides"


def _tail(clusters: int) -> float:
    """Return Hesterberg's expanded percentile: 0.025 for many clusters, 0.015 for 19, nearly 0 for 2."""
    if clusters < 2:
        return np.nan
    quantile = stats.t.ppf(0.025, clusters - 1)
    return stats.norm.cdf(np.sqrt(clusters / (clusters - 1)) * quantile)


def _terms(strides: pd.DataFrame, walk: np.ndarray) -> pd.DataFrame:
    """Return the contribution of each stride to the sums of `_metrics`; without an estimate only `known`.

    The mean reference length is subtracted from all lengths, which reduces rounding errors of the sums of
    squares.
    """
    has_estimate = strides["estimate_cm"].notna().to_numpy()
    estimated, walk = strides[has_estimate], walk[has_estimate]
    reference_cm = estimated["stride_length_cm"].to_numpy()
    error = estimated["estimate_cm"].to_numpy() - reference_cm
    x = reference_cm - strides["stride_length_cm"].mean()
    y = x + error
    terms = {
        "n": 1.0, "x": x, "y": y, "xx": x * x, "xy": x * y, "yy": y * y, "error": error, "square": error**2,
        "magnitude": abs(error),
        "relative": error / reference_cm, "relative_magnitude": abs(error) / reference_cm,
    }  # fmt: skip

    if "flags" in estimated:
        terms["unflagged"] = (estimated["flags"].fillna("") == "").to_numpy(float)
    run = _runs(estimated, walk)
    for length in MEANS_OVER:
        begins, windows = _windows(error, run, length)
        for power in (0, 1, 2):
            terms[f"mean{length}^{power}"] = _at(begins, windows.mean(axis=1) ** power, len(error))
    deviation = error - pd.Series(error).groupby(walk).transform("mean").to_numpy()
    for lag in (0, 1, 2):
        begins, windows = _windows(deviation, run, lag + 1)
        terms[f"lag{lag}_pairs"] = _at(begins, np.ones(len(begins)), len(error))
        terms[f"lag{lag}"] = _at(begins, windows[:, 0] * windows[:, -1], len(error))
    terms = pd.DataFrame(terms, index=estimated.index).reindex(strides.index, fill_value=0.0)
    return terms.assign(known=1.0)


def _runs(estimated: pd.DataFrame, walk: np.ndarray) -> np.ndarray:
    """Return the number of the run of consecutive strides to which each (sorted) stride belongs."""
    pause_s = estimated["start_s"].to_numpy()[1:] - estimated["end_s"].to_numpy()[:-1]
    goes_on = (walk[1:] == walk[:-1]) & (abs(pause_s) < CONSECUTIVE_WITHIN_S)
    return np.concatenate([[0], np.cumsum(~goes_on)])[: len(walk)]


def _windows(values: np.ndarray, run: np.ndarray, length: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the first row [k] and the values [k, length] of each window of strides within one run."""
    if len(values) < length:
        return np.zeros(0, dtype=int), np.zeros((0, length))
    begins = np.flatnonzero(run[length - 1 :] == run[: len(run) - length + 1])
    return begins, sliding_window_view(values, length)[begins]


def _at(rows: np.ndarray, values: np.ndarray, length: int) -> np.ndarray:
    column = np.zeros(length)
    column[rows] = values
    return column


def _metrics(s: dict, origin_cm: float) -> dict:
    """Return metrics from sums, elementwise over resamples; NaN if a metric cannot be computed."""
    with np.errstate(invalid="ignore", divide="ignore"):
        n = s["n"]
        bias, sd = s["error"] / n, _sd(n, s["error"], s["square"])
        variances = [_covariance(n, s[a], s[b], s[a + b]) for a, b in ("xx", "xy", "yy")]
        slope, intercept_cm = _line(n, s["x"], s["y"], variances[0], variances[1], origin_cm)
        return {
            "coverage": n / s["known"],
            **({"unflagged": s["unflagged"] / n} if "unflagged" in s else {}),
            "bias_cm": bias,
            "sd_cm": sd,
            "rmse_cm": np.sqrt(s["square"] / n),
            "mae_cm": s["magnitude"] / n,
            "loa_low_cm": bias - 1.96 * sd,
            "loa_high_cm": bias + 1.96 * sd,
            "relative_bias_percent": 100 * s["relative"] / n,
            "relative_mae_percent": 100 * s["relative_magnitude"] / n,
            "pearson_r": _pearson_r(*variances),
            "icc_2_1": _icc_2_1(n, bias, *variances),
            "slope": slope,
            "intercept_cm": intercept_cm,
            **{f"mean{length}_sd_cm": _window_sd(s, length) for length in MEANS_OVER},
            **_reference_noise(s, sd),
        }


def _quantiles(blocks: _Blocks, weights: np.ndarray) -> dict:
    """Return the QUANTILES of |error|, each stride weighted like its block, per row of `weights`.

    A quantile is the smallest |error| that this share of the strides does not exceed; for the median of an
    even number, the mean of the two in the middle.

    Args:
        blocks: with the errors
        weights: [blocks] or [resamples, blocks]
    """
    if not len(blocks.block):
        return {name: np.full(weights.shape[:-1], np.nan) for name in QUANTILES}
    cumulated = np.cumsum(weights[..., blocks.block], axis=-1, dtype=np.int32)
    total = cumulated[..., -1:]
    found = {}
    for name, share in QUANTILES.items():
        ends = [np.argmax(cumulated >= at, axis=-1) for at in (share * total, share * total + 1e-9)]
        value = sum(blocks.magnitude_cm[end] for end in ends) / 2
        found[name] = np.where(total[..., 0] > 0, value, np.nan)
    return found


def _covariance(n: Sums, a: Sums, b: Sums, ab: Sums) -> np.ndarray:
    """Return the sample covariance from sums; NaN for fewer than two strides."""
    return np.where(n > 1, (ab - a * b / n) / (n - 1), np.nan)


def _sd(n: Sums, total: Sums, squares: Sums) -> np.ndarray:
    # By rounding a variance of 0 may be slightly negative.
    return np.sqrt(np.maximum(_covariance(n, total, total, squares), 0))


def _varies(*variances: np.ndarray) -> np.ndarray:
    return np.all([variance > CONSTANT_BELOW_CM2 for variance in variances], axis=0)


def _line(
    n: Sums, x: Sums, y: Sums, xx: np.ndarray, xy: np.ndarray, origin_cm: float
) -> tuple[np.ndarray, np.ndarray]:
    slope = np.where(_varies(xx), xy / xx, np.nan)
    return slope, y / n + origin_cm - slope * (x / n + origin_cm)


def _pearson_r(xx: np.ndarray, xy: np.ndarray, yy: np.ndarray) -> np.ndarray:
    return np.where(_varies(xx, yy), xy / np.sqrt(xx * yy), np.nan)


def _icc_2_1(n: Sums, bias: Sums, xx: np.ndarray, xy: np.ndarray, yy: np.ndarray) -> np.ndarray:
    """Return the intraclass correlation ICC(2,1): two-way random effects, absolute agreement.

    Shrout and Fleiss 1979, Psychol. Bull. 86, 420, for two raters, with the mean squares rows: var(x + y) /
    2, columns: n bias² / 2, error: var(y − x) / 2.
    """
    rows, columns, error = (xx + yy + 2 * xy) / 2, n * bias**2 / 2, (xx + yy - 2 * xy) / 2
    return np.where(_varies(xx + yy), (rows - error) / (rows + error + 2 * (columns - error) / n), np.nan)


def _window_sd(s: Mapping[str, Sums], length: int) -> np.ndarray:
    return _sd(*(s[f"mean{length}^{power}"] for power in (0, 1, 2)))


def _reference_noise(s: Mapping[str, Sums], sd: np.ndarray) -> dict[str, np.ndarray]:
    """Return the noise of the reference, estimated from the errors of consecutive strides.

    A reference measures footprints p[k] with independent errors f[k] of SD σ and gives lengths p[k+1] −
    p[k], so an error of the estimate is e[k] = m[k] − (f[k+1] − f[k]) with m the estimator's own part.
    Neighbours share a footprint with opposite signs: the reference adds 2 σ² to the variance of e, −σ² to
    its autocovariance at lag 1 and nothing at lag 2. Slow parts of m (a person's bias, a drift) add the same
    at both lags, and so does the subtraction of a trial's mean. Hence σ² is the autocovariance at lag 2
    minus that at lag 1.

    - lag1_autocorrelation: of the errors about the mean of their trial and foot
    - reference_noise_sd_cm: √2 σ, noise of one length, 0 if σ² is negative. Errors of the estimator's own
      cuts between strides look the same, so this is an upper bound. It has no meaning for an estimator that
      does not follow single strides, such as the mean.
    - sd_without_reference_noise_cm: √(sd² − 2 σ²)
    """
    lag0, lag1, lag2 = (s[f"lag{lag}"] / s[f"lag{lag}_pairs"] for lag in (0, 1, 2))
    noise_variance = 2 * np.maximum(lag2 - lag1, 0)
    return {
        "lag1_autocorrelation": np.where(_varies(lag0), lag1 / lag0, np.nan),
        "reference_noise_sd_cm": np.sqrt(noise_variance),
        "sd_without_reference_noise_cm": np.sqrt(np.maximum(sd**2 - noise_variance, 0)),
    }


def _with_interval(name: str, value: float, draws: np.ndarray, tail: float) -> dict:
    """Return a metric and its interval; resamples without the metric are ignored."""
    interval = None
    if np.isfinite(value) and np.isfinite(draws).any():
        interval = [_plain(bound) for bound in np.nanquantile(draws, [tail, 1 - tail])]
    return {name: _plain(value), f"{name}_ci95": interval}


def _plain(value: float) -> float | None:
    # + 0.0 turns −0.0 into 0.0.
    return round(float(value), DECIMALS) + 0.0 if np.isfinite(value) else None
