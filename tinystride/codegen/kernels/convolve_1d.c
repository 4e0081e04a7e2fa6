{% set pooled = 2 in pools %}
{% set unpooled = 1 in pools %}
{% set from_zero = "- 128" if rectified else "+ layer->output_zero_point" %}
{% set bounds = "-128, 127" if rectified else "layer->low, layer->high" %}
#ifdef USE_MVE
/* CONV_2D along the width{{ ", max-pooled over `pool` steps" if pooled }}. Computes four channels at a time. */
typedef struct {
    window_t window;
{% if pooled %}
    int32_t pool, pooled_steps;
{% endif %}
    matrix_t matrix; /* weights for the values under the window */
} convolution_1d_t;

static void convolve_1d(const convolution_1d_t *layer, const int8_t *input, int8_t *output, int32_t *scratch)
{
    const matrix_t *const matrix = &layer->matrix;
{% if pooled %}
    int32_t step, number, i;
    for (step = 0; step < layer->pooled_steps; step++) {
        const int32_t first = step * layer->pool, second = first + 1;
        for (number = 0; number < matrix->channels; number += CHUNK) {
            const int32_t left = matrix->channels - number, count = left < CHUNK ? left : CHUNK;
            int32_t sums[CHUNK], others[CHUNK];
            sum_row(matrix, gather(&layer->window, input, 0, first, (int8_t *)scratch), number, count, sums);
            if (layer->pool == 2 && second < layer->window.out_width) {
                sum_row(matrix, gather(&layer->window, input, 0, second, (int8_t *)scratch), number, count, others);
                for (i = 0; i < count; i += 4) {
                    vstrwq_s32(sums + i, vmaxq_s32(vldrwq_s32(sums + i), vldrwq_s32(others + i)));
                }
            }
            requantize_row(sums, count, matrix->multiplier + number, matrix->shift + number,
                           matrix->output_zero_point, matrix->low, matrix->high, output + number);
        }
        output += matrix->channels;
    }
{% else %}
    int32_t step;
    for (step = 0; step < layer->window.out_width; step++) {
        multiply_matrix(matrix, gather(&layer->window, input, 0, step, (int8_t *)scratch), output);
        output += matrix->channels;
    }
{% endif %}
}
#else
/* CONV_2D along the width: input [in_steps, in_channels], output [out_steps, out_channels]
{%- if pooled %},
 * or [pooled_steps, out_channels] where it is max-pooled{% endif %}.
 * Two taps, `stride` steps apart, share a word for the same input channel.
 * weights: [out_channels / 2][words][2 output channels][earlier, later tap]; words after the first `paired` ones
 * have no later tap. bias: minus the input's zero point times the weights. */
typedef struct {
    int16_t in_steps, in_channels, stride, pad, out_steps, out_channels;
{% if pooled and unpooled %}
    int16_t pool;
{% endif %}
{% if pooled %}
    int16_t pooled_steps;
{% endif %}
    int16_t input_zero_point{{ "" if rectified else ", output_zero_point, low, high" }};
    int16_t words, paired, packed_words, blocks, block, first, rows;
    const int8_t *weights;
    const int32_t *bias, *multiplier;
    const int8_t *shift;
{% if passes %}
    const int16_t *span;
{% endif %}
} convolution_1d_t;

