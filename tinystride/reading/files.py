"""Files to recordings: several files of one walk, one or both feet."""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from tinystride.datasets.recording import FEET, Recording, read_error
from tinystride.datasets.samples import AXES, check_recording
from tinystride.errors import DataError
from tinystride.reading.columns import ACC_WORDS, FOOT_WORDS, GYR_WORDS, tokens
from tinystride.reading.feet import foot_of_file, foot_of_signal
from tinystride.reading.options import ReadingOptions
from tinystride.reading.parts import Part
from tinystride.reading.signals import (
    Stream,
    even_stream,
    gaps_of,
    joined,
    scaled,
    slowed,
    without_stray_values,
)


def read_recordings(
    paths: Sequence[Path | str], options: ReadingOptions | None = None, root: Path | None = None
) -> list[Recording]:
    """Read the recordings in files of one walk, one per foot; their `notes` say what was assumed.

    A file may hold both feet, one of them, or an accelerometer or gyroscope alone, whose other half is in
    another of the files.

    Args:
        paths: the files
        options: facts that the caller knows; None: none
        root: folder that names of people are relative to; None: names are file names

    Returns:
        The recordings, in the order of the files.

    Raises:
        DataError: for a file that cannot be read
        ParameterError: for an option that does not fit
    """
    options = options or ReadingOptions()
    parts = [part for path in paths for part in read_parts(Path(path), options)]
    return recordings_of_parts(parts, options, root)


def recordings_of_parts(
    parts: Sequence[Part], options: ReadingOptions, root: Path | None = None
) -> list[Recording]:
    """Join the sensors of one walk to recordings.

    Args:
        parts: sensors of one walk
        options: facts that the caller knows
        root: folder that names of people are relative to

    Returns:
        The same as `read_recordings`.
    """
    halves = [part for part in parts if part.acc is None or part.gyr is None]
    whole = [part for part in parts if part.acc is not None and part.gyr is not None]
    recordings = [
        _recording(part, even, notes, options, root) for part, even, notes in map(_whole(options), whole)
    ]
    for acc, gyr in _pairs(halves):
        even, notes = _joined(acc, gyr, options)
        recordings.append(_recording(acc, even, notes, options, root))
    return recordings


def read_parts(path: Path, options: ReadingOptions) -> list[Part]:
    """Read the sensors in one file of any known format.

    Args:
        path: the file
        options: facts that the caller knows

    Returns:
        The sensors, in their own units.

    Raises:
        DataError: for a file that is missing or of an unknown format
    """
    if not path.is_file():
        problem = "is not a file" if path.exists() else "not found"
        raise read_error(path, problem, "name a file of a recording")
    from tinystride.reading import makers

    reader = makers.reader_of(path)
    return reader(path, options)


def family(path: Path) -> tuple[Path, str]:
    """Return (folder, name), equal for the files of an accelerometer and of a gyroscope of one sensor.

    Args:
        path: the file
    """
    words = [word for word in tokens(path.stem) if word not in ACC_WORDS | GYR_WORDS]
    return path.parent, " ".join(words)


def half_of_file(path: Path) -> str | None:
    """Return "acc" or "gyr" for a file that is named after one of them, else None.

    Args:
        path: the file
    """
    words = set(tokens(path.stem))
    named = [name for name, own in (("acc", ACC_WORDS), ("gyr", GYR_WORDS)) if words & own]
    return named[0] if len(named) == 1 else None


def _pairs(halves: list[Part]) -> list[tuple[Part, Part]]:
    accs = [part for part in halves if part.gyr is None]
    gyrs = [part for part in halves if part.acc is None]
    pairs = []
    for acc in accs:
        alike = [gyr for gyr in gyrs if family(gyr.path) == family(acc.path)]
        alike = alike or (gyrs if len(gyrs) == len(accs) == 1 else [])
        if len(alike) != 1:
            raise read_error(
                acc.path,
                "lacks the columns of a gyroscope; it needs " + ", ".join(AXES),
                "name them with --columns, or give the file of the gyroscope in the same call",
            )
        gyrs.remove(alike[0])
        pairs.append((acc, alike[0]))
    if gyrs:
        raise read_error(
            gyrs[0].path,
            "lacks the columns of an accelerometer; it needs " + ", ".join(AXES),
            "name them with --columns, or give the file of the accelerometer in the same call",
        )
    return pairs


def _whole(options: ReadingOptions) -> Callable[[Part], tuple[Part, Stream, list[str]]]:
    def even(part: Part) -> tuple[Part, Stream, list[str]]:
        assert part.acc is not None and part.gyr is not None
        acc, gyr, units = scaled(part.path, part.acc, part.gyr, part.units, options, part.placement.rate_hz)
        samples = without_stray_values(np.column_stack([acc, gyr]))
        stream, note = slowed(even_stream(part.path, part.placement, samples))
        return part, stream, [*_unit_notes(part, units, options), *([note] if note else [])]

    return even


