"""A parametric model of a walking foot: position and orientation of a point on the shoe at any time.

The foot rolls over the floor without slipping during stance, and moves from footprint to footprint in the
swing. Position and orientation are smooth closed-form functions of time (position C2, angles C-infinity).
Specific force and angular rate are their derivatives, and a stride's length is exact by construction: it is
the distance between two footprints.

Foot frame: x forward, y left, z up; pitch is positive toe-down. World frame: z up, x the first heading.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from tinystride.optional import extra

with extra("train"):
    from scipy.interpolate import CubicSpline
    from scipy.spatial.transform import Rotation
    from scipy.special import ndtr

# The constants were fitted by least squares to the median angular rate and specific force of the 19 people of
# ipol-healthy (right foot, straight strides), one shape for all; walker.py draws the differences of people.
# Widths and centres are in stride times from the event, or in swing durations from toe-off for "swing".
PITCH_STEPS = (
    # event, amplitude, share, centre, width
    ("toe_off", "roll_over", 1.00, -0.300, 0.130),
    ("toe_off", "push_off", 0.06, -0.120, 0.059),
    ("toe_off", "push_off", 0.21, -0.083, 0.048),
    ("toe_off", "push_off", 0.73, -0.015, 0.040),
    ("swing", "swing", 0.04, 0.142, 0.044),
    ("swing", "swing", 0.67, 0.420, 0.203),
    ("swing", "swing", 0.29, 0.791, 0.140),
    ("contact", "loading", 0.41, 0.026, 0.029),
    ("contact", "loading", 0.59, 0.037, 0.050),
)
# Gaussian excursions of roll and yaw: event, degrees on a right foot, centre, width.
ROLL_EXCURSIONS = (
    ("toe_off", 6.2, 0.025, 0.060),
    ("contact", 9.4, -0.015, 0.085),
    ("contact", -2.3, 0.036, 0.024),
)
YAW_EXCURSIONS = (
    ("toe_off", -4.0, 0.073, 0.051),
    ("contact", -7.7, -0.147, 0.105),
    ("contact", 1.3, -0.049, 0.030),
)
# The foot travels from toe-off + first to contact + second value, in stride times. It accelerates for the
# third and slows down for the fourth share of a stride; in between its speed is constant.
TRAVEL = (-0.045, 0.055, 0.15, 0.19)
# The additional lift lasts from toe-off + first to contact + second value, rising for the third and sinking
# for the fourth share of a stride; it does not start before the travel.
LIFT = (-0.045, -0.057, 0.175, 0.23)
LOWEST = 0.53  # share of the swing at which the ball of the foot is closest to the floor
SHAKE_WIDTH_S = 0.009
# Minimum rate of the five-point difference formulas; their error is then below 2e-4 of a 28 Hz vibration.
DIFFERENCE_HZ = 500.0


@dataclass(frozen=True)
class FootShape:
    """The sole as a rocker, seen from the sensor.

    Attributes:
        heel_m: distance of the heel's rolling point before the sensor (negative: behind it)
        ball_m: distance of the ball's rolling point before the sensor
        toe_m: distance of the toe's rolling point before the sensor
        height_m: height of the sensor over the floor, the lever arm of mid-stance
        flat_rad: pitch over which the load moves from heel to ball
    """

    heel_m: float
    ball_m: float
    toe_m: float
    height_m: float
    flat_rad: float = np.deg2rad(4.0)

    @cached_property
    def rolls(self) -> dict[str, CubicSpline]:
        """Sensor position (x, z) against pitch while the foot rolls over "sole", "toe" or "heel".

        Rolling without slip about a contact point X(pitch) turns the sensor about that point: with
        q = x + iz, dq/dpitch = -i (q - X), hence q = exp(-i pitch) (q0 + i ∫ X exp(i pitch) dpitch).
        "toe" and "heel" continue their end of the sole's curve to all pitches.
        """
        pitch = np.linspace(-2.0, 2.6, 2301)
        zero = np.argmin(np.abs(pitch))
        toe = self.ball_m + (self.toe_m - self.ball_m) * smooth_step(pitch / np.deg2rad(70.0))
        heel = np.full_like(pitch, self.heel_m)
        sole = heel + (toe - heel) * smooth_step(0.5 + pitch / (2 * self.flat_rad))
        turn = np.exp(1j * pitch)
        integral = {
            name: CubicSpline(pitch, 1j * contact * turn).antiderivative()(pitch)
            for name, contact in (("sole", sole), ("toe", toe), ("heel", heel))
        }
        start = 1j * self.height_m - integral["sole"][zero]
        offset = {"sole": 0.0}
        for name, joined_at in (("toe", self.flat_rad), ("heel", -self.flat_rad)):
            joint = np.argmin(np.abs(pitch - 1.5 * joined_at))
            offset[name] = integral["sole"][joint] - integral[name][joint]
        curves = {name: (start + integral[name] + offset[name]) / turn for name in integral}
        return {name: CubicSpline(pitch, np.stack([q.real, q.imag], axis=-1)) for name, q in curves.items()}


@dataclass(frozen=True, eq=False)
class Swings:
    """The m swings of one foot in one trial, each from footprint i to footprint i + 1.

    Attributes:
        toe_off_s: [m] time of each toe-off
        contact_s: [m] time of each contact
        stride_s: [m] duration of a whole stride at that pace
        footprint_m: [m + 1, 3] floor below the sensor of the flat foot
        heading_rad: [m + 1] direction of the foot
        amplitude_rad: {"roll_over", "push_off", "swing", "loading"} → [m] toe-down pitch steps, which add to
            zero
        clearance_m: [m] height of the ball of the foot over the floor where it is lowest in the swing
        roll: [m, 3] scale of each of ROLL_EXCURSIONS
        yaw: [m, 3] scale of each of YAW_EXCURSIONS
        shake_m: [m, j, 3] short vibrations in world axes
        shake_at_s: [m, j] centre of each vibration
        shake_hz: [m, j] frequency of each vibration
        wobble_rad: [m, k, 3] small Gaussian excursions (roll, pitch, yaw)
        wobble_at_s: [m, k] centre of each excursion
        wobble_s: [m, k] width of each excursion
    """

    toe_off_s: np.ndarray
    contact_s: np.ndarray
    stride_s: np.ndarray
    footprint_m: np.ndarray
    heading_rad: np.ndarray
    amplitude_rad: dict[str, np.ndarray]
    clearance_m: np.ndarray
    roll: np.ndarray
    yaw: np.ndarray
    shake_m: np.ndarray
    shake_at_s: np.ndarray
    shake_hz: np.ndarray
    wobble_rad: np.ndarray
    wobble_at_s: np.ndarray
    wobble_s: np.ndarray

    def __len__(self) -> int:
        """Return the number of swings."""
        return len(self.toe_off_s)


class Motion:
    """A motion given as a pose over time.

    Args:
        pose: maps sorted times [n] to position [n, 3] in m and (roll, pitch, yaw) [n, 3] in rad
    """

    def __init__(self, pose: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]):
        self.pose = pose

    def sense(
        self, n: int, rate_hz: float, gravity_mps2: float, first_s: float = 0.0
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return specific force (m/s²) and angular rate (rad/s) in the body's own axes, [n, 3] each.

        Args:
            n: number of samples
            rate_hz: sampling rate
            gravity_mps2: 0 gives the acceleration alone
            first_s: time of the first sample
        """
        refine = int(np.ceil(DIFFERENCE_HZ / rate_hz))
        step_s = 1 / (rate_hz * refine)
        position, angle = self.pose(first_s + step_s * np.arange(-2, (n - 1) * refine + 3))

        def differences(x: np.ndarray, weights: np.ndarray) -> np.ndarray:
            return sum(w * x[k : k + (n - 1) * refine + 1 : refine] for k, w in enumerate(weights))

        acceleration = differences(position, np.array([-1, 16, -30, 16, -1]) / (12 * step_s**2))
        angle_rate = differences(angle, np.array([1, -8, 0, 8, -1]) / (12 * step_s))
        angle = angle[2 : len(angle) - 2 : refine]
        force = acceleration + np.array([0.0, 0.0, gravity_mps2])
        return np.einsum("nji,nj->ni", euler_matrices(angle), force), body_rates(angle, angle_rate)


