import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from attrs import evolve

from tests.learning.conftest import SMALL, TRAINED_ON, VALIDATED_ON
from tests.learning.walking import walk
from tinystride.errors import ModelError
from tinystride.files import sha256
from tinystride.learning.architectures import build
from tinystride.learning.estimators import PRESETS, choose
from tinystride.learning.features import make_examples
from tinystride.learning.prediction import Network
from tinystride.learning.quantization import quantize
from tinystride.learning.training import TrainedModel, subject_rmse_cm, train


@pytest.mark.parametrize(
    ("estimator", "preset"), [(estimator, name) for estimator, names in PRESETS.items() for name in names]
)
def test_build_parameters_equal_the_settings(estimator, preset):
    settings = choose(estimator, preset=preset)
    assert build(settings, batch_size=1).count_params() == settings.n_parameters


def test_build_training_form_computes_the_same():
    settings = choose("direct", preset="paper", points=27)
    form, training_form = build(settings), build(settings, for_training=True)
    training_form.set_weights(form.get_weights())
    values = np.random.default_rng(0).normal(size=(20, 27, 6)).astype(np.float32)
    np.testing.assert_allclose(form(values), training_form(values), rtol=1e-4, atol=1e-6)


def test_train_returns_the_best_epoch(trained, examples):
    training, validation = examples
    spread = np.std(validation.label_cm)
    errors = [epoch.validation_rmse_cm for epoch in trained.epochs]
    assert [epoch.number for epoch in trained.epochs] == list(range(12))
    assert trained.best == int(np.argmin(errors))
    assert min(errors) < 0.5 * spread < errors[0]
    error_cm = trained.model.predict(validation.values) - validation.label_cm
    assert subject_rmse_cm(error_cm, validation.subject) == pytest.approx(min(errors), abs=0.01)
    assert trained.epochs[-1].train_rmse_cm < 0.2 * np.std(training.label_cm)


def test_subject_rmse_each_subject_has_the_same_weight():
    error = np.array([1.0, -1.0, 1.0, 3.0])
    assert subject_rmse_cm(error, np.array(["a", "a", "a", "b"])) == pytest.approx(2.0)


def test_train_without_improvement_stops_after_patience(examples, settings):
    seen = []
    settings = evolve(settings, patience=2, lr_schedule="constant", learning_rate=0.05, epochs=60)
    result = train(*examples, settings, seed=1, on_epoch=seen.append)
    assert seen == result.epochs
    assert len(seen) == result.best + 3 < 60


def test_train_averaged_weights_have_less_varying_errors(examples, settings):
    errors = {}
    for schedule in ("constant", "averaged"):
        changed = evolve(settings, lr_schedule=schedule, learning_rate=0.02, epochs=30)
        result = train(*examples, changed, seed=1)
        errors[schedule] = np.array([epoch.validation_rmse_cm for epoch in result.epochs])[15:]
    variation = {name: np.abs(np.diff(values)).mean() for name, values in errors.items()}
    assert variation["averaged"] < 0.5 * variation["constant"]


def test_train_huber_loss_learns_the_residual(walked):
    table, signals = walked
    table = table.assign(strapdown_length_cm=table["strapdown_length_cm"] - 8 * table["duration_s"] + 9)
    settings = choose("strapdown-residual", loss="huber", huber_delta_cm=2, epochs=20, **SMALL)
    training, validation = (
        make_examples(table, signals, subjects, settings) for subjects in (TRAINED_ON, VALIDATED_ON)
    )
    best = train(training, validation, settings, seed=2)
    assert best.epochs[best.best].validation_rmse_cm < 0.6 * np.std(validation.label_cm)


