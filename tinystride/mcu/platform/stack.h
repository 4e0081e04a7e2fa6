/* Measure the stack of a call: paint the memory below the caller's stack pointer before it, count the overwritten bytes
 * after it. */
#ifndef STACK_H
#define STACK_H

#include <stdint.h>

#define STACK_PAINT 0xA5A5A5A5u

#if defined(__arm__) || defined(__riscv)
extern uint32_t stack_limit[];

static inline uint32_t *stack_pointer(void)
{
    uint32_t *pointer;
#ifdef __arm__
    __asm volatile("mov %0, sp" : "=r"(pointer));
#else
    __asm volatile("mv %0, sp" : "=r"(pointer));
#endif
    return pointer;
}

static inline void stack_paint(const uint32_t *top)
{
    volatile uint32_t *word; /* a call of memset would paint its own frame */
    for (word = stack_limit; word < top; word++) {
        *word = STACK_PAINT;
    }
}

static inline uint32_t stack_bytes(const uint32_t *top)
{
    const volatile uint32_t *word;
    for (word = stack_limit; *word == STACK_PAINT && word < top; word++) {
    }
    return (uint32_t)((uintptr_t)top - (uintptr_t)word);
}
#else
static inline uint32_t *stack_pointer(void)
{
    return 0;
}

static inline void stack_paint(const uint32_t *top)
{
    (void)top;
}

static inline uint32_t stack_bytes(const uint32_t *top)
{
    (void)top;
    return 0;
}
#endif

#endif
