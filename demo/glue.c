/* SPDX-License-Identifier: MIT */
/* The C library for a page: samples in through one buffer, strides out through accessors, so that JavaScript needs to
 * know no offset of any member. The module imports nothing. */
#include "tinystride.h"

#include <stddef.h>

#define EXPORT(name) __attribute__((export_name(#name))) name
#define FEET 2u
#define CAPACITY 1024u /* samples of one call of push() */
#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static tinystride_t feet[FEET];
static float samples[CAPACITY][6]; /* acc, m/s^2; gyr, rad/s */
static uint32_t lost[CAPACITY];    /* samples missing before each */
static tinystride_stride_t found[CAPACITY + 1u];
static int units_error[FEET]; /* TINYSTRIDE_ERROR_UNITS was returned */

/* Fields of a stride, in the order of field(). HAS_REPAIRED_DEG: set by build.py if the library has that member. */
static const char fields[] = "length_cm strapdown_length_cm duration_s length_sd_cm latency_s start_sample end_sample "
                             "start_fraction end_fraction"
#ifdef HAS_REPAIRED_DEG
                             " repaired_deg"
#endif
    ;

/* Quality flags, in the order of flag(): the words that `tinystride predict` writes. */
static const char flag_words[] = "no-standing wrong-foot turn climb unusual-duration out-of-range not-walking gap "
                                 "saturated unsteady inconsistent sensors-disagree previous-missing";
static const uint16_t flag_bits[] = {
    TINYSTRIDE_NO_STANDING, TINYSTRIDE_WRONG_FOOT, TINYSTRIDE_TURN, TINYSTRIDE_CLIMB, TINYSTRIDE_UNUSUAL_DURATION,
    TINYSTRIDE_OUT_OF_RANGE, TINYSTRIDE_NOT_WALKING, TINYSTRIDE_GAP, TINYSTRIDE_SATURATED, TINYSTRIDE_UNSTEADY,
    TINYSTRIDE_INCONSISTENT, TINYSTRIDE_SENSORS_DISAGREE, TINYSTRIDE_PREVIOUS_MISSING,
};

const char *EXPORT(field_names)(void)
{
    return fields;
}

const char *EXPORT(flag_names)(void)
{
    return flag_words;
}

uint32_t EXPORT(capacity)(void)
{
    return CAPACITY;
}

/* Buffer [capacity()][6] for the samples of the next push(): acc in m/s^2, gyr in rad/s. */
float *EXPORT(sample_buffer)(void)
{
    return &samples[0][0];
}

/* Buffer [capacity()] for the number of samples missing before each. */
uint32_t *EXPORT(lost_buffer)(void)
{
    return lost;
}

/* Begin a recording of a foot, 0: left, 1: right. Return TINYSTRIDE_OK or an error. */
int EXPORT(start)(uint32_t foot, float rate_hz)
{
    if (foot >= FEET) {
        return TINYSTRIDE_ERROR_FOOT;
    }
    units_error[foot] = 0;
    return tinystride_init(&feet[foot], rate_hz, foot ? TINYSTRIDE_RIGHT : TINYSTRIDE_LEFT);
}

/* Take the first n samples of the buffer. Return how many strides they completed; stride 0 is the first. */
uint32_t EXPORT(push)(uint32_t foot, uint32_t n)
{
    uint32_t strides = 0;
    if (foot >= FEET || n > CAPACITY) {
        return 0;
    }
    for (uint32_t i = 0; i < n; ++i) {
        if (lost[i]) {
            (void)tinystride_gap(&feet[foot], lost[i]);
        }
        const int status = tinystride_push(&feet[foot], samples[i], samples[i] + 3, &found[strides]);
        if (status == TINYSTRIDE_STRIDE) {
            ++strides;
        } else if (status == TINYSTRIDE_ERROR_UNITS) {
            units_error[foot] = 1;
        }
    }
    return strides;
}

/* End the recording of a foot. Return how many strides that completed, 0 or 1. */
uint32_t EXPORT(finish)(uint32_t foot)
{
    return foot < FEET && tinystride_finish(&feet[foot], &found[0]) == TINYSTRIDE_STRIDE;
}

/* Whether |acc| at rest was not about 9.81 m/s^2, so that no stride could be found. */
int EXPORT(has_units_error)(uint32_t foot)
{
    return foot < FEET && units_error[foot];
}

/* A field of a stride of the last push() or finish(), by its place in field_names(). */
double EXPORT(field)(uint32_t stride, uint32_t number)
{
    const tinystride_stride_t *s = &found[stride <= CAPACITY ? stride : 0];
    switch (number) {
    case 0: return (double)s->length_cm;
    case 1: return (double)s->strapdown_length_cm;
    case 2: return (double)s->duration_s;
    case 3: return (double)s->length_sd_cm;
    case 4: return (double)s->latency_s;
    case 5: return (double)s->start_sample;
    case 6: return (double)s->end_sample;
    case 7: return (double)s->start_fraction;
    case 8: return (double)s->end_fraction;
#ifdef HAS_REPAIRED_DEG
    case 9: return (double)s->repaired_deg;
#endif
    default: return 0.0;
    }
}

/* Whether a stride of the last push() or finish() has a flag, by its place in flag_names(). */
int EXPORT(flag)(uint32_t stride, uint32_t number)
{
    return stride <= CAPACITY && number < COUNT_OF(flag_bits) && (found[stride].flags & flag_bits[number]) != 0;
}
