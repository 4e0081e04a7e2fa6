/* Run the estimator on the recordings of a file. Write the strides that it reports, and for each sample a record with
 * ticks and return value. The first record belongs to an empty function and holds the size of the state; the last record
 * holds the stack of the deepest call. */
#include "platform.h"
#include "stack.h"

#include "tinystride.h"

#define SAMPLES_AT_ONCE 64u
#define TICK_OVERFLOW 0xFFFFFFFFu /* more ticks than a record can hold */

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
    uint32_t recording, reported_at_sample, start_sample, end_sample, flags;
    float start_fraction, end_fraction, length_cm;
} report_t;

static tinystride_t state;
static tinystride_stride_t stride;
static float samples[SAMPLES_AT_ONCE][6];
static record_t records[SAMPLES_AT_ONCE];
static uint32_t recordings_file, records_file, strides_file;
static const uint32_t *call_top;

static int do_nothing(tinystride_t *ts, const float *acc_mps2, const float *gyr_radps, tinystride_stride_t *result)
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
    record.ticks = ticks < TICK_OVERFLOW ? (uint32_t)ticks : TICK_OVERFLOW;
    return record;
}

static void write_stride(uint32_t recording, uint32_t sample)
{
    report_t report;
    report.recording = recording;
    report.reported_at_sample = sample;
    report.start_sample = stride.start_sample;
    report.end_sample = stride.end_sample;
    report.flags = stride.flags;
    report.start_fraction = stride.start_fraction;
    report.end_fraction = stride.end_fraction;
    report.length_cm = stride.length_cm;
    file_write(strides_file, &report, sizeof report);
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
                write_stride(number, done + i);
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
    records[0] = measure(do_nothing, samples[0]);
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
