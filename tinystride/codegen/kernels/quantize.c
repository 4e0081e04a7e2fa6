/* Convert float to int8: value / scale, rounded half away from zero. Values outside the range, infinity included, give
 * the nearest int8; NaN gives the zero point, as with the conversion of Arm's floating-point units. */
static void quantize(const float *input, int8_t *output, int32_t size, float step, int32_t zero_point)
{
    int32_t i;
    for (i = 0; i < size; i++) {
        const float steps = input[i] / step;
        int32_t whole = 0;
        if (steps >= 512.0f) {
            whole = 512;
        } else if (steps <= -512.0f) {
            whole = -512;
        } else if (steps == steps) {
            whole = (int32_t)steps;
            whole += (steps - (float)whole >= 0.5f) - (steps - (float)whole <= -0.5f);
        }
        output[i] = (int8_t)clamp(whole + zero_point, -128, 127);
    }
}
