/* A pooling window over [in_height, in_width, channels]; positions outside the input are ignored. */
typedef struct {
    int32_t in_height, in_width, channels, out_height, out_width;
    int32_t height, width, stride_y, stride_x, pad_y, pad_x;
    int32_t low, high;
} pooling_t;
