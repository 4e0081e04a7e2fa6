#ifdef USE_MVE
static inline int8_t *put_bytes(int8_t *to, const int8_t *from, int32_t count)
{
    int8_t *const end = to + count;
    __asm__ volatile(
        "wlstp.8 lr, %[count], 2f\n"
        "1:\n"
        "vldrb.8 q0, [%[from]], #16\n"
        "vstrb.8 q0, [%[to]], #16\n"
        "letp lr, 1b\n"
        "2:\n"
        : [to] "+r"(to), [from] "+r"(from)
        : [count] "r"(count)
        : "q0", "lr", "memory");
    return end;
}

static inline int8_t *put_value(int8_t *to, int32_t value, int32_t count)
{
    int8_t *const end = to + count;
    __asm__ volatile(
        "vdup.8 q0, %[value]\n"
        "wlstp.8 lr, %[count], 2f\n"
        "1:\n"
        "vstrb.8 q0, [%[to]], #16\n"
        "letp lr, 1b\n"
        "2:\n"
        : [to] "+r"(to)
        : [value] "r"(value), [count] "r"(count)
        : "q0", "lr", "memory");
    return end;
}
#else
static int8_t *put_bytes(int8_t *to, const int8_t *from, int32_t count)
{
    while (count-- > 0) {
        *to++ = *from++;
    }
    return to;
}

static int8_t *put_value(int8_t *to, int32_t value, int32_t count)
{
    while (count-- > 0) {
        *to++ = (int8_t)value;
    }
    return to;
}
#endif

/* Return the values under the window at (out_y, out_x): a pointer into the input if they are contiguous there.
 * Otherwise they are copied to `to`, with the zero point for positions outside the input, and `to` is returned. */
static const int8_t *gather(const window_t *window, const int8_t *input, int32_t out_y, int32_t out_x, int8_t *to)
{
    const int32_t depth = window->in_channels, in_width = window->in_width;
    const int32_t taps = window->dilation_x == 1 ? window->width : 1; /* adjacent in the input */
    const int32_t top = out_y * window->stride_y - window->pad_y;
    const int32_t left = out_x * window->stride_x - window->pad_x;
    int8_t *next = to;
    int32_t y, x;
    if (window->height == 1 && taps == window->width && left >= 0 && left + taps <= in_width && top >= 0 &&
        top < window->in_height) {
        return input + (top * in_width + left) * depth;
    }
    for (y = 0; y < window->height; y++) {
        const int32_t in_y = top + y * window->dilation_y;
        const int32_t covered = in_y >= 0 && in_y < window->in_height ? in_width : 0;
        for (x = 0; x < window->width; x += taps) {
            const int32_t in_x = left + x * window->dilation_x;
            const int32_t before = clamp(-in_x, 0, taps), end = clamp(covered - in_x, before, taps);
            next = put_value(next, window->input_zero_point, before * depth);
            if (end > before) {
                next = put_bytes(next, input + (in_y * in_width + in_x + before) * depth, (end - before) * depth);
            }
            next = put_value(next, window->input_zero_point, (taps - end) * depth);
        }
    }
    return to;
}
