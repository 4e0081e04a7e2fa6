{% set zero_point, low, high = ("(-128)", "-128", "127") if rectified else ("layer->output_zero_point", "layer->low", "layer->high") %}
{% set pooled = 2 in pools %}
{% set unpooled = 1 in pools %}
{% set pool = "layer->pool" if pooled and unpooled else "2" if pooled else "1" %}
#if defined(__ARM_FEATURE_SAT)
#include <arm_acle.h>
#endif

/* CONV_2D along the width: input [in_steps, in_channels], weights [out_channels, taps, in_channels], output
 * [out_steps, out_channels]{% if pooled %}, or [pooled_steps, out_channels] where it is max-pooled{% endif %}.
 * `bias` has the input's zero point times the weights taken off. */
typedef struct {
    int16_t in_steps, in_channels, taps, stride, pad, out_steps, out_channels;
{% if pooled and unpooled %}
    int16_t pool;
{% endif %}
{% if pooled %}
    int16_t pooled_steps;
{% endif %}
    int16_t input_zero_point{{ "" if rectified else ", output_zero_point, low, high" }};
    int16_t blocks, block, first, rows, weight_words{{ ", span, passes" if passes }};
    const int8_t *weights;
    const int32_t *bias, *multiplier;
    const int8_t *shift;
} convolution_1d_t;

{% if pooled %}
static inline int32_t larger(int32_t a, int32_t b)
{
    return a > b ? a : b;
}

{% endif %}
#if defined(__ARM_ARCH_6M__) || defined(__ARM_ARCH_8M_BASE__)
/* For cores whose products have 32 bits: two output channels at a time. */
static void convolve_1d(const convolution_1d_t *layer, const int8_t *input, int8_t *output, int32_t *scratch)
{
    const int32_t depth = layer->in_channels, size = layer->taps * depth, channels = layer->out_channels;
    int32_t number, step, tap, i;
    (void)scratch;
    for (number = 0; number < channels; number += 2) {
        const int32_t other = number + 1 < channels;
        int8_t *to = output + number;
{% if pooled %}
        int32_t before_a = INT32_MIN, before_b = INT32_MIN;
{% endif %}
        for (step = 0; step < layer->out_steps; step++) {
            const int8_t *a = layer->weights + number * size, *b = a + other * size;
            const int32_t from = step * layer->stride - layer->pad;
            int32_t sum_a = layer->bias[number], sum_b = layer->bias[number + other];
            for (tap = from; tap < from + layer->taps; tap++, a += depth, b += depth) {
                if (tap >= 0 && tap < layer->in_steps) {
                    const int8_t *const value = input + tap * depth;
                    for (i = 0; i < depth; i++) {
                        sum_a += value[i] * a[i];
                        sum_b += value[i] * b[i];
                    }
                } else {
                    for (i = 0; i < depth; i++) {
                        sum_a += layer->input_zero_point * a[i];
                        sum_b += layer->input_zero_point * b[i];
                    }
                }
            }
{% if pooled %}
            if (step % {{ pool }} != 0) {
                sum_a = larger(sum_a, before_a);
                sum_b = larger(sum_b, before_b);
            }
            before_a = sum_a;
            before_b = sum_b;
            if (step % {{ pool }} != {{ pool }} - 1 && step != layer->out_steps - 1) {
                continue;
            }
            if (step / {{ pool }} >= layer->pooled_steps) {
                break;
            }
{% endif %}
            sum_b = scale(sum_b, layer->multiplier[number + other], layer->shift[number + other]);
            to[other] = (int8_t)clamp(sum_b + {{ zero_point }}, {{ low }}, {{ high }});
            sum_a = scale(sum_a, layer->multiplier[number], layer->shift[number]);
            *to = (int8_t)clamp(sum_a + {{ zero_point }}, {{ low }}, {{ high }});
            to += channels;
        }
    }
}
#else
/* Four products per multiplication. Two values that are neighbours in time share a word, and so do two taps:
 *     x = x0 + x1 * 2^21,  w = w1 + w0 * 2^21;  x * w = x0 w1 + (x0 w0 + x1 w1) * 2^21 + x1 w0 * 2^42
 * has the parts of three neighbouring output steps in three fields, which add up in 64 bits over taps and
 * channels. No sum leaves its field: that was checked when this file was made.
 *
 * A row of words holds all channels of a pair of steps, and with a stride also the pairs in between.
 * Steps are computed from the last to the first, in `blocks` of 2 * `block`, of which the first begins at
 * 2 * `first`; a block needs `rows` rows of the input{% if passes %}. After `span` words the fields are emptied, `passes` times{% endif %}. */
#define FIELD 21
#define HALF ((int32_t)1 << (FIELD - 1)) /* keeps the two lower fields positive */

/* What `accumulate` works on: the words of the weights of two channels a and b, side by side; the words from
 * one row of the input to the next; and for both channels the sums over an early row and the row after it. */