#ifdef NARROW_PRODUCTS
/* For cores whose products have 32 bits. Computes two output channels at a time. */
static void convolve_1d(const convolution_1d_t *layer, const int8_t *input, int8_t *output, int32_t *scratch)
{
    const int32_t depth = layer->in_channels, row = layer->stride * depth, size = layer->in_steps * depth;
    const int32_t channels = layer->out_channels;
    const int8_t outside = (int8_t)layer->input_zero_point, *weights = layer->weights;
    int32_t number, step, word;
    (void)scratch;
    for (number = 0; number < channels; number += 2) {
        const int32_t other = number + 1 < channels;
        int8_t *to = output + number;
{% if pooled %}
        int32_t before_a = INT32_MIN, before_b = INT32_MIN;
{% endif %}
        for (step = 0; step < layer->out_steps; step++) {
            int32_t sum_a = layer->bias[number], sum_b = layer->bias[number + other];
            int32_t at = step * row - layer->pad * depth, next = at + row;
            const int8_t *weight = weights;
            for (word = 0; word < layer->words; word += depth, at += depth) {
                const int8_t *x = &outside, *y = &outside;
                int32_t x_step = 0, y_step = 0;
                if (at == next) {
                    at += row;
                    next = at + row;
                }
                if ((uint32_t)at < (uint32_t)size) {
                    x = input + at;
                    x_step = 1;
                }
                if ((uint32_t)(at + row) < (uint32_t)size) {
                    y = input + at + row;
                    y_step = 1;
                }
                if (word < layer->paired) {
{% if even_words %}
                    /* A word holds four weights, the first in the lowest byte. */
                    const int8_t *const end = weight + 4 * depth;
                    for (; weight != end; weight += 4, x += x_step, y += y_step) {
                        const int32_t from_x = *x, from_y = *y;
                        uint32_t four;
                        __builtin_memcpy(&four, __builtin_assume_aligned(weight, 4), 4);
                        sum_a += from_x * (int8_t)(four & 0xFF) + from_y * (int8_t)(four >> 8 & 0xFF);
                        sum_b += from_x * (int8_t)(four >> 16 & 0xFF) + from_y * ((int32_t)four >> 24);
                    }
{% else %}
                    const int8_t *const end = weight + 4 * depth;
                    for (; weight != end; weight += 4, x += x_step, y += y_step) {
                        sum_a += *x * weight[0] + *y * weight[1];
                        sum_b += *x * weight[2] + *y * weight[3];
                    }
{% endif %}
                } else {
                    const int8_t *const end = weight + 2 * depth;
                    for (; weight != end; weight += 2, x += x_step) {
                        sum_a += *x * weight[0];
                        sum_b += *x * weight[1];
                    }
                }
            }
{% if pooled %}
            if ({{ "layer->pool == 2 && " if unpooled }}step % 2 == 0) {
                before_a = sum_a;
                before_b = sum_b;
                if (step + 1 < layer->out_steps) {
                    continue;
                }
                if (step / 2 == layer->pooled_steps) {
                    break;
                }
            }
            sum_a = max_i32(sum_a, before_a);
            sum_b = max_i32(sum_b, before_b);
{% endif %}
            sum_b = scale(sum_b, layer->multiplier[number + other], layer->shift[number + other]);
            to[other] = (int8_t)clamp(sum_b {{ from_zero }}, {{ bounds }});
            sum_a = scale(sum_a, layer->multiplier[number], layer->shift[number]);
            *to = (int8_t)clamp(sum_a {{ from_zero }}, {{ bounds }});
            to += channels;
        }
        weights += 2 * (layer->words + layer->paired);
    }
}
#else
/* Computes four products per multiplication. A word holds two values at adjacent steps; another one holds two taps:
 *     x = x0 + x1 * 2^21,  w = w1 + w0 * 2^21;  x * w = x0 w1 + (x0 w0 + x1 w1) * 2^21 + x1 w0 * 2^42
 * The product holds parts of three adjacent output steps in three fields, which are accumulated in 64 bits over taps
 * and channels. The generator of this file has checked that no sum exceeds its field.
 *
 * A row of words holds all channels of a pair of steps and, with a stride, also the pairs in between.
 * Steps are computed from the last to the first, in `blocks` blocks of 2 * `block` steps; the first block begins at
 * step 2 * `first`, and a block needs `rows` rows of the input{%- if passes %}.
 * span: words after which the fields are emptied, for every two channels{% endif %}. */
#define FIELD 21
#define HALF ((int32_t)1 << (FIELD - 1)) /* keeps the two lower fields positive */

/* Arguments and results of `accumulate`. weights, end: interleaved words of two channels a and b; row: words from one
 * row of the input to the next; early_a … late_b: sums of both channels over an early row and the row after it. */
typedef struct {
    const int32_t *weights, *end;
    int32_t row;
    int64_t early_a, late_a, early_b, late_b;
} work_t;

#define EMPTY (((int64_t)HALF << FIELD) + HALF)

