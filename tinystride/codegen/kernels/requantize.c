/* value * multiplier / 2^31 * 2^shift, rounded twice as TensorFlow Lite for Microcontrollers does:
 * the doubling high product to the nearest, the right shift to the nearest and half away from zero. */
static int32_t scale(int32_t value, int32_t multiplier, int32_t shift)
{
    const int32_t left = shift > 0 ? shift : 0;
    const int32_t right = shift > 0 ? 0 : -shift;
    const int64_t product = (int64_t)(int32_t)((uint32_t)value << left) * multiplier;
    const int64_t high = (product + (1 << 30)) >> 31;
    const int64_t half = ((int64_t)1 << right) >> 1;
    return (int32_t)((high + half - (high < 0 && right > 0)) >> right);
}

static int32_t clamp(int32_t value, int32_t low, int32_t high)
{
    return value < low ? low : value > high ? high : value;
}
