"""From samples to blocks, for a whole recording at once (firmware/block.inc).

Results do not depend on later samples, so the C computes them sample by sample. All but the low-pass are
integers.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from tinystride.firmware import constants as c
from tinystride.gait.filters import block_invariant, lowpass
from tinystride.streaming.clipping import Run
from tinystride.streaming.config import Design, single


@dataclass(frozen=True, eq=False)
class Segment:
    """Blocks without a gap that is too long to interpolate.

    Attributes:
        first_sample: number of the first sample
        finish: number of the first block with samples of tinystride_finish, which ends after a stride
        sums: [n, 6] int64, sums of the samples of a block, counts
        lowpassed: [n, 6] int64, low-passed means of the samples of a block, counts
        force: [n, 3] int64, mean specific force over the energy window, counts; 0 before it is filled
        energy: [n] int64, energy of the angular rate over the energy window, (0.01 rad/s)²; 0 before it is
            filled
        gap: [n] bool, samples of the block are interpolated or repeated
        saturated: [n] bool, samples of the block are at full scale
        stuck: [n] bool, a sensor has not changed for some blocks
        frozen: [n] bool, the accelerometer has not changed for some blocks
        jumped: [n] bool, the specific force jumps like counts that overflow
        acc_full_scale: [n] full scale of the accelerometer as far as known after the block, counts; 0 if
            unknown
        clipped: [samples, 3] 1 or -1 where an axis of the gyroscope is at its full scale, else 0
    """

    first_sample: int
    finish: int
    sums: np.ndarray
    lowpassed: np.ndarray
    force: np.ndarray
    energy: np.ndarray
    gap: np.ndarray
    saturated: np.ndarray
    stuck: np.ndarray
    frozen: np.ndarray
    jumped: np.ndarray
    acc_full_scale: np.ndarray
    clipped: np.ndarray

    def runs_until(self, stop: int) -> list[Run]:
        """Return the last runs of clipped samples, at most CLIPPED_RUNS.

        Args:
            stop: sample of the segment, counted from 0, before which the runs begin
        """
        runs = []
        for axis in range(3):
            edges = np.flatnonzero(np.diff(self.clipped[:stop, axis], prepend=0, append=0))
            for first, after in pairwise(edges):
                sign = int(self.clipped[first, axis])
                if sign:
                    runs.append(Run(self.first_sample + int(first), int(after - first), axis, sign))
        return sorted(runs, key=lambda run: (run.first, run.axis))[-c.CLIPPED_RUNS :]


def to_counts(samples: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return clamped counts [n, 6] int64, and whether each sample is plausible, [n] bool.

    Args:
        samples: [n, 6] float32, m/s² and rad/s
    """
    limits = np.repeat(np.array([c.MAX_ACC, c.MAX_GYR], single), 3)
    factor = single(1) / np.repeat(np.array([c.ACC_UNIT, c.GYR_UNIT], single), 3)
    valid = (np.abs(samples) < limits).all(axis=1) & (samples[:, :3] != 0).any(axis=1)
    scaled = np.clip(np.where(valid[:, None], samples, 0) * factor, -c.SATURATED_COUNT, c.SATURATED_COUNT)
    return np.rint(scaled).astype(np.int64), valid


def segments(
    samples: np.ndarray, lost: np.ndarray, design: Design, full_scale: tuple[float, float]
) -> Iterator[Segment]:
    """Divide a recording into segments.

    Args:
        samples: [n, 6] float32, m/s² and rad/s
        lost: [n] number of samples that are missing before each sample
        design: values derived from the sampling rate
        full_scale: full scales of accelerometer, m/s², and gyroscope, rad/s; NaN if unknown

    Yields:
        segments in order of time
    """
    counts, valid = to_counts(samples)
    held, repeats_one, many_repeat = _repeated(samples, counts, valid, lost, design.max_bridged)
    valid &= ~held
    missing = np.diff(np.flatnonzero(valid), prepend=-1) - 1
    before = np.cumsum(lost)
    lost = np.diff(before[valid], prepend=0) + missing
    counts = counts[valid]
    parts = list(_bridged(np.clip(counts, -c.MAX_COUNT, c.MAX_COUNT), lost, many_repeat[valid], design))
    if not parts:
        return
    bridged = np.concatenate([part[4] for part in parts])
    joined = np.zeros((len(bridged), 6), np.int64)
    joined[~bridged] = counts
    starts = np.concatenate([np.arange(len(part[2])) == 0 for part in parts])
    saturated, clipped = _saturated(joined, bridged, starts, full_scale)
    wrapped, jumped_samples, scale = _wrapped(counts, full_scale)
    saturated[~bridged] |= wrapped
    jumped = np.zeros(len(bridged), bool)
    jumped[~bridged] = jumped_samples
    acc_full_scale = scale[np.cumsum(~bridged) - 1]
    repeats = np.zeros(len(bridged), bool)
    repeats[~bridged] = repeats_one[valid]
    start = 0
    for first_sample, finish, counts, gap, _ in parts:
        gap = gap | repeats[start : start + len(counts)]
        own = slice(start, start + len(counts))
        marks = {"gap": gap, "saturated": saturated[own], "jumped": jumped[own]}
        yield _segment(first_sample, finish, counts, marks, acc_full_scale[own], clipped[own], design)
        start += len(counts)


