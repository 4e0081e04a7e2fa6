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

#include "constants.inc"
#include "config.inc"
#include "math.inc"
#include "state.inc"
#include "frame.inc"
#include "integrator.inc"
#include "clipping.inc"
#include "integrate.inc"
#include "plausibility.inc"
#include "stride.inc"
#include "stance.inc"
#include "standing.inc"
#include "block.inc"

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
