/* SPDX-License-Identifier: MIT */
/* TinyStride: measure the length of every stride from the samples of a shoe-worn inertial sensor. See tinystride.h.
 *
 * Samples are converted to counts of ACC_UNIT and GYR_UNIT and summed to blocks of about 1/60 s. Decisions about
 * strides use integer arithmetic on blocks, so they are the same on every processor. Computations of one stride use
 * single precision. The parts below are one translation unit and cannot be compiled separately. */
#include "tinystride.h"

#include "tinystride_model.h"
#include "tinystride_network.h"

#include <stddef.h>
#include <string.h>

/* ======== constants ======== */

/* Constants. Generated from tinystride/firmware/constants.py. */
/* specific force of one count, m/s^2; the heel strike of a runner exceeds 16 g */
#define ACC_UNIT 0.00625f
/* angular rate of one count, rad/s */
#define GYR_UNIT 0.00125f
/* squared counts of the gyroscope are divided by 2^6 to motion energy, (0.01 rad/s)^2 */
#define ENERGY_SHIFT 6
/* squared counts of specific force per unit of motion energy: 2.5 m/s^2 is equivalent to 1 rad/s */
#define ACC_SQUARES_PER_MOTION 16
/* gravity, m/s^2 */
#define GRAVITY 9.80665f
/* resolution of instants: 1/16384 block */
#define Q14_ONE 16384
/* maximum plausible specific force, m/s^2 */
#define MAX_ACC 1000.0f
/* maximum plausible angular rate, rad/s */
#define MAX_GYR 200.0f
/* limit of samples, counts: 187.5 m/s^2 and 37.5 rad/s, so that low-passed samples fit 16 bits */
#define MAX_COUNT 30000
/* limit above which samples always count as saturated: 20.6 g and 2320 deg/s, above the usual full scales */
#define SATURATED_COUNT 32400
/* minimum full scale of an accelerometer, counts: 2 g */
#define MIN_ACC_FULL_SCALE 3138
/* minimum full scale of a gyroscope, counts: 250 deg/s */
#define MIN_GYR_FULL_SCALE 3490
/* samples in a row at the maximum so far that prove an unknown full scale */
#define CLIPPED_SAMPLES 3
/* jumps by a full scale that prove an overflow of the counts */
#define MIN_JUMPS 2u
/* samples above this share of the saturation level are inspected */
#define INSPECTED_SHARE 0.55f
/* the same share for an accelerometer whose counts may overflow */
#define INSPECTED_ACC_SHARE 0.38f
/* a jump is an overflow if the velocity at the end exceeds this share of that of one wrapped sample */
#define MIN_WRAPPED_SHARE 0.8f
/* score that flags a gap, while the foot turns: +2 for a repeated sample, -1 for another one */
#define MIN_REPEAT_SCORE 16
/* maximum score */
#define MAX_REPEAT_SCORE 60
/* intended rate of blocks, Hz */
#define BLOCK_HZ 58.0f
/* maximum rate of blocks at which the history holds a slow stride, Hz */
#define MAX_BLOCK_HZ 76.0f
/* cut-off frequency of the low-pass, Hz */
#define LOWPASS_HZ 10.0f
/* number of blocks after which the low-pass has settled, to 1e-16 */
#define SETTLING_BLOCKS 64
/* equal blocks in a row after which a sensor is stuck */
#define STUCK_BLOCKS 2
/* energy of a block above which equal blocks count; a foot that turns less may repeat itself */
#define MIN_STUCK_ENERGY 640u
/* maximum length of a gap that is interpolated, s */
#define MAX_GAP_S 0.03f
/* maximum velocity that may be missing in a gap without a flag, m/s */
#define MAX_GAP_MPS 0.1f
/* maximum rotation in a gap of the time stamps without a flag, rad */
#define MAX_GAP_RAD 0.01f
/* a longer jump of the time stamps restarts the stream, microseconds */
#define MAX_JUMP_US 1000000
/* length of the energy window, s */
#define ENERGY_WINDOW_S 0.08f
/* motion energy below which a foot is stationary: (0.8 rad/s)^2 */
#define STATIONARY_ENERGY 6400u
/* floor of the motion energy in the stationarity weight: (0.3 rad/s)^2 */
#define MOTION_FLOOR 900u
/* motion, 1/1600 rad/s, is the root of the motion energy times this number */
#define MOTION_PER_ROOT 16.0f
/* squared motion is divided by 2^8 to motion energy */
#define MOTION_SHIFT 8
/* motion below which a foot is stationary: 0.8 rad/s */
#define STATIONARY_THRESHOLD 1280u
/* maximum motion of a stance, except in fast running: 2.4 rad/s */
#define MAX_STANCE_MOTION 3840u
/* maximum motion of a stance in fast running: 6.5 rad/s */
#define MAX_RUNNING_MOTION 10400u
/* its maximum, percent of the mean motion within one stance interval on both sides */
#define MAX_RUNNING_PERCENT 37u
/* maximum of motion; larger values are clamped */
#define MAX_MOTION 65535u
/* difference from the force at stance above which the motion is MAX_MOTION, counts; a power of two */
#define MAX_FORCE_DIFFERENCE 16384
/* cosine of 0.5 rad; a slow foot that is tilted further is in the air */
#define COS_MAX_TILT 0.87758255f
/* minimum time between two mid-stances, s */
#define MIN_STANCE_INTERVAL_S 0.35f
/* minimum time between a stance and a later one with more motion, above STATIONARY_THRESHOLD, s */
#define MIN_MOVING_INTERVAL_S 0.65f
/* the same, if the motion of both stances is similar, s */
#define MIN_RUNNING_INTERVAL_S 0.5f
/* maximum ratio of the motion of similar stances */
#define MAX_RUNNING_RATIO 2u
/* minimum rotation of a swing, rad */
#define MIN_SWING_RAD 0.5f
/* resolution of the rotation summed over blocks: 1/1600 rad/s */
#define SWING_UNITS_PER_RADPS 1600.0f
/* rest after which a stride ends, s */
#define PAUSE_S 1.2f
/* time after the foot has come to rest within which a stride ends, s */
#define SOON_S 0.3f
/* stationary time that no swing has, s */
#define STATIONARY_RUN_S 0.3f
/* time without stance after which the force at stance is relearned, s */
#define RELEARN_S 2.0f
/* squared gravity - 15 %, counts^2 */
#define MIN_GRAVITY_SQUARE 1778767u
/* squared gravity + 15 %, counts^2 */
#define MAX_GRAVITY_SQUARE 3255944u
/* duration of one of the three parts of a standing window, s */
#define STANDING_PART_S 0.2f
/* time that the foot must stand after a standing window, s */
#define STANDING_GUARD_S 0.15f
/* maximum change of the specific force while standing, counts */
#define MAX_STANDING_ACC_RANGE 48
/* maximum bias of the gyroscope, rad/s */
#define MAX_BIAS_RADPS 0.1f
/* maximum motion energy while standing: (0.2 rad/s)^2 */
#define MAX_STANDING_MOTION 400u
/* standard deviation of the bias from a window whose parts are equal, rad/s */
#define STANDING_BIAS_SD_RADPS 0.0008f
/* standard deviation of the bias per spread of the parts */
#define ERROR_PER_SPREAD 0.4f
/* maximum standard deviation of the bias from a standing window, rad/s */
#define MAX_STANDING_BIAS_SD_RADPS 0.015f
/* motion to which 1 m/s^2 of difference from gravity corresponds if the force at rest is estimated from stances, 1/1600
 * rad/s: the foot accelerates, mostly upwards */
#define REST_MOTION_PER_MPS2 2560.0f
/* floor of the squared motion in the weight of a stance: (0.3 rad/s)^2 */
#define REST_FLOOR 230400.0f
/* number of stances at the stationary threshold that the initial force at rest counts as */
#define REST_PRIOR_STANCES 4.0f
/* rotation of gravity that is caused by noise alone, rad/s */
#define GRAVITY_TURN_NOISE_RADPS 0.002f
/* points of the integration of a stride */
#define POINTS 64
/* limit of the sensor's offset, so that sums of samples minus offset fit 32 bits */
#define MAX_OFFSET 200000000.0f
/* lever arm: height of the sensor above the sole, m */
#define LEVER_ARM_M 0.06f
/* maximum sum of squared m, m/s and m/s^2 of an integral */
#define MAX_INTEGRAL 100000000.0f
/* initial mean absolute deviation of the excess velocity times duration, forward, m */
#define USUAL_FORWARD_EXCESS_M 0.16f
/* the same, vertical, m */
#define USUAL_VERTICAL_EXCESS_M 0.07f
/* number of strides that the initial forward value counts as */
#define USUAL_FORWARD_STRIDES 6.0f
/* the same, vertical */
#define USUAL_VERTICAL_STRIDES 1.0f
/* number of strides that an initial mean forward excess of 0 counts as */
#define USUAL_FORWARD_MEAN_STRIDES 2.0f
/* the same, vertical */
#define USUAL_VERTICAL_MEAN_STRIDES 1.0f
/* the weight of the share of the drift at contact is 1 - UNCERTAIN_STRIDES / number of strides, with those of the
 * initial mean */
#define UNCERTAIN_STRIDES 0.3f
/* maximum number of strides in the means; later strides have the weight 1 / this number */
#define MAX_EXCESS_STRIDES 100
/* limit of a stride's change of the mean excess, relative to the mean absolute deviation */
#define MAX_EXCESS_RATIO 4.0f
/* excess velocity that a tilt at the end causes, per gravity times duration times tilt */
#define EXCESS_PER_TILT 0.25f
/* uncertainty of the tilt per angular rate at mid-stance, rad per rad/s */
#define TILT_PER_RADPS 0.1f
/* uncertainty of the tilt up to which a foot is at rest, rad */
#define REST_TILT_RAD 0.05f
/* standard deviation of the horizontal excess velocity that the tilt does not cause, m/s */
#define EXCESS_SD_MPS 0.2f
/* standard deviation of the excess velocity due to a low rate, times the squared rate, m/s Hz^2 */
#define ALIASED_EXCESS_MPS_HZ2 5000.0f
/* initial contact as a share of the stride, if it was not found */
#define USUAL_CONTACT 0.7f
/* minimum of the initial contact as a share of the stride */
#define MIN_CONTACT 0.5f
/* maximum of the initial contact as a share of the stride */
#define MAX_CONTACT 0.9f
/* length missed per unit of the unusual push, cm per m/s^2 */
#define CM_PER_PUSH 1.0f
/* usual push: size of the specific force minus gravity at the first mid-stance, m/s^2 */
#define USUAL_PUSH 0.0f
/* length missed per unit of the unusual pitch acceleration, cm per rad/s^2 */
#define CM_PER_PITCH_ACCELERATION 0.12f
/* usual pitch acceleration at the first mid-stance, rad/s^2 */
#define USUAL_PITCH_ACCELERATION 0.35f
/* length missed per unit of the unusual roll rate, cm per rad/s */
#define CM_PER_ROLL_RATE 0.5f
/* usual roll rate soon after the first mid-stance, rad/s */
#define USUAL_ROLL_RATE 0.15f
/* length missed per unit of the unusual forward acceleration, cm per m/s^2 */
#define CM_PER_APPROACH (-0.5f)
/* usual forward acceleration shortly before the last mid-stance, m/s^2 */
#define USUAL_APPROACH (-0.15f)
/* maximum length missed by each of these motions, cm */
#define MAX_MISSED_CM 0.25f
/* in a shorter step, the motion of the foot at mid-stance counts in proportion to the length, cm */
#define MIN_MOTION_LENGTH_CM 40.0f
/* time of the initial contact after the pitch rate turns positive, s */
#define CONTACT_AFTER_CROSSING_S 0.026f
/* mean angular rate above the full scale while an axis is clipped, rad/s */
#define CLIPPING_RADPS 1.0f
/* its standard deviation, rad/s */
#define CLIPPING_SD_RADPS 1.5f
/* its maximum, rad/s */
#define MAX_CLIPPING_RADPS 15.0f
/* duration below which a run of clipped samples exceeds the full scale less, s */
#define LONG_CLIPPING_S 0.08f
/* standard deviation of the vertical velocity at the end of a stride with an intact gyroscope, m/s */
#define VERTICAL_SD_MPS 0.6f
/* its growth per angular rate at mid-stance, m/s per rad/s */
#define VERTICAL_PER_RADPS_M 0.05f
/* weight of earlier strides in the second moments of the angular rate */
#define FRAME_MEMORY 0.75f
/* weight of earlier strides in the forward direction */
#define FORWARD_MEMORY 0.5f
/* direction-reversal threshold, m^2 */
#define REVERSAL_M2 0.04f
/* cosine of 0.20 rad; a larger change of gravity at stance resets the mounting */
#define COS_MAX_TURNED 0.9800666f
/* (0.30 rad)^2; a larger change of gravity within a stride, of a foot at rest at both ends, is a slip */
#define MAX_CHANGE_SQUARE 0.09f
/* (0.1 rad)^2, limit of the product of two tilts: of gravity at stance, and of the end of the integral; a slip causes
 * both, another posture of the foot only the first, a gyroscope error only the second */
#define MAX_SLIP_RAD2 0.01f
/* cosine of the change of the axis of rotation above which the mounting is reset */
#define COS_MAX_TWIST 0.9f
/* number of strides after which the bias that they show has half of the weight */
#define PRIOR_STRIDES 4.0f
/* standard deviation of the tilt at the end of a stride, rad: unit of the covariance of the bias */
#define STRIDE_TILT_SD_RAD 0.03f
/* standard deviation of the bias that any number of strides shows without standing, rad/s */
#define STRIDE_BIAS_SD_RADPS 0.004f
/* tilt at the end of a stride above which the stride has less weight, rad */
#define TILT_SD_RAD 0.1f
/* growth of the variance of the bias per stride */
#define BIAS_WALK 0.00002f
/* minimum duration without a flag, s */
#define MIN_DURATION_S 0.6f
/* maximum duration without a flag, s */
#define MAX_DURATION_S 2.0f
/* minimum length without a flag, cm */
#define MIN_LENGTH_CM 40.0f
/* maximum length without a flag, cm */
#define MAX_LENGTH_CM 300.0f
/* cosine of 30 degrees, maximum change of heading without a flag */
#define COS_MAX_TURN 0.8660254f
/* maximum change of height without a flag, m */
#define MAX_CLIMB_M 0.2f
/* maximum change of the length by the repair without a flag, m */
#define MAX_REPAIRED_M 0.06f
/* maximum change of height without a flag, as a share of the length */
#define CLIMB_SLOPE 0.15f
/* maximum standard deviation of a length due to the bias, m */
#define MAX_BIAS_ERROR_M 0.02f
/* maximum velocity at the end of a stride without a flag, m/s */
#define MAX_DRIFT_MPS 2.5f
/* tangent of 0.25 rad, maximum tilt at the end of a stride without a flag */
#define TAN_MAX_TILT 0.25534192f
/* growth of the squared maximum tilt per variance of the tilt of a foot that moves at its mid-stances */
#define PER_MOVING_VARIANCE 4.0f
/* maximum vertical velocity at the end of a stride without a flag, m/s; a tilt does not cause it */
#define MAX_DRIFT_UP_MPS 0.8f
/* maximum of this variance of a stride that shows which foot it is, rad^2 */
#define MAX_SIDE_VARIANCE 0.025f
/* weight of the height over the duration in an end; height and vertical velocity vary contrarily between wearers, but a
 * delay increases both */
#define END_PER_HEIGHT 2.0f
/* usual height at the end of a stride on level floor, m */
#define USUAL_HEIGHT_M 0.015f
/* maximum root mean square of the explained part of the ends, m/s; a rate or scale that is wrong by 10 % causes more */
#define MAX_VERTICAL_MPS 0.25f
/* the same if a delay explains nearly the whole ends, m/s */
#define MAX_STEADY_VERTICAL_MPS 0.13f
/* the same before standing was detected: the force at rest may be wrong by 0.1 m/s^2 */
#define MAX_STEADY_UNCALIBRATED_MPS 0.2f
/* maximum delay between the sensors, s, if it explains nearly the whole ends */
#define MAX_LAG_S 0.014f
/* share of the squared ends that is nearly the whole */
#define MIN_LATE_SHARE 0.85f
/* maximum delay between the sensors that the first strides may show, s */
#define MAX_EARLY_LAG_S 0.012f
/* the same share in the first strides */
#define MIN_EARLY_SHARE 0.97f
/* minimum effect of a delay on the vertical velocity for the first strides to show it, m/s per s */
#define MIN_LATE_MPS 4.0f
/* vertical velocity that an incomplete repair may leave at the end, per rotation that it adds, m/s */
#define VERTICAL_PER_REPAIR_MPS 1.0f
/* limit of the end of a single stride, m/s: about twice MAX_VERTICAL_MPS */
#define MAX_OUTLIER_VERTICAL_MPS 0.6f
/* maximum number of strides in the means of the ends */
#define MAX_ORDINARY_STRIDES 12u
/* number of strides from which on these means may scatter */
#define MIN_ORDINARY_STRIDES 4u
/* standard deviation of every length, cm */
#define BASE_SD_CM 0.75f
/* standard deviation per unexplained height, cm/m */
#define SD_PER_HEIGHT_CM_PER_M 36.0f
/* standard deviation per unexplained vertical velocity at the end, cm per m/s */
#define SD_PER_VERTICAL_CM_PER_MPS 13.5f
/* standard deviation per doubt about the drift at contact, cm/m */
#define SD_PER_DOUBT_CM_PER_M 75.0f
/* standard deviation per rotation in one sampling interval (root mean square), cm/rad */
#define SD_PER_ROTATION_CM_PER_RAD 58.0f
/* standard deviation per rotation that the repair of a clipped gyroscope added, cm/rad */
#define SD_PER_REPAIR_CM_PER_RAD 13.4f
/* standard deviation per root of twice the sine of half of the turn, cm */
#define SD_PER_TURN_CM 2.0f
/* maximum correction by the network without a flag, cm */
#define MAX_CORRECTION_CM 10.0f
/* maximum number of the network's inputs at a limit of int8 without a flag: 1 % */
#define MAX_CLIPPED_INPUTS 3
/* parts of a stride in the templates */
#define TEMPLATE_POINTS 16
/* maximum time shift of the template, parts */
#define MAX_TEMPLATE_SHIFT 4
/* minimum correlation of a walking stride with the template */
#define MIN_TEMPLATE_CORRELATION 0.6f
/* minimum squared correlation of all turning with the template, per residual score */
#define CORRELATION_PER_RESIDUAL 0.5f
/* number of walking strides in a row after which a single other stride does not flag the next one */
#define MAX_WALKING_STRIDES 3u
/* maximum score of the foot of one stride */
#define MAX_SIDE_SCORE 2.0f
/* mean score below which the sensor is on the other foot */
#define MAX_OTHER_FOOT_SCORE (-0.2f)
/* minimum number of strides for a check of the foot */
#define MIN_SIDE_STRIDES 3u
/* maximum number of strides in the mean score of the foot */
#define MAX_SIDE_STRIDES 20
/* mean pitch rate of walking, 0.1 rad/s */
#define PITCH_TEMPLATE_VALUES {1, 2, 6, 23, 63, 64, -19, -52, -58, -51, -33, 17, 28, 6, 1, 1}
/* weights of the score of the foot, 0.01 / rad and 0.01 / m */
#define SIDE_WEIGHT_VALUES {-5, 19, 15, -6, 17, 22, -14, -19, -22, -11, 12, 1, 1, 3, -7, -3}
/* ======== config ======== */