#if defined(__thumb2__) && !defined(TINYSTRIDE_PLAIN_C)
/* 7 instructions for 16 multiply-accumulates. r0, r1, r2: weights, early and late words; r4 to r11: sums. */
static void accumulate(work_t *work, const int32_t *early)
{
    static const int64_t empty[4] = {EMPTY, EMPTY, EMPTY, EMPTY};
    register work_t *r0 __asm__("r0") = work;
    register const int32_t *r1 __asm__("r1") = early;
    register const int64_t *r2 __asm__("r2") = empty;
    __asm__ volatile(
        "push {r0, r4-r11}\n"
        "ldm r2, {r4-r11}\n"
        "ldr r2, [r0, #8]\n"
        "ldrd r0, r12, [r0]\n"
        "push {r12}\n"
        "add r2, r1, r2, lsl #2\n"
        "1:\n"
        ".rept {{ unroll }}\n"
        "ldrd r3, r12, [r0], #8\n"
        "ldr lr, [r1], #4\n"
        "smlal r4, r5, r3, lr\n"
        "smlal r8, r9, r12, lr\n"
        "ldr lr, [r2], #4\n"
        "smlal r6, r7, r3, lr\n"
        "smlal r10, r11, r12, lr\n"
        ".endr\n"
        "ldr lr, [sp]\n"
        "cmp r0, lr\n"
        "bne 1b\n"
        "ldrd r3, r0, [sp], #8\n"
        "adds r0, #16\n"
        "stm r0, {r4-r11}\n"
        "pop {r4-r11}\n"
        : "+r"(r0), "+r"(r1), "+r"(r2)
        :
        : "r3", "r12", "lr", "cc", "memory");
}
#else
static void accumulate(work_t *work, const int32_t *early)
{
    const int32_t *weights = work->weights, *late = early + work->row;
    int64_t early_a = EMPTY, late_a = EMPTY, early_b = EMPTY, late_b = EMPTY;
    do {
        const int64_t a = *weights++, b = *weights++;
        early_a += a * *early;
        early_b += b * *early++;
        late_a += a * *late;
        late_b += b * *late++;
    } while (weights != work->end);
    work->early_a = early_a;
    work->late_a = late_a;
    work->early_b = early_b;
    work->late_b = late_b;
}
#endif

/* Return the lowest, middle and highest field of a sum; the lowest and the middle one include HALF. */
static int32_t low_field(int64_t sum)
{
    return (int32_t)((uint32_t)sum & (((uint32_t)1 << FIELD) - 1));
}

static int32_t middle_field(int64_t sum)
{
    const uint32_t upper = (uint32_t)(sum >> 32) & (((uint32_t)1 << (2 * FIELD - 32)) - 1);
    return (int32_t)((uint32_t)sum >> FIELD | upper << (32 - FIELD));
}

static int32_t high_field(int64_t sum)
{
    return (int32_t)(sum >> (2 * FIELD));
}

/* Pack the rows of the input from row `first` on. In the flat list of values the later half of a row follows the
 * earlier half; values outside the input are its zero point. */
static void pack_input(const convolution_1d_t *layer, const int8_t *input, int32_t first, int32_t *words)
{
    const int32_t row = layer->stride * layer->in_channels, size = layer->in_steps * layer->in_channels;
    const int32_t *const end = words + layer->rows * row;
    int32_t at = 2 * first * row - layer->pad * layer->in_channels;
    for (; words != end; at += row) {
        const int32_t next = at + row;
        if (at >= 0 && next + row <= size) {
            for (; at < next; at++) {
                *words++ = input[at] + input[at + row] * (1 << FIELD);
            }
        } else {
            for (; at < next; at++) {
                const int32_t early = (uint32_t)at < (uint32_t)size ? input[at] : layer->input_zero_point;
                const int32_t late =
                    (uint32_t)(at + row) < (uint32_t)size ? input[at + row] : layer->input_zero_point;
                *words++ = early + late * (1 << FIELD);
            }
        }
    }
}

