#ifdef USE_MVE
/* FULLY_CONNECTED: input [size], output [channels]. */
typedef struct {
    matrix_t matrix;
{% if one_multiplier %}
    int32_t multiplier, shift; /* the same for all channels */
{% endif %}
} dense_t;

static void dense(const dense_t *layer, const int8_t *input, int8_t *output, int32_t *scratch)
{
{% if one_multiplier %}
    const matrix_t *const matrix = &layer->matrix;
    int32_t sums[CHUNK], multipliers[CHUNK], number;
    int8_t shifts[CHUNK];
    (void)scratch;
    for (number = 0; number < CHUNK; number++) {
        multipliers[number] = layer->multiplier;
        shifts[number] = (int8_t)layer->shift;
    }
    for (number = 0; number < matrix->channels; number += CHUNK) {
        const int32_t left = matrix->channels - number, count = left < CHUNK ? left : CHUNK;
        sum_row(matrix, input, number, count, sums);
        requantize_row(sums, count, multipliers, shifts, matrix->output_zero_point, matrix->low, matrix->high,
                       output + number);
    }
{% else %}
    (void)scratch;
    multiply_matrix(&layer->matrix, input, output);
{% endif %}
}
#else
{% set index = "" if one_multiplier else "[i]" %}
/* FULLY_CONNECTED: input [size], weights [out_size / 2][size / 4][2 outputs][4 weights], output [out_size].
 *
 * 16 bits hold two weights, b * 256 + a; a is the lower byte, sign-extended. The two inputs are prepared as m and
 * 256 * x - m, so that two multiplications give both products without separating the weights:
 *     (b * 256 + a) * m + a * (256 * x - m) = 256 * (a * x + b * m)
 * x is the first input plus 1 and m the second plus 129, which keeps both prepared values within 16 bits; `bias`
 * compensates for that. */
typedef struct {
    int32_t size, out_size, padded_size{{ ", span" if spans }};
    int32_t output_zero_point, low, high;
    const int16_t *weights;
{% if one_multiplier %}
    const int32_t *bias;
    int32_t multiplier, shift;
{% else %}
    const int32_t *bias, *multiplier;
    const int8_t *shift;
{% endif %}
} dense_t;

