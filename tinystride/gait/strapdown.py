"""Stride length by integrating the sensor from one mid-stance to the next, with zero-velocity de-drifting.

The classical scheme (Foxlin, IEEE CG&A 2005, 25(6), 38-46; Skog et al., IEEE TBME 2010, 57(11), 2657-2666)
over one stride at a time: at mid-stance the foot all but rests, so the velocity there is known, and what else
the integral makes of it is drift, taken out as a line in time. Known is not zero: the foot already rolls
about its sole, and the sensor sits a lever arm above (Peruzzi et al., J Biomech 2011, 44(10), 1991-1994).

A line in time is right for drift that grows evenly, as from tilt or bias. A sensor that is shaken at foot
contact drifts all at once, there. How much of its drift comes so is a property of sensor and wearer. It is
estimated from all strides together: see `impact_share`.
"""

from dataclasses import dataclass, replace

import numpy as np

from tinystride.gait.filters import lowpass, lowpass_delay_s
from tinystride.gait.signals import StrideSignals

GRAVITY_MPS2 = 9.80665
POINTS = 64
LOWPASS_HZ = 10.0
ABREAST = 256  # strides that are filtered at once
LEVER_M = 0.06  # least bias on llio-ruler and on simulated people
# Before the first stride: mean absolute forward and vertical excess velocity times duration, m, and how many
# strides that counts for. The five measured sets have 0.18 and 0.02 to 0.17 m.
USUAL_EXCESS_M = (0.18, 0.07)
USUAL_EXCESS_STRIDES = 2
MAX_EXCESS_RATIO = 4.0  # a stride's excess counts at most so many times the mean
# Excess velocity that a tilt at the end explains, times g, the duration and the tilt. A tilt that came at
# contact makes 0.3; 0.25 errs least on copies of the measured sets at 50 Hz without a filter.
EXCESS_PER_TILT = 0.25
# Contact as a share of the stride: median of the measured sets, and what nearly all strides are within.
USUAL_CONTACT, CONTACT_RANGE = 0.7, (0.5, 0.9)


@dataclass(frozen=True, eq=False)
class Strapdown:
    """What the integration of n strides gives, in the start-stance frame: the foot's axes there, z upright.

    length_cm: [n] horizontal distance between the two mid-stances
    displacement_m: [n, 3]
    velocity_mps: [n, points, 3], from zero at the start, before de-drifting
    orientation: [n, points, 3, 3], rotations from sensor axes to the start-stance frame
    excess_mps: [n, 3] velocity at the end that should not be there: what a line in time has taken out
    """

    length_cm: np.ndarray
    displacement_m: np.ndarray
    velocity_mps: np.ndarray
    orientation: np.ndarray
    excess_mps: np.ndarray


def integrate(
    acc_mps2: np.ndarray, gyr_radps: np.ndarray, duration_s: np.ndarray, *, lever_m: float = LEVER_M
) -> Strapdown:
    """Integrate n strides, each sampled evenly from its first mid-stance to its last.

    acc_mps2, gyr_radps: [n, points, 3] in any axes that are fixed to the foot, bias removed
    duration_s: [n]
    lever_m: height of the sensor above the point that the foot rolls about at mid-stance
    """
    step_s = (duration_s / (acc_mps2.shape[1] - 1))[:, None, None]
    orientation = _orientation(gyr_radps, step_s, level(acc_mps2[:, 0]))
    acceleration = np.einsum("npij,npj->npi", orientation, acc_mps2) - [0.0, 0.0, GRAVITY_MPS2]
    velocity = _cumulate(acceleration, step_s)
    at_start = _stance_velocity(orientation[:, 0], gyr_radps[:, 0], lever_m)
    at_end = _stance_velocity(orientation[:, -1], gyr_radps[:, -1], lever_m)
    # A line in time through the velocities of both stances: its integral is the mean of its two ends.
    excess = velocity[:, -1] + at_start - at_end
    displacement = _cumulate(velocity, step_s)[:, -1] + (at_start - excess / 2) * duration_s[:, None]
    return Strapdown(
        length_cm=100 * np.hypot(displacement[:, 0], displacement[:, 1]),
        displacement_m=displacement,
        velocity_mps=velocity,
        orientation=orientation,
        excess_mps=excess,
    )