def _bridged(
    counts: np.ndarray, lost: np.ndarray, many_repeat: np.ndarray, design: Design
) -> Iterator[tuple[int, int, np.ndarray, np.ndarray, np.ndarray]]:
    """Interpolate short gaps, and divide at longer ones.

    many_repeat: [n], a gap before the sample sets the flag "gap" in any case

    Yields:
        number of the first sample; first block of tinystride_finish; counts [n, 6]; whether samples set the
        flag "gap", [n]; whether samples are interpolated, [n]
    """
    bounds = np.flatnonzero(lost > design.max_bridged)
    if len(lost) and 0 < lost[0] <= design.max_bridged:
        bounds = np.concatenate([[0], bounds])
    bounds = np.unique(np.concatenate([[0], bounds, [len(counts)]])).astype(int)
    number = np.arange(len(counts)) + np.cumsum(lost)
    for first, stop in pairwise(bounds):
        # Samples between two received ones lie on a line.
        place = number[first:stop] - number[first]
        n = int(place[-1]) + 1
        samples, gap, bridged = np.zeros((n, 6), np.int64), np.zeros(n, bool), np.ones(n, bool)
        samples[place], bridged[place] = counts[first:stop], False
        for at in first + 1 + np.flatnonzero(lost[first + 1 : stop]):
            missing, change = int(lost[at]), counts[at] - counts[at - 1]
            between = slice(number[at - 1] - number[first] + 1, number[at] - number[first])
            # A block receives the middle of its part of the line, truncated like a division in C.
            block = np.arange(between.start, between.stop) // design.samples_per_block
            _, first_of, length = np.unique(block, return_index=True, return_counts=True)
            middle = (2 * first_of + length + 1)[:, None] * change / (2 * (missing + 1))
            samples[between] = counts[at - 1] + np.repeat(np.fix(middle).astype(np.int64), length, axis=0)
            gap[between] = many_repeat[at] or _matters(missing, change, design)
        if stop == len(counts):
            # tinystride_finish repeats the last sample.
            more = 2 * design.pause * design.samples_per_block
            samples = np.concatenate([samples, np.repeat(samples[-1:], more, axis=0)])
            gap, bridged = (np.concatenate([values, np.zeros(more, bool)]) for values in (gap, bridged))
            bridged[n:] = True
        yield int(number[first]), n // design.samples_per_block, samples, gap, bridged


def _matters(missing: int, change: np.ndarray, design: Design) -> bool:
    """Return whether `missing` samples with this change of counts [6] may hide more than MAX_GAP_MPS."""
    lost_s = single(missing) / single(design.rate_hz)
    size = np.sqrt((change[:3].astype(single) ** 2).sum())
    return bool(lost_s * size * single(c.ACC_UNIT) > single(c.MAX_GAP_MPS))


def _segment(
    first_sample: int,
    finish: int,
    counts: np.ndarray,
    marks: dict[str, np.ndarray],
    acc_full_scale: np.ndarray,
    clipped: np.ndarray,
    design: Design,
) -> Segment:
    d, w = design.samples_per_block, design.window
    n = len(counts) // d
    blocks = counts[: n * d].reshape(n, d, 6)
    sums = blocks.sum(axis=1)
    energy = ((blocks[..., 3:] ** 2).sum(axis=2) >> c.ENERGY_SHIFT).sum(axis=1)
    frozen = _stay((np.diff(sums[:, :3], axis=0, prepend=0) == 0).all(axis=1), c.STUCK_BLOCKS)
    does_not_turn_on = (np.diff(energy, prepend=0) == 0) & (energy > c.MIN_STUCK_ENERGY)
    smooth = lowpass(sums / d, design.block_hz, c.LOWPASS_HZ, block_invariant(d)) if n else sums
    return Segment(
        first_sample=first_sample,
        finish=finish,
        sums=sums,
        lowpassed=np.rint(smooth).astype(np.int64),
        force=np.fix(_window_sums(sums[:, :3], w) / design.window_samples).astype(np.int64),
        energy=_window_sums(energy[:, None], w)[:, 0] // design.window_samples,
        **{name: np.any(values[: n * d].reshape(n, d), axis=1) for name, values in marks.items()},
        stuck=frozen | _stay(does_not_turn_on, c.STUCK_BLOCKS),
        frozen=frozen,
        acc_full_scale=acc_full_scale[d - 1 : n * d : d],
        clipped=clipped,
    )


