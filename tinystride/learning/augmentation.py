"""New strides with known lengths, made from recorded ones.

A recorded stride is taken apart into what the foot did and what the sensor made of it. The foot is a rigid
body that turns about a point near the ground: the point travels along q(t), at rest at both mid-stances, and
the foot's orientation is R(t). The sensor sits at `lever_m` from the point and measures, with g the vector of
gravity,

    gyr = ω                                              (and bias, noise)
    acc = Rᵀ (q̈ + d/dt (R (ω × lever)) − g) + left-over    (and bias, noise)

`recover_motion` scales q horizontally such that it is as long as the label says. The left-over is what the
recorded sensor measured beyond that: its drift and its scale error, kept with the stride. So a stride that
is not transformed gives back its own samples, and its integral misses its label by as much as before. Without
the left-over the stride is a perfect measurement of its label: the only honest reading of strides whose label
is itself an integral.

What changes the foot's motion, with the label that it leads to. The left-over stays, and with it the
difference in cm between label and integral:

    scaled   q times a factor, horizontally and vertically apart    label × horizontal factor
    warped   the same path at another pace, q(τ(t)) and R(τ(t))     label unchanged
    pitched  larger or smaller pitch of the foot, q unchanged       label unchanged
    curved   the heading turns on the way                           label = chord of the bent path

What changes the sensor alone: the label stays, the integral does not, and the difference is what a residual
network learns to correct:

    synthesize with another lever   the sensor sits elsewhere on the foot than the integrator believes
    mounted                         the foot frame is found with a small rotation
    cut                             both mid-stances are found too early or too late
    bias and noise                  of gyroscope and accelerometer

Signals are those that the integrator gets, low-passed and on an even grid: POINTS points from mid-stance to
mid-stance and MARGIN more on either side, for `cut` and `warped` to reach into.
"""

from dataclasses import dataclass, fields, replace
from typing import ClassVar

import attrs
import numpy as np

from tinystride.gait.signals import StrideSignals
from tinystride.gait.strapdown import GRAVITY_MPS2, POINTS, level, resample, rotation_matrices
from tinystride.optional import extra
from tinystride.validation import increasing_pair, real_number

MARGIN = 10
GRID = POINTS + 2 * MARGIN
STRIDE = slice(MARGIN, MARGIN + POINTS)
CHUNK = 2048


@dataclass(frozen=True, eq=False)
class FootMotion:
    """What the feet of n strides did. The world's z points up, its x where the sensor heads at first.

    duration_s: [n], from mid-stance to mid-stance
    orientation: [n, GRID, 3, 3], sensor to world
    gyr_radps: [n, GRID, 3], angular rate in the sensor's axes
    velocity_mps: [n, GRID, 3], of the turning point, in the world; zero at both mid-stances
    acceleration_mps2: [n, GRID, 3], its derivative
    acc_error_mps2: [n, GRID, 3], what the accelerometer measured beyond the motion, in its axes
    lever_m: [n, 3], from the turning point to the sensor, in the sensor's axes
    length_cm: [n], horizontal distance between the turning points of the two mid-stances
    """

    duration_s: np.ndarray
    orientation: np.ndarray
    gyr_radps: np.ndarray
    velocity_mps: np.ndarray
    acceleration_mps2: np.ndarray
    acc_error_mps2: np.ndarray
    lever_m: np.ndarray
    length_cm: np.ndarray

    def __len__(self) -> int:
        return len(self.duration_s)

    def select(self, rows: np.ndarray | slice) -> "FootMotion":
        return FootMotion(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})

    @staticmethod
    def concatenate(parts: "list[FootMotion]") -> "FootMotion":
        names = [field.name for field in fields(FootMotion)]
        return FootMotion(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in names})

    @property
    def step_s(self) -> np.ndarray:
        return self.duration_s / (POINTS - 1)


FACTORS = increasing_pair(above=0)
DEVIATION = real_number(0)


