import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from tflite_micro.python.tflite_micro import runtime

from tinystride.errors import ParameterError
from tinystride.learning.model_file import open_model, read_metadata
from tinystride.learning.prediction import Network
from tinystride.learning.quantization import calibration_rows, quantize


def test_calibration_covers_the_labels_evenly():
    label = np.random.default_rng(0).gamma(3, 10, 1000)
    rows = calibration_rows(label, 101)
    assert len(set(rows)) == 101
    np.testing.assert_allclose(label[rows], np.quantile(label, np.linspace(0, 1, 101)), rtol=0.02)
    assert {label.argmin(), label.argmax()} <= set(rows)


def test_calibration_takes_what_there_is():
    assert sorted(calibration_rows(np.array([3.0, 1.0, 2.0]), 200)) == [0, 1, 2]
    assert list(calibration_rows(np.array([3.0, 1.0, 2.0]), 1)) == [1]


def test_the_int8_network_is_int8_from_end_to_end(quantized, settings):
    interpreter = open_model(quantized.int8)
    (given,), (told,) = interpreter.get_input_details(), interpreter.get_output_details()
    assert (given["dtype"], told["dtype"]) == (np.int8, np.int8)
    assert list(given["shape"]) == [1, settings.points, 6]
    assert list(told["shape"]) == [1, 1]
    model = schema.ModelT.InitFromPackedBuf(bytearray(quantized.int8))
    operators = {code.builtinCode for code in model.operatorCodes}
    kinds = ("RESHAPE", "CONV_2D", "MAX_POOL_2D", "FULLY_CONNECTED")
    assert operators == {getattr(schema.BuiltinOperator, kind) for kind in kinds}


def test_the_files_tell_what_they_estimate(quantized, trained, settings):
    for content in (quantized.float32, quantized.int8):
        description = read_metadata(content)
        assert description["estimator"] == "direct"
        assert description["features"] == "stance-to-stance"
        assert description["points"] == 64
        assert description["input_scale"] == trained.model.input_scale.tolist()
        assert description["source"] == "simulated"


def test_the_float32_file_computes_what_keras_does(quantized, trained, examples):
    values = examples[1].values
    np.testing.assert_allclose(
        Network.load(quantized.float32).output_cm(values), trained.model.predict(values), atol=1e-3
    )


def test_the_difference_is_between_the_two_files(quantized, examples):
    for name, part in zip(("train", "validation"), examples, strict=True):
        int8, float32 = (
            Network.load(content).output_cm(part.values) for content in (quantized.int8, quantized.float32)
        )
        told = quantized.difference[name]
        assert told["n_strides"] == len(part)
        assert told["bias_cm"] == pytest.approx((int8 - float32).mean())
        assert told["sd_cm"] == pytest.approx((int8 - float32).std())
        assert told["max_abs_cm"] == pytest.approx(np.abs(int8 - float32).max())
        assert 0 < told["sd_cm"] < 2


def test_the_calibration_strides_are_training_strides(quantized, examples):
    assert len(quantized.calibration) == 50
    assert set(quantized.calibration) <= set(examples[0].stride_id)


def test_tflite_micro_computes_the_same_int8(quantized):
    micro = runtime.Interpreter.from_bytes(quantized.int8)
    interpreter = open_model(quantized.int8)
    (given,), (told,) = interpreter.get_input_details(), interpreter.get_output_details()
    random = np.random.default_rng(1)
    for _ in range(200):
        values = random.integers(-128, 128, given["shape"], dtype=np.int8)
        interpreter.set_tensor(given["index"], values)
        interpreter.invoke()
        micro.set_input(values, 0)
        micro.invoke()
        assert interpreter.get_tensor(told["index"]) == micro.get_output(0)


@pytest.mark.parametrize("n", [0, -1, 100_001])
def test_refused(trained, examples, n):
    with pytest.raises(ParameterError, match=f"quantize.calibration_strides: {n}"):
        quantize(trained.model, *examples, calibration_strides=n)


def test_conversion_is_silent(trained, examples, capfd):
    quantize(trained.model, *examples, calibration_strides=5)
    assert capfd.readouterr() == ("", "")
