import numpy as np
import pytest
from scipy.ndimage import minimum_filter1d
from scipy.signal import butter, group_delay, lfilter

from tinystride.gait.filters import (
    bilinear,
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


@pytest.mark.parametrize("rate_hz", [50, 100, 128, 400])
def test_lowpass_equals_butterworth_with_its_delay(rate_hz):
    impulse = np.zeros((200, 1))
    impulse[3] = 1
    b, a = butter(2, 10, fs=rate_hz)
    assert lowpass(impulse, rate_hz, 10)[:, 0] == pytest.approx(lfilter(b, a, impulse[:, 0]), abs=1e-12)
    assert lowpass_delay_s(rate_hz, 10) * rate_hz == pytest.approx(
        group_delay((b, a), [1e-5])[1][0], rel=1e-6
    )


@pytest.mark.parametrize("rate_hz", [42.7, 50, 100, 200])
def test_lowpass_ramp_invariant_equals_a_fine_filter_of_the_interpolated_signal(rate_hz):
    values = np.random.default_rng(1).normal(size=(60, 2)).cumsum(axis=0)
    fine = lowpass(interpolated(values, 400), 400 * rate_hz, 10)[::400]
    assert lowpass(values, rate_hz, 10, ramp_invariant) == pytest.approx(fine, abs=1e-5)


def test_lowpass_delay_ramp_invariant_does_not_depend_on_the_rate():
    for rate_hz in (42.7, 50, 200, 400):
        assert lowpass_delay_s(rate_hz, 10, ramp_invariant) == pytest.approx(1 / (np.sqrt(2) * np.pi * 10))


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
    b, a = bilinear(rate_hz, 10)
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
    b, a = bilinear(rate_hz, 10)
    settled = np.array([[1 - b[0]], [b[2] - a[2]]]) * values[:1]
    expected = lfilter(b, a, values, axis=0, zi=settled)[0]
    assert np.abs(lowpass(values, rate_hz, 10) - expected).max() < 1e-12 * np.abs(values).max()
