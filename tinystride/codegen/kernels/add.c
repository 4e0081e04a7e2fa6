/* Add two tensors of `size` values: scale both to a common fine scale, add them, scale the sum to the output. */
typedef struct {
    int32_t size;
    int32_t zero_point_a, multiplier_a, shift_a;
    int32_t zero_point_b, multiplier_b, shift_b;
    int32_t zero_point, multiplier, shift, low, high;
} addition_t;

static void add(const addition_t *layer, const int8_t *a, const int8_t *b, int8_t *output)
{
    int32_t i = 0;
#ifdef USE_MVE
    for (; i + 4 <= layer->size; i += 4) {
        const int32x4_t from_a = vshlq_n_s32(vsubq_n_s32(vldrbq_s32(a + i), layer->zero_point_a), 20);
        const int32x4_t from_b = vshlq_n_s32(vsubq_n_s32(vldrbq_s32(b + i), layer->zero_point_b), 20);
        const int32x4_t fine = vaddq_s32(
            scale_four(from_a, vdupq_n_s32(layer->multiplier_a), vdupq_n_s32(layer->shift_a)),
            scale_four(from_b, vdupq_n_s32(layer->multiplier_b), vdupq_n_s32(layer->shift_b)));
        const int32x4_t sum = scale_four(fine, vdupq_n_s32(layer->multiplier), vdupq_n_s32(layer->shift));
        const int32x4_t value = vmaxq_s32(vaddq_n_s32(sum, layer->zero_point), vdupq_n_s32(layer->low));
        vstrbq_s32(output + i, vminq_s32(value, vdupq_n_s32(layer->high)));
    }
#endif
    for (; i < layer->size; i++) {
        const int32_t from_a = (a[i] - layer->zero_point_a) * (1 << 20);
        const int32_t from_b = (b[i] - layer->zero_point_b) * (1 << 20);
        const int32_t fine = scale(from_a, layer->multiplier_a, layer->shift_a) +
                             scale(from_b, layer->multiplier_b, layer->shift_b);
        const int32_t sum = scale(fine, layer->multiplier, layer->shift);
        output[i] = (int8_t)clamp(sum + layer->zero_point, layer->low, layer->high);
    }
}
