import numpy as np
import pytest

from tinystride.errors import ModelError
from tinystride.learning.model_file import attach_metadata, open_model, read_metadata
from tinystride.learning.prediction import predict


def test_attach_metadata_is_read_back_and_replaced(quantized):
    once = attach_metadata(quantized.int8, {"estimator": "direct", "scale": [1.5, 2.0]})
    assert read_metadata(once) == {"estimator": "direct", "scale": [1.5, 2.0]}
    twice = attach_metadata(once, {"b": "ä", "a": 1})
    assert read_metadata(twice) == {"a": 1, "b": "ä"}
    assert twice == attach_metadata(once, {"a": 1, "b": "ä"})
    assert len(twice) <= len(once)


def test_attach_metadata_changes_nothing_else(quantized):
    other = attach_metadata(quantized.int8, {"a": "x" * 1001})
    interpreters = [open_model(content) for content in (quantized.int8, other)]
    random = np.random.default_rng(0)
    (source,), (target,) = interpreters[0].get_input_details(), interpreters[0].get_output_details()
    for _ in range(50):
        values = random.integers(-128, 128, source["shape"], dtype=np.int8)
        outputs = []
        for interpreter in interpreters:
            interpreter.set_tensor(source["index"], values)
            interpreter.invoke()
            outputs.append(interpreter.get_tensor(target["index"]))
        assert outputs[0] == outputs[1]


def test_attach_metadata_keeps_constants_aligned(quantized):
    """TFLM reads weights in place, so their alignment must not change."""
    from ai_edge_litert import schema_py_generated as schema

    content = attach_metadata(quantized.int8, {"a": "x" * 1001})
    model = schema.Model.GetRootAs(content)
    buffers = [model.Buffers(i) for i in range(model.BuffersLength())]
    starts = [buffer._tab.Vector(buffer._tab.Offset(4)) for buffer in buffers if buffer.DataLength()]
    assert len(starts) > 5
    assert all(start % 16 == 0 for start in starts)


def damaged(content: bytes) -> list[bytes]:
    random = np.random.default_rng(0)
    return [
        b"",
        *(content[:n] for n in (1, 7, 40, len(content) // 2, len(content) - 1)),
        random.bytes(5000),
        content[:8] + random.bytes(5000),
        b"acc_x,acc_y,acc_z\n" * 100,
        bytes(4000),
    ]


@pytest.mark.parametrize("use", [open_model, read_metadata, lambda content: attach_metadata(content, {})])
def test_open_model_other_file_is_rejected(quantized, use):
    for content in damaged(quantized.int8):
        with pytest.raises(ModelError, match=r"not a \.tflite that runs, or cut off .*; export it again"):
            use(content)


def test_open_model_random_damage_raises_at_most_an_error(quantized):
    random = np.random.default_rng(2)
    refused = 0
    for _ in range(300):
        content = bytearray(quantized.int8)
        for place in random.integers(0, len(content), 3):
            content[place] = random.integers(256)
        try:
            interpreter = open_model(bytes(content))
            read_metadata(bytes(content))
            interpreter.invoke()
        except (ModelError, RuntimeError):
            refused += 1
    assert 50 < refused < 300


def test_read_metadata_foreign_model_is_rejected(quantized, walked):
    table, signals = walked
    stranger = attach_metadata(quantized.int8, {})
    with pytest.raises(ModelError, match="description lacks 'estimator'"):
        predict(stranger, signals, table["strapdown_length_cm"])
