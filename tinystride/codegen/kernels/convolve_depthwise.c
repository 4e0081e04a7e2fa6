/* DEPTHWISE_CONV_2D: input [in_height, in_width, in_channels], weights [height, width, out_channels], output
 * [out_height, out_width, out_channels]. depth_multiplier: outputs per input channel; bias: minus the input's zero
 * point times the weights, so that inputs are used as they are stored. */
typedef struct {
    window_t window;
    int32_t depth_multiplier;
    int32_t output_zero_point, low, high;
    const int8_t *weights;
    const int32_t *bias, *multiplier;
    const int8_t *shift;
} depthwise_t;


/* The window at one position: the first tap of the first channel, and the distances to other taps. */
typedef struct {
    const int8_t *values;
    int32_t step, row; /* from a tap to the next, from a row of taps to the next */
} taps_t;

static taps_t find_taps(const window_t *window, const int8_t *input, int32_t out_y, int32_t out_x, int8_t *scratch)
{
    const int32_t depth = window->in_channels;
    const int32_t top = out_y * window->stride_y - window->pad_y;
    const int32_t left = out_x * window->stride_x - window->pad_x;
    const int32_t bottom = top + (window->height - 1) * window->dilation_y;
    const int32_t right = left + (window->width - 1) * window->dilation_x;
    taps_t taps;
    if (top >= 0 && left >= 0 && bottom < window->in_height && right < window->in_width) {
        taps.values = input + (top * window->in_width + left) * depth;
        taps.step = window->dilation_x * depth;
        taps.row = window->dilation_y * window->in_width * depth;
    } else {
        taps.values = gather(window, input, out_y, out_x, scratch);
        taps.step = depth;
        taps.row = window->width * depth;
    }
    return taps;
}

/* Return the sum of one output channel. */
static int32_t sum_taps(const depthwise_t *layer, const taps_t *taps, int32_t in_channel, int32_t channel)
{
    const int32_t channels = layer->window.in_channels * layer->depth_multiplier;
    const int8_t *weight = layer->weights + channel, *values = taps->values + in_channel;
    int32_t sum = layer->bias[channel], y, x;
    for (y = layer->window.height; y > 0; y--, values += taps->row) {
        const int8_t *value = values;
        for (x = layer->window.width; x > 0; x--, weight += channels, value += taps->step) {
            sum += *value * *weight;
        }
    }
    return sum;
}

#ifdef USE_MVE
#define DEPTHWISE_CHUNK 64 /* channels computed in one pass */

/* Compute the sums of `count` channels (a multiple of eight) from `channel`; each has its own input channel. */
static inline void sum_channels(const depthwise_t *layer, const taps_t *taps, int32_t channel, int32_t count, int32_t *sums)
{
    const int32_t channels = layer->window.in_channels, height = layer->window.height, width = layer->window.width;
    const int32_t step = taps->step, row = taps->row, *bias = layer->bias + channel;
    const int8_t *weights = layer->weights + channel, *inputs = taps->values + channel;
    for (; count > 0; count -= 8, weights += 8, inputs += 8, bias += 8, sums += 8) {
        const int8_t *weight = weights, *values = inputs;
        int32x4x2_t sum = vld2q_s32(bias); /* of even and odd channels */
        int32_t y, x;
        for (y = height; y > 0; y--, values += row) {
            const int8_t *value = values;
            for (x = width; x > 0; x--, weight += channels, value += step) {
                const int16x8_t eight = vldrbq_s16(value), factors = vldrbq_s16(weight);
                sum.val[0] = vaddq_s32(sum.val[0], vmullbq_int_s16(eight, factors));
                sum.val[1] = vaddq_s32(sum.val[1], vmulltq_int_s16(eight, factors));
            }
        }
        vst2q_s32(sums, sum);
    }
}
#elif defined(USE_DSP)
typedef struct {
    int32_t a, b, c, d; /* sums of four adjacent channels */
} four_t;

