"""Flag strides whose length may be unreliable, and explain why."""

import numpy as np

from tinystride.datasets.recording import Recording
from tinystride.gait import faults
from tinystride.gait.calibration import Calibrated
from tinystride.gait.options import GaitOptions
from tinystride.gait.side import is_other_foot
from tinystride.gait.strapdown import GRAVITY_MPS2, REST_TILT_RAD, Strapdown, height_lost_m, moving_variance
from tinystride.gait.walking import is_walking, template_correlation

# One in a hundred strides of indoor walking exceeds one of these limits. Then the foot was not at rest at
# both ends, or the sensor was in a vehicle or was shaken.
UNSTEADY_MPS = 2.5
UNSTEADY_TILT_RAD = 0.25
# The specific force of a foot that moves at its mid-stances is tilted, although the integral is right. So the
# square of the maximum tilt grows by (2 SD)² of this tilt.
UNSTEADY_PER_TILT_VARIANCE = 4.0
# A tilt does not cause vertical velocity, but a lost part of an impact or of a rotation does, and the
# horizontal velocity is as wrong: 0.8 m/s at contact changes the length by 15 to 20 cm. The measured strides
# below 2 m/s stay below 0.7 m/s; the errors of the running strides above 0.8 m/s have a median of 15 cm.
UNSTEADY_VERTICAL_MPS = 0.8
# A foot that moves more at both ends, as in running, rolls unlike a walking foot and does not show which foot
# it is: variance of the tilt beyond that of a foot at rest, rad². 60 % of the measured strides at 2.2 m/s and
# more exceed it, and 2 % of those below 2 m/s.
MAX_SIDE_VARIANCE = 10 * REST_TILT_RAD**2
# SD of the length due to the gyroscope bias. Strides with 1.25 to 2 cm have an RMSE of 1.8 cm in llio-ruler-2
# and 2.1 cm in vicon; the other strides have 3.0 and 2.7 cm. In 144 simulated walks at 0.6 to 1.2 m/s, after
# at most 0.7 s of standing and with biases of 0.9 deg/s (SD), no other stride is wrong by more than 5 cm.
MAX_BIAS_ERROR_M = 0.02
# Two steps of stairs are 0.3 m; the vertical drift of a stride is 0.04 m (SD), and more in a long stride. On
# a slope of 15 %, the length is 1 % longer than its horizontal part.
CLIMB_M, CLIMB_SLOPE = 0.2, 0.15
# An unknown full scale is the maximum of an axis if it occurs in CLIPPED_SAMPLES samples in a row, or in more
# samples than the values just below it, within NEAR_MAXIMUM. A peak that is not clipped may also repeat its
# maximum if the resolution is coarser than COARSE_SHARE of it.
CLIPPED_SAMPLES = 3
NEAR_MAXIMUM, COARSE_SHARE = 0.03, 0.01
# Change of the length by the rotation that a clipped gyroscope lost and that was added again, if it grew
# evenly. Up to this value, repaired strides have about the same errors as unclipped strides (the measured
# sets clipped at 400 deg/s). It is the length of 0.05 rad in a stride of 1.2 s.
MAX_REPAIRED_M = 0.06
# A gyroscope for a foot has a larger full scale.
CLIPPED_FROM_RADPS = 2.0
# Velocity that may be missed while samples are lost: 1 m/s causes an error of 10 cm (SD, simulated walks that
# lose 5 % of their samples). It is estimated from the spread of the specific force, from AROUND_GAP samples
# before the gap to as many after it.
GAP_MPS = 0.2
AROUND_GAP = 3
# The vertical velocity at the end of a stride should be zero. Its median and spread over the ordinary strides
# are at most 0.21 and 0.15 m/s in each of 241 recordings. A sampling rate or gyroscope scale that is wrong by
# 10 % shifts it by 0.3 m/s and more; unreported lost samples increase its spread. A sensor that is shaken at
# contact also increases the spread (0.29 m/s on one foot of gaitmap-mocap). But then the height error is that
# of a velocity that came at contact. After subtracting this error, the height between both mid-stances has a
# spread of 1.1 cm on that foot, and of 1.9 cm and more in 72 recordings with a wrong rate or scale, with lost
# samples, or thinned to 50 Hz.
MAX_MEDIAN_DRIFT_MPS = 0.25
MAX_DRIFT_SPREAD_MPS = 0.18
MAX_HEIGHT_SPREAD_M = 0.015
MIN_ORDINARY_STRIDES = 4
# Vertical velocity that the repair of a clipped gyroscope may leave at the end of a stride, per added
# rotation: a foot at 3 m/s and a third of the rotation. In the measured sets clipped at 300 and 400 deg/s,
# the medians of repaired strides exceed those of other strides by less.
VERTICAL_PER_REPAIR_MPS = 1.0
MAD_TO_SD = 1.4826
FLAGS = (
    "no-standing", "wrong-foot", "turn", "climb", "unusual-duration", "out-of-range", "not-walking", "gap",
    "saturated", "unsteady", "sensors-disagree",
)  # fmt: skip
EXTRAORDINARY = ("turn", "climb", "unusual-duration", "out-of-range", "not-walking", "gap", "saturated")


