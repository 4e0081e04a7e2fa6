"""Compute features (input of a network) and labels (its training target).

"strapdown": integrated velocity in the frame of the first mid-stance before de-drifting, and angular rate,
both times
    the stride's duration (m, rad), from mid-stance to mid-stance
"stance-to-stance": acceleration times the squared duration, and angular rate times the duration (m, rad),
from
    mid-stance to mid-stance. The scaling by duration keeps shape and size of the stride and removes its
        pace.
"contact-to-contact": angular rate / 1000 deg/s and acceleration / 16 g at 60 Hz, from initial contact to
initial
    contact, zero-padded at the end (Verbiest et al., Sensors 2023, 7166). Deviations from the paper: the
        axes are
    those of the canonical foot frame; the 10 Hz low-pass is applied before the FFT resampling, so that it
        can use
    the samples around the stride.
"""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from tinystride.errors import DataError
from tinystride.gait import strapdown
from tinystride.gait.signals import StrideSignals
from tinystride.learning.augmentation import (
    STRIDE,
    AugmentationOptions,
    FootMotion,
    augment,
    half_rate,
    recover_motion,
    resample_with_margin,
    scaled,
    synthesize,
)
from tinystride.learning.estimators import CHANNELS, Settings, can_be_augmented
from tinystride.learning.split import subject_names
from tinystride.optional import extra

PAPER_RATE_HZ = 60.0
PAPER_CUTOFF_HZ = 10.0
PAPER_GYR_RADPS = np.deg2rad(1000.0)
PAPER_ACC_MPS2 = 16 * 9.80665


@dataclass(frozen=True, eq=False)
class Features:
    """Features of n strides.

    Attributes:
        values: [n, points, 6] float64, all NaN for a stride without features
        reason: [n] str, why a stride has no features, "" otherwise
    """

    values: np.ndarray
    reason: np.ndarray


@dataclass(frozen=True, eq=False)
class Examples:
    """n strides for training or validation.

    Attributes:
        stride_id: [n] str
        subject: [n] str, "dataset/subject"
        values: [n, points, 6] float64, features
        length_cm: [n] float64, stride length
        label_cm: [n] float64, training target
        weight: [n] float64, in the loss
        left_out: {stride_id: reason} of usable strides that are not in the examples
    """

    stride_id: np.ndarray
    subject: np.ndarray
    values: np.ndarray
    length_cm: np.ndarray
    label_cm: np.ndarray
    weight: np.ndarray
    left_out: dict[str, str]

    def __len__(self) -> int:
        return len(self.stride_id)


def label_cm(estimator: str, stride_length_cm: np.ndarray, strapdown_length_cm: np.ndarray) -> np.ndarray:
    """Return the training target of strides, cm.

    Args:
        estimator: "strapdown-residual" or "direct"
        stride_length_cm: [n]
        strapdown_length_cm: [n]
    """
    return stride_length_cm - strapdown_length_cm if estimator == "strapdown-residual" else stride_length_cm


def length_cm(estimator: str, output_cm: np.ndarray, strapdown_length_cm: np.ndarray) -> np.ndarray:
    """Return stride lengths from the network's output, cm: the inverse of `label_cm`.

    Args:
        estimator: "strapdown-residual" or "direct"
        output_cm: [n]
        strapdown_length_cm: [n]
    """
    return output_cm + strapdown_length_cm if estimator == "strapdown-residual" else output_cm


def stride_features(signals: StrideSignals, kind: str, points: int) -> Features:
    """Return the features of each stride.

    Args:
        signals: signals of n strides
        kind: "strapdown", "stance-to-stance" or "contact-to-contact", see above
        points: time steps of the features
    """
    if kind == "contact-to-contact":
        return _contact_to_contact(signals, points)
    values = stance_features(kind, *strapdown.resample(signals, points=points))
    # Set all values to NaN: a network cannot recognize missing samples.
    broken = ~np.isfinite(values).all(axis=(1, 2))
    values[broken] = np.nan
    return Features(values, np.where(broken, "samples that are not finite", ""))


