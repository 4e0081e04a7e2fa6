"""Integrate the sensor from one mid-stance to the next with zero-velocity de-drifting: stride length.

The classical method (Foxlin, IEEE CG&A 2005, 25(6), 38-46; Skog et al., IEEE TBME 2010, 57(11), 2657-2666),
for each stride separately. At mid-stance the foot nearly rests, so its velocity is known. The difference
between this velocity and the integral is drift, which is removed as a line in time. The known velocity is not
zero: the foot already rolls over its sole, and the sensor is a lever arm above the floor (Peruzzi et al.,
J Biomech 2011, 44(10), 1991-1994).

A line in time is right for drift that grows evenly, as from tilt or bias. The drift of a sensor that is
shaken at foot contact comes all at once, at the contact. The share of this drift depends on the sensor and
its wearer. It is estimated from all strides together: see `impact_share`.

The foot is not quite at rest at a detected mid-stance, see `with_stance_motion`.

A running foot is accelerated at mid-stance, so its specific force does not point upwards there. The tilt at
the start is wrong by up to 0.3 rad, and the integral climbs on a level floor. `correct_tilt` corrects it.
"""

from dataclasses import dataclass, replace

import numpy as np

from tinystride.gait.filters import lowpass, lowpass_delay_s
from tinystride.gait.signals import StrideSignals

GRAVITY_MPS2 = 9.80665
POINTS = 64
LOWPASS_HZ = 10.0
BATCH_STRIDES = 256  # strides that are filtered at once
LEVER_ARM_M = 0.06  # minimizes the bias on llio-ruler and simulated people
# Prior before the first stride: mean absolute deviation of the forward and the vertical excess velocity times
# duration, m, and its weight in strides. The five measured sets have means of 0.14 to 0.18 m and of 0.02 to
# 0.17 m. So the prior of the forward excess is worth several strides, that of the vertical excess only one:
# the relative variance of a mean of n absolute deviations is 0.6 / n.
USUAL_EXCESS_M = (0.16, 0.07)
USUAL_EXCESS_STRIDES = (6, 1)
# Weight, in strides, of a usual excess of 0. With n strides, the share is multiplied by n / (n + the first).
USUAL_MEAN_STRIDES = (2, 1)
MAX_EXCESS_RATIO = 4.0  # limits the excess of a stride, as a multiple of the mean
# Excess velocity due to a tilt at the end, divided by g, the duration and the tilt. It is 0.3 for a tilt that
# came at contact; 0.25 gives the smallest errors on copies of the measured sets at 50 Hz without a filter.
EXCESS_PER_TILT = 0.25
# Tilt of the specific force per angular rate of a foot that rolls over its sole at mid-stance, s.
TILT_PER_RADPS = 0.1
# A foot that tilts its specific force by less is at rest, and the force is trusted.
REST_TILT_RAD = 0.05
# SD of the horizontal excess velocity from other causes than the tilt at the start. If a running stride is
# rotated so that it ends at its initial height, 0.13 to 0.19 m/s are left (llio-ruler-2, 2.2 to 3.4 m/s).
EXCESS_SD_MPS = 0.2
# A low rate loses a part of each impact, by this divided by the squared rate (SD): 2 m/s at 50 Hz, 0.1 m/s at
# 200 Hz. Half of it gives larger errors on copies of the measured sets at 50 Hz without a filter.
ALIASED_EXCESS_MPS_HZ2 = 5000.0
# Contact as a share of the stride: median of the measured sets, and the range of nearly all strides.
USUAL_CONTACT, CONTACT_RANGE = 0.7, (0.5, 0.9)
# Motion of the foot near both mid-stances, in the order and units of `stance_motion`: the length missed per
# unit, the usual motion, and the maximum length missed by each. Fitted to all measured sets together;
# studies/small_networks.py fits them to some sets and tests them on the set left out.
CM_PER_MOTION = (1.0, 0.12, 0.5, -0.5)
USUAL_MOTION = (0.0, 0.35, 0.15, -0.15)
MAX_MISSED_CM = 0.25
MIN_MOTION_LENGTH_CM = 40.0  # in a shorter step, the foot's motion counts in proportion to the length


