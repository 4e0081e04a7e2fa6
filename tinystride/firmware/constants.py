"""The constants of the streaming estimator: the C and its Python twin both use these.

A constant's annotation is its type in C and its comment there. What the offline pipeline defines is taken
from `gait`, in the units that the estimator counts in. `constants_c` writes them for the C.
"""

import math
import re
from pathlib import Path
from typing import Annotated

import numpy as np

from tinystride.gait import (
    calibration,
    clipping,
    events,
    flags,
    options,
    side,
    strapdown,
    uncertainty,
    walking,
)

_OPTIONS = options.GaitOptions()
_HEADER = (Path(__file__).parent / "tinystride.h").read_text()


def _of_header(name: str) -> int:
    found = re.search(rf"#define {name} (\d+)", _HEADER)
    assert found, f"tinystride.h does not define {name}"
    return int(found[1])


# Sizes of tinystride_t, which its header defines, in blocks.
HISTORY_BLOCKS = _of_header("TINYSTRIDE_HISTORY_BLOCKS")
MOTION_BLOCKS = _of_header("TINYSTRIDE_MOTION_BLOCKS")
CLIPPED_RUNS = _of_header("TINYSTRIDE_CLIPPED_RUNS")


# Types of a constant in C: float, int, unsigned, and the initializer of a table.
Unsigned = Annotated[int, "u"]
Table = tuple[int, ...]


def _in_units(values: np.ndarray, per_unit: float) -> Table:
    return tuple(int(value) for value in np.rint(values * per_unit))


# Units of the integers.
ACC_UNIT: Annotated[float, "specific force of one count, m/s^2"] = 0.005
GYR_UNIT: Annotated[float, "angular rate of one count, rad/s"] = 0.00125
MOTION_UNIT_RADPS = 0.01
ENERGY_SHIFT: Annotated[
    int, "2^6 squared counts of the gyroscope: 1 unit of motion energy, (0.01 rad/s)^2"
] = 6
ACC_SQUARES_PER_MOTION: Annotated[
    int, "squared counts of specific force per unit of motion energy: 2.5 m/s^2 counts as 1 rad/s"
] = round((events.MPS2_PER_RADPS * MOTION_UNIT_RADPS / ACC_UNIT) ** 2)
GRAVITY: Annotated[float, "m/s^2"] = strapdown.GRAVITY_MPS2
Q14_ONE: Annotated[int, "resolution of instants within a block"] = 16384

# Samples and blocks.
MAX_ACC: Annotated[float, "largest plausible specific force, m/s^2"] = 1000.0
MAX_GYR: Annotated[float, "largest plausible angular rate, rad/s"] = 200.0
MAX_COUNT: Annotated[
    int, "samples are clamped at 150 m/s^2 and 37.5 rad/s, so that the low-pass stays within 16 bits"
] = 30000
SATURATED_COUNT: Annotated[
    int, "samples from 16.5 g and 2320 deg/s on count as saturated: sensors of 16 g and 2000 deg/s stay below"
] = 32400
MIN_ACC_FULL_SCALE: Annotated[int, "full scale in counts if it is unknown: 2 g"] = 3922
MIN_GYR_FULL_SCALE: Annotated[int, "full scale in counts if it is unknown: 250 deg/s"] = 3490
CLIPPED_SAMPLES: Annotated[int, "samples in a row at the largest value that count as saturated"] = (
    flags.CLIPPED_SAMPLES
)
MIN_JUMPS: Annotated[Unsigned, "jumps of a sensor's full scale from which counts have overflowed"] = 2
INSPECTED_SHARE: Annotated[float, "of the largest value so far, from which samples are inspected"] = 0.55
INSPECTED_ACC_SHARE: Annotated[float, "the same, of an accelerometer that may overflow"] = 0.38
MIN_WRAPPED_SHARE: Annotated[
    float, "of the velocity that one wrapped sample lacks: if a stride has it left, its jump was an overflow"
] = 0.8
MIN_REPEAT_SCORE: Annotated[
    int, "score of repeated samples while the foot turns, +2 each, others -1: a third of the stream"
] = 16
MAX_REPEAT_SCORE: Annotated[int, "largest score"] = 60
BLOCK_HZ: Annotated[float, "rate of blocks aimed at"] = 58.0
MAX_BLOCK_HZ: Annotated[float, "rate of blocks at which the history still holds a slow stride"] = 76.0
LOWPASS_HZ: Annotated[float, "cutoff of the low-pass"] = strapdown.LOWPASS_HZ
STUCK_BLOCKS: Annotated[int, "equal blocks in a row after which a sensor counts as stuck"] = 2
MIN_STUCK_ENERGY: Annotated[
    Unsigned, "energy of a block above which equal blocks count: a foot that hardly turns may repeat itself"
] = 640
MAX_GAP_S: Annotated[float, "longest gap that is bridged"] = _OPTIONS.max_gap_s
MAX_GAP_MPS: Annotated[float, "velocity that may be missed in a gap without a flag"] = 0.1
MAX_GAP_RAD: Annotated[float, "rotation in a gap of the time stamps without a flag"] = 0.01
MAX_JUMP_US: Annotated[int, "a longer jump of the time stamps restarts the stream"] = 1000000

