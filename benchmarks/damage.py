"""What can be wrong with a recording, done to one on purpose."""

from dataclasses import replace

import numpy as np
from scipy.spatial.transform import Rotation

from tinystride.datasets.recording import FEET, Recording
from tinystride.datasets.samples import STANDARD_GRAVITY_MPS2
from tinystride.datasets.virtual_sensor import VirtualSensor

UNKNOWN = (float("nan"), float("nan"))


def turned_mounting(recording: Recording, rng: np.random.Generator) -> Recording:
    return _rotated(recording, Rotation.random(random_state=rng).as_matrix())


def upside_down(recording: Recording, rng: np.random.Generator) -> Recording:
    return _rotated(recording, np.diag([1.0, -1.0, -1.0]))


def other_foot(recording: Recording, rng: np.random.Generator) -> Recording:
    """Said to be the other foot."""
    return replace(recording, foot=FEET[1 - FEET.index(recording.foot)])


def gyro_bias(recording: Recording, rng: np.random.Generator) -> Recording:
    """1 deg/s more or less on each axis."""
    return replace(recording, gyr_radps=recording.gyr_radps + np.deg2rad(rng.choice([-1.0, 1.0], 3)))


def lost_samples(recording: Recording, rng: np.random.Generator) -> Recording:
    """5 % of the samples, two in a row on average; time stamps tell which."""
    return _sensed(recording, VirtualSensor(oversampling=1, lost=0.05), rng)


def clipped_gyroscope(recording: Recording, rng: np.random.Generator) -> Recording:
    """At 500 deg/s, which nobody says."""
    return _sensed(recording, VirtualSensor(oversampling=1, gyr_range_radps=np.deg2rad(500.0)), rng)


def clipped_accelerometer(recording: Recording, rng: np.random.Generator) -> Recording:
    """At 8 g, which nobody says."""
    return _sensed(recording, VirtualSensor(oversampling=1, acc_range_mps2=8 * STANDARD_GRAVITY_MPS2), rng)


def no_standing(recording: Recording, rng: np.random.Generator) -> Recording:
    """From the middle of the first reference stride to the middle of the last one."""
    first, last = recording.reference.iloc[0], recording.reference.iloc[-1]
    return cut(recording, (first["start_s"] + first["end_s"]) / 2, (last["start_s"] + last["end_s"]) / 2)


def rate_too_high(recording: Recording, rng: np.random.Generator) -> Recording:
    """Said to be a tenth higher than it is. Its reference's times are those of the true rate."""
    return _at_rate(recording, 1.1)


def rate_too_low(recording: Recording, rng: np.random.Generator) -> Recording:
    """Said to be a tenth lower than it is."""
    return _at_rate(recording, 0.9)


def gyroscope_scale(recording: Recording, rng: np.random.Generator) -> Recording:
    """A tenth too small."""
    return replace(recording, gyr_radps=0.9 * recording.gyr_radps, saturation=UNKNOWN)


def untold_losses(recording: Recording, rng: np.random.Generator) -> Recording:
    """5 % of the samples, two in a row on average, without anything that tells of it."""
    lossy = lost_samples(recording, rng)
    kept = ~lossy.lost
    place = np.cumsum(kept)  # of each old sample among the new ones
    reference = recording.reference
    moved = {
        name: place[(reference[name] * recording.rate_hz).astype(int).clip(0, len(place) - 1)]
        / recording.rate_hz
        for name in ("start_s", "end_s")
    }
    return replace(
        lossy,
        acc_mps2=lossy.acc_mps2[kept],
        gyr_radps=lossy.gyr_radps[kept],
        gaps=np.zeros((0, 2), dtype=np.int64),
        walking_s=None,
        turns_s=np.zeros((0, 2)),
        reference=reference.assign(**moved),
    )


def mid_stride_start(recording: Recording, rng: np.random.Generator) -> Recording:
    """From the middle of the first reference stride."""
    first = recording.reference.iloc[0]
    return cut(recording, (first["start_s"] + first["end_s"]) / 2, recording.duration_s)


DAMAGES = {
    damage.__name__.replace("_", " "): damage
    for damage in (
        turned_mounting,
        upside_down,
        other_foot,
        gyro_bias,
        lost_samples,
        clipped_gyroscope,
        clipped_accelerometer,
        no_standing,
        mid_stride_start,
    )
}
# What only a contradiction between the two sensors can tell, and so not always.
UNTOLD = {
    damage.__name__.replace("_", " "): damage
    for damage in (rate_too_high, rate_too_low, gyroscope_scale, untold_losses)
}


def cut(recording: Recording, start_s: float, end_s: float) -> Recording:
    """The part between two times, with the reference strides that lie in it."""
    first, stop = round(start_s * recording.rate_hz), round(end_s * recording.rate_hz)
    offset_s = first / recording.rate_hz
    reference = recording.reference
    inside = (reference["start_s"] >= offset_s) & (reference["end_s"] <= stop / recording.rate_hz)
    gaps = recording.gaps[(recording.gaps[:, 0] >= first) & (recording.gaps[:, 1] <= stop)]
    return replace(
        recording,
        acc_mps2=recording.acc_mps2[first:stop],
        gyr_radps=recording.gyr_radps[first:stop],
        gaps=gaps - first,
        walking_s=None,
        turns_s=recording.turns_s - offset_s,
        reference=reference[inside].assign(
            start_s=reference["start_s"] - offset_s, end_s=reference["end_s"] - offset_s
        ),
    )


def _at_rate(recording: Recording, factor: float) -> Recording:
    reference = recording.reference
    return replace(
        recording,
        rate_hz=recording.rate_hz * factor,
        walking_s=None,
        turns_s=recording.turns_s / factor,
        reference=reference.assign(start_s=reference["start_s"] / factor, end_s=reference["end_s"] / factor),
    )


def _rotated(recording: Recording, rotation: np.ndarray) -> Recording:
    return replace(
        recording,
        acc_mps2=recording.acc_mps2 @ rotation,
        gyr_radps=recording.gyr_radps @ rotation,
        saturation=UNKNOWN,
    )


def _sensed(recording: Recording, sensor: VirtualSensor, rng: np.random.Generator) -> Recording:
    acc, gyr, gaps, _ = sensor.measure(recording.acc_mps2, recording.gyr_radps, recording.rate_hz, rng)
    return replace(
        recording, acc_mps2=acc, gyr_radps=gyr, gaps=_union(recording.gaps, gaps), saturation=UNKNOWN
    )


def _union(*gaps: np.ndarray) -> np.ndarray:
    """Ranges [k, 2] without overlaps, and with neighbours joined, of all ranges."""
    ranges = np.concatenate(gaps)
    lost = np.zeros(ranges.max(initial=0) + 2, dtype=int)
    for first, stop in ranges:
        lost[first + 1 : stop + 1] = 1
    edges = np.diff(lost)
    return np.column_stack([np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)])
