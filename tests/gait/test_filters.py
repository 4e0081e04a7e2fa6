import numpy as np
import pytest
from scipy.ndimage import minimum_filter1d
from scipy.signal import butter, group_delay, lfilter

from tinystride.gait.filters import (
    block_invariant,
    interpolated,
    lowpass,
    lowpass_delay_s,
    moving_mean,
    moving_minimum,
    ramp_invariant,
)


def test_moving_mean_is_centred_and_narrower_at_the_ends():
    assert moving_mean(np.array([3.0, 0.0, 0.0, 0.0, 6.0]), 3) == pytest.approx([1.5, 1, 0, 2, 3])
    two_channels = np.arange(20.0).reshape(10, 2)
    assert moving_mean(two_channels, 5)[4] == pytest.approx(two_channels[2:7].mean(axis=0))


@pytest.mark.parametrize("rate_hz", [42.7, 50, 100, 200])
def test_lowpass_equals_a_fine_butterworth_filter_of_the_interpolated_signal(rate_hz):
    values = np.random.default_rng(1).normal(size=(60, 2)).cumsum(axis=0)
    values -= values[0]  # scipy's filter starts at 0
    fine = lfilter(*butter(2, 10, fs=400 * rate_hz), interpolated(values, 400), axis=0)[::400]
    assert lowpass(values, rate_hz, 10) == pytest.approx(fine, abs=1e-5)


def test_lowpass_delay_ramp_invariant_does_not_depend_on_the_rate():
    for rate_hz in (42.7, 50, 200, 400):
        assert lowpass_delay_s(rate_hz, 10) == pytest.approx(1 / (np.sqrt(2) * np.pi * 10))


@pytest.mark.parametrize("samples", [1, 2, 3, 7])
def test_lowpass_delay_block_invariant_equals_the_group_delay(samples):
    design = block_invariant(samples)
    expected = group_delay(design(60, 10), [1e-5])[1][0]
    assert lowpass_delay_s(60, 10, design) * 60 == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("rate_hz, samples", [(50, 1), (60, 1), (100, 2), (128, 2), (200, 3), (256, 4)])
def test_lowpass_block_invariant_smooths_like_ramp_invariant_of_the_samples(rate_hz, samples):
    motion = np.sin(2 * np.pi * 10 * np.arange(20 * rate_hz) / rate_hz)
    means = motion[: len(motion) // samples * samples].reshape(-1, samples).mean(axis=1)
    fine = lowpass(motion, rate_hz, 10)[10 * rate_hz :]
    blocks = lowpass(means, rate_hz / samples, 10, block_invariant(samples))[10 * rate_hz // samples :]
    assert blocks.std() == pytest.approx(fine.std(), rel=0.015)


def test_interpolated_contains_the_values_and_a_line_between_them():
    values = np.array([[0.0, 1.0], [4.0, -1.0], [4.0, 3.0]])
    expected = [[0, 1], [1, 0.5], [2, 0], [3, -0.5], [4, -1], [4, 0], [4, 1], [4, 2], [4, 3]]
    assert interpolated(values, 4) == pytest.approx(np.array(expected))
    assert np.array_equal(interpolated(values, 1), values)


def test_lowpass_constant_signal_is_unchanged():
    level = np.full((50, 3), [1.0, -2.0, 9.8])
    assert lowpass(level, 100, 10) == pytest.approx(level)


@pytest.mark.parametrize("rate_hz", [50, 104.5, 400])
@pytest.mark.parametrize("samples", [1, 2, 300])
def test_lowpass_equals_scipy_bit_by_bit(samples, rate_hz):
    values = np.random.default_rng(samples).normal(scale=10, size=(samples, 3))
    b, a = ramp_invariant(rate_hz, 10)
    settled = np.array([[1 - b[0]], [b[2] - a[2]]]) * values[:1]
    expected = lfilter(b, a, values, axis=0, zi=settled)[0]
    assert lowpass(values, rate_hz, 10).tobytes() == expected.tobytes()


def test_lowpass_empty_signal_is_empty():
    assert lowpass(np.empty((0, 3)), 100, 10).shape == (0, 3)


@pytest.mark.parametrize("reach", [0, 1, 17, 400])
def test_moving_minimum_equals_scipy(reach):
    values = np.random.default_rng(reach).normal(size=300)
    expected = minimum_filter1d(values, 2 * reach + 1, mode="nearest")
    assert np.array_equal(moving_minimum(values, reach), expected)


@pytest.mark.parametrize("rate_hz", [40, 100, 400])
def test_lowpass_long_recording_equals_scipy(rate_hz):
    values = np.random.default_rng(3).normal(scale=10, size=(30_001, 2)).cumsum(axis=0)
    b, a = ramp_invariant(rate_hz, 10)
    settled = np.array([[1 - b[0]], [b[2] - a[2]]]) * values[:1]
    expected = lfilter(b, a, values, axis=0, zi=settled)[0]
    assert np.abs(lowpass(values, rate_hz, 10) - expected).max() < 1e-12 * np.abs(values).max()
