"""The page's csv equals that of `tinystride predict --engine c` in the columns of the C library."""

import csv
import io
import json
from itertools import islice

import pandas as pd
import pytest

import tinystride
from tests.demo.conftest import downloaded, outcome, wait_until
from tests.demo.walks import FORMS, frame, walk, write_form, write_recording
from tinystride.datasets.loading import load_recordings
from tinystride.datasets.samples import AXES

RECORDED = {"gaitmap-mocap": 2, "ipol-healthy": 2, "llio-ruler": 1, "tripod-excerpt": 2, "vicon": 2}
LONG_SAMPLES = 1_000_000
MIN_PROGRESS_STEPS = 20


def columns_of(text: str) -> dict[str, list[str]]:
    rows = list(csv.DictReader(io.StringIO(text)))
    return {name: [row[name] for row in rows] for name in rows[0]}


def predicted(*paths, **options) -> str:
    return tinystride.estimate(tinystride.read(*paths, **options), engine="c").to_csv()


def assert_same_columns(page_csv: str, predict_csv: str) -> None:
    page, predict = columns_of(page_csv), columns_of(predict_csv)
    assert len(page) >= 16
    assert [name for name in predict if name in page] == list(page)
    for name, values in page.items():
        assert values == predict[name], name


@pytest.fixture(scope="module")
def samples():
    return frame(walk())


@pytest.mark.parametrize("name", RECORDED)
def test_recorded_walk_same_csv_as_predict(analyse, raw_folder, tmp_path, name):
    for number, recording in enumerate(islice(load_recordings(raw_folder, [name]), RECORDED[name])):
        path = write_recording(recording, tmp_path / f"{name}_{number}_{recording.foot}.csv")
        assert_same_columns(analyse(path), predicted(path))


@pytest.mark.parametrize("name", FORMS)
def test_form_of_file_same_csv_as_predict(analyse, samples, tmp_path, name):
    path = write_form(name, samples, tmp_path)
    options = {"rate_hz": 100.0} if name == "blank line inside" else {}
    page_options = {"rateHz": "100"} if options else {}
    assert_same_columns(analyse(path, **page_options), predicted(path, **options))


@pytest.mark.parametrize("rate_hz", [50, 64, 128, 333, 400])
def test_sampling_rate_same_csv_as_predict(analyse, tmp_path, rate_hz):
    path = write_recording(walk(rate_hz, rate_hz), tmp_path / "walk_R.csv")
    assert_same_columns(analyse(path), predicted(path))


def test_rate_of_1000_hz_is_decimated_as_by_predict(analyse, tmp_path):
    table = frame(walk(7, 400.0))
    path = tmp_path / "walk_R.csv"
    table.drop(columns="time_s").to_csv(path, index=False)  # 400 Hz, read as 1000 Hz: a hasty walk
    page_csv = analyse(path, rateHz="1000")
    assert_same_columns(page_csv, predicted(path, rate_hz=1000.0))


def test_both_feet_in_one_file_same_csv_as_predict(analyse, sample, tmp_path):
    path = tmp_path / "sample.csv"
    path.write_bytes(sample)
    page_csv = analyse(path)
    assert_same_columns(page_csv, predicted(path))
    assert set(columns_of(page_csv)["foot"]) == {"left", "right"}


def test_two_files_same_csv_as_predict(analyse, tmp_path):
    paths = [write_recording(walk(8, foot=foot), tmp_path / f"walk_{foot}.csv") for foot in ("left", "right")]
    assert_same_columns(analyse(*paths), predicted(*paths))


@pytest.mark.parametrize("foot", ["left", "right"])
def test_unnamed_foot_is_found_by_its_motion(analyse, tmp_path, foot):
    path = write_recording(walk(9, foot=foot, strides=20), tmp_path / "walk.csv")
    page_csv = analyse(path)
    assert_same_columns(page_csv, predicted(path))
    assert set(columns_of(page_csv)["foot"]) == {foot}


def test_summary_same_values_as_predict(opened, sample, tmp_path):
    path = tmp_path / "sample.csv"
    path.write_bytes(sample)
    page = opened()
    page.set_input_files("#files", str(path))
    page.wait_for_selector("body[data-state=done]")
    summary = json.loads(downloaded(page, "#save-json"))
    expected = tinystride.estimate(tinystride.read(path), engine="c").summary
    # Recordings of both feet in one file have one name, and predict counts them together.
    assert len(expected["recordings"]) == 1
    feet = expected["people"][0]["feet"]
    assert {own["foot"]: own["strides"]["found"] for own in summary["recordings"]} == feet
    paths = [tmp_path / f"{foot}.csv" for foot in feet]
    table = pd.read_csv(path, comment="#")
    for own, foot_path in zip(summary["recordings"], paths, strict=True):
        axes = [f"{own['foot']}_{axis}" for axis in AXES]
        table[["time_s", *axes]].to_csv(foot_path, index=False)
        alone = tinystride.estimate(tinystride.read(foot_path), engine="c").summary["recordings"][0]
        unflagged = own["strides"].pop("unflagged")
        assert own["strides"] == alone["strides"]
        assert own["distance_m"] == alone["distance_m"]
        assert own["bouts"] == alone["bouts"]
        assert own["parameters"]["stride_length_cm"] == alone["parameters"]["stride_length_cm"]
        assert 0 < unflagged < own["strides"]["found"]
    shown = page.locator("#summary tbody tr", has_text="Mean length").locator("td").all_inner_texts()
    assert shown == [f"{own['parameters']['stride_length_cm']['mean']:.1f}" for own in summary["recordings"]]


def test_million_samples_same_csv_progress_and_responsive_page(opened, tmp_path):
    text = frame(walk(10, strides=40)).drop(columns="time_s").to_csv(index=False, float_format="%.4f")
    head, body = text.split("\n", 1)
    rows = body.splitlines(keepends=True)
    path = tmp_path / "walk_R.csv"
    path.write_text(head + "\n" + "".join((rows * (LONG_SAMPLES // len(rows) + 1))[:LONG_SAMPLES]))
    page = opened()
    page.evaluate(
        """() => {
            document.forms[0].elements.rateHz.value = "100";
            window.seen = {frames: 0, shares: new Set(), clicks: 0};
            const tick = () => {
                if (document.body.dataset.state === "running") {
                    window.seen.frames++;
                    window.seen.shares.add(document.getElementById("progress").value);
                }
                requestAnimationFrame(tick);
            };
            tick();
            document.getElementById("live").addEventListener("toggle", () => {
                if (document.body.dataset.state === "running") window.seen.clicks++;
            });
        }"""
    )
    page.set_input_files("#files", str(path))
    page.wait_for_selector("body[data-state=running]")
    wait_until(page, "document.getElementById('progress').value > 0.1")
    page.click("#live summary")  # handled while the recording is being computed
    page.wait_for_selector("body[data-state=done]", timeout=300_000)
    seen = page.evaluate("({...window.seen, shares: [...window.seen.shares]})")
    assert seen["clicks"] == 1
    assert len(seen["shares"]) >= MIN_PROGRESS_STEPS <= seen["frames"]
    assert seen["shares"] == sorted(seen["shares"])
    assert_same_columns(outcome(page), predicted(path, rate_hz=100.0))