def test_train_constant_labels_are_learned_and_quantized(walked):
    table, signals = walked
    table = table.assign(stride_length_cm=table["strapdown_length_cm"])
    settings = choose("strapdown-residual", epochs=3, **SMALL)
    training, validation = (
        make_examples(table, signals, subjects, settings) for subjects in (TRAINED_ON, VALIDATED_ON)
    )
    assert not training.label_cm.any()
    model = train(training, validation, settings, seed=4).model
    quantized = quantize(model, training, validation, signals, calibration_strides=20)
    for content in (quantized.float32, quantized.int8):
        assert np.abs(Network.load(content).output_cm(validation.values)).max() < 0.5


def test_train_stride_without_weight_has_no_effect(walked):
    settings = choose("direct", epochs=2, dataset_weights={"other": 0}, **{**SMALL, "batch_size": 500})
    training, validation = (
        make_examples(*walked, subjects, settings) for subjects in (TRAINED_ON, VALIDATED_ON)
    )
    other = training.subject == "other/1"
    assert set(training.weight[other]) == {0.0}
    # Reversed among themselves: the labels' mean and spread, which scale the loss, stay as they are.
    shuffled = training.label_cm.copy()
    shuffled[other] = shuffled[other][::-1]
    results = [
        train(each, validation, settings, seed=3).model.network.get_weights()
        for each in (training, replace(training, label_cm=shuffled))
    ]
    for once, again in zip(*results, strict=True):
        np.testing.assert_allclose(once, again, rtol=1e-6, atol=1e-6)


def test_load_saved_model_is_the_same(trained, examples, tmp_path):
    trained.model.save(tmp_path / "float32")
    files = sorted(path.name for path in (tmp_path / "float32").iterdir())
    assert files == ["model.json", "model.weights.h5"]
    again = TrainedModel.load(tmp_path / "float32")
    assert again.settings == trained.model.settings
    values = examples[1].values
    np.testing.assert_array_equal(again.predict(values), trained.model.predict(values))


@pytest.mark.parametrize("file", ["model.json", "model.weights.h5"])
@pytest.mark.parametrize("damage", ["missing", "cut off"])
def test_load_damaged_model_is_rejected(trained, tmp_path, file, damage):
    trained.model.save(tmp_path / "float32")
    path = tmp_path / "float32" / file
    if damage == "missing":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(ModelError, match=r"float32: not a trained model .*; run the train stage again"):
        TrainedModel.load(tmp_path / "float32")


def test_load_model_with_setting_out_of_range_is_rejected(trained, tmp_path):
    trained.model.save(tmp_path / "float32")
    path = tmp_path / "float32/model.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"points": 8}))
    with pytest.raises(ModelError, match=r"not a trained model \(train\.points is 8: .* run the train"):
        TrainedModel.load(tmp_path / "float32")


def everything(folder) -> dict[str, str]:
    """SHA-256 of all files that training and quantizing leave."""
    settings = choose("direct", epochs=3, **SMALL)
    table, signals = walk({"line/1": 40, "line/2": 30})
    training, validation = (
        make_examples(table, signals, [subject], settings) for subject in ("line/1", "line/2")
    )
    trained = train(training, validation, settings, seed=7)
    trained.model.save(folder / "float32")
    quantized = quantize(trained.model, training, validation, signals, calibration_strides=20)
    (folder / "float32.tflite").write_bytes(quantized.float32)
    (folder / "int8.tflite").write_bytes(quantized.int8)
    return {path.name: sha256(path) for path in sorted(folder.rglob("*")) if path.is_file()}


def test_train_other_process_writes_the_same_bytes_and_is_silent(trained, tmp_path):
    """Nothing of TensorFlow is on standard error, which can be used after its import."""
    code = (
        "import json, sys, pathlib; from tests.learning.test_training import everything;"
        "print(json.dumps(everything(pathlib.Path(sys.argv[1])))); sys.stderr.write('heard')"
    )
    (tmp_path / "other").mkdir()
    (tmp_path / "own").mkdir()
    other = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "other")], capture_output=True, text=True, check=True
    )
    own = everything(tmp_path / "own")
    assert len(own) == 4
    assert json.loads(other.stdout) == own and other.stderr == "heard"