@attrs.frozen
class AugmentationOptions:
    """How much of everything. Pairs: drawn evenly from between the two; single values: standard deviations.

    horizontal_scale, vertical_scale: of the path
    duration_scale: of the time from mid-stance to mid-stance
    pace_bend: of each of three harmonics of the pace within a stride, at most 0.04
    pitch_scale: of the foot's pitch
    heading_rad: turn between the two mid-stances
    mounting_rad: error of the foot frame, about each axis
    lever_m: displacement of the sensor on the foot, along each axis
    gyr_bias_radps, acc_bias_mps2: constant through a stride, along each axis
    gyr_noise_radps, acc_noise_mps2: of each sample of the grid
    cut_jitter_s: error of each of the two mid-stances
    """

    PREFIX: ClassVar[str] = "augmentation."

    horizontal_scale: tuple[float, float] = attrs.field(default=(0.6, 1.5), validator=FACTORS)
    vertical_scale: tuple[float, float] = attrs.field(default=(0.8, 1.25), validator=FACTORS)
    duration_scale: tuple[float, float] = attrs.field(default=(0.7, 1.3), validator=FACTORS)
    pace_bend: float = attrs.field(default=0.003, validator=DEVIATION)
    pitch_scale: tuple[float, float] = attrs.field(default=(0.9, 1.1), validator=FACTORS)
    heading_rad: float = attrs.field(default=0.1, validator=DEVIATION)
    mounting_rad: float = attrs.field(default=0.03, validator=DEVIATION)
    lever_m: float = attrs.field(default=0.01, validator=DEVIATION)
    gyr_bias_radps: float = attrs.field(default=0.002, validator=DEVIATION)
    acc_bias_mps2: float = attrs.field(default=0.05, validator=DEVIATION)
    gyr_noise_radps: float = attrs.field(default=0.005, validator=DEVIATION)
    acc_noise_mps2: float = attrs.field(default=0.03, validator=DEVIATION)
    cut_jitter_s: float = attrs.field(default=0.005, validator=DEVIATION)


