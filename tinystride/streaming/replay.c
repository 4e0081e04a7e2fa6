/* Run the estimator on a whole recording, on the host. */
#include "tinystride.h"

#include <stddef.h>

/* Return the number of strides; -1 if rate_hz or foot is invalid. The first `capacity` strides are written to `strides`.
 * samples: [n][6] acc in m/s^2, gyr in rad/s; lost: [n] number of samples that are missing before each sample;
 * full scales in m/s^2 and rad/s, 0 if unknown. */
ptrdiff_t replay(float rate_hz, int foot, float acc_full_scale, float gyr_full_scale, size_t n,
                 const float *samples, const uint32_t *lost, size_t capacity, tinystride_stride_t *strides);

ptrdiff_t replay(float rate_hz, int foot, float acc_full_scale, float gyr_full_scale, size_t n,
                 const float *samples, const uint32_t *lost, size_t capacity, tinystride_stride_t *strides)
{
    static tinystride_t ts;
    tinystride_stride_t stride;
    size_t found = 0;
    if (tinystride_init(&ts, rate_hz, foot) != TINYSTRIDE_OK ||
        tinystride_set_full_scale(&ts, acc_full_scale, gyr_full_scale) != TINYSTRIDE_OK) {
        return -1;
    }
    for (size_t i = 0; i <= n; ++i) {
        if (i < n && lost[i]) {
            (void)tinystride_gap(&ts, lost[i]);
        }
        const int status = i < n ? tinystride_push(&ts, samples + 6 * i, samples + 6 * i + 3, &stride)
                                 : tinystride_finish(&ts, &stride);
        if (status == TINYSTRIDE_STRIDE) {
            if (found < capacity) {
                strides[found] = stride;
            }
            ++found;
        }
    }
    return (ptrdiff_t)found;
}
