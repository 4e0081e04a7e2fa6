from dataclasses import replace

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from tflite_micro.python.tflite_micro import runtime

from tinystride.errors import ParameterError
from tinystride.learning.architectures import build
from tinystride.learning.estimators import choose
from tinystride.learning.features import make_examples
from tinystride.learning.model_file import open_model, read_metadata
from tinystride.learning.prediction import Network
from tinystride.learning.quantization import COVERED_CM, calibrate, quantize


def test_calibrate_strides_cover_recorded_lengths_evenly(examples, walked, settings):
    recorded = examples[0]
    calibration = calibrate(recorded, walked[1], settings, 101)
    own = [name for name in calibration.stride_id if "*" not in name]
    length_cm = calibration.length_cm[: len(own)]
    assert len(set(own)) == len(own) == 101
    wanted_cm = np.quantile(recorded.length_cm, np.linspace(0, 1, 101))
    np.testing.assert_allclose(length_cm, wanted_cm, rtol=0.02)
    rows = [list(recorded.stride_id).index(name) for name in own]
    np.testing.assert_array_equal(calibration.values[: len(own)], recorded.values[rows])


@pytest.mark.parametrize("estimator", ["direct", "strapdown-residual"])
def test_calibrate_uncovered_lengths_are_stretched(walked, estimator):
    table, signals = walked
    settings = choose(estimator)
    recorded = make_examples(table, signals, ["line/1"], settings)
    calibration = calibrate(recorded, signals, settings, 20)
    assert (calibration.length_cm.min(), calibration.length_cm.max()) == COVERED_CM
    steps_cm = np.diff(np.sort(calibration.length_cm))
    assert steps_cm[0] < 25 and steps_cm[-1] < 35
    i_min = calibration.length_cm.argmin()
    name, factor = calibration.stride_id[i_min].split("*")
    row = list(recorded.stride_id).index(name)
    assert float(factor) == pytest.approx(40 / recorded.length_cm[row], abs=1e-3)
    # The rotation stays the same; the displacement shrinks.
    ratio = np.ptp(calibration.values[i_min], axis=0) / np.ptp(recorded.values[row], axis=0)
    assert ratio[4] == pytest.approx(1, abs=0.02)
    assert ratio[0] < 0.8


def test_calibrate_covered_lengths_are_not_stretched(walked):
    table, signals = walked
    settings = choose("direct")
    recorded = make_examples(table, signals, ["line/1"], settings)
    length_cm = recorded.length_cm.copy()
    length_cm[[0, 1]] = 30, 230
    calibration = calibrate(replace(recorded, length_cm=length_cm), signals, settings, 1000)
    assert sorted(calibration.stride_id) == sorted(recorded.stride_id)
    assert calibrate(recorded, signals, settings, 1).stride_id[0] in recorded.stride_id


def test_calibrate_unaugmentable_strides_are_not_stretched(walked):
    table, signals = walked
    paper = choose("direct", preset="paper")
    recorded = make_examples(table, signals, ["line/1"], paper)
    calibration = calibrate(recorded, signals, paper, 10)
    assert len(calibration.stride_id) == 10
    assert set(calibration.stride_id) <= set(recorded.stride_id)


def test_quantize_input_range_covers_40_and_220_cm(quantized, walked):
    """Check that the output range of a direct network includes lengths of 40 and 220 cm."""
    interpreter = open_model(quantized.int8)
    (target,) = interpreter.get_output_details()
    scale, zero_point = target["quantization"]
    float32 = Network.load(quantized.float32).output_cm(quantized.calibration.values)
    assert (-128 - zero_point) * scale <= float32.min() + scale
    assert (127 - zero_point) * scale >= float32.max() - scale


def test_quantize_int8_network_has_int8_tensors_only(quantized, settings):
    interpreter = open_model(quantized.int8)
    (source,), (target,) = interpreter.get_input_details(), interpreter.get_output_details()
    assert (source["dtype"], target["dtype"]) == (np.int8, np.int8)
    assert list(source["shape"]) == [1, settings.points, 6]
    assert list(target["shape"]) == [1, 1]
    model = schema.ModelT.InitFromPackedBuf(bytearray(quantized.int8))
    operators = {code.builtinCode for code in model.operatorCodes}
    kinds = ("RESHAPE", "CONV_2D", "MAX_POOL_2D", "FULLY_CONNECTED")
    assert operators == {getattr(schema.BuiltinOperator, kind) for kind in kinds}