def stride_flags(
    recording: Recording,
    mid_stances: np.ndarray,
    acc_mps2: np.ndarray,
    gyr_radps: np.ndarray,
    integral: Strapdown,
    contact: np.ndarray,
    calibrated: Calibrated,
    options: GaitOptions,
    repaired_rad: np.ndarray,
) -> dict[str, np.ndarray]:
    """Return the flags of n strides: {name: [n] bool}, for each name of FLAGS.

    - no-standing: the gyroscope bias is too uncertain, so the length may be wrong
    - wrong-foot: whole recording: left and right seem to be exchanged
    - sensors-disagree: whole recording: accelerometer and gyroscope contradict each other; the sampling rate,
      a scale or the sign of an axis is wrong, or samples were lost without a trace
    - turn, climb, unusual-duration, out-of-range: heading, height, duration or length is outside of its
      limits
    - not-walking: the foot turns unlike a walking foot, or both adjacent strides are not walking
    - gap: samples were lost; repeated samples and a constant axis count as lost
    - saturated: accelerometer at full scale, counts that overflowed, or a clipped gyroscope that lost so much
      rotation that it changes the length by more than MAX_REPAIRED_M
    - unsteady: the ends of the integral do not look like stances

    Args:
        recording: recording of one foot
        mid_stances: [n, 2], fractional sample numbers
        acc_mps2: [n, points, 3], resampled, in the canonical foot frame
        gyr_radps: [n, points, 3], likewise
        integral: integral of the n strides
        contact: [n], time from start to initial contact as a share of the duration; NaN if unknown
        calibrated: the recording, with the SD of the gyroscope bias
        options: limits of an ordinary stride
        repaired_rad: [n], rotation that clipping.repair added
    """
    n = len(mid_stances)
    duration_s = (mid_stances[:, 1] - mid_stances[:, 0]) / recording.rate_hz
    turn = np.abs(heading_change_deg(integral.orientation)) > options.turn_deg
    drift, tilt = residual_scores(integral, acc_mps2, gyr_radps)
    correlation, shift = template_correlation(gyr_radps)
    walks = is_walking(gyr_radps, correlation, drift + tilt)
    # Other activities may look like walking for one stride.
    alone = np.append(False, ~walks[:-1]) & np.append(~walks[1:], False)
    walks &= ~alone
    saturated = contains_any(mid_stances, at_full_scale(recording, "acc") | faults.overflowed(recording))
    flags = {
        "no-standing": rotation_error_m(duration_s, calibrated.bias_sd_radps * duration_s) > MAX_BIAS_ERROR_M,
        "wrong-foot": np.zeros(n, dtype=bool),
        "turn": turn,
        "climb": np.abs(integral.displacement_m[:, 2])
        > np.maximum(CLIMB_M, CLIMB_SLOPE / 100 * integral.length_cm),
        "unusual-duration": (duration_s < options.min_duration_s) | (duration_s > options.max_duration_s),
        "out-of-range": (integral.length_cm < options.min_length_cm)
        | (integral.length_cm > options.max_length_cm),
        "not-walking": ~walks,
        "gap": _has_gap(recording, mid_stances, options.max_gap_s)
        | _has_constant_axis(recording, mid_stances)
        | _has_repeats(recording, mid_stances),
        "saturated": saturated | (rotation_error_m(duration_s, repaired_rad) > MAX_REPAIRED_M),
        "unsteady": ~is_steady(integral, acc_mps2, gyr_radps),
    }
    # Only ordinary strides of a foot at rest at both ends show which foot it is; a clipped gyroscope may.
    unusual = np.any([flags[name] for name in EXTRAORDINARY[:-1]], axis=0)
    sided = walks & ~unusual & ~flags["unsteady"]
    sided &= moving_at_ends(acc_mps2, gyr_radps) <= MAX_SIDE_VARIANCE
    other_foot = is_other_foot(acc_mps2[sided], gyr_radps[sided], duration_s[sided], shift[sided])
    flags["wrong-foot"] = np.full(n, other_foot)
    # A repaired gyroscope can be compared with the accelerometer, other saturated samples cannot.
    ordinary = ~unusual & ~saturated
    left_mps = VERTICAL_PER_REPAIR_MPS * repaired_rad
    vertical_mps = integral.velocity_mps[:, -1, 2]
    vertical_mps = vertical_mps - np.clip(vertical_mps, -left_mps, left_mps)
    lost_m = height_lost_m(integral.excess_mps[:, 2] * duration_s, contact)
    disagree = _sensors_disagree(vertical_mps[ordinary], (integral.displacement_m[:, 2] - lost_m)[ordinary])
    flags["sensors-disagree"] = np.full(n, disagree)
    return flags


