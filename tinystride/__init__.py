"""Gait stride length from a shoe-worn IMU, learned reproducibly and run on its microcontroller."""

__version__ = "0.1.0"