typedef struct {
    const int32_t *weights, *end;
    int32_t row;
    int64_t early_a, late_a, early_b, late_b;
} work_t;

#if defined(__thumb2__) && !defined(TINYSTRIDE_PLAIN_C)
/* 7 instructions for 16 multiply-accumulates. */
__attribute__((naked, noinline)) static void accumulate(work_t *work, const int32_t *words)
{
    __asm__ volatile(
        "push {r0, r4-r11, lr}\n"
        "ldr r2, [r0, #8]\n"
        "ldrd r0, r12, [r0]\n"
        "push {r1, r12}\n"
        "adr r12, 2f\n"
        "ldm r12, {r4-r11}\n"
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
        "ldr lr, [sp, #4]\n"
        "cmp r0, lr\n"
        "bne 1b\n"
        "ldr r0, [sp, #8]\n"
        "adds r0, #16\n"
        "stm r0, {r4-r11}\n"
        "add sp, #12\n"
        "pop {r4-r11, pc}\n"
        ".align 2\n"
        "2: .word 0x100000, 0x200, 0x100000, 0x200, 0x100000, 0x200, 0x100000, 0x200\n");
}
#else
static void accumulate(work_t *work, const int32_t *early)
{
    const int32_t *weights = work->weights, *late = early + work->row;
    int64_t early_a = ((int64_t)HALF << FIELD) + HALF;
    int64_t early_b = early_a, late_a = early_a, late_b = early_a;
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

/* The lowest and the middle field, HALF being part of each, and the highest one. */
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

/* Pack the rows of the input from the one numbered `first`. As a flat list, the later half of a row follows the
 * earlier one; outside the input is its zero point. */
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

/* Pack the weights of two channels; zeros stand for taps that are missing and fill the last loop. */
static void pack_weights(const convolution_1d_t *layer, const int8_t *a, const int8_t *b, work_t *work, int32_t *words)
{
    const int32_t row = work->row, size = layer->taps * layer->in_channels;
    int32_t at;
    work->weights = words;
    work->end = words + layer->weight_words;
    for (at = 0; at < size; at += row) {
        int32_t next = at + row;
        if (next + row <= size) {
            for (; at < next; at++) {
                *words++ = a[at + row] + a[at] * (1 << FIELD);
                *words++ = b[at + row] + b[at] * (1 << FIELD);
            }
        } else {
            for (; at < next && at < size; at++) {
                *words++ = (at + row < size ? a[at + row] : 0) + a[at] * (1 << FIELD);
                *words++ = (at + row < size ? b[at + row] : 0) + b[at] * (1 << FIELD);
            }
        }
    }
    while (words != work->end) {
        *words++ = 0;
    }
}

/* One output channel, on its way from the last steps to the first. */
typedef struct {
{% if rectified %}
    int64_t offset; /* bias times multiplier, and what rounds the quotient */
{% else %}
    int32_t bias;
{% endif %}
    int32_t multiplier, shift;
    int32_t carried; /* what the accumulator of the steps after these has brought for the last of them */
} channel_t;

static channel_t open_channel(const convolution_1d_t *layer, int32_t number, int32_t carried)
{
    const int32_t bias = layer->bias[number] - {{ "layer->passes * " if passes }}HALF;
    channel_t channel;
    channel.multiplier = layer->multiplier[number];
    channel.carried = carried;
{% if rectified %}
    /* A sum below zero ends at zero however it is rounded; above, both roundings are one addition. */
    channel.shift = -1 - layer->shift[number];
    channel.offset = (int64_t)bias * channel.multiplier + (1 << 30) + ((int64_t)1 << (31 + channel.shift));
{% else %}
    channel.shift = layer->shift[number];
    channel.bias = bias;
{% endif %}
    return channel;
}

{% if rectified %}
static inline int8_t requantize(const channel_t *channel, int32_t sum)
{
    const int32_t value = (int32_t)((sum * (int64_t)channel->multiplier + channel->offset) >> 32) >> channel->shift;
#if defined(__ARM_FEATURE_SAT)
    return (int8_t)(__usat(value, 8) - 128);
#else
    return (int8_t)((value < 0 ? 0 : value > 255 ? 255 : value) - 128);
#endif
}
{% else %}
static int8_t requantize(const channel_t *channel, int32_t sum, const convolution_1d_t *layer)
{
    const int32_t value = scale(sum + channel->bias, channel->multiplier, channel->shift);
    return (int8_t)clamp(value + layer->output_zero_point, layer->low, layer->high);
}
{% endif %}

{% if passes %}
/* What all passes but the last have brought to a channel: to the step before the four, to the first three of
 * them, and a part of the fourth. */
typedef struct {
    int32_t before, sum0, sum1, sum2, sum3;
} sums_t;

static void empty_fields(sums_t *sums, int64_t early, int64_t late)
{
    sums->before += low_field(early);
    sums->sum0 += middle_field(early);
    sums->sum1 += high_field(early) + low_field(late);
    sums->sum2 += middle_field(late);
    sums->sum3 += high_field(late);
}

/* All passes but the last; returns where in the input the last one begins. */
static const int32_t *accumulate_passes(const convolution_1d_t *layer, work_t *work, const int32_t *early, sums_t sums[2])
{
    const sums_t none = {0, 0, 0, 0, 0};
    int32_t pass;
    sums[0] = none;
    sums[1] = none;
    for (pass = 1; pass < layer->passes; pass++) {
        work->end = work->weights + layer->span;
        accumulate(work, early);
        empty_fields(&sums[0], work->early_a, work->late_a);
        empty_fields(&sums[1], work->early_b, work->late_b);
        work->weights = work->end;
        early += layer->span / 2;
    }
    work->end = work->weights + layer->span;
    return early;
}

{% endif %}
{% set layer_argument = "" if rectified else ", layer" %}
/* Store the four steps from 2 * at{% if pooled %}, or what they are pooled to{% endif %}, but not those outside the output: the first
 * two where `at` is -1, the last one or two at the end. */
static inline void finish(const convolution_1d_t *layer, channel_t *channel, int64_t early, int64_t late,
                          {{ "const sums_t *sums, " if passes }}int32_t at, int8_t *output)
{
    const int32_t channels = layer->out_channels;
    {{ "const " if not passes }}int32_t sum0 = middle_field(early), sum1 = high_field(early) + low_field(late);
    {{ "const " if not passes }}int32_t sum2 = middle_field(late), sum3 = high_field(late) + channel->carried;
    channel->carried = low_field(early);
{% if passes %}
    if (layer->passes > 1) {
        channel->carried += sums->before;
        sum0 += sums->sum0;
        sum1 += sums->sum1;
        sum2 += sums->sum2;
        sum3 += sums->sum3;
    }
{% endif %}
{% if pooled and unpooled %}
    if (layer->pool == 2) {
{% endif %}
{% if pooled %}
    if (at >= 0) {
        output[0] = requantize(channel, larger(sum0, sum1){{ layer_argument }});
    }
    if (at + 1 < layer->pooled_steps) {
        output[channels] = requantize(channel, larger(sum2, sum3){{ layer_argument }});
    }
{% endif %}
{% if pooled and unpooled %}
        return;
    }
{% endif %}
{% if unpooled %}
    if (at >= 0) {
        output[0] = requantize(channel, sum0{{ layer_argument }});
        output[channels] = requantize(channel, sum1{{ layer_argument }});
    }
    if (2 * at + 2 < layer->out_steps) {
        output[2 * channels] = requantize(channel, sum2{{ layer_argument }});
    }
    if (2 * at + 3 < layer->out_steps) {
        output[3 * channels] = requantize(channel, sum3{{ layer_argument }});
    }
{% endif %}
}

static void convolve_1d(const convolution_1d_t *layer, const int8_t *input, int8_t *output, int32_t *scratch)
{
    const int32_t channels = layer->out_channels, size = layer->taps * layer->in_channels;
    const int32_t output_row = 2 / {{ pool }} * channels;
    int32_t *const carried = scratch, *const words = carried + channels;
    int32_t *const packed = words + layer->weight_words;
    work_t work;
    int32_t block, number;
    work.row = layer->stride * layer->in_channels;
    for (number = 0; number < channels; number++) {
        carried[number] = -(1 << 30); /* beyond the last step there is nothing that could be the largest */
    }
    for (block = layer->blocks - 1; block >= 0; block--) {
        const int32_t first = layer->first + block * layer->block, last = first + layer->block - 2;
        const int32_t lowest = first < -1 ? -1 : first;
        const int8_t *weights = layer->weights;
        pack_input(layer, input, first, packed);
        for (number = 0; number < channels; number += 2) {
            const int32_t other = number + 1 < channels;
            channel_t a = open_channel(layer, number, carried[number]);
            channel_t b = open_channel(layer, number + other, carried[number + other]);
            const int32_t *early = packed + (layer->block - 2) * work.row;
            int8_t *to = output + last * output_row + number;
            int32_t at;
            pack_weights(layer, weights, weights + other * size, &work, words);
            for (at = last; at >= lowest; at -= 2) {
{% if passes %}
                const int32_t *from = early;
                sums_t sums[2];
                work.weights = words;
                if (layer->passes > 1) {
                    from = accumulate_passes(layer, &work, early, sums);
                }
                accumulate(&work, from);
                finish(layer, &a, work.early_a, work.late_a, &sums[0], at, to);
                finish(layer, &b, work.early_b, work.late_b, &sums[1], at, to + other);
{% else %}
                accumulate(&work, early);
                finish(layer, &a, work.early_a, work.late_a, at, to);
                finish(layer, &b, work.early_b, work.late_b, at, to + other);
{% endif %}
                early -= 2 * work.row;
                to -= 2 * output_row;
            }
            carried[number] = a.carried;
            carried[number + other] = b.carried;
            weights += 2 * size;
        }
    }
}
#endif
