"""Create new strides with known lengths from recorded ones.

A recorded stride is split into the motion of the foot and the errors of the sensor. The foot is a rigid body
that turns about a point near the ground: the point moves along q(t), at rest at both mid-stances, and the
foot has the orientation R(t). The sensor sits at `lever_arm_m` from the point and measures, with gravity g,

    gyr = ω                                                       (plus bias and noise)
    acc = Rᵀ (q̈ + d/dt (R (ω × lever arm)) − g) + sensor error     (plus bias and noise)

`recover_motion` scales q horizontally to the labelled length. The sensor error is the part of the recorded
acceleration that the motion does not explain: drift and scale error. It is kept with the stride. Therefore a
stride without transformation gives back its own samples, and the error of its integral stays the same.
Without the sensor error a stride is a perfect measurement of its label; this is the correct choice for
strides whose label is an integral itself.

Transformations of the foot's motion, and their labels. The sensor error is kept, and with it the difference
in cm between label and integral:

    scaled   q times a factor, horizontally and vertically          label × horizontal factor
    warped   same path at another pace, q(τ(t)) and R(τ(t))         label unchanged
    pitched  larger or smaller pitch of the foot, q unchanged       label unchanged
    curved   heading changes within the stride                      label = chord of the curved path

Transformations of the sensor alone. The label stays, the integral changes, and a residual network learns to
correct the difference:

    synthesize with another lever arm   the sensor's position differs from the one that the integration
        assumes
    mounted                             small rotation error of the foot frame
    cut                                 both mid-stances are detected too early or too late
    bias and noise                      of gyroscope and accelerometer

Signals are low-passed and evenly sampled, as for the integration: POINTS points from mid-stance to
mid-stance, and MARGIN more on both sides for `cut` and `warped`.
"""

from dataclasses import dataclass, fields, replace
from typing import ClassVar

import attrs
import numpy as np

from tinystride.gait.signals import StrideSignals
from tinystride.gait.strapdown import GRAVITY_MPS2, POINTS, align_to_gravity, resample, rotation_matrices
from tinystride.optional import extra
from tinystride.validation import increasing_pair, real_number

MARGIN = 10
GRID = POINTS + 2 * MARGIN
STRIDE = slice(MARGIN, MARGIN + POINTS)
CHUNK = 2048


@dataclass(frozen=True, eq=False)
class FootMotion:
    """Motion of the foot in n strides. World axes: z up, x along the sensor's initial heading.

    Attributes:
        duration_s: [n], from mid-stance to mid-stance
        orientation: [n, GRID, 3, 3], sensor to world
        gyr_radps: [n, GRID, 3], angular rate in the sensor's axes
        velocity_mps: [n, GRID, 3], of the turning point in the world; zero at both mid-stances
        acceleration_mps2: [n, GRID, 3], derivative of the velocity
        acc_error_mps2: [n, GRID, 3], sensor error of the accelerometer, in its axes
        lever_arm_m: [n, 3], lever arm from the turning point to the sensor, in the sensor's axes
        length_cm: [n], horizontal distance of the turning point between the two mid-stances
    """

    duration_s: np.ndarray
    orientation: np.ndarray
    gyr_radps: np.ndarray
    velocity_mps: np.ndarray
    acceleration_mps2: np.ndarray
    acc_error_mps2: np.ndarray
    lever_arm_m: np.ndarray
    length_cm: np.ndarray

    def __len__(self) -> int:
        return len(self.duration_s)

    def select(self, rows: np.ndarray | slice) -> "FootMotion":
        """Return some of the strides.

        Args:
            rows: indices or slice
        """
        return FootMotion(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})

    @staticmethod
    def concatenate(parts: "list[FootMotion]") -> "FootMotion":
        """Return the strides of all parts, in their order.

        Args:
            parts: at least one
        """
        names = [field.name for field in fields(FootMotion)]
        return FootMotion(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in names})

    @property
    def step_s(self) -> np.ndarray:
        """[n], time between two points of the grid."""
        return self.duration_s / (POINTS - 1)


FACTORS = increasing_pair(above=0)
DEVIATION = real_number(0)


