/* The platform on the host: files only; the clock always returns 0. */
#include "platform.h"

#include <stdio.h>
#include <stdlib.h>

#define FILES 8

static FILE *files[FILES];
static uint32_t opened;

void clock_start(void)
{
}

uint64_t clock_ticks(void)
{
    return 0;
}

uint32_t file_open(const char *name, uint32_t length, uint32_t mode)
{
    (void)length;
    if (opened == FILES || (files[opened] = fopen(name, mode == MODE_READ ? "rb" : "wb")) == NULL) {
        exit(EXIT_FILE);
    }
    return opened++;
}

uint32_t file_read(uint32_t handle, void *to, uint32_t size)
{
    return (uint32_t)fread(to, 1, size, files[handle]);
}

void file_write(uint32_t handle, const void *from, uint32_t size)
{
    if (fwrite(from, 1, size, files[handle]) != size) {
        exit(EXIT_FILE);
    }
}
