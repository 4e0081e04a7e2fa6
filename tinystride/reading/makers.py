"""Readers of formats other than a plain table, chosen by a file's first bytes or its name."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tinystride.datasets.recording import read_error
from tinystride.errors import MissingExtraError
from tinystride.reading.clock import place_by_time
from tinystride.reading.columns import ON_FOOT, foot_of, tokens
from tinystride.reading.options import ReadingOptions
from tinystride.reading.parts import Part
from tinystride.reading.tables import parts_of_table, read_table_parts
from tinystride.reading.text import MAX_BYTES, read_text

Reader = Callable[[Path, ReadingOptions], list[Part]]


def reader_of(path: Path) -> Reader:
    """Return the reader for a file: HDF5 of APDM, .cwa of Axivity, BIDS motion, or a text table.

    Args:
        path: the file
    """
    with open(path, "rb") as file:
        magic = file.read(8)
    if magic == b"\x89HDF\r\n\x1a\n":
        return read_apdm
    if path.suffix.lower() == ".cwa" or magic[:2] == b"MD":
        return read_cwa
    if path.name.endswith("_motion.tsv"):
        return read_bids_motion
    return read_table_parts


def read_apdm(path: Path, options: ReadingOptions) -> list[Part]:
    """Read the foot sensors in an HDF5 file of APDM's Opals, format 5: m/s², rad/s, times in µs since 1970.

    Args:
        path: the file
        options: facts that the caller knows

    Returns:
        The sensors labelled as of a foot, or the only sensor.

    Raises:
        MissingExtraError: without the extra `hdf5`
        DataError: if the file is damaged, or HDF5 of another kind
    """
    try:
        import h5py
    except ImportError:
        raise MissingExtraError("h5py", "hdf5") from None
    _check_size(path)
    wrong = read_error(path, "is HDF5, but not APDM's format 5", "export the recording as csv")
    try:
        with h5py.File(path, "r") as file:
            sensors = file.get("Sensors")
            if not isinstance(sensors, h5py.Group):
                raise wrong
            found: dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]] = {}
            for key, group in sensors.items():
                if {"Accelerometer", "Gyroscope", "Time"} <= set(group):
                    label = _label(group) or key
                    acc, gyr, stamps = (
                        np.asarray(group[name], float) for name in ("Accelerometer", "Gyroscope", "Time")
                    )
                    found[label] = acc, gyr, stamps
    except (OSError, KeyError, ValueError, TypeError, RuntimeError, AttributeError) as error:
        raise read_error(path, f"is damaged HDF5 ({error})", "export the recording again") from None
    chosen = _on_feet(path, found, options)
    return [
        _part(path, label, *found[label], ("m/s2", "rad/s"), "utc", options, scale_s=1e-6) for label in chosen
    ]


def _label(group: Any) -> str:
    configuration = group.get("Configuration")
    label = configuration.attrs.get("Label 0", b"") if configuration is not None else b""
    return (label.decode(errors="replace") if isinstance(label, bytes) else str(label)).strip("\0 ")


def _on_feet(path: Path, found: dict[str, Any], options: ReadingOptions) -> list[str]:
    """Return the labels of the sensors on feet, or the only label; raise DataError otherwise."""
    on_feet = [label for label in found if set(tokens(label)) & ON_FOOT and foot_of(label)]
    on_feet = [label for label in on_feet if options.foot in (None, foot_of(label))]
    if on_feet:
        return sorted(on_feet)
    if len(found) != 1:
        raise read_error(
            path,
            f"contains no sensor labelled as on a foot ({', '.join(found) or 'no sensor'})",
            "label them Left Foot and Right Foot, or export those of the feet",
        )
    return list(found)


def read_cwa(path: Path, options: ReadingOptions) -> list[Part]:
    """Read the samples of an Axivity AX6: g and deg/s.

    Args:
        path: the file
        options: facts that the caller knows

    Returns:
        The sensor.

    Raises:
        MissingExtraError: without the extra `cwa`
        DataError: if the file is damaged, or of an AX3, which has no gyroscope
    """
    try:
        import cwa_reader_rs
    except ImportError:
        raise MissingExtraError("cwa-reader-rs", "cwa") from None
    _check_size(path)
    try:
        table = cwa_reader_rs.read_cwa_file(
            str(path),
            include_magnetometer=False,
            include_temperature=False,
            include_light=False,
            include_battery=False,
        )
    except BaseException as error:
        # Panics of the reader are not derived from Exception.
        if isinstance(error, KeyboardInterrupt | SystemExit | MemoryError):
            raise
        raise read_error(path, f"cannot be read as a cwa file ({error})", "download it again") from None
    axes = [f"{kind}_{axis}" for kind in ("acc", "gyro") for axis in "xyz"]
    if any(axis not in table for axis in axes):
        raise read_error(path, "contains no gyroscope", "use an AX6 with its gyroscope switched on")
    time_ns = table.index.to_numpy("datetime64[ns]").astype(np.int64)
    samples = table[axes].to_numpy(float)
    return [_part(path, "", samples[:, :3], samples[:, 3:], time_ns / 1e9, ("g", "deg/s"), "local", options)]


def read_bids_motion(path: Path, options: ReadingOptions) -> list[Part]:
    """Read a *_motion.tsv of BIDS; *_channels.tsv beside it has its columns, *_motion.json its rate.

    Args:
        path: the file
        options: facts that the caller knows

    Returns:
        The sensors.

    Raises:
        DataError: if the files do not fit together
    """
    stem = path.name[: -len("_motion.tsv")]
    channels, sidecar = path.with_name(f"{stem}_channels.tsv"), path.with_name(f"{stem}_motion.json")
    table = read_text(path)
    rate_hz = None
    if channels.is_file() and not table.names:
        rows = [line.split("\t") for line in channels.read_text(encoding="utf-8-sig").splitlines() if line]
        header = [cell.strip().lower() for cell in rows[0]]
        if "name" not in header:
            raise read_error(channels, "has no column name", "restore it")
        kinds = {"accel": "acc", "gyro": "gyr", "magn": "mag", "latency": "time"}
        for row in rows[1:]:
            cells = dict(zip(header, row, strict=False))
            kind = cells.get("type", "").strip().lower()
            point = cells.get("tracked_point", "").strip()
            name = f"{point} {kinds.get(kind, kind)} {cells.get('component', '')}" if kind else cells["name"]
            table.names = [[*(table.names[0] if table.names else []), name]]
            table.units = [*(table.units if len(table.names[0]) > 1 else []), cells.get("units", "")]
    if sidecar.is_file():
        try:
            rate_hz = float(json.loads(sidecar.read_text(encoding="utf-8"))["SamplingFrequency"])
        except (ValueError, KeyError, TypeError):
            rate_hz = None
    return parts_of_table(table, options, rate_hz)


def _part(
    path: Path,
    label: str,
    acc: np.ndarray,
    gyr: np.ndarray,
    stamps: np.ndarray,
    units: tuple[str, str],
    clock: str,
    options: ReadingOptions,
    scale_s: float = 1.0,
) -> Part:
    if acc.ndim != 2 or acc.shape[1] != 3 or acc.shape != gyr.shape or len(stamps) != len(acc):
        raise read_error(path, f"its samples have the shapes {acc.shape} and {gyr.shape}", "export it again")
    placement = place_by_time(path, stamps * scale_s, options.rate_hz)
    return Part(
        path=path,
        foot=foot_of(label),
        label=label,
        acc=acc,
        gyr=gyr,
        units=units,
        placement=placement,
        clock=clock,
        assumed=[
            f"{placement.rate_hz:.6g} Hz from its time stamps",
            *([f"sensor {label!r}"] if label else []),
        ],
        noted=list(placement.notes),
    )


def _check_size(path: Path) -> None:
    if path.stat().st_size > MAX_BYTES:
        raise read_error(
            path, f"is larger than {MAX_BYTES // 1_000_000} MB", "split it into recordings of a few hours"
        )
