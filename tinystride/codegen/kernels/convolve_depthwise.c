/* DEPTHWISE_CONV_2D: input [in_height, in_width, in_channels], weights [height, width, out_channels], output
 * [out_height, out_width, out_channels], `depth_multiplier` outputs for each input channel. `bias` has the
 * input's zero point times the weights taken off; what is outside of the input counts as its zero point. */
typedef struct {
    window_t window;
    int32_t depth_multiplier;
    int32_t output_zero_point, low, high;
    const int8_t *weights;
    const int32_t *bias, *multiplier;
    const int8_t *shift;
} depthwise_t;

/* The taps of a window at one position that lie inside of the input. */
typedef struct {
    const int8_t *values; /* of the tap (from_y, from_x) */
    int32_t from_y, to_y, from_x, to_x;
    int32_t whole; /* all of them */
} taps_t;

/* The first tap inside of [0, size), and the one after the last. */
static void clip(int32_t start, int32_t taps, int32_t dilation, int32_t size, int32_t *from, int32_t *to)
{
    const int32_t last = start + (taps - 1) * dilation;
    *from = start < 0 ? smaller((dilation - 1 - start) / dilation, taps) : 0;
    *to = last < size ? taps : larger((size - start + dilation - 1) / dilation, *from);
}

static taps_t find_taps(const window_t *window, const int8_t *input, int32_t out_y, int32_t out_x)
{
    const int32_t top = out_y * window->stride_y - window->pad_y;
    const int32_t left = out_x * window->stride_x - window->pad_x;
    int32_t in_y, in_x;
    taps_t taps;
    clip(top, window->height, window->dilation_y, window->in_height, &taps.from_y, &taps.to_y);
    clip(left, window->width, window->dilation_x, window->in_width, &taps.from_x, &taps.to_x);
    in_y = top + taps.from_y * window->dilation_y;
    in_x = left + taps.from_x * window->dilation_x;
    taps.whole = taps.to_y - taps.from_y == window->height && taps.to_x - taps.from_x == window->width;
    taps.values = input;
    if (taps.from_y < taps.to_y && taps.from_x < taps.to_x) {
        taps.values += (in_y * window->in_width + in_x) * window->in_channels;
    }
    return taps;
}

/* The sum of one output channel, without its bias. */
static int32_t sum_taps(const depthwise_t *layer, const taps_t *taps, int32_t in_channel, int32_t channel)
{
    const window_t *const window = &layer->window;
    const int32_t depth = window->in_channels, channels = depth * layer->depth_multiplier;
    const int32_t step = window->dilation_x * depth, row = window->dilation_y * window->in_width * depth;
    const int8_t *weight = layer->weights + channel, *values = taps->values + in_channel;
    int32_t sum = 0, outside = 0, y, x;
    for (y = 0; y < window->height; y++) {
        const int32_t inside = y >= taps->from_y && y < taps->to_y, end = inside ? taps->to_x : 0;
        const int8_t *value = values;
        for (x = 0; x < (inside ? taps->from_x : 0); x++, weight += channels) {
            outside += *weight;
        }
        for (; x < end; x++, weight += channels, value += step) {
            sum += *value * *weight;
        }
        for (; x < window->width; x++, weight += channels) {
            outside += *weight;
        }
        values += inside ? row : 0;
    }
    return sum + outside * window->input_zero_point;
}

#if defined(__ARM_FEATURE_MVE) && !defined(TINYSTRIDE_PLAIN_C)
/* Add the products of eight channels, to those with even and odd numbers. */
static inline int32x4x2_t add_products(int32x4x2_t sums, int16x8_t values, int16x8_t weights)
{
    sums.val[0] = vaddq_s32(sums.val[0], vmullbq_int_s16(values, weights));
    sums.val[1] = vaddq_s32(sums.val[1], vmulltq_int_s16(values, weights));
    return sums;
}

/* The sums of eight channels with their own input channels each. */
static inline int32x4x2_t sum_eight(const depthwise_t *layer, const taps_t *taps, int32_t channel)
{
    const window_t *const window = &layer->window;
    const int32_t channels = window->in_channels, step = window->dilation_x * channels, width = window->width;
    const int32_t row = window->dilation_y * window->in_width * channels;
    const int16x8_t outside = vdupq_n_s16((int16_t)window->input_zero_point);
    const int8_t *weight = layer->weights + channel, *values = taps->values + channel;
    int32x4x2_t sums = vld2q_s32(layer->bias + channel);
    int32_t y, x;
    if (taps->whole) {
        for (y = window->height; y > 0; y--, values += row) {
            const int8_t *value = values;
            for (x = width; x > 0; x--, weight += channels, value += step) {
                sums = add_products(sums, vldrbq_s16(value), vldrbq_s16(weight));
            }
        }
        return sums;
    }
    for (y = 0; y < window->height; y++) {
        const int32_t inside = y >= taps->from_y && y < taps->to_y, end = inside ? taps->to_x : 0;
        const int8_t *value = values;
        for (x = inside ? taps->from_x : 0; x > 0; x--, weight += channels) {
            sums = add_products(sums, outside, vldrbq_s16(weight));
        }
        for (x = inside ? end - taps->from_x : 0; x > 0; x--, weight += channels, value += step) {
            sums = add_products(sums, vldrbq_s16(value), vldrbq_s16(weight));
        }
        for (x = width - end; x > 0; x--, weight += channels) {
            sums = add_products(sums, outside, vldrbq_s16(weight));
        }
        values += inside ? row : 0;
    }
    return sums;
}
#elif defined(__ARM_FEATURE_DSP) && !defined(TINYSTRIDE_PLAIN_C)
typedef struct {
    int32_t a, b, c, d; /* of four neighbouring channels */
} four_t;

