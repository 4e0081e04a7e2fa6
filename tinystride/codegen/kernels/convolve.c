/* Any CONV_2D: input [in_height, in_width, in_channels], weights [out_channels, height, width, in_channels],
 * output [out_height, out_width, out_channels]. */
typedef struct {
    int32_t in_height, in_width, in_channels, out_height, out_width, out_channels;
    int32_t height, width, stride_y, stride_x, dilation_y, dilation_x, pad_y, pad_x;
    int32_t input_zero_point, output_zero_point, low, high;
    const int8_t *weights;
    const int32_t *bias, *multiplier;
    const int8_t *shift;
} convolution_t;

static void convolve(const convolution_t *layer, const int8_t *input, int8_t *output)
{
    const int32_t depth = layer->in_channels;
    int32_t out_y, out_x, channel, y, x, i;
    for (out_y = 0; out_y < layer->out_height; out_y++) {
        for (out_x = 0; out_x < layer->out_width; out_x++) {
            const int8_t *weight = layer->weights;
            for (channel = 0; channel < layer->out_channels; channel++) {
                int32_t sum = layer->bias[channel];
                for (y = 0; y < layer->height; y++) {
                    const int32_t in_y = out_y * layer->stride_y - layer->pad_y + y * layer->dilation_y;
                    for (x = 0; x < layer->width; x++, weight += depth) {
                        const int32_t in_x = out_x * layer->stride_x - layer->pad_x + x * layer->dilation_x;
                        if (in_y >= 0 && in_y < layer->in_height && in_x >= 0 && in_x < layer->in_width) {
                            const int8_t *const value = input + (in_y * layer->in_width + in_x) * depth;
                            for (i = 0; i < depth; i++) {
                                sum += (value[i] - layer->input_zero_point) * weight[i];
                            }
                        }
                    }
                }
                sum = scale(sum, layer->multiplier[channel], layer->shift[channel]);
                *output++ = (int8_t)clamp(sum + layer->output_zero_point, layer->low, layer->high);
            }
        }
    }
}
