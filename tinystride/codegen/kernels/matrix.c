/* Weights [channels, row], a row holding the `size` weights of a channel and zeros after them. `bias` has the
 * input's zero point times the weights taken off, so that inputs count as they are stored; it is filled up to
 * fours. */
typedef struct {
    int32_t channels, size, row;
    int32_t output_zero_point, low, high;
    const int8_t *weights;
    const int32_t *bias, *multiplier;
    const int8_t *shift;
} matrix_t;

#if defined(__ARM_FEATURE_MVE) && !defined(TINYSTRIDE_PLAIN_C)
#define CHUNK 64 /* channels whose sums are kept at a time */

/* Sums of the matrix times `values` of `count` channels from `number`, a multiple of four: four at a time,
 * 10 instructions for 64 multiply-accumulates. Channels that are not there have the weights of others. */
static inline void sum_row(const matrix_t *matrix, const int8_t *values, int32_t number, int32_t count, int32_t *sums)
{
    const int32_t *bias = matrix->bias + number, size = matrix->size, row = matrix->row;
    const int8_t *weights = matrix->weights + number * row;
    for (; count > 0; count -= 4) {
        const int8_t *x = values, *a = weights, *b = a + row, *c = b + row, *d = c + row;
        if (count < 4) {
            b = count > 1 ? b : a;
            c = count > 2 ? c : a;
            d = a;
        }
        weights = d + row;
        __asm__ volatile(
            "ldm %[bias]!, {r4, r6, r8, r10}\n"
            "dlstp.8 lr, %[size]\n"
            "1:\n"
            "vldrb.8 q0, [%[x]], #16\n"
            "vldrb.8 q1, [%[a]], #16\n"
            "vmladava.s8 r4, q0, q1\n"
            "vldrb.8 q2, [%[b]], #16\n"
            "vmladava.s8 r6, q0, q2\n"
            "vldrb.8 q1, [%[c]], #16\n"
            "vmladava.s8 r8, q0, q1\n"
            "vldrb.8 q2, [%[d]], #16\n"
            "vmladava.s8 r10, q0, q2\n"
            "letp lr, 1b\n"
            "stm %[sums]!, {r4, r6, r8, r10}\n"
            : [x] "+r"(x), [a] "+r"(a), [b] "+r"(b), [c] "+r"(c), [d] "+r"(d), [bias] "+r"(bias), [sums] "+r"(sums)
            : [size] "r"(size)
            : "r4", "r6", "r8", "r10", "lr", "q0", "q1", "q2", "memory");
    }
}

/* The product of the matrix with `values`, to int8. */
static void multiply_matrix(const matrix_t *matrix, const int8_t *values, int8_t *output)
{
    int32_t sums[CHUNK], number;
    for (number = 0; number < matrix->channels; number += CHUNK) {
        const int32_t left = matrix->channels - number, count = left < CHUNK ? left : CHUNK;
        sum_row(matrix, values, number, count, sums);
        requantize_row(sums, count, matrix->multiplier + number, matrix->shift + number, matrix->output_zero_point,
                       matrix->low, matrix->high, output + number);
    }
}
#endif
