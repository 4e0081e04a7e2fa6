"""Time columns of every unit; clocks that jitter, batch, lose, repeat, wrap around and jump."""

import numpy as np
import pandas as pd
import pytest

from tests.reading.conftest import assert_same
from tinystride.errors import DataError
from tinystride.reading.clock import place_by_time

EPOCH_S = 1_709_287_200


def stamped(table: pd.DataFrame, stamps, name="time") -> pd.DataFrame:
    return table.assign(**{name: stamps})


def seconds(table: pd.DataFrame, rate_hz: float = 100.0) -> np.ndarray:
    return np.arange(len(table)) / rate_hz


@pytest.mark.parametrize(
    ("name", "factor"),
    [
        ("time", 1), ("Time (s)", 1), ("timestamp", 1e3), ("t_ms", 1e3), ("Time [us]", 1e6),
        ("epoch_ns", 1e9), ("elapsed", 1e6), ("Unnamed: 0", 1), ("SampleTimeFine", 1e4),
        ("unix_timestamp_microsec", 1e6),
    ],
)  # fmt: skip
@pytest.mark.parametrize("rate_hz", [None, 100.0])
def test_time_of_any_name_and_unit_is_understood(table, read, name, factor, rate_hz):
    stamps = np.round(seconds(table) * factor + 7 * factor, 6)
    moved = stamped(table, stamps, name)[[name, *table]]
    recording = read(moved.drop(index=[700, 701]), rate_hz=rate_hz)
    assert recording.rate_hz == 100 and recording.gaps.tolist() == [[700, 702]]
    assert recording.clock_start_s == pytest.approx(7, abs=1e-6)


@pytest.mark.parametrize(
    ("form", "clock"),
    [
        ("%Y-%m-%dT%H:%M:%S.%f", "local"), ("%Y-%m-%d %H:%M:%S.%f", "local"),
        ("%Y/%m/%d %H:%M:%S.%f", "local"), ("%d.%m.%Y %H:%M:%S.%f", "local"),
        ("%Y-%m-%dT%H:%M:%S.%fZ", "utc"), ("%Y-%m-%dT%H:%M:%S.%f+00:00", "utc"),
        ("%Y-%m-%dT%H.%M.%S.%f", "local"),
    ],
)  # fmt: skip
def test_dates_are_understood(table, read, form, clock):
    stamps = pd.to_datetime(EPOCH_S * 1_000_000 + np.arange(len(table)) * 10_000, unit="us").strftime(form)
    recording = read(stamped(table, stamps).drop(index=[700, 701]), rate_hz=None)
    assert recording.rate_hz == 100 and recording.gaps.tolist() == [[700, 702]]
    assert (recording.clock, recording.clock_start_s) == (clock, EPOCH_S)


def test_time_of_day_is_understood_across_midnight(table, read):
    stamps = pd.to_datetime((86_395_000 + np.arange(len(table)) * 10) % 86_400_000, unit="ms")
    recording = read(stamped(table, stamps.strftime("%H:%M:%S.%f")), rate_hz=None)
    assert (
        recording.rate_hz == 100
        and len(recording.gaps) == 0
        and not recording.notes[-1].startswith("its clock")
    )


def test_ticks_are_given_by_their_rate(table, read):
    ticks = stamped(table, (seconds(table) * 32_768).round())
    with pytest.raises(DataError, match="ticks:RATE"):
        read(ticks, rate_hz=None)
    for options in ({"rate_hz": None, "time_unit": "ticks:32768"}, {"rate_hz": 100.0}):
        recording = read(ticks.drop(index=[700]), **options)
        assert recording.rate_hz == pytest.approx(100, rel=1e-4) and recording.gaps.tolist() == [[700, 701]]


@pytest.mark.parametrize(
    ("stamps", "name", "remedy"),
    [
        (lambda s: s * 1000, "time_s", "give --time-unit ms"),
        (lambda s: s, "time_ms", "give --time-unit s"),
        (lambda s: s / 3600, "time", "unit of 'time' is unknown"),
        (lambda s: s * 0, "time", "does not increase"),
    ],
)
def test_time_in_a_wrong_unit_is_refused_and_the_right_unit_named(table, read, stamps, name, remedy):
    with pytest.raises(DataError, match=remedy):
        read(stamped(table, stamps(seconds(table)), name), rate_hz=None)


