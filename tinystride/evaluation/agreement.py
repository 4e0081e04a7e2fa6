"""How well estimates of stride length agree with a reference, and how sure that is.

Strides of one person are not independent, so intervals come from resampling persons (cluster bootstrap; Field
and Welsh 2007, J. R. Stat. Soc. B 69, 369). Where there is one person, blocks of consecutive strides are
resampled (Künsch 1989, Ann. Stat. 17, 1217); where there are too few to tell how much people differ, persons
and then their blocks (Davison and Hinkley 1997, section 3.8). The percentiles are moved outward as Student's
t distribution is for as many clusters (Hesterberg 2015, Am. Stat. 69, 371, section 5.2).

Nearly every figure is a function of sums over strides, so a resample only needs the sums of each block,
weighted by how often it was drawn: one matrix product for all resamples. Quantiles need the strides
themselves, each weighted as its block.
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
REFERENCE_NOISE_FIGURES = ["lag1_autocorrelation", "reference_noise_sd_cm", "sd_without_reference_noise_cm"]
BLOCK_STRIDES = 10
ENOUGH_SUBJECTS = 5
# Consecutive strides share a mid-stance: all that may lie between them is the rounding of times.
CONSECUTIVE_WITHIN_S = 0.05
# Less variance than this is rounding: the values are constant and correlate with nothing.
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
    """Figures of error = estimate − reference, each with its 95 % interval as `<figure>_ci95: [low, high]`.

    strides: all strides of the reference, in any order, with the REQUIRED_COLUMNS; `stride_length_cm` is
        above 0, or NaN where neither reference nor estimate know it
    estimate_cm: [n], NaN where there is no estimate, which lowers the coverage
    seed, resamples: of the bootstrap; the same seed draws the same subjects for every estimator
    by: columns of `strides` for each of whose values the figures are also given, under `per_<column>`

    Returns
      n_strides, n_subjects: with an estimate; all figures but the coverage are over these
      coverage: share of `strides` with an estimate
      unflagged: share of these without a flag, where `strides` has the column `flags`
      median_abs_cm, p95_abs_cm: median and 95th percentile of the magnitude of the error, which single wrong
        reference lengths do not move as they move the RMSE
      bias_cm, sd_cm, rmse_cm, mae_cm: mean, SD (n − 1), root mean square and mean magnitude of the error
      loa_low_cm, loa_high_cm: limits of agreement, bias ± 1.96 SD (Bland and Altman 1986, Lancet 327, 307)
      relative_bias_percent, relative_mae_percent: mean and mean magnitude of error / reference
      pearson_r, icc_2_1: the latter for absolute agreement of single measurements, see `_icc_2_1`
      slope, intercept_cm: least-squares line of the estimate on the reference
      mean5_sd_cm, mean10_sd_cm: SD of the error of the mean over 5 (10) consecutive strides of one trial and
        foot; every such window counts, overlapping ones too
      lag1_autocorrelation, reference_noise_sd_cm, sd_without_reference_noise_cm: see `_reference_noise`
      resampled: "subjects"; "subjects and their blocks of 10 strides" if they are fewer than 5; "blocks of
        10 strides" if there is one, of whom alone the intervals speak
    A figure that cannot be computed is None (an SD of one stride, a correlation with a constant, a mean of 5
    where no 5 strides are consecutive), and so is its interval. With a single block all intervals are None.

    Raises DataError (no strides, missing column, reference not above 0, infinite estimate, shapes that
    differ) and ParameterError (resamples below 1).
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
    """RMSE and median |error| of an estimate less those of another one (negative: the first is better).

    Strides with both estimates count, on the same resamples, so that the interval shows whether one is
    better, which two overlapping intervals cannot. Arguments and errors as in `agreement`. Returns
    `rmse_difference_cm` and `median_abs_difference_cm` with their intervals.
    """
    missing = np.isnan(estimate_cm) | np.isnan(other_cm)
    first, second = (
        _bootstrap(_blocks(strides, np.where(missing, np.nan, values)), seed, resamples)
        for values in (estimate_cm, other_cm)
    )
    result: dict[str, float | list[float] | None] = {}
    for figure in ("rmse_cm", "median_abs_cm"):
        difference = first.point[figure] - second.point[figure]
        draws = first.draws[figure] - second.draws[figure]
        result |= _with_interval(figure.replace("_cm", "_difference_cm"), difference, draws, first.tail)
    return result