def test_quantize_files_have_descriptions(quantized, trained, settings):
    for content in (quantized.float32, quantized.int8):
        description = read_metadata(content)
        assert description["estimator"] == "direct"
        assert description["features"] == "stance-to-stance"
        assert description["points"] == 64
        assert description["input_scale"] == trained.model.input_scale.tolist()
        assert description["source"] == "simulated"


def test_quantize_float32_file_equals_keras(quantized, trained, examples):
    values = examples[1].values
    np.testing.assert_allclose(
        Network.load(quantized.float32).output_cm(values), trained.model.predict(values), atol=1e-3
    )


def test_quantize_difference_is_between_the_two_files(quantized, examples):
    for name, part in zip(("train", "validation"), examples, strict=True):
        int8, float32 = (
            Network.load(content).output_cm(part.values) for content in (quantized.int8, quantized.float32)
        )
        difference = quantized.difference[name]
        assert difference["n_strides"] == len(part)
        assert difference["bias_cm"] == pytest.approx((int8 - float32).mean(), abs=1e-4)
        assert difference["sd_cm"] == pytest.approx((int8 - float32).std(), abs=1e-4)
        assert difference["max_abs_cm"] == pytest.approx(np.abs(int8 - float32).max(), abs=1e-4)
        assert 0 < difference["sd_cm"] < 2


def test_quantize_direct_network_has_no_mean_difference(quantized, examples):
    int8, float32 = (Network.load(content) for content in (quantized.int8, quantized.float32))
    values = quantized.calibration.values
    difference_cm = int8.output_cm(values) - float32.output_cm(values)
    assert abs(difference_cm.mean()) < 0.1 * difference_cm.std()


def test_quantize_calibration_strides_are_training_strides(quantized, examples):
    names = [name.split("*")[0] for name in quantized.calibration.stride_id]
    assert len(names) == 50 + 2 * 5
    assert set(names) <= set(examples[0].stride_id)


def test_quantize_int8_file_equals_tflm(quantized):
    micro = runtime.Interpreter.from_bytes(quantized.int8)
    interpreter = open_model(quantized.int8)
    (source,), (target,) = interpreter.get_input_details(), interpreter.get_output_details()
    random = np.random.default_rng(1)
    for _ in range(200):
        values = random.integers(-128, 128, source["shape"], dtype=np.int8)
        interpreter.set_tensor(source["index"], values)
        interpreter.invoke()
        micro.set_input(values, 0)
        micro.invoke()
        assert interpreter.get_tensor(target["index"]) == micro.get_output(0)


@pytest.mark.parametrize("n", [0, -1, 100_001])
def test_quantize_invalid_parameter_is_rejected(trained, examples, walked, n):
    with pytest.raises(ParameterError, match=f"quantize.calibration_strides: {n}"):
        quantize(trained.model, *examples, walked[1], calibration_strides=n)


def test_quantize_conversion_is_silent(trained, examples, walked, capfd):
    quantize(trained.model, *examples, walked[1], calibration_strides=5)
    assert capfd.readouterr() == ("", "")


def test_quantize_layer_with_constant_zero_output_is_converted(trained, examples, walked):
    """A hidden layer may become inactive in training: the range of its output is a point."""
    weights = trained.model.network.get_weights()
    network = build(trained.model.settings, batch_size=1)
    dead = [np.full_like(each, -1) if i == len(weights) - 3 else each for i, each in enumerate(weights)]
    dead[-4] = np.zeros_like(dead[-4])
    network.set_weights(dead)
    result = quantize(replace(trained.model, network=network), *examples, walked[1], calibration_strides=20)
    output_cm = Network.load(result.int8).output_cm(examples[1].values)
    assert np.abs(output_cm - weights[-1]).max() < 1