@dataclass(frozen=True, eq=False)
class Strapdown:
    """Integral of n strides in the start-stance frame: the axes of the foot at the start, with z vertical.

    Attributes:
        length_cm: [n], horizontal distance between the two mid-stances
        displacement_m: [n, 3], from mid-stance to mid-stance
        velocity_mps: [n, points, 3], from zero at the start, before de-drifting
        orientation: [n, points, 3, 3], rotations from sensor axes to the start-stance frame
        excess_mps: [n, 3], difference between the integrated and the known velocity at the end, which is
            removed as a line in time
        tilt_rad: [n], angle between the specific force at the end and that at the start, which should be zero
    """

    length_cm: np.ndarray
    displacement_m: np.ndarray
    velocity_mps: np.ndarray
    orientation: np.ndarray
    excess_mps: np.ndarray
    tilt_rad: np.ndarray


def integrate(
    acc_mps2: np.ndarray, gyr_radps: np.ndarray, duration_s: np.ndarray, *, lever_arm_m: float = LEVER_ARM_M
) -> Strapdown:
    """Return the integral of n strides, each sampled evenly from its first mid-stance to its last.

    Args:
        acc_mps2: [n, points, 3], in any axes fixed to the foot
        gyr_radps: [n, points, 3], in the same axes, without bias
        duration_s: [n]
        lever_arm_m: height of the sensor above the point that the foot rolls over at mid-stance
    """
    step_s = (duration_s / (acc_mps2.shape[1] - 1))[:, None, None]
    orientation = _orientation(gyr_radps, step_s, align_to_gravity(acc_mps2[:, 0]))
    acceleration = np.einsum("npij,npj->npi", orientation, acc_mps2) - [0.0, 0.0, GRAVITY_MPS2]
    velocity = _cumulate(acceleration, step_s)
    at_start = _stance_velocity(orientation[:, 0], gyr_radps[:, 0], lever_arm_m)
    at_end = _stance_velocity(orientation[:, -1], gyr_radps[:, -1], lever_arm_m)
    # The integral of a line in time is the duration times the mean of its ends.
    excess = velocity[:, -1] + at_start - at_end
    force = np.einsum("nij,nj->ni", orientation[:, -1], acc_mps2[:, -1])
    displacement = _cumulate(velocity, step_s)[:, -1] + (at_start - excess / 2) * duration_s[:, None]
    return Strapdown(
        length_cm=100 * np.hypot(displacement[:, 0], displacement[:, 1]),
        displacement_m=displacement,
        velocity_mps=velocity,
        orientation=orientation,
        excess_mps=excess,
        tilt_rad=np.arctan2(np.hypot(force[:, 0], force[:, 1]), force[:, 2]),
    )


def correct_tilt(
    strapdown: Strapdown,
    acc_mps2: np.ndarray,
    gyr_radps: np.ndarray,
    duration_s: np.ndarray,
    rate_hz: float,
) -> tuple[Strapdown, np.ndarray]:
    """Return the integral [n] with the tilt at its start corrected, and the part of its excess due to it [n].

    `integrate` takes the specific force at the start for the vertical direction. If the foot is accelerated
    there, the stride starts with a tilt, which turns gravity into horizontal velocity: g · tilt · duration at
    the end. This velocity measures the tilt, weighted against the specific force, each by its variance. The
    stride of a foot at rest is not changed. Otherwise the whole stride is rotated back: the line in time has
    already removed the gravity of a constant tilt, so only height is exchanged for length. Nothing assumes
    that the floor is level.

    Args:
        strapdown: integral of n strides
        acc_mps2: [n, points, 3], as integrated
        gyr_radps: [n, points, 3], as integrated
        duration_s: [n]
        rate_hz: sampling rate
    """
    fall_mps = GRAVITY_MPS2 * duration_s
    variance = moving_variance(acc_mps2[:, 0], gyr_radps[:, 0])
    other_mps2 = EXCESS_SD_MPS**2 + (ALIASED_EXCESS_MPS_HZ2 / rate_hz**2) ** 2
    explained = variance / (variance + other_mps2 / fall_mps**2)
    tilt = strapdown.excess_mps[:, :2] * (explained / fall_mps)[:, None]
    back = align_to_gravity(np.column_stack([tilt, np.ones(len(tilt))]))
    # Gravity, rotated back, is subtracted once more.
    gravity = (back[:, :, 2] - [0, 0, 1]) * fall_mps[:, None]
    displacement = np.einsum("nij,nj->ni", back, strapdown.displacement_m)
    share = np.linspace(0, 1, acc_mps2.shape[1])[:, None]
    levelled = replace(
        strapdown,
        length_cm=100 * np.hypot(displacement[:, 0], displacement[:, 1]),
        displacement_m=displacement,
        velocity_mps=np.einsum("nij,npj->npi", back, strapdown.velocity_mps) + gravity[:, None] * share,
        orientation=back[:, None] @ strapdown.orientation,
        excess_mps=np.einsum("nij,nj->ni", back, strapdown.excess_mps) + gravity,
    )
    return levelled, explained


