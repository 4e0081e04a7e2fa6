"""The report, opened in headless Chromium as its readers open it."""

import shutil
from dataclasses import replace

import pandas as pd
import pytest
from playwright.sync_api import Page, sync_playwright

from tinystride.report.content import flash_points
from tinystride.report.page import render

PLOTS_OF_A_SET = 4  # reference, Bland-Altman, subject, speed
WAVE_PANELS = 4


@pytest.fixture
def path(run, tmp_path):
    path = tmp_path / "index.html"
    path.write_text(render(run), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        yield browser
        browser.close()


@pytest.fixture
def opened(browser, path):
    """Opens the page in a window of a size, in which nothing may be complained about or asked for."""
    complaints, contexts = [], []

    def open_page(width: int, height: int = 900, **options) -> Page:
        contexts.append(browser.new_context(viewport={"width": width, "height": height}, **options))
        page = contexts[-1].new_page()
        page.on("console", lambda message: complaints.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: complaints.append(request.url))
        page.goto(path.as_uri())
        page.wait_for_selector("#wave-path .main-svg")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert set(complaints) == {path.as_uri()}


def sets(run) -> list[str]:
    return [name for name in run.metrics if name != "source"]


def shown(page: Page, selector: str) -> dict:
    """{data attributes: number} of every figure that a table shows."""
    return page.eval_on_selector_all(
        selector,
        "all => all.map(one => [{...one.dataset}, one.textContent.replace('−', '-').replaceAll(',', '')])",
    )


def test_every_figure_is_drawn_from_its_strides(opened, run):
    page = opened(1280)
    assert page.locator(".panel").count() == PLOTS_OF_A_SET * len(sets(run)) + 1 + WAVE_PANELS
    for name in sets(run):
        drawn = (run.judged["dataset"] == name) & run.judged["int8_cm"].notna()
        for figure in ("reference", "bland-altman", "speed"):
            points = page.locator(f"[id='{figure}-{name}'] .scatterlayer path.point")
            extra = 2 if figure == "speed" and name == "tripod" else 0  # the means of both conditions
            assert points.count() == drawn.sum() + extra
    assert page.locator("[id='wave-velocity'] .scatterlayer path.js-line").count() == 6
    assert page.locator("[id='flash-all'] .scatterlayer path.point").count() == 2 + 2


def test_numbers_are_those_of_the_metrics(opened, run):
    page = opened(1280)
    cells = shown(page, "[data-estimator]")
    assert len(cells) == 4 * sum(len(run.metrics[name]) for name in sets(run))
    for keys, text in cells:
        value = run.metrics[keys["set"]][keys["estimator"]][keys["figure"]]
        assert text == "–" if value is None else float(text) == pytest.approx(value, abs=0.005001)
    costs = shown(page, "[data-core]")
    assert len(costs) == 4 * sum(len(parts) for parts in run.cores.values())
    for keys, text in costs:
        figures = run.cores[keys["core"]][keys["part"]]
        assert (
            int(text) == {"instructions": figures.get("instructions_per_stride"), **figures}[keys["figure"]]
        )
    protocol = run.published[0]
    row = page.locator("tr", has_text="this run, int8").first.inner_text().replace("−", "-")
    assert f"{protocol['bias_cm']:.2f} ± {protocol['sd_cm']:.2f}" in row and "3.3 kB" in row


def test_simulated_data_is_said_loudly(opened, run):
    page = opened(1280)
    assert "Simulated walking" in page.locator("header [role=note]").inner_text()
    assert page.locator(".card .tag").all_inner_texts() == ["simulated"] * len(sets(run))


def test_choosing_an_estimator_redraws(opened, run):
    page = opened(1280)
    page.select_option("#estimator", "mean")
    label = page.locator("[id='bland-altman-tripod']").get_attribute("aria-label")
    assert f"bias {run.metrics['tripod']['mean']['bias_cm']} cm" in label
    page.select_option("#estimator", "strapdown")
    assert "the reference itself" in page.locator("[id='reference-street']").inner_text()


def test_a_set_without_any_estimate_says_so(opened, run, path):
    nowhere = run.judged.assign(int8_cm=run.judged["int8_cm"].where(run.judged["dataset"] != "street"))
    path.write_text(render(replace(run, judged=nowhere)), encoding="utf-8")
    page = opened(1280)
    assert "no estimate" in page.locator("[id='bland-altman-street']").inner_text()
    assert page.locator("#wave-set option").all_inner_texts() == ["tripod"]


def test_choosing_a_stride_shows_it_with_its_lengths(opened, run):
    page = opened(1280)
    page.select_option("#wave-set", label="street")
    page.locator("#wave-stride").focus()
    page.keyboard.press("Home")
    judged = run.judged[run.judged["dataset"] == "street"]
    worst = judged.loc[(judged["int8_cm"] - judged["stride_length_cm"]).idxmin()]
    assert page.locator("#wave-name").inner_text().startswith(f"{worst['stride_id']}:")
    assert f"int8 network {worst['int8_cm']:.1f} cm" in page.locator("[id='wave-path']").inner_text()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_shows_all_without_scrolling_sideways(opened, scheme):
    page = opened(390, 844, color_scheme=scheme)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    for box in (each.bounding_box() for each in page.locator(".panel, table, .card").all()):
        assert box["x"] >= 0 and box["x"] + box["width"] <= 390


@pytest.mark.parametrize("width", [390, 768, 1400, 1900])
def test_no_figure_is_wider_than_its_panel(opened, width):
    page = opened(width)
    sizes = page.eval_on_selector_all(
        ".panel", "all => all.map(one => [one.querySelector('.main-svg').clientWidth, one.clientWidth])"
    )
    assert len(sizes) > WAVE_PANELS and all(0.8 * panel < drawn <= panel for drawn, panel in sizes)


def test_nothing_on_the_page_offers_to_send_it_anywhere(opened):
    page = opened(1280)
    offered = page.eval_on_selector_all(".modebar-btn", "all => all.map(one => one.dataset.title)")
    assert offered and not [title for title in offered if "hare" in title or "loud" in title]


def test_print_is_light_and_fits_the_paper(opened):
    page = opened(720, color_scheme="dark")
    page.emulate_media(media="print", color_scheme="dark")
    page.wait_for_function("document.querySelector('#wave-path .main-svg').clientWidth < 330")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.evaluate("document.documentElement.scrollWidth") <= 720
    assert not page.locator("nav").is_visible()


def test_sweeps_stand_beside_the_run(run):
    trials = pd.DataFrame({"trial": [0, 1], "rmse_cm": [3.5, None], "flash_bytes": [2000.0, None]})
    without, beside = flash_points(run), flash_points(replace(run, sweeps={"sizes": trials}))
    (added,) = [point for point in beside if point not in without]
    assert (added["series"], added["flash_bytes"], added["rmse_cm"]) == ("sweep sizes", 2000.0, 3.5)


def test_equal_runs_give_equal_bytes_of_one_page(run, path):
    again = render(run).encode()
    assert again == path.read_bytes()
    assert len(again) < 6e6
