"""Export a library with the streaming estimator, with a network of random weights and small corrections."""

from functools import cache
from pathlib import Path

from tests.codegen.tflite_builder import Builder
from tinystride.codegen import export_model
from tinystride.learning.model_file import attach_metadata

DESCRIPTION = {
    "estimator": "strapdown-residual",
    "features": "strapdown",
    "points": 64,
    "input_offset": [0.0] * 6,
    "input_scale": [3.0, 3.0, 1.5, 6.0, 12.0, 10.0],
    "source": "simulated",
}
MAX_CORRECTION_CM = 2.0


@cache
def streaming_network() -> bytes:
    """Return a .tflite like those of the pipeline, of about the default network's size."""
    b = Builder(21)
    x = b.reshape(b.input((1, 64, 6), scale=0.015), (1, 1, 64, 6))
    for stride in (2, 1):
        x = b.pool(b.conv(x, 8, (1, 5), (1, stride)), "MAX", (1, 2), (1, 2))
    x = b.dense(b.flatten(x), 1)
    # The same output numbers, a third as large, in other units: centimetres.
    *_, weights, bias = b.graph.operators[-1].inputs
    output = b.graph.tensors[x].quantization
    output.scale *= 3
    unit = MAX_CORRECTION_CM / 128 / output.scale[0]
    for index in (weights, bias, x):
        b.graph.tensors[index].quantization.scale *= unit
    return attach_metadata(b.bytes(x), DESCRIPTION)


def export_estimator(folder: Path) -> Path:
    """Export the library to `folder`/c and its network to `folder`/stride_int8.tflite. Return the library."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "stride_int8.tflite").write_bytes(streaming_network())
    export_model(folder / "stride_int8.tflite", folder / "c")
    return folder / "c"
