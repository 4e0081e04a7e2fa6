"""Samples in a sensor's own units to m/s² and rad/s on an even grid: units that fit, gaps, high rates."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tinystride.datasets.recording import read_error
from tinystride.datasets.samples import (
    QUIET_WINDOW_S,
    REST_TOLERANCE,
    STANDARD_GRAVITY_MPS2,
    lost_rows,
)
from tinystride.errors import DataError
from tinystride.reading.clock import AROUND_JUMP, Placement
from tinystride.reading.options import ReadingOptions
from tinystride.reading.units import ACC_UNITS, COUNTS, GYR_UNITS

# A foot turns at 1 to 20 rad/s (60 to 1200 deg/s) in the swing.
RADPS_UP_TO = 25.0
DEGPS_RANGE = (45.0, 2600.0)
MDEGPS_FROM = 40_000.0
MIN_SWING_RADPS, MAX_SWING_RADPS = 0.5, 40.0
# Values above the full scale of every sensor for people are stray values.
MAX_ACC_MPS2 = 250 * STANDARD_GRAVITY_MPS2
MAX_GYR_RADPS = np.deg2rad(4500)
# If |acc| at rest is below this share of its SD in motion, gravity was removed.
WITHOUT_GRAVITY = 0.25
COUNTS_AS_MG = 1024.0  # counts per g of a common 12-bit sensor, which look like milli-g
MAX_RATE_HZ = 420.0
DECIMATED_RATE_HZ = 410.0
SCALES = (
    "give --acc-scale and --gyr-scale, in m/s² and rad/s per count (16 bits: 0.0047884 for ±16 g, "
    "0.00106526 for ±2000 deg/s)"
)


@dataclass
class Stream:
    """Even samples of one sensor or of both.

    Attributes:
        values: [n, 3 or 6]
        lost: [n] bool, samples that were lost and interpolated
        rate_hz: sampling rate
        start_s: time of sample 0 on the clock; NaN without a clock
    """

    values: np.ndarray
    lost: np.ndarray
    rate_hz: float
    start_s: float


def scaled(
    source: Path | str,
    acc: np.ndarray,
    gyr: np.ndarray,
    units: tuple[str | None, str | None],
    options: ReadingOptions,
    rate_hz: float,
) -> tuple[np.ndarray, np.ndarray, str]:
    """Convert samples to m/s² and rad/s. A unit that is not named is the one that fits the signal.

    Args:
        source: where the samples come from, for messages
        acc: accelerometer, [n, 3]
        gyr: gyroscope, [n, 3]
        units: units that the file names, or None
        options: units and scales that the caller names
        rate_hz: sampling rate

    Returns:
        Both, [n, 3], and a note with the units.

    Raises:
        DataError: if no unit fits, or if another one than the named unit fits; the message names it
    """
    finite = np.isfinite(acc).all(axis=1) & np.isfinite(gyr).all(axis=1)
    rest, spread = rest_level(acc[finite], gyr[finite], rate_hz)
    swing = swing_level(gyr[finite], rate_hz)
    integers = bool((acc[finite] == np.rint(acc[finite])).all())
    named_acc, named_gyr = (options.acc_unit or units[0], options.gyr_unit or units[1])
    if options.acc_scale is not None:
        acc_factor, acc_note = options.acc_scale, f"{options.acc_scale:g} m/s² per count"
        _check_rest(source, rest * acc_factor, spread, acc_note, None, options)
    else:
        acc_unit = _acc_unit(source, rest, spread, integers, named_acc, acc[finite], options)
        acc_factor, acc_note = ACC_UNITS[acc_unit], acc_unit
    if options.gyr_scale is not None:
        gyr_factor, gyr_note = options.gyr_scale, f"{options.gyr_scale:g} rad/s per count"
        _check_swing(source, swing, gyr_factor, gyr_note)
    else:
        whole = bool((gyr[finite] == np.rint(gyr[finite])).all())
        gyr_unit = _gyr_unit(source, swing, whole, named_gyr, acc[finite] * acc_factor, gyr[finite])
        gyr_factor, gyr_note = GYR_UNITS[gyr_unit], gyr_unit
    return acc * acc_factor, gyr * gyr_factor, f"{acc_note}, {gyr_note}"


def rest_level(acc: np.ndarray, gyr: np.ndarray, rate_hz: float) -> tuple[float, float]:
    """Return |acc| in the moments in which the foot turns least, and its relative spread over these.

    Args:
        acc: [n, 3], any unit
        gyr: [n, 3], any unit
        rate_hz: sampling rate
    """
    window = max(2, round(QUIET_WINDOW_S * rate_hz))
    if len(acc) < 2 * window:
        return float(np.linalg.norm(acc, axis=1).mean()) if len(acc) else float("nan"), 0.0
    count = len(acc) // window
    energy = (gyr[: count * window] ** 2).sum(axis=1).reshape(count, window).mean(axis=1)
    size = np.linalg.norm(acc[: count * window], axis=1).reshape(count, window).mean(axis=1)
    quiet = np.argsort(energy, kind="stable")[: max(3, count // 20)]
    level = float(np.median(size[quiet]))
    return level, float(np.median(np.abs(size[quiet] - level)) / level) if level else 0.0


def swing_level(gyr: np.ndarray, rate_hz: float) -> float:
    """Return the angular rate that the swings reach: the 99th percentile while the foot turns.

    Args:
        gyr: [n, 3], any unit
        rate_hz: sampling rate
    """
    window = max(2, round(QUIET_WINDOW_S * rate_hz))
    size = np.abs(gyr).max(axis=1) if len(gyr) else np.zeros(0)
    count = len(size) // window
    if count < 4:
        return float(size.max(initial=0.0))
    levels = np.median(size[: count * window].reshape(count, window), axis=1)
    active = np.repeat(levels > 0.3 * np.percentile(levels, 98), window)
    return float(np.percentile(size[: count * window][active], 99)) if active.any() else float(size.max())


def _is_gravity(value_mps2: float) -> bool:
    return abs(value_mps2 / STANDARD_GRAVITY_MPS2 - 1) <= REST_TOLERANCE


def _acc_unit(
    source: Path | str,
    rest: float,
    spread: float,
    integers: bool,
    named: str | None,
    acc: np.ndarray,
    options: ReadingOptions,
) -> str:
    fitting = next((unit for unit, factor in ACC_UNITS.items() if _is_gravity(rest * factor)), None)
    sd = float(np.linalg.norm(acc, axis=1).std()) if len(acc) else 0.0
    if sd > 0 and rest < WITHOUT_GRAVITY * sd and (fitting is None or spread > 0.1):
        raise read_error(
            source,
            f"|acc| at rest is {rest:.3g}, far below its values in motion: gravity was removed",
            "export the acceleration with gravity, as the sensor measures it",
        )
    if named is not None and named != COUNTS:
        _check_rest(source, rest * ACC_UNITS[named], spread, named, fitting, options)
        return named
    ambiguous = fitting == "mg" and integers and abs(rest / COUNTS_AS_MG - 1) < 0.015
    if fitting is None or named == COUNTS or ambiguous:
        if integers or named == COUNTS:
            units = "mg or raw counts" if ambiguous else "raw counts"
            raise read_error(
                source,
                f"its acceleration seems to be in {units} ({rest:.0f} at rest)",
                f"give --acc-unit mg; for counts, {SCALES}" if ambiguous else SCALES,
            )
        raise read_error(
            source,
            f"|acc| at rest is {rest:.3g}, which is not 9.81 m/s² in any of the units {', '.join(ACC_UNITS)}",
            "check unit and calibration, or give --acc-scale, in m/s² per unit",
        )
    return fitting


def _check_rest(
    source: Path | str,
    rest_mps2: float,
    spread: float,
    note: str,
    fitting: str | None,
    options: ReadingOptions,
) -> None:
    if _is_gravity(rest_mps2):
        return
    found = f"|acc| at rest is {rest_mps2:.3g} m/s², not about 9.81, if its unit is {note}"
    if fitting is not None:
        raise read_error(source, found, f"{_spelled(fitting)} fits: give --acc-unit {fitting}")
    if options.acc_scale is not None:
        scale = options.acc_scale * STANDARD_GRAVITY_MPS2 / rest_mps2 if rest_mps2 else float("nan")
        raise read_error(source, found, f"--acc-scale {scale:.4g} would fit: check it")
    raise read_error(
        source,
        found,
        "check unit, calibration, and that gravity was not removed; raw counts need --acc-scale",
    )  # fmt: skip


def _spelled(unit: str) -> str:
    return {"m/s2": "m/s²"}.get(unit, unit)


def _gyr_unit(
    source: Path | str, swing: float, integers: bool, named: str | None, acc_mps2: np.ndarray, gyr: np.ndarray
) -> str:
    moving = float(np.linalg.norm(acc_mps2, axis=1).std()) > 1.0
    fitting = _fitting_gyr_unit(swing, integers, gyr)
    if named is not None and named != COUNTS:
        swing_radps = swing * GYR_UNITS[named]
        if swing_radps > MAX_SWING_RADPS or (moving and swing_radps < MIN_SWING_RADPS):
            found = f"the gyroscope reaches {swing_radps:.3g} rad/s in the swing, if its unit is {named}"
            other = fitting if fitting != named else None
            raise read_error(
                source,
                found,
                f"{other} fits: give --gyr-unit {other}"
                if other
                else f"check the unit; raw counts need a scale: {SCALES}",
            )
        return named
    if named == COUNTS or (fitting is None and integers):
        raise read_error(
            source, f"its gyroscope seems to be in raw counts ({swing:.0f} in the swing)", SCALES
        )
    if fitting is None or (not moving and swing < 1.0):
        if not moving:
            return "rad/s"
        raise read_error(
            source,
            f"the unit of its gyroscope is not clear ({swing:.3g} in the swing)",
            "give it with --gyr-unit rad/s, deg/s or mdeg/s",
        )
    return fitting


def _fitting_gyr_unit(swing: float, integers: bool, gyr: np.ndarray) -> str | None:
    if MIN_SWING_RADPS <= swing <= RADPS_UP_TO and not (integers and swing > 3):
        return "rad/s"
    if DEGPS_RANGE[0] <= swing <= DEGPS_RANGE[1]:
        return "deg/s"
    if swing >= MDEGPS_FROM and not (integers and np.abs(gyr).max(initial=0.0) <= 32_768):
        return "mdeg/s"
    return None


def _check_swing(source: Path | str, swing: float, factor: float, note: str) -> None:
    reached = swing * factor
    if reached > MAX_SWING_RADPS:
        raise read_error(
            source,
            f"the gyroscope reaches {reached:.4g} rad/s in the swing with {note}",
            "check --gyr-scale: it is in rad/s per count, π/180 times the scale in deg/s",
        )


def without_stray_values(samples: np.ndarray) -> np.ndarray:
    """Return samples in which rows with a value that no sensor has are NaN.

    Args:
        samples: [n, 6], m/s² and rad/s
    """
    limits = np.repeat([MAX_ACC_MPS2, MAX_GYR_RADPS], 3)
    with np.errstate(invalid="ignore"):
        stray = (np.abs(samples) > limits).any(axis=1)
    if stray.any() and stray.mean() < 0.05:
        samples = samples.copy()
        samples[stray] = np.nan
    return samples


def even_stream(source: Path | str, placement: Placement, values: np.ndarray) -> Stream:
    """Put the rows of a file onto the even grid; missing samples are interpolated and marked lost.

    Args:
        source: where the rows come from, for messages
        placement: places of the rows on the grid
        values: rows, [n, channels]

    Returns:
        Even samples.

    Raises:
        DataError: if more is lost than recorded
    """
    given = values[placement.rows]
    kept = np.isfinite(given).all(axis=1)
    if given.shape[1] == 6:
        missed = np.zeros(len(given), dtype=bool)
        missed[kept] = lost_rows(given[kept, :3], given[kept, 3:])
        if (kept & ~missed).mean() >= 0.5:  # otherwise the sensor is dead
            kept &= ~missed
    if kept.sum() < 2:
        raise read_error(source, "contains no samples", "export the recording again")
    first = int(np.flatnonzero(kept)[0])
    place = placement.place[kept]
    size = int(place[-1] - place[0] + 1)
    if size > 2 * len(place) + 60 * placement.rate_hz:
        raise read_error(
            source,
            f"{size - len(place)} of {size} samples are missing",
            "check the export, or split it at its pauses",
        )
    grid = np.arange(place[0], place[-1] + 1)
    lost = np.ones(size, dtype=bool)
    lost[place - place[0]] = False
    if placement.times_s is None:
        for jump in placement.jumps:
            begin = max(1, jump - AROUND_JUMP - int(place[0]))
            lost[begin : max(begin, min(size - 1, jump + AROUND_JUMP - int(place[0])))] = True
        sound = ~lost[place - place[0]]
        at, rows = place[sound].astype(float), given[kept][sound]
    else:
        times = placement.times_s[kept]
        at = place[0] + (times - times[0]) * placement.rate_hz
        rows = given[kept]
        # Samples are interpolated between neighbours, and lost if these are far apart.
        right = np.clip(np.searchsorted(at, grid), 1, len(at) - 1)
        lost = (at[right] - at[right - 1]) > 1.8
        lost[[0, -1]] = False
    even = np.column_stack([np.interp(grid, at, channel) for channel in rows.T])
    start_s = placement.start_s + (place[0] - placement.place[0]) / placement.rate_hz
    if placement.times_s is not None:
        start_s = float(placement.times_s[first])
    return Stream(even, lost, placement.rate_hz, start_s)


def slowed(stream: Stream, max_rate_hz: float = MAX_RATE_HZ) -> tuple[Stream, str]:
    """Reduce a high sampling rate: every k-th sample after a low-pass filter.

    Args:
        stream: even samples
        max_rate_hz: a stream up to this rate stays as it is

    Returns:
        The stream, and a note on the reduction ("" without one).
    """
    if stream.rate_hz <= max_rate_hz:
        return stream, ""
    factor = int(np.ceil(stream.rate_hz / max_rate_hz))
    # A sinc with 10 zero crossings on each side, Kaiser window, cut-off at the new Nyquist frequency.
    reach = 10 * factor
    taps = np.sinc(np.arange(-reach, reach + 1) / factor) * np.kaiser(2 * reach + 1, 5.0)
    padded = np.pad(stream.values, ((reach, reach), (0, 0)), mode="edge")
    values = np.column_stack([np.convolve(c, taps / taps.sum(), "valid")[::factor] for c in padded.T])
    ends = np.minimum(np.arange(len(values)) * factor + factor, len(stream.lost))
    total = np.concatenate([[0], np.cumsum(stream.lost)])
    lost = total[ends] > total[np.maximum(ends - 2 * factor, 0)]
    rate_hz = stream.rate_hz / factor
    note = f"decimated from {stream.rate_hz:.6g} to {rate_hz:.6g} Hz"
    return Stream(values, lost, rate_hz, stream.start_s), note


def joined(source: Path | str, acc: Stream, gyr: Stream) -> Stream:
    """Join the accelerometer and gyroscope of a sensor that were written to two files.

    Both are put on the gyroscope's grid: where they overlap on a clock that both have, or from their first
    samples.

    Args:
        source: where the samples come from, for messages
        acc: accelerometer
        gyr: gyroscope

    Returns:
        One stream of six channels.

    Raises:
        DataError: if they do not overlap
    """
    acc, _ = slowed(acc, max(1.9 * gyr.rate_hz, 50.0))
    shared = np.isfinite(acc.start_s) and np.isfinite(gyr.start_s)
    offset_s = gyr.start_s - acc.start_s if shared else 0.0
    gyr_s = np.arange(len(gyr.values)) / gyr.rate_hz + offset_s
    at = gyr_s * acc.rate_hz
    inside = (at >= -0.5) & (at <= len(acc.values) - 0.5)
    if inside.sum() < gyr.rate_hz:
        raise _apart(source, acc, gyr)
    places = np.arange(len(acc.values))
    values = np.column_stack([np.interp(at[inside], places, channel) for channel in acc.values.T])
    lower = np.clip(np.floor(at[inside]).astype(int), 0, len(acc.lost) - 1)
    upper = np.minimum(lower + 1, len(acc.lost) - 1)
    lost = gyr.lost[inside] | acc.lost[lower] | acc.lost[upper]
    begin = int(np.flatnonzero(inside)[0])
    lost[[0, -1]] = False
    return Stream(
        np.column_stack([values, gyr.values[inside]]), lost, gyr.rate_hz, gyr.start_s + begin / gyr.rate_hz
    )


def _apart(source: Path | str, acc: Stream, gyr: Stream) -> DataError:
    return read_error(
        source,
        f"its accelerometer begins at {acc.start_s:.6g} s and its gyroscope at {gyr.start_s:.6g} s, "
        "without overlap",
        "give the two files of one recording",
    )


def gaps_of(lost: np.ndarray) -> np.ndarray:
    """Return the half-open ranges of lost samples, [k, 2].

    Args:
        lost: [n] bool
    """
    edges = np.flatnonzero(np.diff(np.concatenate([[False], lost, [False]]).astype(np.int8)))
    return edges.reshape(-1, 2).astype(np.int64)
