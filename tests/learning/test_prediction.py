import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from tests.learning.conftest import TESTED_ON, TRAINED_ON, VALIDATED_ON
from tinystride.errors import ModelError
from tinystride.learning.cross_validation import cross_validate
from tinystride.learning.estimators import choose
from tinystride.learning.prediction import Network, predict, predict_subjects

PART = {"train": TRAINED_ON, "validation": VALIDATED_ON, "test": TESTED_ON}


def test_predict_subjects_unseen_person_has_float32_and_int8_lengths(trained, quantized, walked):
    table, signals = walked
    result = predict_subjects(table, signals, TESTED_ON, float32=trained.model.predict, int8=quantized.int8)
    rows = table[table["subject"] == "5"]
    assert list(result.columns) == ["stride_id", "float32_cm", "int8_cm"]
    assert list(result["stride_id"]) == list(rows["stride_id"])
    for column in ("float32_cm", "int8_cm"):
        error = result[column].to_numpy() - rows["stride_length_cm"].to_numpy()
        assert np.sqrt(np.mean(error**2)) < 0.5 * rows["stride_length_cm"].std()


def test_predict_subjects_float32_equals_the_file(trained, quantized, examples):
    values = examples[1].values
    of_file = Network.load(quantized.float32).output_cm(values)
    np.testing.assert_allclose(of_file, trained.model.predict(values), rtol=0, atol=1e-3)


def test_predict_path_and_content_give_the_same(quantized, walked, tmp_path):
    table, signals = walked
    (tmp_path / "model.tflite").write_bytes(quantized.int8)
    of_file, of_content = (
        predict(model, signals, table["strapdown_length_cm"])
        for model in (tmp_path / "model.tflite", quantized.int8)
    )
    np.testing.assert_array_equal(of_file, of_content)


def test_predict_stride_without_features_is_nan(quantized, walked):
    table, signals = walked
    gyr = signals.gyr_radps.copy()
    gyr[signals.offset[3] + 50] = np.nan
    lengths_cm = predict(quantized.int8, replace(signals, gyr_radps=gyr), table["strapdown_length_cm"])
    assert np.flatnonzero(np.isnan(lengths_cm)).tolist() == [3]


def test_predict_does_not_import_tensorflow():
    code = "import sys, tinystride.learning.prediction; sys.exit('tensorflow' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_predict_missing_file_is_one_line(walked, tmp_path):
    table, signals = walked
    with pytest.raises(ModelError, match=r"none.tflite: cannot be read \(No such file"):
        predict(tmp_path / "none.tflite", signals, table["strapdown_length_cm"])


@pytest.mark.parametrize("preset", ["tiny", "paper"])
def test_cross_validate_direct_estimator_predicts(walked, preset):
    settings = choose("direct", preset=preset, epochs=4, batch_size=16)
    fold = cross_validate(*walked, PART, settings, seed=1, calibration_strides=30)
    assert len(fold.predictions) == 60
    assert fold.predictions["int8_cm"].between(40, 220).all()
    assert (fold.predictions["int8_cm"] - fold.predictions["float32_cm"]).std() < 5


def test_cross_validate_residual_estimator_corrects_the_integral(walked):
    table, signals = walked
    table = table.assign(strapdown_length_cm=table["strapdown_length_cm"] - 10)
    # Centred labels would hold nothing of an error that all strides of a data set share.
    settings = choose(
        "strapdown-residual", epochs=10, batch_size=16, augmentations_per_stride=0, center_labels=False
    )
    fold = cross_validate(table, signals, PART, settings, seed=1, calibration_strides=30)
    own = table[table["subject"] == "5"]
    error = fold.predictions["int8_cm"].to_numpy() - own["stride_length_cm"].to_numpy()
    assert np.abs(error).max() < 1.5
