/* Start-up of a bare RISC-V core in machine mode: guard, .data and .bss, then main(). */
#include "platform.h"

__asm(".option arch, +zicsr"); /* control and status registers, present on every core */

extern uint32_t data_start[], data_end[], data_in_flash[], bss_start[], bss_end[], stack_limit[];

void start(void);
void reset(void);
int main(void);
void fault_end(uint32_t stack_pointer);

/* Stack of the fault handler, because the program's stack may have overflowed. */
uint32_t fault_stack[64];

void fault_end(uint32_t stack_pointer)
{
    semihosting_exit(stack_pointer < (uint32_t)stack_limit + 64 ? EXIT_STACK : EXIT_FAULT);
}

__attribute__((naked, aligned(4))) static void fault(void)
{
    __asm volatile("mv a0, sp\n"
                   "la sp, fault_stack + 256\n"
                   "j fault_end");
}

/* The board starts execution at the first byte of flash. */
__attribute__((naked, section(".start"), used)) void start(void)
{
    __asm volatile(".option push\n"
                   ".option norelax\n"
                   "la gp, __global_pointer$\n"
                   ".option pop\n"
                   "la sp, stack_top\n"
                   "j reset");
}

/* Protect the 1 MB below the stack, also in machine mode: the board has other memory there. */
static void guard_stack(void)
{
    const uint32_t size = 1u << 20, base = (uint32_t)stack_limit - size;
    const uint32_t region = (base >> 2) | ((size >> 3) - 1);
    __asm volatile("csrw pmpaddr0, %0\n"
                   "csrw pmpcfg0, %1" /* locked, naturally aligned power of two, neither read nor written */
                   :
                   : "r"(region), "r"(0x98));
}

void reset(void)
{
    uint32_t *to = data_start;
    const uint32_t *from = data_in_flash;
    __asm volatile("csrw mtvec, %0" : : "r"(fault));
    guard_stack();
    while (to != data_end) {
        *to++ = *from++;
    }
    for (to = bss_start; to != bss_end; to++) {
        *to = 0;
    }
    semihosting_exit((uint32_t)main());
}

void clock_start(void)
{
}

/* Return the executed instructions; the upper half is read before and after the lower one. */
uint64_t clock_ticks(void)
{
    uint32_t before, low, after;
    __asm volatile("csrr %0, minstreth\n"
                   "csrr %1, minstret\n"
                   "csrr %2, minstreth"
                   : "=&r"(before), "=&r"(low), "=&r"(after));
    return (uint64_t)(low < 0x80000000 ? after : before) << 32 | low;
}

/* The three instructions of a semihosting call must not cross a page boundary. */
__attribute__((naked, noinline, aligned(16))) uint32_t semihosting(uint32_t operation, const void *argument)
{
    __asm volatile(".option push\n"
                   ".option norvc\n"
                   "slli x0, x0, 0x1f\n"
                   "ebreak\n"
                   "srai x0, x0, 7\n"
                   "ret\n"
                   ".option pop");
}
