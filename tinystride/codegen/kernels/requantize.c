/* From a sum of products to int8: `scale` by the channel's factor, add the zero point, clamp. */
{% if exact_halves %}
#if defined(__ARM_FEATURE_DSP) && !defined(TINYSTRIDE_PLAIN_C)
static inline int8_t requantize(int32_t sum, int32_t multiplier, int32_t shift, int32_t zero_point, int32_t low,
                                int32_t high)
{
    /* The high word of 2^32 * half + 2 * sum * multiplier + 2^31 is the rounded product plus half the divisor;
     * one less rounds negative values away from zero. */
    const int32_t twice = 2 * sum, right = -shift;
    int32_t value = (int32_t)(((uint32_t)1 << right) >> 1);
    __asm__("smmlar %0, %1, %2, %0" : "+r"(value) : "r"(twice), "r"(multiplier));
    value = ((value + ((twice & shift) >> 31)) >> right) + zero_point;
{% if full_range %}
    (void)low;
    (void)high;
    __asm__("ssat %0, #8, %0" : "+r"(value));
    return (int8_t)value;
{% else %}
    return (int8_t)clamp(value, low, high);
{% endif %}
}
#else
{% endif %}
static inline int8_t requantize(int32_t sum, int32_t multiplier, int32_t shift, int32_t zero_point, int32_t low,
                                int32_t high)
{
    return (int8_t)clamp(scale(sum, multiplier, shift) + zero_point, low, high);
}
{% if exact_halves %}
#endif
{% endif %}

#if defined(__ARM_FEATURE_MVE) && !defined(TINYSTRIDE_PLAIN_C)
/* The same for `count` sums of as many channels, four at a time. */
static void requantize_row(const int32_t *sums, int32_t count, const int32_t *multiplier, const int8_t *shift,
                           int32_t zero_point, int32_t low, int32_t high, int8_t *output)
{
    const int32x4_t lows = vdupq_n_s32(low), highs = vdupq_n_s32(high);
    __asm__ volatile(
        "dlstp.32 lr, %[count]\n"
        "1:\n"
        "vldrw.32 q0, [%[sums]], #16\n"
        "vldrw.32 q1, [%[multiplier]], #16\n"
        "vldrb.s32 q2, [%[shift]], #4\n"
{% if left_shifts %}
        "vmov.i32 q3, #0\n"
        "vmax.s32 q3, q2, q3\n"
        "vsub.i32 q2, q2, q3\n"
        "vshl.s32 q0, q0, q3\n"
{% endif %}
        "vqrdmulh.s32 q0, q0, q1\n"
        "vand q1, q0, q2\n"
        "vshr.s32 q1, q1, #31\n" /* right shifts round halves up: one less for those of negative values */
        "vadd.i32 q0, q0, q1\n"
        "vrshl.s32 q0, q0, q2\n"
        "vadd.i32 q0, q0, %[zero_point]\n"
        "vmax.s32 q0, q0, %q[lows]\n"
        "vmin.s32 q0, q0, %q[highs]\n"
        "vstrb.32 q0, [%[output]], #4\n"
        "letp lr, 1b\n"
        : [sums] "+r"(sums), [multiplier] "+r"(multiplier), [shift] "+r"(shift), [output] "+r"(output)
        : [count] "r"(count), [zero_point] "r"(zero_point), [lows] "w"(lows), [highs] "w"(highs)
        : "lr", "q0", "q1", "q2", "q3", "memory");
}
#endif
