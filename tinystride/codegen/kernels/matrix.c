/* Weights [channels, row], a row holding the `size` weights of a channel and zeros after them. `bias` has the
 * input's zero point times the weights taken off, so that inputs count as they are stored. */
typedef struct {
    int32_t channels, size, row;
    int32_t output_zero_point, low, high;
    const int8_t *weights;
    const int32_t *bias, *multiplier;
    const int8_t *shift;
} matrix_t;