def require_columns(table: pd.DataFrame, names: list[str], source: str) -> None:
    """Raise a DataError that names the first column that is missing."""
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
            f"strides table: a reference length of {length_cm[wrong][0]} cm; leave out what is not known"
        )
    if np.isinf(estimate_cm).any():
        raise DataError("estimates: an infinite length; NaN means that there is no estimate")
    return estimate_cm


class _Blocks(NamedTuple):
    """Sums over blocks of up to BLOCK_STRIDES consecutive strides of one walk, sorted by subject.

    keys: to which walk each block belongs (WALK and the columns to group by)
    sums: {term of `_terms`: [blocks]} as a table
    origin_cm: the length that lengths are counted from
    magnitude_cm, block: [n] |error| of each stride with an estimate, ascending, and which block it is of
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
    """[n] number of each row's key, from 0."""
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
    """Figures {name: float}, those of each resample {name: [resamples]}, what was resampled, and the share of
    resamples that lies beyond each end of an interval."""

    point: dict
    draws: dict
    resampled: str
    tail: float


def _bootstrap(blocks: _Blocks, seed: int, resamples: int) -> _Bootstrap:
    whole_number(1).check("resamples", resamples)
    owner = _numbered(blocks.keys[WALK[:2]])
    subjects = owner[-1] + 1
    clusters = subjects if subjects > 1 else len(owner)
    # A single cluster drawn from itself says nothing about the spread.
    drawn = _drawn(owner, np.random.default_rng(seed), resamples if clusters > 1 else 0)
    sums = blocks.sums.to_numpy()
    point, draws = (
        _figures(dict(zip(blocks.sums, (weights @ sums).T, strict=True)), blocks.origin_cm)
        | _quantiles(blocks, weights)
        for weights in (np.ones(len(sums)), drawn)
    )
    point = {name: float(value) for name, value in point.items()}
    return _Bootstrap(point, draws, resampled=_resampled(subjects), tail=_tail(clusters))


def _drawn(owner: np.ndarray, rng: np.random.Generator, resamples: int) -> np.ndarray:
    """How often each block of strides is drawn, [resamples, blocks].

    owner: [blocks] number of the subject, in ascending order
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
    """Hesterberg's expanded percentile: 0.025 for many clusters, 0.015 for 19, nearly nought for 2."""
    if clusters < 2:
        return np.nan
    quantile = stats.t.ppf(0.025, clusters - 1)
    return stats.norm.cdf(np.sqrt(clusters / (clusters - 1)) * quantile)


def _terms(strides: pd.DataFrame, walk: np.ndarray) -> pd.DataFrame:
    """What each stride adds to the sums that `_figures` needs; without an estimate that is `known` alone.

    Lengths are taken from the mean reference length, which keeps sums of squares small against rounding.
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
    """[n] number of the run of consecutive strides that each (sorted) stride belongs to."""
    pause_s = estimated["start_s"].to_numpy()[1:] - estimated["end_s"].to_numpy()[:-1]
    goes_on = (walk[1:] == walk[:-1]) & (abs(pause_s) < CONSECUTIVE_WITHIN_S)
    return np.concatenate([[0], np.cumsum(~goes_on)])[: len(walk)]


def _windows(values: np.ndarray, run: np.ndarray, length: int) -> tuple[np.ndarray, np.ndarray]:
    """First row [k] and values [k, length] of each window of strides that are all of one run."""
    if len(values) < length:
        return np.zeros(0, dtype=int), np.zeros((0, length))
    begins = np.flatnonzero(run[length - 1 :] == run[: len(run) - length + 1])
    return begins, sliding_window_view(values, length)[begins]


def _at(rows: np.ndarray, values: np.ndarray, length: int) -> np.ndarray:
    column = np.zeros(length)
    column[rows] = values
    return column


def _figures(s: dict, origin_cm: float) -> dict:
    """Figures from sums, elementwise over resamples; NaN where a figure cannot be computed."""
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
    """QUANTILES of |error| with each stride counted as often as its block; elementwise over `weights`' rows.

    weights: [blocks] or [resamples, blocks]. A quantile is the smallest |error| that this share of the
    strides does not exceed; for the median of an even number, the mean of the two in the middle.
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
    """Sample covariance from sums; NaN for fewer than two."""
    return np.where(n > 1, (ab - a * b / n) / (n - 1), np.nan)