def test_rate_that_the_stamps_contradict_is_refused(table, read):
    with pytest.raises(
        DataError, match=r"say 50 Hz, not 100 Hz; leave --rate-hz out if the stamps are right"
    ):
        read(stamped(table, seconds(table, 50.0), "time_s"))


@pytest.mark.parametrize("true_hz", [49.7, 97.0, 102.0, 403.0])
def test_rate_slightly_wrong_is_replaced_by_that_of_the_stamps(table, read, true_hz):
    nominal = {49.7: 50.0, 403.0: 400.0}.get(true_hz, 100.0)
    recording = read(stamped(table, seconds(table, true_hz)), rate_hz=nominal)
    assert recording.rate_hz == pytest.approx(true_hz) and len(recording.gaps) == 0


def test_without_time_column_the_rate_must_be_given(table, read):
    with pytest.raises(DataError, match="give it with --rate-hz"):
        read(table, rate_hz=None)


@pytest.mark.parametrize("bits", [8, 16])
def test_sample_counter_restart_shows_the_lost_samples(table, read, bits):
    counter = stamped(table, (250 + np.arange(len(table))) % 2**bits, "PacketCounter")
    recording = read(counter.drop(index=range(700, 705)))
    assert recording.n_samples == len(table) and recording.gaps.tolist() == [[700, 705]]


@pytest.mark.parametrize("period", [2**32, 1_000_000])
def test_clock_restart_is_continued(table, read, period):
    stamps = (period - 4_000_000 % period + 10_000 * np.arange(len(table))) % period
    recording = read(stamped(table, stamps, "time_us"), rate_hz=None)
    assert recording.rate_hz == 100 and recording.n_samples == len(table) and len(recording.gaps) == 0


@pytest.mark.parametrize("jitter", [0.05, 0.2, 0.4])
@pytest.mark.parametrize("lost_share", [0.0, 0.04])
def test_time_stamps_with_jitter_and_losses_give_the_true_places(table, read, jitter, lost_share):
    """Every sample is within one interval of its place, and the recording keeps its length."""
    rng = np.random.default_rng(8)
    kept = np.flatnonzero(rng.random(len(table)) >= lost_share)
    stamps = (seconds(table) + jitter / 100 * rng.normal(size=len(table)))[kept]
    placement = place_by_time("x", stamps)
    assert placement.rate_hz == pytest.approx(100, rel=2e-4)
    off = placement.place - (kept[placement.rows] - kept[0])
    assert np.abs(off - round(np.median(off))).max() <= 1
    assert (off == np.median(off)).mean() > (0.97 if jitter < 0.4 else 0.85)
    recording = read(stamped(table.iloc[kept], np.round(stamps, 5)), rate_hz=None)
    assert abs(recording.n_samples - (kept[-1] - kept[0] + 1)) <= 1


@pytest.mark.parametrize("rate_hz", [51.2, 104.0, 128.0, 204.8])
def test_stamps_rounded_to_milliseconds_do_not_change_the_rate(table, rate_hz):
    stamps = np.round(EPOCH_S + np.arange(3000) / rate_hz, 3)
    placement = place_by_time("x", np.delete(stamps, [300, 301]))
    assert placement.rate_hz == pytest.approx(rate_hz, rel=1e-4)
    assert np.flatnonzero(np.diff(placement.place) != 1).tolist() == [299] and placement.place[-1] == 2999


@pytest.mark.parametrize("size", [5, 12, 20])
@pytest.mark.parametrize("jitter_s", [0.0, 0.008])
def test_radio_packets_that_share_a_stamp_are_spread(table, read, size, jitter_s):
    groups = np.arange(len(table)) // size
    late = np.random.default_rng(2).uniform(0, jitter_s, groups[-1] + 1)
    stamps = np.round((groups + 1) * size / 100 + late[groups], 3)
    recording = read(stamped(table, 1000 * stamps, "epoch_ms"), rate_hz=None)
    assert recording.rate_hz == pytest.approx(100, rel=1e-3) and len(recording.gaps) == 0
    assert_same(recording, table)
    lost = groups != 30
    recording = read(stamped(table, stamps)[lost], rate_hz=None)
    assert recording.gaps.tolist() == [[30 * size, 31 * size]]


def test_stamps_coarser_than_the_interval_are_spread(table, read):
    recording = read(stamped(table, np.floor(seconds(table) * 10) / 10), rate_hz=None)
    assert recording.rate_hz == pytest.approx(100, rel=2e-3) and recording.n_samples == len(table)


