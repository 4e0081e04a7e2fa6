/* AVERAGE_POOL_2D, rounded half away from zero. input [in_height, in_width, channels],
 * output [out_height, out_width, channels]. */
static void pool_average(const pooling_t *layer, const int8_t *input, int8_t *output)
{
    int32_t out_y, out_x, channel, y, x;
    for (out_y = 0; out_y < layer->out_height; out_y++) {
        const int32_t top = out_y * layer->stride_y - layer->pad_y;
        const int32_t from_y = max_i32(top, 0), to_y = min_i32(top + layer->height, layer->in_height);
        for (out_x = 0; out_x < layer->out_width; out_x++) {
            const int32_t left = out_x * layer->stride_x - layer->pad_x;
            const int32_t from_x = max_i32(left, 0), to_x = min_i32(left + layer->width, layer->in_width);
            const int32_t count = (to_y - from_y) * (to_x - from_x);
            for (channel = 0; channel < layer->channels; channel++) {
                int32_t sum = 0;
                for (y = from_y; y < to_y; y++) {
                    for (x = from_x; x < to_x; x++) {
                        sum += input[(y * layer->in_width + x) * layer->channels + channel];
                    }
                }
                sum = (sum > 0 ? sum + count / 2 : sum - count / 2) / count;
                *output++ = (int8_t)clamp(sum, layer->low, layer->high);
            }
        }
    }
}
