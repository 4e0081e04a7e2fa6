/* Operators of two tensors that are broadcast to one shape.
 * size: sizes of four nested loops through the output, from the outermost; step_a, step_b: steps of the inputs. */
typedef struct {
    int32_t size[4], step_a[4], step_b[4];
    int32_t zero_point_a, multiplier_a, shift_a;
    int32_t zero_point_b, multiplier_b, shift_b;
    int32_t zero_point, multiplier, shift, low, high;
} broadcast_t;
{% for operation in operations %}

static int32_t {{ operation }}_values(const broadcast_t *layer, int32_t a, int32_t b)
{
{% if operation == "multiply" %}
    const int32_t product = (a - layer->zero_point_a) * (b - layer->zero_point_b);
    return scale(product, layer->multiplier, layer->shift) + layer->zero_point;
{% elif operation in ("add", "subtract") %}
    /* Scale both inputs to a common fine scale, then the result to the output. */
    const int32_t fine_a = scale((a - layer->zero_point_a) * (1 << 20), layer->multiplier_a, layer->shift_a);
    const int32_t fine_b = scale((b - layer->zero_point_b) * (1 << 20), layer->multiplier_b, layer->shift_b);
    const int32_t fine = fine_a {{ "+" if operation == "add" else "-" }} fine_b;
    return scale(fine, layer->multiplier, layer->shift) + layer->zero_point;
{% elif operation == "prelu" %}
    const int32_t value = a - layer->zero_point_a, product = value * (b - layer->zero_point_b);
    const int32_t positive = scale(value, layer->multiplier_a, layer->shift_a);
    return (value < 0 ? scale(product, layer->multiplier, layer->shift) : positive) + layer->zero_point;
{% else %}
    (void)layer;
    return a {{ ">" if operation == "maximum" else "<" }} b ? a : b;
{% endif %}
}

static void {{ operation }}_broadcast(const broadcast_t *layer, const int8_t *a, const int8_t *b, int8_t *output)
{
    const int32_t *const size = layer->size, *const step_a = layer->step_a, *const step_b = layer->step_b;
    int32_t i, j, k, l;
    for (i = 0; i < size[0]; i++) {
        for (j = 0; j < size[1]; j++) {
            for (k = 0; k < size[2]; k++) {
                const int8_t *value_a = a + i * step_a[0] + j * step_a[1] + k * step_a[2];
                const int8_t *value_b = b + i * step_b[0] + j * step_b[1] + k * step_b[2];
                for (l = 0; l < size[3]; l++, value_a += step_a[3], value_b += step_b[3]) {
                    *output++ = (int8_t)clamp({{ operation }}_values(layer, *value_a, *value_b), layer->low, layer->high);
                }
            }
        }
    }
}
{% endfor %}
