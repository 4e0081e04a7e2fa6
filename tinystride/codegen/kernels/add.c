/* ADD of two tensors of `size` values: both scaled to a common fine scale, added, scaled to the output's. */
typedef struct {
    int32_t size;
    int32_t zero_point_a, multiplier_a, shift_a;
    int32_t zero_point_b, multiplier_b, shift_b;
    int32_t zero_point, multiplier, shift, low, high;
} addition_t;

static void add(const addition_t *layer, const int8_t *a, const int8_t *b, int8_t *output)
{
    int32_t i;
    for (i = 0; i < layer->size; i++) {
        const int32_t from_a = (a[i] - layer->zero_point_a) * (1 << 20);
        const int32_t from_b = (b[i] - layer->zero_point_b) * (1 << 20);
        const int32_t fine = scale(from_a, layer->multiplier_a, layer->shift_a) +
                             scale(from_b, layer->multiplier_b, layer->shift_b);
        const int32_t sum = scale(fine, layer->multiplier, layer->shift);
        output[i] = (int8_t)clamp(sum + layer->zero_point, layer->low, layer->high);
    }
}
