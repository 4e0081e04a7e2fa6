/* Streams the recordings of a file through the estimator. Writes the strides that it tells, and for each sample
 * what it took and returned. The first record is that of a call that does nothing, with the size of the state; the
 * last one is the deepest stack. */
#include "platform.h"
#include "stack.h"

#include "tinystride.h"

#define SAMPLES_AT_ONCE 64u
#define TOO_MANY_TICKS 0xFFFFFFFFu /* the host refuses to take it for a number */

typedef int push_t(tinystride_t *ts, const float acc_mps2[3], const float gyr_radps[3], tinystride_stride_t *stride);

typedef struct {
    float rate_hz, acc_full_scale_mps2, gyr_full_scale_radps;
    int32_t foot;
    uint32_t samples;
} recording_t;

typedef struct {
    uint32_t ticks;
    int32_t status;
} record_t;

typedef struct {
    uint32_t recording, told_at_sample, start_sample, end_sample, flags;
    float start_fraction, end_fraction, length_cm;
} told_t;

static tinystride_t state;
static tinystride_stride_t stride;
static float samples[SAMPLES_AT_ONCE][6];
static record_t records[SAMPLES_AT_ONCE];
static uint32_t recordings_file, records_file, strides_file;
static const uint32_t *call_top;

static int nothing(tinystride_t *ts, const float *acc_mps2, const float *gyr_radps, tinystride_stride_t *result)
{
    (void)ts;
    (void)acc_mps2;
    (void)gyr_radps;
    (void)result;
    return 0;
}

static record_t __attribute__((noinline)) measure(push_t *volatile push, const float *sample)
{
    record_t record;
    uint64_t start, ticks;
    call_top = stack_pointer();
    start = clock_ticks();
    record.status = push(&state, sample, sample + 3, &stride);
    ticks = clock_ticks() - start;
    record.ticks = ticks < TOO_MANY_TICKS ? (uint32_t)ticks : TOO_MANY_TICKS;
    return record;
}

static void tell(uint32_t recording, uint32_t sample)
{
    told_t told;
    told.recording = recording;
    told.told_at_sample = sample;
    told.start_sample = stride.start_sample;
    told.end_sample = stride.end_sample;
    told.flags = stride.flags;
    told.start_fraction = stride.start_fraction;
    told.end_fraction = stride.end_fraction;
    told.length_cm = stride.length_cm;
    file_write(strides_file, &told, sizeof told);
}

static void stream(uint32_t number, uint32_t count)
{
    uint32_t done, taken, i;
    for (done = 0; done < count; done += taken) {
        taken = count - done < SAMPLES_AT_ONCE ? count - done : SAMPLES_AT_ONCE;
        file_read(recordings_file, samples, taken * (uint32_t)sizeof samples[0]);
        for (i = 0; i < taken; i++) {
            records[i] = measure(tinystride_push, samples[i]);
            if (records[i].status == TINYSTRIDE_STRIDE) {
                tell(number, done + i);
            }
        }
        file_write(records_file, records, taken * (uint32_t)sizeof records[0]);
    }
}

int main(void)
{
    uint32_t number;
    recording_t recording;
    recordings_file = file_open("recordings.bin", 14, MODE_READ);
    records_file = file_open("records.bin", 11, MODE_WRITE);
    strides_file = file_open("strides.bin", 11, MODE_WRITE);
    clock_start();
    records[0] = measure(nothing, samples[0]);
    records[0].status = (int32_t)sizeof state;
    file_write(records_file, records, sizeof records[0]);
    stack_paint(stack_pointer());
    for (number = 0; file_read(recordings_file, &recording, sizeof recording) == sizeof recording; number++) {
        if (tinystride_init(&state, recording.rate_hz, recording.foot) != TINYSTRIDE_OK) {
            return 1;
        }
        tinystride_set_full_scale(&state, recording.acc_full_scale_mps2, recording.gyr_full_scale_radps);
        stream(number, recording.samples);
    }
    records[0].ticks = stack_bytes(call_top);
    records[0].status = 0;
    file_write(records_file, records, sizeof records[0]);
    return 0;
}