def tilt_variance(acc_mps2: np.ndarray, gyr_radps: np.ndarray) -> np.ndarray:
    """Return the variance [n], rad², of the angle between the specific force of a foot and the vertical.

    It grows with the difference of the specific force from gravity, and with the angular rate.

    Args:
        acc_mps2: [n, 3], at mid-stance
        gyr_radps: [n, 3], at mid-stance
    """
    pushed = np.linalg.norm(acc_mps2, axis=1) / GRAVITY_MPS2 - 1
    return pushed**2 + TILT_PER_RADPS**2 * (gyr_radps**2).sum(axis=1)


def moving_variance(acc_mps2: np.ndarray, gyr_radps: np.ndarray) -> np.ndarray:
    """Return the variance [n], rad², of the tilt of a foot's force beyond that of a foot at rest.

    Args:
        acc_mps2: [n, 3], at mid-stance
        gyr_radps: [n, 3], at mid-stance
    """
    return np.maximum(tilt_variance(acc_mps2, gyr_radps) - REST_TILT_RAD**2, 0.0)


def untilted_excess_m(strapdown: Strapdown, acc_mps2: np.ndarray, duration_s: np.ndarray) -> np.ndarray:
    """Return excess velocity times duration [n, 3], m, minus the part that the tilt at the end explains.

    A gyroscope error at contact leaves a tilt, which turns gravity into horizontal velocity. This part of the
    excess is not due to shaking.

    Args:
        strapdown: integral of n strides
        acc_mps2: [n, points, 3], as integrated
        duration_s: [n]
    """
    force = np.einsum("nij,nj->ni", strapdown.orientation[:, -1], acc_mps2[:, -1])
    tilt = force / np.maximum(np.linalg.norm(force, axis=1), 1e-9)[:, None] * [1, 1, 0]
    per_tilt_m = EXCESS_PER_TILT * GRAVITY_MPS2 * duration_s**2
    return strapdown.excess_mps * duration_s[:, None] - per_tilt_m[:, None] * tilt


def impact_share(excess_m: np.ndarray) -> tuple[float, float]:
    """Return the share of the horizontal drift that comes at contact, 0 to 1, and the usual excess, m.

    Shaking at contact disturbs all directions equally; evenly growing drift (tilt times gravity) is
    horizontal. So the share is the ratio of the variances of vertical and forward excess, each estimated from
    the mean absolute deviation from the mean. This mean, the usual excess, is a property of the gait and not
    of shaking. Both are updated stride by stride, as in the C library.

    Args:
        excess_m: [n, 3], untilted_excess_m of the strides of a recording, in the canonical foot frame, in
            order
    """
    mean, deviation = np.zeros(2), np.array(USUAL_EXCESS_M)
    for n, forward_and_up in enumerate(np.asarray(excess_m)[:, [0, 2]], start=1):
        limit = MAX_EXCESS_RATIO * deviation
        change = np.clip(forward_and_up - mean, -limit, limit)
        deviation = deviation + (np.abs(change) - deviation) / (n + np.array(USUAL_EXCESS_STRIDES))
        mean = mean + change / (n + np.array(USUAL_MEAN_STRIDES))
    # With few strides, the share is reduced.
    confidence = len(excess_m) / (len(excess_m) + USUAL_MEAN_STRIDES[0])
    return float(confidence * min(1.0, (deviation[1] / deviation[0]) ** 2)), float(mean[0])


def with_impacts(
    strapdown: Strapdown,
    excess_m: np.ndarray,
    contact: np.ndarray,
    share: float,
    usual_m: float,
    explained: np.ndarray | float = 0.0,
) -> Strapdown:
    """Return the integral [n] with the part of its drift that came at foot contact corrected.

    The position error of drift is the excess velocity times the time from the contact to the end if it came
    at the contact, and times half the duration if it grew evenly; `integrate` has already removed the latter.
    Only the horizontal excess beyond the usual excess is corrected.

    Args:
        strapdown: integral of n strides
        excess_m: [n, 3], as `untilted_excess_m` returns it
        contact: [n], time from start to contact as a share of the duration; NaN if unknown
        share: part of the drift that comes at contact, 0 to 1, as `impact_share` returns it
        usual_m: usual forward excess, as `impact_share` returns it
        explained: [n], part of the excess due to the tilt at the start, as `correct_tilt` returns it
    """
    contact = limited_contact(contact)
    displacement = strapdown.displacement_m.copy()
    unusual_m = excess_m[:, :2] - [usual_m, 0]
    displacement[:, :2] += ((contact - 0.5) * (share * (1 - explained)))[:, None] * unusual_m
    return replace(
        strapdown,
        displacement_m=displacement,
        length_cm=100 * np.hypot(displacement[:, 0], displacement[:, 1]),
    )