/* Compute sums[0..1]: 256 times the products of the prepared values, up to `end`, with the weights of two outputs. */
#ifdef USE_DSP
/* {{ 14 * dense_unroll + 2 }} instructions for {{ 16 * dense_unroll }} multiply-accumulates. r4 to r7: weights; r8 to r11: values; r3, r12: sums. */
static void multiply(const int16_t *weights, const int16_t *values, const int16_t *end, int32_t *sums)
{
    register const int16_t *r0 __asm__("r0") = weights;
    register const int16_t *r1 __asm__("r1") = values;
    register const int16_t *r2 __asm__("r2") = end;
    register int32_t *r3 __asm__("r3") = sums;
    __asm__ volatile(
        "push {r3-r11}\n"
        "movs r3, #0\n"
        "mov r12, r3\n"
{% if dense_unroll > 1 %}
        "subs lr, r2, r1\n"
        "bics lr, lr, #{{ 16 * dense_unroll - 1 }}\n"
{% if dense_rest %}
        "beq 2f\n"
{% endif %}
        "add lr, r1\n"
        "1:\n"
        ".rept {{ dense_unroll }}\n"
        "ldm r0!, {r4-r7}\n"
        "ldm r1!, {r8-r11}\n"
        "smlad r3, r4, r8, r3\n"
        "sxtb16 r4, r4\n"
        "smlad r12, r5, r8, r12\n"
        "sxtb16 r5, r5\n"
        "smlad r3, r4, r9, r3\n"
        "smlad r12, r5, r9, r12\n"
        "smlad r3, r6, r10, r3\n"
        "sxtb16 r6, r6\n"
        "smlad r12, r7, r10, r12\n"
        "sxtb16 r7, r7\n"
        "smlad r3, r6, r11, r3\n"
        "smlad r12, r7, r11, r12\n"
        ".endr\n"
        "cmp r1, lr\n"
        "bne 1b\n"
{% endif %}
{% if dense_rest or dense_unroll == 1 %}
{% if dense_unroll > 1 %}
        "2:\n"
        "cmp r1, r2\n"
        "beq 4f\n"
{% endif %}
        "3:\n"
        "ldm r0!, {r4-r7}\n"
        "ldm r1!, {r8-r11}\n"
        "smlad r3, r4, r8, r3\n"
        "sxtb16 r4, r4\n"
        "smlad r12, r5, r8, r12\n"
        "sxtb16 r5, r5\n"
        "smlad r3, r4, r9, r3\n"
        "smlad r12, r5, r9, r12\n"
        "smlad r3, r6, r10, r3\n"
        "sxtb16 r6, r6\n"
        "smlad r12, r7, r10, r12\n"
        "sxtb16 r7, r7\n"
        "smlad r3, r6, r11, r3\n"
        "smlad r12, r7, r11, r12\n"
        "cmp r1, r2\n"
        "bne 3b\n"
{% if dense_unroll > 1 %}
        "4:\n"
{% endif %}
{% endif %}
        "pop {r0, r4-r11}\n"
        "strd r3, r12, [r0]\n"
        : "+r"(r0), "+r"(r1), "+r"(r2), "+r"(r3)
        :
        : "r12", "lr", "cc", "memory");
}
#else
static void multiply(const int16_t *weights, const int16_t *values, const int16_t *end, int32_t *sums)
{
    int32_t a = 0, b = 0;
    do {
        a += weights[0] * values[0] + (int8_t)(weights[0] & 0xFF) * values[2];
        a += weights[1] * values[1] + (int8_t)(weights[1] & 0xFF) * values[3];
        b += weights[2] * values[0] + (int8_t)(weights[2] & 0xFF) * values[2];
        b += weights[3] * values[1] + (int8_t)(weights[3] & 0xFF) * values[3];
        weights += 4;
        values += 4;
    } while (values != end);
    sums[0] = a;
    sums[1] = b;
}
#endif

/* Prepare a pair of inputs: the first and the third of four values. */
static inline void prepare(int16_t *pair, int32_t x, int32_t m)
{
    pair[0] = (int16_t)m;
    pair[2] = (int16_t)(256 * x - m);
}

static void dense(const dense_t *layer, const int8_t *input, int8_t *output, int32_t *scratch)
{
    int16_t *const values = (int16_t *)(void *)scratch, *pair = values;
    const int16_t *const end = values + layer->padded_size, *weights = layer->weights;
    int32_t i, channel;
{% if dense_unroll > 1 %}
    for (i = 0; i + 4 <= layer->size; i += 4, pair += 4) {
        prepare(pair, input[i] + 1, input[i + 1] + 129);
        prepare(pair + 1, input[i + 2] + 1, input[i + 3] + 129);
    }
{% else %}
    i = 0;
{% endif %}
    for (; i < layer->padded_size; i += 2, pair += i & 2 ? 1 : 3) {
        prepare(pair, i < layer->size ? input[i] + 1 : 0, i + 1 < layer->size ? input[i + 1] + 129 : 1);
    }
    for (channel = 0; channel < layer->out_size; channel += 2) {
        int32_t sums[2];
{% if spans %}
        int32_t products[2];
        const int16_t *from, *to;
        sums[0] = sums[1] = 0;
        for (from = values; from != end; from = to) {
            to = end - from > layer->span ? from + layer->span : end;
            multiply(weights, from, to, products);
            weights += to - from;
            sums[0] += products[0] >> 8;
            sums[1] += products[1] >> 8;
        }
{% else %}
        multiply(weights, values, end, sums);
        weights += layer->padded_size;
{% endif %}
        for (i = channel; i < channel + 2 && i < layer->out_size; i++) {
            const int32_t sum = {{ "sums[i - channel]" if spans else "(sums[i - channel] >> 8)" }} + layer->bias[i];
            output[i] = requantize(sum, layer->multiplier{{ index }}, layer->shift{{ index }}, layer->output_zero_point,
                                   layer->low, layer->high);
        }
    }
}
#endif
