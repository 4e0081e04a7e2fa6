/* MEAN over the middle axis. input [outer, count, inner], output [outer, inner]. */
typedef struct {
    int32_t outer, count, inner;
    int32_t input_zero_point, output_zero_point, multiplier, shift;
} mean_t;

static void average(const mean_t *layer, const int8_t *input, int8_t *output)
{
    int32_t outer, inner, i;
    for (outer = 0; outer < layer->outer; outer++) {
        for (inner = 0; inner < layer->inner; inner++) {
            int32_t sum = -layer->count * layer->input_zero_point;
            for (i = 0; i < layer->count; i++) {
                sum += input[i * layer->inner + inner];
            }
            sum = scale(sum, layer->multiplier, layer->shift) + layer->output_zero_point;
            *output++ = (int8_t)clamp(sum, -128, 127);
        }
        input += layer->count * layer->inner;
    }
}
