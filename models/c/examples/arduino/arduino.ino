// SPDX-License-Identifier: MIT
// Runs the network twice a second and prints its first output and its run time.
#include <tinystride_model.h>

static int8_t input[TINYSTRIDE_MODEL_INPUT_SIZE];
static int8_t output[TINYSTRIDE_MODEL_OUTPUT_SIZE];

void setup() {
  Serial.begin(115200);
}

void loop() {
  const unsigned long start_us = micros();
  const int status = tinystride_model_run(input, output);
  const unsigned long duration_us = micros() - start_us;
  Serial.print(status == TINYSTRIDE_MODEL_OK ? "output " : "error ");
  Serial.print(output[0]);
  Serial.print(", microseconds ");
  Serial.println(duration_us);
  delay(500);
}