def stance_motion(
    strapdown: Strapdown, acc_mps2: np.ndarray, gyr_radps: np.ndarray, duration_s: np.ndarray
) -> np.ndarray:
    """Return how the foot moves near both mid-stances [n, 4], in the canonical foot frame.

    - specific force minus gravity at the first mid-stance, m/s²
    - pitch acceleration during the first 1/21 of the stride, rad/s²
    - roll rate from 1/8 to 3/16 of the stride, rad/s
    - forward acceleration 1/8 to 1/16 of the stride before its end, m/s²

    Args:
        strapdown: integral of n strides
        acc_mps2: [n, POINTS, 3], as integrated
        gyr_radps: [n, POINTS, 3], as integrated
        duration_s: [n]
    """
    step_s = duration_s / (POINTS - 1)
    ahead_mps = strapdown.velocity_mps[..., 0]
    return np.column_stack(
        [
            np.linalg.norm(acc_mps2[:, 0], axis=1) - GRAVITY_MPS2,
            (gyr_radps[:, 3, 1] - gyr_radps[:, 0, 1]) / (3 * step_s),
            gyr_radps[:, 8:12, 0].mean(axis=1),
            (ahead_mps[:, 59] - ahead_mps[:, 55]) / (4 * step_s),
        ]
    )


def with_stance_motion(strapdown: Strapdown, motion: np.ndarray) -> Strapdown:
    """Return the integral [n] with the length that a foot covers because it is not quite at rest at its ends.

    A foot that is already lifted at its mid-stance has moved ahead of its footprint. Acceleration and turning
    near the mid-stances show it. The correction is linear in them and at most 1 cm.

    Args:
        strapdown: integral of n strides
        motion: [n, 4], as `stance_motion` returns it
    """
    factor = 1 + missed_cm(motion) / np.maximum(strapdown.length_cm, MIN_MOTION_LENGTH_CM)
    displacement = strapdown.displacement_m.copy()
    displacement[:, :2] *= factor[:, None]
    return replace(strapdown, displacement_m=displacement, length_cm=factor * strapdown.length_cm)


def missed_cm(motion: np.ndarray) -> np.ndarray:
    """Return the length [...], cm, that the integral misses because the foot moves at its mid-stances.

    Args:
        motion: [..., 4], as `stance_motion` returns it
    """
    missed = (motion - np.array(USUAL_MOTION)) * CM_PER_MOTION
    return np.clip(missed, -MAX_MISSED_CM, MAX_MISSED_CM).sum(axis=-1)


def height_lost_m(excess_m: np.ndarray, contact: np.ndarray) -> np.ndarray:
    """Return the height error [n], m, of the line in time for vertical drift that came all at contact.

    Args:
        excess_m: [n], vertical excess velocity times duration
        contact: [n], time from start to contact as a share of the duration; NaN if unknown
    """
    return -(limited_contact(contact) - 0.5) * excess_m


def limited_contact(contact: np.ndarray) -> np.ndarray:
    """Return the contact [n] as a share of the duration, limited to CONTACT_RANGE; USUAL_CONTACT for NaN.

    Args:
        contact: [n], time from start to contact as a share of the duration
    """
    return np.clip(np.where(np.isfinite(contact), contact, USUAL_CONTACT), *CONTACT_RANGE)


def de_drifted(
    strapdown: Strapdown, gyr_radps: np.ndarray, duration_s: np.ndarray, *, lever_arm_m: float = LEVER_ARM_M
) -> tuple[np.ndarray, np.ndarray]:
    """Return velocity (m/s) and position (m) during the strides, each [n, points, 3], without drift.

    Both are in the start-stance frame. The last position is `displacement_m` of the integral.

    Args:
        strapdown: as `integrate` returns it
        gyr_radps: [n, points, 3], as given to `integrate`
        duration_s: [n], as given to `integrate`
        lever_arm_m: as given to `integrate`
    """
    at_start, at_end = (
        _stance_velocity(strapdown.orientation[:, k], gyr_radps[:, k], lever_arm_m) for k in (0, -1)
    )
    share = np.linspace(0, 1, gyr_radps.shape[1])[:, None]
    excess = strapdown.velocity_mps[:, -1] + at_start - at_end
    velocity = strapdown.velocity_mps + at_start[:, None] - excess[:, None] * share
    return velocity, _cumulate(velocity, (duration_s / (gyr_radps.shape[1] - 1))[:, None, None])


