"""Samples onto an even grid, by the stamps of an ordinary clock.

A sensor samples evenly, but its time stamps jitter, are rounded, are shared by all samples of a radio packet,
or jump. A Viterbi search finds the number of samples lost before each one: it minimises the squares of the
residuals (stamp minus place times interval), a loss costs LOSS_COST, and the offset of the clock follows
slowly. If the steps are independent of one another, the sampling itself was uneven: then samples are
interpolated at even times.
"""

from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import numpy as np

from tinystride.datasets.recording import read_error
from tinystride.reading.times import typical_step

RATE_TOLERANCE = 0.005  # relative, of a rate that the caller names
MAX_RATE_ERROR = 0.05
NICE_RATE_TOLERANCE = 2e-4
NICE_RATES_HZ = (51.2, 102.4, 204.8, 409.6, 819.2)
DIRECT_JITTER = 0.25  # intervals; steps with less jitter are rounded one by one
MAX_JITTER = 0.65  # intervals, SD; with more, places are uncertain
LOSS_COST = 7.0
BEAM = 8
BEAM_COST = 40.0
MUCH_JITTER = 0.15  # intervals, SD; with more, losses look like a slower clock
USUAL_RATES_HZ = (
    40, 50, 51.2, 52, 60, 64, 75, 80, 100, 102.4, 104, 119, 120, 125, 128, 148.148, 150, 160, 200, 204.8, 208,
    240, 250, 256, 300, 400,
)  # fmt: skip
UNUSUAL_COST = 12.0
CLEAR_COST = 40.0
MAX_TRIED = 1200  # samples that intervals are tried on
TRACKING_GAIN = 0.02  # share of a residual that is added to the offset
MIN_JUMP_S = 0.05
AROUND_JUMP = 3  # samples on each side of a jump that count as lost
LONG_PAUSE_S = 10.0
UNEVEN_CORRELATION = -0.25  # neighbouring steps correlate by -0.5 if stamps jitter, by 0 if intervals vary


@dataclass
class Placement:
    """Places of rows on the even grid.

    Attributes:
        rows: numbers of the rows that are kept, [k]
        place: their places, [k], from 0, increasing
        rate_hz: sampling rate of the grid
        start_s: time of place 0 on the clock; NaN without a clock
        jumps: places before which the clock jumped
        times_s: true times of uneven samples, [k]; None if samples are even
        notes: facts for the user
    """

    rows: np.ndarray
    place: np.ndarray
    rate_hz: float
    start_s: float = float("nan")
    jumps: list[int] = field(default_factory=list)
    times_s: np.ndarray | None = None
    notes: list[str] = field(default_factory=list)


def place_without_time(count: int, rate_hz: float) -> Placement:
    """Place rows one after the other.

    Args:
        count: number of rows
        rate_hz: sampling rate

    Returns:
        Their places.
    """
    rows = np.arange(count)
    return Placement(rows, rows, rate_hz)


def place_by_counter(source: Path | str, counter: np.ndarray, rate_hz: float) -> Placement:
    """Place rows by a counter of samples.

    Args:
        source: where the rows come from, for messages
        counter: [n], unwrapped, NaN if missing
        rate_hz: sampling rate

    Returns:
        Their places.

    Raises:
        DataError: if the counter does not increase
    """
    rows = np.flatnonzero(np.isfinite(counter))
    step = typical_step(counter[rows])
    if not step > 0:
        raise read_error(source, "its counter does not increase", "choose the time with --time-column")
    steps = np.rint(np.diff(counter[rows]) / step)
    jumps = steps < 0
    kept = np.concatenate([[True], steps != 0])
    steps[jumps] = 1
    place = np.concatenate([[0], np.cumsum(np.maximum(steps, 0))]).astype(np.int64)
    rows, place = rows[kept], place[kept]
    placement = Placement(rows, place, rate_hz, jumps=[int(p) for p in place[1:][jumps[kept[1:]]]])
    _cap_pauses(placement)
    return placement


