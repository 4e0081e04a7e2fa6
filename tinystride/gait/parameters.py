"""Compute gait parameters and paths of strides with given mid-stances, whichever engine found them.

The gait cycle of one foot is: initial contact, mid-stance (start of a stride here), terminal contact, swing,
initial contact, mid-stance (end of the stride). Angles and the path of the sensor come from the integral
between the two mid-stances, at which the foot is flat on the floor.

Names follow Mobilise-D (Kluge et al., PLoS ONE 2021, 16(8), e0256541) if it defines one: cadence in steps
per minute, stance and swing of the same foot.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from tinystride.datasets.recording import Recording
from tinystride.gait.calibration import calibrate
from tinystride.gait.contacts import contact_samples
from tinystride.gait.foot_frame import find_foot_frame, to_foot_frame
from tinystride.gait.strapdown import de_drifted, integrate, resample_between

# Angles change by about 300 deg/s at contact, so they use more points than the position, and no low-pass.
ANGLE_POINTS = 128
# A longer stance is a pause and has no stance time.
MAX_STANCE_S = 2.0
COLUMNS = (
    "stride_time_s", "speed_mps", "cadence_spm", "initial_contact_s", "terminal_contact_s", "stance_s",
    "swing_s", "stance_share", "foot_strike_angle_deg", "toe_off_angle_deg", "clearance_cm",
    "height_change_cm", "turn_deg", "lateral_swing_cm",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class StrideMotion:
    """Motion of the foot in n strides, from mid-stance to mid-stance.

    Attributes:
        time_s: [n, points], s after the first sample
        position_m: [n, points, 3], of the sensor, relative to the first mid-stance of the stride: x in the
            direction of the foot there, y to its left, z up
        turn_rad: [n], change of heading, counter-clockwise positive
        toes_up_rad: [n, ANGLE_POINTS], angle of the sole relative to mid-stance, positive with toes up
    """

    time_s: np.ndarray
    position_m: np.ndarray
    turn_rad: np.ndarray
    toes_up_rad: np.ndarray


def walk_path(recording: Recording, strides: pd.DataFrame) -> np.ndarray:
    """Return the positions of the sensor along a whole walk, [n, points, 3], m, stride after stride.

    The walk begins at the origin and its first stride leads along x; y is to the left, z up. Each stride
    begins at the end of the stride before, also after a pause. Errors add up from stride to stride, so the
    path is good enough for a plot and not for a measurement.

    Args:
        recording: recording of one foot
        strides: [n] rows with start_s and end_s (mid-stances, s after the first sample), in order of time
    """
    if strides.empty:
        return np.zeros((0, 2, 3))
    bounds = strides[["start_s", "end_s"]].to_numpy(float) * recording.rate_hz
    motion = stride_motion(recording, *foot_samples(recording, bounds), bounds)
    mirror = -1.0 if recording.foot == "left" else 1.0
    heading = mirror * np.concatenate([[0.0], np.cumsum(motion.turn_rad)[:-1]])
    local = motion.position_m * [1.0, mirror, 1.0]
    heading = heading - np.arctan2(local[0, -1, 1], local[0, -1, 0])
    cosine, sine = np.cos(heading)[:, None], np.sin(heading)[:, None]
    turned = np.stack(
        [
            cosine * local[..., 0] - sine * local[..., 1],
            sine * local[..., 0] + cosine * local[..., 1],
            local[..., 2],
        ],
        axis=-1,
    )
    start = np.concatenate([np.zeros((1, 3)), np.cumsum(turned[:, -1], axis=0)[:-1]])
    return start[:, None] + turned


def gait_parameters(recording: Recording, strides: pd.DataFrame) -> pd.DataFrame:
    """Return the gait parameters of each stride: a table [n] with COLUMNS and the index of `strides`.

    A value that the samples do not show is NaN. docs/parameters.md validates these definitions.

    - stride_time_s: from initial contact to initial contact; from mid-stance to mid-stance if the contact
      before the stride is unknown, as in the first stride after a pause
    - speed_mps: stride length / stride time
    - cadence_spm: two steps per stride time, in steps per minute
    - initial_contact_s: instant at which the foot touches the floor in this stride, s after the first sample
    - terminal_contact_s: instant at which the foot has left the floor in this stride
    - stance_s: from the initial contact before the stride to its terminal contact; NaN after a pause
    - swing_s: from terminal contact to initial contact
    - stance_share: stance_s / stride_time_s, 0 to 1
    - foot_strike_angle_deg: angle between sole and floor at initial contact, positive with toes up
    - toe_off_angle_deg: angle between sole and floor at terminal contact, positive with the heel up
    - clearance_cm: maximum height of the sensor (not of the toes) above the line between its two mid-stances
    - height_change_cm: height of the second mid-stance above the first, from the integral
    - turn_deg: change of heading, positive to the left
    - lateral_swing_cm: maximum sideways distance of the sensor from the line between its two mid-stances

    Args:
        recording: recording of one foot
        strides: [n] rows with start_s, end_s (mid-stances, s after the first sample) and stride_length_cm,
            in order of time
    """
    table = pd.DataFrame(np.nan, index=strides.index, columns=list(COLUMNS))
    if strides.empty:
        return table
    bounds = strides[["start_s", "end_s"]].to_numpy(float) * recording.rate_hz
    acc_mps2, gyr_radps = foot_samples(recording, bounds)
    contact, departure = contact_samples(acc_mps2, gyr_radps, recording.rate_hz, bounds) / recording.rate_hz
    motion = stride_motion(recording, acc_mps2, gyr_radps, bounds)
    start_s, end_s = strides["start_s"].to_numpy(float), strides["end_s"].to_numpy(float)
    duration_s = end_s - start_s
    before_s = _contact_before(contact, start_s, end_s)
    stance_s = departure - before_s
    stance_s[~(stance_s <= MAX_STANCE_S)] = np.nan
    stride_time_s = np.where(np.isfinite(stance_s), contact - before_s, np.nan)
    stride_time_s = np.where(np.isfinite(stride_time_s), stride_time_s, duration_s)
    line = np.linspace(0, 1, motion.position_m.shape[1])[:, None] * motion.position_m[:, -1:]
    aside_m = motion.position_m - line
    mirror = -1.0 if recording.foot == "left" else 1.0
    table["stride_time_s"] = stride_time_s
    table["speed_mps"] = strides["stride_length_cm"].to_numpy(float) / 100 / stride_time_s
    table["cadence_spm"] = 120 / stride_time_s
    table["initial_contact_s"] = contact
    table["terminal_contact_s"] = departure
    table["stance_s"] = stance_s
    table["swing_s"] = contact - departure
    table["stance_share"] = stance_s / stride_time_s
    toes_up_deg = np.rad2deg(motion.toes_up_rad)
    table["foot_strike_angle_deg"] = _value_at(toes_up_deg, contact, start_s, end_s)
    table["toe_off_angle_deg"] = -_value_at(toes_up_deg, departure, start_s, end_s)
    table["clearance_cm"] = 100 * aside_m[..., 2].max(axis=1)
    table["height_change_cm"] = 100 * motion.position_m[:, -1, 2]
    table["turn_deg"] = mirror * np.rad2deg(motion.turn_rad)
    table["lateral_swing_cm"] = 100 * _sideways_m(motion.position_m).max(axis=1)
    return table


def foot_samples(recording: Recording, bounds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return acc_mps2 and gyr_radps, each [N, 3], calibrated and in the canonical foot frame.

    Args:
        recording: recording of one foot
        bounds: [n, 2] mid-stances, fractional sample numbers
    """
    acc_mps2, gyr_radps, *_ = calibrate(
        recording.acc_mps2, recording.gyr_radps, recording.rate_hz, recording.lost
    )
    rotation = find_foot_frame(acc_mps2, gyr_radps, recording.rate_hz, bounds)
    return to_foot_frame(rotation, recording.foot, acc_mps2, gyr_radps)


