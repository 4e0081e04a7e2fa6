"""A simulated sensor by Bluetooth and by serial port: the strides of the same samples in a file."""

import base64
import binascii
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.demo.conftest import downloaded, wait_until
from tests.demo.packets import Sensor
from tests.demo.test_numbers import columns_of
from tests.demo.walks import walk
from tinystride.datasets.loading import load_recordings

FAKE = Path(__file__).with_name("sensor.js").read_text(encoding="utf-8")
LIVE = "body[data-state=live]"
DONE = "body[data-state=done]"
# Live recordings have names of their own and no clock.
OWN = ("recording", "person", "time_start")


@pytest.fixture
def live(opened):
    """A page with a simulated sensor, connected by one of its buttons."""

    def connect(button: str):
        page = opened(script=FAKE)
        page.click("#live summary")
        page.click(button)
        page.wait_for_selector(LIVE)
        return page

    return connect


def send(page, *pieces: bytes) -> None:
    for piece in pieces:
        page.evaluate("text => window.sensor.send(text)", base64.b64encode(piece).decode())


def stopped(page) -> dict[str, list[str]]:
    page.click("#stop")
    page.wait_for_selector(DONE)
    return columns_of(downloaded(page, "#save-csv"))


def assert_same_strides(found: dict, page_csv: str) -> None:
    expected = columns_of(page_csv)
    assert len(expected["start_s"]) > 5
    for name in expected:
        if name not in OWN:
            assert found[name] == expected[name], name


def csv_of(sensor: Sensor, folder: Path, kept=None) -> Path:
    path = folder / f"walk_{sensor.recording.foot}.csv"
    sensor.table(kept).to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def recorded(raw_folder):
    """A recorded walk, with its rate as a sensor would state it."""
    recording = next(iter(load_recordings(raw_folder, ["llio-ruler"])))
    return Sensor(recording)


@pytest.fixture(scope="module")
def simulated():
    return Sensor(walk(11, strides=14))


@pytest.mark.parametrize(("button", "opened_with"), [
    ("#serial", 115200), ("#bluetooth", "6e400001-b5a3-f393-e0a9-e50e24dcca9e"),
])  # fmt: skip
def test_recorded_walk_same_strides_live_as_from_a_file(
    live, analyse, recorded, tmp_path, button, opened_with
):
    page = live(button)
    assert page.evaluate("window.sensor.opened") == [opened_with]
    send(page, b"".join(packet for _, packet in recorded.packets()))
    found = stopped(page)
    assert_same_strides(found, analyse(csv_of(recorded, tmp_path)))
    assert page.evaluate("window.sensor.closed") > 0


def test_strides_are_shown_before_the_walk_ends(live, simulated):
    page = live("#serial")
    packets = [packet for _, packet in simulated.packets()]
    half = len(packets) // 2
    send(page, *packets[:half])
    wait_until(page, "Number(document.getElementById('lengths').dataset.drawn) > 3")
    before = int(page.get_attribute("#lengths", "data-drawn"))
    assert "Live." in page.inner_text("#status")
    send(page, *packets[half:])
    wait_until(page, f"Number(document.getElementById('lengths').dataset.drawn) > {before}")
    assert len(stopped(page)["start_s"]) > before


def test_lost_and_damaged_packets_become_gaps(live, analyse, simulated, tmp_path):
    rng = np.random.default_rng(2)
    kept = np.ones(len(simulated.counts), dtype=bool)
    pieces = []
    for start, packet in simulated.packets(size=2):
        fate = rng.random()
        if 0 < start < len(simulated.counts) - 2 and fate < 0.04:
            kept[start : start + 2] = False
            if fate < 0.02:  # arrives with a wrong bit
                pieces.append(packet[:30] + bytes([packet[30] ^ 4]) + packet[31:])
        else:
            pieces.append(packet)
    assert (~kept).sum() > 20
    page = live("#serial")
    send(page, b"".join(pieces))
    found = stopped(page)
    assert_same_strides(found, analyse(csv_of(simulated, tmp_path, kept)))
    assert any("gap" in flags for flags in found["flags"]) or len(found["flags"]) < 14