static inline void add_products(four_t *sums, const int8_t *four_values, const int8_t *four_weights)
{
    uint32_t values, weights;
    int32_t x, w;
    __builtin_memcpy(&values, four_values, 4);
    __builtin_memcpy(&weights, four_weights, 4);
    __asm__("sxtb16 %0, %1" : "=r"(x) : "r"(values));
    __asm__("sxtb16 %0, %1" : "=r"(w) : "r"(weights));
    __asm__("smlabb %0, %1, %2, %0" : "+r"(sums->a) : "r"(x), "r"(w));
    __asm__("smlatt %0, %1, %2, %0" : "+r"(sums->c) : "r"(x), "r"(w));
    __asm__("sxtb16 %0, %1, ror #8" : "=r"(x) : "r"(values));
    __asm__("sxtb16 %0, %1, ror #8" : "=r"(w) : "r"(weights));
    __asm__("smlabb %0, %1, %2, %0" : "+r"(sums->b) : "r"(x), "r"(w));
    __asm__("smlatt %0, %1, %2, %0" : "+r"(sums->d) : "r"(x), "r"(w));
}

/* Return the sums of four channels; each has its own input channel. */
static inline four_t sum_four(const depthwise_t *layer, const taps_t *taps, int32_t channel)
{
    const int32_t channels = layer->window.in_channels, step = taps->step, row = taps->row;
    const int32_t *const bias = layer->bias + channel;
    const int8_t *weight = layer->weights + channel, *values = taps->values + channel;
    four_t sums = {bias[0], bias[1], bias[2], bias[3]};
    int32_t y, x;
    for (y = layer->window.height; y > 0; y--, values += row) {
        const int8_t *value = values;
        for (x = layer->window.width; x >= 3; x -= 3) {
            add_products(&sums, value, weight);
            add_products(&sums, value + step, weight + channels);
            add_products(&sums, value + 2 * step, weight + 2 * channels);
            weight += 3 * channels;
            value += 3 * step;
        }
        for (; x > 0; x--, weight += channels, value += step) {
            add_products(&sums, value, weight);
        }
    }
    return sums;
}
#endif

/* Number of channels computed together if each has its own input channel. */
#ifdef USE_MVE
#define LANES 8
#elif defined(USE_DSP)
#define LANES 4
#endif

static void convolve_depthwise(const depthwise_t *layer, const int8_t *input, int8_t *output, int32_t *scratch)
{
    const window_t *const window = &layer->window;
    const int32_t channels = window->in_channels * layer->depth_multiplier;
    const int32_t zero_point = layer->output_zero_point, low = layer->low, high = layer->high;
    const int32_t *const multiplier = layer->multiplier;
    const int8_t *const shift = layer->shift;
#ifdef LANES
    const int32_t together = layer->depth_multiplier == 1 ? channels & ~(LANES - 1) : 0;
#else
    const int32_t together = 0;
#endif
    int32_t out_y, out_x;
    for (out_y = 0; out_y < window->out_height; out_y++) {
        for (out_x = 0; out_x < window->out_width; out_x++, output += channels) {
            const taps_t taps = find_taps(window, input, out_y, out_x, (int8_t *)scratch);
            int32_t channel, in_channel = together, within = 0; /* `together` is 0 with a depth multiplier */
#ifdef USE_MVE
            for (channel = 0; channel < together; channel += DEPTHWISE_CHUNK) {
                const int32_t count = min_i32(together - channel, DEPTHWISE_CHUNK);
                int32_t sums[DEPTHWISE_CHUNK];
                sum_channels(layer, &taps, channel, count, sums);
                requantize_row(sums, count, multiplier + channel, shift + channel, zero_point, low, high,
                               output + channel);
            }
#elif defined(USE_DSP)
            for (channel = 0; channel < together; channel += 4) {
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
            for (channel = together; channel < channels; channel++) {
                const int32_t sum = sum_taps(layer, &taps, in_channel, channel);
                output[channel] = requantize(sum, multiplier[channel], shift[channel], zero_point, low, high);
                if (++within == layer->depth_multiplier) {
                    within = 0;
                    in_channel++;
                }
            }
        }
    }
}
