/* CONV_2D: input [in_height, in_width, in_channels], output [out_height, out_width, out_channels]. */
typedef struct {
    window_t window;
    matrix_t matrix; /* weights for the values under the window, [height, width, in_channels] */
} convolution_t;

{% if optimize == "size" %}
static void convolve(const convolution_t *layer, const int8_t *input, int8_t *output, int32_t *scratch)
{
    const window_t *const window = &layer->window;
    const matrix_t *const matrix = &layer->matrix;
    int32_t out_y, out_x, channel, i;
    for (out_y = 0; out_y < window->out_height; out_y++) {
        for (out_x = 0; out_x < window->out_width; out_x++) {
            const int8_t *const values = gather(window, input, out_y, out_x, (int8_t *)scratch);
            const int8_t *weights = matrix->weights;
            for (channel = 0; channel < matrix->channels; channel++, weights += matrix->row) {
                int32_t sum = matrix->bias[channel];
                for (i = 0; i < matrix->size; i++) {
                    sum += values[i] * weights[i];
                }
                *output++ = requantize(sum, matrix->multiplier[channel], matrix->shift[channel],
                                       matrix->output_zero_point, matrix->low, matrix->high);
            }
        }
    }
}
{% else %}
#ifdef USE_MVE
static void convolve(const convolution_t *layer, const int8_t *input, int8_t *output, int32_t *scratch)
{
    const window_t *const window = &layer->window;
    const matrix_t *const matrix = &layer->matrix;
    int32_t out_y, out_x;
    for (out_y = 0; out_y < window->out_height; out_y++) {
        for (out_x = 0; out_x < window->out_width; out_x++) {
            const int8_t *const values = gather(window, input, out_y, out_x, (int8_t *)scratch);
            multiply_matrix(matrix, values, output);
            output += matrix->channels;
        }
    }
}
#elif defined(USE_DSP)
/* Compute the sums of three positions and two channels: 22 instructions for 24 multiply-accumulates. values: as
 * `spread` writes them. r0, r1: weights of the two channels; r2, r3: values and their end; r4 to r9: sums. */
static void multiply_3x2(const int8_t *weights_a, const int8_t *weights_b, const int32_t *values,
                         const int32_t *end, int32_t *sums)
{
    register const int8_t *r0 __asm__("r0") = weights_a;
    register const int8_t *r1 __asm__("r1") = weights_b;
    register const int32_t *r2 __asm__("r2") = values;
    register const int32_t *r3 __asm__("r3") = end;
    register int32_t *r12 __asm__("r12") = sums;
    __asm__ volatile(
        "push {r4-r12}\n"
        "movs r4, #0\n"
        "movs r5, #0\n"
        "movs r6, #0\n"
        "movs r7, #0\n"
        "mov r8, r4\n"
        "mov r9, r4\n"
        "1:\n"
        "ldm r2!, {r10-r12}\n"
        "ldr lr, [r0]\n"
        "sxtb16 lr, lr\n"
        "smlad r4, lr, r10, r4\n"
        "smlad r5, lr, r11, r5\n"
        "smlad r6, lr, r12, r6\n"
        "ldr lr, [r1]\n"
        "sxtb16 lr, lr\n"
        "smlad r7, lr, r10, r7\n"
        "smlad r8, lr, r11, r8\n"
        "smlad r9, lr, r12, r9\n"
        "ldm r2!, {r10-r12}\n"
        "ldr lr, [r0], #4\n"
        "sxtb16 lr, lr, ror #8\n"
        "smlad r4, lr, r10, r4\n"
        "smlad r5, lr, r11, r5\n"
        "smlad r6, lr, r12, r6\n"
        "ldr lr, [r1], #4\n"
        "sxtb16 lr, lr, ror #8\n"
        "smlad r7, lr, r10, r7\n"
        "smlad r8, lr, r11, r8\n"
        "smlad r9, lr, r12, r9\n"
        "cmp r2, r3\n"
        "bne 1b\n"
        "ldr r12, [sp, #32]\n"
        "stm r12, {r4-r9}\n"
        "pop {r4-r12}\n"
        : "+r"(r0), "+r"(r1), "+r"(r2), "+r"(r3), "+r"(r12)
        :
        : "lr", "cc", "memory");
}

/* Sign-extend `count` bytes to 16 bits. Of each four bytes, the first and third fill one word; the second and fourth
 * fill another, three words later. */
static void spread(const int8_t *from, int32_t *words, int32_t count)
{
    const int8_t *const end = from + count;
    for (; from != end; from += 4, words += 6) {
        uint32_t four;
        __builtin_memcpy(&four, from, 4);
        __asm__("sxtb16 %0, %1" : "=r"(words[0]) : "r"(four));
        __asm__("sxtb16 %0, %1, ror #8" : "=r"(words[3]) : "r"(four));
    }
}