def _unit_notes(part: Part, units: str, options: ReadingOptions) -> list[str]:
    given = [options.acc_unit or options.acc_scale, options.gyr_unit or options.gyr_scale]
    named = all(own or other for own, other in zip(part.units, given, strict=True))
    return [] if named else [f"units {units}"]


def _joined(acc: Part, gyr: Part, options: ReadingOptions) -> tuple[Stream, list[str]]:
    """Return the even samples of two files, and notes; units are found where both are on one grid."""
    if acc.clock and gyr.clock and acc.clock != gyr.clock and not {acc.clock, gyr.clock} & {"utc", "local"}:
        offset = [replace(part.placement, start_s=float("nan")) for part in (acc, gyr)]
    else:
        offset = [acc.placement, gyr.placement]
    assert acc.acc is not None and gyr.gyr is not None
    source = f"{acc.path} and {gyr.path.name}"
    raw = joined(source, even_stream(acc.path, offset[0], acc.acc), even_stream(gyr.path, offset[1], gyr.gyr))
    values, rates, units = scaled(
        source, raw.values[:, :3], raw.values[:, 3:], (acc.units[0], gyr.units[1]), options, raw.rate_hz
    )
    samples = without_stray_values(np.column_stack([values, rates]))
    raw.lost |= ~np.isfinite(samples).all(axis=1)
    raw.values = np.where(np.isfinite(samples), samples, 0.0)
    stream, note = slowed(raw)
    notes = [
        f"joined with {gyr.path.name}" + ("" if np.isfinite(raw.start_s) else " from their first samples")
    ]
    if not ((acc.units[0] or options.acc_unit) and (gyr.units[1] or options.gyr_unit)):
        notes.append(f"units {units}")
    return stream, [*notes, *([note] if note else [])]


def _recording(
    part: Part, stream: Stream, notes: list[str], options: ReadingOptions, root: Path | None
) -> Recording:
    gaps = gaps_of(stream.lost)
    foot, foot_note = options.foot, ""
    if foot is None:
        foot = part.foot
        if foot is None and (foot := foot_of_file(part.path)) is not None:
            foot_note = f"{foot} foot from the file's name"
    recording = Recording(
        dataset="own",
        subject=subject_of(part.path, root, half=part.gyr is None),
        trial="1",
        foot=foot or FEET[1],
        rate_hz=stream.rate_hz,
        acc_mps2=stream.values[:, :3],
        gyr_radps=stream.values[:, 3:],
        source=str(part.path),
        gaps=gaps,
        clock=part.clock,
        clock_start_s=stream.start_s if part.clock else float("nan"),
    )
    recording = check_recording(recording)
    if foot is None:
        foot = foot_of_signal(recording)
        foot_note = f"{foot} foot, by its motion"
    lost = int(stream.lost.sum())
    losses = [f"{_counted(lost, 'sample')} lost in {_counted(len(gaps), 'gap')}"] if lost else []
    jumps = len(part.placement.jumps)
    losses += [f"its clock jumps back {_counted(jumps, 'time')}: flagged there"] if jumps else []
    all_notes = [*part.assumed, *notes, *([foot_note] if foot_note else []), *part.noted, *losses]
    return replace(recording, foot=foot, notes=tuple(dict.fromkeys(all_notes)))


def _counted(number: int, noun: str) -> str:
    """Return "1 gap", "2 gaps"."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def subject_of(path: Path, root: Path | None = None, half: bool = False) -> str:
    """Return the person that a file is named after: its name without the foot, the same for both feet.

    Args:
        path: the file
        root: folder that the name is relative to; None: the file name alone
        half: leave out the names of accelerometer and gyroscope, too
    """
    stem = path.name
    while (suffix := Path(stem).suffix) and re.fullmatch(r"\.[A-Za-z][A-Za-z0-9]{0,4}", suffix):
        stem = Path(stem).stem
    sides = {word for words in FOOT_WORDS.values() for word in words}
    dropped = {"foot", *(ACC_WORDS | GYR_WORDS if half else ())}
    kept = [
        word
        for word in re.split(r"[^0-9A-Za-zÀ-ÿ=+@.\-]+", re.sub(r"(?<=[a-z])(?=(?:Left|Right)\b)", "_", stem))
        if word and word.lower() not in sides and word.lower() not in dropped
    ]
    name = "_".join(kept)
    try:
        folder = path.parent.relative_to(root) if root is not None else None
    except ValueError:
        folder = None
    if folder is not None and folder.parts:
        return "/".join([*folder.parts, name] if name else folder.parts)
    return name or path.parent.name or stem


__all__ = [
    "DataError",
    "family",
    "half_of_file",
    "read_parts",
    "read_recordings",
    "subject_of",
]