def stance_features(
    kind: str, acc_mps2: np.ndarray, gyr_radps: np.ndarray, duration_s: np.ndarray
) -> np.ndarray:
    """Return features [n, points, 6] float64 of resampled strides, recorded or augmented.

    Args:
        kind: "strapdown" or "stance-to-stance"
        acc_mps2: [n, points, 3]
        gyr_radps: [n, points, 3]
        duration_s: [n]
    """
    duration = duration_s[:, None, None]
    if kind == "strapdown":
        linear = strapdown.integrate(acc_mps2, gyr_radps, duration_s).velocity_mps * duration
    else:
        linear = acc_mps2 * duration**2
    return np.concatenate([linear, gyr_radps * duration], axis=-1)


def _contact_to_contact(signals: StrideSignals, points: int) -> Features:
    with extra("train"):
        from scipy.signal import butter, resample, sosfiltfilt
    samples = np.hstack([signals.gyr_radps / PAPER_GYR_RADPS, signals.acc_mps2 / PAPER_ACC_MPS2])
    values = np.full((len(signals), points, CHANNELS), np.nan)
    reason = np.full(len(signals), "", dtype=object)
    for i, rate_hz in enumerate(signals.rate_hz):
        own = samples[signals.offset[i] : signals.offset[i + 1]]
        reason[i] = _contact_problem(own, signals.initial_contact[i], rate_hz, points)
        if reason[i]:
            continue
        smooth = sosfiltfilt(butter(2, PAPER_CUTOFF_HZ, fs=rate_hz, output="sos"), own, axis=0)
        start, end = np.rint(signals.initial_contact[i]).astype(int)
        n = round((end - start) / rate_hz * PAPER_RATE_HZ)
        values[i] = 0
        values[i, :n] = resample(smooth[start:end], n)
    return Features(values, reason.astype(str))


def _contact_problem(samples: np.ndarray, contact: np.ndarray, rate_hz: float, points: int) -> str:
    if not np.isfinite(contact).all():
        return "no initial contact"
    start, end = np.rint(contact)
    if not 0 <= start < end <= len(samples):
        return "initial contacts outside of the samples"
    if round((end - start) / rate_hz * PAPER_RATE_HZ) > points:
        return f"longer than {points / PAPER_RATE_HZ:g} s"
    return "" if np.isfinite(samples).all() else "samples that are not finite"


def make_examples(
    table: pd.DataFrame, signals: StrideSignals, subjects: list[str], settings: Settings
) -> Examples:
    """Return the usable strides of some subjects that the settings select, in the table's order.

    Args:
        table: strides table
        signals: signals of at least its usable strides
        subjects: "dataset/subject"
        settings: settings of the network and its training

    Raises:
        DataError: if no stride is left
    """
    chosen = table["usable"].astype(bool) & subject_names(table).isin(subjects)
    rows = table[chosen & table["foot"].isin(settings.feet)]
    if settings.exclude_flags:
        flags = rows["flags"].fillna("").str.split()
        rows = rows[flags.map(lambda own: not set(own) & set(settings.exclude_flags)).astype(bool)]
    features = stride_features(signals.select(rows["stride_id"]), settings.features, settings.points)
    lengths = rows[["stride_length_cm", "strapdown_length_cm"]].to_numpy(float, copy=True)
    if settings.center_labels:
        # An error common to all strides of a set comes from its reference and mounting, as in no other set.
        error_cm = rows["stride_length_cm"] - rows["strapdown_length_cm"]
        lengths[:, 0] -= error_cm.groupby(rows["dataset"]).transform("median").to_numpy(float)
    label = label_cm(settings.estimator, *lengths.T)
    reason = np.where((features.reason == "") & ~np.isfinite(label), "no label", features.reason)
    kept = reason == ""
    if not kept.any():
        why = reason[0] if len(reason) else "no usable stride"
        raise DataError(
            f"strides.parquet: no stride of {', '.join(subjects)} to learn from ({why}); split other subjects"
        )
    stride_id = rows["stride_id"].to_numpy(str)
    return Examples(
        stride_id=stride_id[kept],
        subject=subject_names(rows).to_numpy(str)[kept],
        values=features.values[kept],
        length_cm=lengths[kept, 0],
        label_cm=label[kept],
        weight=rows["dataset"].map(lambda name: settings.dataset_weights.get(name, 1)).to_numpy(float)[kept],
        left_out=dict(zip(stride_id[~kept].tolist(), reason[~kept].tolist(), strict=True)),
    )


