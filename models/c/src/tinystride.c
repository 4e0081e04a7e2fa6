/* TinyStride: raw samples of a shoe-worn inertial sensor in, stride lengths out. See tinystride.h.
 *
 * Samples are counted in units of ACC_UNIT and GYR_UNIT and gathered into blocks of about 1/60 s. All that decides
 * about strides is integer arithmetic on blocks, so that it is the same wherever it runs; what happens once per
 * stride is single precision.
 */
#include "tinystride.h"

#include "tinystride_model.h"
#include "tinystride_network.h"

#include <stddef.h>
#include <string.h>
#if !(defined(__GNUC__) && defined(__arm__) && defined(__ARM_FP))
#include <math.h>
#endif

/* Functions that are smaller, or need less stack, where they are not merged into their caller. */
#if defined(__GNUC__)
#define APART __attribute__((noinline))
#else
#define APART
#endif
/* Functions of every sample or block, which cost less where they are. */
#if defined(__GNUC__)
#define WITHIN inline __attribute__((always_inline))
#else
#define WITHIN inline
#endif

#define MAGIC 0x54535431u
#define GRAVITY 9.80665f
#define PI 3.14159265f

/* Units of integers: a count, and unrest squared, (0.01 rad/s)^2, as 64 squared counts of the gyroscope. */
#define ACC_UNIT 0.005f
#define GYR_UNIT 0.00125f
#define IN_ACC (1.0f / ACC_UNIT)
#define IN_GYR (1.0f / GYR_UNIT)
#define ENERGY_SHIFT 6
#define UNRESTS_PER_ACC 25 /* squared counts of acc that weigh as much: 2.5 m/s^2 as 1 rad/s */
#define LARGEST_ACC 1000.0f
#define LARGEST_GYR 200.0f
#define BLOCK_HZ 58.0f
#define MOST_BLOCKS_HZ 76.0f /* of more the ring holds no slow stride */
#define LOWPASS_HZ 10.0f
#define ENERGY_WINDOW_S 0.08f

/* Squares of 0.8, 2.4, 0.3 rad/s in those units. */
#define CALM 6400u
#define LARGEST_STANCE_UNREST 57600u
#define UNREST_FLOOR 900u
#define MOST_UNREST 65535u
#define MOST_APART 2048 /* counts of acc: from there on it is more than MOST_UNREST; a power of two */
#define COS_LARGEST_TILT 0.87758256f /* 0.5 rad */
#define SMALLEST_STANCE_INTERVAL_S 0.35f
#define SMALLEST_SWING_RAD 0.5f
#define TURNED_PER_RADPS 1600.0f
#define PAUSE_S 1.2f
#define SOON_S 0.3f
#define CALM_RUN_S 0.3f
#define SEARCH_S 2.0f
#define CONTACT_AFTER_CROSSING_S 0.026f

/* |acc| at rest, squared, in counts: 15 % around gravity. */
#define LEAST_REST 2779324u
#define LARGEST_REST 5087413u
/* Of a standing foot, in counts: spread of the angular rate, range of the specific force, bias; and what unrest all
 * that allows. */
#define STANDING_GYR 32
#define STANDING_ACC 60
#define LARGEST_BIAS 80
#define STANDING_UNREST 400u

/* Longest gap that a stride bears, and velocity that it may miss. */
#define LONGEST_GAP_S 0.03f
#define GAP_MPS 0.1f
/* Turned while time stamps say that samples are missing, from which on it matters whether they are. */
#define GAP_RAD 0.01f
#define CLIPPED_SAMPLES 3
/* Where a full scale is not known, it is not below 2 g and 250 deg/s. */
#define LEAST_ACC_FULL_SCALE 3922
#define LEAST_GYR_FULL_SCALE 3490
/* Beyond 150 m/s^2 and 37.5 rad/s samples are cut off; the low-pass stays within 16 bits then. */
#define COUNT_LIMIT 30000
#define STUCK_BLOCKS 2
#define LEAST_STUCK_ENERGY 640u /* of a block; what hardly turns may tell the same twice */
#define JUMP_US 1000000

#define POINTS 64
/* As finely as instants lie in blocks. With what a sensor tells at rest, at most MOST_NONE, sums over the longest step
 * stay within 32 bits. */
#define PARTS_OF_BLOCK 16384
#define MOST_NONE 2e8f
#define LEVER_M 0.06f
#define SHORTEST_S 0.6f
#define LONGEST_S 2.0f
#define SHORTEST_CM 40.0f
#define LONGEST_CM 220.0f
#define COS_TURN 0.8660254f
#define CLIMB_M 0.2f
#define ASTRAY 1e8f /* of squared m, m/s and m/s^2: what no stride has */
/* Vertical velocity at a stride's end, of which there should be none, in the mean of the last ordinary strides; a rate
 * or a gyroscope's scale that is wrong by a tenth makes 0.3 m/s and more of it. */
#define LARGEST_VERTICAL_MPS 0.3f
#define ORDINARY_STRIDES 8u
#define FEWEST_ORDINARY 4u
#define EXTRAORDINARY                                                                                                  \
    (TINYSTRIDE_TURN | TINYSTRIDE_CLIMB | TINYSTRIDE_UNUSUAL_DURATION | TINYSTRIDE_OUT_OF_RANGE |                      \
     TINYSTRIDE_NOT_WALKING | TINYSTRIDE_GAP | TINYSTRIDE_SATURATED)
#define UNSTEADY_MPS 2.5f
#define TAN_UNSTEADY_TILT 0.25534192f /* 0.25 rad */
#define COS_SLIP 0.98006658f          /* 0.20 rad */
/* A sensor that slips by 0.1 rad tips both the force of the standing foot, and where the stride seems to end, by that.
 * A foot that stands differently does only the one, a gyroscope that errs only the other. */
#define SQUARED_SLIP 0.01f
#define COS_TWIST 0.9f
#define LARGEST_CORRECTION_CM 10.0f
#define LARGEST_CLIPPED 3 /* values of the network's input, 1 % */
#define FRAME_MEMORY 0.75f
#define FORWARD_MEMORY 0.5f
#define SQUARED_BACK 0.04f /* m^2: so far ahead and then back goes nobody who walks */

#define STRIDES_TO_BELIEVE 4.0f
#define USUAL_TILT_RAD 0.1f
#define BIAS_WALK 2e-5f
#define STANDING_VARIANCE 1e-3f

#define PARTS 16
#define LARGEST_SHIFT 4
#define SMALLEST_LIKENESS 0.6f
#define LIKENESS_OF_STRANGE 0.5f
#define OTHER_FOOT (-0.1f)
#define FEWEST_STRIDES 3u
#define MOST_WALKED 20 /* strides that a mean is of, which later ones then push out */

/* Mean pitch rate of walking in sixteenths of the stride, in tenths, and roll and sideways acceleration in eighths with
 * their SD, in hundredths: see gait/walking.py and gait/side.py. */
static const int8_t PITCH[PARTS] = {1, 2, 6, 23, 63, 64, -19, -52, -58, -51, -33, 17, 28, 6, 1, 1};
static const int16_t SIDE[PARTS] = {-11, 25, 80, -44, 73, 26, -41, -6, -6, -70, 252, 223, 78, -66, -88, -11};
static const uint8_t SIDE_SD[PARTS] = {13, 26, 54, 43, 52, 32, 34, 11, 18, 63, 122, 201, 158, 174, 89, 27};

/* Of both sensors: a count, what no sample is above, and the least full scale. */
enum { ACC, GYR };
static const float UNIT[2] = {ACC_UNIT, GYR_UNIT}, LARGEST[2] = {LARGEST_ACC, LARGEST_GYR};
static const int16_t LEAST_FULL_SCALE[2] = {LEAST_ACC_FULL_SCALE, LEAST_GYR_FULL_SCALE};

/* Durations, which are whole numbers of blocks. */
enum { WINDOW, REACH, CALM_RUN, PAUSE, HALF_PAUSE, SOON, HALF_SECOND };
static const float DURATION_S[TINYSTRIDE_DURATIONS] = {
    ENERGY_WINDOW_S, SMALLEST_STANCE_INTERVAL_S, CALM_RUN_S, PAUSE_S, PAUSE_S / 2, SOON_S, 0.5f,
};

static const float INPUT_FACTOR[6] = TINYSTRIDE_INPUT_FACTOR;
static const float INPUT_SUMMAND[6] = TINYSTRIDE_INPUT_SUMMAND;

/* ---- small mathematics ---- */

static float square_root(float x)
{
#if defined(__GNUC__) && defined(__arm__) && defined(__ARM_FP)
    float y;
    __asm__("vsqrt.f32 %0, %1" : "=t"(y) : "t"(x));
    return y;
#else
    return sqrtf(x);
#endif
}

/* Whether x is not from `least` to `most`, as a bit at a place. */
static APART unsigned beyond(float x, float least, float most, unsigned flag)
{
    return x < least || x > most ? flag : 0u;
}

static APART float limited(float x, float most)
{
    return x > most ? most : x < -most ? -most : x;
}

static float squared(float x)
{
    return x * x;
}

