/* Start-up of a bare core: vector table, coprocessors, .data and .bss, then main(). */
#include "platform.h"

extern uint32_t data_start[], data_end[], data_in_flash[], bss_start[], bss_end[], stack_top[];

void reset(void);
int main(void);

static volatile uint32_t systick_wraps;

static void fault(void)
{
    semihosting_exit(70);
}

static void on_systick(void)
{
    systick_wraps++;
}

__attribute__((section(".vectors"), used)) static void (*const vectors[16])(void) = {
    (void (*)(void))stack_top, reset, fault, fault, fault, fault, fault, 0, 0, 0, 0, fault, fault, 0, fault, on_systick,
};

void reset(void)
{
    uint32_t *to = data_start;
    const uint32_t *from = data_in_flash;
    while (to != data_end) {
        *to++ = *from++;
    }
    for (to = bss_start; to != bss_end; to++) {
        *to = 0;
    }
#ifdef __ARM_FP
    /* Full access to the floating-point unit and, where there is one, the vector unit. */
    *(volatile uint32_t *)0xE000ED88 |= 0xFu << 20;
    __asm volatile("dsb\n isb");
#endif
    semihosting_exit((uint32_t)main());
}

#if defined(CMSDK_TIMER)
/* The 32-bit timer of the MPS2 boards counts down at 25 MHz. */
#define TIMER ((volatile uint32_t *)0x40000000)

void clock_start(void)
{
    TIMER[2] = 0xFFFFFFFF;
    TIMER[1] = 0xFFFFFFFF;
    TIMER[0] = 1;
}

uint32_t clock_ticks(void)
{
    return 0xFFFFFFFF - TIMER[1];
}
#elif defined(NRF_TIMER)
/* The first timer of an nRF51 counts up at 16 MHz, with 32 bits if told so; a write captures its value. */
#define TIMER(offset) (*(volatile uint32_t *)(0x40008000 + (offset)))

void clock_start(void)
{
    TIMER(0x508) = 3;
    TIMER(0x510) = 0;
    TIMER(0x000) = 1;
}

uint32_t clock_ticks(void)
{
    TIMER(0x040) = 1;
    return TIMER(0x540);
}
#else
/* SysTick counts down 24 bits; a few instructions of its handler are counted for each time that they wrap. */
#define SYSTICK ((volatile uint32_t *)0xE000E010)

void clock_start(void)
{
    SYSTICK[1] = 0xFFFFFF;
    SYSTICK[2] = 0;
    SYSTICK[0] = 7;
}

uint32_t clock_ticks(void)
{
    uint32_t wraps, left;
    do {
        wraps = systick_wraps;
        left = SYSTICK[2];
    } while (wraps != systick_wraps);
    return (wraps << 24) + (0xFFFFFF - left);
}
#endif

uint32_t semihosting(uint32_t operation, const void *argument)
{
    register uint32_t r0 __asm("r0") = operation;
    register const void *r1 __asm("r1") = argument;
    __asm volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
}

void semihosting_exit(uint32_t status)
{
    const uint32_t block[2] = {0x20026 /* application exit */, status};
    semihosting(0x20, block);
    for (;;) {
    }
}

uint32_t file_open(const char *name, uint32_t length, uint32_t mode)
{
    const uint32_t block[3] = {(uint32_t)name, mode, length};
    return semihosting(0x01, block);
}

uint32_t file_read(uint32_t handle, void *to, uint32_t size)
{
    const uint32_t block[3] = {handle, (uint32_t)to, size};
    return size - semihosting(0x06, block);
}

void file_write(uint32_t handle, const void *from, uint32_t size)
{
    const uint32_t block[3] = {handle, (uint32_t)from, size};
    if (semihosting(0x05, block) != 0) {
        semihosting_exit(71);
    }
}
