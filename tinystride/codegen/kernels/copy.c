static void copy(const void *input, void *output, size_t size)
{
    size_t i;
    for (i = 0; i < size; i++) {
        ((char *)output)[i] = ((const char *)input)[i];
    }
}