@attrs.frozen
class AugmentationOptions:
    """Strength of each transformation: pairs are uniform ranges, single values standard deviations.

    Attributes:
        horizontal_scale: factor of the path's horizontal part
        vertical_scale: factor of the path's vertical part
        duration_scale: factor of the time from mid-stance to mid-stance
        pace_bend: size of each of three harmonics of the pace within a stride, at most 0.04
        pitch_scale: factor of the foot's pitch
        heading_rad: change of heading between the two mid-stances
        mounting_rad: rotation error of the foot frame, about each axis
        lever_arm_m: displacement of the sensor on the foot, along each axis
        gyr_bias_radps: constant within a stride, along each axis
        acc_bias_mps2: constant within a stride, along each axis
        gyr_noise_radps: SD of the noise of each sample of the grid
        acc_noise_mps2: SD of the noise of each sample of the grid
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
    lever_arm_m: float = attrs.field(default=0.01, validator=DEVIATION)
    gyr_bias_radps: float = attrs.field(default=0.002, validator=DEVIATION)
    acc_bias_mps2: float = attrs.field(default=0.05, validator=DEVIATION)
    gyr_noise_radps: float = attrs.field(default=0.005, validator=DEVIATION)
    acc_noise_mps2: float = attrs.field(default=0.03, validator=DEVIATION)
    cut_jitter_s: float = attrs.field(default=0.005, validator=DEVIATION)


def augment(
    motion: FootMotion, rows: np.ndarray, options: AugmentationOptions, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Create a new stride from each of `rows`; rows may be repeated.

    Args:
        motion: motion of the recorded strides
        rows: [n] indices into the motion
        options: strength of each transformation
        rng: the same state gives the same strides

    Returns:
        acc_mps2 [n, POINTS, 3], gyr_radps [n, POINTS, 3], duration_s [n], length_cm [n]
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
    acc, gyr = synthesize(motion, motion.lever_arm_m + normal(options.lever_arm_m, 3))
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
    """Return the same strides as sampled at half the rate without an anti-alias filter: every second sample.

    Args:
        signals: signals of the strides
        first: sample of each stride to begin with, 0 or 1
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
    """Return acc_mps2 [n, GRID, 3], gyr_radps [n, GRID, 3] and duration_s [n], with a margin on both sides.

    Args:
        signals: signals of n strides
    """
    beyond = np.diff(signals.mid_stance, axis=1) * MARGIN / (POINTS - 1)
    wider = replace(signals, mid_stance=signals.mid_stance + beyond * [-1, 1])
    acc, gyr, duration = resample(wider, GRID)
    return acc, gyr, duration * (POINTS - 1) / (GRID - 1)


def recover_motion(
    acc_mps2: np.ndarray,
    gyr_radps: np.ndarray,
    duration_s: np.ndarray,
    length_cm: np.ndarray,
    lever_arm_m: np.ndarray,
    *,
    with_error: np.ndarray | bool = True,
) -> FootMotion:
    """Recover the foot's motion of n recorded strides, exactly as long as their labels.

    Args:
        acc_mps2: [n, GRID, 3], canonical foot frame
        gyr_radps: [n, GRID, 3], canonical foot frame, without bias
        duration_s: [n], from mid-stance to mid-stance
        length_cm: [n], labels
        lever_arm_m: [3] or [n, 3], lever arm from the turning point to the sensor
        with_error: [n] or one for all; keep the part of the acceleration that the motion does not explain

    Returns:
        the motion of n strides
    """
    acc, gyr = np.asarray(acc_mps2, float), np.asarray(gyr_radps, float)
    duration = np.asarray(duration_s, float)
    lever_arm = np.zeros((len(acc), 3)) + lever_arm_m
    step = duration / (POINTS - 1)
    orientation = _orientations(acc, gyr, step)
    measured = _rotate(orientation, acc) - _lever_arm_acceleration(orientation, gyr, lever_arm, step)
    measured[..., 2] -= GRAVITY_MPS2
    velocity, acceleration = _from_rest_to_rest(measured, step, np.asarray(length_cm, float))
    motion = FootMotion(
        duration_s=duration,
        orientation=orientation,
        gyr_radps=gyr,
        velocity_mps=velocity,
        acceleration_mps2=acceleration,
        acc_error_mps2=np.zeros_like(acc),
        lever_arm_m=lever_arm,
        length_cm=np.asarray(length_cm, float),
    )
    kept = np.broadcast_to(np.asarray(with_error), (len(acc),))[:, None, None]
    return replace(motion, acc_error_mps2=np.where(kept, acc - synthesize(motion)[0], 0.0))


