static void copy(const int8_t *input, int8_t *output, int32_t size)
{
    int32_t i;
    for (i = 0; i < size; i++) {
        output[i] = input[i];
    }
}
