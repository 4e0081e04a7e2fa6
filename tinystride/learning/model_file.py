"""Attach a description to a .tflite file: estimator, features and scaling of the input.

The description is JSON in a metadata entry of the file; interpreters ignore and keep it.
"""

import json

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter, OpResolverType

from tinystride.errors import ModelError

ENTRY = b"tinystride"
IDENTIFIER = b"TFL3"
BUFFER_ALIGNMENT = 16  # force_align of Buffer.data in the schema, ignored by its generated Python code


class _AlignedBuffer(schema.BufferT):
    def Pack(self, builder: flatbuffers.Builder) -> int:
        if self.data is not None:
            builder.Prep(BUFFER_ALIGNMENT, len(self.data))
        return super().Pack(builder)


def open_model(content: bytes, source: str = "model") -> Interpreter:
    """Return an interpreter of a .tflite file, ready to run, with the kernels that compute as TFLM does.

    Args:
        content: bytes of the file
        source: name of the file, for messages

    Raises:
        ModelError: if the content is truncated, is not a .tflite file, or has operators that do not run
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
    """Return the same network with a description, which replaces an earlier one.

    Args:
        content: bytes of the .tflite file
        description: JSON-compatible

    Raises:
        ModelError: as in `open_model`
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
    """Return the description that `attach_metadata` attached.

    Args:
        content: bytes of the .tflite file
        source: name of the file, for messages

    Raises:
        ModelError: if there is no description, or as in `open_model`
    """
    open_model(content, source)
    model = schema.Model.GetRootAs(content)
    entries = [model.Metadata(i) for i in range(model.MetadataLength())]
    found = [entry for entry in entries if entry.Name() == ENTRY]
    try:
        return json.loads(model.Buffers(found[0].Buffer()).DataAsNumpy().tobytes())
    except (IndexError, AttributeError, ValueError, UnicodeDecodeError) as error:
        raise ModelError(
            f"{source}: has no description of its estimator; use a .tflite that the quantize stage wrote"
        ) from error