def _window_sums(values: np.ndarray, window: int) -> np.ndarray:
    """Return the sums over the last `window` rows of values [n, k]; 0 in the rows before."""
    total = np.cumsum(values, axis=0)
    sums = np.zeros_like(total)
    sums[window - 1 :] = total[window - 1 :]
    sums[window:] -= total[:-window]
    return sums


def _stay(marked: np.ndarray, blocks: int) -> np.ndarray:
    """Return where the last `blocks` values, or more, are all marked, [n]."""
    return _run_length(marked) >= blocks


def _run_length(marked: np.ndarray) -> np.ndarray:
    """Return the number of marked values in a row that ends at each value, [n]."""
    place = np.arange(1, len(marked) + 1)
    return place - np.maximum.accumulate(np.where(marked, 0, place))


def _repeated(
    samples: np.ndarray, counts: np.ndarray, valid: np.ndarray, lost: np.ndarray, max_bridged: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Find samples that repeat the last valid sample (push_unusual and score_repeat of the C).

    samples: [n, 6] float32; counts: [n, 6]; valid: [n], other samples are lost; lost: [n], samples missing
    before each sample; max_bridged: maximum length of a gap that is interpolated

    Returns:
        samples that repeat all values while the foot turns and stand for lost ones, [n] bool; samples in
        which one sensor repeats its values, if many do while the foot turns, [n] bool; whether a gap before
        each sample sets the flag "gap" in any case, because many samples are repeated, [n] bool
    """
    place = np.flatnonzero(valid)
    own, own_counts = samples[place], np.clip(counts[place], -c.MAX_COUNT, c.MAX_COUNT)
    limits = single(c.MAX_COUNT) * np.repeat(np.array([c.ACC_UNIT, c.GYR_UNIT], single), 3)
    last = np.clip(own[:-1], -limits, limits)
    same = np.zeros((len(place), 2), bool)
    same[1:] = (own[1:].view(np.int32) == last.view(np.int32)).reshape(-1, 2, 3).all(axis=2)
    squares = own[:, 3:] ** 2
    threshold = single(c.STATIONARY_ENERGY << c.ENERGY_SHIFT) * (single(c.GYR_UNIT) * single(c.GYR_UNIT))
    repeats_all = same.all(axis=1) & (squares[:, 0] + squares[:, 1] + squares[:, 2] >= threshold)
    turns = (own_counts[:, 3:] ** 2).sum(axis=1) >> c.ENERGY_SHIFT >= c.STATIONARY_ENERGY
    # A longer repetition is not a short gap: a sample of it is used, and flagged.
    number, held, accepted = place + np.cumsum(lost)[place], np.zeros(len(place), bool), 0
    for at in np.flatnonzero(repeats_all):
        accepted = accepted if held[at - 1] else int(at) - 1
        held[at] = number[at] - number[accepted] - 1 < max_bridged
    scores, score = np.zeros(len(place) + 1, np.int64), 0
    scored = np.flatnonzero(turns | held) if same.any() else np.array([], int)
    for at in scored:
        score = min(score + 2, c.MAX_REPEAT_SCORE) if same[at].any() else max(score - 1, 0)
        scores[at + 1] = score
    # Samples that are not scored keep the score.
    change_at = np.zeros(len(scores), int)
    change_at[scored + 1] = scored + 1
    many = scores[np.maximum.accumulate(change_at)] >= c.MIN_REPEAT_SCORE
    found = np.zeros((3, len(samples)), bool)
    found[:, place] = (
        held,
        turns & same.any(axis=1) & ~held & many[1:],
        many[:-1] | (repeats_all & ~held),
    )
    return found[0], found[1], found[2]


def _wrapped(
    counts: np.ndarray, full_scale: tuple[float, float]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Find overflows of the counts (find_jumps and likely_full_scale of the C).

    Returns:
        whether samples wrapped around, [n]; whether the specific force jumped, [n]; full scale of the
        accelerometer after each sample, [n] counts, 0 if unknown
    """
    wraps = np.zeros((len(counts), 2), np.int64)
    jumped, acc_full_scale = np.zeros(len(counts), bool), np.zeros(len(counts), np.int64)
    clamped = np.clip(counts, -c.MAX_COUNT, c.MAX_COUNT)
    last = np.vstack([np.zeros((1, 6), np.int64), clamped[:-1]])
    for sensor, (unit, limit, min_scale) in enumerate(
        (
            (c.ACC_UNIT, full_scale[0], c.MIN_ACC_FULL_SCALE),
            (c.GYR_UNIT, full_scale[1], c.MIN_GYR_FULL_SCALE),
        )
    ):
        axes = slice(3 * sensor, 3 * sensor + 3)
        size = np.abs(counts[:, axes]).max(axis=1)
        change = np.abs(clamped[:, axes] - last[:, axes])
        jump = np.where(clamped[:, axes] * last[:, axes] < 0, change, 0).max(axis=1)
        if 0 < limit < single(c.SATURATED_COUNT) * single(unit):
            level = np.full(len(size), int(single(0.995) * single(limit) / single(unit)))
            is_scale, scale, after = np.ones(len(size), bool), level, level
        else:
            max_size = np.maximum.accumulate(np.where(size < c.SATURATED_COUNT, size, 0))
            level = np.maximum(np.append(0, max_size[:-1]), min_scale)
            scales = min_scale * np.array([[1], [2], [4]])
            # A sample beyond the level shows that the level is not the full scale.
            reached = np.maximum(level, size)
            is_scale = ((10 * reached >= 9 * scales) & (200 * reached <= 201 * scales)).any(axis=0)
            scale = _min_scale(reached, scales)
            after = _min_scale(np.maximum(max_size, min_scale), scales)
        if not sensor:
            jumped = (scale > 0) & (5 * size >= 2 * level) & (10 * jump > 9 * scale)
            acc_full_scale = after
        wraps[:, sensor] = (5 * size >= 3 * level) & (jump > level) & is_scale
    before = np.cumsum(wraps.ravel()).reshape(-1, 2)
    return np.any((wraps > 0) & (before >= c.MIN_JUMPS), axis=1), jumped, acc_full_scale


def _min_scale(size: np.ndarray, scales: np.ndarray) -> np.ndarray:
    """Return the minimum of `scales` [k, 1] that is not below each size [n]; 0 where all are below."""
    fits = 200 * size <= 201 * scales
    return np.where(fits.any(axis=0), scales[fits.argmax(axis=0), 0], 0)


def _saturated(
    counts: np.ndarray, bridged: np.ndarray, starts: np.ndarray, full_scale: tuple[float, float]
) -> tuple[np.ndarray, np.ndarray]:
    """Find saturated samples, except interpolated ones (is_saturated and record_clipping of the C).

    A sample is saturated at the full scale. If the full scale is unknown, it is saturated at the maximum so
    far, after CLIPPED_SAMPLES samples in a row were there.

    Returns:
        whether samples set the flag "saturated", [n]; sign of each clipped axis of the gyroscope, [n, 3]
    """
    marked, clipped = np.zeros(len(counts), bool), np.zeros((len(counts), 3), np.int64)
    for channels, unit, limit, min_scale in (
        (slice(0, 3), c.ACC_UNIT, full_scale[0], c.MIN_ACC_FULL_SCALE),
        (slice(3, 6), c.GYR_UNIT, full_scale[1], c.MIN_GYR_FULL_SCALE),
    ):
        size = np.where(bridged, 0, np.abs(counts[:, channels]).max(axis=1))
        counted = size < c.SATURATED_COUNT
        marked |= ~counted
        if 0 < limit < single(c.SATURATED_COUNT) * single(unit):
            top = np.full(len(size), int(single(0.995) * single(limit) / single(unit)))
            at_top, proven = counted & (size >= top), np.zeros(len(size), bool)
        else:
            size = np.where(counted & (size >= min_scale), size, 0)
            top = np.maximum.accumulate(size)
            rises = np.diff(top, prepend=0) > 0
            place = np.arange(1, len(size) + 1)
            begun = np.maximum.accumulate(
                np.where((size < top) | (size == 0), place, np.where(starts | rises, place - 1, 0))
            )
            stays = place - begun >= c.CLIPPED_SAMPLES
            # Since the last rise, enough samples in a row were at the maximum.
            last_rise, last_stay = (np.maximum.accumulate(np.where(own, place, 0)) for own in (rises, stays))
            at_top = (size > 0) & (size == top) & (last_stay > 0) & (last_stay >= last_rise)
            proven = stays & (np.append(0, last_stay[:-1]) < last_rise)
        if not channels.start:
            marked |= at_top
        else:
            first = np.flatnonzero(proven)
            for before in range(1, c.CLIPPED_SAMPLES):
                at_top[first - before] = True
            values = np.clip(counts[:, channels], -c.MAX_COUNT, c.MAX_COUNT)
            # Samples before the proof have the clipped axes of the proof.
            reached = (np.abs(values) >= top[:, None]) & at_top[:, None]
            for before in range(1, c.CLIPPED_SAMPLES):
                reached[first - before] = reached[first]
                values[first - before] = values[first]
            clipped = np.where(reached, np.sign(values), 0)
    return marked, clipped
