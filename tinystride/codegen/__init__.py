"""Convert a .tflite file to C: graph reader, memory plan, emitter, kernels and templates."""

from tinystride.codegen.export import check_on_host, export_model

__all__ = ["check_on_host", "export_model"]