def _sd(n: Sums, total: Sums, squares: Sums) -> np.ndarray:
    # Rounding can leave a variance of nought slightly negative.
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
    """Intraclass correlation of a two-way random-effects model, absolute agreement, single measurement.

    Shrout and Fleiss 1979, Psychol. Bull. 86, 420, ICC(2,1) for two raters, of which the mean squares are
    rows: var(x + y) / 2, columns: n bias² / 2, error: var(y − x) / 2.
    """
    rows, columns, error = (xx + yy + 2 * xy) / 2, n * bias**2 / 2, (xx + yy - 2 * xy) / 2
    return np.where(_varies(xx + yy), (rows - error) / (rows + error + 2 * (columns - error) / n), np.nan)


def _window_sd(s: Mapping[str, Sums], length: int) -> np.ndarray:
    return _sd(*(s[f"mean{length}^{power}"] for power in (0, 1, 2)))


def _reference_noise(s: Mapping[str, Sums], sd: np.ndarray) -> dict[str, np.ndarray]:
    """What the errors of consecutive strides tell about the noise of the reference itself.

    A reference measures footprints p[k] with independent errors f[k] of SD σ and gives lengths p[k+1] − p[k],
    so an error of the estimate is e[k] = m[k] − (f[k+1] − f[k]) with m the estimator's own part. Neighbours
    share a footprint with opposite signs: the reference adds 2 σ² to the variance of e, −σ² to its
    autocovariance at lag 1 and nothing at lag 2. What lasts in m (a person's bias, a drift) adds the same at
    both lags, and so does taking deviations from a trial's mean. Hence σ² is the autocovariance at lag 2 less
    that at lag 1.

    lag1_autocorrelation is that of the errors about the mean of their trial and foot.
    reference_noise_sd_cm = √2 σ is the noise of one length, 0 where σ² comes out negative. Noise of an
    estimator's own cuts between strides looks the same, so that this is an upper bound; and it means nothing
    for an estimator that does not follow single strides, such as the mean.
    sd_without_reference_noise_cm = √(sd² − 2 σ²).
    """
    lag0, lag1, lag2 = (s[f"lag{lag}"] / s[f"lag{lag}_pairs"] for lag in (0, 1, 2))
    noise_variance = 2 * np.maximum(lag2 - lag1, 0)
    return {
        "lag1_autocorrelation": np.where(_varies(lag0), lag1 / lag0, np.nan),
        "reference_noise_sd_cm": np.sqrt(noise_variance),
        "sd_without_reference_noise_cm": np.sqrt(np.maximum(sd**2 - noise_variance, 0)),
    }


def _with_interval(name: str, value: float, draws: np.ndarray, tail: float) -> dict:
    """A figure and its interval, for which resamples without the figure do not count."""
    interval = None
    if np.isfinite(value) and np.isfinite(draws).any():
        interval = [_plain(bound) for bound in np.nanquantile(draws, [tail, 1 - tail])]
    return {name: _plain(value), f"{name}_ci95": interval}


def _plain(value: float) -> float | None:
    # + 0.0 turns −0.0 into 0.0.
    return round(float(value), DECIMALS) + 0.0 if np.isfinite(value) else None