static inline void add_products(four_t *sums, uint32_t values, uint32_t weights)
{
    int32_t x, w;
    __asm__("sxtb16 %0, %1" : "=r"(x) : "r"(values));
    __asm__("sxtb16 %0, %1" : "=r"(w) : "r"(weights));
    __asm__("smlabb %0, %1, %2, %0" : "+r"(sums->a) : "r"(x), "r"(w));
    __asm__("smlatt %0, %1, %2, %0" : "+r"(sums->c) : "r"(x), "r"(w));
    __asm__("sxtb16 %0, %1, ror #8" : "=r"(x) : "r"(values));
    __asm__("sxtb16 %0, %1, ror #8" : "=r"(w) : "r"(weights));
    __asm__("smlabb %0, %1, %2, %0" : "+r"(sums->b) : "r"(x), "r"(w));
    __asm__("smlatt %0, %1, %2, %0" : "+r"(sums->d) : "r"(x), "r"(w));
}

static inline uint32_t four_bytes(const int8_t *from)
{
    uint32_t four;
    memcpy(&four, from, 4);
    return four;
}

/* The sums of four channels with their own input channels each. */
static inline four_t sum_four(const depthwise_t *layer, const taps_t *taps, int32_t channel)
{
    const window_t *const window = &layer->window;
    const int32_t channels = window->in_channels, step = window->dilation_x * channels;
    const int32_t row = window->dilation_y * window->in_width * channels;
    const uint32_t outside = (uint32_t)(window->input_zero_point & 0xFF) * 0x01010101u;
    const int8_t *weight = layer->weights + channel, *values = taps->values + channel;
    four_t sums = {layer->bias[channel], layer->bias[channel + 1], layer->bias[channel + 2],
                   layer->bias[channel + 3]};
    int32_t y, x;
    for (y = 0; y < window->height; y++) {
        const int32_t inside = y >= taps->from_y && y < taps->to_y, end = inside ? taps->to_x : 0;
        const int8_t *value = values;
        if (end == 3 && taps->from_x == 0 && window->width == 3) {
            add_products(&sums, four_bytes(value), four_bytes(weight));
            add_products(&sums, four_bytes(value + step), four_bytes(weight + channels));
            add_products(&sums, four_bytes(value + 2 * step), four_bytes(weight + 2 * channels));
            weight += 3 * channels;
            values += row;
            continue;
        }
        for (x = 0; x < (inside ? taps->from_x : 0); x++, weight += channels) {
            add_products(&sums, outside, four_bytes(weight));
        }
        for (; x < end; x++, weight += channels, value += step) {
            add_products(&sums, four_bytes(value), four_bytes(weight));
        }
        for (; x < window->width; x++, weight += channels) {
            add_products(&sums, outside, four_bytes(weight));
        }
        values += inside ? row : 0;
    }
    return sums;
}
#endif

static void convolve_depthwise(const depthwise_t *layer, const int8_t *input, int8_t *output)
{
    const window_t *const window = &layer->window;
    const int32_t channels = window->in_channels * layer->depth_multiplier;
    const int32_t zero_point = layer->output_zero_point, low = layer->low, high = layer->high;
    const int32_t *const multiplier = layer->multiplier;
    const int8_t *const shift = layer->shift;
    int32_t out_y, out_x;
    for (out_y = 0; out_y < window->out_height; out_y++) {
        for (out_x = 0; out_x < window->out_width; out_x++) {
            const taps_t taps = find_taps(window, input, out_y, out_x);
            int32_t channel = 0, in_channel, within;
#if defined(__ARM_FEATURE_MVE) && !defined(TINYSTRIDE_PLAIN_C)
            for (; layer->depth_multiplier == 1 && channel + 8 <= channels; channel += 8) {
                const int32x4x2_t sums = sum_eight(layer, &taps, channel), factors = vld2q_s32(multiplier + channel);
                const int16x8_t shifts = vldrbq_s16(shift + channel);
                int32x4_t even = scale_four(sums.val[0], factors.val[0], vmovlbq_s16(shifts));
                int32x4_t odd = scale_four(sums.val[1], factors.val[1], vmovltq_s16(shifts));
                even = vminq_s32(vmaxq_s32(vaddq_n_s32(even, zero_point), vdupq_n_s32(low)), vdupq_n_s32(high));
                odd = vminq_s32(vmaxq_s32(vaddq_n_s32(odd, zero_point), vdupq_n_s32(low)), vdupq_n_s32(high));
                vstrbq_s16(output + channel, vmovntq_s32(vreinterpretq_s16_s32(even), odd));
            }
#elif defined(__ARM_FEATURE_DSP) && !defined(TINYSTRIDE_PLAIN_C)
            for (; layer->depth_multiplier == 1 && channel + 4 <= channels; channel += 4) {
                const four_t sums = sum_four(layer, &taps, channel);
                const int32_t *const m = multiplier + channel;
                const int8_t *const s = shift + channel;
                int8_t *const to = output + channel;
                to[0] = requantize(sums.a, m[0], s[0], zero_point, low, high);
                to[1] = requantize(sums.b, m[1], s[1], zero_point, low, high);
                to[2] = requantize(sums.c, m[2], s[2], zero_point, low, high);
                to[3] = requantize(sums.d, m[3], s[3], zero_point, low, high);
            }
#endif
            in_channel = channel; /* with a depth multiplier other than 1 this is 0 */
            while (channel < channels) {
                for (within = 0; within < layer->depth_multiplier; within++, channel++) {
                    const int32_t sum = sum_taps(layer, &taps, in_channel, channel) + layer->bias[channel];
                    output[channel] = requantize(sum, multiplier[channel], shift[channel], zero_point, low, high);
                }
                in_channel++;
            }
            output += channels;
        }
    }
}
