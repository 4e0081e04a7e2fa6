import numpy as np
import pytest
from scipy.signal import butter, group_delay, lfilter

from tinystride.gait.filters import lowpass, lowpass_delay_s, moving_mean


def test_moving_mean_is_centred_and_shrinks_at_the_ends():
    assert moving_mean(np.array([3.0, 0.0, 0.0, 0.0, 6.0]), 3) == pytest.approx([1.5, 1, 0, 2, 3])
    two_channels = np.arange(20.0).reshape(10, 2)
    assert moving_mean(two_channels, 5)[4] == pytest.approx(two_channels[2:7].mean(axis=0))


@pytest.mark.parametrize("rate_hz", [50, 100, 128, 400])
def test_lowpass_is_the_butterworth_filter_and_tells_its_delay(rate_hz):
    impulse = np.zeros((200, 1))
    impulse[3] = 1
    b, a = butter(2, 10, fs=rate_hz)
    assert lowpass(impulse, rate_hz, 10)[:, 0] == pytest.approx(lfilter(b, a, impulse[:, 0]), abs=1e-12)
    assert lowpass_delay_s(rate_hz, 10) * rate_hz == pytest.approx(
        group_delay((b, a), [1e-5])[1][0], rel=1e-6
    )


def test_lowpass_starts_settled():
    level = np.full((50, 3), [1.0, -2.0, 9.8])
    assert lowpass(level, 100, 10) == pytest.approx(level)
