/* Fuzz target for libFuzzer: input bytes become calls of the estimator in any order with any values, including pieces
 * of walking. Prints the number of calls and strides. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tinystride.h"

#include "walk.h"

typedef struct {
    const uint8_t *next;
    size_t left;
} input_t;

static unsigned long calls, strides;

static void report(void)
{
    printf("%lu calls, %lu strides\n", calls, strides);
}

/* Copy the next bytes of the input; zeros at its end. */
static void take(input_t *input, void *to, size_t size)
{
    const size_t there = input->left < size ? input->left : size;
    memset(to, 0, size);
    memcpy(to, input->next, there);
    input->next += there;
    input->left -= there;
}

static uint32_t number(input_t *input, size_t bytes)
{
    uint32_t value = 0;
    take(input, &value, bytes);
    return value;
}

static void demand(int holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "broken: %s\n", what);
        abort();
    }
}

static void check(int status, const tinystride_stride_t *stride)
{
    calls++;
    demand(status >= TINYSTRIDE_ERROR_UNITS && status <= TINYSTRIDE_STRIDE, "status");
    if (status != TINYSTRIDE_STRIDE) {
        return;
    }
    strides++;
    demand(stride->flags < 2u * TINYSTRIDE_PREVIOUS_MISSING, "flags");
    demand(stride->length_sd_cm > 0.7f, "standard deviation");
    demand(stride->duration_s > 0.0f && stride->duration_s < 1e3f, "duration");
    demand(stride->flags || (stride->length_cm > 20.0f && stride->length_cm < 240.0f), "an unflagged length");
    demand(stride->mean5_cm >= 0.0f && stride->mean5_cm < 240.0f, "mean of five");
    demand(stride->mean10_cm >= 0.0f && stride->mean10_cm < 240.0f, "mean of ten");
    demand(stride->latency_s >= 0.0f, "latency");
}

static void push_walk(tinystride_t *ts, input_t *input, tinystride_stride_t *stride)
{
    const uint32_t first = number(input, 2), count = number(input, 2) % (2u * WALK_SAMPLES), stamped = number(input, 1);
    const float acc_scale = 0.0047885f, gyr_scale = 0.0010653f;
    uint32_t time_us = number(input, 4), i;
    for (i = 0; i < count; i++) {
        const int16_t *sample = walk[(first + i) % WALK_SAMPLES];
        if (stamped & 1u) {
            const float acc[3] = {sample[0] * acc_scale, sample[1] * acc_scale, sample[2] * acc_scale};
            const float gyr[3] = {sample[3] * gyr_scale, sample[4] * gyr_scale, sample[5] * gyr_scale};
            check(tinystride_push_at(ts, time_us, acc, gyr, stride), stride);
            time_us += stamped * 123u;
        } else {
            check(tinystride_push_int16(ts, sample, sample + 3, acc_scale, gyr_scale, stride), stride);
        }
    }
}

static void call(tinystride_t *ts, input_t *input, tinystride_stride_t *stride)
{
    float values[6], scales[2];
    int16_t counts[6];
    switch (number(input, 1) % 12u) {
    case 0:
        take(input, values, sizeof values);
        check(tinystride_push(ts, values, values + 3, stride), stride);
        break;
    case 1:
        take(input, counts, sizeof counts);
        take(input, scales, sizeof scales);
        check(tinystride_push_int16(ts, counts, counts + 3, scales[0], scales[1], stride), stride);
        break;
    case 2: {
        const uint32_t time_us = number(input, 4);
        take(input, values, sizeof values);
        check(tinystride_push_at(ts, time_us, values, values + 3, stride), stride);
        break;
    }
    case 3: /* the same sample many times */
    case 4: {
        uint32_t left = number(input, 2) % 1024u;
        take(input, counts, sizeof counts);
        for (; left > 0; left--) {
            check(tinystride_push_int16(ts, counts, counts + 3, 0.01f, 0.002f, stride), stride);
        }
        break;
    }
    case 5:
        check(tinystride_gap(ts, number(input, 4)), stride);
        break;
    case 6:
        check(tinystride_gap(ts, number(input, 1) % 16u), stride);
        break;
    case 7:
        take(input, scales, sizeof scales);
        check(tinystride_set_full_scale(ts, scales[0], scales[1]), stride);
        break;
    case 8:
        check(tinystride_finish(ts, stride), stride);
        check(number(input, 1) & 1u ? tinystride_reset(ts) : TINYSTRIDE_OK, stride);
        break;
    case 9:
        take(input, scales, sizeof *scales);
        check(tinystride_init(ts, scales[0], (int)number(input, 1) % 3), stride);
        break;
    default:
        push_walk(ts, input, stride);
    }
}

int LLVMFuzzerInitialize(int *count, char ***words);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerInitialize(int *count, char ***words)
{
    (void)count;
    (void)words;
    atexit(report);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    input_t input = {bytes, size};
    /* Allocate exactly their size, so that the sanitizer detects any access beyond. */
    tinystride_t *ts = malloc(sizeof *ts);
    tinystride_stride_t *stride = malloc(sizeof *stride);
    const uint32_t start = number(&input, 2);
    check(tinystride_init(ts, 50.0f + (float)(start >> 1) * (350.0f / 32767.0f), (int)(start & 1u)), stride);
    while (input.left > 0) {
        call(ts, &input, stride);
    }
    free(stride);
    free(ts);
    return 0;
}
