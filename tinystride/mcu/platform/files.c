/* Access files of the host and exit the program, by semihosting. */
#include "platform.h"

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
        semihosting_exit(EXIT_FILE);
    }
}