/* Compiler attributes, units and tables. The constants are in constants.inc. */

/* For functions that need less flash or stack if they are not inlined. */
#if defined(__GNUC__)
#define NOINLINE __attribute__((noinline))
#else
#define NOINLINE
#endif
/* For functions that are called for every sample or block. */
#if defined(__GNUC__)
#define ALWAYS_INLINE inline __attribute__((always_inline))
#else
#define ALWAYS_INLINE inline
#endif

#define MAGIC 0x54535431u
#define PI 3.14159265f
#define COUNTS_PER_ACC (1.0f / ACC_UNIT)
#define COUNTS_PER_GYR (1.0f / GYR_UNIT)

/* Flags that exclude a stride from sensors_disagree(). */
#define NOT_ORDINARY                                                                                                   \
    (TINYSTRIDE_CLIMB | TINYSTRIDE_UNUSUAL_DURATION | TINYSTRIDE_OUT_OF_RANGE | TINYSTRIDE_NOT_WALKING |               \
     TINYSTRIDE_GAP | TINYSTRIDE_SATURATED | TINYSTRIDE_PREVIOUS_MISSING)

/* Template of walking: mean pitch rate in each sixteenth of the stride, 0.1 rad/s. */
static const int8_t PITCH_TEMPLATE[TEMPLATE_POINTS] = PITCH_TEMPLATE_VALUES;
/* Weights of the score of the foot: eight of roll, 0.01 / rad; eight of sideways acceleration times the squared
 * duration, 0.01 / m. The score is near 1 for the configured foot, near -1 for the other one. */
static const int8_t SIDE_WEIGHT[TEMPLATE_POINTS] = SIDE_WEIGHT_VALUES;
/* Number of strides that the initial deviation and mean of the excess count as: forward, vertical. */
static const float USUAL_STRIDES[2] = {USUAL_FORWARD_STRIDES, USUAL_VERTICAL_STRIDES};
static const float USUAL_MEAN_STRIDES[2] = {USUAL_FORWARD_MEAN_STRIDES, USUAL_VERTICAL_MEAN_STRIDES};

/* Index of a sensor in the tables below. */
enum { ACC, GYR };
static const float UNIT[2] = {ACC_UNIT, GYR_UNIT};     /* one count, m/s^2 and rad/s */
static const float MAX_SAMPLE[2] = {MAX_ACC, MAX_GYR}; /* maximum plausible value, m/s^2 and rad/s */
static const int16_t MIN_FULL_SCALE[2] = {MIN_ACC_FULL_SCALE, MIN_GYR_FULL_SCALE}; /* minimum full scale, counts */

/* Events that make a stride unreliable: lost samples; saturation; a jump of the specific force, which is an overflow of
 * the counts or an impact. */
enum { GAP, SATURATED, JUMPED, EVENTS };

/* Index of the durations that are converted to a whole number of blocks. */
enum {
    WINDOW, STANCE_INTERVAL, STATIONARY_RUN, PAUSE, HALF_PAUSE, SOON, STANDING_PART, STANDING_GUARD, MOVING_INTERVAL,
    RUNNING_INTERVAL
};
static const float DURATION_S[TINYSTRIDE_DURATIONS] = {
    ENERGY_WINDOW_S, MIN_STANCE_INTERVAL_S, STATIONARY_RUN_S, PAUSE_S, PAUSE_S / 2, SOON_S,
    STANDING_PART_S, STANDING_GUARD_S, MIN_MOVING_INTERVAL_S, MIN_RUNNING_INTERVAL_S,
};

/* The network's input is feature * factor + summand, rounded. */
static const float INPUT_FACTOR[6] = TINYSTRIDE_INPUT_FACTOR;
static const float INPUT_SUMMAND[6] = TINYSTRIDE_INPUT_SUMMAND;
/* ======== math ======== */

/* Vectors of three components, square root, rounding. */

/* Return the square root of x >= 0, rounded to the nearest float; infinity and NaN stay. Cores with a floating-point
 * unit use its instruction. Other cores use the loop, because newlib's sqrtf adds 1,080 bytes of static data. */
#if defined(__GNUC__) && defined(__arm__) && defined(__ARM_FP)
static float square_root(float x)
{
    float y;
    __asm__("vsqrt.f32 %0, %1" : "=t"(y) : "t"(x));
    return y;
}
#elif defined(__GNUC__) && defined(__SSE__)
static float square_root(float x)
{
    float y;
    __asm__("sqrtss %1, %0" : "=x"(y) : "x"(x));
    return y;
}
#elif defined(__GNUC__) && defined(__aarch64__)
static float square_root(float x)
{
    float y;
    __asm__("fsqrt %s0, %s1" : "=w"(y) : "w"(x));
    return y;
}
#elif defined(__GNUC__) && defined(__riscv_flen)
static float square_root(float x)
{
    float y;
    __asm__("fsqrt.s %0, %1" : "=f"(y) : "f"(x));
    return y;
}
#else
static NOINLINE float square_root(float x)
{
    uint32_t bits, remainder, root = 0, twice = 0;
    memcpy(&bits, &x, sizeof bits);
    if (bits - 1u >= 0x7F7FFFFFu) {
        return x; /* 0, infinity, NaN */
    }
    int32_t exponent = (int32_t)(bits >> 23);
    remainder = bits & 0x7FFFFFu;
    if (exponent > 0) {
        remainder |= 0x800000u;
    } else {
        /* Subnormal. */
        for (exponent = 1; !(remainder & 0x800000u); --exponent) {
            remainder <<= 1;
        }
    }
    /* x = remainder * 4^(half - 12) with an integer half: find the binary digits of the root, and one more for
     * rounding. */
    exponent += 1;
    remainder <<= 1 + (exponent & 1);
    for (uint32_t digit = 0x1000000u; digit != 0u; digit >>= 1) {
        const uint32_t trial = twice + digit;
        if (trial <= remainder) {
            twice = trial + digit;
            remainder -= trial;
            root += digit;
        }
        remainder <<= 1;
    }
    root += remainder ? root & 1u : 0u;
    bits = (root >> 1) + ((uint32_t)((exponent >> 1) + 62) << 23);
    memcpy(&x, &bits, sizeof bits);
    return x;
}
#endif

/* Return `flag` if x is outside the range low to high, else 0. */
static NOINLINE unsigned flag_if_outside(float x, float low, float high, unsigned flag)
{
    return x < low || x > high ? flag : 0u;
}

/* Return x, clamped to the range -limit to limit. */
static NOINLINE float clampf(float x, float limit)
{
    return x > limit ? limit : x < -limit ? -limit : x;
}

/* Move a mean by the n-th part of its difference to a value. */
static NOINLINE void update_mean(float *mean, float value, float n)
{
    *mean += (value - *mean) / n;
}

/* Return x^2. */
static float squared(float x)
{
    return x * x;
}