# Stances.
ENERGY_WINDOW_S: Annotated[float, "window of the motion energy"] = events.ENERGY_WINDOW_S
STATIONARY_THRESHOLD: Annotated[Unsigned, "motion energy below which a foot is at rest: 0.8 rad/s"] = round(
    (events.STATIONARY_THRESHOLD / MOTION_UNIT_RADPS) ** 2
)
MAX_STANCE_MOTION: Annotated[Unsigned, "motion energy of a stance, also in running: 2.4 rad/s"] = round(
    (events.MAX_STANCE_MOTION / MOTION_UNIT_RADPS) ** 2
)
MOTION_FLOOR: Annotated[Unsigned, "floor of the motion energy in the stationarity weight: 0.3 rad/s"] = round(
    (events.MOTION_FLOOR / MOTION_UNIT_RADPS) ** 2
)
MAX_MOTION: Annotated[Unsigned, "motion energy saturates here"] = 65535
MAX_FORCE_DIFFERENCE: Annotated[
    int, "counts; a larger difference from the force at stance exceeds MAX_MOTION; a power of two"
] = 2048
COS_MAX_TILT: Annotated[float, "0.5 rad; a slow foot that is tilted further is in mid-air"] = round(
    math.cos(events.MAX_TILT_RAD), 8
)
MIN_STANCE_INTERVAL_S: Annotated[float, "shortest time between two mid-stances"] = (
    events.MIN_STANCE_INTERVAL_S
)
MIN_SWING_RAD: Annotated[float, "smallest rotation of a swing"] = events.MIN_SWING_RAD
SWING_UNITS_PER_RADPS: Annotated[float, "units of the rotation summed over blocks"] = 1600.0
PAUSE_S: Annotated[float, "a longer rest ends the stride before it"] = events.PAUSE_S
SOON_S: Annotated[float, "a stride ends within this time after the foot has come to rest"] = events.SOON_S
STATIONARY_RUN_S: Annotated[float, "stationary time that no swing has"] = 0.3
RELEARN_S: Annotated[float, "after this time without stance, the force at stance is learned anew"] = 2.0
MIN_GRAVITY_SQUARE: Annotated[Unsigned, "squared counts of |acc| at rest: gravity less 15 %"] = 2779324
MAX_GRAVITY_SQUARE: Annotated[Unsigned, "gravity plus 15 %"] = 5087413

# Standing.
STANDING_PART_S: Annotated[float, "a window of standing has three parts of this duration"] = (
    calibration.STANDING_PART_S
)
STANDING_GUARD_S: Annotated[float, "a window counts if the foot stands on for this time"] = (
    calibration.STANDING_GUARD_S
)
MAX_STANDING_ACC_RANGE: Annotated[int, "counts, range of the specific force"] = round(
    calibration.STANDING_ACC_MPS2 / ACC_UNIT
)
MAX_BIAS_RADPS: Annotated[float, "bias of the gyroscope, rad/s"] = calibration.MAX_BIAS_RADPS
MAX_STANDING_MOTION: Annotated[Unsigned, "motion energy while standing: 0.2 rad/s"] = round(
    (calibration.MAX_STANDING_RADPS / MOTION_UNIT_RADPS) ** 2
)
STANDING_BIAS_SD_RADPS: Annotated[float, "error of the bias from a window whose parts agree"] = (
    calibration.STANDING_BIAS_SD_RADPS
)
ERROR_PER_SPREAD: Annotated[float, "error of the bias per spread of the parts"] = calibration.ERROR_PER_SPREAD
MAX_STANDING_BIAS_SD_RADPS: Annotated[float, "a window with a larger error is not standing"] = (
    calibration.MAX_STANDING_BIAS_SD_RADPS
)
GRAVITY_TURN_NOISE_RADPS: Annotated[float, "rotation of gravity that noise alone shows"] = (
    calibration.GRAVITY_TURN_NOISE_RADPS
)

