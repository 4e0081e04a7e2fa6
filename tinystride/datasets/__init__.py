"""Where recordings come from: one module per data set, a catalogue, the simulator."""