def place_by_time(
    source: Path | str, time_s: np.ndarray, rate_hz: float | None = None, counter: np.ndarray | None = None
) -> Placement:
    """Place rows by their time stamps.

    Args:
        source: where the rows come from, for messages
        time_s: [n], NaN if missing
        rate_hz: rate that the caller names, or None
        counter: numbers of the samples, [n], if the file has them

    Returns:
        Their places.

    Raises:
        DataError: if the stamps do not show the places, or contradict the rate
    """
    rows = np.flatnonzero(np.isfinite(time_s))
    if len(rows) < 20:
        raise read_error(source, f"contains {len(rows)} samples, less than a second", "record a whole walk")
    stamps = _without_strays(time_s[rows])
    is_given = False
    interval = typical_step(stamps)
    if not interval > 0:
        raise read_error(source, "time does not increase", "choose another column with --time-column")
    if rate_hz is not None:
        if abs(interval * rate_hz - 1) > 0.2:
            raise read_error(
                source,
                f"its time stamps say {1 / interval:.4g} Hz, not {rate_hz:g} Hz",
                "leave --rate-hz out if the stamps are right, or give their unit with --time-unit",
            )
        if abs(interval * rate_hz - 1) <= MAX_RATE_ERROR:
            interval, is_given = 1 / rate_hz, True
    base = _base(counter[rows] if counter is not None else None, len(rows))
    breaks = np.flatnonzero(np.diff(stamps) < -max(8 * interval, MIN_JUMP_S)) + 1
    steps = np.diff(stamps) / interval
    shared = float((steps == 0).mean()) > 0.05
    placement = None
    if not shared:
        if counter is None:
            placement = _uneven(rows, stamps, interval, breaks)
        placement = placement or _direct(rows, stamps, base, breaks, interval)
    if placement is None:
        placement = _searched(source, rows, stamps, base, breaks, interval, shared, is_given)
    if rate_hz is not None:
        found = placement.rate_hz
        if abs(found / rate_hz - 1) > MAX_RATE_ERROR:
            raise read_error(
                source,
                f"its time stamps say {found:.4g} Hz, not {rate_hz:g} Hz",
                "leave --rate-hz out if the stamps are right, or give their unit with --time-unit",
            )
        placement.rate_hz = rate_hz if abs(found / rate_hz - 1) <= RATE_TOLERANCE else found
    else:
        placement.rate_hz = _nice(placement.rate_hz)
    _cap_pauses(placement)
    return placement


def _base(counter: np.ndarray | None, count: int) -> np.ndarray:
    """Return the place [n] of each row if only the losses that the counter shows occurred."""
    if counter is None or not np.isfinite(counter).all():
        return np.arange(count)
    step = typical_step(counter)
    if not step > 0:
        return np.arange(count)
    steps = np.rint(np.diff(counter) / step)
    if (steps < 0).any():
        return np.arange(count)
    return np.concatenate([[0], np.cumsum(steps)]).astype(np.int64)


def _without_strays(stamps: np.ndarray) -> np.ndarray:
    """Return the stamps [n] with single stray ones replaced by the mean of their neighbours."""
    stamps = stamps.copy()
    interval = typical_step(stamps)
    if not interval > 0 or len(stamps) < 5:
        return stamps
    steps = np.diff(stamps)
    across = stamps[2:] - stamps[:-2]
    far = (np.abs(steps[:-1]) > 20 * interval) & (np.abs(steps[1:]) > 20 * interval)
    stray = (
        np.flatnonzero(far & (np.sign(steps[:-1]) != np.sign(steps[1:])) & (np.abs(across) < 8 * interval))
        + 1
    )
    stamps[stray] = (stamps[stray - 1] + stamps[stray + 1]) / 2
    if np.abs(stamps[1] - stamps[0]) > 1e4 * interval and np.abs(stamps[2] - stamps[1]) < 8 * interval:
        stamps[0] = stamps[1] - interval
    if np.abs(stamps[-1] - stamps[-2]) > 1e4 * interval and np.abs(stamps[-2] - stamps[-3]) < 8 * interval:
        stamps[-1] = stamps[-2] + interval
    return stamps


