/* Rescale `size` values: QUANTIZE between 8-bit types, RELU and RELU6. */
typedef struct {
    int32_t size, input_zero_point, multiplier, shift, output_zero_point, low, high;
} rescaling_t;
{% for name, from, to in rescalings %}

static void {{ name }}(const rescaling_t *layer, const {{ from }} *input, {{ to }} *output)
{
    int32_t i;
    for (i = 0; i < layer->size; i++) {
        const int32_t value = scale(input[i] - layer->input_zero_point, layer->multiplier, layer->shift);
        output[i] = ({{ to }})clamp(value + layer->output_zero_point, layer->low, layer->high);
    }
}
{% endfor %}
