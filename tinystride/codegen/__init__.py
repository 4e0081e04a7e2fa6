"""From .tflite to C: graph reader, memory plan, emitter, C runtime and templates."""
