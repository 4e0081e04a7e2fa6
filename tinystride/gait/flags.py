"""Warnings about strides that are not like the ordinary ones: a length may be given, but not without them."""

import numpy as np

from tinystride.datasets.recording import Recording
from tinystride.gait import faults
from tinystride.gait.calibration import Calibrated
from tinystride.gait.options import GaitOptions
from tinystride.gait.side import is_other_foot
from tinystride.gait.strapdown import GRAVITY_MPS2, Strapdown, height_lost_m
from tinystride.gait.walking import is_walking, template_correlation

# Beyond all but one in a hundred strides of walking indoors: the foot was not at rest at both ends, or the
# sensor was driven or shaken.
UNSTEADY_MPS = 2.5
UNSTEADY_TILT_RAD = 0.25
# Error of a length, SD, that the gyroscope's bias may make.
MAX_BIAS_ERROR_M = 0.0125
# Two steps of stairs are 0.3 m, the vertical drift of a stride 0.04 m (SD), and more of a long one. On a
# slope of 15 % the length is 1 % longer than its horizontal part.
CLIMB_M, CLIMB_SLOPE = 0.2, 0.15
CLIPPED_SAMPLES = 3
# Rotation that a clipped gyroscope has lost in a stride and that was put back. Up to it, repaired strides err
# as unclipped ones do (llio-ruler, vicon and tripod-excerpt clipped at 400 deg/s).
MAX_REPAIRED_RAD = 0.045
# No gyroscope of a foot has a smaller full scale.
CLIPPED_FROM_RADPS = 2.0
# Velocity that may be missed while samples are lost: 1 m/s makes an error of 10 cm (SD, simulated walks that
# lose 5 % of their samples). It is judged by the spread of the specific force from so many samples before to
# as many after.
GAP_MPS = 0.2
AROUND_GAP = 3
# Vertical velocity at a stride's end, of which there should be none: median and spread over the ordinary
# strides of each of 241 recordings are at most 0.21 and 0.15 m/s. A rate or a gyroscope's scale that is wrong
# by a tenth shifts it by 0.3 m/s and more; samples that were lost untold scatter it. So does a sensor that is
# shaken at contact (0.29 m/s on a foot of gaitmap-mocap). But then the height lost is that of a velocity that
# came at contact: what this leaves of the height between both mid-stances spreads by 1.1 cm on that foot, and
# by 1.9 cm and more on 72 recordings with a wrong rate or scale, with samples lost, or thinned to 50 Hz.
LARGEST_MEDIAN_DRIFT_MPS = 0.25
LARGEST_DRIFT_SPREAD_MPS = 0.18
MAX_HEIGHT_SPREAD_M = 0.015
FEWEST_STRIDES = 4
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
    """What each of n strides is warned about: name of the flag → [n] bool.

    mid_stances: [n, 2] fractional sample numbers
    acc_mps2, gyr_radps: [n, points, 3] resampled, canonical foot frame
    contact: [n] time from start to initial contact as a share of the duration, NaN where unknown
    calibrated: how well the gyroscope's bias is known
    repaired_rad: [n], rotation that clipping.repair put back

    "no-standing": of a stride whose length may be off since the gyroscope's bias is not known well enough
    "wrong-foot", "sensors-disagree": of the whole recording; the first if left and right seem confused, the
        second if accelerometer and gyroscope contradict each other, as where the sampling rate
        or a scale is wrong, or samples were lost untold
    "turn", "climb", "unusual-duration", "out-of-range": of the stride
    "not-walking": of the stride, in which the foot turns unlike one that walks
    "gap", "saturated": of its samples; repeated samples, and an axis that is constant, count as lost; counts
        that overflowed as saturated; a clipped gyroscope only if it lost much rotation
    "unsteady": of the integral, whose ends do not look like stances
    """
    n = len(mid_stances)
    duration_s = (mid_stances[:, 1] - mid_stances[:, 0]) / recording.rate_hz
    turn = np.abs(heading_change_deg(integral.orientation)) > options.turn_deg
    drift_mps, tilt_rad = residuals(integral, acc_mps2)
    correlation, shift = template_correlation(gyr_radps)
    residual_score = (drift_mps / UNSTEADY_MPS) ** 2 + (tilt_rad / UNSTEADY_TILT_RAD) ** 2
    walks = is_walking(gyr_radps, correlation, residual_score)
    # Other activities may look like walking for one stride.
    alone = np.append(False, ~walks[:-1]) & np.append(~walks[1:], False)
    walks &= ~alone
    flags = {
        "no-standing": _bias_error_m(duration_s, calibrated.bias_sd_radps) > MAX_BIAS_ERROR_M,
        "wrong-foot": np.zeros(n, dtype=bool),
        "turn": turn,
        "climb": np.abs(integral.displacement_m[:, 2])
        > np.maximum(CLIMB_M, CLIMB_SLOPE / 100 * integral.length_cm),
        "unusual-duration": (duration_s < options.min_duration_s) | (duration_s > options.max_duration_s),
        "out-of-range": (integral.length_cm < options.min_length_cm)
        | (integral.length_cm > options.max_length_cm),
        "not-walking": ~walks,
        "gap": _gaps(recording, mid_stances, options.max_gap_s)
        | _dead(recording, mid_stances)
        | _repeats(recording, mid_stances),
        "saturated": touched(mid_stances, _saturated(recording, "acc") | faults.overflowed(recording))
        | (touched(mid_stances, _saturated(recording, "gyr")) & (repaired_rad > MAX_REPAIRED_RAD)),
        "unsteady": (drift_mps > UNSTEADY_MPS) | (tilt_rad > UNSTEADY_TILT_RAD),
    }
    ordinary = ~np.any([flags[name] for name in EXTRAORDINARY], axis=0)
    # Only ordinary strides resemble one foot or the other; a clipped gyroscope still shows which.
    sided = walks & ~np.any([flags[name] for name in (*EXTRAORDINARY[:-1], "unsteady")], axis=0)
    other_foot = is_other_foot(acc_mps2[sided], gyr_radps[sided], duration_s[sided], shift[sided])
    flags["wrong-foot"] = np.full(n, other_foot)
    lost_m = height_lost_m(integral.excess_mps[:, 2] * duration_s, contact)
    disagree = _disagree(
        integral.velocity_mps[ordinary, -1, 2], (integral.displacement_m[:, 2] - lost_m)[ordinary]
    )
    flags["sensors-disagree"] = np.full(n, disagree)
    return flags


