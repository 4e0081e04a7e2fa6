/* Return value * multiplier / 2^31 * 2^shift, rounded twice as TensorFlow Lite for Microcontrollers does:
 * the doubling high product to the nearest, then the right shift to the nearest, half away from zero. */
static int32_t scale(int32_t value, int32_t multiplier, int32_t shift)
{
    const int32_t shifted = shift > 0 ? (int32_t)((uint32_t)value << shift) : value;
    const int32_t high = (int32_t)(((int64_t)shifted * multiplier + (1 << 30)) >> 31);
    const int32_t right = shift < 0 ? -shift : 0;
    const int32_t mask = (int32_t)(((uint32_t)1 << right) - 1);
    return (high >> right) + ((high & mask) > (mask >> 1) + (high < 0));
}
