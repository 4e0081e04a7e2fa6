/* MAX_POOL_2D. input [in_height, in_width, channels], output [out_height, out_width, channels]. */
static void pool_max(const pooling_t *layer, const int8_t *input, int8_t *output)
{
    int32_t out_y, out_x, channel, y, x;
    for (out_y = 0; out_y < layer->out_height; out_y++) {
        const int32_t top = out_y * layer->stride_y - layer->pad_y;
        for (out_x = 0; out_x < layer->out_width; out_x++) {
            const int32_t left = out_x * layer->stride_x - layer->pad_x;
            for (channel = 0; channel < layer->channels; channel++) {
                int32_t maximum = -128;
                for (y = max_i32(top, 0); y < min_i32(top + layer->height, layer->in_height); y++) {
                    for (x = max_i32(left, 0); x < min_i32(left + layer->width, layer->in_width); x++) {
                        maximum = max_i32(maximum, input[(y * layer->in_width + x) * layer->channels + channel]);
                    }
                }
                *output++ = (int8_t)clamp(maximum, layer->low, layer->high);
            }
        }
    }
}
