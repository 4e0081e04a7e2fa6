/* SPDX-License-Identifier: MIT */
/* Compare the network with its golden vectors. Print the number of vectors and mismatches; fail on a mismatch. */
#include <stdio.h>
#include <string.h>

#include "tinystride_model.h"

#include "golden_vectors.h"

int main(void)
{
    static int8_t output[TINYSTRIDE_MODEL_OUTPUT_SIZE];
    int vector, mismatches = 0;
    for (vector = 0; vector < GOLDEN_VECTORS; vector++) {
        if (tinystride_model_run(golden_inputs[vector], output) != TINYSTRIDE_MODEL_OK ||
            memcmp(output, golden_outputs[vector], sizeof output) != 0) {
            mismatches++;
        }
    }
    printf("%d vectors, %d mismatches\n", GOLDEN_VECTORS, mismatches);
    return mismatches != 0;
}