# Integration.
POINTS: Annotated[int, "points of a stride"] = strapdown.POINTS
MAX_OFFSET: Annotated[float, "sums of samples less the sensor's offset stay within 32 bits"] = 2e8
LEVER_ARM_M: Annotated[float, "height of the sensor above the sole"] = strapdown.LEVER_ARM_M
MAX_INTEGRAL: Annotated[float, "sum of squared m, m/s and m/s^2 that no stride has"] = 1e8
USUAL_FORWARD_EXCESS_M: Annotated[
    float, "mean absolute excess velocity times duration before the first stride, forward"
] = strapdown.USUAL_EXCESS_M[0]
USUAL_VERTICAL_EXCESS_M: Annotated[float, "the same, vertical"] = strapdown.USUAL_EXCESS_M[1]
USUAL_EXCESS_STRIDES: Annotated[int, "strides that these count for"] = strapdown.USUAL_EXCESS_STRIDES
UNCERTAIN_STRIDES: Annotated[
    float,
    "strides that prove nothing about the share of the drift at contact: its weight is 1 - this / number",
] = 0.5
MAX_EXCESS_STRIDES: Annotated[int, "strides after which later ones count more"] = 100
MAX_EXCESS_RATIO: Annotated[float, "a stride's excess counts at most so many times the mean"] = (
    strapdown.MAX_EXCESS_RATIO
)
EXCESS_PER_TILT: Annotated[
    float, "excess velocity that a tilt at the end explains, times g, duration and tilt"
] = strapdown.EXCESS_PER_TILT
USUAL_CONTACT: Annotated[float, "contact as a share of the stride, if none was found"] = (
    strapdown.USUAL_CONTACT
)
MIN_CONTACT: Annotated[float, "contact as a share of the stride, at least"] = strapdown.CONTACT_RANGE[0]
MAX_CONTACT: Annotated[float, "at most"] = strapdown.CONTACT_RANGE[1]
CONTACT_AFTER_CROSSING_S: Annotated[float, "initial contact after the pitch rate turns positive"] = (
    events.CONTACT_AFTER_CROSSING_S
)

# Repair of a clipped gyroscope.
CLIPPING_RADPS: Annotated[float, "by how much a foot exceeds the full scale while an axis is clipped"] = (
    clipping.CLIPPING_RADPS
)
CLIPPING_SD_RADPS: Annotated[float, "standard deviation of that"] = clipping.CLIPPING_SD_RADPS
MAX_CLIPPING_RADPS: Annotated[float, "at most"] = clipping.MAX_CLIPPING_RADPS
LONG_CLIPPING_S: Annotated[float, "an axis that is clipped for a shorter time exceeds it less"] = (
    clipping.LONG_CLIPPING_S
)
CLIPPING_TILT_PER_RADPS: Annotated[float, "tilt of the force per angular rate at mid-stance"] = (
    clipping.CLIPPING_TILT_PER_RADPS
)

# Mounting and bias.
FRAME_MEMORY: Annotated[float, "weight of earlier strides in the moments of the angular rate"] = 0.75
FORWARD_MEMORY: Annotated[float, "weight of earlier strides in the direction"] = 0.5
REVERSAL_M2: Annotated[float, "direction-reversal threshold"] = 0.04
COS_MAX_TURNED: Annotated[float, "0.20 rad; a larger change of gravity at stance forgets the mounting"] = (
    0.98006658
)
COS_MAX_SLIP: Annotated[float, "0.30 rad; a larger change of gravity within a stride is a slip"] = 0.95533649
MAX_SLIP_RAD2: Annotated[
    float,
    "(0.1 rad)^2; a slip tips both the force at stance and the end of the integral; another posture of the "
    "foot changes only the first, an error of the gyroscope only the second",
] = 0.01
COS_MAX_TWIST: Annotated[float, "a larger change of the axis of rotation forgets the mounting"] = 0.9
PRIOR_STRIDES: Annotated[float, "strides after which the bias that they show has half of the weight"] = (
    calibration.PRIOR_STRIDES
)
STRIDE_TILT_SD_RAD: Annotated[float, "tilt at a stride's end, SD: unit of the covariance of the bias"] = (
    calibration.STRIDE_TILT_SD_RAD
)
STRIDE_BIAS_SD_RADPS: Annotated[float, "error of the bias that strides alone show, however many"] = (
    calibration.STRIDE_BIAS_SD_RADPS
)
TILT_SD_RAD: Annotated[float, "tilt at a stride's end from which it weighs less"] = calibration.TILT_SD_RAD
BIAS_WALK: Annotated[float, "growth of the variance of the bias per stride"] = 2e-5

