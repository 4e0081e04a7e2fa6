static void fill(void *output, int32_t value, size_t size)
{
    size_t i;
    for (i = 0; i < size; i++) {
        ((int8_t *)output)[i] = (int8_t)value;
    }
}
