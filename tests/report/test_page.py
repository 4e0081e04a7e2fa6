"""The report page, opened in headless Chromium at the sizes of a desktop, a phone and paper."""

import json
import re
from dataclasses import replace

import pandas as pd
import pytest
from playwright.sync_api import Page

from tinystride.report import content
from tinystride.report.page import fixed, render, signed

PLOTS_OF_A_SET = 3  # reference, Bland-Altman, speed
PLOTS_OF_ALL = 2  # people, flash
WAVE_PANELS = 4
MAX_BYTES = 2e6


@pytest.fixture
def path(run, tmp_path):
    path = tmp_path / "index.html"
    path.write_text(render(run), encoding="utf-8")
    return path


@pytest.fixture
def opened(browser, path):
    """Open the page in a window of a given size; fail on console messages, errors and requests."""
    complaints, contexts = [], []

    def open_page(width: int, height: int = 900, **options) -> Page:
        contexts.append(browser.new_context(viewport={"width": width, "height": height}, **options))
        contexts[-1].set_default_timeout(300_000)
        page = contexts[-1].new_page()
        page.on("console", lambda message: complaints.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: complaints.append(request.url))
        page.goto(path.as_uri())
        page.wait_for_selector("html[data-drawn]", state="attached")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert set(complaints) == {path.as_uri()}


def sets(run) -> list[str]:
    return [name for name in run.metrics if name != "source"]


def shown(page: Page, selector: str) -> list:
    """Return [data attributes, number as text] of every metric that a table shows."""
    return page.eval_on_selector_all(
        selector,
        "all => all.map(one => [{...one.dataset}, one.textContent.replace('−', '-').replaceAll(',', '')])",
    )


def count_points(page: Page, panel: str) -> int:
    """Return how many points the paths of a plot draw."""
    paths = page.eval_on_selector_all(
        f"[id='{panel}'] .points path", "all => all.map(one => one.getAttribute('d'))"
    )
    return sum(path.count("M") for path in paths)


def test_plots_of_a_run_draw_every_stride(opened, run):
    page = opened(1280)
    assert page.locator(".panel").count() == PLOTS_OF_A_SET * len(sets(run)) + PLOTS_OF_ALL + WAVE_PANELS
    for name in sets(run):
        drawn = ((run.strides["dataset"] == name) & run.strides["int8_streaming_cm"].notna()).sum()
        assert drawn > 50
        assert [count_points(page, f"{plot}-{name}") for plot in ("reference", "bland-altman", "speed")] == [
            drawn
        ] * 3
    people = sum(len(run.metrics[name]["int8"]["per_subject"]) for name in sets(run))
    assert page.locator("[id='person-all'] .whisker").count() == people
    assert page.locator("[id='wave-velocity'] path.line").count() == 6


def test_tables_of_a_run_show_its_metrics(opened, run):
    page = opened(1280)
    cells = shown(page, "[data-estimator]")
    assert len(cells) == 5 + 4 * sum(len(run.metrics[name]) for name in sets(run))
    for keys, text in cells:
        value = run.metrics[keys["set"]][keys["estimator"]][keys["metric"]]
        assert text == "–" if value is None else float(text) == pytest.approx(value, abs=0.005001)
    costs = shown(page, "[data-core]")
    assert len(costs) == 4 * sum(len(parts) for parts in run.cores.values())
    for keys, text in costs:
        metrics = run.cores[keys["core"]][keys["part"]]
        expected = {"instructions": metrics.get("instructions_per_stride"), **metrics}
        assert int(text) == expected[keys["metric"]]


def test_answer_contains_worst_errors_and_costs_of_the_whole_library(opened, run):
    text = opened(1280).locator(".answer").inner_text()
    strides = run.strides[run.strides["dataset"] == "tripod"]
    error_cm = (strides["int8_streaming_cm"] - strides["stride_length_cm"]).abs()
    library = run.cores["cortex-m4f"]["estimator"]
    # 1.3 cycles per instruction at 64 MHz.
    time_ms = library["instructions_per_stride"] * 1.3 / 64e3
    for words in (
        f"within {error_cm.quantile(0.95):.1f} cm",
        f"within {error_cm.median():.1f} cm",
        f"{library['flash_bytes'] / 1000:.1f} kB of flash",
        f"{time_ms:.1f} ms",
    ):
        assert words in re.sub(r"\s", " ", text)