def stride_motion(
    recording: Recording, acc_mps2: np.ndarray, gyr_radps: np.ndarray, bounds: np.ndarray
) -> StrideMotion:
    """Return the motion of the foot in n strides.

    Args:
        recording: recording of one foot
        acc_mps2: [N, 3], as `foot_samples` returns it
        gyr_radps: [N, 3], as `foot_samples` returns it
        bounds: [n, 2] mid-stances, fractional sample numbers
    """
    samples = resample_between(np.column_stack([acc_mps2, gyr_radps]), recording.rate_hz, bounds)
    duration_s = (bounds[:, 1] - bounds[:, 0]) / recording.rate_hz
    integral = integrate(samples[..., :3], samples[..., 3:], duration_s)
    _, position_m = de_drifted(integral, samples[..., 3:], duration_s)
    turn = integral.orientation[:, -1] @ integral.orientation[:, 0].transpose(0, 2, 1)
    return StrideMotion(
        time_s=np.linspace(bounds[:, 0], bounds[:, 1], samples.shape[1], axis=1) / recording.rate_hz,
        position_m=position_m,
        turn_rad=np.arctan2(turn[:, 1, 0] - turn[:, 0, 1], turn[:, 0, 0] + turn[:, 1, 1]),
        toes_up_rad=_toes_up_rad(acc_mps2, gyr_radps, bounds, duration_s),
    )


