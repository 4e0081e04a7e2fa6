"""Train and test one fold. Importing this module imports TensorFlow."""

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

from tinystride.gait.signals import StrideSignals
from tinystride.learning.estimators import Settings
from tinystride.learning.features import augmented, make_examples
from tinystride.learning.prediction import predict_subjects
from tinystride.learning.quantization import Quantized, quantize
from tinystride.learning.training import Epoch, Training, train


@dataclass(frozen=True, eq=False)
class Fold:
    """Results of one fold.

    Attributes:
        training: trained network and its curve
        quantized: .tflite files of the network
        predictions: columns stride_id, float32_cm, int8_cm, of the test subjects' usable strides
    """

    training: Training
    quantized: Quantized
    predictions: pd.DataFrame


def cross_validate(
    table: pd.DataFrame,
    signals: StrideSignals,
    part: dict,
    settings: Settings,
    *,
    seed: int,
    calibration_strides: int,
    use_network: bool = True,
    on_epoch: Callable[[Epoch], None] = lambda epoch: None,
) -> Fold:
    """Train and quantize a network, and predict the strides of people whom it has not seen.

    Args:
        table: strides table
        signals: signals of its usable strides
        part: {"train", "validation", "test"}, lists of "dataset/subject"
        settings: settings of the network and its training
        seed: seed of the random choices
        calibration_strides: number of training strides that set the int8 ranges, see `calibrate`
        use_network: default of the quantized network, see `quantize`
        on_epoch: called after each epoch

    Returns:
        network, files and predictions

    Raises:
        DataError: if no stride is left to train on
    """
    training, validation = (
        make_examples(table, signals, part[side], settings) for side in ("train", "validation")
    )
    trained = train(
        augmented(training, signals, settings, seed=seed),
        augmented(validation, signals, settings, seed=seed),
        settings,
        seed=seed,
        on_epoch=on_epoch,
    )
    quantized = quantize(
        trained.model,
        training,
        validation,
        signals,
        calibration_strides=calibration_strides,
        use_network=use_network,
    )
    predictions = predict_subjects(
        table, signals, part["test"], float32=trained.model.predict, int8=quantized.int8
    )
    return Fold(trained, quantized, predictions)
