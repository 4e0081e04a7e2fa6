/* Multiply the matrix with `values` and convert the sums to int8. */
static void multiply_matrix(const matrix_t *matrix, const int8_t *values, int8_t *output)
{
    int32_t sums[CHUNK], number;
    for (number = 0; number < matrix->channels; number += CHUNK) {
        const int32_t left = matrix->channels - number, count = left < CHUNK ? left : CHUNK;
        sum_row(matrix, values, number, count, sums);
        requantize_row(sums, count, matrix->multiplier + number, matrix->shift + number, matrix->output_zero_point,
                       matrix->low, matrix->high, output + number);
    }
}