def augmented(recorded: Examples, signals: StrideSignals, settings: Settings, *, seed: int) -> Examples:
    """Return the recorded strides, followed by augmented ones named <stride_id>+<number>.

    A share of `settings.half_rate_share` of these is made from every second sample, beginning with the first
    or second.

    Args:
        recorded: examples to augment
        signals: from which `recorded` was made
        settings: settings of the network and its training
        seed: the same seed gives the same strides
    """
    if not settings.augmentations_per_stride:
        return recorded
    motion = _motion(recorded, signals)
    rows = source = np.tile(np.arange(len(recorded)), settings.augmentations_per_stride)
    options, rng = AugmentationOptions(**settings.augmentation), np.random.default_rng(seed)
    if settings.half_rate_share:
        thinned = (_motion(recorded, half_rate(signals, first)) for first in (0, 1))
        motion = FootMotion.concatenate([motion, *thinned])
        drawn = rng.random(len(source)) < settings.half_rate_share
        rows = source + len(recorded) * drawn * rng.integers(1, 3, len(source))
    *samples, made_cm = augment(motion, rows, options, rng)
    copy = np.repeat(np.arange(1, settings.augmentations_per_stride + 1), len(recorded))
    names = [f"{stride}+{number}" for stride, number in zip(recorded.stride_id[source], copy, strict=True)]
    made_label_cm = label_cm(
        settings.estimator,
        made_cm,
        strapdown.integrate(*samples).length_cm + _impacts_cm(recorded, signals)[source],
    )
    return Examples(
        stride_id=np.concatenate([recorded.stride_id, names]),
        subject=np.concatenate([recorded.subject, recorded.subject[source]]),
        values=np.concatenate([recorded.values, stance_features(settings.features, *samples)]),
        length_cm=np.concatenate([recorded.length_cm, made_cm]),
        label_cm=np.concatenate([recorded.label_cm, made_label_cm]),
        weight=np.concatenate([recorded.weight, recorded.weight[source]]),
        left_out=recorded.left_out,
    )


def _impacts_cm(recorded: Examples, signals: StrideSignals) -> np.ndarray:
    """Return the part [n], cm, of the table's integral that is not in each stride alone: drift at contact.

    It depends on the other strides of the recording; an augmented stride has the same part as its original.
    """
    alone_cm = strapdown.integrate(*strapdown.resample(signals.select(recorded.stride_id))).length_cm
    return recorded.length_cm - recorded.label_cm - alone_cm


def stretched_features(
    recorded: Examples, signals: StrideSignals, settings: Settings, rows: np.ndarray, length_cm: np.ndarray
) -> np.ndarray:
    """Return features [n, points, 6] of recorded strides, scaled to other lengths.

    Args:
        recorded: examples
        signals: from which `recorded` was made
        settings: settings of the network
        rows: [n] indices into `recorded`
        length_cm: [n] lengths after scaling

    Raises:
        DataError: if the strides cannot be scaled: contact to contact, or other than POINTS points
    """
    if not can_be_augmented(settings):
        raise DataError(f"features {settings.features!r} of {settings.points} points cannot be stretched")
    chosen = replace(recorded, stride_id=recorded.stride_id[rows], length_cm=recorded.length_cm[rows])
    motion = _motion(chosen, signals)
    motion = scaled(motion, length_cm / motion.length_cm, np.ones(len(rows)))
    acc_mps2, gyr_radps = (each[:, STRIDE] for each in synthesize(motion))
    return stance_features(settings.features, acc_mps2, gyr_radps, motion.duration_s)


def _motion(recorded: Examples, signals: StrideSignals) -> FootMotion:
    samples = resample_with_margin(signals.select(recorded.stride_id))
    return recover_motion(*samples, recorded.length_cm, np.array([0, 0, strapdown.LEVER_ARM_M]))
