/* SOFTMAX over the last axis: input and output [rows, depth]. exponentials [count]: e^-d times 2^31 for a value d steps
 * below the maximum of the row; for larger d the exponential is 0. */
typedef struct {
    int32_t rows, depth, count;
    const int32_t *exponentials;
} softmax_t;

/* Return a * b / 2^31, rounded to the nearest. */
static int32_t high_product(int32_t a, int32_t b)
{
    return (int32_t)(((int64_t)a * b + (1 << 30)) >> 31);
}

static void softmax(const softmax_t *layer, const int8_t *input, int8_t *output)
{
    const int32_t depth = layer->depth;
    int32_t row, i;
    for (row = 0; row < layer->rows; row++) {
        int32_t maximum = -128, sum = 0, bits = 0, half, inverse;
        for (i = 0; i < depth; i++) {
            maximum = input[i] > maximum ? input[i] : maximum;
        }
        for (i = 0; i < depth; i++) {
            if (maximum - input[i] < layer->count) {
                const int32_t exponential = layer->exponentials[maximum - input[i]];
                sum += (exponential >> 12) + ((exponential >> 11) & 1);
            }
        }
        while (sum < 1 << 30) { /* normalize: the true sum is `sum` * 2^(12 - bits) */
            sum *= 2;
            bits++;
        }
        /* Compute 1 / sum by Newton's method; `inverse` has two integer bits, `half` has none. */
        half = sum;
        inverse = 1515870810 + high_product(half, -1010580540);
        for (i = 0; i < 3; i++) {
            inverse += high_product(inverse, (1 << 29) - high_product(half, inverse)) * 4;
        }
        inverse = inverse > 0x3FFFFFFF ? 0x7FFFFFFF : inverse * 2;
        for (i = 0; i < depth; i++) {
            int32_t value = -128;
            if (maximum - input[i] < layer->count) {
                const int32_t shift = 34 - bits;
                const int32_t product = high_product(inverse, layer->exponentials[maximum - input[i]]);
                value += (int32_t)((product + ((int64_t)1 << (shift - 1))) >> shift);
                value = value > 127 ? 127 : value;
            }
            output[i] = (int8_t)value;
        }
        input += depth;
        output += depth;
    }
}
