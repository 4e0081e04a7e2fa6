/* A window that slides over [in_height, in_width, in_channels]. dilation: steps between taps; pad: steps before the
 * input. */
typedef struct {
    int32_t in_height, in_width, in_channels, out_height, out_width;
    int32_t height, width, stride_y, stride_x, dilation_y, dilation_x, pad_y, pad_x;
    int32_t input_zero_point;
} window_t;
