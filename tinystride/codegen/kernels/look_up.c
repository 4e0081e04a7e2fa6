/* Apply a function of one int8: `table` holds its values for -128 to 127. */
static void look_up(const int8_t *table, const int8_t *input, int8_t *output, int32_t size)
{
    int32_t i;
    for (i = 0; i < size; i++) {
        output[i] = table[input[i] + 128];
    }
}
