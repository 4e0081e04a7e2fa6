"""Simulated recordings of activities other than level walking, in which an estimator must not report lengths.

Rough models: frequencies and sizes are plausible, nothing is fitted to recordings. Gaits other than walking
    have
their exact (horizontal) stride lengths as reference; other activities have no reference.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from tinystride.datasets.foot_motion import FootShape, Motion, smooth_step
from tinystride.datasets.recording import FEET, Recording
from tinystride.datasets.simulator import IDEAL_SENSOR, check_request, record, simulate_walk
from tinystride.datasets.virtual_sensor import VirtualSensor
from tinystride.datasets.walker import Leg, SimulatedSubject
from tinystride.validation import one_of, real_number

DATASET = "simulated-activity"


@dataclass(frozen=True)
class _Gait:
    """A gait as changes of a walking subject; climb_m: height gained per stride."""

    speed_mps: float
    step_m: float
    changes: dict
    climb_m: float = 0.0


def _as(
    push_off_deg: float, toe_up_deg: float, clearance_m: float, stance_fraction: float = 0.64, **more: float
) -> dict:
    return {
        "push_off_rad": np.deg2rad(push_off_deg),
        "toe_up_rad": np.deg2rad(toe_up_deg),
        "clearance_m": clearance_m,
        "stance_fraction": stance_fraction,
        **more,
    }


GAITS = {
    # Cadence 160 /min, stance a third of the stride, hard landing.
    "running": _Gait(
        2.8, 1.05, _as(85.0, 15.0, 0.05, stance_fraction=0.36, impact_mps2=45.0, release_mps2=40.0)
    ),
    # Steps of 17 by 29 cm; the clearance is above the step that the foot leaves.
    "stairs-up": _Gait(0.5, 0.29, _as(45.0, 9.0, 0.23), climb_m=0.34),
    "stairs-down": _Gait(0.55, 0.29, _as(40.0, 9.0, -0.22, impact_mps2=30.0), climb_m=-0.34),
    # Feet stay close to the floor.
    "shuffling": _Gait(
        0.3, 0.2, _as(14.0, 8.0, 0.002, impact_mps2=5.0, release_mps2=3.0, roll_over_rad=np.deg2rad(1.0))
    ),
}


def _noise(
    rng: np.random.Generator, time_s: np.ndarray, low_hz: float, high_hz: float, rms: ArrayLike
) -> np.ndarray:
    """Return smooth random motion [n, 3] of the given rms per axis: 24 sinusoids between two frequencies."""
    hz = rng.uniform(low_hz, high_hz, (24, 3))
    phase = rng.uniform(0, 2 * np.pi, (24, 3))
    waves = sum(np.sin(2 * np.pi * f * time_s[:, None] + p) for f, p in zip(hz, phase, strict=True))
    return waves / np.sqrt(12) * np.asarray(rms)


def _bursts(rng: np.random.Generator, time_s: np.ndarray, on_s: float, off_s: float) -> np.ndarray:
    """Return an envelope [n, 1] that rises to 1 for about `on_s` after pauses of about `off_s`."""
    envelope, at_s = np.zeros_like(time_s), off_s
    while at_s < time_s[-1]:
        length_s = on_s * rng.uniform(0.5, 1.5)
        envelope += smooth_step((time_s - at_s) / 0.3) - smooth_step((time_s - at_s - length_s) / 0.3)
        at_s += length_s + off_s * rng.uniform(0.7, 1.5)
    return envelope[:, None]


def _levels(
    rng: np.random.Generator, time_s: np.ndarray, hold_s: float, move_s: float, low: float, high: float
) -> np.ndarray:
    """Return a level [n] between two bounds, held for about `hold_s`, then moved within about `move_s`."""
    changes = int(3 * time_s[-1] / (hold_s + move_s)) + 2
    level = rng.uniform(low, high, changes + 1)
    length_s = move_s * rng.uniform(0.5, 1.5, changes)
    start_s = np.cumsum(hold_s * rng.uniform(0.3, 1.7, changes) + length_s) - length_s
    last = np.searchsorted(start_s, time_s).clip(1, changes) - 1
    return level[last] + np.diff(level)[last] * smooth_step((time_s - start_s[last]) / length_s[last])


def _standing(rng: np.random.Generator, time_s: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return pose of swaying, with the weight shifting between the feet now and then."""
    shifts = _bursts(rng, time_s, 2.0, 6.0) * np.deg2rad([3.0, 1.5, 1.0])
    return 0.06 * shifts[:, [1, 0, 2]], shifts + _noise(rng, time_s, 0.1, 1.0, np.deg2rad(0.15))


