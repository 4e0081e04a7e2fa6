"""Simulated people, the paths that they walk, and the times and places of their footprints."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import attrs
import numpy as np

from tinystride.datasets.foot_motion import SHAKE_WIDTH_S, FootShape, Swings
from tinystride.optional import extra
from tinystride.validation import real_number, whole_number

with extra("train"):
    from scipy.spatial.transform import Rotation

SPEED_RANGE_MPS = (0.2, 4.0)
WOBBLES_PER_STRIDE = 6
# Below about 62 m/min people reduce the cadence more than the step length: Murakami and Otaka,
# J. Phys. Ther. Sci. 2017, 29(4), 722.
CONSTANT_WALK_RATIO_FROM_MPS = 62 / 60


# Directions (forward, left, up) of the vibrations at toe-off and contact; their delays in stride times.
SHAKE_DIRECTIONS = ((0.9, 0.1, 0.5), (0.8, 0.1, 0.6))
RELEASE_AT, IMPACT_AT = 0.05, 0.018

MEAN_SHAPE = FootShape(heel_m=-0.174, ball_m=0.036, toe_m=0.088, height_m=0.073)


@dataclass(frozen=True, eq=False)
class SimulatedSubject:
    """One person's way of walking; the defaults are means of young adults, `draw` varies them.

    Attributes:
        name: as in Recording.subject
        height_m: body height, from which `draw` scales the lengths
        preferred_speed_mps: 1.2-1.4 m/s in healthy adults
        walk_ratio_m_min: step length over cadence, m/(steps/min), constant over a wide range of speeds; about
            0.0060 in adults (Sekiya and Nagasaki, Gait Posture 1998, 7(3), 225)
        stance_fraction: share of stance in the stride at preferred speed; shrinks with speed (Winter,
            Biomechanics and Motor Control of Human Gait, 1991: toe-off at about 60 % of the stride)
        step_width_m: distance of the feet's lines
        toe_out_rad: outward rotation of the footprints
        push_off_rad: step of pitch in push-off (a tenth less, 58-78 degrees, is reached before the swing
            reverses it)
        toe_up_rad: step of pitch at contact (15-30 degrees are reached)
        roll_over_rad: step of pitch in mid-stance
        clearance_m: height of the ball of the foot over the floor in mid-swing: about a centimetre (Winter)
        impact_mps2: peak of the short vibration at contact
        release_mps2: peak of the short vibration at toe-off
        variability: relative SD of length and time from stride to stride; 2-3 % in healthy adults
        roll: size of each excursion of roll, 1: typical
        yaw: size of each excursion of yaw, 1: typical
        shape: sole and sensor position
        mounting: {foot: [3, 3] rotation from sensor to foot axes}
    """

    name: str = "S00"
    height_m: float = 1.72
    preferred_speed_mps: float = 1.3
    walk_ratio_m_min: float = 0.0062
    stance_fraction: float = 0.613
    step_width_m: float = 0.10
    toe_out_rad: float = np.deg2rad(6.0)
    push_off_rad: float = np.deg2rad(81.0)
    toe_up_rad: float = np.deg2rad(28.0)
    roll_over_rad: float = np.deg2rad(3.5)
    clearance_m: float = 0.012
    impact_mps2: float = 45.0
    release_mps2: float = 24.0
    variability: float = 0.02
    roll: tuple[float, float, float] = (1.0, 1.0, 1.0)
    yaw: tuple[float, float, float] = (1.0, 1.0, 1.0)
    shape: FootShape = MEAN_SHAPE
    mounting: dict[str, np.ndarray] = field(default_factory=lambda: {"left": np.eye(3), "right": np.eye(3)})

    @staticmethod
    def draw(rng: np.random.Generator, name: str = "S00") -> "SimulatedSubject":
        """Return a random adult: height 1.72 ± 0.09 m, foot length 0.152 of it (Drillis and Contini).

        The other lengths are in proportion, each with its own scatter.

        Args:
            rng: random number generator
            name: name of the person
        """
        size = float(np.clip(rng.normal(1.0, 0.052), 0.87, 1.14))
        foot_m = 0.152 * 1.72 * size * rng.normal(1.0, 0.025)
        behind_m = foot_m * rng.uniform(0.56, 0.76)
        return SimulatedSubject(
            name=name,
            height_m=1.72 * size,
            preferred_speed_mps=float(np.clip(1.30 * np.sqrt(size) * rng.normal(1.0, 0.09), 1.0, 1.6)),
            walk_ratio_m_min=0.0062 * size * float(np.clip(rng.normal(1.0, 0.07), 0.85, 1.15)),
            stance_fraction=float(np.clip(rng.normal(0.613, 0.014), 0.585, 0.645)),
            step_width_m=float(np.clip(rng.normal(0.10, 0.03), 0.04, 0.18)),
            toe_out_rad=np.deg2rad(rng.normal(6.0, 4.0)),
            push_off_rad=np.deg2rad(float(np.clip(rng.normal(81.0, 6.0), 67.0, 92.0))),
            toe_up_rad=np.deg2rad(float(np.clip(rng.normal(28.0, 6.0), 18.0, 40.0))),
            roll_over_rad=np.deg2rad(float(np.clip(rng.normal(3.5, 1.8), 0.5, 7.5))),
            clearance_m=rng.uniform(0.004, 0.022),
            impact_mps2=rng.uniform(15.0, 75.0),
            release_mps2=rng.uniform(8.0, 40.0),
            variability=rng.uniform(0.012, 0.03),
            roll=tuple(rng.normal(1.0, 0.35, 3)),
            yaw=tuple(rng.normal(1.0, 0.8, 3)),
            shape=FootShape(
                -behind_m,
                0.80 * foot_m - behind_m,
                foot_m - behind_m,
                float(np.clip(rng.normal(0.073, 0.008), 0.055, 0.09)),
            ),
            mounting={foot: _draw_mounting(rng) for foot in ("left", "right")},
        )

    def step_length_m(self, speed_mps: float) -> float:
        """Return the step length from speed = length · cadence / 60 and length = walk ratio · cadence.

        Args:
            speed_mps: walking speed
        """
        slow = max(0.0, CONSTANT_WALK_RATIO_FROM_MPS - speed_mps)
        return float(np.sqrt(60 * speed_mps * self.walk_ratio_m_min * (1 + 0.6 * slow)))


def _draw_mounting(rng: np.random.Generator) -> np.ndarray:
    """Return the mounting of a sensor on the instep: one of four directions, tilted, inexact."""
    clipped = 90.0 * rng.integers(4) + rng.normal(0.0, 8.0)
    return Rotation.from_euler(
        "YXZ", [rng.normal(25.0, 8.0), rng.normal(0.0, 8.0), clipped], degrees=True
    ).as_matrix()


@attrs.frozen
class Leg:
    """A part of a path: some strides at one speed.

    A person walks at 0.5 to 2.1 m/s; slower and faster gaits need other changes, too. The last leg always
    ends with feet together.

    Raises:
        ParameterError: for less than one stride or a speed outside SPEED_RANGE_MPS

    Attributes:
        strides: number of strides
        speed_mps: walking speed
        turn_rad: change of heading along the leg, left is positive
        climb_m: height gained per stride
        pause_s: standing, feet together, at the end of the leg; the next leg starts from rest
    """

    PREFIX: ClassVar[str] = "leg."

    strides: int = attrs.field(validator=whole_number(1))
    speed_mps: float = attrs.field(validator=real_number(*SPEED_RANGE_MPS))
    turn_rad: float = 0.0
    climb_m: float = 0.0
    pause_s: float = 0.0


@dataclass(frozen=True, eq=False)
class Steps:
    """The contacts of both feet in order, one row per contact.

    Attributes:
        foot: [k] 0 (left) or 1 (right)
        contact_s: [k] time of the contact
        body_m: [k, 3] position of the body
        heading_rad: [k] heading of the body
        pace_s: [k] stride time
        full_m: [k] step length of the leg
        speed_mps: [k] speed of the leg
        from_rest: [k] whether the foot starts from standing
        turning: [k] whether the leg turns
    """

    foot: np.ndarray
    contact_s: np.ndarray
    body_m: np.ndarray
    heading_rad: np.ndarray
    pace_s: np.ndarray
    full_m: np.ndarray
    speed_mps: np.ndarray
    from_rest: np.ndarray
    turning: np.ndarray


def plan_steps(
    subject: SimulatedSubject, legs: Sequence[Leg], start_s: float, rng: np.random.Generator
) -> Steps:
    """Return the contacts of both feet along the path, right foot first.

    Feet are together at the start, in pauses and at the end.

    Args:
        subject: the person
        legs: legs of the path
        start_s: time at which walking starts
        rng: random number generator
    """
    rows = []
    time_s, heading, body = start_s, 0.0, np.zeros(3)
    length_noise = time_noise = 0.0
    foot, since_rest = 1, 0
    for number, leg in enumerate(legs):
        stops = leg.pause_s > 0 or number == len(legs) - 1
        step_m = subject.step_length_m(leg.speed_mps)
        steps = 2 * leg.strides
        for k in range(steps):
            # Successive strides are correlated (Hausdorff et al., J. Appl. Physiol. 1995, 78, 349).
            length_noise, time_noise = (
                0.5 * noise + np.sqrt(0.75) * rng.standard_normal() for noise in (length_noise, time_noise)
            )
            starts, closes = since_rest == 0, stops and k == steps - 1
            share = 0.6 if starts else 0.0 if closes else 1.0
            full_m = step_m * (1 + subject.variability * length_noise)
            step_s = step_m / leg.speed_mps * (1 + 0.7 * subject.variability * time_noise)
            heading += leg.turn_rad / steps
            body = body + share * full_m * np.array([np.cos(heading), np.sin(heading), 0.0])
            body[2] += leg.climb_m / 2
            time_s += step_s * (1.15 if starts else 1.0)
            rows.append(
                (
                    foot,
                    time_s,
                    body,
                    heading,
                    2 * step_s,
                    step_m,
                    leg.speed_mps,
                    since_rest < 2,
                    leg.turn_rad != 0,
                )
            )
            foot, since_rest = 1 - foot, since_rest + 1
        if leg.pause_s > 0:
            time_s += leg.pause_s
            since_rest = 0
    return Steps(*(np.array(column) for column in zip(*rows, strict=True)))


def swings_of(subject: SimulatedSubject, steps: Steps, foot: str, rng: np.random.Generator) -> Swings:
    """Return the swings of one foot, each slightly different from the one before.

    Args:
        subject: the person
        steps: steps of both feet
        foot: "left" or "right"
        rng: random number generator
    """
    side = 1.0 if foot == "left" else -1.0
    mine = steps.foot == (0 if foot == "left" else 1)
    n = int(mine.sum())
    pace_s, contact_s, speed = steps.pace_s[mine], steps.contact_s[mine], steps.speed_mps[mine]
    heading = np.concatenate([[0.0], steps.heading_rad[mine]])
    body = np.vstack([np.zeros(3), steps.body_m[mine]])
    beside = side * subject.step_width_m / 2 + 0.01 * rng.standard_normal(n + 1)
    footprint = body + beside[:, None] * np.stack([-np.sin(heading), np.cos(heading), 0 * heading], axis=1)
    toe_out = side * subject.toe_out_rad + np.deg2rad(1.5) * rng.standard_normal(n + 1)
    faster = speed / subject.preferred_speed_mps
    stance = subject.stance_fraction - 0.05 * (faster - 1) + 0.006 * rng.standard_normal(n)
    length_m = np.linalg.norm(np.diff(footprint[:, :2], axis=0), axis=1)
    # A short step needs less push-off and lands flatter.
    effort = np.clip(length_m / (2 * steps.full_m[mine]), 0.5, 1.1) ** 0.6 * faster**0.12

    def scattered(mean: float, share: float = 0.05) -> np.ndarray:
        return mean * effort * (1 + share * np.clip(rng.standard_normal(n), -2.5, 2.5))

    roll_over, push_off = scattered(subject.roll_over_rad, 0.3), scattered(subject.push_off_rad, 0.03)
    toe_up = scattered(subject.toe_up_rad, 0.06)
    toe_off_s = contact_s - (1 - stance) * pace_s
    k = WOBBLES_PER_STRIDE
    wobble_at = rng.uniform(-0.45, 0.35, (n, k))
    # A foot on the floor wobbles less than a foot in the air.
    wobble_rad = np.deg2rad(np.where(np.abs(wobble_at + 0.15) < 0.25, 1.6, 0.45)) * effort[:, None]
    return Swings(
        toe_off_s=toe_off_s,
        contact_s=contact_s,
        stride_s=pace_s,
        footprint_m=footprint,
        heading_rad=heading + toe_out,
        amplitude_rad={
            "roll_over": roll_over,
            "push_off": push_off - roll_over,
            "swing": -(push_off + toe_up),
            "loading": toe_up,
        },
        clearance_m=scattered(subject.clearance_m, 0.3),
        roll=np.stack([scattered(scale, 0.4) for scale in subject.roll], axis=1),
        yaw=np.stack([scattered(scale, 0.4) for scale in subject.yaw], axis=1),
        **_shakes(subject, toe_off_s, contact_s, pace_s, heading, faster, rng),
        wobble_rad=wobble_rad[..., None] * rng.standard_normal((n, k, 3)),
        wobble_at_s=contact_s[:, None] + pace_s[:, None] * wobble_at,
        wobble_s=pace_s[:, None] * rng.uniform(0.02, 0.045, (n, k)),
    )


def _shakes(
    subject: SimulatedSubject,
    toe_off_s: np.ndarray,
    contact_s: np.ndarray,
    pace_s: np.ndarray,
    heading: np.ndarray,
    faster: np.ndarray,
    rng: np.random.Generator,
) -> dict[str, np.ndarray]:
    """Return short vibrations at toe-off and at contact."""
    n = len(contact_s)
    hz = np.stack([rng.uniform(13.0, 17.0, n), rng.uniform(18.0, 24.0, n)], axis=1)
    peak = np.array([subject.release_mps2, subject.impact_mps2]) * faster[:, None]
    peak = peak * (1 + 0.25 * np.clip(rng.standard_normal((n, 2)), -2.5, 2.5))
    # Forward, left, up. Negative, because a cosine's second derivative has the opposite sign.
    size = -(peak / ((2 * np.pi * hz) ** 2 + SHAKE_WIDTH_S**-2))[..., None] * np.array(SHAKE_DIRECTIONS)
    size = size + 0.25 * np.linalg.norm(size, axis=2, keepdims=True) * rng.standard_normal((n, 2, 3))
    direction = np.stack([heading[:-1], heading[1:]], axis=1)
    c, s = np.cos(direction), np.sin(direction)
    forward, left, up = np.moveaxis(size, 2, 0)
    return {
        "shake_m": np.stack([c * forward - s * left, s * forward + c * left, up], axis=2),
        "shake_at_s": np.stack([toe_off_s + RELEASE_AT * pace_s, contact_s + IMPACT_AT * pace_s], axis=1),
        "shake_hz": hz,
    }
