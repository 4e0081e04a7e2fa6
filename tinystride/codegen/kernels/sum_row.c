#define CHUNK 64 /* channels computed in one pass */

/* Arguments of `sum_fours`: bias and sum of each channel, and the end of the sums. */
typedef struct {
    const int32_t *bias;
    int32_t *sums, *end;
} fours_t;

/* Compute sums of channels, four at a time; the weights of adjacent channels are `row` bytes apart. 10 instructions
 * for 64 multiply-accumulates. r0, r5, r7, r9: weights of four channels; r11: values; r4, r6, r8, r10: sums. */
static void sum_fours(const int8_t *weights, int32_t row, const int8_t *values, int32_t size, const fours_t *fours)
{
    register const int8_t *r0 __asm__("r0") = weights;
    register int32_t r1 __asm__("r1") = row;
    register const int8_t *r2 __asm__("r2") = values;
    register int32_t r3 __asm__("r3") = size;
    register const fours_t *r12 __asm__("r12") = fours;
    __asm__ volatile(
        "push {r4-r11}\n"
        "ldm r12, {r4-r6}\n"
        "push {r4-r6}\n"
        "1:\n"
        "ldr r9, [sp]\n"
        "ldm r9!, {r4, r6, r8, r10}\n"
        "str r9, [sp]\n"
        "add r5, r0, r1\n"
        "add r7, r5, r1\n"
        "add r9, r7, r1\n"
        "add r12, r9, r1\n"
        "mov r11, r2\n"
        "dlstp.8 lr, r3\n"
        "2:\n"
        "vldrb.8 q0, [r11], #16\n"
        "vldrb.8 q1, [r0], #16\n"
        "vmladava.s8 r4, q0, q1\n"
        "vldrb.8 q2, [r5], #16\n"
        "vmladava.s8 r6, q0, q2\n"
        "vldrb.8 q1, [r7], #16\n"
        "vmladava.s8 r8, q0, q1\n"
        "vldrb.8 q2, [r9], #16\n"
        "vmladava.s8 r10, q0, q2\n"
        "letp lr, 2b\n"
        "mov r0, r12\n"
        "ldrd r9, r12, [sp, #4]\n"
        "stm r9!, {r4, r6, r8, r10}\n"
        "str r9, [sp, #4]\n"
        "cmp r9, r12\n"
        "bne 1b\n"
        "add sp, #12\n"
        "pop {r4-r11}\n"
        : "+r"(r0), "+r"(r1), "+r"(r2), "+r"(r3), "+r"(r12)
        :
        : "lr", "cc", "q0", "q1", "q2", "memory");
}

/* Compute the sums of `count` channels, beginning with channel `number`. */
static void sum_row(const matrix_t *matrix, const int8_t *values, int32_t number, int32_t count, int32_t *sums)
{
    const int32_t row = matrix->row, size = matrix->size, *const bias = matrix->bias + number;
    const int8_t *const weights = matrix->weights + number * row;
    fours_t fours;
    int32_t channel = count & ~3;
    fours.bias = bias;
    fours.sums = sums;
    fours.end = sums + channel;
    if (channel > 0) {
        sum_fours(weights, row, values, size, &fours);
    }
    for (; channel < count; channel++) { /* row distance 0: the same channel four times */
        const int32_t begun[4] = {bias[channel], 0, 0, 0};
        int32_t same[4];
        fours.bias = begun;
        fours.sums = same;
        fours.end = same + 4;
        sum_fours(weights + channel * row, 0, values, size, &fours);
        sums[channel] = same[0];
    }
}