def residual_scores(
    integral: Strapdown, acc_mps2: np.ndarray, gyr_radps: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the squares of velocity and tilt at the end of each stride, each [n], relative to their maxima.

    Both should be zero. Above 1, a stride is unsteady. The velocity is the sum of its horizontal and vertical
    part, each relative to its own maximum.

    Args:
        integral: integral of n strides
        acc_mps2: [n, points, 3], as integrated
        gyr_radps: [n, points, 3], as integrated
    """
    end_mps = integral.velocity_mps[:, -1]
    drift = (np.hypot(end_mps[:, 0], end_mps[:, 1]) / UNSTEADY_MPS) ** 2
    drift += (end_mps[:, 2] / UNSTEADY_VERTICAL_MPS) ** 2
    max_square = UNSTEADY_TILT_RAD**2 + UNSTEADY_PER_TILT_VARIANCE * moving_at_ends(acc_mps2, gyr_radps)
    return drift, integral.tilt_rad**2 / max_square


def moving_at_ends(acc_mps2: np.ndarray, gyr_radps: np.ndarray) -> np.ndarray:
    """Return the sum [n] of moving_variance at both ends, rad².

    Args:
        acc_mps2: [n, points, 3], as integrated
        gyr_radps: [n, points, 3], as integrated
    """
    start, end = (moving_variance(acc_mps2[:, k], gyr_radps[:, k]) for k in (0, -1))
    return start + end


def is_steady(integral: Strapdown, acc_mps2: np.ndarray, gyr_radps: np.ndarray) -> np.ndarray:
    """Return whether each of n strides ends like at a stance, [n] bool.

    Args:
        integral: integral of n strides
        acc_mps2: [n, points, 3], as integrated
        gyr_radps: [n, points, 3], as integrated
    """
    drift, tilt = residual_scores(integral, acc_mps2, gyr_radps)
    return (drift <= 1) & (tilt <= 1)


def shows_impacts(integral: Strapdown) -> np.ndarray:
    """Return whether each of n strides counts for the share of the drift at contact, [n] bool.

    Unlike in `is_steady`, the vertical velocity has the limit of the horizontal one, because shaking at
    contact causes it, and a foot that moves at its ends has the same maximum tilt.

    Args:
        integral: integral of n strides
    """
    velocity_mps = np.linalg.norm(integral.velocity_mps[:, -1], axis=1)
    return (velocity_mps <= UNSTEADY_MPS) & (integral.tilt_rad <= UNSTEADY_TILT_RAD)


def rotation_error_m(duration_s: np.ndarray, rotation_rad: np.ndarray) -> np.ndarray:
    """Return the error [n] of the stride lengths, m, due to a rotation error that grows evenly.

    A rotation a, reached at the end, tilts gravity by a t/T. Integrated twice, minus a line in time through
    the velocity: g a T² / 12. With the gyroscope bias b, a = b T.

    Args:
        duration_s: [n]
        rotation_rad: [n], at the end of the stride
    """
    return GRAVITY_MPS2 * rotation_rad * duration_s**2 / 12


def _sensors_disagree(vertical_mps: np.ndarray, height_m: np.ndarray) -> bool:
    """Return whether the ordinary strides [n] of a recording show that its two sensors disagree.

    vertical_mps: vertical velocity at the end
    height_m: height at the end, corrected as if this velocity came at contact
    """
    if len(vertical_mps) < MIN_ORDINARY_STRIDES:
        return False
    wrong = abs(np.median(vertical_mps)) > MAX_MEDIAN_DRIFT_MPS
    scattered = _spread(vertical_mps) > MAX_DRIFT_SPREAD_MPS and _spread(height_m) > MAX_HEIGHT_SPREAD_M
    return bool(wrong or scattered)


def _spread(values: np.ndarray) -> float:
    """Return a robust SD: the scaled median absolute deviation."""
    return float(np.median(np.abs(values - np.median(values))) * MAD_TO_SD)


def heading_change_deg(orientation: np.ndarray) -> np.ndarray:
    """Return the turn about the vertical from start to end of each stride, [n], counter-clockwise positive.

    Args:
        orientation: [n, points, 3, 3], rotations to a frame with z vertical
    """
    change = orientation[:, -1] @ orientation[:, 0].transpose(0, 2, 1)
    return np.rad2deg(np.arctan2(change[:, 1, 0] - change[:, 0, 1], change[:, 0, 0] + change[:, 1, 1]))


def _has_gap(recording: Recording, mid_stances: np.ndarray, max_gap_s: float) -> np.ndarray:
    """Return the strides [n] with a gap of more than max_gap_s, or with shorter gaps during fast movement."""
    max_samples = int(max_gap_s * recording.rate_hz + 1e-6)
    too_long = np.zeros(recording.n_samples, dtype=bool)
    missed = np.zeros(recording.n_samples)  # squares of the velocities that may be missed, m²/s²
    for first, stop in recording.gaps:
        too_long[first:stop] |= stop - first > max_samples
        around = recording.acc_mps2[max(0, first - AROUND_GAP) : stop + AROUND_GAP]
        change_mps2 = np.linalg.norm(around - around.mean(axis=0), axis=1).max()
        missed[first] = ((stop - first) / recording.rate_hz * change_mps2) ** 2
    return contains_any(mid_stances, too_long) | (_sums(mid_stances, missed) > GAP_MPS**2)


def _has_constant_axis(recording: Recording, mid_stances: np.ndarray) -> np.ndarray:
    """Return the strides [n] in which a sensor axis is constant: the sensor is stuck."""
    samples = np.column_stack([recording.acc_mps2, recording.gyr_radps])
    changes = np.diff(samples, axis=0, prepend=samples[:1]) != 0
    return np.any([~contains_any(mid_stances, changes[:, axis]) for axis in range(6)], axis=0)


def _has_repeats(recording: Recording, mid_stances: np.ndarray) -> np.ndarray:
    """Return the strides [n] in which many samples repeat the sample before, so that as many are missing."""
    moving = _sums(mid_stances, faults.moving(recording))
    by_both, by_one = (_sums(mid_stances, repeats) for repeats in faults.repeated(recording))
    return (by_both > faults.MAX_REPEATED_SHARE * moving) | (
        by_one > faults.MAX_REPEATED_BY_ONE_SHARE * moving
    )


def clipped_axes(recording: Recording) -> np.ndarray:
    """Return 1 or -1 if a gyroscope axis is at its positive or negative full scale, else 0: [N, 3].

    If the full scale is unknown, it is the maximum of an axis at which samples accumulate.

    Args:
        recording: with the samples as recorded
    """
    size = np.abs(recording.gyr_radps)
    clipped = size >= 0.995 * recording.saturation[1]  # False where the full scale is unknown
    clipped |= _at_clipped_maximum(size) & (size > CLIPPED_FROM_RADPS)
    return np.where(clipped, np.sign(recording.gyr_radps), 0.0)


def at_full_scale(recording: Recording, sensor: str) -> np.ndarray:
    """Return the samples [N] of a sensor at its full scale, bool.

    If the full scale is unknown, it is the maximum of an axis at which samples accumulate.

    Args:
        recording: with the samples as recorded
        sensor: "acc" or "gyr"
    """
    samples = recording.acc_mps2 if sensor == "acc" else recording.gyr_radps
    size = np.abs(samples)
    # An unknown full scale is NaN, and comparisons with NaN are false.
    marked = (size >= 0.995 * recording.saturation[sensor == "gyr"]).any(axis=1)
    return np.asarray(marked | _at_clipped_maximum(size).any(axis=1))


def _at_clipped_maximum(size: np.ndarray) -> np.ndarray:
    """Return where each axis is at a maximum that clipping causes, [N, 3] bool; size: [N, 3], magnitudes."""
    return np.column_stack([_is_clipped_maximum(axis) for axis in size.T])


def _is_clipped_maximum(size: np.ndarray) -> np.ndarray:
    """Return the samples [N] at the maximum, bool; none if clipping is not the cause.

    size: [N], magnitudes of one axis
    """
    maximum = size.max(initial=0.0)
    at_maximum = size == maximum
    n = np.count_nonzero(at_maximum)
    if n < CLIPPED_SAMPLES:
        return np.zeros(len(size), dtype=bool)
    steps = np.diff(np.unique(size))
    # Rounding of equal counts is not a step.
    resolution = steps[steps > 1e-6 * maximum].min(initial=np.inf)
    near = size >= maximum - max(NEAR_MAXIMUM * maximum, 1.5 * resolution)
    accumulates = n > np.count_nonzero(near) - n
    total = np.append(0, np.cumsum(at_maximum))
    in_row = (total[CLIPPED_SAMPLES:] - total[:-CLIPPED_SAMPLES] == CLIPPED_SAMPLES).any()
    return at_maximum & (accumulates or (in_row and resolution < COARSE_SHARE * maximum))


def contains_any(mid_stances: np.ndarray, samples: np.ndarray) -> np.ndarray:
    """Return whether each stride contains a marked sample, [n] bool.

    Args:
        mid_stances: [n, 2], fractional sample numbers
        samples: [N] bool
    """
    return _sums(mid_stances, samples) > 0


def _sums(mid_stances: np.ndarray, samples: np.ndarray) -> np.ndarray:
    """Return the sums of samples [N] over each stride, [n]."""
    total = np.concatenate([[0], np.cumsum(samples)])
    start, end = np.floor(mid_stances[:, 0]).astype(int), np.ceil(mid_stances[:, 1]).astype(int)
    return total[end + 1] - total[start]