def residuals(integral: Strapdown, acc_mps2: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return velocity [n], m/s, and tilt [n], rad, that the integral leaves at the end of each stride.

    acc_mps2: [n, points, 3], as integrated
    """
    at_end = np.einsum("nij,nj->ni", integral.orientation[:, -1], acc_mps2[:, -1])
    tilt_rad = np.arctan2(np.hypot(at_end[:, 0], at_end[:, 1]), at_end[:, 2])
    return np.linalg.norm(integral.velocity_mps[:, -1], axis=1), tilt_rad


def _bias_error_m(duration_s: np.ndarray, bias_sd_radps: float) -> np.ndarray:
    """Return the SD [n] of stride lengths, m, that an unknown bias of the gyroscope makes.

    A bias b tilts gravity by b t; integrated twice, without a line in time through the velocity, g b T³ / 12.
    """
    return GRAVITY_MPS2 * bias_sd_radps * duration_s**3 / 12


def _disagree(vertical_mps: np.ndarray, height_m: np.ndarray) -> bool:
    """Return whether the ordinary strides [n] of a recording show that its two sensors disagree.

    vertical_mps: vertical velocity at the end; height_m: height at the end, if what is left of this velocity
        came at contact
    """
    if len(vertical_mps) < FEWEST_STRIDES:
        return False
    wrong = abs(np.median(vertical_mps)) > LARGEST_MEDIAN_DRIFT_MPS
    scattered = _spread(vertical_mps) > LARGEST_DRIFT_SPREAD_MPS and _spread(height_m) > MAX_HEIGHT_SPREAD_M
    return bool(wrong or scattered)


def _spread(values: np.ndarray) -> float:
    return float(np.median(np.abs(values - np.median(values))) * MAD_TO_SD)


def heading_change_deg(orientation: np.ndarray) -> np.ndarray:
    """Turn about the vertical from start to end of each stride [n], counter-clockwise positive."""
    change = orientation[:, -1] @ orientation[:, 0].transpose(0, 2, 1)
    return np.rad2deg(np.arctan2(change[:, 1, 0] - change[:, 0, 1], change[:, 0, 0] + change[:, 1, 1]))


def _gaps(recording: Recording, mid_stances: np.ndarray, max_gap_s: float) -> np.ndarray:
    """Strides [n] with a long gap, or with shorter ones while much was going on."""
    longest = int(max_gap_s * recording.rate_hz + 1e-6)
    too_long = np.zeros(recording.n_samples, dtype=bool)
    missed = np.zeros(recording.n_samples)  # squares of the velocities that may be missed, m²/s²
    for first, stop in recording.gaps:
        too_long[first:stop] |= stop - first > longest
        around = recording.acc_mps2[max(0, first - AROUND_GAP) : stop + AROUND_GAP]
        change_mps2 = np.linalg.norm(around - around.mean(axis=0), axis=1).max()
        missed[first] = ((stop - first) / recording.rate_hz * change_mps2) ** 2
    return touched(mid_stances, too_long) | (_total(mid_stances, missed) > GAP_MPS**2)


def _dead(recording: Recording, mid_stances: np.ndarray) -> np.ndarray:
    """Strides [n] in which an axis of a sensor tells the same all the way, as none does on a foot."""
    samples = np.column_stack([recording.acc_mps2, recording.gyr_radps])
    changes = np.diff(samples, axis=0, prepend=samples[:1]) != 0
    return np.any([~touched(mid_stances, changes[:, axis]) for axis in range(6)], axis=0)


def _repeats(recording: Recording, mid_stances: np.ndarray) -> np.ndarray:
    """Return the strides [n] in which many samples repeat the one before: as many are missing."""
    repeats, moving = (
        _total(mid_stances, marked) for marked in (faults.repeated(recording), faults.moving(recording))
    )
    return repeats > faults.MAX_REPEATED_SHARE * moving


def clipped_axes(recording: Recording) -> np.ndarray:
    """Return 1 or -1 where a gyroscope axis [N, 3] is at its positive or negative full scale, else 0."""
    size = np.abs(recording.gyr_radps)
    clipped = size >= 0.995 * recording.saturation[1]  # False where the full scale is unknown
    at_largest = size == size.max(axis=0)
    clipped |= at_largest & (at_largest.sum(axis=0) >= CLIPPED_SAMPLES) & (size > CLIPPED_FROM_RADPS)
    return np.where(clipped, np.sign(recording.gyr_radps), 0.0)


def _saturated(recording: Recording, sensor: str) -> np.ndarray:
    """Return the samples [N] of a sensor, "acc" or "gyr", at its full scale.

    Without a data sheet that is an axis's largest value, if it comes several times.
    """
    samples = recording.acc_mps2 if sensor == "acc" else recording.gyr_radps
    size = np.abs(samples)
    # No comparison with NaN, an unknown full scale, is true.
    marked = (size >= 0.995 * recording.saturation[sensor == "gyr"]).any(axis=1)
    at_largest = size == size.max(axis=0)
    return np.asarray(marked | (at_largest & (at_largest.sum(axis=0) >= CLIPPED_SAMPLES)).any(axis=1))


def touched(mid_stances: np.ndarray, samples: np.ndarray) -> np.ndarray:
    """Whether any of the marked samples [N] lies within each stride [n]."""
    return _total(mid_stances, samples) > 0


def _total(mid_stances: np.ndarray, samples: np.ndarray) -> np.ndarray:
    """Sums of samples [N] over each stride [n]."""
    total = np.concatenate([[0], np.cumsum(samples)])
    start, end = np.floor(mid_stances[:, 0]).astype(int), np.ceil(mid_stances[:, 1]).astype(int)
    return total[end + 1] - total[start]
