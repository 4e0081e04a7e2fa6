/* Start-up of a bare Cortex-M: vector table, coprocessors, .data and .bss, then main(). */
#include "platform.h"

extern uint32_t data_start[], data_end[], data_in_flash[], bss_start[], bss_end[], stack_limit[], stack_top[];

void reset(void);
int main(void);
void fault_end(uint32_t stack_pointer);

/* Stack of the fault handler, because the program's stack may have overflowed. */
uint32_t fault_stack[64];

/* stack_pointer: after the processor has pushed eight words, or has failed to. */
void fault_end(uint32_t stack_pointer)
{
    semihosting_exit(stack_pointer < (uint32_t)stack_limit + 32 ? EXIT_STACK : EXIT_FAULT);
}

__attribute__((naked)) static void fault(void)
{
    __asm volatile("mov r0, sp\n"
                   "ldr r1, =fault_stack + 256\n"
                   "mov sp, r1\n"
                   "ldr r1, =fault_end\n"
                   "bx r1\n"
                   ".pool");
}

__attribute__((section(".vectors"), used)) static void (*const vectors[16])(void) = {
    (void (*)(void))stack_top, reset, fault, fault, fault, fault, fault, 0, 0, 0, 0, fault, fault, 0, fault, fault,
};

/* Protect the 32 MB below the stack; the MPS2 boards would ignore accesses to them. */
static void guard_stack(void)
{
#if defined(__ARM_ARCH_7M__) || defined(__ARM_ARCH_7EM__)
    volatile uint32_t *const unit = (volatile uint32_t *)0xE000ED90; /* memory protection */
    unit[2] = 0;
    unit[3] = (uint32_t)stack_limit - (32u << 20);
    unit[4] = (24u << 1) | 1; /* 2^25 bytes, neither read nor written */
    unit[1] = 5;              /* default access elsewhere */
    __asm volatile("dsb\n isb");
#endif
}

void reset(void)
{
    uint32_t *to = data_start;
    const uint32_t *from = data_in_flash;
    guard_stack();
    while (to != data_end) {
        *to++ = *from++;
    }
    for (to = bss_start; to != bss_end; to++) {
        *to = 0;
    }
#ifdef __ARM_FP
    /* Enable the floating-point unit and, if present, the vector unit. */
    *(volatile uint32_t *)0xE000ED88 |= 0xFu << 20;
    __asm volatile("dsb\n isb");
#endif
    semihosting_exit((uint32_t)main());
}

/* Return a 64-bit count from a fast 32-bit timer and a slow one that ticks once in `period` ticks of the fast one. The
 * lower 32 bits come from the fast timer, the upper ones from the slow one, which is read first; the two differ by less
 * than 2^20 ticks. Takes the same number of instructions every time. */
static inline uint64_t join(uint32_t slow, uint32_t period, uint32_t fast)
{
    const uint64_t before = (uint64_t)slow * period - (1u << 20);
    return before + (uint32_t)(fast - (uint32_t)before);
}

#if defined(CMSDK_TIMER)
/* On the MPS2 boards one timer counts down at 25 MHz, and one counter up at 100 Hz. */
#define TIMER ((volatile uint32_t *)0x40000000)
#define COUNTER_100_HZ (*(volatile uint32_t *)0x40028014)

void clock_start(void)
{
    TIMER[2] = 0xFFFFFFFF;
    TIMER[1] = 0xFFFFFFFF;
    TIMER[0] = 1;
    COUNTER_100_HZ = 0;
}

uint64_t clock_ticks(void)
{
    const uint32_t slow = COUNTER_100_HZ;
    return join(slow, 250000, 0xFFFFFFFF - TIMER[1]);
}
#elif defined(NRF_TIMER)
/* The timers of an nRF51 count up at 16 MHz / 2^prescaler; a write captures the value. */
#define TIMER(number, offset) (*(volatile uint32_t *)(0x40008000 + 0x1000 * (number) + (offset)))

void clock_start(void)
{
    uint32_t number;
    for (number = 0; number < 2; number++) {
        TIMER(number, 0x508) = 3; /* 32 bits */
        TIMER(number, 0x510) = 9 * number;
        TIMER(number, 0x000) = 1;
    }
}

uint64_t clock_ticks(void)
{
    uint32_t slow;
    TIMER(1, 0x040) = 1;
    slow = TIMER(1, 0x540);
    TIMER(0, 0x040) = 1;
    return join(slow, 1u << 9, TIMER(0, 0x540));
}
#else
/* The SSE-300's 64-bit system counter counts up at 32 MHz; the upper word is read before and after the lower one. */
#define COUNTER ((volatile uint32_t *)0x58100000)

void clock_start(void)
{
    COUNTER[0] = 1;
}

uint64_t clock_ticks(void)
{
    const uint32_t before = COUNTER[3], low = COUNTER[2], after = COUNTER[3];
    return (uint64_t)(low < 0x80000000 ? after : before) << 32 | low;
}
#endif

uint32_t semihosting(uint32_t operation, const void *argument)
{
    register uint32_t r0 __asm("r0") = operation;
    register const void *r1 __asm("r1") = argument;
    __asm volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
}