class FootMotion(Motion):
    """Motion of the sensor on one foot.

    Args:
        shape: shape of the foot
        swings: swings of the foot
        foot: "left" or "right", which is its mirror image

    Attributes:
        shape, swings: as given
        side: 1 for left, -1 for right
    """

    def __init__(self, shape: FootShape, swings: Swings, foot: str):
        self.shape, self.swings = shape, swings
        self.side = 1.0 if foot == "left" else -1.0
        self._lift_m = np.zeros(len(swings))
        self._lift_m = self._lifts()

    def pose(self, time_s: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return sensor position [n, 3] in m and (roll, pitch, yaw) [n, 3] in rad.

        Args:
            time_s: [n] sorted times
        """
        angle = np.zeros((len(time_s), 3))
        heading = np.full(len(time_s), self.swings.heading_rad[0])
        for i in range(len(self.swings)):
            self._turn(i, time_s, angle, heading)
        position = np.empty((len(time_s), 3))
        landed = -np.inf
        for i in range(len(self.swings)):
            leaves, lands = self.travel(i)
            self._stand(i, _between(time_s, landed, leaves), angle, heading, position)
            self._fly(i, time_s, angle, heading, position)
            landed = lands
        self._stand(len(self.swings), _between(time_s, landed, np.inf), angle, heading, position)
        for i in range(len(self.swings)):
            self._shake(i, time_s, position)
        angle[:, 2] += heading
        return position, angle

    def _lifts(self) -> np.ndarray:
        """Return the peak height to add to each swing, so that the ball of the foot has its clearance."""
        swings, shape = self.swings, self.shape
        time_s = swings.toe_off_s + LOWEST * (swings.contact_s - swings.toe_off_s)
        position, angle = self.pose(time_s)
        ball_m = position[:, 2] - shape.ball_m * np.sin(angle[:, 1]) - shape.height_m * np.cos(angle[:, 1])
        share = [self._lifted(i, time_s[i]) for i in range(len(swings))]
        return (swings.clearance_m + swings.footprint_m[:-1, 2] - ball_m) / share

    def _lifted(self, i: int, time_s: np.ndarray) -> np.ndarray:
        """Return the share of swing i's lift at a time, 0 outside its interval."""
        stride = self.swings.stride_s[i]
        start, end = self.swings.toe_off_s[i] + LIFT[0] * stride, self.swings.contact_s[i] + LIFT[1] * stride
        return smooth_step((time_s - start) / (LIFT[2] * stride)) * smooth_step(
            (end - time_s) / (LIFT[3] * stride)
        )

    def travel(self, i: int) -> tuple[float, float]:
        """Return the times at which swing i starts to move the foot forward, and at which it rests again.

        Args:
            i: number of the swing
        """
        stride = self.swings.stride_s[i]
        return self.swings.toe_off_s[i] + TRAVEL[0] * stride, self.swings.contact_s[i] + TRAVEL[1] * stride

    def _turn(self, i: int, time_s: np.ndarray, angle: np.ndarray, heading: np.ndarray) -> None:
        """Add swing i's rotations, which add to zero except for the heading."""
        swings, stride = self.swings, self.swings.stride_s[i]
        toe_off, contact = swings.toe_off_s[i], swings.contact_s[i]
        event = {"toe_off": toe_off, "swing": toe_off, "contact": contact}
        unit = {"toe_off": stride, "swing": contact - toe_off, "contact": stride}
        part = _between(time_s, toe_off - 1.1 * stride, contact + 0.6 * stride)
        t, out = time_s[part], angle[part]
        for name, amplitude, share, centre, width in PITCH_STEPS:
            z = (t - event[name] - centre * unit[name]) / (width * unit[name])
            out[:, 1] += share * swings.amplitude_rad[amplitude][i] * ndtr(z)
        for axis, excursions, scales in (
            (0, ROLL_EXCURSIONS, swings.roll[i]),
            (2, YAW_EXCURSIONS, swings.yaw[i]),
        ):
            for scale, (name, degrees, centre, width) in zip(scales, excursions, strict=True):
                z = (t - event[name] - centre * stride) / (width * stride)
                out[:, axis] -= self.side * scale * np.deg2rad(degrees) * np.exp(-(z**2) / 2)
        for size, at, width in zip(
            swings.wobble_rad[i], swings.wobble_at_s[i], swings.wobble_s[i], strict=True
        ):
            out += size * np.exp(-(((t - at) / width) ** 2) / 2)[:, None]
        leaves, lands = self.travel(i)
        turn = swings.heading_rad[i + 1] - swings.heading_rad[i]
        turning = _between(time_s, leaves, lands)
        heading[turning] += turn * self._progress(i, time_s[turning])
        heading[turning.stop :] += turn

    def _progress(self, i: int, time_s: np.ndarray) -> np.ndarray:
        """Return the share of the way between footprints; speed rises and falls as `smooth_step` does."""
        start, end = self.travel(i)
        gather, lose = (share * self.swings.stride_s[i] for share in TRAVEL[2:])
        way = gather * _ramp((time_s - start) / gather) - lose * _ramp((time_s - end + lose) / lose)
        return way / (end - start - (gather + lose) / 2)

    def _stand(
        self, i: int, part: slice, angle: np.ndarray, heading: np.ndarray, position: np.ndarray
    ) -> None:
        """Roll the foot over footprint i."""
        position[part] = self._rolled("sole", angle[part], heading[part], self.swings.footprint_m[i])

    def _fly(
        self, i: int, time_s: np.ndarray, angle: np.ndarray, heading: np.ndarray, position: np.ndarray
    ) -> None:
        """Move the foot from rolling off footprint i with the toe to rolling onto the next with the heel."""
        swings = self.swings
        leaves, lands = self.travel(i)
        # While the toe is up, heel and sole are one curve, so the change between them is smooth.
        toe_up_s = swings.contact_s[i] - 0.05 * swings.stride_s[i]
        for start, end, onto in ((leaves, toe_up_s, "heel"), (toe_up_s, lands, "sole")):
            part = _between(time_s, start, end)
            left = self._rolled("toe", angle[part], heading[part], swings.footprint_m[i])
            reached = self._rolled(onto, angle[part], heading[part], swings.footprint_m[i + 1])
            position[part] = left + self._progress(i, time_s[part])[:, None] * (reached - left)
            position[part, 2] += self._lift_m[i] * self._lifted(i, time_s[part])

    def _shake(self, i: int, time_s: np.ndarray, position: np.ndarray) -> None:
        swings = self.swings
        for size_m, at_s, hz in zip(swings.shake_m[i], swings.shake_at_s[i], swings.shake_hz[i], strict=True):
            part = _between(time_s, at_s - 6 * SHAKE_WIDTH_S, at_s + 6 * SHAKE_WIDTH_S)
            after_s = time_s[part] - at_s
            ring = np.exp(-((after_s / SHAKE_WIDTH_S) ** 2) / 2) * np.cos(2 * np.pi * hz * after_s)
            position[part] += ring[:, None] * size_m

    def _rolled(
        self, part: str, angle: np.ndarray, heading: np.ndarray, footprint_m: np.ndarray
    ) -> np.ndarray:
        """Return the sensor position of a foot that rolls over `part` and tilts about its sole."""
        x, z = self.shape.rolls[part](angle[:, 1]).T
        roll, pitch, yaw = angle.T
        across = -self.shape.height_m * np.sin(roll)
        risen = self.shape.height_m * (np.cos(roll) - 1)
        x, z = x + risen * np.sin(pitch), z + risen * np.cos(pitch)
        c, s = np.cos(heading + yaw), np.sin(heading + yaw)
        return footprint_m + np.stack([c * x - s * across, s * x + c * across, z], axis=1)


def smooth_step(x: np.ndarray) -> np.ndarray:
    """Return 0 below 0, 1 above 1, and between them the quintic with two zero derivatives at both ends.

    Args:
        x: any shape
    """
    x = np.clip(x, 0.0, 1.0)
    return x**3 * (10 + x * (6 * x - 15))


def _ramp(x: np.ndarray) -> np.ndarray:
    """Return the integral of `smooth_step` from 0 to x."""
    inside = np.clip(x, 0.0, 1.0)
    return inside**4 * (2.5 + inside * (inside - 3)) + np.maximum(x - 1, 0.0)


def euler_matrices(angle: np.ndarray) -> np.ndarray:
    """Return rotations [n, 3, 3] from foot to world axes: Rz(yaw) Ry(pitch) Rx(roll).

    Args:
        angle: [n, 3] (roll, pitch, yaw), rad
    """
    return Rotation.from_euler("ZYX", angle[:, ::-1]).as_matrix()


def body_rates(angle: np.ndarray, rate: np.ndarray) -> np.ndarray:
    """Return the angular rate in the foot's own axes, [n, 3].

    Args:
        angle: [n, 3] (roll, pitch, yaw), rad
        rate: [n, 3] their derivatives, rad/s
    """
    roll, pitch, _ = angle.T
    roll_rate, pitch_rate, yaw_rate = rate.T
    return np.stack(
        [
            roll_rate - yaw_rate * np.sin(pitch),
            pitch_rate * np.cos(roll) + yaw_rate * np.sin(roll) * np.cos(pitch),
            -pitch_rate * np.sin(roll) + yaw_rate * np.cos(roll) * np.cos(pitch),
        ],
        axis=1,
    )


def _between(time_s: np.ndarray, start_s: float, end_s: float) -> slice:
    return slice(*np.searchsorted(time_s, [start_s, end_s]))
