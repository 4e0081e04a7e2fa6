"""From recordings to strides: calibration, foot frame, gait events, strapdown integration."""
