/* SPDX-License-Identifier: MIT */
/* Print the strides of a recording as the firmware would report them.
 *
 *     replay RECORDING.csv RATE_HZ left|right [ACC_UNIT_MPS2 GYR_UNIT_RADPS]
 *
 * The csv has columns whose names begin with acc and gyr and end with x, y or z, in any order; other columns are
 * ignored, and so are lines above the header and a line of units below it. Units are m/s^2 and rad/s by default; for g
 * and deg/s give 9.80665 0.0174533. A later line without six numbers is a lost sample.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tinystride.h"

#define LINE_BYTES 4096
#define COLUMNS 256

static const char *const flag_names[] = {
    "no-standing", "wrong-foot", "turn",     "climb",        "unusual-duration", "out-of-range",    "not-walking",
    "gap",         "saturated",  "unsteady", "inconsistent", "sensors-disagree", "previous-missing",
};

/* Return the number of a column in acc_x, acc_y, acc_z, gyr_x, gyr_y, gyr_z, or -1. */
static int channel_of(const char *name)
{
    const char *end = name + strcspn(name, ",\r\n");
    char first[3], last;
    int i;
    while (*name == ' ' || *name == '"') {
        name++;
    }
    while (end > name && (end[-1] == ' ' || end[-1] == '"')) {
        end--;
    }
    if (end - name < 4) {
        return -1;
    }
    for (i = 0; i < 3; i++) {
        first[i] = (char)tolower((unsigned char)name[i]);
    }
    last = (char)tolower((unsigned char)end[-1]);
    if (last < 'x' || last > 'z') {
        return -1;
    }
    return memcmp(first, "acc", 3) == 0 ? last - 'x' : memcmp(first, "gyr", 3) == 0 ? 3 + last - 'x' : -1;
}

/* Fill channels [COLUMNS] from a header. Return whether all six channels were found. */
static int read_header(const char *line, int channels[COLUMNS])
{
    int column, found = 0;
    for (column = 0; column < COLUMNS; column++) {
        channels[column] = line != NULL ? channel_of(line) : -1;
        found |= channels[column] >= 0 ? 1 << channels[column] : 0;
        line = line != NULL ? strchr(line, ',') : NULL;
        line = line != NULL ? line + 1 : NULL;
    }
    return found == 63;
}

/* Fill the sample [6] from a line. Return whether all six numbers were found. */
static int read_sample(const char *line, const int channels[COLUMNS], const float units[2], float sample[6])
{
    int column, found = 0;
    for (column = 0; column < COLUMNS && line != NULL; column++) {
        const int channel = channels[column];
        char *end;
        const float value = strtof(line, &end);
        if (channel >= 0 && end != line) {
            sample[channel] = value * units[channel / 3];
            found |= 1 << channel;
        }
        line = strchr(line, ',');
        line = line != NULL ? line + 1 : NULL;
    }
    return found == 63;
}

/* Print a stride as a row of csv. */
static void print_stride(const tinystride_stride_t *stride, float rate_hz)
{
    unsigned flag;
    const char *space = "";
    printf("%.4f,%.4f,%.4f,%.2f,%.2f,", ((double)stride->start_sample + (double)stride->start_fraction) / (double)rate_hz,
           ((double)stride->end_sample + (double)stride->end_fraction) / (double)rate_hz, (double)stride->duration_s,
           (double)stride->length_cm, (double)stride->strapdown_length_cm);
    for (flag = 0; flag < sizeof flag_names / sizeof *flag_names; flag++) {
        if (stride->flags >> flag & 1u) {
            printf("%s%s", space, flag_names[flag]);
            space = " ";
        }
    }
    printf("\n");
}

/* Print the strides of a csv. Return the exit status. */
static int replay(FILE *file, float rate_hz, int foot, const float units[2])
{
    static tinystride_t ts;
    static char line[LINE_BYTES];
    static int channels[COLUMNS];
    tinystride_stride_t stride;
    float sample[6];
    unsigned long samples = 0, strides = 0;
    int warned = 0;
    if (tinystride_init(&ts, rate_hz, foot) != TINYSTRIDE_OK) {
        fprintf(stderr, "the sampling rate must be %g to %g Hz\n", (double)TINYSTRIDE_MIN_RATE_HZ,
                (double)TINYSTRIDE_MAX_RATE_HZ);
        return 1;
    }
    do {
        if (fgets(line, sizeof line, file) == NULL) {
            fprintf(stderr, "no header with acc_x, acc_y, acc_z, gyr_x, gyr_y, gyr_z found\n");
            return 1;
        }
    } while (!read_header(line, channels));
    printf("start_s,end_s,duration_s,stride_length_cm,strapdown_length_cm,flags\n");
    while (fgets(line, sizeof line, file) != NULL) {
        int status;
        if (!read_sample(line, channels, units, sample)) {
            status = samples > 0 ? tinystride_gap(&ts, 1) : TINYSTRIDE_OK;
        } else {
            samples++;
            status = tinystride_push(&ts, sample, sample + 3, &stride);
        }
        if (status == TINYSTRIDE_STRIDE) {
            print_stride(&stride, rate_hz);
            strides++;
        } else if (status == TINYSTRIDE_ERROR_UNITS && !warned) {
            fprintf(stderr, "|acc| at rest is not about 9.81 m/s^2: if no stride follows, give the units\n");
            warned = 1;
        }
    }
    if (tinystride_finish(&ts, &stride) == TINYSTRIDE_STRIDE) {
        print_stride(&stride, rate_hz);
        strides++;
    }
    return warned && strides == 0;
}

int main(int count, char **words)
{
    const int is_left = count > 3 && strcmp(words[3], "left") == 0;
    float units[2] = {1.0f, 1.0f};
    FILE *file;
    int status;
    if ((count != 4 && count != 6) || (!is_left && strcmp(words[3], "right") != 0)) {
        fprintf(stderr, "usage: replay RECORDING.csv RATE_HZ left|right [ACC_UNIT_MPS2 GYR_UNIT_RADPS]\n");
        return 2;
    }
    if (count == 6) {
        units[0] = strtof(words[4], NULL);
        units[1] = strtof(words[5], NULL);
    }
    file = fopen(words[1], "r");
    if (file == NULL) {
        fprintf(stderr, "%s: cannot be opened\n", words[1]);
        return 1;
    }
    status = replay(file, strtof(words[2], NULL), is_left ? TINYSTRIDE_LEFT : TINYSTRIDE_RIGHT, units);
    fclose(file);
    return status;
}
