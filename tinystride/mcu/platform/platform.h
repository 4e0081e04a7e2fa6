/* Services for a program on an emulated bare core: a clock that counts instructions, and files of the host. */
#ifndef PLATFORM_H
#define PLATFORM_H

#include <stdint.h>

/* Return the ticks since clock_start(), 41 bits or more. tinystride/mcu/cores.py converts ticks to instructions. */
void clock_start(void);
uint64_t clock_ticks(void);

uint32_t semihosting(uint32_t operation, const void *argument);
void semihosting_exit(uint32_t status);

/* Exit statuses; emulator.py has a message for each. */
#define EXIT_FAULT 70u
#define EXIT_FILE 71u
#define EXIT_STACK 72u /* stack overflow */

#define MODE_READ 1u  /* "rb" */
#define MODE_WRITE 5u /* "wb" */

uint32_t file_open(const char *name, uint32_t length, uint32_t mode);
uint32_t file_read(uint32_t handle, void *to, uint32_t size);
void file_write(uint32_t handle, const void *from, uint32_t size);

#endif