def _direct(
    rows: np.ndarray, stamps: np.ndarray, base: np.ndarray, breaks: np.ndarray, interval: float
) -> Placement | None:
    """Round each step by itself if the stamps are even enough; otherwise return None."""
    steps = np.diff(stamps)
    broken = np.zeros(len(steps), dtype=bool)
    broken[breaks - 1] = True
    single = (np.abs(steps / interval - 1) < 0.5) & ~broken
    if single.sum() < 0.3 * len(steps):
        return None
    interval = float(steps[single].mean())
    relative = steps / interval
    # A pause may last a fraction of an interval: the samples after it are on another grid.
    uneven = (np.abs(relative - np.rint(relative)) > DIRECT_JITTER) & (relative < 3) & ~broken
    if uneven.mean() > 0.001 or (np.rint(relative[~broken]) < 1).any() or uneven.any():
        return None
    whole = np.maximum(np.rint(relative), np.diff(base)).astype(np.int64)
    whole[broken] = 1
    place = np.concatenate([[0], np.cumsum(whole)])
    interval = _regressed(place, stamps, np.flatnonzero((whole > 3) | broken) + 1) or interval
    return Placement(rows, place, 1 / interval, float(stamps[0]), [int(p) for p in place[breaks]])


def _uneven(rows: np.ndarray, stamps: np.ndarray, interval: float, breaks: np.ndarray) -> Placement | None:
    """Return the true times of samples whose intervals vary independently of one another, else None."""
    relative = np.diff(stamps) / interval
    if len(breaks) or (relative <= 0).any():
        return None
    usual = relative < 1.6
    deviation = relative - relative[usual].mean()
    pairs = usual[1:] & usual[:-1]
    if pairs.sum() < 30 or deviation[usual].std() < 0.02:
        return None
    first, second = deviation[:-1][pairs], deviation[1:][pairs]
    correlation = float((first * second).mean() / max(1e-12, (deviation[usual] ** 2).mean()))
    if correlation < UNEVEN_CORRELATION:
        return None
    interval = float(np.diff(stamps)[usual].mean())
    place = np.rint((stamps - stamps[0]) / interval).astype(np.int64)
    return Placement(
        rows, place, 1 / interval, float(stamps[0]), times_s=stamps, notes=["uneven samples interpolated"]
    )


def _searched(
    source: Path | str,
    rows: np.ndarray,
    stamps: np.ndarray,
    base: np.ndarray,
    breaks: np.ndarray,
    interval: float,
    shared: bool,
    is_given: bool,
) -> Placement:
    """Find places by the Viterbi search, over rows or over groups of rows that share a stamp."""
    last = (
        np.append(np.flatnonzero(np.diff(stamps) != 0), len(stamps) - 1) if shared else np.arange(len(stamps))
    )
    sizes = np.diff(last, prepend=-1)
    unit = 1
    if shared:
        # A stamp belongs to the last row of its group. Groups of equal size are lost as a whole.
        common = int(np.median(sizes))
        unit = common if (sizes[1:-1] == common).mean() > 0.9 and common > 1 else 1
    segments = np.searchsorted(last, breaks)
    observed, numbers = stamps[last], base[last].astype(float)
    usual = _usual_interval(observed, numbers, interval)
    if not is_given:
        interval = usual
        if not shared:
            interval = _best_interval(source, observed, numbers, interval)
    for _ in range(3):
        interval, lost, spread = _fit(observed, numbers, segments, interval, unit)
    limit = MAX_JITTER * interval * (1 if not shared else max(8.0, 2.0 * float(sizes.max())))
    if spread > limit:
        raise read_error(
            source,
            f"its time stamps vary by {spread / interval:.1f} intervals (SD), too much to place them",
            "give the stamps of the sensor instead of those of the receiver, or its counter of samples",
        )
    group = np.repeat(np.arange(len(last)), sizes)
    place = base + lost[group]
    start_s = (
        float(np.median(observed - (base[last] + lost) * interval)) if not len(breaks) else float(stamps[0])
    )
    place = place - place[0]
    keep = np.concatenate([[True], np.diff(place) > 0])
    notes = [f"{len(observed)} stamps shared by {len(stamps)} samples"] if shared else []
    return Placement(
        rows[keep], place[keep], 1 / interval, start_s, [int(place[b]) for b in breaks], notes=notes
    )


