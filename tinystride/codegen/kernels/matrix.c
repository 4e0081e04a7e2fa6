/* Weights [channels, row], a row holding the `size` weights of a channel and zeros after them. `bias` has the
 * input's zero point times the weights taken off, so that inputs count as they are stored. */
typedef struct {
    int32_t channels, size, row;
    int32_t output_zero_point, low, high;
    const int8_t *weights;
    const int32_t *bias, *multiplier;
    const int8_t *shift;
} matrix_t;

#if defined(__ARM_FEATURE_MVE) && !defined(TINYSTRIDE_PLAIN_C)
/* Sums of `size` values times the weights of the four channels from `number`, 10 instructions for 64
 * multiply-accumulates. Of a channel that is not there comes another's sum. */
static inline int32x4_t multiply_four(const matrix_t *matrix, int32_t number, const int8_t *values)
{
    const int32_t left = matrix->channels - number, row = matrix->row;
    const int8_t *a = matrix->weights + number * row, *b = left > 1 ? a + row : a;
    const int8_t *c = left > 2 ? b + row : b, *d = left > 3 ? c + row : c;
    register int32x4_t sums __asm__("q0");
    __asm__ volatile(
        "movs r4, #0\n"
        "movs r6, #0\n"
        "mov r8, r4\n"
        "mov r10, r4\n"
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
        : [size] "r"(matrix->size)
        : "r4", "r6", "r8", "r10", "lr", "q1", "q2", "q3", "memory");
    return sums;
}

/* Sums of the four channels from `number`, without their biases, to int8: scaled as by `scale`, clamped. */
static inline void requantize_four(const matrix_t *matrix, int32_t number, int32x4_t sums, int8_t *output)
{
    const mve_pred16_t there = vctp32q((uint32_t)(matrix->channels - number));
    const int32x4_t multiplier = vldrwq_z_s32(matrix->multiplier + number, there);
    const int32x4_t shift = vldrbq_z_s32(matrix->shift + number, there);
    int32x4_t value = vaddq_s32(sums, vldrwq_z_s32(matrix->bias + number, there));
    value = scale_four(value, multiplier, shift);
    value = vaddq_n_s32(value, matrix->output_zero_point);
    value = vmaxq_s32(value, vdupq_n_s32(matrix->low));
    value = vminq_s32(value, vdupq_n_s32(matrix->high));
    vstrbq_p_s32(output, value, there);
}
#endif