static WITHIN float dot_within(const float a[3], const float b[3])
{
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

static APART float dot(const float a[3], const float b[3])
{
    return dot_within(a, b);
}

static APART void cross(const float a[3], const float b[3], float result[3])
{
    result[0] = a[1] * b[2] - a[2] * b[1];
    result[1] = a[2] * b[0] - a[0] * b[2];
    result[2] = a[0] * b[1] - a[1] * b[0];
}

static void scale(float vector[3], float factor)
{
    vector[0] *= factor;
    vector[1] *= factor;
    vector[2] *= factor;
}

static void add(float vector[3], const float more[3], float factor)
{
    for (int i = 0; i < 3; ++i) {
        vector[i] += factor * more[i];
    }
}

static float norm(const float vector[3])
{
    return square_root(dot(vector, vector));
}

static void unit(float vector[3])
{
    scale(vector, 1.0f / (norm(vector) + 1e-12f));
}

static APART void to_floats(const int16_t counts[3], float vector[3])
{
    for (int i = 0; i < 3; ++i) {
        vector[i] = counts[i];
    }
}

static void apply(float matrix[3][3], const float vector[3], float result[3])
{
    for (int i = 0; i < 3; ++i) {
        result[i] = dot(matrix[i], vector);
    }
}

/* To the nearest whole number plus NEAREST, |x| < 2^22: by what the sum's bits are. */
#define NEAREST 0x4B400000u
static WITHIN uint32_t nearest_bits(float x)
{
    const float sum = x + 12582912.0f;
    uint32_t bits;
    memcpy(&bits, &sum, sizeof bits);
    return bits;
}

static int32_t nearest(float x)
{
    return (int32_t)(nearest_bits(x) - NEAREST);
}

/* Of |x| < 2^15, where the last 16 bits are enough. */
static int16_t nearest_int16(float x)
{
    return (int16_t)nearest_bits(x);
}

/* The larger the number, or if it is none, the larger. */
static uint32_t magnitude(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits << 1;
}

/* ---- start ---- */

/* Butterworth of second order by the bilinear transform, and its delay for slow signals. */
static void design_lowpass(tinystride_t *ts, float block_hz)
{
    const float x = PI * LOWPASS_HZ / block_hz, square = x * x;
    const float k = x / (1.0f - square / (3.0f - square / (5.0f - square / 7.0f)));
    const float squares = 1.0f + k * k, twice = 1.41421356f * k, normed = 1.0f / (squares + twice);
    ts->b0 = k * k * normed / (float)ts->samples_per_block;
    ts->a1 = 2.0f * (k * k - 1.0f) * normed;
    ts->a2 = (squares - twice) * normed;
    ts->delay = 1.0f / twice;
}

/* The number of the sample that comes next. */
static uint32_t next_sample(const tinystride_t *ts)
{
    return ts->first_sample + (ts->block + 1u) * ts->samples_per_block - ts->to_come;
}

/* So large is the bias's variance, in units of what a stride tells. */
static void know_bias(tinystride_t *ts, float variance)
{
    memset(ts->bias_variance, 0, sizeof ts->bias_variance);
    for (int i = 0; i < 3; ++i) {
        ts->bias_variance[i][i] = variance;
    }
}

/* From this size on, in counts, a sensor is at full scale or, where that is not known, at its largest value so far.
 * From a count below on samples are looked at closer. */
static APART void set_reached(tinystride_t *ts, int sensor, int32_t size)
{
    ts->reached[sensor] = (int16_t)size;
    ts->unusual[sensor] = magnitude((float)(size - 1) * UNIT[sensor]);
}

/* Events that spoil the strides they lie in, in the order of their flags. */
enum { GAP, SATURATED };

static APART void mark(tinystride_t *ts, int event)
{
    ts->event_last[event] = ts->block;
    if (!ts->event_seen[event]) {
        ts->event_seen[event] = 1;
        ts->event_first[event] = ts->block;
    }
}

static void clear_block(tinystride_t *ts)
{
    const uint32_t none = 0u - NEAREST * ts->samples_per_block;
    ts->sum[0] = ts->sum[1] = ts->sum[2] = ts->sum[3] = ts->sum[4] = ts->sum[5] = none;
    ts->energy = 0;
}

/* Everything about samples and strides under way, from sample `first` on; what has been learnt stays. */
static void begin(tinystride_t *ts, uint32_t first)
{
    memset((uint8_t *)ts + offsetof(tinystride_t, to_come), 0,
           offsetof(tinystride_t, window_samples) - offsetof(tinystride_t, to_come));
    ts->first_sample = first;
    clear_block(ts);
    ts->to_come = ts->samples_per_block;
}

int tinystride_reset(tinystride_t *ts)
{
    if (ts == NULL) {
        return TINYSTRIDE_ERROR_NULL;
    }
    if (ts->magic != MAGIC) {
        return TINYSTRIDE_ERROR_STATE;
    }
    const float rate_hz = ts->rate_hz;
    const int foot = ts->foot;
    uint8_t known[2];
    int16_t reached[2];
    memcpy(known, ts->known, sizeof known);
    memcpy(reached, ts->reached, sizeof reached);
    (void)tinystride_init(ts, rate_hz, foot);
    for (int i = 0; i < 2; ++i) {
        if (known[i]) {
            ts->known[i] = 1;
            set_reached(ts, i, reached[i]);
        }
    }
    return TINYSTRIDE_OK;
}

int tinystride_init(tinystride_t *ts, float rate_hz, int foot)
{
    if (ts == NULL) {
        return TINYSTRIDE_ERROR_NULL;
    }
    memset(ts, 0, sizeof *ts);
    if (!(rate_hz >= TINYSTRIDE_LEAST_RATE_HZ && rate_hz <= TINYSTRIDE_LARGEST_RATE_HZ)) {
        return TINYSTRIDE_ERROR_RATE;
    }
    if (foot != TINYSTRIDE_LEFT && foot != TINYSTRIDE_RIGHT) {
        return TINYSTRIDE_ERROR_FOOT;
    }
    const int32_t in_block = (int32_t)(rate_hz / BLOCK_HZ + 0.5f);
    ts->samples_per_block = (uint8_t)(in_block < 2 && rate_hz > MOST_BLOCKS_HZ ? 2 : in_block);
    ts->period_s = (float)ts->samples_per_block / rate_hz;
    const float block_hz = 1.0f / ts->period_s;
    ts->rate_hz = rate_hz;
    ts->foot = (uint8_t)foot;
    for (int i = 0; i < TINYSTRIDE_DURATIONS; ++i) {
        ts->blocks[i] = (uint8_t)(DURATION_S[i] * block_hz + 0.5f);
    }
    ts->window_samples = (uint16_t)(ts->blocks[WINDOW] * ts->samples_per_block);
    ts->swing = (uint32_t)(SMALLEST_SWING_RAD * TURNED_PER_RADPS * block_hz);
    ts->search = (uint16_t)(SEARCH_S * block_hz);
    ts->bridged = (uint8_t)(LONGEST_GAP_S * rate_hz + 1e-3f);
    ts->interval_us = 1e6f / rate_hz;
    ts->time_gain = 1.0f;
    design_lowpass(ts, block_hz);
    know_bias(ts, 1.0f / STRIDES_TO_BELIEVE);
    ts->magic = MAGIC;
    begin(ts, 0u);
    return tinystride_set_full_scale(ts, 0.0f, 0.0f);
}

static APART void know_full_scale(tinystride_t *ts, int sensor, float full_scale)
{
    const float unit = UNIT[sensor];
    const int is_counted = full_scale > 0.0f && full_scale < (float)COUNT_LIMIT * unit;
    const int32_t size = is_counted ? (int32_t)(0.995f * full_scale / unit) : 0;
    ts->known[sensor] = size > 0;
    set_reached(ts, sensor, size > 0 ? size : LEAST_FULL_SCALE[sensor]);
}

int tinystride_set_full_scale(tinystride_t *ts, float acc_mps2, float gyr_radps)
{
    if (ts == NULL) {
        return TINYSTRIDE_ERROR_NULL;
    }
    if (ts->magic != MAGIC) {
        return TINYSTRIDE_ERROR_STATE;
    }
    know_full_scale(ts, ACC, acc_mps2);
    know_full_scale(ts, GYR, gyr_radps);
    return TINYSTRIDE_OK;
}

/* ---- a stride's length ---- */

static APART const int16_t *at(const tinystride_t *ts, uint32_t block)
{
    return ts->ring[block % TINYSTRIDE_RING];
}

/* The sample at a place among unrests, in 256ths of a block; it was sampled by a fraction later. */
static uint32_t sample_of(const tinystride_t *ts, uint32_t block, uint32_t frac, float *fraction)
{
    const uint32_t d = ts->samples_per_block;
    /* 64 samples more, so that nothing is negative. */
    const uint32_t within = d * 2u * frac + 256u * (d - 1u) + 64u * 512u - d * 256u * (ts->blocks[WINDOW] - 1u);
    *fraction = (float)(within % 512u) * (1.0f / 512);
    return ts->first_sample + d * block + within / 512u - 64u;
}

/* The horizontal axis [3] about which a foot with this spread of angular rates turns most. */
static void principal_axis(float spread[3][3], const float up[3], float axis[3])
{
    float first[3] = {0}, second[3], image[3];
    first[up[0] * up[0] < 0.5f ? 0 : 1] = 1.0f;
    add(first, up, -dot(first, up));
    unit(first);
    cross(up, first, second);
    apply(spread, second, image);
    const float c = dot(second, image), b = dot(first, image);
    apply(spread, first, image);
    const float d = (dot(first, image) - c) * 0.5f, r = square_root(d * d + b * b);
    memset(axis, 0, 3 * sizeof *axis);
    add(axis, first, d > 0.0f ? r + d : b);
    add(axis, second, d > 0.0f ? b : r - d);
    unit(axis);
}

static float cosine(const float a[3], const float b[3])
{
    return dot(a, b) / (norm(a) * norm(b) + 1e-12f);
}

/* How the angular rate of the stride, of every other block, is spread over the axes. */
static void find_spread(const tinystride_t *ts, float spread[3][3])
{
    float xx = 0.0f, xy = 0.0f, xz = 0.0f, yy = 0.0f, yz = 0.0f, zz = 0.0f;
    for (uint32_t block = ts->spread_from; block <= ts->block; block += 2u) {
        const int16_t *samples = ts->ring[block % TINYSTRIDE_RING];
        const float x = samples[3], y = samples[4], z = samples[5];
        xx += x * x;
        xy += x * y;
        xz += x * z;
        yy += y * y;
        yz += y * z;
        zz += z * z;
    }
    const float found[3][3] = {{xx, xy, xz}, {xy, yy, yz}, {xz, yz, zz}};
    memcpy(spread, found, sizeof found);
}

/* Whether one axis of a sensor has told the same all through the stride, as none does on a foot. */
static int has_dead_axis(const tinystride_t *ts)
{
    const int16_t *first = at(ts, ts->spread_from);
    unsigned alive = 0u;
    for (uint32_t block = ts->spread_from + 1u; alive != 63u && block <= ts->block; ++block) {
        const int16_t *samples = at(ts, block);
        for (unsigned i = 0; i < 6u; ++i) {
            alive |= (unsigned)(samples[i] != first[i]) << i;
        }
    }
    return alive != 63u;
}

/* What mounting the samples tell of: vertical and left, in sensor axes. By how much its stance has changed from the
 * stride's start to its end, as the difference of unit vectors; whether that is a slip for sure. */
static int learn_frame(tinystride_t *ts, float changed[3])
{
    float start[3], end[3], own[3], up[3], spread[3][3];
    to_floats(ts->start_force, start);
    to_floats(ts->calmest_force, end);
    scale(end, ACC_UNIT);
    unit(start);
    memcpy(changed, end, sizeof end);
    unit(changed);
    const int slipped = dot(start, changed) < COS_SLIP;
    add(changed, start, -1.0f);
    if (!ts->has_frame || cosine(ts->up_force, end) < COS_SLIP) {
        memcpy(ts->up_force, end, sizeof end);
        memset(ts->axes, 0, sizeof ts->axes);
    }
    for (int i = 0; i < 3; ++i) {
        ts->up_force[i] += 0.25f * (end[i] - ts->up_force[i]);
        up[i] = ts->up_force[i];
    }
    unit(up);
    find_spread(ts, spread);
    principal_axis(spread, up, own);
    const float agreement = dot(own, ts->left);
    const float memory = agreement * agreement < COS_TWIST * COS_TWIST ? 0.0f : FRAME_MEMORY;
    for (int i = 0; i < 3; ++i) {
        scale(ts->axes[i], memory);
        add(ts->axes[i], spread[i], 1.0f);
    }
    principal_axis(ts->axes, up, own);
    scale(own, dot(own, ts->left) < 0.0f ? -1.0f : 1.0f);
    memcpy(ts->left, own, sizeof own);
    ts->has_frame = 1;
    return slipped;
}

/* What the integral of a stride says of it, in the start's frame. */
typedef struct {
    float displacement[3], drift[3];
    float up[3];      /* specific force at the end */
    float rows[2][3]; /* sums of the first two rows of the orientation, from sensor axes */
    float turn[2];    /* cosine and sine of the change of heading, times something */
    float parts[3][PARTS]; /* sums of sixteenths: rates of roll and pitch as features, force sideways */
    float turning; /* sum of squares of all rates, as that of pitch */
    int clipped;
} integral_t;

/* The block after this one. */
static WITHIN const int16_t *next_block(const tinystride_t *ts, const int16_t *samples)
{
    return samples == ts->ring[TINYSTRIDE_RING - 1u] ? ts->ring[0] : samples + 6;
}

/* Add the summand that makes a scaled feature the network's number, and write that; count it if it is at an end of
 * its range. */
static WITHIN void quantize(float scaled, float summand, int8_t *input, int *clipped)
{
    const uint32_t bits = nearest_bits(scaled + summand);
    *input = (int8_t)bits;
    if (bits + 127u - NEAREST > 253u) {
        *input = (int32_t)bits >= (int32_t)NEAREST ? 127 : -128;
        ++*clipped;
    }
}

/* One axis of the frame in which a stride begins, and of what the network sees. Velocities are times 2 / step_s;
 * factors make features of what they stand before. */
typedef struct {
    float row[3], sum[3]; /* of the orientation, from sensor axes; sum of those so far */
    float velocity;
    float begun; /* the velocity half a step later */
    float moved; /* sum of the velocities */
    float velocity_factor, rate_factor[3], rate_sum;
} axis_t;

/* A stride at one of its instants. Samples are sums over the PARTS_OF_BLOCK of a step, in sensor axes, without the
 * sensor's offsets, of which `none` is the negative. */
typedef struct {
    axis_t axis[3];
    float acc[3], gyr[3];
    int32_t none[6];
    const int16_t *samples; /* of the block under way, and how much of it is left, in PARTS_OF_BLOCK */
    uint32_t left;
    float step, turn_factor;
} motion_t;

/* Find the samples that the stride's first instant is the mean of. */
static void find_samples(motion_t *now, const tinystride_t *ts)
{
    /* Block k spans k - 1/2 to k + 1/2; unrests lag by half their window. */
    const float first = (float)ts->start_256th * (1.0f / 256) - 0.5f * (float)(ts->blocks[WINDOW] - 1) + ts->delay +
                        0.5f - 0.5f * now->step + 8.0f;
    const uint32_t parts = (uint32_t)(first * PARTS_OF_BLOCK);
    now->samples = at(ts, ts->start - 8u + parts / PARTS_OF_BLOCK);
    now->left = PARTS_OF_BLOCK - parts % PARTS_OF_BLOCK;
}

/* The next samples, of so many PARTS_OF_BLOCK. Half of what the foot has turned in between, times 2 / turn_factor. */
static WITHIN void advance(motion_t *now, const tinystride_t *ts, uint32_t rest, float turned[3])
{
    const int16_t *samples = now->samples;
    const int32_t *none = now->none;
    uint32_t left = now->left;
    int32_t ax = none[0], ay = none[1], az = none[2], gx = none[3], gy = none[4], gz = none[5];
    for (;;) {
        const int32_t part = (int32_t)(rest < left ? rest : left);
        ax += part * samples[0];
        ay += part * samples[1];
        az += part * samples[2];
        gx += part * samples[3];
        gy += part * samples[4];
        gz += part * samples[5];
        if (rest < left) {
            break;
        }
        rest -= left;
        left = PARTS_OF_BLOCK;
        samples = next_block(ts, samples);
    }
    now->samples = samples;
    now->left = left - rest;
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

/* orientation := orientation * rotation by factor * turned (Rodrigues), which is below 2. The third row follows from
 * the first two. */
static WITHIN void rotate(axis_t axis[3], const float turned[3], float factor)
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

/* What the network sees of this instant; count its numbers that are at an end of their range. */
static WITHIN void look(motion_t *now, int8_t *input, int *clipped)
{
    for (int i = 0; i < 3; ++i) {
        axis_t *axis = &now->axis[i];
        const float acceleration = dot_within(axis->row, now->acc), rate = dot_within(axis->rate_factor, now->gyr);
        const float velocity = axis->begun + acceleration;
        axis->velocity = velocity;
        axis->begun = velocity + acceleration;
        axis->moved += velocity;
        axis->rate_sum += rate;
        quantize(velocity * axis->velocity_factor, INPUT_SUMMAND[i], input + i, clipped);
        quantize(rate, INPUT_SUMMAND[i + 3], input + i + 3, clipped);
    }
}

/* The first orientation: from sensor axes to the foot's frame, and from there by the smallest rotation that turns the
 * specific force upright. */
static void level(motion_t *now, float frame[3][3])
{
    float up[3], *forward = now->axis[0].row, *left = now->axis[1].row;
    apply(frame, now->acc, up);
    unit(up);
    const float x = up[0], y = up[1], z = up[2], k = 1.0f / (1.0f + (z > -0.99f ? z : -0.99f));
    for (int i = 0; i < 3; ++i) {
        const float both = (x * frame[0][i] + y * frame[1][i]) * k + frame[2][i];
        forward[i] = frame[0][i] - x * both;
        left[i] = frame[1][i] - y * both;
    }
    cross(forward, left, now->axis[2].row);
}

/* The velocity by which the foot rolls about its sole at mid-stance, and where it heads. */
static void at_stance(const motion_t *now, const float ahead[3], float rolling[3], float heading[2])
{
    const float rate_factor = GYR_UNIT / PARTS_OF_BLOCK / now->step;
    rolling[0] += LEVER_M * rate_factor * dot(now->axis[1].row, now->gyr);
    rolling[1] -= LEVER_M * rate_factor * dot(now->axis[0].row, now->gyr);
    heading[0] = dot(now->axis[0].row, ahead);
    heading[1] = dot(now->axis[1].row, ahead);
}

/* Before the first instant. */
static void begin_motion(motion_t *now, const tinystride_t *ts, float length, float frame[3][3], const float offset[3])
{
    const float step = length / (POINTS - 1), half_s = 0.5f * step * ts->period_s, duration = length * ts->period_s;
    const float acc_factor = ACC_UNIT / PARTS_OF_BLOCK / step, gyr_factor = GYR_UNIT / PARTS_OF_BLOCK / step;
    memset(now, 0, sizeof *now);
    now->step = step;
    now->turn_factor = gyr_factor * half_s;
    find_samples(now, ts);
    for (int i = 0; i < 3; ++i) {
        /* A left foot is mirrored for the network. */
        const float mirrored = ts->foot == TINYSTRIDE_LEFT ? -duration : duration;
        now->none[i] = (int32_t)limited(-offset[i] / acc_factor, MOST_NONE);
        now->none[i + 3] = (int32_t)limited(-ts->bias[i] / gyr_factor, MOST_NONE);
        now->axis[i].velocity_factor = (i == 1 ? mirrored : duration) * half_s * acc_factor * INPUT_FACTOR[i];
        add(now->axis[i].rate_factor, frame[i], (i == 1 ? duration : mirrored) * gyr_factor * INPUT_FACTOR[i + 3]);
    }
}

/* Integrate from the stride's start over `length` blocks; `input` becomes the network's.
 * frame: sensor to foot; offset: of the force, in sensor axes. */
static void integrate(const tinystride_t *ts, float length, float frame[3][3], const float offset[3],
                      integral_t *result, int8_t *input)
{
    motion_t now;
    begin_motion(&now, ts, length, frame, offset);
    const float acc_factor = ACC_UNIT / PARTS_OF_BLOCK / now.step, fall = 2.0f * GRAVITY / acc_factor;
    const uint32_t parts = (uint32_t)(length * 256.0f) * (PARTS_OF_BLOCK / 256);
    uint32_t place = 0;
    float rolling[3] = {0}, started[2], ended[2], lateral[3] = {0}, sideways = 0.0f, turning = 0.0f;
    add(lateral, frame[1], ts->foot == TINYSTRIDE_LEFT ? -acc_factor : acc_factor);
    result->clipped = 0;
    for (int point = 0; point < POINTS; ++point) {
        float turned[3];
        const uint32_t next = parts * (uint32_t)(point + 1) / (POINTS - 1);
        advance(&now, ts, next - place, turned);
        place = next;
        if (point == 0) {
            level(&now, frame);
            at_stance(&now, frame[0], rolling, started);
            now.axis[2].begun = -norm(now.acc);
        }
        rotate(now.axis, turned, point == 0 ? 0.0f : now.turn_factor);
        look(&now, input, &result->clipped);
        now.axis[2].begun -= fall;
        input += 6;
        sideways += dot_within(lateral, now.acc);
        turning += dot_within(now.gyr, now.gyr);
        if (point % (POINTS / PARTS) == POINTS / PARTS - 1) {
            const int part = point / (POINTS / PARTS);
            result->parts[0][part] = now.axis[0].rate_sum;
            result->parts[1][part] = now.axis[1].rate_sum;
            result->parts[2][part] = sideways;
            now.axis[0].rate_sum = now.axis[1].rate_sum = sideways = 0.0f;
        }
    }
    at_stance(&now, frame[0], rolling, ended);
    result->turning = turning * squared(GYR_UNIT / PARTS_OF_BLOCK * (POINTS - 1) * INPUT_FACTOR[4] * ts->period_s);
    const float half_s = 0.5f * now.step * ts->period_s * acc_factor, duration = length * ts->period_s;
    for (int i = 0; i < 3; ++i) {
        const axis_t *axis = &now.axis[i];
        result->drift[i] = axis->velocity * half_s;
        result->displacement[i] = (2.0f * axis->moved - axis->velocity) * half_s * 0.5f * now.step * ts->period_s +
                                  0.5f * (rolling[i] - result->drift[i]) * duration;
        result->up[i] = dot(axis->row, now.acc) * acc_factor;
    }
    memcpy(result->rows[0], now.axis[0].sum, sizeof now.axis[0].sum);
    memcpy(result->rows[1], now.axis[1].sum, sizeof now.axis[1].sum);
    result->turn[0] = started[0] * ended[0] + started[1] * ended[1];
    result->turn[1] = started[0] * ended[1] - started[1] * ended[0];
}

/* Whether one of the network's numbers is at an end of its range or beyond. */
static WITHIN int is_at_end(int32_t q)
{
    return (uint32_t)q + 127u > 253u;
}

/* The same stride seen with forward and left the other way round. */
static void turn_round(integral_t *result, int8_t *input)
{
    for (int channel = 0; channel < 5; channel += channel == 1 ? 2 : 1) {
        const int32_t twice = nearest(2.0f * INPUT_SUMMAND[channel]);
        for (int8_t *each = input + channel; each < input + TINYSTRIDE_MODEL_INPUT_SIZE; each += 6) {
            int32_t q = twice - *each;
            if (is_at_end(*each)) {
                --result->clipped;
            }
            if (is_at_end(q)) {
                ++result->clipped;
                q = q < 0 ? -128 : 127;
            }
            *each = (int8_t)q;
        }
    }
    for (int i = 0; i < 3; ++i) {
        for (int part = 0; part < PARTS; ++part) {
            result->parts[i][part] = -result->parts[i][part];
        }
    }
}

/* A Kalman filter's step for one axis: a bias tilts the end about it by the bias times `lever`. `change` is what the
 * stride has changed the bias by so far. */
static APART void see_tilt(tinystride_t *ts, const float lever[3], float tilt, float variance, float change[3])
{
    float gain[3];
    apply(ts->bias_variance, lever, gain);
    const float share = 1.0f / (dot(lever, gain) + variance);
    add(change, gain, (tilt - dot(lever, change)) * share);
    for (int i = 0; i < 3; ++i) {
        add(ts->bias_variance[i], gain, -gain[i] * share);
    }
}

/* Correct the gyroscope's bias by how far from upright the stride has ended, which a stride tells in units of its own
 * variance. */
static void learn_bias(tinystride_t *ts, integral_t *result, float duration)
{
    const float length = norm(result->up) + 1e-12f, x = result->up[0] / length, y = result->up[1] / length;
    const float variance = 1.0f + (x * x + y * y) * (1.0f / (USUAL_TILT_RAD * USUAL_TILT_RAD));
    float change[3] = {0};
    scale(result->rows[0], duration * (1.0f / POINTS));
    scale(result->rows[1], duration * (1.0f / POINTS));
    see_tilt(ts, result->rows[0], -y, variance, change);
    see_tilt(ts, result->rows[1], x, variance, change);
    add(ts->bias, change, 1.0f);
    for (int i = 0; i < 3; ++i) {
        ts->bias_variance[i][i] += BIAS_WALK;
    }
}

/* How alike to a walking foot this one pitches, -1 to 1, at the shift at which it does most; own: sum of squares. */
static float likeness(const float pitch[PARTS], float own, int *best_shift)
{
    float best = -1.0f;
    for (int shift = -LARGEST_SHIFT; shift <= LARGEST_SHIFT; ++shift) {
        const int first = shift > 0 ? shift : 0, stop = shift < 0 ? PARTS + shift : PARTS;
        float product = 0.0f, square = 0.0f;
        for (int i = first; i < stop; ++i) {
            const float usual = PITCH[i - shift];
            product += pitch[i] * usual;
            square += usual * usual;
        }
        const float alike = product / square_root(own * square + 1e-12f);
        if (alike > best) {
            best = alike;
            *best_shift = shift;
        }
    }
    return best;
}

/* Whether the foot turns like a walking one: the odder the integral, the more of all turning has to be like that. */
static int is_walking(const integral_t *result, float strangeness, int *shift)
{
    float own = 0.0f;
    for (int i = 0; i < PARTS; ++i) {
        own += squared(result->parts[1][i]);
    }
    const float alike = likeness(result->parts[1], own, shift);
    return alike >= SMALLEST_LIKENESS &&
           alike * alike * own * ((float)PARTS / POINTS) >= LIKENESS_OF_STRANGE * strangeness * result->turning;
}

/* Whether the last ordinary strides are those of the other foot. */
static int is_other_foot(tinystride_t *ts, const integral_t *result, int shift, float duration)
{
    /* The roll rate as a feature is times the duration. */
    const float factor[2] = {(0.5f * PARTS / POINTS) / INPUT_FACTOR[3], (0.5f * PARTS / POINTS) * duration * duration};
    float product = 0.0f, own = 0.0f, mean = 0.0f;
    ts->walked = (uint8_t)(ts->walked < MOST_WALKED ? ts->walked + 1 : MOST_WALKED);
    for (int i = 0; i < PARTS; ++i) {
        const int sideways = i >= PARTS / 2, from = 2 * i - PARTS * sideways + shift;
        const float *sums = result->parts[2 * sideways];
        float value = 0.0f;
        value += from >= 0 && from < PARTS ? sums[from] : 0.0f;
        value += from >= -1 && from < PARTS - 1 ? sums[from + 1] : 0.0f;
        ts->side[i] += (value * factor[sideways] - ts->side[i]) / (float)ts->walked;
        const float sd = SIDE_SD[i], scaled = ts->side[i] / sd, usual = (float)SIDE[i] / sd;
        product += scaled * usual;
        own += scaled * scaled;
        mean += usual * usual;
    }
    return ts->walked >= FEWEST_STRIDES && product < OTHER_FOOT * square_root(own * mean);
}

#define AXIS_UNITS 4096.0f /* whole numbers of which make an axis of length one */

/* Where the pitch rate turns positive after the swing: 256ths of a block after `from`, 0 if nowhere. */
static APART uint32_t find_contact(const tinystride_t *ts, uint32_t from, uint32_t length)
{
    const int32_t x = nearest(ts->left[0] * AXIS_UNITS), y = nearest(ts->left[1] * AXIS_UNITS),
                  z = nearest(ts->left[2] * AXIS_UNITS),
                  none = (int32_t)limited(dot(ts->left, ts->bias) * (IN_GYR * AXIS_UNITS), MOST_NONE);
    const int16_t *samples = at(ts, from);
    int32_t least = 0, before = 0;
    float place = 0.0f;
    for (uint32_t i = 0; i <= length; ++i) {
        const int32_t pitch = x * samples[3] + y * samples[4] + z * samples[5] - none;
        if (pitch < least) {
            least = pitch;
            place = 0.0f;
        } else if (pitch >= 0 && before < 0 && place <= 0.0f) {
            place = (float)i - (float)pitch / (float)(pitch - before);
        }
        before = pitch;
        samples = next_block(ts, samples);
    }
    return place > 0.0f ? (uint32_t)((place + CONTACT_AFTER_CROSSING_S / ts->period_s) * 256.0f) : 0u;
}

static float mean_of_last(const tinystride_t *ts, int n)
{
    float sum = 0.0f;
    const int there = ts->lengths < n ? ts->lengths : n;
    for (int i = 0; i < there; ++i) {
        sum += ts->length_cm[(ts->oldest + 9 - i) % 10];
    }
    return there ? sum / (float)there : 0.0f;
}

/* Flags of what has happened in the stride of `length` blocks; events before it have been forgotten. */
static unsigned flags_of_events(tinystride_t *ts, float length)
{
    unsigned flags = ts->standings ? 0u : TINYSTRIDE_NO_STANDING;
    if (ts->resumed || has_dead_axis(ts)) {
        flags |= TINYSTRIDE_GAP;
    }
    ts->resumed = 0;
    for (int i = 0; i < 2; ++i) {
        if (ts->event_seen[i] && (int32_t)(ts->event_first[i] - ts->start) <= (int32_t)length + 1) {
            flags |= (unsigned)TINYSTRIDE_GAP << i;
        }
    }
    return flags;
}

/* Whether the vertical velocities at the ends of ordinary strides say that one of the sensors is wrong. */
static unsigned sensors_disagree(tinystride_t *ts, unsigned flags, float vertical_mps)
{
    if (!(flags & EXTRAORDINARY)) {
        ts->ordinary = (uint8_t)(ts->ordinary < ORDINARY_STRIDES ? ts->ordinary + 1u : ORDINARY_STRIDES);
        ts->vertical_mps += (vertical_mps - ts->vertical_mps) / (float)ts->ordinary;
    }
    return ts->ordinary < FEWEST_ORDINARY ? 0u
                                          : beyond(ts->vertical_mps, -LARGEST_VERTICAL_MPS, LARGEST_VERTICAL_MPS,
                                                   TINYSTRIDE_SENSORS_DISAGREE);
}

/* What integration says of the stride of `length` blocks: its length, flags, and the network's input. Returns how
 * far the integral is from ordinary. */
static APART float measure(tinystride_t *ts, float length, tinystride_stride_t *stride, int8_t *input)
{
    const float duration = length * ts->period_s;
    float frame[3][3], offset[3];
    integral_t result;
    int shift = 0;
    float changed[3];
    int slipped = learn_frame(ts, changed);
    memcpy(offset, ts->standings ? ts->force : ts->up_force, sizeof offset);
    scale(offset, 1.0f - GRAVITY / (norm(offset) + 1e-12f));
    memcpy(frame[1], ts->left, sizeof ts->left);
    memcpy(frame[2], ts->up_force, sizeof ts->up_force);
    unit(frame[2]);
    cross(frame[1], frame[2], frame[0]);
    integrate(ts, length, frame, offset, &result, input);
    const float *moved = result.displacement, *up = result.up, *turn = result.turn;
    if (!(dot(moved, moved) + dot(result.drift, result.drift) + dot(up, up) < ASTRAY)) {
        /* It turned by more than a step of the integral can follow: the stride is out of range, and teaches nothing. */
        memset(&result, 0, sizeof result);
    }
    slipped |= dot(frame[0], changed) * up[0] + dot(frame[1], changed) * up[1] > SQUARED_SLIP * norm(up);
    const float ahead = limited(moved[0], 1.0f);
    const int is_back = ahead * ts->forward < -SQUARED_BACK;
    ts->forward = FORWARD_MEMORY * ts->forward + ahead;
    if (ts->forward < 0.0f) {
        ts->forward = -ts->forward;
        scale(ts->left, -1.0f);
        turn_round(&result, input);
    }

    const float drift = norm(result.drift), tilt = square_root(squared(up[0]) + squared(up[1]));
    const float strangeness = squared(drift / UNSTEADY_MPS) + squared(tilt / (TAN_UNSTEADY_TILT * GRAVITY));
    const float length_cm = 100.0f * square_root(squared(moved[0]) + squared(moved[1]));
    unsigned flags = flags_of_events(ts, length);
    flags |= beyond(moved[2], -CLIMB_M, CLIMB_M, TINYSTRIDE_CLIMB);
    flags |= beyond(duration, SHORTEST_S, LONGEST_S, TINYSTRIDE_UNUSUAL_DURATION);
    flags |= beyond(length_cm, SHORTEST_CM, LONGEST_CM, TINYSTRIDE_OUT_OF_RANGE);
    flags |= beyond(strangeness, 0.0f, 1.0f, TINYSTRIDE_UNSTEADY);
    if (turn[0] < COS_TURN * square_root(squared(turn[0]) + squared(turn[1]))) {
        flags |= TINYSTRIDE_TURN;
    }
    if (slipped || tilt > TAN_UNSTEADY_TILT * up[2]) {
        flags |= TINYSTRIDE_UNSTEADY;
    }
    if (!(flags & (TINYSTRIDE_GAP | TINYSTRIDE_SATURATED))) {
        learn_bias(ts, &result, duration);
    }
    const int strays = !is_walking(&result, strangeness, &shift) || (is_back && !(flags & TINYSTRIDE_TURN));
    /* Who does something else than walking may for once look like it. */
    if (strays || ts->strayed) {
        flags |= TINYSTRIDE_NOT_WALKING;
    }
    /* What else the foot may do looks like neither. */
    if (!(flags & ~(unsigned)(TINYSTRIDE_NO_STANDING | TINYSTRIDE_SATURATED)) &&
        is_other_foot(ts, &result, shift, duration)) {
        flags |= TINYSTRIDE_WRONG_FOOT;
    }
    ts->strayed = (uint8_t)strays;
    flags |= sensors_disagree(ts, flags, result.drift[2]);
    if (result.clipped > LARGEST_CLIPPED) {
        flags |= TINYSTRIDE_OUT_OF_RANGE;
    }
    stride->flags = (uint16_t)flags;
    stride->strapdown_length_cm = length_cm;
    stride->duration_s = duration;
    return strangeness;
}

/* What the network adds to that. */
static void correct(tinystride_t *ts, const int8_t *input, float strangeness, tinystride_stride_t *stride)
{
    int8_t output = 0;
    (void)tinystride_model_run(input, &output);
    const float correction = (float)(output - TINYSTRIDE_MODEL_OUTPUT_ZERO_POINT) * TINYSTRIDE_MODEL_OUTPUT_SCALE;
    unsigned flags = stride->flags;
    flags |= output == INT8_MIN || output == INT8_MAX ? TINYSTRIDE_OUT_OF_RANGE : 0u;
    flags |= squared(correction) > squared(LARGEST_CORRECTION_CM) ? TINYSTRIDE_INCONSISTENT : 0u;
    stride->flags = (uint16_t)flags;
    stride->length_cm = stride->strapdown_length_cm + correction;
    stride->confidence = 1.0f / (1.0f + strangeness + squared(correction / LARGEST_CORRECTION_CM));
    if (flags & ~(unsigned)TINYSTRIDE_NO_STANDING) {
        stride->confidence *= 0.5f;
    } else {
        ts->length_cm[ts->oldest] = stride->length_cm;
        ts->oldest = (uint8_t)((ts->oldest + 1) % 10);
        ts->lengths = (uint8_t)(ts->lengths < 10 ? ts->lengths + 1 : 10);
    }
    stride->mean5_cm = mean_of_last(ts, 5);
    stride->mean10_cm = mean_of_last(ts, 10);
}

/* The stride from ts->start to this place among unrests. */
static int tell(tinystride_t *ts, uint32_t end, uint32_t end_256th, tinystride_stride_t *stride)
{
    const float length = (float)((end - ts->start) * 256u + end_256th - ts->start_256th) * (1.0f / 256);
    int8_t input[TINYSTRIDE_MODEL_INPUT_SIZE];
    if (ts->block - ts->start > TINYSTRIDE_RING - 4u || length < 4.0f) {
        return TINYSTRIDE_OK;
    }
    correct(ts, input, measure(ts, length, stride, input), stride);
    stride->start_sample = sample_of(ts, ts->start, ts->start_256th, &stride->start_fraction);
    stride->end_sample = sample_of(ts, end, end_256th, &stride->end_fraction);
    /* In the low-passed samples everything is later by the filter's delay, among unrests by half the window. */
    const uint32_t contact = find_contact(ts, ts->start, (uint32_t)length);
    const float lag = (0.5f * (float)(ts->blocks[WINDOW] - 1) - ts->delay) * 256.0f;
    const uint32_t last = (end - ts->start) * 256u + end_256th, found = contact + (uint32_t)(lag + 512.0f) - 512u;
    const uint32_t place = contact ? found < last ? found : last : ts->start_256th;
    stride->contact_sample = sample_of(ts, ts->start + place / 256u, place % 256u, &stride->contact_fraction);
    const uint32_t since = next_sample(ts) + ts->samples_per_block + ts->lost - stride->end_sample;
    stride->latency_s = ((float)since - stride->end_fraction) / ts->rate_hz;
    return TINYSTRIDE_STRIDE;
}

/* ---- stances ---- */

static uint16_t unrest_at(const tinystride_t *ts, uint32_t block)
{
    return ts->unrest[block % TINYSTRIDE_UNRESTS];
}

/* 1 / (unrest + floor)^2; unrest is below LARGEST_STANCE_UNREST. */
static uint32_t calmness(uint32_t unrest)
{
    return 4294967295u / ((unrest + UNREST_FLOOR) * (unrest + UNREST_FLOOR));
}

/* Sums over calm blocks, modulo 2^32: of calmness, and of that times the number of the block. */
typedef struct {
    uint32_t total, moment;
} calm_t;

/* Up to n blocks from this one on, `step` apart, until one is not calm. */
static APART void add_calm(const tinystride_t *ts, uint32_t block, uint32_t step, uint32_t n, calm_t *calm)
{
    uint32_t total = calm->total, moment = calm->moment;
    for (; n > 0u; --n, block += step) {
        const uint32_t unrest = unrest_at(ts, block);
        if (unrest >= LARGEST_STANCE_UNREST) {
            break;
        }
        total += calmness(unrest);
        moment += calmness(unrest) * block;
    }
    calm->total = total;
    calm->moment = moment;
}

/* The middle of the calm around block `origin`, weighted by calmness, in 256ths of a block from 128 blocks before
 * it: of up to `before` blocks before it, itself and up to `after` - 1 after it. */
static uint32_t calm_centre(const tinystride_t *ts, uint32_t origin, uint32_t before, uint32_t after)
{
    calm_t calm = {0, 0};
    add_calm(ts, origin, 1u, after, &calm);
    add_calm(ts, origin - 1u, UINT32_MAX, before, &calm);
    const int32_t moment = (int32_t)(calm.moment - calm.total * origin);
    return (uint32_t)((calm.total ? moment * 256 / (int32_t)calm.total : 0) + 256 * 128);
}

/* A place is a number of 256ths of a block from 128 blocks before `origin`. */
static int tell_place(tinystride_t *ts, uint32_t origin, uint32_t place, tinystride_stride_t *stride)
{
    return ts->has_start ? tell(ts, origin - 128u + place / 256u, place % 256u, stride) : TINYSTRIDE_OK;
}

static void start_stride(tinystride_t *ts, uint32_t origin, uint32_t place)
{
    ts->start = origin - 128u + place / 256u;
    ts->start_256th = (uint16_t)(place % 256u);
    memcpy(ts->start_force, ts->calmest_force, sizeof ts->start_force);
    ts->spread_from = ts->block + 1u;
    ts->has_start = 1;
    /* Of the events so far the last one is enough: the stride ends after it. */
    for (int i = 0; i < 2; ++i) {
        ts->event_first[i] = ts->event_last[i];
        ts->event_seen[i] = ts->event_seen[i] && (int32_t)(ts->event_last[i] - ts->start) >= -ts->blocks[WINDOW];
    }
}

/* The foot rests for long: the stride before ended soon after it had come to rest. */
static int rest(tinystride_t *ts, tinystride_stride_t *stride)
{
    const uint32_t age = ts->block - ts->arrival;
    const uint32_t origin = ts->block - (age < TINYSTRIDE_UNRESTS - 1u ? age : TINYSTRIDE_UNRESTS - 1u);
    const int told = tell_place(ts, origin, calm_centre(ts, origin, 0, ts->blocks[SOON]), stride);
    ts->rested = 1;
    ts->has_start = 0;
    return told;
}

/* Go on with the search for the end of the calm that the last candidate is part of. */
static WITHIN void follow_calm(tinystride_t *ts, uint32_t most)
{
    for (; most > 0u && ts->calm_end < ts->block && unrest_at(ts, ts->calm_end) < CALM; --most) {
        ++ts->calm_end;
    }
}

/* The foot has left: where its stance had its middle one stride ends and the next begins. */
static int close_stance(tinystride_t *ts, tinystride_stride_t *stride)
{
    const uint32_t known = ts->block < TINYSTRIDE_UNRESTS - 1u ? ts->block : TINYSTRIDE_UNRESTS - 1u;
    const uint32_t age = ts->block - (ts->rested ? ts->last_candidate : ts->calmest);
    uint32_t origin = ts->block - age, before = ts->blocks[HALF_PAUSE], after = ts->blocks[HALF_PAUSE];
    ts->stance_open = 0;
    if (ts->rested) {
        ts->calm_end = ts->block - ts->calm_end < known ? ts->calm_end : ts->block - known;
        follow_calm(ts, known);
        origin = ts->calm_end - (ts->calm_end > 0);
        before = ts->blocks[SOON] - 1u;
        after = 1;
    } else if (age > known) {
        ts->has_start = 0;
        return TINYSTRIDE_OK;
    }
    const uint32_t most_before = known - (ts->block - origin), most_after = ts->block - origin;
    before = before < most_before ? before : most_before;
    after = after < most_after ? after : most_after;
    const uint32_t place = calm_centre(ts, origin, before, after);
    const int told = ts->rested ? TINYSTRIDE_OK : tell_place(ts, origin, place, stride);
    start_stride(ts, origin, place);
    return told;
}

static void upright(tinystride_t *ts)
{
    to_floats(ts->stance_force, ts->up);
    unit(ts->up);
}

/* Whether no block within reach before the best one was as calm. Of those after the last search, which ended with
 * block `searched`, it is the calmest; that one's last blocks were not calmer than its best. */
static int is_calmest(const tinystride_t *ts)
{
    uint32_t i = ts->best - ts->searched;
    if (ts->best_unrest < ts->searched_unrest) {
        return 1;
    }
    for (; i <= ts->blocks[REACH] && i <= ts->best; ++i) {
        if (unrest_at(ts, ts->best - i) <= ts->best_unrest) {
            return 0;
        }
    }
    return 1;
}

/* The calmest block within reach of both sides is a candidate for a mid-stance. */
static void confirm(tinystride_t *ts)
{
    if (!is_calmest(ts) || ts->best_unrest >= LARGEST_STANCE_UNREST) {
        return;
    }
    /* A foot may also be slow in mid-air; there it is far from upright. Right after a gap nobody knows what is. */
    if (ts->best_unrest > CALM && (ts->stances || !ts->resumed)) {
        float force[3];
        to_floats(ts->stance_force, force);
        if (cosine(force, ts->up) < COS_LARGEST_TILT) {
            return;
        }
    }
    if (!ts->stance_open) {
        ts->stance_open = 1;
        ts->rested = 0;
        ts->arrival = ts->best_moving + 1u;
        ts->calmest_unrest = MOST_UNREST;
    }
    if (ts->best_unrest < ts->calmest_unrest) {
        ts->calmest = ts->best;
        ts->calmest_unrest = ts->best_unrest;
        memcpy(ts->calmest_force, ts->best_force, sizeof ts->calmest_force);
    }
    ts->last_candidate = ts->calm_end = ts->best;
    ts->turned_last = ts->best_turned;
    ts->stances = 1;
    if (ts->best_unrest < CALM) {
        for (int i = 0; i < 3; ++i) {
            ts->stance_force[i] = (int16_t)(ts->stance_force[i] + (ts->best_force[i] - ts->stance_force[i]) / 8);
        }
    }
    upright(ts);
}

static void know_stance(tinystride_t *ts, const int16_t force[3])
{
    memcpy(ts->stance_force, force, sizeof ts->stance_force);
    ts->knows_stance = 1;
    upright(ts);
}

static APART int is_gravity(const int16_t force[3])
{
    const uint32_t square =
        (uint32_t)(force[0] * force[0]) + (uint32_t)(force[1] * force[1]) + (uint32_t)(force[2] * force[2]);
    return square >= LEAST_REST && square <= LARGEST_REST;
}

/* By how much a specific force is not that of the standing foot, in units of unrest squared. */
static uint32_t deviation(const tinystride_t *ts, const int16_t force[3])
{
    const int32_t x = force[0] - ts->stance_force[0], y = force[1] - ts->stance_force[1],
                  z = force[2] - ts->stance_force[2];
    if ((uint32_t)((x + MOST_APART) | (y + MOST_APART) | (z + MOST_APART)) >= 2 * MOST_APART) {
        return MOST_UNREST;
    }
    return (uint32_t)(x * x + y * y + z * z) / UNRESTS_PER_ACC;
}

/* What the specific force of the standing foot is: that of a calm which no swing has, else, where there has been no
 * stance for long, the calmest. */
static int find_stance_force(tinystride_t *ts, uint32_t energy, const int16_t force[3])
{
    int told = TINYSTRIDE_OK;
    const int calm = energy < CALM && is_gravity(force);
    ts->calm_blocks = (uint8_t)(!calm ? 0 : ts->calm_blocks < 255 ? ts->calm_blocks + 1 : 255);
    if (ts->calm_blocks == ts->blocks[CALM_RUN]) {
        if (!ts->knows_stance || deviation(ts, force) > CALM) {
            know_stance(ts, force);
        }
    }
    if (ts->block >= ts->search_end) {
        const int lost = !ts->knows_stance || !ts->stances || ts->block - ts->last_candidate > ts->search;
        if (ts->search_end && lost) {
            if (is_gravity(ts->least_force)) {
                know_stance(ts, ts->least_force);
            } else if (!ts->knows_stance) {
                told = TINYSTRIDE_ERROR_UNITS;
            }
        }
        ts->search_end = ts->block + ts->search;
        ts->least_energy = UINT32_MAX;
    }
    if (energy < ts->least_energy) {
        ts->least_energy = energy;
        memcpy(ts->least_force, force, sizeof ts->least_force);
    }
    return told;
}

/* Carry the vertical on by the angular rate of a block; it grows a little by that. */
static WITHIN void carry_up(tinystride_t *ts, uint32_t block)
{
    const int16_t *samples = ts->ring[block % TINYSTRIDE_RING];
    const float step = GYR_UNIT * ts->period_s, x = ts->up[0], y = ts->up[1], z = ts->up[2];
    const float gx = samples[3], gy = samples[4], gz = samples[5];
    ts->up[0] = x + step * (y * gz - z * gy);
    ts->up[1] = y + step * (z * gx - x * gz);
    ts->up[2] = z + step * (x * gy - y * gx);
}

static WITHIN int follow(tinystride_t *ts, uint32_t energy, const int16_t force[3], tinystride_stride_t *stride)
{
    const uint32_t n = ts->block;
    int told = find_stance_force(ts, energy, force);
    uint32_t unrest = MOST_UNREST;
    if (ts->knows_stance) {
        unrest = energy + deviation(ts, force);
        unrest = unrest > MOST_UNREST ? MOST_UNREST : unrest;
    }
    ts->unrest[n % TINYSTRIDE_UNRESTS] = (uint16_t)unrest;
    if (unrest >= CALM) {
        ts->moving = n;
        ts->turned += (uint32_t)(square_root((float)energy) * 16.0f);
        if (ts->acc_same == STUCK_BLOCKS || ts->gyr_same == STUCK_BLOCKS) {
            mark(ts, GAP);
        }
    }
    if (n >= ts->blocks[REACH]) {
        carry_up(ts, n - ts->blocks[REACH]);
    }
    if (ts->has_start && n - ts->start > TINYSTRIDE_RING - 4u) {
        ts->has_start = 0;
        ts->resumed = 1; /* the next stride tells that this one is missing */
    }
    if (!ts->has_best || unrest < ts->best_unrest) {
        ts->has_best = 1;
        ts->best = n;
        ts->best_unrest = (uint16_t)unrest;
        ts->best_turned = ts->turned;
        ts->best_moving = ts->moving;
        memcpy(ts->best_force, force, sizeof ts->best_force);
    }
    if (ts->stance_open) {
        const int waits = ts->best_unrest < LARGEST_STANCE_UNREST &&
                          ts->best_turned - ts->turned_last <= ts->swing;
        if (!waits && ts->turned - ts->turned_last > ts->swing) {
            told = close_stance(ts, stride);
        } else if (!ts->rested && unrest < CALM && n - ts->arrival > ts->blocks[PAUSE]) {
            told = rest(ts, stride);
        }
        follow_calm(ts, 2);
    }
    if (n - ts->best == ts->blocks[REACH]) {
        unit(ts->up);
        confirm(ts);
        ts->has_best = 0;
        ts->searched = n;
        ts->searched_unrest = ts->best_unrest;
    }
    return told;
}

/* ---- blocks ---- */

/* The foot has stood still for two halves of a second: what the sensors say then. */
static void learn_standing(tinystride_t *ts, const int16_t force[3])
{
    const float each = 0.5f * GYR_UNIT / (float)(ts->blocks[HALF_SECOND] * ts->samples_per_block);
    ts->standings = (uint8_t)(ts->standings < 4 ? ts->standings + 1 : 4);
    const float share = 1.0f / (float)ts->standings;
    for (int i = 0; i < 3; ++i) {
        const float bias = (float)(ts->half_gyr[i] + ts->half_gyr_before[i]) * each;
        const float mean = (float)(ts->half_force_before[i] + ts->half_force[i] + force[i]) * (ACC_UNIT / 3.0f);
        ts->bias[i] += (bias - ts->bias[i]) * share;
        ts->force[i] += (mean - ts->force[i]) * share;
    }
    know_bias(ts, STANDING_VARIANCE);
}

static int is_near(const int16_t force[3], const int16_t other[3])
{
    int near = 1;
    for (int i = 0; i < 3; ++i) {
        near &= (uint32_t)(force[i] - other[i] + STANDING_ACC) <= 2u * STANDING_ACC;
    }
    return near;
}

/* Whether the spread of the angular rate over both halves of a second, and its mean, are those of standing. */
static int is_standing(const tinystride_t *ts)
{
    const int32_t both = 2 * ts->blocks[HALF_SECOND];
    /* Squared, in sixteenths of a count. */
    int32_t spread = (int32_t)((ts->half_energy + ts->half_energy_before) / (uint32_t)both) * (256 << ENERGY_SHIFT);
    int standing = 1;
    for (int i = 0; i < 3; ++i) {
        const int32_t mean = (ts->half_gyr[i] + ts->half_gyr_before[i]) * 16 / (both * ts->samples_per_block);
        spread -= mean * mean;
        standing = standing && mean <= 16 * LARGEST_BIAS && mean >= -16 * LARGEST_BIAS;
    }
    return standing && spread < 256 * STANDING_GYR * STANDING_GYR;
}

/* Watch for standing: two halves of a second, one after the other, without movement. */
static APART void watch_standing(tinystride_t *ts, uint32_t energy, const int16_t force[3])
{
    if (ts->in_half && !is_near(force, ts->half_force)) {
        ts->in_half = ts->still = 0;
        return;
    }
    if (ts->in_half == 0) {
        ts->still = (uint8_t)(ts->still && is_near(force, ts->half_force));
        memcpy(ts->half_gyr_before, ts->half_gyr, sizeof ts->half_gyr);
        memset(ts->half_gyr, 0, sizeof ts->half_gyr);
        memcpy(ts->half_force_before, ts->half_force, sizeof ts->half_force);
        memcpy(ts->half_force, force, sizeof ts->half_force);
        ts->half_energy_before = ts->half_energy;
        ts->half_energy = 0;
    }
    ts->half_energy += energy;
    for (int i = 0; i < 3; ++i) {
        ts->half_gyr[i] += (int32_t)ts->sum[i + 3];
    }
    if (++ts->in_half == ts->blocks[HALF_SECOND]) {
        ts->in_half = 0;
        if (ts->still && is_standing(ts)) {
            learn_standing(ts, force);
        }
        ts->still = 1;
    }
}

/* Have the low-pass stand as if all had been as the first block is. */
static APART void prime(tinystride_t *ts)
{
    const float share = 1.0f / (float)ts->samples_per_block;
    for (int i = 0; i < 6; ++i) {
        const float sum = (float)(int32_t)ts->sum[i];
        ts->filter[i][0] = (share - ts->b0) * sum;
        ts->filter[i][1] = (ts->b0 - ts->a2 * share) * sum;
    }
}

/* Low-pass a value, times b0. */
static WITHIN int16_t low_pass(float state[2], float x, float a1, float a2)
{
    const float y = x + state[0];
    state[0] = x + x - a1 * y + state[1];
    state[1] = x - a2 * y;
    return nearest_int16(y);
}

/* How many blocks a sensor has told the same, as far as that matters. */
static uint8_t counted_on(uint8_t blocks, int same)
{
    return (uint8_t)(!same ? 0 : blocks < STUCK_BLOCKS ? blocks + 1 : STUCK_BLOCKS);
}

/* Keep a block's sums, low-passed; the mean force of the last blocks. */
static WITHIN void take_sums(tinystride_t *ts, int16_t force[3])
{
    const float b0 = ts->b0, a1 = ts->a1, a2 = ts->a2;
    const struct tinystride_sums *last = &ts->sums[ts->slot];
    ts->slot = (uint8_t)(ts->slot + 1 == ts->blocks[WINDOW] ? 0 : ts->slot + 1);
    struct tinystride_sums *oldest = &ts->sums[ts->slot];
    int16_t *kept = ts->ring[ts->block % TINYSTRIDE_RING];
    const int32_t samples = ts->window_samples;
    for (int i = 0; i < 3; ++i) {
        const int32_t sum = (int32_t)ts->sum[i], rate = (int32_t)ts->sum[i + 3];
        const int32_t total = ts->force_total[i] + sum - oldest->force[i];
        oldest->force[i] = sum;
        ts->force_total[i] = total;
        force[i] = (int16_t)(total / samples);
        kept[i] = low_pass(ts->filter[i], b0 * (float)sum, a1, a2);
        kept[i + 3] = low_pass(ts->filter[i + 3], b0 * (float)rate, a1, a2);
    }
    const int acc_same = oldest->force[0] == last->force[0] && oldest->force[1] == last->force[1] &&
                         oldest->force[2] == last->force[2];
    ts->acc_same = counted_on(ts->acc_same, acc_same);
    ts->energy_total += ts->energy - oldest->energy;
    oldest->energy = ts->energy;
    ts->gyr_same = counted_on(ts->gyr_same, ts->energy == last->energy && ts->energy > LEAST_STUCK_ENERGY);
}

static APART int take_block(tinystride_t *ts, tinystride_stride_t *stride)
{
    int16_t force[3];
    int told = TINYSTRIDE_OK;
    if (ts->block == 0u) {
        prime(ts);
    }
    take_sums(ts, force);
    if (ts->block + 1u >= ts->blocks[WINDOW]) {
        const uint32_t energy = ts->energy_total / ts->window_samples;
        /* A sensor that has been seen to stand differently is stuck. */
        const int frozen = ts->standings && ts->acc_same == STUCK_BLOCKS;
        if (energy <= STANDING_UNREST && !frozen) {
            watch_standing(ts, energy, force);
        } else {
            ts->in_half = ts->still = 0;
        }
        told = follow(ts, energy, force, stride);
    } else {
        ts->unrest[ts->block % TINYSTRIDE_UNRESTS] = MOST_UNREST;
        ts->moving = ts->block;
    }
    clear_block(ts);
    ++ts->block;
    return told;
}

/* ---- samples ---- */

/* Whether an unusually large sample of this size, in counts, is at full scale or, where that is not known, stays at
 * the largest value that there has been. */
static APART int is_saturated(tinystride_t *ts, int sensor, int32_t size)
{
    const int32_t reached = ts->reached[sensor];
    uint8_t *repeats = &ts->repeats[sensor];
    if (size >= COUNT_LIMIT || ts->known[sensor]) {
        return size >= COUNT_LIMIT || size >= reached;
    }
    if (size < reached) {
        *repeats = 0;
    } else if (size > reached) {
        *repeats = 1;
        set_reached(ts, sensor, size);
    } else if (*repeats < CLIPPED_SAMPLES) {
        ++*repeats;
    }
    return *repeats == CLIPPED_SAMPLES;
}

/* The size of a sensor's values [3], in counts, which are cut off at COUNT_LIMIT; -1 if one of them is larger than any
 * sample, or no number. */
static APART int32_t cut_off(const float values[3], int sensor, float cut[3])
{
    const float unit = UNIT[sensor];
    uint32_t largest = 0;
    float size;
    for (int i = 0; i < 3; ++i) {
        const uint32_t one = magnitude(values[i]);
        largest = one > largest ? one : largest;
        cut[i] = limited(values[i], COUNT_LIMIT * unit);
    }
    if (largest > magnitude(LARGEST[sensor])) {
        return -1;
    }
    largest >>= 1;
    memcpy(&size, &largest, sizeof size);
    return nearest(size * (sensor == ACC ? IN_ACC : IN_GYR));
}

/* So many samples have been added to the block. */
static int add_samples(tinystride_t *ts, uint32_t n, tinystride_stride_t *stride)
{
    ts->to_come = (uint8_t)(ts->to_come - n);
    if (ts->to_come) {
        return TINYSTRIDE_OK;
    }
    ts->to_come = ts->samples_per_block;
    return take_block(ts, stride);
}

/* Values are finite and below COUNT_LIMIT. */
static int take_sample(tinystride_t *ts, const float acc[3], const float gyr[3], tinystride_stride_t *stride)
{
    uint32_t square = 0;
    for (int i = 0; i < 3; ++i) {
        const uint32_t force = nearest_bits(acc[i] * IN_ACC), rate = nearest_bits(gyr[i] * IN_GYR);
        ts->last[i] = (int16_t)force;
        ts->last[i + 3] = (int16_t)rate;
        ts->sum[i] += force;
        ts->sum[i + 3] += rate;
        square += (uint32_t)((int16_t)rate * (int16_t)rate);
    }
    ts->energy += square >> ENERGY_SHIFT;
    return add_samples(ts, 1, stride);
}

/* ---- input ---- */

/* Bridge what was lost before the next sample by a line, of which each block gets the middle of its part. */
static int bridge(tinystride_t *ts, const float acc[3], const float gyr[3], tinystride_stride_t *stride)
{
    const int32_t lost = (int32_t)ts->lost;
    int told = TINYSTRIDE_OK;
    int32_t change[6];
    float square = 0.0f;
    for (int i = 0; i < 3; ++i) {
        change[i] = nearest(acc[i] * IN_ACC) - ts->last[i];
        change[i + 3] = nearest(gyr[i] * IN_GYR) - ts->last[i + 3];
        square += squared((float)change[i]);
    }
    const int matters = (float)lost / ts->rate_hz * square_root(square) * ACC_UNIT > GAP_MPS;
    ts->lost = 0;
    for (int32_t done = 0; done < lost;) {
        const int32_t room = ts->to_come, n = lost - done < room ? lost - done : room;
        const int32_t place = 2 * done + n + 1, whole = 2 * (lost + 1);
        uint32_t energy = 0;
        for (int i = 0; i < 3; ++i) {
            const int32_t rate = ts->last[i + 3] + change[i + 3] * place / whole;
            ts->sum[i] += (uint32_t)n * (NEAREST + (uint32_t)(ts->last[i] + change[i] * place / whole));
            ts->sum[i + 3] += (uint32_t)n * (NEAREST + (uint32_t)rate);
            energy += (uint32_t)(rate * rate);
        }
        ts->energy += (uint32_t)n * (energy >> ENERGY_SHIFT);
        if (matters) {
            mark(ts, GAP);
        }
        done += n;
        const int one = add_samples(ts, (uint32_t)n, stride);
        told = one != TINYSTRIDE_OK && told != TINYSTRIDE_STRIDE ? one : told;
    }
    return told;
}

/* Whether all values [3] are at most as large as this, and numbers. */
static WITHIN int are_within(const float values[3], uint32_t largest)
{
    return magnitude(values[0]) <= largest && magnitude(values[1]) <= largest && magnitude(values[2]) <= largest;
}

static WITHIN int is_usual(const tinystride_t *ts, const float acc_mps2[3], const float gyr_radps[3])
{
    return are_within(acc_mps2, ts->unusual[0]) && are_within(gyr_radps, ts->unusual[1]);
}

/* Look closer at a sample that is unusually large, and cut it off at what is counted. Returns 1 if it is saturated,
 * -1 if it can be no sample, else 0. */
static int inspect(tinystride_t *ts, const float acc_mps2[3], const float gyr_radps[3], float cut[6])
{
    const int32_t acc = cut_off(acc_mps2, ACC, cut), gyr = cut_off(gyr_radps, GYR, cut + 3);
    if (acc < 0 || gyr < 0) {
        return -1;
    }
    return is_saturated(ts, ACC, acc) | is_saturated(ts, GYR, gyr);
}

/* Begin anew after samples that cannot be bridged. A stance that was under way has ended its stride; the stride that
 * holds the gap has no length, and the next one is flagged for it. */
static int begin_after_gap(tinystride_t *ts, uint32_t first, tinystride_stride_t *stride)
{
    int told = TINYSTRIDE_OK;
    if (ts->stance_open) {
        --ts->block; /* the last that there is */
        told = close_stance(ts, stride);
    }
    ts->resumed |= ts->stances;
    begin(ts, first);
    return told;
}

/* A sample that is unusually large, or comes after lost ones. */
static APART int push_unusual(tinystride_t *ts, const float acc_mps2[3], const float gyr_radps[3],
                              tinystride_stride_t *stride)
{
    float cut[6];
    int told = TINYSTRIDE_OK, saturated = 0;
    if (ts->lost) {
        ts->repeats[0] = ts->repeats[1] = 0;
    }
    if (!is_usual(ts, acc_mps2, gyr_radps)) {
        saturated = inspect(ts, acc_mps2, gyr_radps, cut);
        if (saturated < 0) {
            (void)tinystride_gap(ts, 1);
            return TINYSTRIDE_ERROR_SAMPLE;
        }
        acc_mps2 = cut;
        gyr_radps = cut + 3;
    }
    const uint32_t first = next_sample(ts) + ts->lost;
    if (ts->lost > ts->bridged || (ts->lost && first == ts->lost)) {
        told = begin_after_gap(ts, first, stride);
    } else if (ts->lost) {
        told = bridge(ts, acc_mps2, gyr_radps, stride);
    }
    if (saturated) {
        mark(ts, SATURATED);
    }
    const int one = take_sample(ts, acc_mps2, gyr_radps, stride);
    return told == TINYSTRIDE_STRIDE || one == TINYSTRIDE_OK ? told : one;
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
    if (ts->lost || !is_usual(ts, acc_mps2, gyr_radps)) {
        return push_unusual(ts, acc_mps2, gyr_radps, stride);
    }
    ts->repeats[0] = ts->repeats[1] = 0;
    return take_sample(ts, acc_mps2, gyr_radps, stride);
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
    if (ts == NULL) {
        return TINYSTRIDE_ERROR_NULL;
    }
    if (ts->magic != MAGIC) {
        return TINYSTRIDE_ERROR_STATE;
    }
    ts->lost = samples < UINT32_MAX - ts->lost ? ts->lost + samples : UINT32_MAX;
    return TINYSTRIDE_OK;
}

/* Whether the foot turns so fast that a gap of so many microseconds which is none, but a clock that has jumped, would
 * spoil the stride. */
static int turns_fast(const tinystride_t *ts, const float gyr_radps[3], float gap_us)
{
    const float most = squared(GAP_RAD * 1e6f / gap_us);
    float last[3];
    to_floats(ts->last + 3, last);
    return !(dot(gyr_radps, gyr_radps) <= most && dot(last, last) * (GYR_UNIT * GYR_UNIT) <= most);
}

/* A phase-locked loop: last_time_us follows the stamps, interval_us their mean distance; the first stamps weigh more,
 * so that the rate is known before the first stride ends. */
int tinystride_push_at(tinystride_t *ts, uint32_t time_us, const float acc_mps2[3], const float gyr_radps[3],
                       tinystride_stride_t *stride)
{
    if (ts == NULL || gyr_radps == NULL) {
        return TINYSTRIDE_ERROR_NULL;
    }
    if (ts->magic != MAGIC) {
        return TINYSTRIDE_ERROR_STATE;
    }
    const uint32_t passed_us = time_us - ts->last_time_us;
    if (!ts->timed) {
        ts->timed = 1;
        ts->last_time_us = time_us;
    } else if (passed_us > (uint32_t)JUMP_US) {
        /* Ahead by so much, or back: begin anew there. */
        if (passed_us > UINT32_MAX - (uint32_t)JUMP_US) {
            /* By more than jitter: samples are missing until the stamps have caught up, nobody knows how many. */
            if ((float)(0u - passed_us) > 0.5f * ts->interval_us) {
                mark(ts, GAP);
            }
            return TINYSTRIDE_ERROR_TIME;
        }
        ts->last_time_us = time_us;
        (void)tinystride_gap(ts, ts->bridged + 1u);
    } else {
        const float interval_us = ts->interval_us;
        const int32_t steps = (int32_t)((float)passed_us / interval_us + 0.5f);
        if (steps < 1) {
            return TINYSTRIDE_ERROR_TIME;
        }
        const float error_us = (float)passed_us - (float)steps * interval_us;
        const float gain = ts->time_gain, nominal_us = 1e6f / ts->rate_hz;
        const float next_us = interval_us + error_us * gain * gain * 0.25f / (float)steps;
        ts->last_time_us += (uint32_t)((float)steps * interval_us + error_us * gain + 0.5f);
        ts->time_gain = gain > 0.125f ? gain / (1.0f + 0.25f * gain) : 0.125f;
        if (next_us > 0.95f * nominal_us && next_us < 1.05f * nominal_us) {
            ts->interval_us = next_us;
            ts->period_s = next_us * (float)ts->samples_per_block * 1e-6f;
        }
        if (steps > 1) {
            (void)tinystride_gap(ts, (uint32_t)steps - 1u);
            if (turns_fast(ts, gyr_radps, (float)(steps - 1) * interval_us)) {
                mark(ts, GAP);
            }
        }
    }
    return tinystride_push(ts, acc_mps2, gyr_radps, stride);
}

/* A foot that stays as it is ends the stride before, if it rests. */
int tinystride_finish(tinystride_t *ts, tinystride_stride_t *stride)
{
    float samples[6];
    if (ts == NULL || stride == NULL) {
        return TINYSTRIDE_ERROR_NULL;
    }
    if (ts->magic != MAGIC) {
        return TINYSTRIDE_ERROR_STATE;
    }
    for (int i = 0; i < 6; ++i) {
        samples[i] = (float)ts->last[i] * (i < 3 ? ACC_UNIT : GYR_UNIT);
    }
    for (uint32_t left = 2u * ts->blocks[PAUSE] * ts->samples_per_block; left > 0u; --left) {
        ts->in_half = ts->still = 0; /* a sample repeated is no standing */
        if (take_sample(ts, samples, samples + 3, stride) == TINYSTRIDE_STRIDE) {
            return TINYSTRIDE_STRIDE;
        }
    }
    return TINYSTRIDE_OK;
}