/* Return the scalar product of two vectors. */
static NOINLINE float dot(const float a[3], const float b[3])
{
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

/* result = a x b */
static NOINLINE void cross(const float a[3], const float b[3], float result[3])
{
    result[0] = a[1] * b[2] - a[2] * b[1];
    result[1] = a[2] * b[0] - a[0] * b[2];
    result[2] = a[0] * b[1] - a[1] * b[0];
}

/* vector *= factor */
static void scale(float vector[3], float factor)
{
    vector[0] *= factor;
    vector[1] *= factor;
    vector[2] *= factor;
}

/* vector += factor * addend */
static void add(float vector[3], const float addend[3], float factor)
{
    vector[0] += factor * addend[0];
    vector[1] += factor * addend[1];
    vector[2] += factor * addend[2];
}

/* Return the squared length of the horizontal part of a vector. */
static float horizontal_square(const float vector[2])
{
    return vector[0] * vector[0] + vector[1] * vector[1];
}

/* Return the length of a vector. */
static float norm(const float vector[3])
{
    return square_root(dot(vector, vector));
}

/* Scale a vector to a length; zero stays zero. */
static NOINLINE void set_length(float vector[3], float length)
{
    scale(vector, length / (norm(vector) + 1e-12f));
}

/* Scale a vector to length 1; zero stays zero. */
static void normalize(float vector[3])
{
    set_length(vector, 1.0f);
}

/* Return the cosine of the angle between two vectors; 0 if one of them is zero. */
static float cosine(const float a[3], const float b[3])
{
    return dot(a, b) / (norm(a) * norm(b) + 1e-12f);
}

/* Convert counts to floats; the unit stays. */
static NOINLINE void to_floats(const int16_t counts[3], float vector[3])
{
    for (int i = 0; i < 3; ++i) {
        vector[i] = counts[i];
    }
}

/* result = matrix * vector */
static void apply(float matrix[3][3], const float vector[3], float result[3])
{
    for (int i = 0; i < 3; ++i) {
        result[i] = dot(matrix[i], vector);
    }
}

/* Return x rounded to the nearest integer, plus NEAREST, modulo 2^32; |x| < 2^22. After 1.5 * 2^23 is added, the low
 * bits of the sum are the rounded number. */
#define NEAREST 0x4B400000u
static ALWAYS_INLINE uint32_t nearest_bits(float x)
{
    const float sum = x + 12582912.0f;
    uint32_t bits;
    memcpy(&bits, &sum, sizeof bits);
    return bits;
}

/* Return x rounded to the nearest integer; |x| < 2^22. */
static NOINLINE int32_t nearest(float x)
{
    return (int32_t)(nearest_bits(x) - NEAREST);
}

/* Return x rounded to the nearest integer; |x| < 2^15. */
static int16_t nearest_int16(float x)
{
    return (int16_t)nearest_bits(x);
}

/* Return the bits of a float. */
static ALWAYS_INLINE uint32_t float_bits(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

/* Return a monotonic key of |x|; NaN sorts above every number. */
static uint32_t abs_sort_key(float x)
{
    return float_bits(x) << 1;
}
/* ======== state ======== */

/* State of the sample stream and the sensor, and results that several parts use. */

/* Result of the integration of a stride, in the frame of its start. */
typedef struct {
    float displacement[3]; /* m */
    float drift[3];        /* velocity at the end, m/s; it should be 0 */
    float excess[3];       /* drift before correct_tilt(), minus the horizontal effects of lever arm and tilt, m/s */
    float unexplained;     /* part of the horizontal excess that is not due to the tilt at the start */
    float up[3];           /* specific force at the end, m/s^2 */
    float moving;          /* variance of the tilt of the force of a foot that moves at both ends, rad^2 */
    float rows[2][3];      /* sums over the points of the first two rows of the orientation */
    float turn[2];         /* cosine and sine of the change of heading, times a common factor */
    float push;            /* size of the specific force minus gravity at the start, m/s^2 */
    float pitch_change;    /* change of the pitch feature from the first to the fourth point */
    float approach;        /* forward acceleration shortly before the end, m/s^2 */
    float parts[3][TEMPLATE_POINTS]; /* sums over sixteenths: roll feature, pitch feature, sideways force */
    float late_mps;        /* vertical velocity at the end per second of delay between the sensors, m/s */
    float turning;         /* sum of squares of the angular rate, scaled like the square of the pitch feature */
    int clipped;           /* inputs of the network at a limit of int8 */
} integral_t;

/* Return TINYSTRIDE_OK if the state is initialized, else TINYSTRIDE_ERROR_NULL or TINYSTRIDE_ERROR_STATE. */
static NOINLINE int check_state(const tinystride_t *ts)
{
    if (ts == NULL) {
        return TINYSTRIDE_ERROR_NULL;
    }
    return ts->magic == MAGIC ? TINYSTRIDE_OK : TINYSTRIDE_ERROR_STATE;
}

/* Return the stationarity weight 1 / (energy + floor)^2, times 2^32; motion < MAX_STANCE_MOTION. */
static uint32_t stationarity_weight(uint32_t motion)
{
    const uint32_t energy = (motion * motion >> MOTION_SHIFT) + MOTION_FLOOR;
    return 4294967295u / (energy * energy);
}

/* Increment a count up to a maximum. Return it. */
static NOINLINE unsigned count_up(uint8_t *count, unsigned max)
{
    if (*count < max) {
        ++*count;
    }
    return *count;
}

/* Return the number of the next sample. */
static NOINLINE uint32_t next_sample(const tinystride_t *ts)
{
    return ts->input.first_sample + (ts->block.number + 1u) * ts->config.samples_per_block - ts->block.to_come;
}

/* Increase the variance of the gyroscope bias. variance: of each axis, relative to that of one stride's measurement. */
static NOINLINE void add_bias_variance(tinystride_t *ts, float variance)
{
    for (int i = 0; i < 3; ++i) {
        ts->sensor.bias_variance[i][i] += variance;
    }
}

/* Return the sum of the variances of the gyroscope bias over the axes. */
static float bias_variance_trace(const tinystride_t *ts)
{
    return ts->sensor.bias_variance[0][0] + ts->sensor.bias_variance[1][1] + ts->sensor.bias_variance[2][2];
}

/* Return the full scale of a sensor in counts. If it is unknown, return the minimum of three usual ones that is not
 * below `size` and all samples so far; 0 if all three are below. */
static NOINLINE int32_t likely_full_scale(const tinystride_t *ts, int sensor, int32_t size)
{
    const int32_t level = ts->input.saturation_level[sensor], max_size = size > level ? size : level;
    if (ts->config.has_full_scale[sensor]) {
        return level;
    }
    for (int32_t scale = MIN_FULL_SCALE[sensor]; scale <= 4 * MIN_FULL_SCALE[sensor]; scale *= 2) {
        if (200 * max_size <= 201 * scale) {
            return scale;
        }
    }
    return 0;
}

/* Set the saturation level of a sensor, counts: its full scale or, if that is unknown, the maximum value so far.
 * Samples above a share of this level are inspected. */
static NOINLINE void set_saturation_level(tinystride_t *ts, int sensor, int32_t size)
{
    ts->input.saturation_level[sensor] = (int16_t)size;
    ts->input.is_reached[sensor] = 0;
    /* A count that wrapped around may be smaller than this share, so inspect more samples. */
    const float share = sensor == ACC && likely_full_scale(ts, ACC, 0) ? INSPECTED_ACC_SHARE : INSPECTED_SHARE;
    ts->input.inspect_from[sensor] = abs_sort_key(share * (float)size * UNIT[sensor]);
}

/* Record an event, GAP, SATURATED or JUMPED, in the current block. */
static NOINLINE void record_event(tinystride_t *ts, int event)
{
    ts->stride.event_last[event] = ts->block.number;
    if (!ts->phase.event_seen[event]) {
        ts->phase.event_seen[event] = 1;
        ts->stride.event_first[event] = ts->block.number;
    }
}

/* Start the sums of a new block. Each sum starts below 0 by the offsets that nearest_bits() adds to its samples. */
static void clear_block(tinystride_t *ts)
{
    const uint32_t start = 0u - NEAREST * ts->config.samples_per_block;
    struct tinystride_block *block = &ts->block;
    block->sum[0] = block->sum[1] = block->sum[2] = block->sum[3] = block->sum[4] = block->sum[5] = start;
    block->energy = 0;
}

/* Reset the stream of samples and the current stride; the next sample has the number `first`. Keep what was learned of
 * sensor, mounting and wearer. */
static void reset_stream(tinystride_t *ts, uint32_t first)
{
    memset((uint8_t *)ts + offsetof(tinystride_t, phase), 0,
           offsetof(tinystride_t, standing) - offsetof(tinystride_t, phase));
    ts->standing.blocks = 0;
    ts->input.first_sample = first;
    clear_block(ts);
    ts->block.to_come = ts->config.samples_per_block;
}

/* Return the low-passed samples [6] of a block, in counts. */
static NOINLINE const int16_t *block_samples(const tinystride_t *ts, uint32_t block)
{
    return ts->history.samples[block % TINYSTRIDE_HISTORY_BLOCKS];
}

/* Return the samples [6] of the next block. */
static ALWAYS_INLINE const int16_t *next_block(const tinystride_t *ts, const int16_t *samples)
{
    return samples == ts->history.samples[TINYSTRIDE_HISTORY_BLOCKS - 1u] ? ts->history.samples[0] : samples + 6;
}
/* ======== frame ======== */

/* Mounting of the sensor and gyroscope bias, learned from the strides. */

/* Find the horizontal axis with the maximum second moment of angular rate. spread: [3, 3] second moments; up: unit
 * vector. */
static void principal_axis(float spread[3][3], const float up[3], float axis[3])
{
    float first[3] = {0}, second[3], image[3];
    first[up[0] * up[0] < 0.5f ? 0 : 1] = 1.0f;
    add(first, up, -dot(first, up));
    normalize(first);
    cross(up, first, second);
    apply(spread, second, image);
    const float c = dot(second, image), b = dot(first, image);
    apply(spread, first, image);
    const float d = (dot(first, image) - c) * 0.5f, r = square_root(d * d + b * b);
    memset(axis, 0, 3 * sizeof *axis);
    add(axis, first, d > 0.0f ? r + d : b);
    add(axis, second, d > 0.0f ? b : r - d);
    normalize(axis);
}

/* Compute the second moments [3, 3] of the angular rate of the stride from every second block, counts^2. */
static void gyro_spread(const tinystride_t *ts, float spread[3][3])
{
    memset(spread, 0, 3 * sizeof *spread);
    for (uint32_t block = ts->stride.spread_from; block <= ts->block.number; block += 2u) {
        float rate[3];
        to_floats(block_samples(ts, block) + 3, rate);
        for (int i = 0; i < 3; ++i) {
            add(spread[i], rate, rate[i]);
        }
    }
}

/* Update the vertical and left axes by the stride. changed: [3] receives the unit vector of gravity at the end minus
 * that at the start. */
static void update_frame(tinystride_t *ts, float changed[3])
{
    float start[3], end[3], own[3], up[3], spread[3][3];
    to_floats(ts->stride.start_force, start);
    to_floats(ts->stance.mid_stance_force, end);
    scale(end, ACC_UNIT);
    normalize(start);
    memcpy(changed, end, sizeof end);
    normalize(changed);
    add(changed, start, -1.0f);
    if (!ts->frame.has_frame || cosine(ts->frame.up_force, end) < COS_MAX_TURNED) {
        memcpy(ts->frame.up_force, end, sizeof end);
        memset(ts->frame.gyr_spread, 0, sizeof ts->frame.gyr_spread);
    }
    add(end, ts->frame.up_force, -1.0f);
    add(ts->frame.up_force, end, 0.25f);
    memcpy(up, ts->frame.up_force, sizeof up);
    normalize(up);
    gyro_spread(ts, spread);
    principal_axis(spread, up, own);
    const float agreement = dot(own, ts->frame.left);
    const float memory = agreement * agreement < COS_MAX_TWIST * COS_MAX_TWIST ? 0.0f : FRAME_MEMORY;
    for (int i = 0; i < 3; ++i) {
        scale(ts->frame.gyr_spread[i], memory);
        add(ts->frame.gyr_spread[i], spread[i], 1.0f);
    }
    principal_axis(ts->frame.gyr_spread, up, own);
    if (dot(own, ts->frame.left) < 0.0f) {
        scale(own, -1.0f);
    }
    memcpy(ts->frame.left, own, sizeof own);
    ts->frame.has_frame = 1;
}

/* Update the gyroscope bias by the tilt about one axis: one step of a Kalman filter. tilt_per_bias: [3] tilt that a
 * bias of 1 causes; variance: of the tilt, relative to that of one stride's measurement; change: [3] change of the bias
 * by this stride, added to. */
static NOINLINE void kalman_update_axis(tinystride_t *ts, const float tilt_per_bias[3], float tilt,
                                        float variance, float change[3])
{
    float gain[3];
    apply(ts->sensor.bias_variance, tilt_per_bias, gain);
    const float share = 1.0f / (dot(tilt_per_bias, gain) + variance);
    add(change, gain, (tilt - dot(tilt_per_bias, change)) * share);
    for (int i = 0; i < 3; ++i) {
        add(ts->sensor.bias_variance[i], gain, -gain[i] * share);
    }
}

/* Correct the gyroscope bias by the tilt that integration leaves at the end of the stride. */
static void update_bias(tinystride_t *ts, integral_t *result, float duration)
{
    const float length = norm(result->up) + 1e-12f, x = result->up[0] / length, y = result->up[1] / length;
    const float variance = 1.0f + (x * x + y * y) * (1.0f / (TILT_SD_RAD * TILT_SD_RAD));
    float change[3] = {0};
    scale(result->rows[0], duration * (1.0f / POINTS));
    scale(result->rows[1], duration * (1.0f / POINTS));
    kalman_update_axis(ts, result->rows[0], -y, variance, change);
    kalman_update_axis(ts, result->rows[1], x, variance, change);
    add(ts->sensor.bias, change, 1.0f);
    add_bias_variance(ts, BIAS_WALK);
}
/* ======== integrator ======== */

/* State of the integration of one stride. */

/* One axis of the frame of the stride's start. Velocities are in units of 2 / step_s. Factors convert to features. */
typedef struct {
    float row[3], sum[3];  /* row of the orientation, from sensor axes; sum of the rows so far */
    float velocity;        /* at the current point */
    float next_velocity;   /* half a step later */
    float moved;           /* sum of the velocities */
    float velocity_factor, rate_factor[3], rate_sum;
} axis_t;

/* State of the integration at one of the 64 points of a stride. Samples are integrals over one step, in counts times
 * Q14_ONE, in sensor axes, without the sensor's offsets. */
typedef struct {
    axis_t axis[3];
    float acc[3], gyr[3];
    int32_t minus_offset[6]; /* initial value of each sum */
    const int16_t *samples;  /* of the current block */
    uint32_t left;           /* part of the current block that is not summed yet, Q14 */
    float step;              /* length of a step in blocks */
    float turn_factor;
} integrator_t;
/* ======== clipping ======== */

/* Repair of a clipped gyroscope by gravity at both mid-stances and the vertical velocity between them. */

/* Rotation that the repair adds to a stride. */
typedef struct {
    float correction[3];    /* correction of the prior by the end of the stride, see estimate_correction() */
    float covariance[3][3]; /* before the correction: of the lost rotation about the two horizontal axes, rad, and of
                             * the vertical velocity that it would cause by the velocity at its time, m/s */
    float variance;         /* variance of the tilt as gravity shows it, rad^2 */
    float vertical;         /* variance of the vertical velocity at the end without lost rotation, (m/s)^2 */
    float repaired_rad;   /* added rotation, rad */
    uint32_t start;       /* sample number and fraction of the mid-stance at the start */
    float fraction;
    float place, step;    /* end of the current point's interval after `start`, and its length, samples */
} repair_t;

/* Record the axes of the gyroscope that are clipped in the next sample. values: [3] rad/s. */
static void record_clipping(tinystride_t *ts, const float values[3])
{
    struct tinystride_clipped *clipped = &ts->clipped;
    const uint32_t sample = next_sample(ts);
    /* An unknown full scale has just been detected by several equal samples, which all were clipped. */
    const uint32_t n = ts->input.repeats[GYR] == CLIPPED_SAMPLES && !ts->input.is_reached[GYR] ? CLIPPED_SAMPLES : 1u;
    for (unsigned i = 0; i < 3u; ++i) {
        const int32_t count = nearest(values[i] * COUNTS_PER_GYR);
        const unsigned axis = count < 0 ? i + 3u : i;
        unsigned run = 0;
        if ((count < 0 ? -count : count) < ts->input.saturation_level[GYR]) {
            continue;
        }
        while (run < TINYSTRIDE_CLIPPED_RUNS &&
               (clipped->runs[run].axis != axis || clipped->runs[run].first + clipped->runs[run].n != sample)) {
            ++run;
        }
        if (run == TINYSTRIDE_CLIPPED_RUNS) {
            run = clipped->next;
            clipped->next = (uint8_t)(run + 1u < TINYSTRIDE_CLIPPED_RUNS ? run + 1u : 0u);
            clipped->runs[run].first = sample + 1u - n;
            clipped->runs[run].n = (uint16_t)(n - 1u);
            clipped->runs[run].axis = (uint8_t)axis;
        }
        ++clipped->runs[run].n;
    }
}

/* Add the lost rotation to the angular rate of the current point, and to `turned` as in next_point(). The rate that a
 * run of clipped samples lost has a known mean and SD, which are smaller for short runs. The correction adds the part
 * that the end of the stride shows. */
static void add_lost_rotation(const tinystride_t *ts, repair_t *repair, integrator_t *now, float turned[3])
{
    repair->place += repair->step;
    for (unsigned run = 0; run < TINYSTRIDE_CLIPPED_RUNS; ++run) {
        const float first = (float)(int32_t)(ts->clipped.runs[run].first - repair->start) - 0.5f - repair->place;
        const float n = ts->clipped.runs[run].n, end = first + n;
        const float from = first < -repair->step ? -repair->step : first, to = end > 0.0f ? 0.0f : end;
        if (!(to > from)) {
            continue;
        }
        const unsigned axis = ts->clipped.runs[run].axis, i = axis % 3u;
        const float sign = axis < 3u ? 1.0f : -1.0f, interval_s = 1.0f / ts->input.rate_hz;
        const float span_s = n * interval_s, share = clampf(span_s * (1.0f / LONG_CLIPPING_S), 1.0f);
        const float x = sign * now->axis[0].row[i], y = sign * now->axis[1].row[i], time_s = (to - from) * interval_s;
        const float crossed = x * now->axis[1].velocity - y * now->axis[0].velocity;
        const float effect[3] = {x, y, crossed * (0.5f * ACC_UNIT / Q14_ONE) * ts->input.period_s};
        const float prior = squared(CLIPPING_SD_RADPS * share) * span_s;
        const float expected =
            clampf(CLIPPING_RADPS * share + prior * dot(effect, repair->correction), MAX_CLIPPING_RADPS);
        const float lost = expected < 0.0f ? 0.0f : expected;
        const float counts = sign * lost * time_s * (COUNTS_PER_GYR * Q14_ONE / ts->input.period_s);
        now->gyr[i] += counts;
        turned[i] += counts;
        repair->repaired_rad += lost * time_s;
        for (int k = 0; k < 3; ++k) {
            add(repair->covariance[k], effect, prior * time_s * effect[k]);
        }
    }
}

/* Return the variance, rad^2, of the angle between the specific force at mid-stance and the vertical, beyond that of a
 * foot at rest. It is larger if the foot accelerates or turns. push: specific force minus gravity, m/s^2. Unless
 * `repair` is NULL, add the whole variance at this end of the stride to those of tilt and vertical velocity. */
static NOINLINE float add_end_variance(const integrator_t *now, float push, repair_t *repair)
{
    const float turning = dot(now->gyr, now->gyr) * squared(GYR_UNIT / Q14_ONE / now->step);
    const float variance = squared(push * (1.0f / GRAVITY)) + squared(TILT_PER_RADPS) * turning;
    if (repair) {
        repair->variance += variance;
        repair->vertical += squared(VERTICAL_PER_RADPS_M) * turning;
    }
    return variance > squared(REST_TILT_RAD) ? variance - squared(REST_TILT_RAD) : 0.0f;
}

/* Initialize the repair at the first point of an integration. */
static void init_repair(repair_t *repair)
{
    memset(repair->covariance, 0, sizeof repair->covariance);
    repair->variance = squared(STRIDE_TILT_SD_RAD);
    repair->vertical = squared(VERTICAL_SD_MPS);
    repair->repaired_rad = 0.0f;
    repair->place = repair->fraction + 0.5f * repair->step;
}

/* Estimate the correction by least squares from the integral with the mean of the prior. A lost rotation (x, y) turns
 * all later changes of the velocity: the vertical velocity at the end changes by x * end_y - y * end_x - crossed, with
 * the velocity at the end and the third effect of add_lost_rotation(). */
static void estimate_correction(repair_t *repair, const integral_t *result)
{
    const float *up = result->up, *end = result->drift;
    const float variance = repair->variance, square = horizontal_square(up);
    float (*sums)[3] = repair->covariance, inverse[3];
    if (up[2] > 0.0f) {
        /* The angle of a slope is about slope / (1 + 0.28 slope^2). */
        const float angle = up[2] / (up[2] * up[2] + 0.28f * square), x = up[1] * angle, y = -up[0] * angle;
        const float crossed = x * end[1] - y * end[0] + end[2];
        sums[0][0] += variance;
        sums[1][1] += variance;
        sums[0][2] = sums[2][0] += variance * end[1];
        sums[1][2] = sums[2][1] -= variance * end[0];
        sums[2][2] += variance * horizontal_square(end) + repair->vertical;
        memset(repair->correction, 0, sizeof repair->correction);
        cross(sums[0], sums[1], inverse);
        add(repair->correction, inverse, crossed);
        const float determinant = dot(sums[2], inverse);
        cross(sums[2], sums[0], inverse);
        add(repair->correction, inverse, y);
        cross(sums[1], sums[2], inverse);
        add(repair->correction, inverse, x);
        scale(repair->correction, 1.0f / determinant);
    }
}
/* ======== integrate ======== */

/* Strapdown integration of one stride, and the input of the network. */

/* Write a scaled feature plus its summand as int8. Increment *clipped if it is at a limit of int8 or was outside. */
static ALWAYS_INLINE void quantize_feature(float scaled, float summand, int8_t *input, int *clipped)
{
    const uint32_t bits = nearest_bits(scaled + summand);
    *input = (int8_t)bits;
    if (bits + 127u - NEAREST > 253u) {
        *input = (int32_t)bits >= (int32_t)NEAREST ? 127 : -128;
        ++*clipped;
    }
}

/* Find the first sample of the first point of the stride. */
static void seek_first_sample(integrator_t *now, const tinystride_t *ts)
{
    /* Block k extends from k - 1/2 to k + 1/2; the delay of the motion energy is half its window. */
    const float window = (float)(ts->config.blocks[WINDOW] - 1);
    const float first = (float)ts->stride.start_q8 * (1.0f / 256) - 0.5f * window + ts->lowpass.delay + 0.5f -
                        0.5f * now->step + 8.0f;
    const uint32_t parts = (uint32_t)(first * Q14_ONE);
    now->samples = block_samples(ts, ts->stride.start - 8u + parts / Q14_ONE);
    now->left = Q14_ONE - parts % Q14_ONE;
}

/* Sum the samples of the next `remaining` parts of blocks, Q14. turned: [3] receives the sum of the angular rates of
 * the last and this point; times turn_factor it is half of the rotation. */
static ALWAYS_INLINE void next_point(integrator_t *now, const tinystride_t *ts, uint32_t remaining, float turned[3])
{
    const int16_t *samples = now->samples;
    const int32_t *minus_offset = now->minus_offset;
    uint32_t left = now->left;
    int32_t ax = minus_offset[0], ay = minus_offset[1], az = minus_offset[2];
    int32_t gx = minus_offset[3], gy = minus_offset[4], gz = minus_offset[5];
    for (;;) {
        const int32_t part = (int32_t)(remaining < left ? remaining : left);
        ax += part * samples[0];
        ay += part * samples[1];
        az += part * samples[2];
        gx += part * samples[3];
        gy += part * samples[4];
        gz += part * samples[5];
        if (remaining < left) {
            break;
        }
        remaining -= left;
        left = Q14_ONE;
        samples = next_block(ts, samples);
    }
    now->samples = samples;
    now->left = left - remaining;
    now->acc[0] = (float)ax;
    now->acc[1] = (float)ay;
    now->acc[2] = (float)az;
    turned[0] = now->gyr[0] + (float)gx;
    turned[1] = now->gyr[1] + (float)gy;
    turned[2] = now->gyr[2] + (float)gz;
    now->gyr[0] = (float)gx;
    now->gyr[1] = (float)gy;
    now->gyr[2] = (float)gz;
}

/* Rotate the orientation by factor * turned, below 2 rad (Rodrigues formula). Compute the third row from the first
 * two. */
static ALWAYS_INLINE void rotate(axis_t axis[3], const float turned[3], float factor)
{
    const float x = turned[0] * factor, y = turned[1] * factor, z = turned[2] * factor;
    const float square = x * x + y * y + z * z;
    const float s = 1.0f - square * (1.0f / 6 - square * (1.0f / 120 - square * (1.0f / 5040)));
    const float c = 0.5f - square * (1.0f / 24 - square * (1.0f / 720 - square * (1.0f / 40320)));
    for (int i = 0; i < 2; ++i) {
        float *row = axis[i].row, *sum = axis[i].sum;
        const float a = row[1] * z - row[2] * y, b = row[2] * x - row[0] * z, d = row[0] * y - row[1] * x;
        row[0] += s * a + c * (b * z - d * y);
        row[1] += s * b + c * (d * x - a * z);
        row[2] += s * d + c * (a * y - b * x);
        sum[0] += row[0];
        sum[1] += row[1];
        sum[2] += row[2];
    }
    cross(axis[0].row, axis[1].row, axis[2].row);
}

/* Update the velocity, and write the six inputs of the network at this point, if it is used. */
static ALWAYS_INLINE void update_velocity(integrator_t *now, int8_t *input, int *clipped)
{
    for (int i = 0; i < 3; ++i) {
        axis_t *axis = &now->axis[i];
        const float acceleration = dot(axis->row, now->acc), rate = dot(axis->rate_factor, now->gyr);
        const float velocity = axis->next_velocity + acceleration;
        axis->velocity = velocity;
        axis->next_velocity = velocity + acceleration;
        axis->moved += velocity;
        axis->rate_sum += rate;
        if (TINYSTRIDE_USE_NETWORK) {
            quantize_feature(velocity * axis->velocity_factor, INPUT_SUMMAND[i], input + i, clipped);
            quantize_feature(rate, INPUT_SUMMAND[i + 3], input + i + 3, clipped);
        }
    }
}

/* Rotate a vector by the minimum rotation that makes the direction `up` [3] vertical. */
static NOINLINE void turn_upright(const float up[3], float vector[3])
{
    const float z = up[2], sideways = up[0] * vector[0] + up[1] * vector[1];
    const float both = sideways / (1.0f + (z > -0.99f ? z : -0.99f)) + vector[2];
    vector[2] = sideways + z * vector[2];
    vector[0] -= up[0] * both;
    vector[1] -= up[1] * both;
}

/* Set the first orientation: rotate from sensor axes to the foot, then by the minimum rotation that makes the specific
 * force vertical. */
static void align_to_gravity(integrator_t *now, float frame[3][3])
{
    float up[3];
    apply(frame, now->acc, up);
    normalize(up);
    for (int i = 0; i < 3; ++i) {
        float column[3] = {frame[0][i], frame[1][i], frame[2][i]};
        turn_upright(up, column);
        for (int k = 0; k < 3; ++k) {
            now->axis[k].row[i] = column[k];
        }
    }
}

/* Correct the tilt at the start by the horizontal excess velocity [2], m/s, that it causes. variance: of the tilt that
 * the motion of the foot causes, rad^2. The stride is rotated back, so that height is exchanged for length. */
static void correct_tilt(integral_t *result, const float excess[2], float variance, float duration,
                         float rate_hz)
{
    const float fall = GRAVITY * duration, moving = variance * squared(fall);
    const float other = squared(EXCESS_SD_MPS) + squared(ALIASED_EXCESS_MPS_HZ2 / squared(rate_hz));
    const float explained = moving / (moving + other);
    float up[3] = {explained * excess[0], explained * excess[1], fall};
    normalize(up);
    turn_upright(up, result->displacement);
    result->drift[2] += fall;
    turn_upright(up, result->drift);
    result->drift[2] -= fall;
    result->unexplained = 1.0f - explained;
}

/* Compute the horizontal velocity [2] of the sensor when the foot rolls over its sole, m/s, and the heading [2]. */
static void stance_velocity(const integrator_t *now, const float ahead[3], float rolling[2], float heading[2])
{
    const float rate_factor = GYR_UNIT / Q14_ONE / now->step;
    rolling[0] = LEVER_ARM_M * rate_factor * dot(now->axis[1].row, now->gyr);
    rolling[1] = -LEVER_ARM_M * rate_factor * dot(now->axis[0].row, now->gyr);
    heading[0] = dot(now->axis[0].row, ahead);
    heading[1] = dot(now->axis[1].row, ahead);
}

/* Initialize the integration of a stride of `length` blocks. frame: [3, 3] rotation from sensor axes to the foot;
 * offset: [3] offset of the specific force in sensor axes, m/s^2. */
static void init_integrator(integrator_t *now, const tinystride_t *ts, float length, float frame[3][3],
                            const float offset[3])
{
    const float step = length / (POINTS - 1), half_s = 0.5f * step * ts->input.period_s;
    const float duration = length * ts->input.period_s;
    const float acc_factor = ACC_UNIT / Q14_ONE / step, gyr_factor = GYR_UNIT / Q14_ONE / step;
    memset(now, 0, sizeof *now);
    now->step = step;
    now->turn_factor = gyr_factor * half_s;
    seek_first_sample(now, ts);
    for (int i = 0; i < 3; ++i) {
        /* Mirror the input of the network for a left foot. */
        const float mirrored = ts->config.foot == TINYSTRIDE_LEFT ? -duration : duration;
        now->minus_offset[i] = (int32_t)clampf(-offset[i] / acc_factor, MAX_OFFSET);
        now->minus_offset[i + 3] = (int32_t)clampf(-ts->sensor.bias[i] / gyr_factor, MAX_OFFSET);
        if (TINYSTRIDE_USE_NETWORK) {
            now->axis[i].velocity_factor = (i == 1 ? mirrored : duration) * half_s * acc_factor * INPUT_FACTOR[i];
        }
        add(now->axis[i].rate_factor, frame[i], (i == 1 ? duration : mirrored) * gyr_factor * INPUT_FACTOR[i + 3]);
    }
}

/* Integrate a stride of `length` blocks. frame: [3, 3] rotation from sensor axes to the foot; offset: [3] offset of the
 * specific force in sensor axes, m/s^2; repair: of a clipped gyroscope, or NULL; input: [64, 6] receives the input of
 * the network. */
static void integrate(const tinystride_t *ts, float length, float frame[3][3], const float offset[3],
                      repair_t *repair, integral_t *result, int8_t *input)
{
    integrator_t now;
    init_integrator(&now, ts, length, frame, offset);
    const float acc_factor = ACC_UNIT / Q14_ONE / now.step, fall = 2.0f * GRAVITY / acc_factor;
    const uint32_t parts = (uint32_t)(length * 256.0f) * (Q14_ONE / 256);
    uint32_t place = 0;
    float rolling[2][3] = {{0}}, started[2], ended[2], lateral[3] = {0}, excess[3]; /* rolling: at start and end */
    float sideways = 0.0f, turning = 0.0f, late = 0.0f, variance = 0.0f;
    add(lateral, frame[1], ts->config.foot == TINYSTRIDE_LEFT ? -acc_factor : acc_factor);
    result->clipped = 0;
    for (int point = 0; point < POINTS; ++point) {
        float turned[3];
        const uint32_t next = parts * (uint32_t)(point + 1) / (POINTS - 1);
        next_point(&now, ts, next - place, turned);
        place = next;
        if (point > 0) {
            if (repair) {
                add_lost_rotation(ts, repair, &now, turned);
            }
        } else {
            const float force = norm(now.acc);
            result->push = force * acc_factor - GRAVITY;
            if (repair) {
                init_repair(repair);
            }
            variance = add_end_variance(&now, result->push, repair);
            align_to_gravity(&now, frame);
            stance_velocity(&now, frame[0], rolling[0], started);
            now.axis[2].next_velocity = -force;
            result->pitch_change = -dot(now.axis[1].rate_factor, now.gyr);
        }
        rotate(now.axis, turned, point == 0 ? 0.0f : now.turn_factor);
        update_velocity(&now, input, &result->clipped);
        now.axis[2].next_velocity -= fall;
        input += TINYSTRIDE_USE_NETWORK ? 6 : 0;
        sideways += dot(lateral, now.acc);
        turning += dot(now.gyr, now.gyr);
        cross(now.gyr, now.acc, turned);
        late += dot(now.axis[2].row, turned);
        if (point % (POINTS / TEMPLATE_POINTS) == POINTS / TEMPLATE_POINTS - 1) {
            const int part = point / (POINTS / TEMPLATE_POINTS);
            result->parts[0][part] = now.axis[0].rate_sum;
            result->parts[1][part] = now.axis[1].rate_sum;
            result->parts[2][part] = sideways;
            now.axis[0].rate_sum = now.axis[1].rate_sum = sideways = 0.0f;
            if (part == 0) {
                result->pitch_change += dot(now.axis[1].rate_factor, now.gyr);
            } else if (part == TEMPLATE_POINTS - 3) {
                result->approach = -now.axis[0].velocity;
            } else if (part == TEMPLATE_POINTS - 2) {
                result->approach += now.axis[0].velocity;
            }
        }
    }
    stance_velocity(&now, frame[0], rolling[1], ended);
    result->turning = turning * squared(GYR_UNIT / Q14_ONE * (POINTS - 1) * INPUT_FACTOR[4] * ts->input.period_s);
    const float period_s = ts->input.period_s, duration = length * period_s;
    const float half_s = 0.5f * now.step * period_s * acc_factor;
    for (int i = 0; i < 3; ++i) {
        const axis_t *axis = &now.axis[i];
        result->drift[i] = axis->velocity * half_s;
        excess[i] = result->drift[i] + rolling[0][i] - rolling[1][i];
        result->displacement[i] = (2.0f * axis->moved - axis->velocity) * half_s * 0.5f * now.step * period_s +
                                  (rolling[0][i] - 0.5f * excess[i]) * duration;
        result->up[i] = dot(axis->row, now.acc) * acc_factor;
    }
    result->approach *= acc_factor * (0.5f * TEMPLATE_POINTS / POINTS);
    result->late_mps = late * acc_factor * (GYR_UNIT / Q14_ONE) * period_s;
    const float force = norm(result->up), per_tilt = EXCESS_PER_TILT * GRAVITY * duration / (force + 1e-9f);
    result->moving = variance + add_end_variance(&now, force - GRAVITY, repair);
    result->excess[0] = excess[0] - per_tilt * result->up[0];
    result->excess[1] = excess[1] - per_tilt * result->up[1];
    result->excess[2] = excess[2];
    correct_tilt(result, excess, variance, duration, ts->input.rate_hz);
    memcpy(result->rows[0], now.axis[0].sum, sizeof now.axis[0].sum);
    memcpy(result->rows[1], now.axis[1].sum, sizeof now.axis[1].sum);
    result->turn[0] = started[0] * ended[0] + started[1] * ended[1];
    result->turn[1] = started[0] * ended[1] - started[1] * ended[0];
}

/* Return 1 if an input of the network is at a limit of int8 or outside, else 0. */
static ALWAYS_INLINE int is_clipped(int32_t q)
{
    return (uint32_t)q + 127u > 253u;
}

/* Exchange forward with backward and left with right in the integral and in the input of the network. */
static void reverse_direction(integral_t *result, int8_t *input)
{
    for (int channel = 0; TINYSTRIDE_USE_NETWORK && channel < 5; channel += channel == 1 ? 2 : 1) {
        const int32_t twice = nearest(2.0f * INPUT_SUMMAND[channel]);
        for (int8_t *each = input + channel; each < input + TINYSTRIDE_MODEL_INPUT_SIZE; each += 6) {
            int32_t q = twice - *each;
            if (is_clipped(*each)) {
                --result->clipped;
            }
            if (is_clipped(q)) {
                ++result->clipped;
                q = q < 0 ? -128 : 127;
            }
            *each = (int8_t)q;
        }
    }
    result->displacement[0] = -result->displacement[0];
    result->excess[0] = -result->excess[0];
    result->pitch_change = -result->pitch_change;
    result->approach = -result->approach;
    for (int i = 0; i < 3; ++i) {
        for (int part = 0; part < TEMPLATE_POINTS; ++part) {
            result->parts[i][part] = -result->parts[i][part];
        }
    }
}
/* ======== plausibility ======== */

/* Quality flags of the samples, of the sensors, of walking and of the configured foot. */

/* Return 1 if a sensor axis was constant throughout the stride, else 0. */
static int has_dead_axis(const tinystride_t *ts)
{
    const int16_t *first = block_samples(ts, ts->stride.spread_from);
    unsigned changing = 0u;
    for (uint32_t block = ts->stride.spread_from + 1u; changing != 63u && block <= ts->block.number; ++block) {
        const int16_t *samples = block_samples(ts, block);
        for (unsigned i = 0; i < 6u; ++i) {
            changing |= (unsigned)(samples[i] != first[i]) << i;
        }
    }
    return changing != 63u;
}

/* Return the maximum correlation, -1 to 1, of the pitch rate with the walking template over all time shifts. own: sum
 * of squares of `pitch`; best_shift: receives the shift of the maximum. */
static float template_correlation(const float pitch[TEMPLATE_POINTS], float own, int *best_shift)
{
    float highest = -1.0f;
    for (int shift = -MAX_TEMPLATE_SHIFT; shift <= MAX_TEMPLATE_SHIFT; ++shift) {
        const int first = shift > 0 ? shift : 0, stop = shift < 0 ? TEMPLATE_POINTS + shift : TEMPLATE_POINTS;
        float product = 0.0f, square = 0.0f;
        for (int i = first; i < stop; ++i) {
            const float expected = PITCH_TEMPLATE[i - shift];
            product += pitch[i] * expected;
            square += expected * expected;
        }
        const float correlation = product / square_root(own * square + 1e-12f);
        if (correlation > highest) {
            highest = correlation;
            *best_shift = shift;
        }
    }
    return highest;
}

/* Return 1 if the foot turns like in walking, else 0. With a larger residual score, a larger share of all turning must
 * correlate with the template. shift: receives the time shift of the template. */
static int is_walking(const integral_t *result, float residual_score, int *shift)
{
    float own = 0.0f;
    for (int i = 0; i < TEMPLATE_POINTS; ++i) {
        own += squared(result->parts[1][i]);
    }
    const float correlation = template_correlation(result->parts[1], own, shift);
    return correlation >= MIN_TEMPLATE_CORRELATION &&
           correlation * correlation * own * ((float)TEMPLATE_POINTS / POINTS) >=
               CORRELATION_PER_RESIDUAL * residual_score * result->turning;
}

/* Update the mean score of the foot by roll and sideways acceleration of the stride. Return 1 if the last ordinary
 * strides are like those of the other foot, else 0. */
static int is_other_foot(tinystride_t *ts, const integral_t *result, int shift, float duration)
{
    /* The roll rate is a feature, so it is already multiplied by the duration. */
    const float share = 0.5f * TEMPLATE_POINTS / POINTS;
    const float factor[2] = {share / INPUT_FACTOR[3], share * duration * duration};
    float score = 0.0f;
    struct tinystride_checks *checks = &ts->checks;
    const unsigned n = count_up(&checks->side_strides, MAX_SIDE_STRIDES);
    for (int i = 0; i < TEMPLATE_POINTS; ++i) {
        const int sideways = i >= TEMPLATE_POINTS / 2, from = 2 * i - TEMPLATE_POINTS * sideways + shift;
        const float *sums = result->parts[2 * sideways];
        float value = 0.0f;
        value += from >= 0 && from < TEMPLATE_POINTS ? sums[from] : 0.0f;
        value += from >= -1 && from < TEMPLATE_POINTS - 1 ? sums[from + 1] : 0.0f;
        score += value * factor[sideways] * ((float)SIDE_WEIGHT[i] * 0.01f);
    }
    update_mean(&checks->side_score, clampf(score, MAX_SIDE_SCORE), (float)n);
    return n >= MIN_SIDE_STRIDES && checks->side_score < MAX_OTHER_FOOT_SCORE;
}

/* Return TINYSTRIDE_NO_STANDING if the gyroscope bias is too uncertain for a stride of this duration, else 0. A bias b
 * changes the length by g b T^3 / 12. */
static unsigned bias_flag(tinystride_t *ts, float duration)
{
    /* A bias about the vertical does not change the length. */
    const float *up = ts->frame.up_force;
    float image[3];
    apply(ts->sensor.bias_variance, up, image);
    const float horizontal = bias_variance_trace(ts) - dot(up, image) / (dot(up, up) + 1e-12f);
    const float variance = horizontal * (STRIDE_TILT_SD_RAD * STRIDE_TILT_SD_RAD / 2) +
                           (ts->standing.count ? 0.0f : squared(STRIDE_BIAS_SD_RADPS));
    const float error_square = variance * squared(GRAVITY / 12 * duration * duration * duration);
    return flag_if_outside(error_square, 0.0f, squared(MAX_BIAS_ERROR_M), TINYSTRIDE_NO_STANDING);
}

/* Return `flag` if an event lies in the stride of `length` blocks, else 0. */
static NOINLINE unsigned event_flag(const tinystride_t *ts, int event, float length, unsigned flag)
{
    const int32_t place = (int32_t)(ts->stride.event_first[event] - ts->stride.start);
    return ts->phase.event_seen[event] && place <= (int32_t)length + 1 ? flag : 0u;
}

/* Return TINYSTRIDE_SATURATED if counts of the specific force overflowed in the stride of `length` blocks, else 0.
 * After such a jump to the other sign, the velocity at the end is about that of one sample that wrapped around. */
static unsigned overflow_flag(const tinystride_t *ts, float length, const integral_t *result)
{
    const float wrapped_mps = 2.0f * ACC_UNIT * (float)likely_full_scale(ts, ACC, 0) / ts->input.rate_hz;
    const float excess = squared(result->excess[0]) + squared(result->drift[1]) + squared(result->drift[2]);
    return wrapped_mps > 0.0f && excess > squared(MIN_WRAPPED_SHARE * wrapped_mps)
               ? event_flag(ts, JUMPED, length, TINYSTRIDE_SATURATED)
               : 0u;
}

/* Return the flags of bias, missing strides and events in the stride of `length` blocks. */
static unsigned event_flags(tinystride_t *ts, float length)
{
    unsigned flags = bias_flag(ts, length * ts->input.period_s);
    flags |= ts->checks.previous_missing ? TINYSTRIDE_PREVIOUS_MISSING : 0u;
    flags |= has_dead_axis(ts) ? TINYSTRIDE_GAP : 0u;
    ts->checks.previous_missing = 0;
    return flags | event_flag(ts, GAP, length, TINYSTRIDE_GAP) |
           event_flag(ts, SATURATED, length, TINYSTRIDE_SATURATED);
}

/* Return the flags that depend on the integral of the stride alone. */
static unsigned integral_flags(const integral_t *result, float duration, float length_cm)
{
    const float height = result->displacement[2], *turn = result->turn;
    const float slope = CLIMB_SLOPE / 100 * length_cm, climb = slope > MAX_CLIMB_M ? slope : MAX_CLIMB_M;
    unsigned flags = flag_if_outside(height, -climb, climb, TINYSTRIDE_CLIMB);
    flags |= flag_if_outside(duration, MIN_DURATION_S, MAX_DURATION_S, TINYSTRIDE_UNUSUAL_DURATION);
    flags |= flag_if_outside(length_cm, MIN_LENGTH_CM, MAX_LENGTH_CM, TINYSTRIDE_OUT_OF_RANGE);
    if (turn[0] < COS_MAX_TURN * square_root(horizontal_square(turn))) {
        flags |= TINYSTRIDE_TURN;
    }
    return flags;
}

/* Return `flags`, with TINYSTRIDE_NOT_WALKING and TINYSTRIDE_WRONG_FOOT if they apply. reverses: 1 if the foot moved
 * against the direction of the last strides. */
static unsigned add_walking_flags(tinystride_t *ts, const integral_t *result, float duration, float residual_score,
                                  int reverses, unsigned flags)
{
    int shift = 0;
    const int not_walking =
        !is_walking(result, residual_score, &shift) || (reverses && !(flags & TINYSTRIDE_TURN));
    /* Single strides of other activities may look like walking. So the stride after a stride that is not walking is
     * flagged, too, unless the last three strides before were walking. */
    const unsigned before = ts->checks.walking_strides;
    if (not_walking || before == 0u) {
        flags |= TINYSTRIDE_NOT_WALKING;
    }
    ts->checks.walking_strides = (uint8_t)(not_walking ? before == MAX_WALKING_STRIDES
                                           : before < MAX_WALKING_STRIDES ? before + 1u : before);
    /* Only ordinary strides of walking, of a foot at rest at both ends, distinguish the feet. */
    if (!(flags & ~(unsigned)(TINYSTRIDE_NO_STANDING | TINYSTRIDE_SATURATED)) && result->moving <= MAX_SIDE_VARIANCE &&
        is_other_foot(ts, result, shift, duration)) {
        flags |= TINYSTRIDE_WRONG_FOOT;
    }
    return flags;
}

/* Update the means of the ends by a stride without NOT_ORDINARY flags: vertical velocity and weighted height, which
 * should be zero. Return TINYSTRIDE_SENSORS_DISAGREE if they are like those of a delay between the sensors, else 0; a
 * wrong scale or sampling rate has similar effects. repaired_rad: rotation that a clipped gyroscope lost, of which a
 * part may not be repaired. */
static unsigned sensors_disagree(tinystride_t *ts, unsigned flags, const integral_t *result, float duration,
                                 float repaired_rad)
{
    struct tinystride_checks *checks = &ts->checks;
    float *means = checks->end_means;
    if (!(flags & NOT_ORDINARY)) {
        const float height = END_PER_HEIGHT * (result->displacement[2] - USUAL_HEIGHT_M) / duration;
        const float end = clampf(result->drift[2] + height, MAX_OUTLIER_VERTICAL_MPS), late = result->late_mps;
        const float clear = end - clampf(end, VERTICAL_PER_REPAIR_MPS * repaired_rad);
        const float values[3] = {clear * late, late * late, clear * clear};
        const float n = (float)count_up(&checks->ordinary_strides, MAX_ORDINARY_STRIDES);
        for (int i = 0; i < 3; ++i) {
            update_mean(means + i, values[i], n);
        }
    }
    /* The part of the ends that a delay explains has the mean square `both` / `late`. */
    const float both = squared(means[0]), late = means[1], all = late * means[2];
    int disagree;
    if (checks->ordinary_strides < MIN_ORDINARY_STRIDES) {
        disagree = late > squared(MIN_LATE_MPS) && both > squared(MAX_EARLY_LAG_S * late) &&
                   both > MIN_EARLY_SHARE * all;
    } else {
        const float steady = ts->standing.count ? MAX_STEADY_VERTICAL_MPS : MAX_STEADY_UNCALIBRATED_MPS;
        disagree = both > squared(MAX_VERTICAL_MPS) * late ||
                   (both > squared(steady) * late && both > squared(MAX_LAG_S * late) && both > MIN_LATE_SHARE * all);
    }
    return disagree ? TINYSTRIDE_SENSORS_DISAGREE : 0u;
}
/* ======== stride ======== */

/* Measurement, correction by the network, and report of one stride. */

/* Return the sample number of an instant, `q8` / 256 after `block`. fraction: receives its fraction, 0 to 1. */
static uint32_t sample_number(const tinystride_t *ts, uint32_t block, uint32_t q8, float *fraction)
{
    const uint32_t d = ts->config.samples_per_block;
    /* Add 64 samples so that no term is negative. */
    const uint32_t offset = d * 2u * q8 + 256u * (d - 1u) + 64u * 512u - d * 256u * (ts->config.blocks[WINDOW] - 1u);
    *fraction = (float)(offset % 512u) * (1.0f / 512);
    return ts->input.first_sample + d * block + offset / 512u - 64u;
}

/* Length 1 of an axis in integer arithmetic. */
#define AXIS_ONE 4096.0f

/* Return the initial contact, where the pitch rate turns positive after the swing, in 1/256 block after block `from`; 0
 * if it is not found. length: of the stride, blocks. */
static uint32_t find_contact(const tinystride_t *ts, uint32_t from, uint32_t length)
{
    const float *left = ts->frame.left;
    const int32_t x = nearest(left[0] * AXIS_ONE), y = nearest(left[1] * AXIS_ONE), z = nearest(left[2] * AXIS_ONE),
                  offset = (int32_t)clampf(dot(left, ts->sensor.bias) * (COUNTS_PER_GYR * AXIS_ONE), MAX_OFFSET);
    const int16_t *samples = block_samples(ts, from);
    int32_t lowest = 0, previous = 0;
    float place = 0.0f;
    for (uint32_t i = 0; i <= length; ++i) {
        const int32_t pitch = x * samples[3] + y * samples[4] + z * samples[5] - offset;
        if (pitch < lowest) {
            lowest = pitch;
            place = 0.0f;
        } else if (pitch >= 0 && previous < 0 && place <= 0.0f) {
            place = (float)i - (float)pitch / (float)(pitch - previous);
        }
        previous = pitch;
        samples = next_block(ts, samples);
    }
    return place > 0.0f ? (uint32_t)((place + CONTACT_AFTER_CROSSING_S / ts->input.period_s) * 256.0f) : 0u;
}

/* Return the mean, cm, of the last n lengths without flags, or of fewer if there are fewer, each weighted by 1 / SD^2;
 * 0 if there is no length. */
static NOINLINE float mean_of_last(const struct tinystride_results *results, int n)
{
    float sum = 0.0f, weights = 0.0f;
    const int count = results->n_lengths < n ? results->n_lengths : n;
    for (int i = 0; i < count; ++i) {
        const int place = results->next_length - 1 - i;
        const int at = place < 0 ? place + 10 : place;
        const float weight = 1.0f / squared(results->length_sd_cm[at]);
        sum += weight * results->length_cm[at];
        weights += weight;
    }
    return count ? sum / weights : 0.0f;
}

/* Update the size of the specific force at rest by the stance at the end of a stride. Do nothing after standing was
 * detected. A stance with more motion, or whose force differs more from gravity, has less weight, because a foot that
 * rolls over its sole is accelerated upwards. */
static void update_rest_force(tinystride_t *ts)
{
    float force[3];
    if (ts->standing.count || ts->stance.mid_stance_motion >= MAX_STANCE_MOTION) {
        return;
    }
    to_floats(ts->stance.mid_stance_force, force);
    const float size = norm(force) * ACC_UNIT, pushed = squared((size - GRAVITY) * REST_MOTION_PER_MPS2);
    const float weight = 1.0f / squared(squared((float)ts->stance.mid_stance_motion) + REST_FLOOR + pushed);
    ts->sensor.rest_weight += weight;
    ts->sensor.rest_force += (size - ts->sensor.rest_force) * weight / ts->sensor.rest_weight;
}

/* Integrate the stride of `length` blocks, and update the mounting by it. repair: of a clipped gyroscope, or NULL; with
 * it the stride is integrated twice; input: [64, 6] receives the input of the network. Return 1 if the sensor slipped
 * on the shoe, else 0. */
static int integrate_stride(tinystride_t *ts, float length, repair_t *repair, integral_t *result, int8_t *input)
{
    float frame[3][3], offset[3], changed[3];
    update_frame(ts, changed);
    memcpy(offset, ts->frame.up_force, sizeof offset);
    update_rest_force(ts);
    set_length(offset, ts->sensor.rest_force - GRAVITY);
    memcpy(frame[1], ts->frame.left, sizeof ts->frame.left);
    memcpy(frame[2], ts->frame.up_force, sizeof ts->frame.up_force);
    normalize(frame[2]);
    cross(frame[1], frame[2], frame[0]);
    integrate(ts, length, frame, offset, repair, result, input);
    if (repair && repair->repaired_rad > 0.0f) {
        estimate_correction(repair, result);
        integrate(ts, length, frame, offset, repair, result, input);
    }
    const float *moved = result->displacement, *up = result->up;
    if (!(dot(moved, moved) + dot(result->drift, result->drift) + dot(up, up) < MAX_INTEGRAL)) {
        /* The foot turned too fast for the steps of the integration. A result of 0 is flagged as out of range, and no
         * estimate is updated by it. */
        memset(result, 0, sizeof *result);
    }
    /* A slip changes gravity at stance and tilts the end of the integral, by the same angle. The force of a foot that
     * accelerates at stance is tilted, too. */
    const float together = dot(frame[0], changed) * up[0] + dot(frame[1], changed) * up[1];
    const float moving = PER_MOVING_VARIANCE * result->moving;
    return dot(changed, changed) > MAX_CHANGE_SQUARE + moving || together > (MAX_SLIP_RAD2 + moving) * norm(up);
}

/* Update the forward direction, and reverse the result if the foot moves backward. Return 1 if the foot moved against
 * the direction of the last strides, else 0. */
static int update_direction(tinystride_t *ts, integral_t *result, int8_t *input)
{
    const float ahead = clampf(result->displacement[0], 1.0f);
    const int reverses = ahead * ts->frame.forward < -REVERSAL_M2;
    ts->frame.forward = FORWARD_MEMORY * ts->frame.forward + ahead;
    if (ts->frame.forward < 0.0f) {
        ts->frame.forward = -ts->frame.forward;
        scale(ts->frame.left, -1.0f);
        reverse_direction(result, input);
    }
    return reverses;
}

/* Update the means of one component of the excess velocity times duration. excess_m: of the stride, m. */
static NOINLINE void update_excess(struct tinystride_impacts *impacts, int component, float excess_m)
{
    const float n = impacts->n, limit = MAX_EXCESS_RATIO * impacts->deviation_m[component];
    const float change = clampf(excess_m - impacts->mean_m[component], limit), size = change < 0.0f ? -change : change;
    update_mean(impacts->deviation_m + component, size, n + USUAL_STRIDES[component]);
    impacts->mean_m[component] += change / (n + USUAL_MEAN_STRIDES[component]);
}

/* Update the share of the drift that arises at initial contact. duration: of the stride, s. */
static void update_impacts(struct tinystride_impacts *impacts, const integral_t *result, float duration)
{
    (void)count_up(&impacts->n, MAX_EXCESS_STRIDES);
    update_excess(impacts, 0, result->excess[0] * duration);
    update_excess(impacts, 1, result->excess[2] * duration);
}

/* Correct the horizontal displacement for drift that arises at initial contact instead of evenly. Vibration at contact
 * disturbs all directions alike, so its share of the drift is the ratio of the variances of vertical and forward excess
 * velocity. contact: initial contact as a share of the stride, 0 to 1. Return the variance of the length, cm^2, due to
 * the doubt about this correction, and due to the height and the vertical velocity that it does not explain. */
static float correct_impacts(const struct tinystride_impacts *impacts, integral_t *result, float duration, float contact)
{
    const float ratio = squared(impacts->deviation_m[1]) / (squared(impacts->deviation_m[0]) + 1e-12f);
    /* The correction starts small and grows with the number of strides. */
    const float certain = 1.0f - UNCERTAIN_STRIDES / ((float)impacts->n + USUAL_FORWARD_MEAN_STRIDES);
    const float share = (ratio < 1.0f ? ratio : 1.0f) * certain, rest = 1.0f - share;
    /* Time from the middle of the stride to the contact, which is limited to MIN_CONTACT to MAX_CONTACT. */
    const float since = clampf(contact - 0.5f * (MIN_CONTACT + MAX_CONTACT), 0.5f * (MAX_CONTACT - MIN_CONTACT)) +
                        (0.5f * (MIN_CONTACT + MAX_CONTACT) - 0.5f);
    const float effect = since * result->unexplained, factor = share * effect;
    const float unusual = result->excess[0] * duration - impacts->mean_m[0], vertical = result->excess[2];
    result->displacement[0] += factor * unusual;
    result->displacement[1] += factor * result->excess[1] * duration;
    return squared(SD_PER_HEIGHT_CM_PER_M * (result->displacement[2] + share * since * vertical * duration)) +
           squared(SD_PER_VERTICAL_CM_PER_MPS * rest * vertical) +
           share * rest * squared(SD_PER_DOUBT_CM_PER_M * effect * unusual);
}

/* Return the length that the integral misses because the foot is not quite at rest at its mid-stances, cm. per_s: 1 /
 * duration of the stride. */
static float missed_cm(const integral_t *result, float per_s)
{
    const float pitch_cm =
        result->pitch_change * squared(per_s) * (CM_PER_PITCH_ACCELERATION * (POINTS - 1) / (3.0f * INPUT_FACTOR[4]));
    const float roll_cm =
        result->parts[0][2] * per_s * (CM_PER_ROLL_RATE * TEMPLATE_POINTS / (POINTS * INPUT_FACTOR[3]));
    return clampf(CM_PER_PUSH * result->push - CM_PER_PUSH * USUAL_PUSH, MAX_MISSED_CM) +
           clampf(pitch_cm - CM_PER_PITCH_ACCELERATION * USUAL_PITCH_ACCELERATION, MAX_MISSED_CM) +
           clampf(roll_cm - CM_PER_ROLL_RATE * USUAL_ROLL_RATE, MAX_MISSED_CM) +
           clampf(CM_PER_APPROACH * result->approach - CM_PER_APPROACH * USUAL_APPROACH, MAX_MISSED_CM);
}

/* Fill in the samples of start, end and initial contact, and the latency. last: end in 1/256 block after the block of
 * the start. Return the contact as a share of the stride. */
static NOINLINE float set_instants(const tinystride_t *ts, uint32_t last, tinystride_stride_t *stride)
{
    stride->start_sample = sample_number(ts, ts->stride.start, ts->stride.start_q8, &stride->start_fraction);
    stride->end_sample = sample_number(ts, ts->stride.start + last / 256u, last % 256u, &stride->end_fraction);
    /* The delay of low-passed samples is that of the filter, the delay of the motion energy half its window. */
    const uint32_t start_q8 = ts->stride.start_q8;
    const uint32_t contact = find_contact(ts, ts->stride.start, (last - start_q8) / 256u);
    const float lag = (0.5f * (float)(ts->config.blocks[WINDOW] - 1) - ts->lowpass.delay) * 256.0f;
    const uint32_t found = contact + (uint32_t)(lag + 512.0f) - 512u;
    const uint32_t place = contact ? found < last ? found : last : ts->stride.start_q8, block = place / 256u;
    stride->contact_sample = sample_number(ts, ts->stride.start + block, place % 256u, &stride->contact_fraction);
    const uint32_t since = next_sample(ts) + ts->config.samples_per_block + ts->block.lost - stride->end_sample;
    stride->latency_s = ((float)since - stride->end_fraction) / ts->input.rate_hz;
    return contact ? (float)(int32_t)(place - start_q8) / (float)(last - start_q8) : USUAL_CONTACT;
}

/* Return the standard deviation of a length, cm. variance: as correct_impacts() returns it; repaired_rad: rotation that
 * the repair of a clipped gyroscope added; samples: duration of the stride in sampling intervals. */
static float length_sd_cm(const integral_t *result, float variance, float repaired_rad, float samples)
{
    const float per_rotation = SD_PER_ROTATION_CM_PER_RAD / (8.0f * INPUT_FACTOR[4]); /* 8: root of POINTS */
    const float bent = 1.0f - result->turn[0] / (square_root(horizontal_square(result->turn)) + 1e-12f);
    variance += squared(BASE_SD_CM) + squared(SD_PER_REPAIR_CM_PER_RAD * repaired_rad) +
                result->turning * squared(per_rotation / samples) +
                squared(SD_PER_TURN_CM) * square_root(bent > 0.0f ? 2.0f * bent : 0.0f);
    return square_root(variance);
}

/* Measure a stride by integration: its instants, length, duration and flags. last: end in 1/256 block after the block
 * of the start; length: blocks; input: [64, 6] receives the input of the network. */
static NOINLINE void measure(tinystride_t *ts, uint32_t last, float length, tinystride_stride_t *stride, int8_t *input)
{
    const float duration = length * ts->input.period_s;
    integral_t result;
    repair_t repair = {0};
    repair.start = sample_number(ts, ts->stride.start, ts->stride.start_q8, &repair.fraction);
    repair.step = length * (float)ts->config.samples_per_block * (1.0f / (POINTS - 1));
    const int slipped =
        integrate_stride(ts, length, ts->clipped.runs[0].n ? &repair : NULL, &result, input);
    stride->repaired_deg = repair.repaired_rad * (180.0f / PI);
    const int reverses = update_direction(ts, &result, input);
    const float contact = set_instants(ts, last, stride);
    const float *moved = result.displacement, *up = result.up;
    const float drift = horizontal_square(result.drift) * (1.0f / (MAX_DRIFT_MPS * MAX_DRIFT_MPS)) +
                        squared(result.drift[2]) * (1.0f / (MAX_DRIFT_UP_MPS * MAX_DRIFT_UP_MPS));
    const float tilt = horizontal_square(up) / (squared(TAN_MAX_TILT) + PER_MOVING_VARIANCE * result.moving);
    const float residual_score = drift + tilt * (1.0f / squared(GRAVITY));
    unsigned flags = event_flags(ts, length) | overflow_flag(ts, length, &result);
    const unsigned saturated = flags & TINYSTRIDE_SATURATED;
    /* A rotation error that grows evenly changes the length by g rotation duration^2 / 12. */
    flags |= flag_if_outside(repair.repaired_rad * squared(duration), 0.0f, MAX_REPAIRED_M * 12.0f / GRAVITY,
                             TINYSTRIDE_SATURATED);
    /* The vertical velocity is not limited further, because vibration at contact causes it. */
    if (!(flags & (TINYSTRIDE_GAP | TINYSTRIDE_PREVIOUS_MISSING)) && !saturated &&
        horizontal_square(up) <= squared(TAN_MAX_TILT * GRAVITY) &&
        dot(result.drift, result.drift) <= MAX_DRIFT_MPS * MAX_DRIFT_MPS) {
        update_impacts(&ts->impacts, &result, duration);
    }
    const float variance = correct_impacts(&ts->impacts, &result, duration, contact);
    const float moved_cm = 100.0f * square_root(horizontal_square(moved));
    const float weight = moved_cm < MIN_MOTION_LENGTH_CM ? moved_cm * (1.0f / MIN_MOTION_LENGTH_CM) : 1.0f;
    const float length_cm = moved_cm + weight * missed_cm(&result, 1.0f / duration);
    flags |= integral_flags(&result, duration, length_cm);
    if (slipped || drift > 1.0f || tilt > squared(up[2])) {
        flags |= TINYSTRIDE_UNSTEADY;
    }
    if (!(flags & (TINYSTRIDE_GAP | TINYSTRIDE_PREVIOUS_MISSING | TINYSTRIDE_SATURATED))) {
        update_bias(ts, &result, duration);
    }
    flags = add_walking_flags(ts, &result, duration, residual_score, reverses, flags);
    /* A repaired gyroscope can be compared with the accelerometer, other saturated samples cannot. */
    flags |= sensors_disagree(ts, (flags & ~(unsigned)TINYSTRIDE_SATURATED) | saturated, &result, duration,
                              repair.repaired_rad);
    if (TINYSTRIDE_USE_NETWORK && result.clipped > MAX_CLIPPED_INPUTS) {
        flags |= TINYSTRIDE_OUT_OF_RANGE;
    }
    stride->flags = (uint16_t)flags;
    stride->strapdown_length_cm = length_cm;
    stride->length_sd_cm = length_sd_cm(&result, variance, repair.repaired_rad, duration * ts->input.rate_hz);
    stride->duration_s = duration;
}

/* Add the correction of the network if TINYSTRIDE_USE_NETWORK is 1. Fill in length and means. */
static void apply_network(tinystride_t *ts, const int8_t *input, tinystride_stride_t *stride)
{
    unsigned flags = stride->flags;
#if TINYSTRIDE_USE_NETWORK
    int8_t output = 0;
    (void)tinystride_model_run(input, &output);
    const float correction = (float)(output - TINYSTRIDE_MODEL_OUTPUT_ZERO_POINT) * TINYSTRIDE_MODEL_OUTPUT_SCALE;
    flags |= output == INT8_MIN || output == INT8_MAX ? TINYSTRIDE_OUT_OF_RANGE : 0u;
#else
    const float correction = 0.0f;
    (void)input;
#endif
    flags |= squared(correction) > squared(MAX_CORRECTION_CM) ? TINYSTRIDE_INCONSISTENT : 0u;
    stride->flags = (uint16_t)flags;
    stride->length_cm = stride->strapdown_length_cm + correction;
    if (!(flags & ~(unsigned)TINYSTRIDE_NO_STANDING)) {
        struct tinystride_results *results = &ts->results;
        results->length_cm[results->next_length] = stride->length_cm;
        results->length_sd_cm[results->next_length] = stride->length_sd_cm;
        results->next_length = (uint8_t)(results->next_length < 9 ? results->next_length + 1 : 0);
        (void)count_up(&results->n_lengths, 10);
    }
    stride->mean5_cm = mean_of_last(&ts->results, 5);
    stride->mean10_cm = mean_of_last(&ts->results, 10);
}

/* Report the stride that ends `end_q8` / 256 after block `end`. Return TINYSTRIDE_STRIDE, or TINYSTRIDE_OK if it is too
 * long or too short. */
static int emit_stride(tinystride_t *ts, uint32_t end, uint32_t end_q8, tinystride_stride_t *stride)
{
    const uint32_t last = (end - ts->stride.start) * 256u + end_q8;
    const float length = (float)(last - ts->stride.start_q8) * (1.0f / 256);
    int8_t input[TINYSTRIDE_USE_NETWORK ? TINYSTRIDE_MODEL_INPUT_SIZE : 1];
    if (ts->block.number - ts->stride.start > TINYSTRIDE_HISTORY_BLOCKS - 4u || length < 4.0f) {
        return TINYSTRIDE_OK;
    }
    measure(ts, last, length, stride, input);
    apply_network(ts, input, stride);
    return TINYSTRIDE_STRIDE;
}
/* ======== stance ======== */

/* Search for stances: motion, stationary blocks, mid-stances, starts and ends of strides. */

/* Maximum age of a block whose motion is stored. */
#define MAX_AGE (TINYSTRIDE_MOTION_BLOCKS - 1u)

/* Return the motion of a block, 1/1600 rad/s: the root of its motion energy. */
static uint16_t motion_at(const tinystride_t *ts, uint32_t block)
{
    return ts->history.motion[block % TINYSTRIDE_MOTION_BLOCKS];
}

/* Sums over stationary blocks, modulo 2^32: of the weights, and of each weight times the number of its block. */
typedef struct {
    uint32_t total, moment;
} weighted_sum_t;

/* Add up to n blocks, `block`, `block` + `step` and so on, until a block moves. */
static NOINLINE void add_stationary(const tinystride_t *ts, uint32_t block, uint32_t step, uint32_t n,
                                    weighted_sum_t *sums)
{
    uint32_t total = sums->total, moment = sums->moment;
    for (; n > 0u; --n, block += step) {
        const uint32_t motion = motion_at(ts, block);
        if (motion >= MAX_STANCE_MOTION) {
            break;
        }
        total += stationarity_weight(motion);
        moment += stationarity_weight(motion) * block;
    }
    sums->total = total;
    sums->moment = moment;
}

/* Return the weighted centre of the stationary blocks around block `origin`, as a place: 1/256 block after block
 * `origin` - 128. The blocks are up to `before` before it, itself and up to `after` - 1 after it. */
static uint32_t stationary_centre(const tinystride_t *ts, uint32_t origin, uint32_t before, uint32_t after)
{
    weighted_sum_t sums = {0, 0};
    add_stationary(ts, origin, 1u, after, &sums);
    add_stationary(ts, origin - 1u, UINT32_MAX, before, &sums);
    const int32_t moment = (int32_t)(sums.moment - sums.total * origin);
    return (uint32_t)((sums.total ? moment * 256 / (int32_t)sums.total : 0) + 256 * 128);
}

/* Report the current stride, if it has a start. place: of its end, see stationary_centre(). */
static int emit_at(tinystride_t *ts, uint32_t origin, uint32_t place, tinystride_stride_t *stride)
{
    return ts->phase.has_start ? emit_stride(ts, origin - 128u + place / 256u, place % 256u, stride) : TINYSTRIDE_OK;
}

/* Start a stride at a place, see stationary_centre(). Forget events before it. */
static void start_stride(tinystride_t *ts, uint32_t origin, uint32_t place)
{
    ts->stride.start = origin - 128u + place / 256u;
    ts->stride.start_q8 = (uint16_t)(place % 256u);
    memcpy(ts->stride.start_force, ts->stance.mid_stance_force, sizeof ts->stride.start_force);
    ts->stride.spread_from = ts->block.number + 1u;
    ts->phase.has_start = 1;
    /* The last event is sufficient because the stride ends after it. */
    for (int i = 0; i < EVENTS; ++i) {
        ts->stride.event_first[i] = ts->stride.event_last[i];
        const int32_t after_start = (int32_t)(ts->stride.event_last[i] - ts->stride.start);
        ts->phase.event_seen[i] = ts->phase.event_seen[i] && after_start >= -ts->config.blocks[WINDOW];
    }
}

/* End the stride soon after the foot has come to rest, because it rests for long. */
static int end_stride_at_pause(tinystride_t *ts, tinystride_stride_t *stride)
{
    const uint32_t age = ts->block.number - ts->stance.arrival;
    const uint32_t origin = ts->block.number - (age < MAX_AGE ? age : MAX_AGE);
    const int status = emit_at(ts, origin, stationary_centre(ts, origin, 0, ts->config.blocks[SOON]), stride);
    ts->phase.paused = 1;
    ts->phase.has_start = 0;
    return status;
}

/* Continue the search for the last stationary block after the last candidate, by up to `max_blocks` blocks. */
static void extend_stationary(tinystride_t *ts, uint32_t max_blocks)
{
    for (; max_blocks > 0u && ts->stance.stationary_end < ts->block.number; --max_blocks) {
        if (motion_at(ts, ts->stance.stationary_end) >= STATIONARY_THRESHOLD) {
            break;
        }
        ++ts->stance.stationary_end;
    }
}

/* End one stride at the middle of the stance, because the foot has left the ground, and start the next one there. */
static int close_stance(tinystride_t *ts, tinystride_stride_t *stride)
{
    const uint32_t n = ts->block.number, available = n < MAX_AGE ? n : MAX_AGE;
    const uint32_t age = n - (ts->phase.paused ? ts->stance.last_candidate : ts->stance.mid_stance);
    uint32_t origin = n - age, before = ts->config.blocks[HALF_PAUSE], after = before;
    ts->phase.on_ground = 0;
    if (ts->phase.paused) {
        if (n - ts->stance.stationary_end > available) {
            ts->stance.stationary_end = n - available;
        }
        extend_stationary(ts, available);
        origin = ts->stance.stationary_end - (ts->stance.stationary_end > 0);
        before = ts->config.blocks[SOON] - 1u;
        after = 1;
    } else if (age > available) {
        ts->phase.has_start = 0;
        return TINYSTRIDE_OK;
    }
    const uint32_t max_after = n - origin, max_before = available - max_after;
    before = before < max_before ? before : max_before;
    after = after < max_after ? after : max_after;
    const uint32_t place = stationary_centre(ts, origin, before, after);
    const int status = ts->phase.paused ? TINYSTRIDE_OK : emit_at(ts, origin, place, stride);
    start_stride(ts, origin, place);
    return status;
}

/* Set the vertical to that of the foot at stance. */
static void reset_vertical(tinystride_t *ts)
{
    to_floats(ts->frame.stance_force, ts->frame.up);
    normalize(ts->frame.up);
}

/* Return 1 if the candidate has less motion than every block within one stance interval before it, else 0. It already
 * has the minimum motion since the end of the last search, block `searched_until`. */
static int is_local_minimum(const tinystride_t *ts)
{
    uint32_t i = ts->stance.candidate - ts->stance.searched_until;
    if (ts->stance.candidate_motion < ts->stance.searched_motion) {
        return 1;
    }
    for (; i <= ts->config.blocks[STANCE_INTERVAL] && i <= ts->stance.candidate; ++i) {
        if (motion_at(ts, ts->stance.candidate - i) <= ts->stance.candidate_motion) {
            return 0;
        }
    }
    return 1;
}

/* Return 1 if the candidate has little motion compared with that within one stance interval on both sides, as a foot
 * that rolls over its sole in fast running, else 0. */
static int is_running_stance(const tinystride_t *ts)
{
    const uint32_t blocks = 2u * ts->config.blocks[STANCE_INTERVAL], n = ts->block.number;
    uint32_t sum = 0;
    for (uint32_t i = 0; i < blocks && i <= n; ++i) {
        sum += motion_at(ts, n - i);
    }
    return ts->stance.candidate_motion < MAX_RUNNING_MOTION &&
           100u * blocks * ts->stance.candidate_motion < MAX_RUNNING_PERCENT * sum;
}

/* Return 1 if the candidate comes so soon after the last stance that the foot pauses in the air, else 0. The strides of
 * fast runners are short, too, but their stances have similar motion. */
static int is_too_soon(const tinystride_t *ts)
{
    const uint32_t since = ts->stance.candidate - ts->stance.last_candidate;
    const uint32_t motion = ts->stance.candidate_motion, last = ts->stance.mid_stance_motion;
    const int is_similar = last > STATIONARY_THRESHOLD && motion < MAX_RUNNING_RATIO * last &&
                           since >= ts->config.blocks[RUNNING_INTERVAL];
    return motion >= last && since < ts->config.blocks[MOVING_INTERVAL] && !is_similar;
}

/* Accept the candidate as a mid-stance, or reject it. The candidate is the block of minimum motion within one
 * stance interval on both sides. */
static void confirm_candidate(tinystride_t *ts)
{
    const uint32_t motion = ts->stance.candidate_motion;
    if (!ts->frame.has_stance_force || !is_local_minimum(ts) ||
        (motion >= MAX_STANCE_MOTION && !is_running_stance(ts))) {
        return;
    }
    /* A foot may also be slow in the air, where it is tilted. Right after a gap the tilt is unknown. */
    if (motion > STATIONARY_THRESHOLD && (ts->phase.has_stance || !ts->checks.previous_missing)) {
        const int is_new = ts->phase.has_stance && !ts->phase.on_ground;
        float force[3];
        to_floats(ts->frame.stance_force, force);
        if (cosine(force, ts->frame.up) < COS_MAX_TILT || (is_new && is_too_soon(ts))) {
            return;
        }
    }
    if (!ts->phase.on_ground) {
        ts->phase.on_ground = 1;
        ts->phase.paused = 0;
        ts->stance.arrival = ts->stance.candidate_moving + 1u;
        ts->stance.mid_stance_motion = MAX_MOTION;
    }
    if (motion < ts->stance.mid_stance_motion) {
        ts->stance.mid_stance = ts->stance.candidate;
        ts->stance.mid_stance_motion = (uint16_t)motion;
        memcpy(ts->stance.mid_stance_force, ts->stance.candidate_force, sizeof ts->stance.mid_stance_force);
    }
    ts->stance.last_candidate = ts->stance.stationary_end = ts->stance.candidate;
    ts->stance.last_turned = ts->stance.candidate_turned;
    ts->phase.has_stance = 1;
    if (motion < STATIONARY_THRESHOLD) {
        for (int i = 0; i < 3; ++i) {
            const int16_t force = ts->frame.stance_force[i];
            ts->frame.stance_force[i] = (int16_t)(force + (ts->stance.candidate_force[i] - force) / 8);
        }
    }
    reset_vertical(ts);
}

/* Set the specific force of the foot at stance. force: [3] counts. */
static void set_stance_force(tinystride_t *ts, const int16_t force[3])
{
    memcpy(ts->frame.stance_force, force, sizeof ts->frame.stance_force);
    ts->frame.has_stance_force = 1;
    reset_vertical(ts);
}

/* Return 1 if the size of a specific force is within 15 % of gravity, else 0. force: [3] counts. */
static NOINLINE int is_gravity(const int16_t force[3])
{
    const uint32_t square =
        (uint32_t)(force[0] * force[0]) + (uint32_t)(force[1] * force[1]) + (uint32_t)(force[2] * force[2]);
    return square >= MIN_GRAVITY_SQUARE && square <= MAX_GRAVITY_SQUARE;
}

/* Return the squared difference of a specific force from that at stance, as motion energy. */
static uint32_t force_deviation(const tinystride_t *ts, const int16_t force[3])
{
    const int32_t x = force[0] - ts->frame.stance_force[0], y = force[1] - ts->frame.stance_force[1],
                  z = force[2] - ts->frame.stance_force[2];
    const int32_t max = MAX_FORCE_DIFFERENCE; /* a power of two: one comparison for all axes */
    if ((uint32_t)((x + max) | (y + max) | (z + max)) >= 2u * MAX_FORCE_DIFFERENCE) {
        return MAX_MOTION * MAX_MOTION >> MOTION_SHIFT;
    }
    return (uint32_t)(x * x + y * y + z * z) / ACC_SQUARES_PER_MOTION;
}

/* Find the specific force of the foot at stance. It is that of a stationary run longer than any in a swing or, after a
 * long time without stance, that of the block with minimum energy. Return TINYSTRIDE_OK or TINYSTRIDE_ERROR_UNITS. */
static int update_stance_force(tinystride_t *ts, uint32_t energy, const int16_t force[3])
{
    int status = TINYSTRIDE_OK;
    const int stationary = energy < STATIONARY_ENERGY && is_gravity(force);
    const int run = ts->phase.stationary_blocks;
    ts->phase.stationary_blocks = (uint8_t)(!stationary ? 0 : run < 255 ? run + 1 : 255);
    if (ts->phase.stationary_blocks == ts->config.blocks[STATIONARY_RUN]) {
        if (!ts->frame.has_stance_force || force_deviation(ts, force) > STATIONARY_ENERGY) {
            set_stance_force(ts, force);
        }
    }
    if (ts->block.number >= ts->stance.relearn_at) {
        const int lost = !ts->frame.has_stance_force || !ts->phase.has_stance ||
                         ts->block.number - ts->stance.last_candidate > ts->config.relearn_blocks;
        if (ts->stance.relearn_at && lost) {
            if (is_gravity(ts->stance.min_energy_force)) {
                set_stance_force(ts, ts->stance.min_energy_force);
            } else if (!ts->frame.has_stance_force) {
                status = TINYSTRIDE_ERROR_UNITS;
            }
        }
        ts->stance.relearn_at = ts->block.number + ts->config.relearn_blocks;
        ts->stance.min_energy = UINT32_MAX;
    }
    if (energy < ts->stance.min_energy) {
        ts->stance.min_energy = energy;
        memcpy(ts->stance.min_energy_force, force, sizeof ts->stance.min_energy_force);
    }
    return status;
}

/* Rotate the vertical by the angular rate of a block, to first order; it becomes slightly longer. */
static ALWAYS_INLINE void rotate_vertical(tinystride_t *ts, uint32_t block)
{
    float rate[3], change[3];
    to_floats(block_samples(ts, block) + 3, rate);
    cross(ts->frame.up, rate, change);
    add(ts->frame.up, change, GYR_UNIT * ts->input.period_s);
}

/* Compute, store and return the motion of the current block. */
static uint32_t update_motion(tinystride_t *ts, uint32_t energy, const int16_t force[3])
{
    const uint32_t turned = (uint32_t)(square_root((float)energy) * MOTION_PER_ROOT);
    uint32_t motion = MAX_MOTION;
    /* A stationary foot may turn out to stand. */
    if (ts->frame.has_stance_force || ts->phase.stationary_blocks) {
        energy += ts->frame.has_stance_force ? force_deviation(ts, force) : 0u;
        motion = (uint32_t)(square_root((float)energy) * MOTION_PER_ROOT);
        motion = motion > MAX_MOTION ? MAX_MOTION : motion;
    }
    ts->history.motion[ts->block.number % TINYSTRIDE_MOTION_BLOCKS] = (uint16_t)motion;
    if (motion >= STATIONARY_THRESHOLD) {
        ts->stance.last_moving = ts->block.number;
        ts->stance.turned += turned;
        if (ts->block.acc_same == STUCK_BLOCKS || ts->block.gyr_same == STUCK_BLOCKS) {
            record_event(ts, GAP);
        }
    }
    return motion;
}

/* Make the current block the candidate if it has the minimum motion since the last search. */
static void update_candidate(tinystride_t *ts, uint32_t motion, const int16_t force[3])
{
    if (!ts->phase.has_candidate || motion < ts->stance.candidate_motion) {
        ts->phase.has_candidate = 1;
        ts->stance.candidate = ts->block.number;
        ts->stance.candidate_motion = (uint16_t)motion;
        ts->stance.candidate_turned = ts->stance.turned;
        ts->stance.candidate_moving = ts->stance.last_moving;
        memcpy(ts->stance.candidate_force, force, sizeof ts->stance.candidate_force);
    }
}

/* End the open stance when the foot swings, or only its stride when the foot rests for long. Return the status of
 * emit_stride(). */
static int update_stance(tinystride_t *ts, uint32_t motion, tinystride_stride_t *stride)
{
    int status = TINYSTRIDE_OK;
    /* The candidate may still be confirmed as part of this stance. */
    const int may_be_confirmed = ts->stance.candidate_motion < MAX_STANCE_MOTION &&
                               ts->stance.candidate_turned - ts->stance.last_turned <= ts->config.min_swing;
    if (!may_be_confirmed && ts->stance.turned - ts->stance.last_turned > ts->config.min_swing) {
        status = close_stance(ts, stride);
    } else if (!ts->phase.paused && motion < STATIONARY_THRESHOLD &&
               ts->block.number - ts->stance.arrival > ts->config.blocks[PAUSE]) {
        status = end_stride_at_pause(ts, stride);
    }
    extend_stationary(ts, 2);
    return status;
}

/* Process the newest block. energy: of the angular rate over the energy window; force: [3] mean specific force over it,
 * counts. Return TINYSTRIDE_STRIDE with a new stride, else TINYSTRIDE_OK or TINYSTRIDE_ERROR_UNITS. */
static ALWAYS_INLINE int process_block(tinystride_t *ts, uint32_t energy, const int16_t force[3],
                                       tinystride_stride_t *stride)
{
    const uint32_t n = ts->block.number;
    int status = update_stance_force(ts, energy, force);
    const uint32_t motion = update_motion(ts, energy, force);
    if (n >= ts->config.blocks[STANCE_INTERVAL]) {
        rotate_vertical(ts, n - ts->config.blocks[STANCE_INTERVAL]);
    }
    if (ts->phase.has_start && n - ts->stride.start > TINYSTRIDE_HISTORY_BLOCKS - 4u) {
        ts->phase.has_start = 0;
        ts->checks.previous_missing = 1; /* this stride is too long to report */
    }
    update_candidate(ts, motion, force);
    if (ts->phase.on_ground) {
        status = update_stance(ts, motion, stride); /* no error here, because the force at stance is known */
    }
    if (n - ts->stance.candidate == ts->config.blocks[STANCE_INTERVAL]) {
        normalize(ts->frame.up);
        confirm_candidate(ts);
        ts->phase.has_candidate = 0;
        ts->stance.searched_until = n;
        ts->stance.searched_motion = ts->stance.candidate_motion;
    }
    return status;
}
/* ======== standing ======== */

/* Calibration of gyroscope bias and gravity while the foot stands. */

/* Update the bias by that of a standing window. variance: of this bias, relative to the variance of one stride's
 * measurement. Errors of successive windows are similar, so a window that does not reduce the variance is ignored. */
static void update_standing_bias(tinystride_t *ts, const float bias[3], float variance)
{
    float change[3] = {0};
    if (variance >= bias_variance_trace(ts)) {
        return;
    }
    for (int i = 0; i < 3; ++i) {
        float axis[3] = {0};
        axis[i] = 1.0f;
        kalman_update_axis(ts, axis, bias[i] - ts->sensor.bias[i], variance, change);
    }
    add(ts->sensor.bias, change, 1.0f);
}

/* Update bias and gravity by a standing window, the three parts that begin with number `first`. The bias is the mean
 * angular rate minus the rotation of gravity. A window whose parts differ more has a larger variance. */
static void calibrate_standing(tinystride_t *ts, unsigned first)
{
    const float n = (float)(ts->config.blocks[STANDING_PART] * ts->config.samples_per_block);
    float up[3][3], gyr[3][3], force[3] = {0}, mean[3] = {0}, bias[3] = {0}, turned[3], spread = 0.0f;
    for (unsigned k = 0; k < 3u; ++k) {
        const unsigned part = (first + k) % TINYSTRIDE_STANDING_PARTS;
        for (int i = 0; i < 3; ++i) {
            up[k][i] = (float)ts->standing.parts[part].force[i] * (ACC_UNIT / n);
            gyr[k][i] = (float)ts->standing.parts[part].gyr[i] * (GYR_UNIT / n);
        }
        add(force, up[k], 1.0f / 3);
        add(mean, gyr[k], 1.0f / 3);
        /* Mean from the middle of the first part to the middle of the last one: the trapezoidal rule. */
        add(bias, gyr[k], k == 1u ? 0.5f : 0.25f);
        normalize(up[k]);
    }
    for (int k = 0; k < 3; ++k) {
        add(gyr[k], mean, -1.0f);
        spread += dot(gyr[k], gyr[k]) * (1.0f / 3);
    }
    add(up[2], up[0], -1.0f);
    cross(up[2], up[1], turned);
    scale(turned, 0.5f / ((float)ts->config.blocks[STANDING_PART] * ts->input.period_s));
    const float square = dot(turned, turned);
    add(bias, turned, -square / (square + squared(GRAVITY_TURN_NOISE_RADPS)));
    const float variance = squared(STANDING_BIAS_SD_RADPS) + squared(ERROR_PER_SPREAD) * spread;
    unsigned outside = flag_if_outside(variance, 0.0f, squared(MAX_STANDING_BIAS_SD_RADPS), 1u);
    for (int i = 0; i < 3; ++i) {
        outside |= flag_if_outside(bias[i], -MAX_BIAS_RADPS, MAX_BIAS_RADPS, 1u);
    }
    if (!outside) {
        update_mean(&ts->sensor.rest_force, norm(force), (float)count_up(&ts->standing.count, 4));
        update_standing_bias(ts, bias, variance * (1.0f / (STRIDE_TILT_SD_RAD * STRIDE_TILT_SD_RAD)));
    }
}

/* Return 1 if two specific forces are as close as those of a standing foot, else 0. */
static int is_near(const int16_t force[3], const int16_t other[3])
{
    int near = 1;
    for (int i = 0; i < 3; ++i) {
        near &= (uint32_t)(force[i] - other[i] + MAX_STANDING_ACC_RANGE) <= 2u * MAX_STANDING_ACC_RANGE;
    }
    return near;
}

/* Detect standing: process a block without movement. force: [3] mean over the energy window, counts. */
static NOINLINE void detect_standing(tinystride_t *ts, struct tinystride_standing *standing, const int16_t force[3])
{
    const unsigned part = ts->config.blocks[STANDING_PART];
    if (standing->blocks && !is_near(force, standing->force)) {
        standing->blocks = 0;
        return;
    }
    if (standing->blocks == 0) {
        memcpy(standing->force, force, sizeof standing->force);
    }
    const unsigned parts = standing->blocks / part, blocks = standing->blocks % part;
    const unsigned slot = parts % TINYSTRIDE_STANDING_PARTS;
    if (blocks == 0) {
        memset(standing->parts + slot, 0, sizeof standing->parts[0]);
    }
    for (int i = 0; i < 3; ++i) {
        standing->parts[slot].force[i] += (int32_t)ts->block.sum[i];
        standing->parts[slot].gyr[i] += (int32_t)ts->block.sum[i + 3];
    }
    /* A foot sways shortly before a step, so it must stand for some time after the window. */
    if (parts >= 3u && blocks + 1u == ts->config.blocks[STANDING_GUARD]) {
        calibrate_standing(ts, parts - 3u);
    }
    ++standing->blocks;
    if (standing->blocks == 2u * TINYSTRIDE_STANDING_PARTS * part) {
        standing->blocks = (uint8_t)(TINYSTRIDE_STANDING_PARTS * part);
    }
}
/* ======== block ======== */

/* From samples to blocks: sum, low-pass and check samples; interpolate lost ones. */

/* Low-pass the means of the block, counts. */
static NOINLINE void lowpass_block(tinystride_t *ts)
{
    const struct tinystride_lowpass *filter = &ts->lowpass;
    int16_t *lowpassed = ts->history.samples[ts->block.number % TINYSTRIDE_HISTORY_BLOCKS];
    for (int i = 0; i < 6; ++i) {
        const float sum = (float)(int32_t)ts->block.sum[i];
        float *state = ts->lowpass.state[i];
        const float x = filter->b0 * sum, y = x + state[0];
        state[0] = filter->b1 * sum - filter->a1 * y + state[1];
        state[1] = x - filter->a2 * y;
        lowpassed[i] = nearest_int16(y);
    }
}

/* Return the number of equal blocks in a row, up to STUCK_BLOCKS. */
static uint8_t count_equal(uint8_t blocks, int same)
{
    return (uint8_t)(!same ? 0 : blocks < STUCK_BLOCKS ? blocks + 1 : STUCK_BLOCKS);
}

/* Update the energy window by the block. force: [3] receives the mean specific force over it, counts. */
static ALWAYS_INLINE void update_window(tinystride_t *ts, int16_t force[3])
{
    const struct tinystride_sums *last = &ts->window.sums[ts->block.slot];
    ts->block.slot = (uint8_t)(ts->block.slot + 1 == ts->config.blocks[WINDOW] ? 0 : ts->block.slot + 1);
    struct tinystride_sums *next = &ts->window.sums[ts->block.slot];
    const int32_t samples = ts->config.window_samples;
    for (int i = 0; i < 3; ++i) {
        const int32_t sum = (int32_t)ts->block.sum[i];
        const int32_t total = ts->window.force_total[i] + sum - next->force[i];
        next->force[i] = sum;
        ts->window.force_total[i] = total;
        force[i] = (int16_t)(total / samples);
    }
    const int acc_same = next->force[0] == last->force[0] && next->force[1] == last->force[1] &&
                         next->force[2] == last->force[2];
    ts->block.acc_same = count_equal(ts->block.acc_same, acc_same);
    ts->window.energy_total += ts->block.energy - next->energy;
    next->energy = ts->block.energy;
    const int gyr_same = ts->block.energy == last->energy && ts->block.energy > MIN_STUCK_ENERGY;
    ts->block.gyr_same = count_equal(ts->block.gyr_same, gyr_same);
}

/* Process a complete block. Return TINYSTRIDE_STRIDE with a new stride, else TINYSTRIDE_OK or an error. */
static NOINLINE int end_block(tinystride_t *ts, tinystride_stride_t *stride)
{
    int16_t force[3];
    int status = TINYSTRIDE_OK;
    /* The low-pass starts as if all samples before were equal to the mean of the first block. */
    for (int i = ts->block.number ? 1 : SETTLING_BLOCKS; i > 0; --i) {
        lowpass_block(ts);
    }
    update_window(ts, force);
    if (ts->block.number + 1u >= ts->config.blocks[WINDOW]) {
        const uint32_t energy = ts->window.energy_total / ts->config.window_samples;
        /* After standing was detected once, an accelerometer without noise is stuck. */
        const int frozen = ts->standing.count && ts->block.acc_same == STUCK_BLOCKS;
        if (energy <= MAX_STANDING_MOTION && !frozen) {
            detect_standing(ts, &ts->standing, force);
        } else {
            ts->standing.blocks = 0;
        }
        status = process_block(ts, energy, force, stride);
    } else {
        ts->history.motion[ts->block.number % TINYSTRIDE_MOTION_BLOCKS] = MAX_MOTION;
    }
    clear_block(ts);
    ++ts->block.number;
    return status;
}

/* Return 1 if a sample is saturated, else 0: at the full scale or, if that is unknown, at the maximum so far after
 * several samples in a row were there. size: of its largest value, counts. */
static NOINLINE int is_saturated(tinystride_t *ts, int sensor, int32_t size)
{
    const int32_t saturation_level = ts->input.saturation_level[sensor];
    uint8_t *repeats = &ts->input.repeats[sensor];
    if (size >= SATURATED_COUNT || ts->config.has_full_scale[sensor]) {
        return size >= SATURATED_COUNT || size >= saturation_level;
    }
    if (size < saturation_level) {
        *repeats = 0;
    } else if (size > saturation_level) {
        *repeats = 1;
        set_saturation_level(ts, sensor, size);
    } else if (*repeats < CLIPPED_SAMPLES) {
        ++*repeats;
    }
    return size >= ts->input.saturation_level[sensor] && (ts->input.is_reached[sensor] || *repeats == CLIPPED_SAMPLES);
}

/* Return the maximum size of the values [3], counts; -1 if one is implausibly large or NaN. clamped: [3] receives the
 * values, clamped to MAX_COUNT. */
static NOINLINE int32_t clamp_sample(const float values[3], int sensor, float clamped[3])
{
    const float unit = UNIT[sensor];
    uint32_t max_key = 0;
    float size;
    for (int i = 0; i < 3; ++i) {
        const uint32_t key = abs_sort_key(values[i]);
        max_key = key > max_key ? key : max_key;
        clamped[i] = clampf(values[i], MAX_COUNT * unit);
    }
    if (max_key > abs_sort_key(MAX_SAMPLE[sensor])) {
        return -1;
    }
    max_key >>= 1;
    memcpy(&size, &max_key, sizeof size);
    return nearest(size * (sensor == ACC ? COUNTS_PER_ACC : COUNTS_PER_GYR));
}

/* Count n samples that were added to the block. Process the block if it is complete. */
static int count_samples(tinystride_t *ts, uint32_t n, tinystride_stride_t *stride)
{
    ts->block.to_come = (uint8_t)(ts->block.to_come - n);
    if (ts->block.to_come) {
        return TINYSTRIDE_OK;
    }
    ts->block.to_come = ts->config.samples_per_block;
    return end_block(ts, stride);
}

/* Score a sample while the foot turns. repeats: 1 if a sensor repeats its values. Return 1 if many samples do, else
 * 0: then samples are missing. */
static NOINLINE int score_repeat(tinystride_t *ts, int repeats)
{
    const int score = ts->input.repeat_score;
    const int changed = !repeats ? score - (score > 0) : score < MAX_REPEAT_SCORE ? score + 2 : MAX_REPEAT_SCORE;
    ts->input.repeat_score = (uint8_t)changed;
    return changed >= MIN_REPEAT_SCORE;
}

/* Add a sample to the block. acc and gyr: finite, within MAX_COUNT. */
static NOINLINE int add_sample(tinystride_t *ts, const float acc[3], const float gyr[3], tinystride_stride_t *stride)
{
    uint32_t square = 0, acc_changes = 0, gyr_changes = 0;
    for (int i = 0; i < 3; ++i) {
        const uint32_t force = nearest_bits(acc[i] * COUNTS_PER_ACC), rate = nearest_bits(gyr[i] * COUNTS_PER_GYR);
        acc_changes |= float_bits(acc[i]) ^ float_bits(ts->input.last[i]);
        gyr_changes |= float_bits(gyr[i]) ^ float_bits(ts->input.last[i + 3]);
        ts->input.last[i] = acc[i];
        ts->input.last[i + 3] = gyr[i];
        ts->block.sum[i] += force;
        ts->block.sum[i + 3] += rate;
        square += (uint32_t)((int16_t)rate * (int16_t)rate);
    }
    ts->block.energy += square >> ENERGY_SHIFT;
    if (square >> ENERGY_SHIFT >= STATIONARY_ENERGY) {
        const int repeats = !acc_changes || !gyr_changes;
        if (score_repeat(ts, repeats) && repeats) {
            record_event(ts, GAP);
        }
    }
    return count_samples(ts, 1, stride);
}

/* Return the counts of value i, 0 to 5, of a sample. */
static NOINLINE int32_t to_count(float value, int i)
{
    return nearest(value * (i < 3 ? COUNTS_PER_ACC : COUNTS_PER_GYR));
}

/* Interpolate the samples lost before the next one by a line. A block receives the middle of its part of the line.
 * held: 1 if the next one repeats the last one. */
static int bridge_gap(tinystride_t *ts, const float next[6], int held, tinystride_stride_t *stride)
{
    const int32_t lost = (int32_t)ts->block.lost;
    int status = TINYSTRIDE_OK;
    int32_t last[6], change[6];
    float square = 0.0f;
    for (int i = 0; i < 6; ++i) {
        last[i] = to_count(ts->input.last[i], i);
        change[i] = to_count(next[i], i) - last[i];
        square += i < 3 ? squared((float)change[i]) : 0.0f;
    }
    const int matters = held || ts->input.repeat_score >= MIN_REPEAT_SCORE ||
                        (float)lost / ts->input.rate_hz * square_root(square) * ACC_UNIT > MAX_GAP_MPS;
    ts->block.lost = 0;
    for (int32_t done = 0; done < lost;) {
        const int32_t room = ts->block.to_come, n = lost - done < room ? lost - done : room;
        const int32_t place = 2 * done + n + 1, whole = 2 * (lost + 1);
        uint32_t energy = 0;
        for (int i = 0; i < 6; ++i) {
            const int32_t between = last[i] + change[i] * place / whole;
            ts->block.sum[i] += (uint32_t)n * (NEAREST + (uint32_t)between);
            energy += i < 3 ? 0u : (uint32_t)(between * between);
        }
        ts->block.energy += (uint32_t)n * (energy >> ENERGY_SHIFT);
        if (matters) {
            record_event(ts, GAP);
        }
        done += n;
        const int one = count_samples(ts, (uint32_t)n, stride);
        status = one != TINYSTRIDE_OK && status != TINYSTRIDE_STRIDE ? one : status;
    }
    return status;
}

/* Return 1 if the abs_sort_key() of all values [3] is `max_key` or less, else 0; 0 for NaN. */
static ALWAYS_INLINE int are_within(const float values[3], uint32_t max_key)
{
    return abs_sort_key(values[0]) <= max_key && abs_sort_key(values[1]) <= max_key &&
           abs_sort_key(values[2]) <= max_key;
}

/* Return a number that is 0 if two vectors are equal, bit by bit. */
static NOINLINE uint32_t differences(const float a[3], const float b[3])
{
    return (float_bits(a[0]) ^ float_bits(b[0])) | (float_bits(a[1]) ^ float_bits(b[1])) |
           (float_bits(a[2]) ^ float_bits(b[2]));
}

/* Return 1 if the specific force [3] is exactly zero, as in a sample that was never written, else 0. */
static int is_empty(const float acc_mps2[3])
{
    return (abs_sort_key(acc_mps2[0]) | abs_sort_key(acc_mps2[1]) | abs_sort_key(acc_mps2[2])) == 0u;
}

/* Return 1 if a sample needs no inspection, else 0. */
static ALWAYS_INLINE int is_usual(const tinystride_t *ts, const float acc_mps2[3], const float gyr_radps[3])
{
    return are_within(acc_mps2, ts->input.inspect_from[0]) && are_within(gyr_radps, ts->input.inspect_from[1]) &&
           !is_empty(acc_mps2) &&
           (float_bits(acc_mps2[0]) != float_bits(ts->input.last[0]) ||
            float_bits(gyr_radps[1]) != float_bits(ts->input.last[4]));
}

/* Results of the inspection of a sample. */
enum { IS_SATURATED = 1, IS_CLIPPED = 2, HAS_JUMPED = 4 };

/* Return IS_SATURATED if the counts of a sample overflowed: a jump to the other sign by more than the full scale, which
 * is not the first one. Return HAS_JUMPED for a jump of the specific force that may be an overflow. size: maximum size
 * of the values, counts; values: [3] m/s^2 or rad/s. */
static NOINLINE int find_jumps(tinystride_t *ts, int sensor, int32_t size, const float values[3])
{
    const int32_t level = ts->input.saturation_level[sensor];
    int32_t max_jump = 0;
    if (5 * size < (sensor == ACC ? 2 : 3) * level) {
        return 0;
    }
    const int32_t scale = likely_full_scale(ts, sensor, size), max_size = size > level ? size : level;
    for (int i = 0; i < 3; ++i) {
        const int32_t last = to_count(ts->input.last[3 * sensor + i], 3 * sensor), now = to_count(values[i], 3 * sensor);
        const int32_t jump = last > 0 && now < 0 ? last - now : last < 0 && now > 0 ? now - last : 0;
        max_jump = jump > max_jump ? jump : max_jump;
    }
    const int jumped = sensor == ACC && scale && 10 * max_jump > 9 * scale ? HAS_JUMPED : 0;
    /* A sample beyond the level shows that the level is not the full scale. One of the usual ones must be reached. */
    if (5 * size < 3 * level || max_jump <= level || scale == 0 || 10 * max_size < 9 * scale) {
        return jumped;
    }
    return jumped | (count_up(&ts->input.jumps, MIN_JUMPS) >= MIN_JUMPS ? IS_SATURATED : 0);
}

/* Inspect an unusually large sample. clamped: [6] receives its values, clamped to MAX_COUNT. Return IS_SATURATED |
 * IS_CLIPPED | HAS_JUMPED as found, or -1 if the sample is not plausible. */
static int check_sample(tinystride_t *ts, const float acc_mps2[3], const float gyr_radps[3], float clamped[6])
{
    const int32_t acc = clamp_sample(acc_mps2, ACC, clamped), gyr = clamp_sample(gyr_radps, GYR, clamped + 3);
    if (acc < 0 || gyr < 0 || is_empty(acc_mps2)) {
        return -1;
    }
    int found = find_jumps(ts, ACC, acc, clamped) | find_jumps(ts, GYR, gyr, clamped + 3);
    if (is_saturated(ts, ACC, acc)) {
        found |= IS_SATURATED;
        ts->input.is_reached[ACC] = 1;
    }
    if (is_saturated(ts, GYR, gyr)) {
        found |= gyr < SATURATED_COUNT ? IS_CLIPPED : IS_SATURATED; /* a clipped gyroscope is repaired */
    }
    return found;
}

/* Restart after a gap that is too long to interpolate. An open stance ends its stride. The stride with the gap is not
 * reported, and the next one is flagged. first: number of the next sample. */
static int restart_after_gap(tinystride_t *ts, uint32_t first, tinystride_stride_t *stride)
{
    int status = TINYSTRIDE_OK;
    if (ts->phase.on_ground) {
        --ts->block.number; /* the last complete block */
        status = close_stance(ts, stride);
    }
    ts->checks.previous_missing |= ts->phase.has_stance;
    reset_stream(ts, first);
    return status;
}

/* Process a sample that is not usual or follows lost samples. */
static NOINLINE int push_unusual(tinystride_t *ts, const float acc_mps2[3], const float gyr_radps[3],
                                 tinystride_stride_t *stride)
{
    float clamped[6];
    int status = TINYSTRIDE_OK;
    /* The sensor of a foot that turns never repeats all values. */
    const int held = !(differences(acc_mps2, ts->input.last) | differences(gyr_radps, ts->input.last + 3)) &&
                     dot(gyr_radps, gyr_radps) >= (float)(STATIONARY_ENERGY << ENERGY_SHIFT) * (GYR_UNIT * GYR_UNIT);
    if (held && ts->block.lost < ts->config.max_bridged) {
        /* The sample stands for a lost one. */
        (void)score_repeat(ts, 1);
        return tinystride_gap(ts, 1);
    }
    if (ts->block.lost) {
        ts->input.repeats[0] = ts->input.repeats[1] = 0;
    }
    const int found = check_sample(ts, acc_mps2, gyr_radps, clamped);
    if (found < 0) {
        (void)tinystride_gap(ts, 1);
        return TINYSTRIDE_ERROR_SAMPLE;
    }
    const uint32_t first = next_sample(ts) + ts->block.lost;
    if (ts->block.lost > ts->config.max_bridged || (ts->block.lost && first == ts->block.lost)) {
        status = restart_after_gap(ts, first, stride);
    } else if (ts->block.lost) {
        status = bridge_gap(ts, clamped, held, stride);
    }
    if (found & IS_SATURATED) {
        record_event(ts, SATURATED);
    }
    if (found & HAS_JUMPED) {
        record_event(ts, JUMPED);
    }
    if (found & IS_CLIPPED) {
        record_clipping(ts, clamped + 3);
        ts->input.is_reached[GYR] = 1;
    }
    const int own = add_sample(ts, clamped, clamped + 3, stride);
    return status == TINYSTRIDE_STRIDE || own == TINYSTRIDE_OK ? status : own;
}

/* Public functions. */

/* Compute the coefficients and the delay of the low-pass: a Butterworth filter of second order with the exact decay of
 * the analogue one. Its smoothing together with the mean over a block is that of the Python library, which interpolates
 * linearly between samples: the sum of their variances is the same. */
static void design_lowpass(tinystride_t *ts, float block_hz)
{
    const float angle = 1.41421356f * PI * LOWPASS_HZ / block_hz, share = 1.0f / (float)ts->config.samples_per_block;
    /* Power series of exp(-(1 + i) * angle), from its last term. */
    float real = 1.0f, imaginary = 0.0f;
    for (int i = 11; i > 0; --i) {
        const float term = angle / (float)i, next = 1.0f - term * (real - imaginary);
        imaginary = -term * (real + imaginary);
        real = next;
    }
    const float a1 = -2.0f * real, a2 = real * real + imaginary * imaginary;
    const float gain = 1.0f + a1 + a2, all = gain * share, b0 = all * (1.0f / 24 + 0.125f * squared(share));
    ts->lowpass.b0 = b0;
    ts->lowpass.b1 = all - b0 - b0;
    ts->lowpass.a1 = a1;
    ts->lowpass.a2 = a2;
    ts->lowpass.delay = (1.0f - a2) / gain;
}

int tinystride_init(tinystride_t *ts, float rate_hz, int foot)
{
    if (ts == NULL) {
        return TINYSTRIDE_ERROR_NULL;
    }
    memset(ts, 0, sizeof *ts);
    if (!(rate_hz >= TINYSTRIDE_MIN_RATE_HZ && rate_hz <= TINYSTRIDE_MAX_RATE_HZ)) {
        return TINYSTRIDE_ERROR_RATE;
    }
    if (foot != TINYSTRIDE_LEFT && foot != TINYSTRIDE_RIGHT) {
        return TINYSTRIDE_ERROR_FOOT;
    }
    const int32_t in_block = (int32_t)(rate_hz / BLOCK_HZ + 0.5f);
    ts->config.samples_per_block = (uint8_t)(in_block < 2 && rate_hz > MAX_BLOCK_HZ ? 2 : in_block);
    ts->input.period_s = (float)ts->config.samples_per_block / rate_hz;
    const float block_hz = 1.0f / ts->input.period_s;
    ts->input.rate_hz = rate_hz;
    ts->config.foot = (uint8_t)foot;
    for (int i = 0; i < TINYSTRIDE_DURATIONS; ++i) {
        ts->config.blocks[i] = (uint8_t)(DURATION_S[i] * block_hz + 0.5f);
    }
    ts->config.window_samples = (uint16_t)(ts->config.blocks[WINDOW] * ts->config.samples_per_block);
    ts->config.min_swing = (uint32_t)(MIN_SWING_RAD * SWING_UNITS_PER_RADPS * block_hz);
    ts->config.relearn_blocks = (uint16_t)(RELEARN_S * block_hz);
    ts->config.max_bridged = (uint8_t)(MAX_GAP_S * rate_hz + 1e-3f);
    ts->input.interval_us = 1e6f / rate_hz;
    ts->input.time_gain = 1.0f;
    design_lowpass(ts, block_hz);
    add_bias_variance(ts, 1.0f / PRIOR_STRIDES);
    ts->sensor.rest_force = GRAVITY;
    ts->sensor.rest_weight = REST_PRIOR_STANCES / squared(squared((float)STATIONARY_THRESHOLD) + REST_FLOOR);
    ts->checks.walking_strides = 1;
    ts->impacts.deviation_m[0] = USUAL_FORWARD_EXCESS_M;
    ts->impacts.deviation_m[1] = USUAL_VERTICAL_EXCESS_M;
    ts->magic = MAGIC;
    reset_stream(ts, 0u);
    return tinystride_set_full_scale(ts, 0.0f, 0.0f);
}

int tinystride_reset(tinystride_t *ts)
{
    const int status = check_state(ts);
    if (status != TINYSTRIDE_OK) {
        return status;
    }
    const float rate_hz = ts->input.rate_hz;
    const int foot = ts->config.foot;
    uint8_t has_full_scale[2];
    int16_t saturation_level[2];
    memcpy(has_full_scale, ts->config.has_full_scale, sizeof has_full_scale);
    memcpy(saturation_level, ts->input.saturation_level, sizeof saturation_level);
    (void)tinystride_init(ts, rate_hz, foot);
    for (int i = 0; i < 2; ++i) {
        if (has_full_scale[i]) {
            ts->config.has_full_scale[i] = 1;
            set_saturation_level(ts, i, saturation_level[i]);
        }
    }
    return TINYSTRIDE_OK;
}

/* Set the full scale of one sensor, m/s^2 or rad/s; unknown if it is 0, or too large for the counts. */
static NOINLINE void set_sensor_full_scale(tinystride_t *ts, int sensor, float full_scale)
{
    const float unit = UNIT[sensor];
    const int is_known = full_scale > 0.0f && full_scale < (float)SATURATED_COUNT * unit;
    const int32_t size = is_known ? (int32_t)(0.995f * full_scale / unit) : 0;
    ts->config.has_full_scale[sensor] = size > 0;
    set_saturation_level(ts, sensor, size > 0 ? size : MIN_FULL_SCALE[sensor]);
}

int tinystride_set_full_scale(tinystride_t *ts, float acc_mps2, float gyr_radps)
{
    const int status = check_state(ts);
    if (status != TINYSTRIDE_OK) {
        return status;
    }
    set_sensor_full_scale(ts, ACC, acc_mps2);
    set_sensor_full_scale(ts, GYR, gyr_radps);
    return TINYSTRIDE_OK;
}

int tinystride_push(tinystride_t *ts, const float acc_mps2[3], const float gyr_radps[3],
                    tinystride_stride_t *stride)
{
    if (ts == NULL || acc_mps2 == NULL || gyr_radps == NULL || stride == NULL) {
        return TINYSTRIDE_ERROR_NULL;
    }
    if (ts->magic != MAGIC) {
        return TINYSTRIDE_ERROR_STATE;
    }
    if (ts->block.lost || !is_usual(ts, acc_mps2, gyr_radps)) {
        return push_unusual(ts, acc_mps2, gyr_radps, stride);
    }
    ts->input.repeats[0] = ts->input.repeats[1] = 0;
    return add_sample(ts, acc_mps2, gyr_radps, stride);
}

int tinystride_push_int16(tinystride_t *ts, const int16_t acc[3], const int16_t gyr[3], float acc_scale_mps2,
                          float gyr_scale_radps, tinystride_stride_t *stride)
{
    float acc_mps2[3], gyr_radps[3];
    if (acc == NULL || gyr == NULL) {
        return TINYSTRIDE_ERROR_NULL;
    }
    for (int i = 0; i < 3; ++i) {
        acc_mps2[i] = (float)acc[i] * acc_scale_mps2;
        gyr_radps[i] = (float)gyr[i] * gyr_scale_radps;
    }
    return tinystride_push(ts, acc_mps2, gyr_radps, stride);
}

int tinystride_gap(tinystride_t *ts, uint32_t samples)
{
    const int status = check_state(ts);
    if (status != TINYSTRIDE_OK) {
        return status;
    }
    ts->block.lost = samples < UINT32_MAX - ts->block.lost ? ts->block.lost + samples : UINT32_MAX;
    return TINYSTRIDE_OK;
}

/* Return 1 if the foot turns so fast that the stride would be wrong if the gap of the time stamps is a jump of the
 * clock instead of lost samples, else 0. */
static int turns_fast(const tinystride_t *ts, const float gyr_radps[3], float gap_us)
{
    const float limit = squared(MAX_GAP_RAD * 1e6f / gap_us);
    const float *last = ts->input.last + 3;
    return !(dot(gyr_radps, gyr_radps) <= limit && dot(last, last) <= limit);
}

/* Track the time stamps by a phase-locked loop: last_time_us is their smoothed value, interval_us their mean interval.
 * The first time stamps have more weight, so that the rate is known before the first stride ends. */
int tinystride_push_at(tinystride_t *ts, uint32_t time_us, const float acc_mps2[3], const float gyr_radps[3],
                       tinystride_stride_t *stride)
{
    const int status = gyr_radps == NULL ? TINYSTRIDE_ERROR_NULL : check_state(ts);
    if (status != TINYSTRIDE_OK) {
        return status;
    }
    const uint32_t passed_us = time_us - ts->input.last_time_us;
    if (!ts->input.has_clock) {
        ts->input.has_clock = 1;
        ts->input.last_time_us = time_us;
    } else if (passed_us > (uint32_t)MAX_JUMP_US) {
        /* A jump forward or back: restart at the new time. */
        if (passed_us > UINT32_MAX - (uint32_t)MAX_JUMP_US) {
            /* More than jitter: an unknown number of samples is dropped until the clock passes its earlier value. */
            if ((float)(0u - passed_us) > 0.5f * ts->input.interval_us) {
                record_event(ts, GAP);
            }
            return TINYSTRIDE_ERROR_TIME;
        }
        ts->input.last_time_us = time_us;
        (void)tinystride_gap(ts, ts->config.max_bridged + 1u);
    } else {
        const float interval_us = ts->input.interval_us;
        const int32_t steps = (int32_t)((float)passed_us / interval_us + 0.5f);
        if (steps < 1) {
            return TINYSTRIDE_ERROR_TIME;
        }
        const float error_us = (float)passed_us - (float)steps * interval_us;
        const float gain = ts->input.time_gain, nominal_us = 1e6f / ts->input.rate_hz;
        const float next_us = interval_us + error_us * gain * gain * 0.25f / (float)steps;
        ts->input.last_time_us += (uint32_t)((float)steps * interval_us + error_us * gain + 0.5f);
        ts->input.time_gain = gain > 0.125f ? gain / (1.0f + 0.25f * gain) : 0.125f;
        if (next_us > 0.95f * nominal_us && next_us < 1.05f * nominal_us) {
            ts->input.interval_us = next_us;
            ts->input.period_s = next_us * (float)ts->config.samples_per_block * 1e-6f;
        }
        if (steps > 1) {
            (void)tinystride_gap(ts, (uint32_t)steps - 1u);
            if (turns_fast(ts, gyr_radps, (float)(steps - 1) * interval_us)) {
                record_event(ts, GAP);
            }
        }
    }
    return tinystride_push(ts, acc_mps2, gyr_radps, stride);
}

/* Repeat the last sample until a foot at rest ends its stride. */
int tinystride_finish(tinystride_t *ts, tinystride_stride_t *stride)
{
    const int status = stride == NULL ? TINYSTRIDE_ERROR_NULL : check_state(ts);
    if (status != TINYSTRIDE_OK) {
        return status;
    }
    for (uint32_t left = 2u * ts->config.blocks[PAUSE] * ts->config.samples_per_block; left > 0u; --left) {
        ts->standing.blocks = 0; /* a repeated sample does not count as standing */
        ts->input.repeat_score = 0;
        if (add_sample(ts, ts->input.last, ts->input.last + 3, stride) == TINYSTRIDE_STRIDE) {
            return TINYSTRIDE_STRIDE;
        }
    }
    return TINYSTRIDE_OK;
}
