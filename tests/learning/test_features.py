from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.learning.walking import walk
from tinystride.errors import DataError
from tinystride.gait import strapdown
from tinystride.gait.signals import StrideSignals
from tinystride.learning.estimators import choose
from tinystride.learning.features import (
    augmented,
    label_cm,
    length_cm,
    make_examples,
    stance_features,
    stride_features,
)


def oscillation(seconds: float, rate_hz: float, margin: int = 40) -> StrideSignals:
    """One stride whose six channels are sines of 1 to 6 Hz, in SI units of the paper's full scales."""
    n = round(seconds * rate_hz)
    t = (np.arange(n + 2 * margin) - margin) / rate_hz
    waves = np.sin(2 * np.pi * np.arange(1, 7) * t[:, None])
    return StrideSignals(
        stride_id=np.array(["a/1/x/right/0001"]),
        rate_hz=np.array([rate_hz]),
        offset=np.array([0, len(t)]),
        mid_stance=np.array([[margin + 5.0, margin + n - 5.0]]),
        initial_contact=np.array([[margin, margin + n]], float),
        gyr_radps=np.deg2rad(1000) * waves[:, :3],
        acc_mps2=16 * 9.80665 * waves[:, 3:],
    )


@pytest.mark.parametrize("rate_hz", [100, 128, 200])
def test_contact_to_contact_is_60_hz_smooth_and_zero_padded(rate_hz):
    features = stride_features(oscillation(1.0, rate_hz), "contact-to-contact", 108)
    t = np.arange(60) / 60
    hz = np.arange(1, 7)
    # Zero-phase: a second-order Butterworth, applied forwards and backwards, halves the power twice at 10 Hz.
    expected = np.sin(2 * np.pi * hz * t[:, None]) / (1 + (hz / 10) ** 4)
    np.testing.assert_allclose(features.values[0, :60], expected, atol=0.02)
    assert not features.values[0, 60:].any()
    assert features.values.dtype == np.float64
    assert list(features.reason) == [""]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"initial_contact": np.array([[np.nan, 140.0]])}, "no initial contact"),
        ({"initial_contact": np.array([[-3.0, 140.0]])}, "initial contacts outside of the samples"),
        ({"initial_contact": np.array([[50.0, 50.2]])}, "initial contacts outside of the samples"),
        ({"acc_mps2": np.full((180, 3), np.inf)}, "samples that are not finite"),
    ],
)
def test_contact_to_contact_without_features_has_a_reason(change, reason):
    features = stride_features(replace(oscillation(1.0, 100), **change), "contact-to-contact", 108)
    assert list(features.reason) == [reason]
    assert np.isnan(features.values).all()


def test_contact_to_contact_longer_than_1_8_s_has_no_features():
    reasons = [stride_features(oscillation(s, 100), "contact-to-contact", 108).reason[0] for s in (1.8, 1.83)]
    assert reasons == ["", "longer than 1.8 s"]


def test_stance_to_stance_samples_are_scaled_by_the_duration():
    _, signals = walk({"line/1": 3})
    acc, gyr, duration_s = strapdown.resample(signals, points=32)
    features = stride_features(signals, "stance-to-stance", 32)
    assert features.values.shape == (3, 32, 6)
    for i in range(3):
        np.testing.assert_allclose(features.values[i, :, :3], acc[i] * duration_s[i] ** 2, rtol=1e-6)
        np.testing.assert_allclose(features.values[i, :, 3:], gyr[i] * duration_s[i], rtol=1e-6)


def test_strapdown_features_integrate_to_the_length():
    table, signals = walk({"line/1": 50})
    features = stride_features(signals, "strapdown", 64)
    velocity = features.values[:, :, :3].astype(float)
    drift = velocity[:, -1:] * np.linspace(0, 1, 64)[:, None]
    length_cm_ = 100 * np.hypot(*np.trapezoid(velocity - drift, dx=1 / 63, axis=1).T[:2])
    np.testing.assert_allclose(length_cm_, table["stride_length_cm"], atol=1.5)


def test_stance_to_stance_other_pace_gives_the_same_features():
    acc, gyr, duration_s = strapdown.resample(walk({"line/1": 4})[1])
    once = stance_features("stance-to-stance", acc, gyr, duration_s)
    slower = stance_features("stance-to-stance", acc / 4, gyr / 2, 2 * duration_s)
    np.testing.assert_allclose(slower, once, rtol=1e-5)