def test_bytes_cut_anywhere_and_noise_between_change_nothing(live, analyse, simulated, tmp_path):
    rng = np.random.default_rng(3)
    stream = b"hello\n" + b"".join(
        packet + (b"TSnoise\n" if number % 50 == 7 else b"")
        for number, (_, packet) in enumerate(simulated.packets(18))
    )
    cuts = np.sort(rng.choice(len(stream), 400, replace=False))
    page = live("#serial")
    send(page, *(stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)))
    assert_same_strides(stopped(page), analyse(csv_of(simulated, tmp_path)))


def test_sequence_that_wraps_around_and_repeated_packets_change_nothing(live, analyse, simulated, tmp_path):
    page = live("#bluetooth")
    for number, (_, packet) in enumerate(simulated.packets(size=10, first=2**32 - 700)):
        send(page, packet, *([packet] if number % 40 == 3 else []))
    assert_same_strides(stopped(page), analyse(csv_of(simulated, tmp_path)))


def test_two_sensors_make_one_walk(live, analyse, tmp_path):
    feet = [Sensor(walk(12, foot=foot)) for foot in ("left", "right")]
    page = live("#bluetooth")
    page.click("#serial")
    wait_until(page, "window.sensor.takers.length === 2")
    for pair in zip(*(sensor.packets() for sensor in feet), strict=False):
        for _, packet in pair:
            page.evaluate(
                """([text, left]) => {
                    const bytes = Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0));
                    window.sensor.takers[left ? 0 : 1](bytes);
                }""",
                [base64.b64encode(packet).decode(), packet[3] == 0],
            )
    found = stopped(page)
    expected = analyse(*(csv_of(sensor, tmp_path) for sensor in feet))
    # The longer recording has packets that its partner lacks: zip drops them, at rest.
    assert found["stride_length_cm"] == columns_of(expected)["stride_length_cm"]
    assert set(found["foot"]) == {"left", "right"}


def test_restarted_sensor_is_reported_and_strides_continue(live, simulated):
    page = live("#serial")
    packets = [packet for _, packet in simulated.packets()]
    send(page, *packets)
    wait_until(page, "Number(document.getElementById('lengths').dataset.drawn) > 8")
    send(page, *packets)
    assert "started anew" in page.inner_text("#error")
    assert len(stopped(page)["start_s"]) > 20


def test_time_stamps_that_contradict_the_rate_are_reported(live, simulated):
    page = live("#serial")
    slow = Sensor(replace(walk(11, strides=14), rate_hz=103.0))
    rate = np.float32(100.0).tobytes()
    for start, packet in slow.packets():
        body = packet[:12] + rate + packet[16:-2]
        send(page, body + binascii.crc_hqx(body, 0xFFFF).to_bytes(2, "little"))
        if start > 1500:
            break
    assert "its time stamps say 103.0 Hz" in page.inner_text("#error")


def test_lost_connection_keeps_the_strides(live, simulated):
    page = live("#bluetooth")
    send(page, *(packet for _, packet in simulated.packets()))
    wait_until(page, "Number(document.getElementById('lengths').dataset.drawn) > 8")
    page.evaluate("window.sensor.unplug()")
    wait_until(page, "document.getElementById('status').textContent.includes('was lost')")
    assert len(stopped(page)["start_s"]) > 8


def test_stop_without_walking_shows_a_remedy(live):
    page = live("#serial")
    page.click("#stop")
    page.wait_for_selector("body[data-state=error]")
    assert "stand still for a second, then walk" in page.inner_text("#error")


def test_cancelled_choice_of_a_sensor_shows_no_message(opened):
    page = opened(script=FAKE)
    page.evaluate("window.sensor.refuse = true")
    page.click("#live summary")
    page.click("#bluetooth")
    page.wait_for_timeout(100)
    assert page.get_attribute("body", "data-state") == "idle"
    assert page.inner_text("#error") == ""


def test_browser_without_interfaces_shows_a_message(opened):
    hide = "for (const n of ['serial', 'bluetooth']) delete Object.getPrototypeOf(navigator)[n];"
    page = opened(script=hide)
    page.click("#live summary")
    assert page.is_disabled("#serial") and page.is_disabled("#bluetooth")
    assert "offers no Web Bluetooth and Web Serial" in page.inner_text("#live-support")
