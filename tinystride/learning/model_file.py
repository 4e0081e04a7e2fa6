"""A .tflite that describes itself: which estimator it is part of, and what happens to a stride before it.

The description is JSON in a metadata entry of the file, which interpreters ignore and keep.
"""

import json

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter, OpResolverType

from tinystride.errors import ModelError

ENTRY = b"tinystride"
IDENTIFIER = b"TFL3"
BUFFER_ALIGNMENT = (
    16  # force_align of Buffer.data in the schema, which its generated Python code does not keep
)


class _AlignedBuffer(schema.BufferT):
    def Pack(self, builder: flatbuffers.Builder) -> int:
        if self.data is not None:
            builder.Prep(BUFFER_ALIGNMENT, len(self.data))
        return super().Pack(builder)


def open_model(content: bytes, source: str = "model") -> Interpreter:
    """An interpreter of the .tflite `content`, ready to run, with the kernels that compute as TFLM does.

    source: its name in messages
    Raises ModelError if the content is cut off, is no .tflite, or has operators that do not run.
    """
    try:
        interpreter = Interpreter(
            model_content=content,
            experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
        )
        interpreter.allocate_tensors()
    except (ValueError, RuntimeError) as error:
        raise ModelError(
            f"{source}: not a .tflite that runs, or cut off ({error}); export it again"
        ) from error
    return interpreter


def attach_metadata(content: bytes, description: dict) -> bytes:
    """The same network with `description`, which has to be JSON, in place of the one it had, if any.

    Raises ModelError as open_model does.
    """
    open_model(content)
    model = schema.ModelT.InitFromPackedBuf(bytearray(content))
    for buffer in model.buffers:
        buffer.__class__ = _AlignedBuffer
    text = json.dumps(description, sort_keys=True, allow_nan=False).encode()
    data = np.frombuffer(text, np.uint8)
    entries = {entry.name: entry for entry in model.metadata or []}
    if ENTRY in entries:
        model.buffers[entries[ENTRY].buffer].data = data
    else:
        model.buffers.append(_AlignedBuffer(data))
        model.metadata = [*entries.values(), schema.MetadataT(ENTRY.decode(), len(model.buffers) - 1)]
    builder = flatbuffers.Builder(len(content) + len(text))
    builder.Finish(model.Pack(builder), IDENTIFIER)
    return bytes(builder.Output())


def read_metadata(content: bytes, source: str = "model") -> dict:
    """What attach_metadata put in. Raises ModelError if there is nothing, or as open_model does."""
    open_model(content, source)
    model = schema.Model.GetRootAs(content)
    entries = [model.Metadata(i) for i in range(model.MetadataLength())]
    found = [entry for entry in entries if entry.Name() == ENTRY]
    try:
        return json.loads(model.Buffers(found[0].Buffer()).DataAsNumpy().tobytes())
    except (IndexError, AttributeError, ValueError, UnicodeDecodeError) as error:
        raise ModelError(
            f"{source}: does not tell what it estimates; use a .tflite that the quantize stage wrote"
        ) from error