def untilted_excess_m(strapdown: Strapdown, acc_mps2: np.ndarray, duration_s: np.ndarray) -> np.ndarray:
    """Return excess velocity times duration [n, 3], m, less what the tilt at the end explains.

    acc_mps2: [n, points, 3] as it was integrated; duration_s: [n]

    A gyroscope that is wrong at contact leaves a tilt, which turns gravity into horizontal velocity. That
    part of the excess is not from shaking.
    """
    force = np.einsum("nij,nj->ni", strapdown.orientation[:, -1], acc_mps2[:, -1])
    tilt = force / np.maximum(np.linalg.norm(force, axis=1), 1e-9)[:, None] * [1, 1, 0]
    per_tilt_m = EXCESS_PER_TILT * GRAVITY_MPS2 * duration_s**2
    return strapdown.excess_mps * duration_s[:, None] - per_tilt_m[:, None] * tilt


def impact_share(excess_m: np.ndarray) -> tuple[float, float]:
    """Return the share, 0 to 1, of the horizontal drift that comes at foot contact, and the usual excess, m.

    excess_m: [n, 3] untilted_excess_m of a recording's strides, in the canonical foot frame

    Shaking at contact disturbs all directions alike; what grows evenly (tilt times gravity) is horizontal.
    So the share is the ratio of the variances of vertical and forward excess, each from the mean absolute
    deviation from the mean. That mean, the usual excess, is a property of the gait and is not shaking. Both
    are updated stride by stride, as a device does it.
    """
    mean, deviation, n = np.zeros(2), np.array(USUAL_EXCESS_M), USUAL_EXCESS_STRIDES
    for forward_and_up in np.asarray(excess_m)[:, [0, 2]]:
        n += 1
        limit = MAX_EXCESS_RATIO * deviation
        change = np.clip(forward_and_up - mean, -limit, limit)
        deviation = deviation + (np.abs(change) - deviation) / n
        mean = mean + change / n
    # The fewer strides there are, the less is believed.
    known = 1 - USUAL_EXCESS_STRIDES / n
    return float(known * min(1.0, (deviation[1] / deviation[0]) ** 2)), float(mean[0])


def with_impacts(
    strapdown: Strapdown, excess_m: np.ndarray, contact: np.ndarray, share: float, usual_m: float
) -> Strapdown:
    """Return the integral [n] with `share` of its unusual horizontal drift taken out from foot contact on.

    excess_m: [n, 3] untilted_excess_m
    contact: [n], time from start to contact as a share of the duration, NaN where unknown
    share, usual_m: from impact_share

    Position lost to drift is excess * (duration - contact) if the drift came at contact, and
    excess * duration / 2 if it grew evenly; the latter has already been taken out.
    """
    contact = known_contact(contact)
    displacement = strapdown.displacement_m.copy()
    unusual_m = excess_m[:, :2] - [usual_m, 0]
    displacement[:, :2] += ((contact - 0.5) * share)[:, None] * unusual_m
    return replace(
        strapdown,
        displacement_m=displacement,
        length_cm=100 * np.hypot(displacement[:, 0], displacement[:, 1]),
    )


def height_lost_m(excess_m: np.ndarray, contact: np.ndarray) -> np.ndarray:
    """Return the height [n] that a line in time makes of vertical velocity that came all at contact, m.

    excess_m: [n] vertical excess velocity times duration, m; contact: as of with_impacts
    """
    return -(known_contact(contact) - 0.5) * excess_m


def known_contact(contact: np.ndarray) -> np.ndarray:
    """Return contact [n] as a share of the duration within CONTACT_RANGE, USUAL_CONTACT for NaN."""
    return np.clip(np.where(np.isfinite(contact), contact, USUAL_CONTACT), *CONTACT_RANGE)


def de_drifted(
    strapdown: Strapdown, gyr_radps: np.ndarray, duration_s: np.ndarray, *, lever_m: float = LEVER_M
) -> tuple[np.ndarray, np.ndarray]:
    """Velocity (m/s) and position (m) [n, points, 3] on the way, in the start-stance frame, without drift.

    Arguments as given to `integrate`, and what it returned. The last position is `displacement_m`.
    """
    at_start, at_end = (
        _stance_velocity(strapdown.orientation[:, k], gyr_radps[:, k], lever_m) for k in (0, -1)
    )
    share = np.linspace(0, 1, gyr_radps.shape[1])[:, None]
    excess = strapdown.velocity_mps[:, -1] + at_start - at_end
    velocity = strapdown.velocity_mps + at_start[:, None] - excess[:, None] * share
    return velocity, _cumulate(velocity, (duration_s / (gyr_radps.shape[1] - 1))[:, None, None])


