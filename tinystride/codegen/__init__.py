"""From .tflite to C: graph reader, memory plan, emitter, C runtime and templates."""

from tinystride.codegen.export import check_on_host, export_model

__all__ = ["check_on_host", "export_model"]