def augment(
    motion: FootMotion, rows: np.ndarray, options: AugmentationOptions, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """A new stride from each of `rows` ([n] indices) of the motion, which may occur repeatedly.

    Returns acc_mps2 [n, POINTS, 3], gyr_radps [n, POINTS, 3], duration_s [n], length_cm [n]. The same state
    of the generator gives the same strides.
    """
    parts = [
        _augment(motion.select(rows[start : start + CHUNK]), options, rng)
        for start in range(0, len(rows), CHUNK)
    ]
    acc, gyr, duration, length = (np.concatenate(part) for part in zip(*parts, strict=True))
    return acc, gyr, duration, length


def _augment(
    motion: FootMotion, options: AugmentationOptions, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    n = len(motion)

    def normal(deviation: float, *shape: int) -> np.ndarray:
        return deviation * rng.standard_normal((n, *shape))

    motion = scaled(
        motion, rng.uniform(*options.horizontal_scale, n), rng.uniform(*options.vertical_scale, n)
    )
    motion = pitched(motion, rng.uniform(*options.pitch_scale, n))
    motion = curved(motion, normal(options.heading_rad))
    bend = np.clip(normal(options.pace_bend, 3), -0.04, 0.04)
    motion = warped(motion, rng.uniform(*options.duration_scale, n), bend)
    acc, gyr = synthesize(motion, motion.lever_m + normal(options.lever_m, 3))
    acc = acc + normal(options.acc_bias_mps2, 1, 3) + normal(options.acc_noise_mps2, GRID, 3)
    gyr = gyr + normal(options.gyr_bias_radps, 1, 3) + normal(options.gyr_noise_radps, GRID, 3)
    start, end = normal(options.cut_jitter_s, 2).T
    rotation = normal(options.mounting_rad, 3)
    return (
        mounted(cut(acc, start, end, motion.step_s), rotation),
        mounted(cut(gyr, start, end, motion.step_s), rotation),
        motion.duration_s + end - start,
        motion.length_cm,
    )


def half_rate(signals: StrideSignals, first: int) -> StrideSignals:
    """The same strides by a sensor half as fast, without an anti-alias filter: every second sample.

    first: 0 or 1, the sample of each stride to begin with
    """
    lengths = np.diff(signals.offset)
    within = np.arange(signals.offset[-1]) - np.repeat(signals.offset[:-1], lengths)
    kept = within % 2 == first
    return replace(
        signals,
        rate_hz=signals.rate_hz / 2,
        offset=np.concatenate([[0], np.cumsum((lengths + 1 - first) // 2)]),
        mid_stance=(signals.mid_stance - first) / 2,
        initial_contact=(signals.initial_contact - first) / 2,
        acc_mps2=signals.acc_mps2[kept],
        gyr_radps=signals.gyr_radps[kept],
    )


def resample_with_margin(signals: StrideSignals) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(acc_mps2 [n, GRID, 3], gyr_radps, duration_s [n]) as `resample` gives, and MARGIN either side."""
    beyond = np.diff(signals.mid_stance, axis=1) * MARGIN / (POINTS - 1)
    wider = replace(signals, mid_stance=signals.mid_stance + beyond * [-1, 1])
    acc, gyr, duration = resample(wider, GRID)
    return acc, gyr, duration * (POINTS - 1) / (GRID - 1)


def recover_motion(
    acc_mps2: np.ndarray,
    gyr_radps: np.ndarray,
    duration_s: np.ndarray,
    length_cm: np.ndarray,
    lever_m: np.ndarray,
    *,
    with_error: np.ndarray | bool = True,
) -> FootMotion:
    """The foot's motion behind n recorded strides, exactly as long as their labels.

    acc_mps2, gyr_radps: [n, GRID, 3], canonical foot frame, gyro free of bias
    duration_s, length_cm: [n]
    lever_m: [3] or [n, 3], from the turning point to the sensor
    with_error: [n] or one for all: keep what the motion does not explain, or drop it
    """
    acc, gyr = np.asarray(acc_mps2, float), np.asarray(gyr_radps, float)
    duration = np.asarray(duration_s, float)
    lever = np.zeros((len(acc), 3)) + lever_m
    step = duration / (POINTS - 1)
    orientation = _orientations(acc, gyr, step)
    measured = _rotate(orientation, acc) - _lever_acceleration(orientation, gyr, lever, step)
    measured[..., 2] -= GRAVITY_MPS2
    velocity, acceleration = _from_rest_to_rest(measured, step, np.asarray(length_cm, float))
    motion = FootMotion(
        duration_s=duration,
        orientation=orientation,
        gyr_radps=gyr,
        velocity_mps=velocity,
        acceleration_mps2=acceleration,
        acc_error_mps2=np.zeros_like(acc),
        lever_m=lever,
        length_cm=np.asarray(length_cm, float),
    )
    kept = np.broadcast_to(np.asarray(with_error), (len(acc),))[:, None, None]
    return replace(motion, acc_error_mps2=np.where(kept, acc - synthesize(motion)[0], 0.0))


def synthesize(motion: FootMotion, lever_m: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """(acc_mps2, gyr_radps), [n, GRID, 3]: what a sensor at `lever_m` ([n, 3]; or the motion's) measures."""
    lever = motion.lever_m if lever_m is None else lever_m
    specific = motion.acceleration_mps2 + _lever_acceleration(
        motion.orientation, motion.gyr_radps, lever, motion.step_s
    )
    specific[..., 2] += GRAVITY_MPS2
    acc = _rotate(motion.orientation.swapaxes(-1, -2), specific) + motion.acc_error_mps2
    return acc, motion.gyr_radps.copy()


def scaled(motion: FootMotion, horizontal: np.ndarray, vertical: np.ndarray) -> FootMotion:
    """Steps `horizontal` times as long, `vertical` times as high, [n] each. Label: × horizontal, exactly."""
    factor = np.stack([horizontal, horizontal, vertical], axis=-1)[:, None]
    return replace(
        motion,
        velocity_mps=motion.velocity_mps * factor,
        acceleration_mps2=motion.acceleration_mps2 * factor,
        length_cm=motion.length_cm * horizontal,
    )


def warped(motion: FootMotion, duration: np.ndarray, bend: np.ndarray) -> FootMotion:
    """The same path in `duration` times ([n]) the time, at a pace that `bend` changes within the stride.

    With u from 0 to 1 through the new stride, the old one is at τ(u) = u + Σ bend[:, k − 1] sin(k π u); the
    sum of π k |bend| has to stay below 1. Velocity and angular rate change by the factor τ′ / duration.
    Label: unchanged, exactly: what interpolating has cost is made up for by a little drift and scale.
    """
    phase = (np.arange(GRID) - MARGIN) / (POINTS - 1)
    order = np.pi * np.arange(1, bend.shape[1] + 1)
    angle = order[:, None] * phase
    old_phase = phase + bend @ np.sin(angle)
    pace = (1 + (bend * order) @ np.cos(angle)) / duration[:, None]
    pace_change = -(bend * order**2) @ np.sin(angle) / (duration**2 * motion.duration_s)[:, None]
    at = old_phase * (POINTS - 1) + MARGIN
    n = len(motion)
    everything = np.concatenate(
        [
            motion.velocity_mps,
            motion.acceleration_mps2,
            motion.gyr_radps,
            motion.acc_error_mps2,
            motion.orientation.reshape(n, GRID, 9),
        ],
        axis=-1,
    )
    velocity, acceleration, gyr, error, orientation = np.split(
        _sample(everything, at), [3, 6, 9, 12], axis=-1
    )
    pace, pace_change = pace[..., None], pace_change[..., None]
    velocity, acceleration = _from_rest_to_rest(
        acceleration * pace**2 + velocity * pace_change, motion.step_s * duration, motion.length_cm
    )
    return replace(
        motion,
        duration_s=motion.duration_s * duration,
        orientation=orientation.reshape(n, GRID, 3, 3),
        gyr_radps=gyr * pace,
        velocity_mps=velocity,
        acceleration_mps2=acceleration,
        acc_error_mps2=error,
    )


def pitched(motion: FootMotion, factor: np.ndarray) -> FootMotion:
    """The foot's pitch between its two stances `factor` times ([n]) as large. Label: unchanged, exactly."""
    rows, rates = motion.orientation[..., 2, :], motion.gyr_radps
    # The pitch is the angle of the third row of R in the sensor's x-z plane, and that row turns with −ω.
    turning = np.cross(rows, rates)
    pitch = np.unwrap(np.arctan2(-rows[..., 0], rows[..., 2]), axis=1)
    pitch_rate = (turning[..., 2] * rows[..., 0] - turning[..., 0] * rows[..., 2]) / (
        rows[..., 0] ** 2 + rows[..., 2] ** 2
    )
    flat_rate = (pitch[:, STRIDE][:, -1] - pitch[:, MARGIN]) / motion.duration_s
    time = (np.arange(GRID) - MARGIN) * motion.step_s[:, None]
    extra = (factor - 1)[:, None] * (pitch - pitch[:, MARGIN, None] - flat_rate[:, None] * time)
    extra_rate = (factor - 1)[:, None] * (pitch_rate - flat_rate[:, None])
    turn = _turns(extra, axis=1)
    rates = _rotate(turn.swapaxes(-1, -2), rates)
    rates[..., 1] += extra_rate
    return replace(motion, orientation=motion.orientation @ turn, gyr_radps=rates)


def curved(motion: FootMotion, heading_rad: np.ndarray) -> FootMotion:
    """The heading turns smoothly by `heading_rad` ([n], to the left) from mid-stance to mid-stance.

    Label: the distance between the ends of the bent path, by the trapezoidal rule.
    """
    phase = np.clip((np.arange(GRID) - MARGIN) / (POINTS - 1), 0, 1)
    heading = heading_rad[:, None] * (phase - np.sin(2 * np.pi * phase) / (2 * np.pi))
    rate = (heading_rad / motion.duration_s)[:, None] * (1 - np.cos(2 * np.pi * phase))
    turn = _turns(heading, axis=2)
    bent = _lengths_cm(_rotate(turn, motion.velocity_mps), motion.step_s)
    length_cm = motion.length_cm * bent / _lengths_cm(motion.velocity_mps, motion.step_s)
    sideways = np.cross([0, 0, 1], motion.velocity_mps)
    velocity, acceleration = _from_rest_to_rest(
        _rotate(turn, motion.acceleration_mps2 + rate[..., None] * sideways), motion.step_s, length_cm
    )
    return replace(
        motion,
        orientation=turn @ motion.orientation,
        gyr_radps=motion.gyr_radps + rate[..., None] * motion.orientation[..., 2, :],
        velocity_mps=velocity,
        acceleration_mps2=acceleration,
        length_cm=length_cm,
    )


def mounted(samples: np.ndarray, rotation_rad: np.ndarray) -> np.ndarray:
    """`samples` ([n, points, 3]) in axes turned by the rotation vector `rotation_rad` ([n, 3])."""
    return samples @ rotation_matrices(rotation_rad)


def cut(samples: np.ndarray, start_s: np.ndarray, end_s: np.ndarray, step_s: np.ndarray) -> np.ndarray:
    """[n, POINTS, channels]: `samples` ([n, GRID, channels], `step_s` apart) from one wrong cut to the other.

    start_s, end_s: [n], how much later than in truth each is found; step_s: [n]
    """
    first = MARGIN + start_s / step_s
    last = MARGIN + POINTS - 1 + end_s / step_s
    return _sample(samples, first[:, None] + (last - first)[:, None] * np.linspace(0, 1, POINTS))


def _orientations(acc: np.ndarray, gyr: np.ndarray, step_s: np.ndarray) -> np.ndarray:
    """[n, GRID, 3, 3], sensor to world: levelled at the first mid-stance, from there by the gyroscope."""
    steps = rotation_matrices((gyr[:, 1:] + gyr[:, :-1]) / 2 * step_s[:, None, None])
    turned = np.empty((*gyr.shape, 3))
    turned[:, 0] = np.eye(3)
    for k in range(steps.shape[1]):
        np.matmul(turned[:, k], steps[:, k], out=turned[:, k + 1])
    start = level(acc[:, MARGIN]) @ turned[:, MARGIN].swapaxes(-1, -2)
    return start[:, None] @ turned


def _turns(angle: np.ndarray, axis: int) -> np.ndarray:
    """[..., 3, 3]: rotations by `angle` about one coordinate axis."""
    i, j = (axis + 1) % 3, (axis + 2) % 3
    turn = np.zeros((*angle.shape, 3, 3))
    turn[..., axis, axis] = 1
    turn[..., i, i] = turn[..., j, j] = np.cos(angle)
    turn[..., j, i] = np.sin(angle)
    turn[..., i, j] = -turn[..., j, i]
    return turn


def _rotate(rotation: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    return np.einsum("nkij,nkj->nki", rotation, vectors)


def _lever_acceleration(
    orientation: np.ndarray, gyr: np.ndarray, lever_m: np.ndarray, step_s: np.ndarray
) -> np.ndarray:
    velocity = _rotate(orientation, np.cross(gyr, lever_m[:, None]))
    with extra("train"):
        from scipy.signal import savgol_filter
    # The derivative of the quartic through five points.
    return savgol_filter(velocity, 5, 4, deriv=1, axis=1) / step_s[:, None, None]


def _from_rest_to_rest(
    acceleration: np.ndarray, step_s: np.ndarray, length_cm: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """(velocity, acceleration) less its drift, a constant acceleration, and scaled to go as far as wanted."""
    drift = _velocities(acceleration, step_s)[:, STRIDE][:, -1] / (POINTS - 1) / step_s[:, None]
    acceleration = acceleration - drift[:, None]
    found_cm = _lengths_cm(_velocities(acceleration, step_s), step_s)
    acceleration[..., :2] *= (length_cm / found_cm)[:, None, None]
    return _velocities(acceleration, step_s), acceleration


def _velocities(acceleration: np.ndarray, step_s: np.ndarray) -> np.ndarray:
    """[n, GRID, 3], zero at the first mid-stance."""
    with extra("train"):
        from scipy.integrate import cumulative_trapezoid
    velocity = cumulative_trapezoid(acceleration, axis=1, initial=0) * step_s[:, None, None]
    return velocity - velocity[:, MARGIN, None]


def _lengths_cm(velocity: np.ndarray, step_s: np.ndarray) -> np.ndarray:
    way_m = np.trapezoid(velocity[:, STRIDE, :2], axis=1) * step_s[:, None]
    return 100 * np.hypot(way_m[:, 0], way_m[:, 1])


def _sample(samples: np.ndarray, at: np.ndarray) -> np.ndarray:
    """`samples` ([n, GRID, channels]) at fractional indices `at` ([n, points]): cubic, constant beyond."""
    at = np.clip(at, 0, samples.shape[1] - 1)
    left = np.clip(at.astype(int), 1, samples.shape[1] - 3)
    x = (at - left)[..., None]
    weights = [
        -x * (x - 1) * (x - 2) / 6,
        (x + 1) * (x - 1) * (x - 2) / 2,
        -(x + 1) * x * (x - 2) / 2,
        (x + 1) * x * (x - 1) / 6,
    ]
    rows = np.arange(len(samples))[:, None]
    return sum(weight * samples[rows, left + k] for k, weight in enumerate(weights, start=-1))