def test_answer_has_the_walking_metrics_of_the_set_with_the_largest_errors(run):
    own = run.metrics["tripod"]["int8-streaming"]
    walking = {"n_strides": 7, "median_abs_cm": 1.5, "p95_abs_cm": 9.9}
    changed = own | {"per_gait": {"walking": walking, "running": walking | {"p95_abs_cm": 99.0}}}
    metrics = run.metrics | {"tripod": run.metrics["tripod"] | {"int8-streaming": changed}}
    found = content.answer(replace(run, metrics=metrics))
    assert found["worst"] == "tripod"
    assert (found["p95_cm"], found["median_cm"], found["strides"]) == (9.9, 1.5, 7)


def test_answer_without_a_measured_set_states_it(run, path, opened):
    metrics = {name: run.metrics[name] for name in ("source", "street")}
    strides = run.strides[run.strides["dataset"] == "street"]
    path.write_text(render(replace(run, metrics=metrics, strides=strides, published=[])), encoding="utf-8")
    page = opened(1280)
    assert "accuracy is not known" in page.locator(".answer").inner_text()
    assert page.locator("#accuracy").count() == 0


def test_cost_of_a_core_states_time_and_energy(run):
    rows = {(row["core"], row["part"]): row for row in content.footprints(run.cores)}
    library = rows["cortex-m4f", "estimator"]
    # 900,000 instructions, 1.3 cycles each, 64 MHz; 52 pC per cycle at 3 V.
    assert library["time_ms"] == pytest.approx(18.28, abs=0.01)
    assert library["energy_uj"] == pytest.approx(182.5, abs=0.1)
    assert "energy_uj" not in rows["cortex-m0", "network"]


def test_people_of_a_set_show_known_ages_only(opened, run):
    page = opened(1280)
    rows = {
        row.locator("th").inner_text().split()[0]: row.inner_text()
        for row in page.locator("#people tbody tr").all()
    }
    assert "31 to 64 years, median 47.5 (of 2; others not known)" in rows["tripod"]
    assert "170 cm" in rows["tripod"] and rows["street"].count("not known") == 3
    assert content.ages(run) == "31 to 64 years"


def test_count_people_of_shared_wearer_counts_once(run):
    names = {"llio-ruler": {"subjects": 1}, "llio-ruler-2": {"subjects": 1}, "vicon": {"subjects": 4}}
    assert content.count_people(replace(run, counts=names), list(names)) == 5
    assert content.count_people(replace(run, counts=names), ["llio-ruler-2"]) == 1


def test_slope_row_describes_the_line_at_both_ends(run):
    (row,) = content.slope_rows(run)
    entry = run.metrics["tripod"]["int8-streaming"]
    assert row["slope"] == entry["slope"] and row["low_cm"] < row["high_cm"]
    line_cm = entry["intercept_cm"] + entry["slope"] * row["low_cm"]
    assert row["low_error_cm"] == pytest.approx(line_cm - row["low_cm"])
    assert row["diluted"] is None


@pytest.mark.parametrize(
    ("slope", "interval", "diluted", "verdict"),
    [
        (0.99, [0.97, 1.01], None, "none"),
        (0.83, [0.78, 0.87], 0.85, "noise"),
        (0.95, [0.94, 0.96], 0.99, "shrinks"),
        (1.05, [1.04, 1.06], None, "stretches"),
    ],
)
def test_slope_verdict_of_interval_separates_noise_from_shrinking(slope, interval, diluted, verdict):
    assert content._slope_verdict(slope, interval, diluted) == verdict


