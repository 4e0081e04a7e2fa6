/* Convert the sums of `count` channels to int8: `scale` each by its factor, add the zero point, clamp. */
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
        "vshr.s32 q1, q1, #31\n" /* right shifts round half up: subtract one from negative values */
        "vadd.i32 q0, q0, q1\n"
        "vrshl.s32 q0, q0, q2\n"
        "vadd.i32 q0, q0, %[zero_point]\n"
        "vmax.s32 q0, q0, %q[lows]\n"
        "vmin.s32 q0, q0, %q[highs]\n"
        "vstrb.32 q0, [%[output]], #4\n"
        "letp lr, 1b\n"
        : [sums] "+r"(sums), [multiplier] "+r"(multiplier), [shift] "+l"(shift), [output] "+l"(output)
        : [count] "r"(count), [zero_point] "r"(zero_point), [lows] "w"(lows), [highs] "w"(highs)
        : "lr", "q0", "q1", "q2", "q3", "memory");
}
