/* Convert a sum of products to int8: `scale` by the channel's factor, add the zero point, clamp. */
{% if exact_halves %}
#ifdef USE_DSP
static inline int8_t requantize(int32_t sum, int32_t multiplier, int32_t shift, int32_t zero_point, int32_t low,
                                int32_t high)
{
    /* The high word of 2^32 * half + 2 * sum * multiplier + 2^31 is the rounded product plus half the divisor;
     * subtracting one from it rounds negative values away from zero. */
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
