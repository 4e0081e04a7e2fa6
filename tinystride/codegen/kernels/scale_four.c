/* Apply `scale` to four values at once. */
static inline int32x4_t scale_four(int32x4_t value, int32x4_t multiplier, int32x4_t shift)
{
{% if left_shifts %}
    const int32x4_t zero = vdupq_n_s32(0), right = vminq_s32(shift, zero);
    value = vqrdmulhq_s32(vshlq_s32(value, vmaxq_s32(shift, zero)), multiplier);
{% else %}
    const int32x4_t right = shift;
    value = vqrdmulhq_s32(value, multiplier);
{% endif %}
    /* The right shift rounds half up: subtracting one from negative values rounds their halves down. */
    return vrshlq_s32(vaddq_s32(value, vshrq_n_s32(vandq_s32(value, right), 31)), right);
}