/* Pack the weights of two channels, padded with zeros to whole loop passes. Return the weights of the next two. */
static const int8_t *pack_weights(const convolution_1d_t *layer, const int8_t *weights, work_t *work,
                                  int32_t *words)
{
    const int32_t *const paired = words + 2 * layer->paired, *const end = words + 2 * layer->words;
    work->weights = words;
    work->end = words + layer->packed_words;
    while (words != paired) {
{% for i in range(pack_unroll) %}
        words[{{ 2 * i }}] = weights[{{ 4 * i + 1 }}] + weights[{{ 4 * i }}] * (1 << FIELD);
        words[{{ 2 * i + 1 }}] = weights[{{ 4 * i + 3 }}] + weights[{{ 4 * i + 2 }}] * (1 << FIELD);
{% endfor %}
        words += {{ 2 * pack_unroll }};
        weights += {{ 4 * pack_unroll }};
    }
    while (words != end) {
        words[0] = weights[0] * (1 << FIELD);
        words[1] = weights[1] * (1 << FIELD);
        words += 2;
        weights += 2;
    }
    while (words != work->end) {
        *words++ = 0;
    }
    return weights;
}

/* One output channel while its steps are computed from the last to the first. */
typedef struct {
{% if rectified %}
    int64_t offset; /* bias times multiplier, plus the rounding term of the quotient */
{% else %}
    int32_t bias;
{% endif %}
    int32_t multiplier, shift;
    int32_t carried; /* part of the last step that comes from the accumulator of the later steps */
} channel_t;

static channel_t open_channel(const convolution_1d_t *layer, int32_t number, int32_t carried)
{
    const int32_t bias = layer->bias[number] - HALF;
    channel_t channel;
    channel.multiplier = layer->multiplier[number];
    channel.carried = carried;
{% if rectified %}
    /* A sum below zero gives the lowest output with either rounding; for others both roundings are one addition.
     * Outputs are counted from the lowest value, -128. */
    channel.shift = -1 - layer->shift[number];
    channel.offset = (int64_t)bias * channel.multiplier + (1 << 30) +
                     (int64_t)(-255 * (1 << channel.shift)) * ((int64_t)1 << 31);
{% else %}
    channel.shift = layer->shift[number];
    channel.bias = bias;
{% endif %}
    return channel;
}

{% if rectified and pools == [2] %}
#if defined(__thumb2__) && !defined(TINYSTRIDE_PLAIN_C)
#define FINISH_ONCE __attribute__((noinline)) /* `finish_inside` does most of the work */
#else
#define FINISH_ONCE inline
#endif

{% endif %}
{% if rectified %}
static inline int8_t requantize_channel(const channel_t *channel, int32_t sum)
{
    const int64_t product = sum * (int64_t)channel->multiplier + channel->offset;
    int32_t value = (int32_t)(product >> 32) >> channel->shift;
#if defined(__thumb2__) && !defined(TINYSTRIDE_PLAIN_C)
    __asm__("ssat %0, #8, %1" : "=r"(value) : "r"(value));
#else
    value = value < -128 ? -128 : value > 127 ? 127 : value;
#endif
    return (int8_t)value;
}
{% else %}
static int8_t requantize_channel(const channel_t *channel, int32_t sum, const convolution_1d_t *layer)
{
    const int32_t value = scale(sum + channel->bias, channel->multiplier, channel->shift);
    return (int8_t)clamp(value + layer->output_zero_point, layer->low, layer->high);
}
{% endif %}

{% if passes %}
/* Sums of one channel over all runs of words except the last: for the step before the four steps, for the first three
 * of them, and a part of the fourth. */
typedef struct {
    int32_t before, sum0, sum1, sum2, sum3;
} sums_t;

static inline void empty_fields(sums_t *sums, int64_t early, int64_t late)
{
    sums->before += low_field(early) - HALF;
    sums->sum0 += middle_field(early) - HALF;
    sums->sum1 += high_field(early) + low_field(late) - HALF;
    sums->sum2 += middle_field(late) - HALF;
    sums->sum3 += high_field(late);
}

/* Accumulate all runs of words except the last one. Return the input at which the last run begins. */
static const int32_t *accumulate_runs(work_t *work, int32_t span, const int32_t *early, sums_t sums[2])
{
    const int32_t *const end = work->end;
    sums_t a = {0, 0, 0, 0, 0}, b = {0, 0, 0, 0, 0};
    for (; end - work->weights > span; work->weights += span) {
        work->end = work->weights + span;
        accumulate(work, early);
        empty_fields(&a, work->early_a, work->late_a);
        empty_fields(&b, work->early_b, work->late_b);
        early += span / 2;
    }
    work->end = end;
    sums[0] = a;
    sums[1] = b;
    return early;
}

