/* Run a network on the inputs of a file. Write its outputs to another file, and for each run a record: ticks of the clock
 * and bytes of stack, 64 bits each. The first record belongs to an empty function. */
#include "platform.h"
#include "stack.h"

#include "model.h"

#ifdef MODEL_STATE_BYTES
static model_state_t state;
#define STATE &state,
typedef int run_t(model_state_t *state, const MODEL_INPUT_TYPE *input, MODEL_OUTPUT_TYPE *output);
#else
#define STATE
typedef int run_t(const MODEL_INPUT_TYPE *input, MODEL_OUTPUT_TYPE *output);
#endif

static MODEL_INPUT_TYPE input[MODEL_INPUT_SIZE];
static MODEL_OUTPUT_TYPE output[MODEL_OUTPUT_SIZE];
static struct {
    uint64_t ticks, stack_bytes;
} record;

#ifdef MODEL_STATE_BYTES
static int do_nothing(model_state_t *kept, const MODEL_INPUT_TYPE *in, MODEL_OUTPUT_TYPE *out)
{
    (void)kept;
#else
static int do_nothing(const MODEL_INPUT_TYPE *in, MODEL_OUTPUT_TYPE *out)
{
#endif
    (void)in;
    (void)out;
    return 0;
}

static int __attribute__((noinline)) measure(run_t *volatile run)
{
    uint32_t *const top = stack_pointer();
    uint64_t start;
    int status;
    stack_paint(top);
    start = clock_ticks();
    status = run(STATE input, output);
    record.ticks = clock_ticks() - start;
    record.stack_bytes = stack_bytes(top);
    return status;
}

int main(void)
{
    const uint32_t inputs = file_open("inputs.bin", 10, MODE_READ);
    const uint32_t outputs = file_open("outputs.bin", 11, MODE_WRITE);
    const uint32_t records = file_open("records.bin", 11, MODE_WRITE);
#ifdef MODEL_STATE_BYTES
    model_reset(&state);
#endif
    clock_start();
    measure(do_nothing);
    file_write(records, &record, sizeof record);
    while (file_read(inputs, input, sizeof input) == sizeof input) {
        if (measure(model_run) != 0) {
            return 1;
        }
        file_write(outputs, output, sizeof output);
        file_write(records, &record, sizeof record);
    }
    return 0;
}