def test_stride_features_missing_sample_gives_nan_and_a_reason():
    _, signals = walk({"line/1": 3})
    acc = signals.acc_mps2.copy()
    acc[signals.offset[1] + 60] = np.nan
    features = stride_features(replace(signals, acc_mps2=acc), "strapdown", 64)
    assert list(features.reason) == ["", "samples that are not finite", ""]
    assert np.isfinite(features.values[[0, 2]]).all()
    assert np.isnan(features.values[1]).all()


@given(
    estimator=st.sampled_from(["direct", "strapdown-residual"]),
    length=st.floats(20, 250),
    integral=st.floats(20, 250),
)
def test_length_is_the_inverse_of_label(estimator, length, integral):
    label = label_cm(estimator, length, integral)
    assert length_cm(estimator, label, integral) == pytest.approx(length)
    assert label == (length if estimator == "direct" else length - integral)


def test_make_examples_returns_usable_strides_of_the_subjects(walked):
    table, signals = walked
    table = table.copy()
    own = table.index[table["stride_id"].str.startswith("line/1/")]
    table.loc[own[0], "usable"] = False
    table.loc[own[1], "stride_length_cm"] = np.nan
    contact = signals.initial_contact.copy()
    contact[own[2]] = np.nan
    signals = replace(signals, initial_contact=contact)
    weighted = choose("direct", preset="paper", dataset_weights={"other": 3})
    examples = make_examples(table, signals, ["other/1", "line/1"], weighted)
    assert examples.left_out == {
        table["stride_id"][own[1]]: "no label",
        table["stride_id"][own[2]]: "no initial contact",
    }
    assert len(examples) == len(examples.values) == 117
    assert set(examples.subject) == {"line/1", "other/1"}
    weight = {name: set(examples.weight[examples.subject == name]) for name in ("line/1", "other/1")}
    assert weight == {"line/1": {1.0}, "other/1": {3.0}}
    labels = table.set_index("stride_id")["stride_length_cm"]
    np.testing.assert_array_equal(examples.label_cm, labels[examples.stride_id])


def test_make_examples_excluded_flags_are_left_out(walked):
    table, signals = walked
    table = table.assign(flags="")
    own = table.index[table["stride_id"].str.startswith("line/1/")]
    table.loc[own[:3], "flags"] = ["turn", "no-standing not-walking", "no-standing"]
    everything, few = (
        make_examples(table, signals, ["line/1"], choose("direct", exclude_flags=flags))
        for flags in ([], ["turn", "not-walking"])
    )
    gone = table.loc[own[:2], "stride_id"]
    assert few.stride_id.tolist() == [name for name in everything.stride_id if name not in set(gone)]
    with pytest.raises(DataError, match="no stride of line/1 to learn from"):
        make_examples(
            table.assign(flags="turn"), signals, ["line/1"], choose("direct", exclude_flags=["turn"])
        )


def test_make_examples_paper_uses_right_feet_only(walked):
    table, signals = walked
    left = table.index[table["subject"] == "1"]
    both_feet = table.assign(foot=np.where(table.index.isin(left), "left", "right"))
    paper = make_examples(both_feet, signals, ["line/1", "line/2"], choose("direct", preset="paper"))
    assert set(paper.subject) == {"line/2"}
    direct = make_examples(
        both_feet, signals, ["line/1", "line/2"], choose("direct", augmentations_per_stride=0)
    )
    assert set(direct.subject) == {"line/1", "line/2"}


def test_make_examples_residual_label_is_length_minus_integral(walked):
    table, signals = walked
    examples = make_examples(table, signals, ["line/2"], choose("strapdown-residual", center_labels=False))
    rows = table.set_index("stride_id").loc[examples.stride_id]
    np.testing.assert_allclose(examples.label_cm, rows["stride_length_cm"] - rows["strapdown_length_cm"])
    centered = make_examples(table, signals, ["line/2"], choose("strapdown-residual"))
    np.testing.assert_allclose(centered.label_cm, examples.label_cm - np.median(examples.label_cm))
    assert examples.values.shape == (60, 64, 6)