@pytest.mark.parametrize("by", ["per_speed", "per_kind"])
def test_grouped_rows_hold_every_stride(run, by):
    rows = content.grouped_rows(run, by)
    assert len(rows) >= (2 if by == "per_speed" else 1)
    strides = sum(row["sets"]["tripod"].get("n_strides", 0) for row in rows)
    assert strides == run.metrics["tripod"]["int8-streaming"]["n_strides"]


def test_interval_coverage_of_the_library_falls_back_to_the_offline_length(run):
    (row,) = content.accuracy_rows(run)
    assert row["estimator"] == "int8-streaming"
    assert row["interval_coverage"] == run.metrics["tripod"]["strapdown"]["interval_coverage"]


def test_simulated_run_is_marked_in_header_and_cards(opened, run):
    page = opened(1280)
    assert "Simulated walking" in page.locator("header [role=note]").inner_text()
    assert page.locator(".card .tag").all_inner_texts() == ["simulated"] * len(sets(run))


def test_estimator_choice_redraws_the_plots(opened, run):
    page = opened(1280)
    assert page.locator("#estimator").input_value() == "int8-streaming"
    page.select_option("#estimator", "mean")
    label = page.locator("[id='bland-altman-tripod'] svg").get_attribute("aria-label")
    assert f"bias {run.metrics['tripod']['mean']['bias_cm']} cm" in label
    page.select_option("#estimator", "strapdown")
    assert "the reference itself" in page.locator("[id='reference-street']").inner_text()


def test_set_without_an_estimate_states_it(opened, run, path):
    there = run.strides["dataset"] != "street"
    columns = {name: run.strides[name].where(there) for name in ("int8_cm", "int8_streaming_cm")}
    path.write_text(render(replace(run, strides=run.strides.assign(**columns))), encoding="utf-8")
    page = opened(1280)
    assert "no estimate" in page.locator("[id='bland-altman-street']").inner_text()
    assert page.locator("#wave-set option").all_inner_texts() == ["tripod"]


def test_stride_choice_shows_the_stride_with_its_lengths(opened, run):
    page = opened(1280)
    page.select_option("#wave-set", label="street")
    page.locator("#wave-stride").focus()
    page.keyboard.press("Home")
    strides = run.strides[run.strides["dataset"] == "street"]
    worst = strides.loc[(strides["int8_cm"] - strides["stride_length_cm"]).idxmin()]
    assert page.locator("#wave-name").inner_text().startswith(f"{worst['stride_id']}:")
    assert f"int8 network {worst['int8_cm']:.1f} cm" in page.locator("[id='wave-path']").inner_text()


def test_pointer_on_a_point_names_its_stride(opened, run):
    page = opened(1280)
    plot = page.locator("[id='reference-tripod']")
    plot.scroll_into_view_if_needed()
    d = plot.locator(".points path").first.get_attribute("d")
    x, y = map(float, re.match(r"M([\d.]+) ([\d.]+)", d).groups())
    box, view = plot.locator("svg").bounding_box(), plot.locator("svg").get_attribute("viewBox").split()
    zoom = box["width"] / float(view[2])
    page.mouse.move(box["x"] + x * zoom, box["y"] + y * zoom)
    tip = plot.locator(".tip").inner_text()
    assert re.match(r"S<\d>/.*: C library [\d.]+ cm, reference [\d.]+ cm, [\d.]+ m/s", tip)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_phone_shows_all_without_scrolling_sideways(opened, scheme):
    page = opened(390, 844, color_scheme=scheme)
    page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    for box in (each.bounding_box() for each in page.locator(".panel, table, .card, nav a").all()):
        assert box["x"] >= 0 and box["x"] + box["width"] <= 390


@pytest.mark.parametrize("width", [390, 768, 1400, 1900])
def test_plots_fill_their_panels_at_every_width(opened, width):
    page = opened(width)
    sizes = page.eval_on_selector_all(
        ".panel", "all => all.map(one => [one.querySelector('svg').clientWidth, one.clientWidth])"
    )
    assert len(sizes) > WAVE_PANELS and all(0.8 * panel < drawn <= panel for drawn, panel in sizes)


