/* REDUCE_MAX over the middle axis. input [outer, count, inner], output [outer, inner]. */
static void reduce_max(const int8_t *input, int8_t *output, int32_t outer, int32_t count, int32_t inner)
{
    int32_t i, j;
    for (; outer > 0; outer--, input += count * inner) {
        for (i = 0; i < inner; i++) {
            int32_t maximum = input[i];
            for (j = 1; j < count; j++) {
                maximum = input[j * inner + i] > maximum ? input[j * inner + i] : maximum;
            }
            *output++ = (int8_t)maximum;
        }
    }
}
