"""Find strides in the recording of a foot-worn sensor: calibration, events, foot frame, integration."""