def resample(
    signals: StrideSignals, points: int = POINTS, lowpass_hz: float = LOWPASS_HZ
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Low-passed samples of n strides at `points` even instants from mid-stance to mid-stance.

    Returns acc_mps2 [n, points, 3], gyr_radps [n, points, 3], duration_s [n].
    """
    resampled = np.empty((len(signals), points, 6))
    samples = np.column_stack([signals.acc_mps2, signals.gyr_radps]).astype(float)
    length = np.diff(signals.offset)
    for rate_hz in np.unique(signals.rate_hz):
        # Strides of similar length abreast, padded to the longest.
        same = np.flatnonzero(signals.rate_hz == rate_hz)
        same = same[np.argsort(length[same], kind="stable")]
        for begin in range(0, len(same), ABREAST):
            part = same[begin : begin + ABREAST]
            resampled[part] = _resample_abreast(
                samples,
                signals.offset[part],
                length[part],
                rate_hz,
                signals.mid_stance[part],
                points,
                lowpass_hz,
            )
    duration_s = (signals.mid_stance[:, 1] - signals.mid_stance[:, 0]) / signals.rate_hz
    return resampled[..., :3], resampled[..., 3:], duration_s


def _resample_abreast(
    samples: np.ndarray,
    offset: np.ndarray,
    length: np.ndarray,
    rate_hz: float,
    bounds: np.ndarray,
    points: int,
    lowpass_hz: float,
) -> np.ndarray:
    """resample_between for n strides at once, each with its own bounds [n, 2]: the same numbers.

    samples: [N, channel] of all strides; offset, length: [n], which of them are those of each stride
    """
    half, place = _instants(rate_hz, bounds, points, lowpass_hz)
    longest = max(int(length.max()), int((place + half).max()) + 2)
    own = offset[:, None] + np.minimum(np.arange(longest), length[:, None] - 1)
    smooth = lowpass(samples[own.T], rate_hz, lowpass_hz).transpose(1, 0, 2)
    total = np.zeros_like(smooth)
    np.cumsum((smooth[:, 1:] + smooth[:, :-1]) / 2, axis=1, out=total[:, 1:])
    at, from_ = (_integral_at(smooth, total, place + side * half) for side in (1, -1))
    return (at - from_) / (2 * half[..., None])


def _integral_at(samples: np.ndarray, total: np.ndarray, place: np.ndarray) -> np.ndarray:
    """_integral of each of samples [n, N, channel], whose sums are `total`, to places [n, points]."""
    stride = np.arange(len(samples))[:, None]
    before = np.maximum(place, 0).astype(np.int64)
    weight = (place - before)[..., None]
    slope = samples[stride, before + 1] - samples[stride, before]
    return total[stride, before] + weight * (samples[stride, before] + weight * slope / 2)


def _instants(
    rate_hz: float, bounds: np.ndarray, points: int, lowpass_hz: float
) -> tuple[np.ndarray, np.ndarray]:
    """Half an interval [n, 1] and the instants [n, points], in samples, at which to read the filter."""
    half = ((bounds[:, 1] - bounds[:, 0]) / (points - 1) / 2)[:, None]
    place = np.linspace(bounds[:, 0], bounds[:, 1], points, axis=1)
    return half, place + lowpass_delay_s(rate_hz, lowpass_hz) * rate_hz


def resample_between(
    samples: np.ndarray,
    rate_hz: float,
    bounds: np.ndarray,
    points: int = POINTS,
    lowpass_hz: float = LOWPASS_HZ,
) -> np.ndarray:
    """Low-pass `samples` [N, channel] and read them at `points` even instants within each of `bounds` [n, 2].

    The filter is causal; its delay is made up for by reading as much later. A value is the mean over the
    interval between two instants, without which what the filter leaves of an impact would depend on where the
    instants fall: up to 1.9 cm in a slow stride. Returns [n, points, channel].
    """
    half, place = _instants(rate_hz, bounds, points, lowpass_hz)
    # A stride may end with the recording, before the filter has brought out its last samples.
    missing = max(0, int((place + half).max()) + 2 - len(samples))
    return Resampler(samples, rate_hz, missing, lowpass_hz).between(bounds, points)


class Resampler:
    """Samples [N, channel] that are filtered once and read between any bounds, as resample_between does.

    missing: how many samples are read after the last one, which is repeated
    """

    def __init__(
        self, samples: np.ndarray, rate_hz: float, missing: int, lowpass_hz: float = LOWPASS_HZ
    ) -> None:
        self._rate_hz, self._lowpass_hz = rate_hz, lowpass_hz
        self._smooth = lowpass(np.pad(samples, ((0, missing), (0, 0)), mode="edge"), rate_hz, lowpass_hz)
        self._total = np.zeros_like(self._smooth)
        np.cumsum((self._smooth[1:] + self._smooth[:-1]) / 2, axis=0, out=self._total[1:])

    def between(self, bounds: np.ndarray, points: int = POINTS) -> np.ndarray:
        """[n, points, channel] of bounds [n, 2]."""
        half, place = _instants(self._rate_hz, bounds, points, self._lowpass_hz)
        end, start = (_integral(self._smooth, self._total, place + side * half) for side in (1, -1))
        return (end - start) / (2 * half[..., None])


def _integral(samples: np.ndarray, total: np.ndarray, place: np.ndarray) -> np.ndarray:
    """Integral of the straight lines through samples [N, channel] from the first one to fractional places.

    total: [N, channel], the integral to each sample
    """
    before = np.maximum(place, 0).astype(np.int64)
    weight = (place - before)[..., None]
    own = samples[before]
    slope = samples[before + 1] - own
    return total[before] + weight * (own + weight * slope / 2)


def level(acc_mps2: np.ndarray) -> np.ndarray:
    """The smallest rotations [n, 3, 3] that turn the specific force [n, 3] of a foot at rest upright."""
    up = acc_mps2 / np.linalg.norm(acc_mps2, axis=1, keepdims=True)
    axis = np.cross(up, [0.0, 0.0, 1.0])
    sine = np.linalg.norm(axis, axis=1, keepdims=True)
    angle = np.arctan2(sine, up[:, 2:])
    upside_down = (sine < 1e-9) & (up[:, 2:] < 0)
    axis = np.where(upside_down, [1.0, 0.0, 0.0], axis / np.maximum(sine, 1e-12))
    return rotation_matrices(axis * angle)


def rotation_matrices(rotation_vectors: np.ndarray) -> np.ndarray:
    """Rotation vectors [..., 3], rad, to matrices [..., 3, 3] (Rodrigues)."""
    angle = np.linalg.norm(rotation_vectors, axis=-1)[..., None, None]
    x, y, z = np.moveaxis(rotation_vectors, -1, 0)
    zero = np.zeros_like(x)
    cross = np.stack([zero, -z, y, z, zero, -x, -y, x, zero], axis=-1).reshape(*x.shape, 3, 3)
    versine = 0.5 * np.sinc(angle / (2 * np.pi)) ** 2  # (1 - cos angle) / angle²
    return np.eye(3) + np.sinc(angle / np.pi) * cross + versine * cross @ cross


def _orientation(gyr_radps: np.ndarray, step_s: np.ndarray, start: np.ndarray) -> np.ndarray:
    steps = rotation_matrices((gyr_radps[:, 1:] + gyr_radps[:, :-1]) / 2 * step_s)
    orientation = np.empty((*gyr_radps.shape[:2], 3, 3))
    orientation[:, 0] = start
    for k in range(steps.shape[1]):
        orientation[:, k + 1] = orientation[:, k] @ steps[:, k]
    return orientation


def _stance_velocity(orientation: np.ndarray, gyr_radps: np.ndarray, lever_m: float) -> np.ndarray:
    return np.cross(np.einsum("nij,nj->ni", orientation, gyr_radps), [0.0, 0.0, lever_m])


def _cumulate(rate: np.ndarray, step_s: np.ndarray) -> np.ndarray:
    """Trapezoidal integral over time [n, points, 3], zero at the start."""
    total = np.zeros_like(rate)
    np.cumsum((rate[:, 1:] + rate[:, :-1]) / 2 * step_s, axis=1, out=total[:, 1:])
    return total