def _usual_interval(observed: np.ndarray, numbers: np.ndarray, interval: float) -> float:
    """Return the mean interval over steps without a loss; a median would mistake losses for a slow clock."""
    steps, counts = np.diff(observed), np.diff(numbers)
    for _ in range(5):
        usual = np.abs(steps - counts * interval) < 0.5 * interval * np.maximum(1, counts)
        if usual.sum() < 5:
            break
        interval = float(steps[usual].sum() / counts[usual].sum())
    return interval


def _fit(
    observed: np.ndarray, numbers: np.ndarray, segments: np.ndarray, interval: float, unit: int
) -> tuple[float, np.ndarray, float]:
    """Return (interval, lost samples before each row [n], SD of the residuals) of one round of the search."""
    sd = max(_jitter(observed, numbers, interval), 0.05 * interval)
    lost = np.zeros(len(observed), dtype=np.int64)
    bounds = [0, *segments.tolist(), len(observed)]
    squares, count, slope, weight = 0.0, 0, 0.0, 0.0
    for begin, end in pairwise(bounds):
        if end <= begin:
            continue
        part, _ = _search(observed[begin:end] - numbers[begin:end] * interval, interval, sd, unit)
        if begin:
            part = part + lost[begin - 1]
        lost[begin:end] = part
        place = numbers[begin:end] + part
        if end - begin > 10:
            # The interval is fitted by least squares between long pauses.
            x, y = place - place.mean(), observed[begin:end] - observed[begin:end].mean()
            slope += float(x @ y)
            weight += float(x @ x)
            residual = y - x * (x @ y) / (x @ x)
            rough = residual - np.convolve(np.pad(residual, 25, mode="edge"), np.ones(51) / 51, "valid")
            squares += float(np.minimum(rough**2, (5 * sd) ** 2).sum())
            count += len(rough)
    fitted = slope / weight if weight else interval
    return fitted, lost, float(np.sqrt(squares / max(1, count)))


def _jitter(observed: np.ndarray, numbers: np.ndarray, interval: float) -> float:
    """Return the SD of the stamps, s, from the deviations of their steps."""
    deviation = np.diff(observed) - np.diff(numbers) * interval
    return 1.4826 * float(np.median(np.abs(deviation - np.median(deviation)))) / np.sqrt(2)


def _regressed(place: np.ndarray, stamps: np.ndarray, cuts: np.ndarray) -> float | None:
    """Return the interval by least squares within the parts between `cuts`; None if all are too short."""
    covariance = variance = 0.0
    for begin, end in pairwise([0, *cuts.tolist(), len(place)]):
        if end - begin > 10:
            x, y = place[begin:end] - place[begin:end].mean(), stamps[begin:end] - stamps[begin:end].mean()
            covariance += float(x @ y)
            variance += float(x @ x)
    return covariance / variance if variance else None


def _best_interval(source: Path | str, observed: np.ndarray, numbers: np.ndarray, interval: float) -> float:
    """Return the nearby interval that explains stamps with much jitter best.

    Losses look like a slower clock. Raises DataError if two intervals explain the stamps equally well.
    """
    sd = _jitter(observed, numbers, interval)
    if sd < MUCH_JITTER * interval:
        return interval
    part = slice(0, MAX_TRIED)
    usual = [1 / rate for rate in USUAL_RATES_HZ if -0.03 < rate * interval - 1 < 0.1]
    costs = {}
    for candidate in [*usual, *(interval * (1 + 0.006 * step) for step in range(-12, 3))]:
        residual = observed[part] - numbers[part] * candidate
        doubt = 0.0 if candidate in usual else UNUSUAL_COST
        costs[candidate] = _search(residual, candidate, sd, 1, follow=0.003)[1] + doubt
    best = min(costs, key=lambda candidate: costs[candidate])
    others = [cost for candidate, cost in costs.items() if abs(candidate / best - 1) > 0.008]
    if sd > 2 * MUCH_JITTER * interval and min(others, default=np.inf) - costs[best] < CLEAR_COST:
        raise read_error(
            source,
            f"its time stamps jitter too much to show the sampling rate ({1 / best:.4g} Hz, or another)",
            "give it with --rate-hz",
        )
    return best


