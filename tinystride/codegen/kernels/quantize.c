/* QUANTIZE from float: value / scale, rounded half away from zero. */
static void quantize(const float *input, int8_t *output, int32_t size, float step, int32_t zero_point)
{
    int32_t i;
    for (i = 0; i < size; i++) {
        const float steps = input[i] / step;
        /* Beyond these bounds the result is clamped anyway, and the conversion stays defined. */
        const float bounded = steps > 512.0f ? 512.0f : steps < -512.0f ? -512.0f : steps;
        const int32_t rounded = (int32_t)(bounded + (bounded < 0.0f ? -0.5f : 0.5f));
        output[i] = (int8_t)clamp(rounded + zero_point, -128, 127);
    }
}
