"""Build for a core, run it in an emulator, count bytes and instructions."""