def synthesize(motion: FootMotion, lever_arm_m: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Return the samples acc_mps2 and gyr_radps, [n, GRID, 3] each, of a sensor on the moving foot.

    Args:
        motion: motion of n strides
        lever_arm_m: [n, 3], position of the sensor; None: that of the motion
    """
    lever_arm = motion.lever_arm_m if lever_arm_m is None else lever_arm_m
    specific = motion.acceleration_mps2 + _lever_arm_acceleration(
        motion.orientation, motion.gyr_radps, lever_arm, motion.step_s
    )
    specific[..., 2] += GRAVITY_MPS2
    acc = _rotate(motion.orientation.swapaxes(-1, -2), specific) + motion.acc_error_mps2
    return acc, motion.gyr_radps.copy()


def scaled(motion: FootMotion, horizontal: np.ndarray, vertical: np.ndarray) -> FootMotion:
    """Return strides with scaled paths. Label: × horizontal, exactly.

    Args:
        motion: motion of n strides
        horizontal: [n], factor
        vertical: [n], factor
    """
    factor = np.stack([horizontal, horizontal, vertical], axis=-1)[:, None]
    return replace(
        motion,
        velocity_mps=motion.velocity_mps * factor,
        acceleration_mps2=motion.acceleration_mps2 * factor,
        length_cm=motion.length_cm * horizontal,
    )


def warped(motion: FootMotion, duration: np.ndarray, bend: np.ndarray) -> FootMotion:
    """Return the same paths at another pace. Label: unchanged, exactly.

    With u from 0 to 1 within the new stride, the old stride is at τ(u) = u + Σ bend[:, k − 1] sin(k π u).
    Velocity and angular rate change by the factor τ′ / duration. Errors of the interpolation are compensated
    by a small drift and scale.

    Args:
        motion: motion of n strides
        duration: [n], factor of the duration
        bend: [n, harmonics]; the sum of π k |bend| must be below 1
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
    """Return strides with scaled pitch of the foot between its two stances. Label: unchanged, exactly.

    Args:
        motion: motion of n strides
        factor: [n]
    """
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
    """Return strides whose heading changes smoothly from mid-stance to mid-stance.

    Label: the distance between the ends of the curved path, by the trapezoidal rule.

    Args:
        motion: motion of n strides
        heading_rad: [n], change of heading, to the left
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
    """Return samples in rotated axes.

    Args:
        samples: [n, points, 3]
        rotation_rad: [n, 3], rotation vectors
    """
    return samples @ rotation_matrices(rotation_rad)


def cut(samples: np.ndarray, start_s: np.ndarray, end_s: np.ndarray, step_s: np.ndarray) -> np.ndarray:
    """Return [n, POINTS, channels], the samples between two wrongly detected mid-stances.

    Args:
        samples: [n, GRID, channels]
        start_s: [n], delay of the first mid-stance
        end_s: [n], delay of the second mid-stance
        step_s: [n], time between two points of the grid
    """
    first = MARGIN + start_s / step_s
    last = MARGIN + POINTS - 1 + end_s / step_s
    return _sample(samples, first[:, None] + (last - first)[:, None] * np.linspace(0, 1, POINTS))


def _orientations(acc: np.ndarray, gyr: np.ndarray, step_s: np.ndarray) -> np.ndarray:
    """Return [n, GRID, 3, 3], sensor to world: level at the first mid-stance, then by the gyroscope."""
    steps = rotation_matrices((gyr[:, 1:] + gyr[:, :-1]) / 2 * step_s[:, None, None])
    turned = np.empty((*gyr.shape, 3))
    turned[:, 0] = np.eye(3)
    for k in range(steps.shape[1]):
        np.matmul(turned[:, k], steps[:, k], out=turned[:, k + 1])
    start = align_to_gravity(acc[:, MARGIN]) @ turned[:, MARGIN].swapaxes(-1, -2)
    return start[:, None] @ turned


def _turns(angle: np.ndarray, axis: int) -> np.ndarray:
    """Return [..., 3, 3], rotations by `angle` about one coordinate axis."""
    i, j = (axis + 1) % 3, (axis + 2) % 3
    turn = np.zeros((*angle.shape, 3, 3))
    turn[..., axis, axis] = 1
    turn[..., i, i] = turn[..., j, j] = np.cos(angle)
    turn[..., j, i] = np.sin(angle)
    turn[..., i, j] = -turn[..., j, i]
    return turn


def _rotate(rotation: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    return np.einsum("nkij,nkj->nki", rotation, vectors)


def _lever_arm_acceleration(
    orientation: np.ndarray, gyr: np.ndarray, lever_arm_m: np.ndarray, step_s: np.ndarray
) -> np.ndarray:
    velocity = _rotate(orientation, np.cross(gyr, lever_arm_m[:, None]))
    with extra("train"):
        from scipy.signal import savgol_filter
    # The derivative of the quartic through five points.
    return savgol_filter(velocity, 5, 4, deriv=1, axis=1) / step_s[:, None, None]


def _from_rest_to_rest(
    acceleration: np.ndarray, step_s: np.ndarray, length_cm: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return velocity and acceleration without drift (a constant), scaled to the labelled length."""
    drift = _velocities(acceleration, step_s)[:, STRIDE][:, -1] / (POINTS - 1) / step_s[:, None]
    acceleration = acceleration - drift[:, None]
    found_cm = _lengths_cm(_velocities(acceleration, step_s), step_s)
    acceleration[..., :2] *= (length_cm / found_cm)[:, None, None]
    return _velocities(acceleration, step_s), acceleration


def _velocities(acceleration: np.ndarray, step_s: np.ndarray) -> np.ndarray:
    """Return [n, GRID, 3], zero at the first mid-stance."""
    with extra("train"):
        from scipy.integrate import cumulative_trapezoid
    velocity = cumulative_trapezoid(acceleration, axis=1, initial=0) * step_s[:, None, None]
    return velocity - velocity[:, MARGIN, None]


def _lengths_cm(velocity: np.ndarray, step_s: np.ndarray) -> np.ndarray:
    way_m = np.trapezoid(velocity[:, STRIDE, :2], axis=1) * step_s[:, None]
    return 100 * np.hypot(way_m[:, 0], way_m[:, 1])


def _sample(samples: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Return `samples` ([n, GRID, channels]) at fractional indices `at` ([n, points]): cubic."""
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
