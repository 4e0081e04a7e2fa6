/* SPDX-License-Identifier: MIT */
/* Run the estimator without an operating system, on a simulated walk of six strides in flash, as sensor counts.
 *
 *     arm-none-eabi-gcc -mcpu=cortex-m4 -mthumb -mfpu=fpv4-sp-d16 -mfloat-abi=hard -std=c99 -Os \
 *         -DSEMIHOSTING -I../../include main.c start.c ../../src/tinystride*.c -nostartfiles -T link.ld -lm -o strides.elf
 *     qemu-system-arm -M mps2-an386 -nographic -semihosting -kernel strides.elf
 *
 * In firmware, let read_sensor() return samples that, for example, the data-ready interrupt of the sensor has queued.
 * Without SEMIHOSTING the program prints nothing; latest_cm holds the length of the last stride.
 */
#include "tinystride.h"

#include "walk.h"

#define ACC_SCALE_MPS2 (16.0f * 9.80665f / 32768.0f)
#define GYR_SCALE_RADPS (2000.0f * 0.01745329f / 32768.0f)

static tinystride_t estimator;
volatile uint32_t strides;
volatile float latest_cm;

/* Return 1 and a sample, or 0 after the last one. */
static int read_sensor(const int16_t **acc, const int16_t **gyr)
{
    static uint32_t next;
    if (next == WALK_SAMPLES) {
        return 0;
    }
    *acc = walk[next];
    *gyr = walk[next] + 3;
    next++;
    return 1;
}

#ifdef SEMIHOSTING
static uint32_t ask_host(uint32_t operation, const void *argument)
{
    register uint32_t r0 __asm("r0") = operation;
    register const void *r1 __asm("r1") = argument;
    __asm volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
}

/* Print a stride as a line such as "123.45 cm, flags 0x000". */
static void print(const tinystride_stride_t *stride)
{
    char line[] = "000.00 cm, flags 0x000\n";
    static const int places[] = {5, 4, 2, 1, 0};
    uint32_t hundredths = (uint32_t)(stride->length_cm * 100.0f + 0.5f), flags = stride->flags;
    int i;
    for (i = 0; i < 5; i++) {
        line[places[i]] = (char)('0' + hundredths % 10u);
        hundredths /= 10u;
    }
    for (i = 0; i < 3; i++) {
        line[21 - i] = "0123456789abcdef"[flags & 15u];
        flags >>= 4;
    }
    ask_host(0x04, line);
}

static void leave(void)
{
    const uint32_t block[2] = {0x20026, 0}; /* application exit */
    ask_host(0x20, block);
}
#else
static void print(const tinystride_stride_t *stride)
{
    (void)stride;
}

static void leave(void)
{
}
#endif

static void count_stride(const tinystride_stride_t *stride)
{
    strides++;
    latest_cm = stride->length_cm;
    print(stride);
}

int main(void)
{
    const int16_t *acc, *gyr;
    tinystride_stride_t stride;
    tinystride_init(&estimator, WALK_RATE_HZ, TINYSTRIDE_RIGHT);
    while (read_sensor(&acc, &gyr)) {
        if (tinystride_push_int16(&estimator, acc, gyr, ACC_SCALE_MPS2, GYR_SCALE_RADPS, &stride) == TINYSTRIDE_STRIDE) {
            count_stride(&stride);
        }
    }
    if (tinystride_finish(&estimator, &stride) == TINYSTRIDE_STRIDE) {
        count_stride(&stride);
    }
    leave();
    for (;;) {
    }
}
