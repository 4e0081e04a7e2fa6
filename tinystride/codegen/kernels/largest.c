/* REDUCE_MAX over the middle axis. input [outer, count, inner], output [outer, inner]. */
static void largest(const int8_t *input, int8_t *output, int32_t outer, int32_t count, int32_t inner)
{
    int32_t i, j;
    for (; outer > 0; outer--, input += count * inner) {
        for (i = 0; i < inner; i++) {
            int32_t most = input[i];
            for (j = 1; j < count; j++) {
                most = input[j * inner + i] > most ? input[j * inner + i] : most;
            }
            *output++ = (int8_t)most;
        }
    }
}