/* Compute three positions and two channels at a time. */
static void convolve(const convolution_t *layer, const int8_t *input, int8_t *output, int32_t *scratch)
{
    const window_t *const window = &layer->window;
    const matrix_t *const matrix = &layer->matrix;
    const int32_t channels = matrix->channels, row = matrix->row, zero_point = matrix->output_zero_point;
    const int32_t positions = window->out_height * window->out_width, low = matrix->low, high = matrix->high;
    const int32_t *const end = scratch + 6 * (row / 4);
    int8_t *const window_bytes = (int8_t *)(scratch + 6 * (row / 4));
    int32_t position, number, out_y = 0, out_x = 0;
    for (position = 0; position < positions; position += 3) {
        const int8_t *weights = matrix->weights;
        const int32_t second = position + 1 < positions ? channels : 0;
        const int32_t third = position + 2 < positions ? second + channels : 0;
        for (number = 0; number < 3 && position + number < positions; number++) {
            const int8_t *values = gather(window, input, out_y, out_x, window_bytes);
            if (matrix->size != row && values != window_bytes) {
                put_bytes(window_bytes, values, matrix->size);
                values = window_bytes;
            }
            spread(values, scratch + number, row);
            if (++out_x == window->out_width) {
                out_x = 0;
                out_y++;
            }
        }
        for (number = 0; number < channels; number += 2, output += 2) {
            const int32_t other = number + 1 < channels;
            int32_t sums[6], bias, multiplier, shift;
            multiply_3x2(weights, weights + other * row, scratch, end, sums);
            weights += 2 * row;
            /* Results beyond the last position or channel are written first, then overwritten. */
            bias = matrix->bias[number + other];
            multiplier = matrix->multiplier[number + other];
            shift = matrix->shift[number + other];
            output[third + other] = requantize(sums[5] + bias, multiplier, shift, zero_point, low, high);
            output[second + other] = requantize(sums[4] + bias, multiplier, shift, zero_point, low, high);
            output[other] = requantize(sums[3] + bias, multiplier, shift, zero_point, low, high);
            bias = matrix->bias[number];
            multiplier = matrix->multiplier[number];
            shift = matrix->shift[number];
            output[third] = requantize(sums[2] + bias, multiplier, shift, zero_point, low, high);
            output[second] = requantize(sums[1] + bias, multiplier, shift, zero_point, low, high);
            output[0] = requantize(sums[0] + bias, multiplier, shift, zero_point, low, high);
        }
        output += third + channels - number;
    }
}
#else
/* Compute two positions and two channels at a time. */
static void convolve(const convolution_t *layer, const int8_t *input, int8_t *output, int32_t *scratch)
{
    const window_t *const window = &layer->window;
    const matrix_t *const matrix = &layer->matrix;
    const int32_t channels = matrix->channels, size = matrix->size, row = matrix->row;
    const int32_t positions = window->out_height * window->out_width;
    const int32_t zero_point = matrix->output_zero_point, low = matrix->low, high = matrix->high;
    int8_t *const window_bytes = (int8_t *)scratch;
    int32_t position, number, i, out_y = 0, out_x = 0;
    for (position = 0; position < positions; position += 2) {
        const int32_t second = position + 1 < positions ? channels : 0;
        const int8_t *values[2], *weights = matrix->weights;
        for (number = 0; number < 2 && position + number < positions; number++) {
            values[number] = gather(window, input, out_y, out_x, window_bytes + number * size);
            if (++out_x == window->out_width) {
                out_x = 0;
                out_y++;
            }
        }
        if (!second) {
            values[1] = values[0];
        }
        for (number = 0; number < channels; number += 2, output += 2, weights += 2 * row) {
            const int32_t other = number + 1 < channels;
            const int8_t *a = weights, *b = weights + other * row, *x = values[0], *y = values[1];
            int32_t xa = matrix->bias[number], ya = xa, xb = matrix->bias[number + other], yb = xb;
            int32_t multiplier = matrix->multiplier[number + other], shift = matrix->shift[number + other];
            for (i = size; i > 0; i--) {
                const int32_t from_x = *x++, from_y = *y++, from_a = *a++, from_b = *b++;
                xa += from_x * from_a;
                xb += from_x * from_b;
                ya += from_y * from_a;
                yb += from_y * from_b;
            }
            /* Results beyond the last position or channel are written first, then overwritten. */
            output[second + other] = requantize(yb, multiplier, shift, zero_point, low, high);
            output[other] = requantize(xb, multiplier, shift, zero_point, low, high);
            multiplier = matrix->multiplier[number];
            shift = matrix->shift[number];
            output[second] = requantize(ya, multiplier, shift, zero_point, low, high);
            output[0] = requantize(xa, multiplier, shift, zero_point, low, high);
        }
        output += second + channels - number;
    }
}
#endif
{% endif %}