def test_make_examples_without_strides_raises(walked):
    with pytest.raises(DataError, match="line/9 to learn from"):
        make_examples(*walked, ["line/9"], choose("direct"))


def test_make_examples_recorded_strides_have_features_or_a_reason(strides_folder):
    from tinystride.gait.strides import read_strides

    strides = read_strides(strides_folder)
    table = strides.table[strides.table["usable"]].groupby("dataset").head(200)
    signals = strides.signals.select(table["stride_id"])
    for kind, points in (("strapdown", 64), ("stance-to-stance", 64), ("contact-to-contact", 108)):
        features = stride_features(signals, kind, points)
        assert (features.reason == "").mean() > 0.95
        assert np.isfinite(features.values[features.reason == ""]).all()


@pytest.mark.parametrize("estimator", ["strapdown-residual", "direct"])
def test_augmented_strides_follow_the_recorded_ones(walked, estimator):
    settings = choose(estimator, augmentations_per_stride=3)
    recorded = make_examples(*walked, ["line/1", "line/2"], settings)
    examples = augmented(recorded, walked[1], settings, seed=4)
    n = len(recorded)
    assert len(examples) == 4 * n
    np.testing.assert_array_equal(examples.values[:n], recorded.values)
    assert examples.stride_id[n - 1] == recorded.stride_id[-1]
    assert examples.stride_id[-1] == recorded.stride_id[-1] + "+3"
    np.testing.assert_array_equal(examples.subject, np.tile(recorded.subject, 4))
    assert examples.values.dtype == np.float64
    assert np.isfinite(examples.values).all() and np.isfinite(examples.label_cm).all()
    assert len(np.unique(examples.label_cm)) == 4 * n
    again = augmented(recorded, walked[1], settings, seed=4)
    assert again.values.tobytes() == examples.values.tobytes()
    assert augmented(recorded, walked[1], settings, seed=5).values.tobytes() != examples.values.tobytes()


def test_augmented_residual_label_is_the_error_of_the_integral(walked):
    still = {
        name: 0
        for name in ("heading_rad", "lever_arm_m", "cut_jitter_s", "gyr_noise_radps", "acc_noise_mps2")
    }
    still["acc_bias_mps2"] = 0
    biased, exact = (
        choose(
            "strapdown-residual",
            augmentations_per_stride=1,
            half_rate_share=0,
            augmentation={**still, "gyr_bias_radps": bias},
        )
        for bias in (0.02, 0)
    )
    recorded = make_examples(*walked, ["line/1"], biased)
    labels = {
        settings.augmentation["gyr_bias_radps"]: augmented(recorded, walked[1], settings, seed=1).label_cm
        for settings in (biased, exact)
    }
    assert labels[0].std() < 0.3
    # 0.02 rad/s for 1.15 s: g b T³ / 12, about 2.5 cm.
    assert 1.5 < labels[0.02][len(recorded) :].std() < 4


def test_augmented_half_rate_share_uses_every_second_sample(walked):
    table, signals = walked
    # Impacts, which a sensor half as fast counts twice or not at all.
    acc = signals.acc_mps2.copy()
    acc[signals.offset[:-1] + 90, 0] += 60
    signals = replace(signals, acc_mps2=acc)
    integral_cm = strapdown.integrate(*strapdown.resample(signals)).length_cm
    table = table.assign(strapdown_length_cm=integral_cm, stride_length_cm=integral_cm)

    def misled(share: float) -> float:
        setup = choose("strapdown-residual", augmentations_per_stride=10, half_rate_share=share)
        recorded = make_examples(table, signals, ["line/1", "line/2"], setup)
        made_cm = augmented(recorded, signals, setup, seed=3).label_cm[len(recorded) :]
        return (np.abs(made_cm) > 3).mean()

    none, all_of_them = misled(0), misled(1)
    assert none < 0.05 and all_of_them > 0.4
    assert (misled(0.3) - none) / (all_of_them - none) == pytest.approx(0.3, abs=0.06)


def test_augmented_zero_per_stride_returns_recorded_only(walked):
    settings = choose("direct", augmentations_per_stride=0)
    recorded = make_examples(*walked, ["line/1"], settings)
    assert augmented(recorded, walked[1], settings, seed=0) is recorded
