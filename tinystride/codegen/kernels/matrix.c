/* Weights [channels, row], a row holding the `size` weights of a channel and zeros after them. `bias` has the
 * input's zero point times the weights taken off, so that inputs count as they are stored. `bias`, `multiplier`
 * and `shift` are filled up to fours. */
typedef struct {
    int32_t channels, size, row;
    int32_t output_zero_point, low, high;
    const int8_t *weights;
    const int32_t *bias, *multiplier;
    const int8_t *shift;
} matrix_t;

#if defined(__ARM_FEATURE_MVE) && !defined(TINYSTRIDE_PLAIN_C)
/* Four sums of `size` values times the weights a, b, c and d, begun with `bias`: 10 instructions for 64
 * multiply-accumulates. */
static inline int32x4_t multiply_four(const int8_t *values, int32_t size, const int32_t *bias, const int8_t *a,
                                      const int8_t *b, const int8_t *c, const int8_t *d)
{
    register int32x4_t sums __asm__("q0");
    __asm__ volatile(
        "ldm %[bias], {r4, r6, r8, r10}\n"
        "dlstp.8 lr, %[size]\n"
        "1:\n"
        "vldrb.8 q1, [%[values]], #16\n"
        "vldrb.8 q2, [%[a]], #16\n"
        "vmladava.s8 r4, q1, q2\n"
        "vldrb.8 q3, [%[b]], #16\n"
        "vmladava.s8 r6, q1, q3\n"
        "vldrb.8 q2, [%[c]], #16\n"
        "vmladava.s8 r8, q1, q2\n"
        "vldrb.8 q3, [%[d]], #16\n"
        "vmladava.s8 r10, q1, q3\n"
        "letp lr, 1b\n"
        "vmov q0[2], q0[0], r4, r8\n"
        "vmov q0[3], q0[1], r6, r10\n"
        : [sums] "=w"(sums), [values] "+r"(values), [a] "+r"(a), [b] "+r"(b), [c] "+r"(c), [d] "+r"(d)
        : [size] "r"(size), [bias] "r"(bias)
        : "r4", "r6", "r8", "r10", "lr", "q1", "q2", "q3", "memory");
    return sums;
}

/* The product of the matrix with `values`, to int8. */
static void multiply_matrix(const matrix_t *matrix, const int8_t *values, int8_t *output)
{
    const int32_t size = matrix->size, row = matrix->row, zero_point = matrix->output_zero_point;
    const int32x4_t low = vdupq_n_s32(matrix->low), high = vdupq_n_s32(matrix->high);
    const int32_t *bias = matrix->bias, *multiplier = matrix->multiplier;
    const int8_t *weights = matrix->weights, *shift = matrix->shift;
    int32_t left = matrix->channels;
    int32x4_t value;
    for (; left > 0; left -= 4) {
        const int8_t *b = weights + row, *c = b + row, *d = c + row;
        if (left < 4) { /* channels that are not there have the weights of others */
            b = left > 1 ? b : weights;
            c = left > 2 ? c : weights;
            d = weights;
        }
        value = multiply_four(values, size, bias, weights, b, c, d);
        value = scale_four(value, vldrwq_s32(multiplier), vldrbq_s32(shift));
        value = vminq_s32(vmaxq_s32(vaddq_n_s32(value, zero_point), low), high);
        vstrbq_p_s32(output, value, vctp32q((uint32_t)left));
        weights = d + row;
        bias += 4;
        multiplier += 4;
        shift += 4;
        output += 4;
    }
}
#endif