def resample(
    signals: StrideSignals, points: int = POINTS, lowpass_hz: float = LOWPASS_HZ
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return low-passed samples of n strides at evenly spaced instants from mid-stance to mid-stance.

    Args:
        signals: samples of n strides
        points: number of instants per stride
        lowpass_hz: cut-off frequency of the low-pass

    Returns:
        acc_mps2 [n, points, 3], gyr_radps [n, points, 3] and duration_s [n]
    """
    resampled = np.empty((len(signals), points, 6))
    samples = np.column_stack([signals.acc_mps2, signals.gyr_radps]).astype(float)
    length = np.diff(signals.offset)
    for rate_hz in np.unique(signals.rate_hz):
        # Filter strides of similar length together, padded to the maximum length.
        same = np.flatnonzero(signals.rate_hz == rate_hz)
        same = same[np.argsort(length[same], kind="stable")]
        for begin in range(0, len(same), BATCH_STRIDES):
            part = same[begin : begin + BATCH_STRIDES]
            resampled[part] = _resample_batch(
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


def _resample_batch(
    samples: np.ndarray,
    offset: np.ndarray,
    length: np.ndarray,
    rate_hz: float,
    bounds: np.ndarray,
    points: int,
    lowpass_hz: float,
) -> np.ndarray:
    """Return what `resample_between` returns, for n strides at once, each with its own bounds [n, 2].

    samples: [N, channel] of all strides; offset, length: [n], the samples of each stride
    """
    half, place = _instants(rate_hz, bounds, points, lowpass_hz)
    n_padded = max(int(length.max()), int((place + half).max()) + 2)
    own = offset[:, None] + np.minimum(np.arange(n_padded), length[:, None] - 1)
    smooth = lowpass(samples[own.T], rate_hz, lowpass_hz).transpose(1, 0, 2)
    total = np.zeros_like(smooth)
    np.cumsum((smooth[:, 1:] + smooth[:, :-1]) / 2, axis=1, out=total[:, 1:])
    at, from_ = (_integral_at(smooth, total, place + side * half) for side in (1, -1))
    return (at - from_) / (2 * half[..., None])


def _integral_at(samples: np.ndarray, total: np.ndarray, place: np.ndarray) -> np.ndarray:
    """Return `_integral` of each of samples [n, N, channel], with the sums `total`, at places [n, points]."""
    stride = np.arange(len(samples))[:, None]
    before = np.maximum(place, 0).astype(np.int64)
    weight = (place - before)[..., None]
    slope = samples[stride, before + 1] - samples[stride, before]
    return total[stride, before] + weight * (samples[stride, before] + weight * slope / 2)


def _instants(
    rate_hz: float, bounds: np.ndarray, points: int, lowpass_hz: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return half an interval [n, 1] and the instants [n, points] of the filtered samples, in samples."""
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
    """Return low-passed samples at evenly spaced instants within each of the bounds, [n, points, channel].

    The filter is causal; its delay is compensated by reading later samples. Each value is the mean over the
    interval around an instant. Without the mean, the filtered rest of an impact would depend on the place of
    the instants: up to 1.9 cm in a slow stride.

    Args:
        samples: [N, channel]
        rate_hz: sampling rate
        bounds: [n, 2], fractional sample numbers
        points: number of instants per stride
        lowpass_hz: cut-off frequency of the low-pass
    """
    half, place = _instants(rate_hz, bounds, points, lowpass_hz)
    # A stride may end with the recording, but the delayed output of the filter is later.
    missing = max(0, int((place + half).max()) + 2 - len(samples))
    return Resampler(samples, rate_hz, missing, lowpass_hz).between(bounds, points)


class Resampler:
    """Samples that are filtered once and read between any bounds, as by `resample_between`.

    Args:
        samples: [N, channel]
        rate_hz: sampling rate
        missing: number of samples to be read after the last one, which is repeated
        lowpass_hz: cut-off frequency of the low-pass
    """

    def __init__(
        self, samples: np.ndarray, rate_hz: float, missing: int, lowpass_hz: float = LOWPASS_HZ
    ) -> None:
        self._rate_hz, self._lowpass_hz = rate_hz, lowpass_hz
        padded = np.pad(samples, ((0, missing), (0, 0)), mode="edge")
        self._smooth = lowpass(padded, rate_hz, lowpass_hz)
        self._total = np.zeros_like(self._smooth)
        np.cumsum((self._smooth[1:] + self._smooth[:-1]) / 2, axis=0, out=self._total[1:])

    def between(self, bounds: np.ndarray, points: int = POINTS) -> np.ndarray:
        """Return samples at evenly spaced instants within each of the bounds, [n, points, channel].

        Args:
            bounds: [n, 2], fractional sample numbers
            points: number of instants per stride
        """
        half, place = _instants(self._rate_hz, bounds, points, self._lowpass_hz)
        end, start = (_integral(self._smooth, self._total, place + side * half) for side in (1, -1))
        return (end - start) / (2 * half[..., None])


def _integral(samples: np.ndarray, total: np.ndarray, place: np.ndarray) -> np.ndarray:
    """Return the integral of linearly interpolated samples [N, channel] from the first to fractional places.

    total: [N, channel], the integral to each sample
    """
    before = np.maximum(place, 0).astype(np.int64)
    weight = (place - before)[..., None]
    own = samples[before]
    slope = samples[before + 1] - own
    return total[before] + weight * (own + weight * slope / 2)


def align_to_gravity(acc_mps2: np.ndarray) -> np.ndarray:
    """Return the smallest rotations [n, 3, 3] that turn the specific force of a foot at rest upright.

    Args:
        acc_mps2: [n, 3], specific force at rest, not zero
    """
    up = acc_mps2 / np.linalg.norm(acc_mps2, axis=1, keepdims=True)
    axis = np.cross(up, [0.0, 0.0, 1.0])
    sine = np.linalg.norm(axis, axis=1, keepdims=True)
    angle = np.arctan2(sine, up[:, 2:])
    upside_down = (sine < 1e-9) & (up[:, 2:] < 0)
    axis = np.where(upside_down, [1.0, 0.0, 0.0], axis / np.maximum(sine, 1e-12))
    return rotation_matrices(axis * angle)


def rotation_matrices(rotation_vectors: np.ndarray) -> np.ndarray:
    """Return the rotation matrices [..., 3, 3] of rotation vectors (Rodrigues).

    Args:
        rotation_vectors: [..., 3], rad
    """
    angle = np.linalg.norm(rotation_vectors, axis=-1)[..., None, None]
    x, y, z = np.moveaxis(rotation_vectors, -1, 0)
    zero = np.zeros_like(x)
    cross = np.stack([zero, -z, y, z, zero, -x, -y, x, zero], axis=-1).reshape(*x.shape, 3, 3)
    versine = 0.5 * np.sinc(angle / (2 * np.pi)) ** 2  # (1 - cos angle) / angle²
    return np.eye(3) + np.sinc(angle / np.pi) * cross + versine * cross @ cross


def _orientation(gyr_radps: np.ndarray, step_s: np.ndarray, start: np.ndarray) -> np.ndarray:
    """Return orientations [n, points, 3, 3] from `start` [n, 3, 3], with the mean rate of each interval."""
    steps = rotation_matrices((gyr_radps[:, 1:] + gyr_radps[:, :-1]) / 2 * step_s)
    orientation = np.empty((*gyr_radps.shape[:2], 3, 3))
    orientation[:, 0] = start
    for k in range(steps.shape[1]):
        orientation[:, k + 1] = orientation[:, k] @ steps[:, k]
    return orientation


def _stance_velocity(orientation: np.ndarray, gyr_radps: np.ndarray, lever_arm_m: float) -> np.ndarray:
    """Return the velocity [n, 3] of a sensor on a foot that rolls over its sole, m/s."""
    return np.cross(np.einsum("nij,nj->ni", orientation, gyr_radps), [0.0, 0.0, lever_arm_m])


def _cumulate(rate: np.ndarray, step_s: np.ndarray) -> np.ndarray:
    """Return the trapezoidal integral over time [n, points, 3], zero at the start."""
    total = np.zeros_like(rate)
    np.cumsum((rate[:, 1:] + rate[:, :-1]) / 2 * step_s, axis=1, out=total[:, 1:])
    return total
