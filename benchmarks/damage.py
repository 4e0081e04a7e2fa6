"""Damage a recording in the ways that occur in practice."""

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
    """Label the recording as the other foot."""
    return replace(recording, foot=FEET[1 - FEET.index(recording.foot)])


def gyro_bias(recording: Recording, rng: np.random.Generator) -> Recording:
    """Add or subtract 1 deg/s on each axis."""
    return replace(recording, gyr_radps=recording.gyr_radps + np.deg2rad(rng.choice([-1.0, 1.0], 3)))


def lost_samples(recording: Recording, rng: np.random.Generator) -> Recording:
    """Lose 5 % of the samples, two in a row on average; time stamps show the gaps."""
    return _sensed(recording, VirtualSensor(oversampling=1, lost=0.05), rng)


def clipped_gyroscope(recording: Recording, rng: np.random.Generator) -> Recording:
    """Clip at 500 deg/s; the full scale is not given."""
    return _sensed(recording, VirtualSensor(oversampling=1, gyr_range_radps=np.deg2rad(500.0)), rng)


def clipped_accelerometer(recording: Recording, rng: np.random.Generator) -> Recording:
    """Clip at 8 g; the full scale is not given."""
    return _sensed(recording, VirtualSensor(oversampling=1, acc_range_mps2=8 * STANDARD_GRAVITY_MPS2), rng)


def no_standing(recording: Recording, rng: np.random.Generator) -> Recording:
    """Keep the part from the middle of the first reference stride to the middle of the last one."""
    first, last = recording.reference.iloc[0], recording.reference.iloc[-1]
    return cut(recording, (first["start_s"] + first["end_s"]) / 2, (last["start_s"] + last["end_s"]) / 2)


def rate_too_high(recording: Recording, rng: np.random.Generator) -> Recording:
    """Give a sampling rate that is 10 % too high; times of the reference follow the true rate."""
    return _at_rate(recording, 1.1)


def rate_too_low(recording: Recording, rng: np.random.Generator) -> Recording:
    """Give a sampling rate that is 10 % too low."""
    return _at_rate(recording, 0.9)


def gyroscope_scale(recording: Recording, rng: np.random.Generator) -> Recording:
    """Make the angular rate 10 % too small."""
    return replace(recording, gyr_radps=0.9 * recording.gyr_radps, saturation=UNKNOWN)


def unreported_losses(recording: Recording, rng: np.random.Generator) -> Recording:
    """Lose 5 % of the samples, two in a row on average; nothing shows the gaps."""
    lossy = lost_samples(recording, rng)
    kept = ~lossy.lost
    place = np.cumsum(kept)  # index of each old sample in the new samples
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
    """Keep the part from the middle of the first reference stride on."""
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
# Damage that only a contradiction between both sensors can show, so it is not always detected.
HIDDEN_DAMAGES = {
    damage.__name__.replace("_", " "): damage
    for damage in (rate_too_high, rate_too_low, gyroscope_scale, unreported_losses)
}


def cut(recording: Recording, start_s: float, end_s: float) -> Recording:
    """Return the part between two times, with its reference strides."""
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
    """Return the union of ranges as ranges [k, 2] that neither overlap nor touch."""
    ranges = np.concatenate(gaps)
    lost = np.zeros(ranges.max(initial=0) + 2, dtype=int)
    for first, stop in ranges:
        lost[first + 1 : stop + 1] = 1
    edges = np.diff(lost)
    return np.column_stack([np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)])