def test_window_resize_redraws_the_plots(opened):
    page = opened(1400)
    before = page.locator("[id='reference-tripod'] svg").get_attribute("viewBox")
    page.set_viewport_size({"width": 500, "height": 900})
    page.wait_for_function(
        "before => document.querySelector('[id=reference-tripod] svg').getAttribute('viewBox') !== before",
        arg=before,
    )


def test_print_is_in_light_colours_complete_and_fits_the_paper(opened):
    page = opened(720, color_scheme="dark")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.evaluate("document.documentElement.scrollWidth") <= 720
    assert not page.locator("nav").is_visible() and not page.locator(".controls").first.is_visible()
    assert page.locator("details:not([open])").count() == 0
    unbroken = "all => all.map(one => getComputedStyle(one).breakInside)"
    assert set(page.eval_on_selector_all("table, .panel", unbroken)) == {"avoid"}
    # A table that may not be split has to fit on a page: 297 mm less the margins, at 96 pixels an inch.
    heights = page.eval_on_selector_all("table", "all => all.map(one => one.clientHeight)")
    assert len(heights) > 5 and max(heights) < (297 - 28) / 25.4 * 96


def test_flash_points_compare_whole_libraries(run):
    points = content.flash_points(run)
    library = run.cores["cortex-m4f"]["estimator"]["flash_bytes"]
    (ours,) = [point for point in points if not point["published"]]
    assert (ours["series"], ours["flash_bytes"]) == ("this run, tripod", library)
    assert ours["rmse_cm"] == run.metrics["tripod"]["int8-streaming"]["rmse_cm"]
    assert {point["flash_bytes"] for point in points if point["published"]} == {91_600, 284_500}


@pytest.mark.parametrize(("use_network", "flash_bytes"), [(False, 14_000), (True, 10_656)])
def test_flash_points_of_sweeps_add_the_library_without_network(run, use_network, flash_bytes):
    trials = pd.DataFrame({"trial": [0, 1], "rmse_cm": [3.5, None], "flash_bytes": [2000.0, None]})
    parameters = run.parameters | {"quantize": {"use_network": use_network}}
    run = replace(run, parameters=parameters)
    without, beside = content.flash_points(run), content.flash_points(replace(run, sweeps={"sizes": trials}))
    (added,) = [point for point in beside if point not in without]
    assert (added["series"], added["flash_bytes"], added["rmse_cm"]) == ("sweep sizes", flash_bytes, 3.5)


def test_published_comparison_contains_the_whole_library(run):
    rows = content.beside_published(run)
    ours = next(row for row in rows if row["whose"] == "this run" and row["network"] == "int8")
    assert ours["flash_bytes"] == run.cores["cortex-m4f"]["estimator"]["flash_bytes"]
    assert ours["bias_cm"] == run.published[0]["bias_cm"]


def test_render_of_equal_runs_gives_equal_bytes_within_the_limit(run, path):
    again = render(run).encode()
    assert again == path.read_bytes()
    assert len(again) < MAX_BYTES
    assert b"<script src" not in again and b'rel="stylesheet"' not in again


def test_render_of_names_with_tags_escapes_them(run):
    named = replace(run, strides=run.strides.assign(condition="</script>"), versions={"<b>Python": "3.11"})
    page = render(named)
    assert "&lt;b&gt;Python" in page and "<b>Python" not in page
    data = re.search(r'id="report-data">(.*?)</script>', page, re.DOTALL)[1]
    assert json.loads(data)["sets"][0]["conditions"] == ["</script>"]


@pytest.mark.parametrize(
    ("value", "plain", "with_sign"),
    [(-0.26, "−0.26", "−0.26"), (0.001, "0.00", "+0.00"), (-0.001, "0.00", "+0.00"), (None, "–", "–")],
)
def test_number_formats_have_a_minus_and_no_negative_zero(value, plain, with_sign):
    assert (fixed(value), signed(value)) == (plain, with_sign)
