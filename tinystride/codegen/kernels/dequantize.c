/* DEQUANTIZE to float. */
static void dequantize(const int8_t *input, float *output, int32_t size, float scale_of_input, int32_t zero_point)
{
    int32_t i;
    for (i = 0; i < size; i++) {
        output[i] = scale_of_input * (float)(input[i] - zero_point);
    }
}