# Plausibility.
MIN_DURATION_S: Annotated[float, "of an ordinary stride"] = _OPTIONS.min_duration_s
MAX_DURATION_S: Annotated[float, "of an ordinary stride"] = _OPTIONS.max_duration_s
MIN_LENGTH_CM: Annotated[float, "of an ordinary stride"] = _OPTIONS.min_length_cm
MAX_LENGTH_CM: Annotated[float, "of an ordinary stride"] = _OPTIONS.max_length_cm
COS_MAX_TURN: Annotated[float, "30 degrees"] = round(math.cos(math.radians(_OPTIONS.turn_deg)), 7)
MAX_CLIMB_M: Annotated[float, "change of height of an ordinary stride"] = flags.CLIMB_M
MAX_REPAIRED_RAD: Annotated[float, "rotation put back into a stride without a flag"] = flags.MAX_REPAIRED_RAD
CLIMB_SLOPE: Annotated[float, "the same, as a share of the length of a long stride"] = flags.CLIMB_SLOPE
MAX_BIAS_ERROR_M: Annotated[float, "error of a length, SD, that the bias may make"] = flags.MAX_BIAS_ERROR_M
MAX_DRIFT_MPS: Annotated[float, "velocity left at the end of a stride"] = flags.UNSTEADY_MPS
TAN_MAX_TILT: Annotated[float, "0.25 rad, tilt at the end of a stride"] = round(
    math.tan(flags.UNSTEADY_TILT_RAD), 8
)
MAX_VERTICAL_MPS: Annotated[
    float,
    "mean vertical velocity at the end of ordinary strides; a rate or scale wrong by 10 % gives more",
] = 0.3
MAX_STEADY_VERTICAL_MPS: Annotated[
    float, "the same, if it hardly scatters: one sensor is late, by 13 ms and more"
] = 0.13
MAX_STEADY_RATIO: Annotated[float, "mean per mean absolute deviation of one that hardly scatters"] = 4.0
MAX_EARLY_LAG_S: Annotated[float, "delay between the sensors that the first strides may show"] = 0.01
MIN_LATE_MPS: Annotated[float, "vertical velocity per second of delay, from which a delay is judged"] = 4.0
MIN_LATE_SHARE: Annotated[float, "of the vertical velocities' squares that a delay has to explain"] = 0.95
MAX_ORDINARY_STRIDES: Annotated[Unsigned, "strides of that mean"] = 8
MIN_ORDINARY_STRIDES: Annotated[Unsigned, "strides that it takes to judge it"] = flags.MIN_ORDINARY_STRIDES
# Causes of a length's standard deviation, which adds their squares.
BASE_SD_CM: Annotated[float, "of every stride"] = uncertainty.BASE_SD_CM
SD_PER_EXCESS_CM_PER_M: Annotated[float, "per m of unusual forward excess"] = (
    uncertainty.SD_PER_EXCESS_CM_PER_M
)
SD_PER_TILT_CM: Annotated[float, "per unit of the sine of the tilt at the end"] = uncertainty.SD_PER_TILT_CM
SD_PER_HEIGHT_CM_PER_M: Annotated[float, "per m of height between both mid-stances"] = (
    uncertainty.SD_PER_HEIGHT_CM_PER_M
)
SD_PER_INTERVAL_CM_PER_S: Annotated[float, "per second between two samples"] = (
    uncertainty.SD_PER_INTERVAL_CM_PER_S
)
SD_PER_TURN_CM: Annotated[float, "per unit of twice the sine of half of the turn"] = (
    uncertainty.SD_PER_TURN_CM
)

MAX_CORRECTION_CM: Annotated[float, "correction by the network without a flag"] = 10.0
MAX_CLIPPED_INPUTS: Annotated[int, "of the network's inputs: 1 %"] = 3

# Templates of walking.
TEMPLATE_POINTS: Annotated[int, "parts of a stride"] = walking.POINTS
MAX_TEMPLATE_SHIFT: Annotated[int, "parts by which a stride may be shifted"] = walking.MAX_TEMPLATE_SHIFT
MIN_TEMPLATE_CORRELATION: Annotated[float, "correlation with the template of a stride of walking"] = (
    walking.MIN_TEMPLATE_CORRELATION
)
CORRELATION_PER_RESIDUAL: Annotated[
    float, "squared correlation of all turning that a residual score of 1 requires"
] = walking.CORRELATION_PER_RESIDUAL
MAX_SIDE_SCORE: Annotated[float, "score of the foot that one stride has at most"] = side.MAX_SIDE_SCORE
MAX_OTHER_FOOT_SCORE: Annotated[float, "score below which a foot is the other one"] = (
    side.MAX_OTHER_FOOT_SCORE
)
MIN_SIDE_STRIDES: Annotated[Unsigned, "strides that it takes to tell the foot"] = side.MIN_SIDE_STRIDES
MAX_SIDE_STRIDES: Annotated[int, "strides of the mean that tells the foot"] = 20
PITCH_TEMPLATE_VALUES: Annotated[Table, "0.1 rad/s"] = _in_units(walking.PITCH_RADPS, 10)
SIDE_WEIGHT_VALUES: Annotated[Table, "0.01 / rad, 0.01 / m"] = _in_units(side.WEIGHTS, 100)