def _toes_up_rad(
    acc_mps2: np.ndarray, gyr_radps: np.ndarray, bounds: np.ndarray, duration_s: np.ndarray
) -> np.ndarray:
    """Return the pitch [n, ANGLE_POINTS] relative to mid-stance, de-drifted: it is zero at both ends."""
    place = np.linspace(bounds[:, 0], np.minimum(bounds[:, 1], len(gyr_radps) - 1), ANGLE_POINTS, axis=1)
    acc_fine, gyr_fine = (_interpolated(samples, place) for samples in (acc_mps2, gyr_radps))
    orientation = integrate(acc_fine, gyr_fine, duration_s).orientation
    toes_up = np.arcsin(np.clip(orientation[:, :, 2, 0], -1, 1))
    toes_up = toes_up - toes_up[:, :1]
    return toes_up - np.linspace(0, 1, ANGLE_POINTS) * toes_up[:, -1:]


def _interpolated(samples: np.ndarray, place: np.ndarray) -> np.ndarray:
    """Return samples [N, 3], interpolated linearly at fractional sample numbers [n, points]."""
    before = np.clip(place.astype(np.int64), 0, max(len(samples) - 2, 0))
    weight = (place - before)[..., None]
    return (1 - weight) * samples[before] + weight * samples[np.minimum(before + 1, len(samples) - 1)]


def _contact_before(contact_s: np.ndarray, start_s: np.ndarray, end_s: np.ndarray) -> np.ndarray:
    """Return the initial contact [n] before each stride: that of the stride before, if they are adjacent."""
    before = np.full(len(contact_s), np.nan)
    joined = np.abs(start_s[1:] - end_s[:-1]) < 1e-6
    before[1:][joined] = contact_s[:-1][joined]
    return before


def _value_at(values: np.ndarray, time_s: np.ndarray, start_s: np.ndarray, end_s: np.ndarray) -> np.ndarray:
    """Return one value [n] per row of values [n, points], which are evenly spaced from start to end.

    NaN if time_s [n] is NaN or outside of the stride.
    """
    place = (time_s - start_s) / (end_s - start_s) * (values.shape[1] - 1)
    inside = (place >= 0) & (place <= values.shape[1] - 1)
    before = np.where(inside, place, 0).astype(np.int64).clip(0, values.shape[1] - 2)
    row = np.arange(len(values))
    weight = place - before
    return np.where(inside, (1 - weight) * values[row, before] + weight * values[row, before + 1], np.nan)


def _sideways_m(position_m: np.ndarray) -> np.ndarray:
    """Return the horizontal distance [n, points] from the line through the first and the last position."""
    along = position_m[:, -1, :2]
    length = np.linalg.norm(along, axis=1)[:, None]
    cross = position_m[..., 0] * along[:, None, 1] - position_m[..., 1] * along[:, None, 0]
    return np.abs(cross) / np.where(length > 0, length, np.nan)