def _search(
    residual_s: np.ndarray, interval: float, sd: float, unit: int, follow: float | None = None
) -> tuple[np.ndarray, float]:
    """Return (lost samples before each observation [n], cost): the fewest losses that explain the stamps.

    residual_s: stamps minus number times interval
    """
    values = (residual_s / interval).tolist()
    sd = sd / interval
    follow = follow or (TRACKING_GAIN if sd < MUCH_JITTER else TRACKING_GAIN / 5)
    weight, cap = 0.5 / sd**2, (4 * sd + 1) ** 2
    first = float(np.median(residual_s[:9])) / interval if len(values) >= 9 else values[0]
    # {lost: (cost, offset of the clock)}; several states, because one of the first samples may be lost.
    states: dict[int, tuple[float, float]] = {start: (0.0, first) for start in (-unit, 0, unit)}
    back: list[dict[int, int]] = []
    for number, value in enumerate(values):
        # The offset is a mean over the first observations, then follows the clock's drift slowly.
        share = max(follow, 1 / (number + 9))
        following: dict[int, tuple[float, float]] = {}
        origin: dict[int, int] = {}
        for lost, (cost, offset) in states.items():
            more = round((value - offset - lost) / unit) * unit
            for added in {0, more - unit, more, more + unit}:
                if added < 0:
                    continue
                error = value - offset - lost - added
                total = cost + weight * min(error * error, cap) + (LOSS_COST if added else 0.0)
                state = lost + added
                if state not in following or total < following[state][0]:
                    moved = offset + share * max(-3 * sd, min(3 * sd, error))
                    following[state] = (total, moved)
                    origin[state] = lost
        best = min(cost for cost, _ in following.values())
        ranked = sorted(following, key=lambda state: following[state][0])[:BEAM]
        states = {s: following[s] for s in ranked if following[s][0] <= best + BEAM_COST}
        back.append(origin)
    lost = min(states, key=lambda state: states[state][0])
    cost = states[lost][0]
    path = np.zeros(len(values), dtype=np.int64)
    for index in range(len(values) - 1, -1, -1):
        path[index] = lost
        lost = back[index][lost]
    return path - path[0], cost


def _nice(rate_hz: float) -> float:
    """Return a whole rate, or one that sensors have, if the measured rate is nearly equal to it."""
    nearest = min((float(max(1, round(rate_hz))), *NICE_RATES_HZ), key=lambda nice: abs(nice - rate_hz))
    return nearest if abs(rate_hz / nearest - 1) < NICE_RATE_TOLERANCE else rate_hz


def _cap_pauses(placement: Placement) -> None:
    """Shorten long pauses if more would be interpolated than was recorded."""
    steps = np.diff(placement.place)
    max_steps = max(2, int(LONG_PAUSE_S * placement.rate_hz))
    pauses = steps > max_steps
    if not pauses.any() or placement.place[-1] + 1 <= 2 * len(placement.rows) + 60 * placement.rate_hz:
        return
    seconds = float(steps[pauses].sum() / placement.rate_hz)
    steps[pauses] = max_steps
    jumps = np.searchsorted(placement.place, placement.jumps)
    placement.place = np.concatenate([[0], np.cumsum(steps)])
    placement.jumps = [int(placement.place[j]) for j in jumps]
    placement.times_s = None
    placement.notes.append(
        f"{int(pauses.sum())} pauses of {seconds:.4g} s together counted as {LONG_PAUSE_S:g} s each"
    )