{% endif %}
{% set layer_argument = "" if rectified else ", layer" %}
/* Store the four steps from step 2 * at
{%- if pooled %}, or their maxima where they are pooled{% endif %}, except those outside the output:
 * the first two if `at` is -1, the last one or two at the end. */
static {{ "FINISH_ONCE" if rectified and pools == [2] else "inline" }} void finish(const convolution_1d_t *layer, channel_t *channel, int64_t early, int64_t late,
                          {{ "const sums_t *sums, " if passes }}int32_t at, int8_t *output, int32_t to)
{
    const int32_t channels = layer->out_channels;
    {{ "const " if not passes }}int32_t sum0 = middle_field(early), sum1 = high_field(early) + low_field(late);
    {{ "const " if not passes }}int32_t sum2 = middle_field(late), sum3 = high_field(late) + channel->carried;
    channel->carried = low_field(early);
{% if passes %}
    if (sums != NULL) {
        channel->carried += sums->before;
        sum0 += sums->sum0;
        sum1 += sums->sum1;
        sum2 += sums->sum2;
        sum3 += sums->sum3;
    }
{% endif %}
{% if pooled and unpooled %}
    if (layer->pool == 2) {
        if (at >= 0) {
            output[to] = requantize_channel(channel, max_i32(sum0, sum1){{ layer_argument }});
        }
        if (at + 1 < layer->pooled_steps) {
            output[to + channels] = requantize_channel(channel, max_i32(sum2, sum3){{ layer_argument }});
        }
        return;
    }
{% elif pooled %}
    if (at >= 0) {
        output[to] = requantize_channel(channel, max_i32(sum0, sum1){{ layer_argument }});
    }
    if (at + 1 < layer->pooled_steps) {
        output[to + channels] = requantize_channel(channel, max_i32(sum2, sum3){{ layer_argument }});
    }
{% endif %}
{% if unpooled %}
    if (at >= 0) {
        output[to] = requantize_channel(channel, sum0{{ layer_argument }});
        output[to + channels] = requantize_channel(channel, sum1{{ layer_argument }});
    }
    if (2 * at + 2 < layer->out_steps) {
        output[to + 2 * channels] = requantize_channel(channel, sum2{{ layer_argument }});
    }
    if (2 * at + 3 < layer->out_steps) {
        output[to + 3 * channels] = requantize_channel(channel, sum3{{ layer_argument }});
    }
{% endif %}
}

{% if rectified and pools == [2] %}
#if defined(__thumb2__) && !defined(TINYSTRIDE_PLAIN_C)
/* The same as `finish`, for two channels whose steps are all inside the output. sums: of a work_t; other: distance to
 * the second channel's output. r4 to r7: sums; r8 to r12: a channel; r1: a middle field. */
static void finish_inside(channel_t *pair, const int64_t *sums, int8_t *output, int32_t step, int32_t other)
{
    register channel_t *r0 __asm__("r0") = pair;
    register const int64_t *r1 __asm__("r1") = sums;
    register int8_t *r2 __asm__("r2") = output;
    register int32_t r3 __asm__("r3") = step;
    register int32_t r12 __asm__("r12") = other;
    __asm__ volatile(
        "mov lr, r1\n"
        "adds r1, #32\n"
        "push {r1, r4-r12}\n"
        "1:\n"
        "ldm lr!, {r4-r7}\n"
        "ldm r0, {r8-r12}\n"
        "lsrs r1, r6, #21\n"
        "bfi r1, r7, #11, #10\n"
        "add r12, r12, r7, asr #10\n"
        "cmp r1, r12\n"
        "it lt\n"
        "movlt r1, r12\n"
        "mov r7, r8\n"
        "mov r12, r9\n"
        "smlal r7, r12, r10, r1\n"
        "asr r12, r12, r11\n"
        "ssat r12, #8, r12\n"
        "strb r12, [r2, r3]\n"
        "ubfx r6, r6, #0, #21\n"
        "add r6, r6, r5, asr #10\n"
        "lsrs r1, r4, #21\n"
        "bfi r1, r5, #11, #10\n"
        "cmp r1, r6\n"
        "it lt\n"
        "movlt r1, r6\n"
        "smlal r8, r9, r10, r1\n"
        "asr r9, r9, r11\n"
        "ssat r9, #8, r9\n"
        "strb r9, [r2]\n"
        "ubfx r4, r4, #0, #21\n"
        "str r4, [r0, #16]\n"
        "ldr r12, [sp, #36]\n"
        "adds r0, #24\n"
        "add r2, r12\n"
        "ldr r12, [sp]\n"
        "cmp lr, r12\n"
        "bne 1b\n"
        "add sp, #4\n"
        "pop {r4-r12}\n"
        : "+r"(r0), "+r"(r1), "+r"(r2), "+r"(r3), "+r"(r12)
        :
        : "lr", "cc", "memory");
}
#define FINISH_INSIDE
#endif

