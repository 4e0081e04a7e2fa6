"""Constants of the streaming estimator, for the C and its Python twin.

The annotation of a constant holds its type and its comment in C; `source.constants` writes both. Constants
of the offline pipeline are taken from `gait` and converted to the units of the estimator.
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
    faults,
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
    """Return the value of a macro in tinystride.h."""
    found = re.search(rf"#define {name} (\d+)", _HEADER)
    assert found, f"tinystride.h does not define {name}"
    return int(found[1])


# Sizes of tinystride_t, defined in its header.
HISTORY_BLOCKS = _of_header("TINYSTRIDE_HISTORY_BLOCKS")
MOTION_BLOCKS = _of_header("TINYSTRIDE_MOTION_BLOCKS")
CLIPPED_RUNS = _of_header("TINYSTRIDE_CLIPPED_RUNS")


# Types of a constant in C, beside float and int: unsigned, and the initializer of a table.
Unsigned = Annotated[int, "u"]
Table = tuple[int, ...]


def _in_units(values: np.ndarray, per_unit: float) -> Table:
    """Return values * per_unit, rounded to integers."""
    return tuple(int(value) for value in np.rint(values * per_unit))


# Units of the integers.
ACC_UNIT: Annotated[float, "specific force of one count, m/s^2; the heel strike of a runner exceeds 16 g"] = (
    0.00625
)
GYR_UNIT: Annotated[float, "angular rate of one count, rad/s"] = 0.00125
MOTION_UNIT_RADPS = 0.01
ENERGY_SHIFT: Annotated[
    int, "squared counts of the gyroscope are divided by 2^6 to motion energy, (0.01 rad/s)^2"
] = 6
ACC_SQUARES_PER_MOTION: Annotated[
    int, "squared counts of specific force per unit of motion energy: 2.5 m/s^2 is equivalent to 1 rad/s"
] = round((events.MPS2_PER_RADPS * MOTION_UNIT_RADPS / ACC_UNIT) ** 2)
GRAVITY: Annotated[float, "gravity, m/s^2"] = strapdown.GRAVITY_MPS2
Q14_ONE: Annotated[int, "resolution of instants: 1/16384 block"] = 16384

# Samples and blocks.
MAX_ACC: Annotated[float, "maximum plausible specific force, m/s^2"] = 1000.0
MAX_GYR: Annotated[float, "maximum plausible angular rate, rad/s"] = 200.0
MAX_COUNT: Annotated[
    int, "limit of samples, counts: 187.5 m/s^2 and 37.5 rad/s, so that low-passed samples fit 16 bits"
] = 30000
SATURATED_COUNT: Annotated[
    int,
    "limit above which samples always count as saturated: 20.6 g and 2320 deg/s, above the usual full scales",
] = 32400
MIN_ACC_FULL_SCALE: Annotated[int, "minimum full scale of an accelerometer, counts: 2 g"] = 3138
MIN_GYR_FULL_SCALE: Annotated[int, "minimum full scale of a gyroscope, counts: 250 deg/s"] = 3490
CLIPPED_SAMPLES: Annotated[int, "samples in a row at the maximum so far that prove an unknown full scale"] = (
    flags.CLIPPED_SAMPLES
)
MIN_JUMPS: Annotated[Unsigned, "jumps by a full scale that prove an overflow of the counts"] = 2
INSPECTED_SHARE: Annotated[float, "samples above this share of the saturation level are inspected"] = 0.55
INSPECTED_ACC_SHARE: Annotated[float, "the same share for an accelerometer whose counts may overflow"] = 0.38
MIN_WRAPPED_SHARE: Annotated[
    float, "a jump is an overflow if the velocity at the end exceeds this share of that of one wrapped sample"
] = 0.8
MIN_REPEAT_SCORE: Annotated[
    int, "score that flags a gap, while the foot turns: +2 for a repeated sample, -1 for another one"
] = 16
MAX_REPEAT_SCORE: Annotated[int, "maximum score"] = 60
BLOCK_HZ: Annotated[float, "intended rate of blocks, Hz"] = 58.0
MAX_BLOCK_HZ: Annotated[float, "maximum rate of blocks at which the history holds a slow stride, Hz"] = 76.0
LOWPASS_HZ: Annotated[float, "cut-off frequency of the low-pass, Hz"] = strapdown.LOWPASS_HZ
SETTLING_BLOCKS: Annotated[int, "number of blocks after which the low-pass has settled, to 1e-16"] = 64
STUCK_BLOCKS: Annotated[int, "equal blocks in a row after which a sensor is stuck"] = 2
MIN_STUCK_ENERGY: Annotated[
    Unsigned, "energy of a block above which equal blocks count; a foot that turns less may repeat itself"
] = 640
MAX_GAP_S: Annotated[float, "maximum length of a gap that is interpolated, s"] = _OPTIONS.max_gap_s
MAX_GAP_MPS: Annotated[float, "maximum velocity that may be missing in a gap without a flag, m/s"] = 0.1
MAX_GAP_RAD: Annotated[float, "maximum rotation in a gap of the time stamps without a flag, rad"] = 0.01
MAX_JUMP_US: Annotated[int, "a longer jump of the time stamps restarts the stream, microseconds"] = 1000000

# Stances.
ENERGY_WINDOW_S: Annotated[float, "length of the energy window, s"] = events.ENERGY_WINDOW_S
STATIONARY_ENERGY: Annotated[Unsigned, "motion energy below which a foot is stationary: (0.8 rad/s)^2"] = (
    round((events.STATIONARY_THRESHOLD / MOTION_UNIT_RADPS) ** 2)
)
MOTION_FLOOR: Annotated[Unsigned, "floor of the motion energy in the stationarity weight: (0.3 rad/s)^2"] = (
    round((events.MOTION_FLOOR / MOTION_UNIT_RADPS) ** 2)
)
MOTION_PER_ROOT: Annotated[
    float, "motion, 1/1600 rad/s, is the root of the motion energy times this number"
] = 1600 * MOTION_UNIT_RADPS
MOTION_SHIFT: Annotated[int, "squared motion is divided by 2^8 to motion energy"] = 8
STATIONARY_THRESHOLD: Annotated[Unsigned, "motion below which a foot is stationary: 0.8 rad/s"] = round(
    1600 * events.STATIONARY_THRESHOLD
)
MAX_STANCE_MOTION: Annotated[Unsigned, "maximum motion of a stance, except in fast running: 2.4 rad/s"] = (
    round(1600 * events.MAX_STANCE_MOTION)
)
MAX_RUNNING_MOTION: Annotated[Unsigned, "maximum motion of a stance in fast running: 6.5 rad/s"] = round(
    1600 * events.MAX_RUNNING_MOTION
)
MAX_RUNNING_PERCENT: Annotated[
    Unsigned, "its maximum, percent of the mean motion within one stance interval on both sides"
] = round(100 * events.MAX_RUNNING_SHARE)
MAX_MOTION: Annotated[Unsigned, "maximum of motion; larger values are clamped"] = 65535
MAX_FORCE_DIFFERENCE: Annotated[
    int,
    "difference from the force at stance above which the motion is MAX_MOTION, counts; a power of two",
] = 16384
COS_MAX_TILT: Annotated[float, "cosine of 0.5 rad; a slow foot that is tilted further is in the air"] = round(
    math.cos(events.MAX_TILT_RAD), 8
)
MIN_STANCE_INTERVAL_S: Annotated[float, "minimum time between two mid-stances, s"] = (
    events.MIN_STANCE_INTERVAL_S
)
MIN_MOVING_INTERVAL_S: Annotated[
    float, "minimum time between a stance and a later one with more motion, above STATIONARY_THRESHOLD, s"
] = events.MIN_MOVING_INTERVAL_S
MIN_RUNNING_INTERVAL_S: Annotated[float, "the same, if the motion of both stances is similar, s"] = (
    events.MIN_RUNNING_INTERVAL_S
)
MAX_RUNNING_RATIO: Annotated[Unsigned, "maximum ratio of the motion of similar stances"] = round(
    events.MAX_RUNNING_RATIO
)
MIN_SWING_RAD: Annotated[float, "minimum rotation of a swing, rad"] = events.MIN_SWING_RAD
SWING_UNITS_PER_RADPS: Annotated[float, "resolution of the rotation summed over blocks: 1/1600 rad/s"] = (
    1600.0
)
PAUSE_S: Annotated[float, "rest after which a stride ends, s"] = events.PAUSE_S
SOON_S: Annotated[float, "time after the foot has come to rest within which a stride ends, s"] = events.SOON_S
STATIONARY_RUN_S: Annotated[float, "stationary time that no swing has, s"] = 0.3
RELEARN_S: Annotated[float, "time without stance after which the force at stance is relearned, s"] = 2.0
MIN_GRAVITY_SQUARE: Annotated[Unsigned, "squared gravity - 15 %, counts^2"] = 1778767
MAX_GRAVITY_SQUARE: Annotated[Unsigned, "squared gravity + 15 %, counts^2"] = 3255944

# Standing.
STANDING_PART_S: Annotated[float, "duration of one of the three parts of a standing window, s"] = (
    calibration.STANDING_PART_S
)
STANDING_GUARD_S: Annotated[float, "time that the foot must stand after a standing window, s"] = (
    calibration.STANDING_GUARD_S
)
MAX_STANDING_ACC_RANGE: Annotated[int, "maximum change of the specific force while standing, counts"] = round(
    calibration.STANDING_ACC_MPS2 / ACC_UNIT
)
MAX_BIAS_RADPS: Annotated[float, "maximum bias of the gyroscope, rad/s"] = calibration.MAX_BIAS_RADPS
MAX_STANDING_MOTION: Annotated[Unsigned, "maximum motion energy while standing: (0.2 rad/s)^2"] = round(
    (calibration.MAX_STANDING_RADPS / MOTION_UNIT_RADPS) ** 2
)
STANDING_BIAS_SD_RADPS: Annotated[
    float, "standard deviation of the bias from a window whose parts are equal, rad/s"
] = calibration.STANDING_BIAS_SD_RADPS
ERROR_PER_SPREAD: Annotated[float, "standard deviation of the bias per spread of the parts"] = (
    calibration.ERROR_PER_SPREAD
)
MAX_STANDING_BIAS_SD_RADPS: Annotated[
    float, "maximum standard deviation of the bias from a standing window, rad/s"
] = calibration.MAX_STANDING_BIAS_SD_RADPS
REST_MOTION_PER_MPS2: Annotated[
    float,
    "motion to which 1 m/s^2 of difference from gravity corresponds if the force at rest is estimated from "
    "stances, 1/1600 rad/s: the foot accelerates, mostly upwards",
] = 2560.0
REST_FLOOR: Annotated[float, "floor of the squared motion in the weight of a stance: (0.3 rad/s)^2"] = (
    1600.0 * events.MOTION_FLOOR
) ** 2
REST_PRIOR_STANCES: Annotated[
    float, "number of stances at the stationary threshold that the initial force at rest counts as"
] = 4.0
GRAVITY_TURN_NOISE_RADPS: Annotated[float, "rotation of gravity that is caused by noise alone, rad/s"] = (
    calibration.GRAVITY_TURN_NOISE_RADPS
)

# Integration.
POINTS: Annotated[int, "points of the integration of a stride"] = strapdown.POINTS
MAX_OFFSET: Annotated[
    float, "limit of the sensor's offset, so that sums of samples minus offset fit 32 bits"
] = 2e8
LEVER_ARM_M: Annotated[float, "lever arm: height of the sensor above the sole, m"] = strapdown.LEVER_ARM_M
MAX_INTEGRAL: Annotated[float, "maximum sum of squared m, m/s and m/s^2 of an integral"] = 1e8
USUAL_FORWARD_EXCESS_M: Annotated[
    float, "initial mean absolute deviation of the excess velocity times duration, forward, m"
] = strapdown.USUAL_EXCESS_M[0]
USUAL_VERTICAL_EXCESS_M: Annotated[float, "the same, vertical, m"] = strapdown.USUAL_EXCESS_M[1]
USUAL_FORWARD_STRIDES: Annotated[float, "number of strides that the initial forward value counts as"] = float(
    strapdown.USUAL_EXCESS_STRIDES[0]
)
USUAL_VERTICAL_STRIDES: Annotated[float, "the same, vertical"] = float(strapdown.USUAL_EXCESS_STRIDES[1])
USUAL_FORWARD_MEAN_STRIDES: Annotated[
    float, "number of strides that an initial mean forward excess of 0 counts as"
] = float(strapdown.USUAL_MEAN_STRIDES[0])
USUAL_VERTICAL_MEAN_STRIDES: Annotated[float, "the same, vertical"] = float(strapdown.USUAL_MEAN_STRIDES[1])
UNCERTAIN_STRIDES: Annotated[
    float,
    "the weight of the share of the drift at contact is 1 - UNCERTAIN_STRIDES / number of strides, with "
    "those of the initial mean",
] = 0.3
MAX_EXCESS_STRIDES: Annotated[
    int, "maximum number of strides in the means; later strides have the weight 1 / this number"
] = 100
MAX_EXCESS_RATIO: Annotated[
    float, "limit of a stride's change of the mean excess, relative to the mean absolute deviation"
] = strapdown.MAX_EXCESS_RATIO
EXCESS_PER_TILT: Annotated[
    float, "excess velocity that a tilt at the end causes, per gravity times duration times tilt"
] = strapdown.EXCESS_PER_TILT
TILT_PER_RADPS: Annotated[float, "uncertainty of the tilt per angular rate at mid-stance, rad per rad/s"] = (
    strapdown.TILT_PER_RADPS
)
REST_TILT_RAD: Annotated[float, "uncertainty of the tilt up to which a foot is at rest, rad"] = (
    strapdown.REST_TILT_RAD
)
EXCESS_SD_MPS: Annotated[
    float, "standard deviation of the horizontal excess velocity that the tilt does not cause, m/s"
] = strapdown.EXCESS_SD_MPS
ALIASED_EXCESS_MPS_HZ2: Annotated[
    float, "standard deviation of the excess velocity due to a low rate, times the squared rate, m/s Hz^2"
] = strapdown.ALIASED_EXCESS_MPS_HZ2
USUAL_CONTACT: Annotated[float, "initial contact as a share of the stride, if it was not found"] = (
    strapdown.USUAL_CONTACT
)
MIN_CONTACT: Annotated[float, "minimum of the initial contact as a share of the stride"] = (
    strapdown.CONTACT_RANGE[0]
)
MAX_CONTACT: Annotated[float, "maximum of the initial contact as a share of the stride"] = (
    strapdown.CONTACT_RANGE[1]
)
CM_PER_PUSH: Annotated[float, "length missed per unit of the unusual push, cm per m/s^2"] = (
    strapdown.CM_PER_MOTION[0]
)
USUAL_PUSH: Annotated[
    float, "usual push: size of the specific force minus gravity at the first mid-stance, m/s^2"
] = strapdown.USUAL_MOTION[0]
CM_PER_PITCH_ACCELERATION: Annotated[
    float, "length missed per unit of the unusual pitch acceleration, cm per rad/s^2"
] = strapdown.CM_PER_MOTION[1]
USUAL_PITCH_ACCELERATION: Annotated[float, "usual pitch acceleration at the first mid-stance, rad/s^2"] = (
    strapdown.USUAL_MOTION[1]
)
CM_PER_ROLL_RATE: Annotated[float, "length missed per unit of the unusual roll rate, cm per rad/s"] = (
    strapdown.CM_PER_MOTION[2]
)
USUAL_ROLL_RATE: Annotated[float, "usual roll rate soon after the first mid-stance, rad/s"] = (
    strapdown.USUAL_MOTION[2]
)
CM_PER_APPROACH: Annotated[
    float, "length missed per unit of the unusual forward acceleration, cm per m/s^2"
] = strapdown.CM_PER_MOTION[3]
USUAL_APPROACH: Annotated[float, "usual forward acceleration shortly before the last mid-stance, m/s^2"] = (
    strapdown.USUAL_MOTION[3]
)
MAX_MISSED_CM: Annotated[float, "maximum length missed by each of these motions, cm"] = (
    strapdown.MAX_MISSED_CM
)
MIN_MOTION_LENGTH_CM: Annotated[
    float, "in a shorter step, the motion of the foot at mid-stance counts in proportion to the length, cm"
] = strapdown.MIN_MOTION_LENGTH_CM
CONTACT_AFTER_CROSSING_S: Annotated[
    float, "time of the initial contact after the pitch rate turns positive, s"
] = events.CONTACT_AFTER_CROSSING_S

# Repair of a clipped gyroscope.
CLIPPING_RADPS: Annotated[float, "mean angular rate above the full scale while an axis is clipped, rad/s"] = (
    clipping.CLIPPING_RADPS
)
CLIPPING_SD_RADPS: Annotated[float, "its standard deviation, rad/s"] = clipping.CLIPPING_SD_RADPS
MAX_CLIPPING_RADPS: Annotated[float, "its maximum, rad/s"] = clipping.MAX_CLIPPING_RADPS
LONG_CLIPPING_S: Annotated[
    float, "duration below which a run of clipped samples exceeds the full scale less, s"
] = clipping.LONG_CLIPPING_S
VERTICAL_SD_MPS: Annotated[
    float, "standard deviation of the vertical velocity at the end of a stride with an intact gyroscope, m/s"
] = clipping.VERTICAL_SD_MPS
VERTICAL_PER_RADPS_M: Annotated[float, "its growth per angular rate at mid-stance, m/s per rad/s"] = (
    clipping.VERTICAL_PER_RADPS_M
)

# Mounting and bias.
FRAME_MEMORY: Annotated[float, "weight of earlier strides in the second moments of the angular rate"] = 0.75
FORWARD_MEMORY: Annotated[float, "weight of earlier strides in the forward direction"] = 0.5
REVERSAL_M2: Annotated[float, "direction-reversal threshold, m^2"] = 0.04
COS_MAX_TURNED: Annotated[
    float, "cosine of 0.20 rad; a larger change of gravity at stance resets the mounting"
] = 0.98006658
MAX_CHANGE_SQUARE: Annotated[
    float,
    "(0.30 rad)^2; a larger change of gravity within a stride, of a foot at rest at both ends, is a slip",
] = 0.09
MAX_SLIP_RAD2: Annotated[
    float,
    "(0.1 rad)^2, limit of the product of two tilts: of gravity at stance, and of the end of the integral; "
    "a slip causes both, another posture of the foot only the first, a gyroscope error only the second",
] = 0.01
COS_MAX_TWIST: Annotated[
    float, "cosine of the change of the axis of rotation above which the mounting is reset"
] = 0.9
PRIOR_STRIDES: Annotated[
    float, "number of strides after which the bias that they show has half of the weight"
] = calibration.PRIOR_STRIDES
STRIDE_TILT_SD_RAD: Annotated[
    float, "standard deviation of the tilt at the end of a stride, rad: unit of the covariance of the bias"
] = calibration.STRIDE_TILT_SD_RAD
STRIDE_BIAS_SD_RADPS: Annotated[
    float, "standard deviation of the bias that any number of strides shows without standing, rad/s"
] = calibration.STRIDE_BIAS_SD_RADPS
TILT_SD_RAD: Annotated[float, "tilt at the end of a stride above which the stride has less weight, rad"] = (
    calibration.TILT_SD_RAD
)
BIAS_WALK: Annotated[float, "growth of the variance of the bias per stride"] = 2e-5

# Plausibility.
MIN_DURATION_S: Annotated[float, "minimum duration without a flag, s"] = _OPTIONS.min_duration_s
MAX_DURATION_S: Annotated[float, "maximum duration without a flag, s"] = _OPTIONS.max_duration_s
MIN_LENGTH_CM: Annotated[float, "minimum length without a flag, cm"] = _OPTIONS.min_length_cm
MAX_LENGTH_CM: Annotated[float, "maximum length without a flag, cm"] = _OPTIONS.max_length_cm
COS_MAX_TURN: Annotated[float, "cosine of 30 degrees, maximum change of heading without a flag"] = round(
    math.cos(math.radians(_OPTIONS.turn_deg)), 7
)
MAX_CLIMB_M: Annotated[float, "maximum change of height without a flag, m"] = flags.CLIMB_M
MAX_REPAIRED_M: Annotated[float, "maximum change of the length by the repair without a flag, m"] = (
    flags.MAX_REPAIRED_M
)
CLIMB_SLOPE: Annotated[float, "maximum change of height without a flag, as a share of the length"] = (
    flags.CLIMB_SLOPE
)
MAX_BIAS_ERROR_M: Annotated[float, "maximum standard deviation of a length due to the bias, m"] = (
    flags.MAX_BIAS_ERROR_M
)
MAX_DRIFT_MPS: Annotated[float, "maximum velocity at the end of a stride without a flag, m/s"] = (
    flags.UNSTEADY_MPS
)
TAN_MAX_TILT: Annotated[float, "tangent of 0.25 rad, maximum tilt at the end of a stride without a flag"] = (
    round(math.tan(flags.UNSTEADY_TILT_RAD), 8)
)
PER_MOVING_VARIANCE: Annotated[
    float,
    "growth of the squared maximum tilt per variance of the tilt of a foot that moves at its mid-stances",
] = flags.UNSTEADY_PER_TILT_VARIANCE
MAX_DRIFT_UP_MPS: Annotated[
    float, "maximum vertical velocity at the end of a stride without a flag, m/s; a tilt does not cause it"
] = flags.UNSTEADY_VERTICAL_MPS
MAX_SIDE_VARIANCE: Annotated[
    float, "maximum of this variance of a stride that shows which foot it is, rad^2"
] = flags.MAX_SIDE_VARIANCE
# Ends of ordinary strides, and the part of them that a delay between the sensors explains. Chosen on
# simulated walks, the measured sets and ipol-healthy, without a delay and with one of 20 ms in either sense.
END_PER_HEIGHT: Annotated[
    float,
    "weight of the height over the duration in an end; height and vertical velocity vary contrarily between "
    "wearers, but a delay increases both",
] = 2.0
USUAL_HEIGHT_M: Annotated[float, "usual height at the end of a stride on level floor, m"] = faults.USUAL_END[
    1
].item()
MAX_VERTICAL_MPS: Annotated[
    float,
    "maximum root mean square of the explained part of the ends, m/s; a rate or scale that is wrong by 10 % "
    "causes more",
] = 0.25
MAX_STEADY_VERTICAL_MPS: Annotated[float, "the same if a delay explains nearly the whole ends, m/s"] = 0.13
MAX_STEADY_UNCALIBRATED_MPS: Annotated[
    float, "the same before standing was detected: the force at rest may be wrong by 0.1 m/s^2"
] = 0.2
MAX_LAG_S: Annotated[float, "maximum delay between the sensors, s, if it explains nearly the whole ends"] = (
    0.014
)
MIN_LATE_SHARE: Annotated[float, "share of the squared ends that is nearly the whole"] = 0.85
MAX_EARLY_LAG_S: Annotated[float, "maximum delay between the sensors that the first strides may show, s"] = (
    0.012
)
MIN_EARLY_SHARE: Annotated[float, "the same share in the first strides"] = 0.97
MIN_LATE_MPS: Annotated[
    float, "minimum effect of a delay on the vertical velocity for the first strides to show it, m/s per s"
] = 4.0
VERTICAL_PER_REPAIR_MPS: Annotated[
    float, "vertical velocity that an incomplete repair may leave at the end, per rotation that it adds, m/s"
] = flags.VERTICAL_PER_REPAIR_MPS
MAX_OUTLIER_VERTICAL_MPS: Annotated[
    float, "limit of the end of a single stride, m/s: about twice MAX_VERTICAL_MPS"
] = 0.6
MAX_ORDINARY_STRIDES: Annotated[Unsigned, "maximum number of strides in the means of the ends"] = 12
MIN_ORDINARY_STRIDES: Annotated[Unsigned, "number of strides from which on these means may scatter"] = (
    flags.MIN_ORDINARY_STRIDES
)
# Parts of the standard deviation of a length; their squares are added.
BASE_SD_CM: Annotated[float, "standard deviation of every length, cm"] = uncertainty.BASE_SD_CM
SD_PER_HEIGHT_CM_PER_M: Annotated[float, "standard deviation per unexplained height, cm/m"] = (
    uncertainty.SD_PER_HEIGHT_CM_PER_M
)
SD_PER_VERTICAL_CM_PER_MPS: Annotated[
    float, "standard deviation per unexplained vertical velocity at the end, cm per m/s"
] = uncertainty.SD_PER_VERTICAL_CM_PER_MPS
SD_PER_DOUBT_CM_PER_M: Annotated[float, "standard deviation per doubt about the drift at contact, cm/m"] = (
    uncertainty.SD_PER_DOUBT_CM_PER_M
)
SD_PER_ROTATION_CM_PER_RAD: Annotated[
    float, "standard deviation per rotation in one sampling interval (root mean square), cm/rad"
] = uncertainty.SD_PER_ROTATION_CM_PER_RAD
SD_PER_REPAIR_CM_PER_RAD: Annotated[
    float, "standard deviation per rotation that the repair of a clipped gyroscope added, cm/rad"
] = uncertainty.SD_PER_REPAIR_CM_PER_RAD
SD_PER_TURN_CM: Annotated[float, "standard deviation per root of twice the sine of half of the turn, cm"] = (
    uncertainty.SD_PER_TURN_CM
)

MAX_CORRECTION_CM: Annotated[float, "maximum correction by the network without a flag, cm"] = 10.0
MAX_CLIPPED_INPUTS: Annotated[
    int, "maximum number of the network's inputs at a limit of int8 without a flag: 1 %"
] = 3

# Templates of walking.
TEMPLATE_POINTS: Annotated[int, "parts of a stride in the templates"] = walking.POINTS
MAX_TEMPLATE_SHIFT: Annotated[int, "maximum time shift of the template, parts"] = walking.MAX_TEMPLATE_SHIFT
MIN_TEMPLATE_CORRELATION: Annotated[float, "minimum correlation of a walking stride with the template"] = (
    walking.MIN_TEMPLATE_CORRELATION
)
CORRELATION_PER_RESIDUAL: Annotated[
    float, "minimum squared correlation of all turning with the template, per residual score"
] = walking.CORRELATION_PER_RESIDUAL
MAX_WALKING_STRIDES: Annotated[
    Unsigned,
    "number of walking strides in a row after which a single other stride does not flag the next one",
] = 3
MAX_SIDE_SCORE: Annotated[float, "maximum score of the foot of one stride"] = side.MAX_SIDE_SCORE
MAX_OTHER_FOOT_SCORE: Annotated[float, "mean score below which the sensor is on the other foot"] = (
    side.MAX_OTHER_FOOT_SCORE
)
MIN_SIDE_STRIDES: Annotated[Unsigned, "minimum number of strides for a check of the foot"] = (
    side.MIN_SIDE_STRIDES
)
MAX_SIDE_STRIDES: Annotated[int, "maximum number of strides in the mean score of the foot"] = 20
PITCH_TEMPLATE_VALUES: Annotated[Table, "mean pitch rate of walking, 0.1 rad/s"] = _in_units(
    walking.PITCH_RADPS, 10
)
SIDE_WEIGHT_VALUES: Annotated[Table, "weights of the score of the foot, 0.01 / rad and 0.01 / m"] = _in_units(
    side.WEIGHTS, 100
)