def test_duplicate_rows_are_dropped_and_noted(table, read):
    twice = stamped(table, seconds(table)).iloc[
        np.repeat(np.arange(len(table)), 1 + (np.arange(len(table)) % 97 == 5))
    ]
    recording = read(twice, rate_hz=None)
    assert_same(recording, table)
    assert f"{len(twice) - len(table)} duplicate rows dropped" in recording.notes


@pytest.mark.parametrize("stray", [0.0, 1e12, -5.0, np.nan])
def test_single_wrong_time_stamp_moves_no_sample(table, read, stray):
    stamps = EPOCH_S + seconds(table)
    stamps[700] = stray
    recording = read(stamped(table, stamps), rate_hz=None)
    assert recording.rate_hz == 100 and recording.n_samples == len(table)
    assert recording.gaps.tolist() in ([], [[700, 701]])


@pytest.mark.parametrize("pause_s", [2.003, 2.004, 12.0])
@pytest.mark.parametrize("said_hz", [None, 100.0, 104.0])
def test_pause_is_a_gap_and_does_not_change_the_rate(table, read, pause_s, said_hz):
    stamps = seconds(table) + pause_s * (np.arange(len(table)) >= 900)
    recording = read(stamped(table, stamps), rate_hz=said_hz)
    assert recording.rate_hz == pytest.approx(100)
    assert recording.gaps.tolist() == [[900, 900 + round(100 * pause_s)]]


def test_clock_that_jumps_back_is_flagged_where_it_jumps(table, read):
    stamps = 50 + seconds(table) - 3.7 * (np.arange(len(table)) >= 900)
    recording = read(stamped(table, stamps), rate_hz=None)
    assert recording.n_samples == len(table) and recording.gaps.tolist() == [[897, 903]]
    assert "its clock jumps back 1 time: flagged there" in recording.notes


def test_clock_that_jumps_by_a_day_costs_no_memory(table, read):
    stamps = seconds(table) + 86_400 * (np.arange(len(table)) >= 900)
    recording = read(stamped(table, stamps), rate_hz=None)
    assert len(recording.gaps) == 1 and recording.n_samples < len(table) + 2000
    assert any("counted as 10 s each" in note for note in recording.notes)


def test_uneven_samples_are_interpolated_at_even_times(table, read):
    rng = np.random.default_rng(3)
    true_s = np.cumsum(rng.uniform(0.008, 0.012, len(table) - 200))
    uneven = pd.DataFrame({name: np.interp(true_s, seconds(table), table[name]) for name in table})
    recording = read(stamped(uneven, true_s.round(6)), rate_hz=None)
    at = recording.clock_start_s + np.arange(recording.n_samples) / recording.rate_hz
    even = np.interp(at, seconds(table), table["gyr_y"])
    assert np.sqrt(((recording.gyr_radps[:, 1] - even)[5:-5] ** 2).mean()) < 0.03 * table["gyr_y"].std()
    assert "uneven samples interpolated" in recording.notes


def test_time_stamps_with_extreme_jitter_are_refused_with_a_usable_remedy(table, read):
    stamps = seconds(table) + np.random.default_rng(1).normal(0, 0.03, len(table))
    with pytest.raises(DataError, match="too much to place them") as caught:
        read(stamped(table, stamps.round(5), "time_s"), rate_hz=None)
    assert "leave the time" not in str(caught.value)


def test_finer_of_two_clocks_is_chosen(table, read):
    both = table.assign(date=np.floor(EPOCH_S + seconds(table)), elapsed=seconds(table))
    recording = read(both.drop(index=[700]), rate_hz=None)
    assert recording.rate_hz == 100 and recording.gaps.tolist() == [[700, 701]]


@pytest.mark.parametrize("missing", [[0], [0, 1, 2], [5, 300]])
def test_dates_with_empty_cells_are_read(table, read, missing):
    stamps = pd.Timestamp("2024-03-01T10:00:00") + pd.to_timedelta(10 * np.arange(len(table)), unit="ms")
    text = stamps.strftime("%Y-%m-%dT%H:%M:%S.%f").to_series(index=table.index)
    text[missing] = ""
    recording = read(table.assign(time=text), rate_hz=None)
    inside = [row for row in missing if row > 2]
    assert recording.rate_hz == 100 and recording.gaps.tolist() == [[row, row + 1] for row in inside]
