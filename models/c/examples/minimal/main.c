/* SPDX-License-Identifier: MIT */
/* Minimal use of the network: fill the input, run, read the output. */
#include "tinystride_model.h"

int main(void)
{
    static int8_t input[TINYSTRIDE_MODEL_INPUT_SIZE];
    static int8_t output[TINYSTRIDE_MODEL_OUTPUT_SIZE];
    return tinystride_model_run(input, output);
}
