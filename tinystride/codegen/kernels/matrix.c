/* Weights [channels, row]: each row holds the `size` weights of a channel, padded with zeros.
 * bias: minus the input's zero point times the weights, so that inputs are used as they are stored. */
typedef struct {
    int32_t channels, size, row;
    int32_t output_zero_point, low, high;
    const int8_t *weights;
    const int32_t *bias, *multiplier;
    const int8_t *shift;
} matrix_t;
