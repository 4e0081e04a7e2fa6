"""Meaning of a table's columns, from their names: axes of sensors, and time."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from tinystride.datasets.recording import FEET, read_error
from tinystride.datasets.samples import AXES
from tinystride.errors import ParameterError
from tinystride.reading.units import COUNTS, unit_of

TIME = "time"
ACC_WORDS = {
    "acc", "accel", "accelerometer", "acceleration", "accelerations", "accelero", "accl", "accelerometers",
    "beschleunigung", "accelerometre", "acelerometro", "accelerometro",
}  # fmt: skip
GYR_WORDS = {
    "gyr", "gyro", "gyros", "gyroscope", "gyroscopes", "gyrometer", "omega", "angvel", "angularvelocity",
    "angularrate", "rotationrate", "rateofturn", "turnrate", "rotrate", "gyroskop", "giroscopio", "drehrate",
}  # fmt: skip
GYR_PHRASES = (
    "angular velocity", "angular rate", "rotation rate", "rotational rate", "rotational velocity",
    "rate of turn", "turn rate", "ang vel", "angular vel", "rot rate", "ang rate",
)  # fmt: skip
OTHER_WORDS = {
    "mag", "magn", "magnet", "magneto", "magnetometer", "magnetic", "quat", "quaternion", "q", "dq", "dv",
    "euler", "mat",
    "orientation", "gravity", "grav", "jerk", "norm", "magnitude", "bias", "offset", "temp",
    "temperature", "position", "pos", "velocity", "vel", "pressure", "baro", "m", "std", "mean", "rot",
    "attitude", "displacement",
}  # fmt: skip
WITHOUT_GRAVITY = {"free", "user", "nogravity", "gravityfree"}
# Ranks of several versions of one sensor: the calibrated one first, then the range that a foot needs.
RANKS = {
    "cal": 2, "calibrated": 2, "raw": -2, "uncal": -2, "uncalibrated": -2, "wr": 1, "wide": 1, "ln": -1,
    "noise": -1, "linear": -3, "lin": -3, "highg": -2, "high": -2,
}  # fmt: skip
FILLERS = {
    *RANKS,
    "axis",
    "sensor",
    "imu",
    "data",
    "value",
    "inertial",
    "signal",
    "in",
    "low",
    "range",
    "of",
    "lowg",
}
FOOT_WORDS = {
    "left": {"left", "l", "lf", "lt", "lfoot", "leftfoot", "links", "gauche"},
    "right": {"right", "r", "rf", "rt", "rfoot", "rightfoot", "rechts", "droite", "droit"},
}
ON_FOOT = {"foot", "feet", "shoe", "insole", "heel", "toe", "instep", "fuss", "pied"}
TIME_WORDS = {
    "time", "times", "timestamp", "timestamps", "timestep", "t", "epoch", "epoc", "elapsed", "clock",
    "datetime", "utc", "seconds", "sec", "secs", "millis", "milliseconds",
    "micros", "microseconds", "ts", "unix", "zeit",
    "zeitstempel", "temps", "tiempo", "sampletimefine", "ms", "us", "localtime", "date", "timesec", "timems",
}  # fmt: skip
COUNTER_WORDS = {
    "counter", "packetcounter", "packet", "sample", "samples", "index", "frame", "frames", "seq", "sequence",
    "count", "idx", "nr", "no", "row", "number",
}  # fmt: skip
_GLUED = re.compile(
    r"(?P<word>acceleration|accelerometer|accel|accl|acc|gyroscope|gyro|gyr|angvel|omega|a|g|w)(?P<axis>[xyz])$"
)
_AXIS_FIRST = re.compile(r"(?P<axis>[xyz])(?P<word>accel|acc|gyro|gyr)$")
_NUMBERED = re.compile(r"(?P<word>accelerometer|accel|acc|gyroscope|gyro|gyr|a|g|w)(?P<axis>[0-3])$")


@dataclass(frozen=True)
class Sensor:
    """Columns of one sensor.

    Attributes:
        foot: "left" or "right"; None: not named
        label: words of the names that are common to its columns
        acc: numbers of the accelerometer's columns, from 0; empty if the file lacks it
        gyr: numbers of the gyroscope's columns, from 0; empty if the file lacks it
        acc_unit: unit in the names, or None
        gyr_unit: unit in the names, or None
    """

    foot: str | None
    label: str
    acc: tuple[int, ...]
    gyr: tuple[int, ...]
    acc_unit: str | None = None
    gyr_unit: str | None = None


@dataclass(frozen=True)
class TimeColumn:
    """A column that may hold the time.

    Attributes:
        number: number of the column, from 0
        name: name of the column
        unit: unit in its name, or None
        counts: whether it counts samples
    """

    number: int
    name: str
    unit: str | None
    counts: bool = False


@dataclass(frozen=True)
class Columns:
    """Meaning of a table's columns.

    Attributes:
        sensors: columns of each sensor
        times: columns that may hold the time
        assumed: whether other names than acc_x … gyr_z were understood
    """

    sensors: list[Sensor]
    times: list[TimeColumn]
    assumed: bool


@dataclass(frozen=True)
class _Channel:
    number: int
    sensor: str
    axis: int
    foot: str | None
    key: str
    rank: int
    unit: str | None


def tokens(name: str) -> list[str]:
    """Return the words of a name in lower case: gyro, x, cal for "GyroX_CAL".

    Args:
        name: name of a column or file
    """
    name = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", name)
    return [word for word in re.split(r"[^0-9a-zA-Zµμ°]+", name.lower()) if word]


def foot_of(name: str) -> str | None:
    """Return the foot that a name contains, such as "walk_LF" or "left_acc_x"; None for neither or both.

    Args:
        name: name of a column or file
    """
    words = set(tokens(name))
    found = [foot for foot in FEET if words & FOOT_WORDS[foot]]
    return found[0] if len(found) == 1 else None


def name_and_unit(name: str, quantities: Iterable[str]) -> tuple[str, str | None]:
    """Split a name from the unit at its end: "Accelerometer X", "g" for "Accelerometer X (g)".

    Args:
        name: name of a column
        quantities: whose units may follow: "acc", "gyr", "time"

    Returns:
        Name and unit, or None without a unit.
    """
    bracket = re.search(r"[\(\[\{](.*)[\)\]\}]\s*$", name)
    tails = [(name[: bracket.start()], bracket.group(1))] if bracket else []
    tails += [(name[: match.start()], name[match.end() :]) for match in re.finditer(r"[_\s,:;/]+", name)]
    for head, tail in tails:
        if head.strip() and tail:
            unit = next((unit for quantity in quantities if (unit := unit_of(tail, quantity))), None)
            if unit:
                return head.strip(), unit
    return name, None


def find_columns(
    path: Path, names: list[list[str]], units: list[str], chosen: Mapping[str, str], time_column: str | None
) -> Columns:
    """Find the meaning of a table's columns from its header rows, its row of units and the caller's choice.

    Args:
        path: the file, for messages and its name
        names: header rows
        units: row of units, "" if a column has none
        chosen: {"acc_x" or "left_acc_x" or "time": name or number from 1}
        time_column: name or number of the time column, or None

    Returns:
        Sensors and time columns.

    Raises:
        DataError: if axes are missing or come twice
        ParameterError: for a choice that the file does not have
    """
    width = len(units) if units else max((len(row) for row in names), default=0)
    titles = _titles(names, width)
    best: tuple[tuple[int, int], list[Sensor], bool] | None = None
    trouble = None
    for row in titles:
        channels = [
            c for number, name in enumerate(row) if (c := _channel(path, number, name, _at(units, number)))
        ]
        try:
            sensors = _sensors(path, row, channels)
        except _Ambiguous as error:
            trouble = trouble or error
            continue
        score = (
            sum(bool(s.acc) and bool(s.gyr) for s in sensors),
            sum(bool(s.acc) + bool(s.gyr) for s in sensors),
        )
        if best is None or score > best[0]:
            plain = {name.lower() for name in row} >= set(AXES)
            best = (score, sensors, not plain)
    if chosen:
        sensors, best_assumed = _chosen_sensors(path, names, width, chosen, best[1] if best else []), False
    elif best is None:
        raise trouble.error if trouble else _missing(path, titles, names)
    else:
        _, sensors, best_assumed = best
    if not any(sensor.acc or sensor.gyr for sensor in sensors):
        raise _missing(path, titles, names)
    wanted = time_column or chosen.get(TIME)
    times = _times(titles, units, {n for s in sensors for n in (*s.acc, *s.gyr)})
    if wanted is not None:
        number = column_number(path, names, width, wanted)
        name = titles[0][number] if titles else wanted
        times = [TimeColumn(number, name, _time_unit(name, _at(units, number)))]
    return Columns(sensors, times, best_assumed)


class _Ambiguous(Exception):
    def __init__(self, error: Exception):
        super().__init__(str(error))
        self.error = error


def _at(cells: list[str], number: int) -> str:
    return cells[number] if number < len(cells) else ""


def _titles(names: list[list[str]], width: int) -> list[list[str]]:
    """Return the ways to read the header rows: the last one alone, all together, the first one alone."""
    if not names:
        return []
    filled = []
    for position, row in enumerate(names):
        cells = (row + [""] * width)[:width]
        if position < len(names) - 1:
            for number in range(1, width):
                cells[number] = cells[number] or cells[number - 1]
        filled.append(cells)
    together = [" ".join(cell for cell in cells if cell) for cells in zip(*filled, strict=True)]
    ways = [[_at(names[-1], number) for number in range(width)], together, filled[0]]
    return [way for position, way in enumerate(ways) if way not in ways[:position]]


def _channel(path: Path, number: int, name: str, unit_cell: str) -> _Channel | None:
    title, unit = name_and_unit(name, ("acc", "gyr"))
    if unit_cell:
        unit = unit_of(unit_cell, "acc") or unit_of(unit_cell, "gyr") or unit
    words = tokens(title)
    phrase = " ".join(words)
    for gyr in GYR_PHRASES:
        phrase = re.sub(rf"\b{gyr}\b", "gyr", phrase)
    words = phrase.split()
    sensor, axis, rest, rank = None, None, [], 0
    for word in words:
        match = _GLUED.match(word) or _AXIS_FIRST.match(word) or _NUMBERED.match(word)
        if word in ACC_WORDS or word in GYR_WORDS:
            sensor = sensor or ("acc" if word in ACC_WORDS else "gyr")
        elif word in ("x", "y", "z"):
            axis = "xyz".index(word)
        elif match and axis is None:
            at = match.group("axis")
            axis = int(at) if at.isdigit() else "xyz".index(at)
            stem = match.group("word")
            sensor = sensor or ("acc" if stem[0] == "a" and stem != "angvel" else "gyr")
        elif word in OTHER_WORDS:
            return None
        elif word in FILLERS:
            rank += RANKS.get(word, 0)
        elif word in WITHOUT_GRAVITY:
            rank -= 100
        else:
            rest.append(word)
    if axis is None and sensor is not None and rest and rest[-1] in ("0", "1", "2", "3"):
        axis = int(rest.pop())
    if axis is None:
        return None
    if sensor is None and unit not in (None, COUNTS):
        sensor = "acc" if unit_of(unit, "acc") else "gyr"
    if sensor is None and len(rest) == 1 and rest[0] in ("a", "g", "w"):
        sensor = "acc" if rest.pop() == "a" else "gyr"
    if sensor is None:
        # Columns x, y, z in a file that is named after its sensor.
        of_file = set(tokens(path.stem))
        named = [s for s, words in (("acc", ACC_WORDS), ("gyr", GYR_WORDS)) if of_file & words]
        if len(named) != 1 or of_file & {"mag", "magnetometer"}:
            return None
        sensor = named[0]
    if unit is not None and unit != COUNTS and not unit_of(unit, sensor):
        return None
    foot = next((f for f in FEET if set(rest) & FOOT_WORDS[f]), None)
    key = " ".join(word for word in rest if foot is None or word not in FOOT_WORDS[foot])
    return _Channel(number, sensor, axis, foot, key, rank, unit)


def _sensors(path: Path, row: list[str], channels: list[_Channel]) -> list[Sensor]:
    """Join complete triples of channels to sensors."""
    if (
        channels
        and all(c.rank <= -50 for c in channels if c.sensor == "acc")
        and any(c.sensor == "acc" for c in channels)
    ):
        name = next(row[c.number] for c in channels if c.sensor == "acc")
        raise _Ambiguous(
            read_error(
                path,
                f"gravity was removed from its acceleration ({name})",
                "export the acceleration with gravity, as the sensor measures it",
            )
        )
    channels = [c for c in channels if c.rank > -50]
    triples: dict[tuple[str | None, str, str], dict[int, _Channel]] = {}
    for c in channels:
        triple = triples.setdefault((c.foot, c.key, c.sensor), {})
        other = triple.get(c.axis)
        if other is not None and other.rank == c.rank:
            raise _Ambiguous(
                read_error(path, f"has the column {row[c.number]!r} more than once", "keep one of them")
            )
        if other is None or c.rank > other.rank:
            triple[c.axis] = c
    shifted = {key: _from_zero(triple) for key, triple in triples.items()}
    whole = {key: triple for key, triple in shifted.items() if set(triple) == {0, 1, 2}}
    sensors = []
    for foot in (*FEET, None):
        sides: dict[str, dict[str, dict[int, _Channel]]] = {"acc": {}, "gyr": {}}
        for (side, key, kind), triple in whole.items():
            if side == foot:
                sides[kind][key] = triple
        both = sorted(set(sides["acc"]) & set(sides["gyr"]))
        if not both and len(sides["acc"]) == len(sides["gyr"]) == 1:
            ((acc_key, acc),) = sides["acc"].items()
            (gyr,) = sides["gyr"].values()
            sensors.append(_sensor(foot, acc_key, acc, gyr))
            continue
        if len(both) > 1:
            both = [key for key in both if set(key.split()) & ON_FOOT] or both
        if len(both) > 1:
            raise _Ambiguous(
                read_error(
                    path,
                    f"contains several sensors ({', '.join(key or 'unnamed' for key in both)})",
                    "choose one with --columns acc_x=NAME,acc_y=NAME,…",
                )
            )
        if both:
            sensors.append(_sensor(foot, both[0], sides["acc"][both[0]], sides["gyr"][both[0]]))
        elif sides["acc"] or sides["gyr"]:
            acc = next(iter(sides["acc"].values()), {})
            gyr = next(iter(sides["gyr"].values()), {})
            sensors.append(_sensor(foot, "", acc, gyr))
    complete = [sensor for sensor in sensors if sensor.acc and sensor.gyr]
    with_foot = [sensor for sensor in complete if sensor.foot]
    return with_foot or complete or sensors


def _from_zero(triple: dict[int, _Channel]) -> dict[int, _Channel]:
    """Number axes that are counted 1, 2, 3 as 0, 1, 2."""
    if set(triple) == {1, 2, 3}:
        return {axis - 1: replace(channel, axis=axis - 1) for axis, channel in triple.items()}
    return triple


def _sensor(foot: str | None, label: str, acc: dict[int, _Channel], gyr: dict[int, _Channel]) -> Sensor:
    return Sensor(
        foot,
        label,
        tuple(acc[axis].number for axis in sorted(acc)),
        tuple(gyr[axis].number for axis in sorted(gyr)),
        acc[0].unit if acc else None,
        gyr[0].unit if gyr else None,
    )


def _chosen_sensors(
    path: Path, names: list[list[str]], width: int, chosen: Mapping[str, str], found: list[Sensor]
) -> list[Sensor]:
    sensors = []
    for foot in (None, *FEET):
        prefix = f"{foot}_" if foot else ""
        numbers = {
            axis: column_number(path, names, width, chosen[prefix + axis])
            for axis in AXES
            if prefix + axis in chosen
        }
        if not numbers:
            continue
        other = next((s for s in found if s.foot == foot), None)
        if other and other.acc and other.gyr:
            # A choice of some axes completes the axes found by name.
            numbers = dict(zip(AXES, (*other.acc, *other.gyr), strict=True)) | numbers
        missing = [axis for axis in AXES if axis not in numbers]
        if missing:
            raise ParameterError(f"--columns lacks {prefix}{missing[0]}: name all of {', '.join(AXES)}")
        title = _titles(names, width)[0] if names else [""] * width
        units = {}
        for quantity, axis in (("acc", "acc_x"), ("gyr", "gyr_x")):
            units[quantity] = name_and_unit(title[numbers[axis]], (quantity,))[1]
        values = tuple(numbers[axis] for axis in AXES)
        sensors.append(Sensor(foot, "", values[:3], values[3:], units["acc"], units["gyr"]))
    return sensors or found


def column_number(path: Path, names: list[list[str]], width: int, wanted: str) -> int:
    """Return the number, from 0, of the column that a user names or numbers.

    Args:
        path: the file, for messages
        names: header rows
        width: number of columns
        wanted: name, or number from 1

    Raises:
        ParameterError: if there is no such column, or several
    """
    wanted = wanted.strip()
    for row in [*_titles(names, width), *names]:
        plain = [cell.strip().lower() for cell in row]
        if wanted.lower() in plain:
            if plain.count(wanted.lower()) > 1:
                raise ParameterError(
                    f"{path}: has several columns {wanted!r}; name them by their numbers from 1 to {width}"
                )
            return plain.index(wanted.lower())
    if wanted.isdigit() and 1 <= int(wanted) <= width:
        return int(wanted) - 1
    raise ParameterError(f"{path}: has no column {wanted!r}; {_remedy(_titles(names, width), width)}")


def _times(titles: list[list[str]], units: list[str], taken: set[int]) -> list[TimeColumn]:
    """Return the columns that may hold the time, counters of samples last."""
    found: dict[int, TimeColumn] = {}
    for row in titles[:2]:
        for number, name in enumerate(row):
            if number in taken or number in found:
                continue
            words = set(tokens(name))
            unnamed = number == 0 and (not words or words <= {"unnamed", "0", "axis", "sensor"})
            counts = (bool(words & COUNTER_WORDS) and not words & (TIME_WORDS - {"t"})) or words == {"axis"}
            if unnamed or counts or words & TIME_WORDS or "sample time fine" in " ".join(tokens(name)):
                found[number] = TimeColumn(
                    number, name or "first column", _time_unit(name, _at(units, number)), counts
                )
    return list(found.values())


def _time_unit(name: str, unit_cell: str) -> str | None:
    unit = unit_of(unit_cell, "time") if unit_cell else None
    if unit is None:
        unit = name_and_unit(name, ("time",))[1]
    if unit is None:
        words = set(tokens(name))
        for candidate, spelled in (
            ("us", {"microsec", "micros", "microseconds", "usec", "us"}),
            ("ms", {"millisec", "millis", "milliseconds", "msec", "ms"}),
            ("ns", {"nanosec", "nanos", "nanoseconds", "ns"}),
            ("s", {"seconds", "sec", "secs"}),
        ):
            if words & spelled:
                return candidate
    return unit


def _missing(path: Path, titles: list[list[str]], names: list[list[str]]) -> Exception:
    if not names:
        return read_error(
            path,
            "has no column names",
            "number them: --columns time=1,acc_x=2,acc_y=3,acc_z=4,gyr_x=5,gyr_y=6,gyr_z=7",
        )
    return read_error(path, "has no columns of an accelerometer and a gyroscope", _remedy(titles))


def _remedy(titles: list[list[str]], width: int = 0) -> str:
    cells = [cell for cell in (titles[0] if titles else []) if cell]
    if not cells:
        return f"its columns have the numbers 1 to {width}"
    shown = ", ".join(cells[:12]) + (", …" if len(cells) > 12 else "")
    return f"name them with --columns acc_x=NAME,…; it has {shown}"[:400]
