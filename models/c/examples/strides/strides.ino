// SPDX-License-Identifier: MIT
// Print every stride of a shoe-worn board: Arduino Nano 33 IoT (LSM6DS3) or Nano 33 BLE Sense Rev2 (BMI270).
// Stand still for one second, then walk.
#include <Wire.h>
#include <tinystride.h>

// Values of one count, from the data sheets. The sketch reads raw counts because versions of the drivers differ in the
// scale of the LSM6DS3's gyroscope (70 mdps per count, not 2000/32768) and in the axes of the BMI270 (some make them
// left-handed).
#if defined(ARDUINO_ARDUINO_NANO33BLE)
#include <Arduino_BMI270_BMM150.h>
#define SENSOR_WIRE Wire1
const uint8_t SENSOR_ADDRESS = 0x68, RANGE_REGISTER = 0x41, RANGE_16_G = 0x03;
const uint8_t ACC_REGISTER = 0x0C, GYR_REGISTER = 0x12;
const float G_PER_COUNT = 1 / 2048.0f, DPS_PER_COUNT = 1 / 16.384f;
#else
#include <Arduino_LSM6DS3.h>
#define SENSOR_WIRE Wire
const uint8_t SENSOR_ADDRESS = 0x6A, RANGE_REGISTER = 0x10, RANGE_16_G = 0x46;  // 104 Hz
const uint8_t ACC_REGISTER = 0x28, GYR_REGISTER = 0x22;
const float G_PER_COUNT = 0.488e-3f, DPS_PER_COUNT = 70e-3f;
#endif

const int FOOT = TINYSTRIDE_RIGHT;
const float MPS2_PER_G = 9.80665f, RADPS_PER_DPS = 0.01745329f;

static tinystride_t estimator;

void read_axes(uint8_t first_register, float unit, float values[3]) {
  SENSOR_WIRE.beginTransmission(SENSOR_ADDRESS);
  SENSOR_WIRE.write(first_register);
  SENSOR_WIRE.endTransmission();
  SENSOR_WIRE.requestFrom(SENSOR_ADDRESS, static_cast<uint8_t>(6));
  for (int i = 0; i < 3; ++i) {
    const int low = SENSOR_WIRE.read(), high = SENSOR_WIRE.read();
    values[i] = static_cast<int16_t>(high << 8 | low) * unit;
  }
}

void setup() {
  Serial.begin(115200);
  if (!IMU.begin()) {
    Serial.println("no sensor");
    while (true) {
    }
  }
  // Both drivers set a full scale of 4 g, which every heel strike exceeds.
  SENSOR_WIRE.beginTransmission(SENSOR_ADDRESS);
  SENSOR_WIRE.write(RANGE_REGISTER);
  SENSOR_WIRE.write(RANGE_16_G);
  SENSOR_WIRE.endTransmission();
  tinystride_init(&estimator, IMU.accelerationSampleRate(), FOOT);
  tinystride_set_full_scale(&estimator, 32767 * G_PER_COUNT * MPS2_PER_G, 32767 * DPS_PER_COUNT * RADPS_PER_DPS);
}

void loop() {
  if (!IMU.accelerationAvailable() || !IMU.gyroscopeAvailable()) {
    return;
  }
  // From the time stamps the estimator detects lost samples and the sensor's true rate.
  const uint32_t time_us = micros();
  float acc[3], gyr[3];
  tinystride_stride_t stride;
  read_axes(ACC_REGISTER, G_PER_COUNT * MPS2_PER_G, acc);
  read_axes(GYR_REGISTER, DPS_PER_COUNT * RADPS_PER_DPS, gyr);
  const int status = tinystride_push_at(&estimator, time_us, acc, gyr, &stride);
  if (status == TINYSTRIDE_STRIDE) {
    Serial.print("length_cm ");
    Serial.print(stride.length_cm);
    Serial.print(", duration_s ");
    Serial.print(stride.duration_s);
    Serial.print(", mean5_cm ");
    Serial.print(stride.mean5_cm);
    Serial.print(", flags ");
    Serial.println(stride.flags);
  } else if (status == TINYSTRIDE_ERROR_UNITS) {
    Serial.println("at rest |acc| is not 1 g: check the range");
  }
}
