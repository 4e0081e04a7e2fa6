/* Convert int8 to float. */
static void dequantize(const int8_t *input, float *output, int32_t size, float step, int32_t zero_point)
{
    int32_t i;
    for (i = 0; i < size; i++) {
        output[i] = step * (float)(input[i] - zero_point);
    }
}