{% endif %}
static void convolve_1d(const convolution_1d_t *layer, const int8_t *input, int8_t *output, int32_t *scratch)
{
{% if pooled and unpooled %}
    const int32_t channels = layer->out_channels, output_row = 2 / layer->pool * channels;
{% elif pooled %}
    const int32_t channels = layer->out_channels, output_row = channels;
{% else %}
    const int32_t channels = layer->out_channels, output_row = 2 * channels;
{% endif %}
    int32_t *const carried = scratch, *const words = carried + channels;
    int32_t *const packed = words + layer->packed_words;
    work_t work;
    int32_t block, number;
    work.row = layer->stride * layer->in_channels;
    for (number = 0; number < channels; number++) {
        carried[number] = -(1 << 30); /* less than any sum: no step follows the last one */
    }
    for (block = layer->blocks - 1; block >= 0; block--) {
        const int32_t first = layer->first + block * layer->block, last = first + layer->block - 2;
        const int32_t lowest = first < -1 ? -1 : first;
        const int8_t *weights = layer->weights;
        pack_input(layer, input, first, packed);
        for (number = 0; number < channels; number += 2) {
            const int32_t other = number + 1 < channels;
            channel_t pair[2];
{% if passes %}
            const int32_t span = layer->span[number / 2];
{% endif %}
            const int32_t *early = packed + layer->block * work.row;
            int32_t at, to = last * output_row + number;
            pair[0] = open_channel(layer, number, carried[number]);
            pair[1] = open_channel(layer, number + other, carried[number + other]);
            weights = pack_weights(layer, weights, &work, words);
            for (at = last; at >= lowest; at -= 2) {
{% if passes %}
                const sums_t *sums_a = NULL, *sums_b = NULL;
                const int32_t *from = early - 2 * work.row;
                sums_t sums[2];
                early = from;
                if (span < layer->packed_words) {
                    work.weights = words;
                    from = accumulate_runs(&work, span, from, sums);
                    sums_a = &sums[0];
                    sums_b = &sums[1];
                }
                accumulate(&work, from);
{% if rectified and pools == [2] %}
#ifdef FINISH_INSIDE
                if (sums_a == NULL && at >= 0 && at + 1 < layer->pooled_steps) {
                    finish_inside(pair, &work.early_a, output + to, channels, other);
                    to -= 2 * output_row;
                    continue;
                }
#endif
{% endif %}
                finish(layer, &pair[0], work.early_a, work.late_a, sums_a, at, output, to);
                finish(layer, &pair[1], work.early_b, work.late_b, sums_b, at, output, to + other);
{% else %}
                early -= 2 * work.row;
                accumulate(&work, early);
{% if rectified and pools == [2] %}
#ifdef FINISH_INSIDE
                if (at >= 0 && at + 1 < layer->pooled_steps) {
                    finish_inside(pair, &work.early_a, output + to, channels, other);
                    to -= 2 * output_row;
                    continue;
                }
#endif
{% endif %}
                finish(layer, &pair[0], work.early_a, work.late_a, at, output, to);
                finish(layer, &pair[1], work.early_b, work.late_b, at, output, to + other);
{% endif %}
                to -= 2 * output_row;
            }
            carried[number] = pair[0].carried;
            carried[number + other] = pair[1].carried;
        }
    }
}
#endif
#endif