def _sitting(rng: np.random.Generator, time_s: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return pose of a foot that is moved now and then, with a tapping heel."""
    taps = _bursts(rng, time_s, 3.0, 5.0) * np.sin(2 * np.pi * rng.uniform(3.0, 5.0) * time_s)[:, None]
    placed = _noise(rng, time_s, 0.02, 0.15, np.deg2rad([4.0, 6.0, 8.0]))
    return taps * [0.004, 0.0, 0.01], placed + taps * np.deg2rad([0.5, 6.0, 0.5])


def _swinging(rng: np.random.Generator, time_s: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return pose of a leg that hangs from a high seat: kicked, or swung to and fro, about the knee."""
    hz, shank_m = rng.uniform(0.7, 1.1), 0.45
    swings = _bursts(rng, time_s, 4.0, 6.0)[:, 0]
    angle = (1 - swings) * _levels(rng, time_s, 0.5, 0.5, np.deg2rad(-25.0), np.deg2rad(40.0))
    angle += swings * np.deg2rad(rng.uniform(15.0, 45.0)) * np.sin(2 * np.pi * hz * time_s)
    foot = shank_m * np.stack([np.sin(angle), 0 * angle, 1 - np.cos(angle)], axis=1)
    return foot, np.outer(angle, [0.0, -1.0, 0.0]) + _noise(rng, time_s, 0.1, 1.0, np.deg2rad(1.5))


def _shaking(rng: np.random.Generator, time_s: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return pose of a shoe shaken in a hand."""
    shaken = _bursts(rng, time_s, 5.0, 3.0)
    return shaken * _noise(rng, time_s, 1.5, 4.0, 0.04), shaken * _noise(rng, time_s, 1.0, 4.0, 0.35)


def _bus(rng: np.random.Generator, time_s: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return pose of a foot on the floor of a bus that accelerates, brakes, turns and shakes."""
    # Displacements with accelerations of about 1 m/s² (slow) and 0.4 m/s² (rattling).
    ride = _noise(rng, time_s, 0.04, 0.15, [2.5, 1.0, 0.1])
    rattle = _noise(rng, time_s, 3.0, 12.0, np.array([0.5, 0.5, 1.5]) * 1e-4)
    turns = _noise(rng, time_s, 0.03, 0.1, np.deg2rad([1.0, 1.0, 25.0]))
    return ride + rattle, turns + _noise(rng, time_s, 1.0, 6.0, np.deg2rad(0.12))


def _driving(rng: np.random.Generator, time_s: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return pose of a driver's foot, pivoting on its heel over the accelerator, and at times on the brake.

    It reaches the brake on its heel or through the air. The car accelerates, brakes, turns and shakes.
    """
    braking = _bursts(rng, time_s, 2.0, 8.0)[:, 0]
    on_the_way = 4 * braking * (1 - braking)
    accelerator = _levels(rng, time_s, 2.5, 0.6, 5.0, 20.0)
    brake = _levels(rng, time_s, 0.7, 0.35, 5.0, 15.0)
    pressed = accelerator * (1 - braking) + brake * braking
    pitch = np.deg2rad(pressed - 12.0 * on_the_way - 35.0)
    yaw = np.deg2rad(25.0 * braking - 10.0)
    # The sensor is 12 cm in front of the heel and 7 cm above it.
    ahead = 0.12 * np.cos(pitch) + 0.07 * np.sin(pitch)
    above = 0.07 * np.cos(pitch) - 0.12 * np.sin(pitch)
    foot = np.stack([ahead * np.cos(yaw), ahead * np.sin(yaw), above], axis=1)
    lifts = _levels(rng, time_s, 10.0, 1.0, 0.0, 1.0)
    foot += lifts[:, None] * (np.outer(on_the_way, [-0.06, 0.0, 0.06]) + np.outer(braking, [0.0, 0.08, 0.0]))
    # Displacements with accelerations of about 1 m/s², slow ones of the car and fast ones of the road.
    ride = _noise(rng, time_s, 0.04, 0.15, [2.5, 2.0, 0.1])
    road = _noise(rng, time_s, 1.0, 3.0, [0.001, 0.001, 0.004])
    rattle = _noise(rng, time_s, 8.0, 18.0, np.array([0.5, 0.5, 1.0]) * 1e-4)
    turns = _noise(rng, time_s, 0.03, 0.12, np.deg2rad([1.5, 1.5, 40.0]))
    shakes = _noise(rng, time_s, 1.0, 8.0, np.deg2rad(0.3))
    return foot + ride + road + rattle, np.stack([0.1 * yaw, pitch, yaw], axis=1) + turns + shakes


POSES: dict[str, Callable] = {
    "standing": _standing,
    "sitting": _sitting,
    "swinging": _swinging,
    "shaking": _shaking,
    "bus": _bus,
    "driving": _driving,
}
ACTIVITIES = (*POSES, *GAITS)


def simulate_activity(
    kind: str,
    *,
    subject: SimulatedSubject | None = None,
    foot: str = "right",
    duration_s: float = 30.0,
    rate_hz: float = 100.0,
    seed: int = 0,
    sensor: VirtualSensor = IDEAL_SENSOR,
) -> Recording:
    """Return a recording of one activity, which also names trial and condition.

    Gaits (GAITS) start and end with standing; their strides are the reference.

    Args:
        kind: one of ACTIVITIES
        subject: the person; None: the default
        foot: "left" or "right"
        duration_s: about this long
        rate_hz: sampling rate
        seed: seed of all random choices
        sensor: the sensor

    Raises:
        ParameterError: for a value out of its range
    """
    one_of(ACTIVITIES).check("kind", kind)
    check_request(foot, rate_hz)
    real_number(0).check("duration_s", duration_s)
    subject = subject or SimulatedSubject()
    if kind in GAITS:
        return _simulate_gait(kind, subject, foot, duration_s, rate_hz, seed, sensor)
    # A new random stream for every call of the pose gives the same motion at any times.
    motion = Motion(lambda time_s: POSES[kind](np.random.default_rng([seed, 0]), time_s))
    own = np.random.default_rng([seed, 1 + FEET.index(foot)])
    n = max(2, int(duration_s * rate_hz))
    mounting = np.asarray(subject.mounting[foot])
    acc, gyr, gaps, _ = record(motion, mounting, sensor, n, rate_hz, own)
    return Recording(
        dataset=DATASET,
        subject=subject.name,
        trial=kind,
        foot=foot,
        rate_hz=rate_hz,
        acc_mps2=acc,
        gyr_radps=gyr,
        source=f"simulated {kind}, seed {seed}",
        condition=kind,
        gaps=gaps,
        saturation=(sensor.acc_range_mps2, sensor.gyr_range_radps),
    )


def _simulate_gait(
    kind: str,
    subject: SimulatedSubject,
    foot: str,
    duration_s: float,
    rate_hz: float,
    seed: int,
    sensor: VirtualSensor,
) -> Recording:
    gait = GAITS[kind]
    # The walk ratio that gives this step length at this speed, by SimulatedSubject.step_length_m.
    mover = replace(subject, preferred_speed_mps=gait.speed_mps, walk_ratio_m_min=1.0, **gait.changes)
    ratio = (gait.step_m / mover.step_length_m(gait.speed_mps)) ** 2
    shape = subject.shape
    supple = FootShape(shape.heel_m, shape.ball_m, shape.toe_m, shape.height_m, flat_rad=np.deg2rad(2.0))
    standing_s = (3.0, 2.0)
    strides = int(max(3, (duration_s - sum(standing_s)) * gait.speed_mps / (2 * gait.step_m)))
    return simulate_walk(
        replace(mover, walk_ratio_m_min=ratio, shape=supple),
        foot=foot,
        legs=[Leg(strides, gait.speed_mps, climb_m=gait.climb_m)],
        rate_hz=rate_hz,
        seed=seed,
        sensor=sensor,
        standing_s=standing_s,
        dataset=DATASET,
        trial=kind,
        condition=kind,
    )
