/* Copy bytes in five nested loops, from the outermost. size: sizes of the loops; from, to: steps in input and output. */
typedef struct {
    int32_t size[5], from[5], to[5];
} move_t;

static void move(const move_t *loops, const void *input, void *output)
{
    const int32_t *const size = loops->size, *const from = loops->from, *const to = loops->to;
    int32_t a, b, c, d, e;
    for (a = 0; a < size[0]; a++) {
        for (b = 0; b < size[1]; b++) {
            for (c = 0; c < size[2]; c++) {
                for (d = 0; d < size[3]; d++) {
                    const int8_t *source = (const int8_t *)input;
                    int8_t *target = (int8_t *)output;
                    source += a * from[0] + b * from[1] + c * from[2] + d * from[3];
                    target += a * to[0] + b * to[1] + c * to[2] + d * to[3];
                    for (e = 0; e < size[4]; e++) {
                        target[e * to[4]] = source[e * from[4]];
                    }
                }
            }
        }
    }
}
