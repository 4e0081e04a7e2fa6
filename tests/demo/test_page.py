"""The page itself: one file that reaches no address, for keyboard, screen reader, phone, light and dark."""

import http.server
import re
import threading

import pytest

from tests.demo.conftest import downloaded, wait_until
from tests.demo.test_numbers import columns_of
from tests.demo.walks import frame, walk, write_recording

MAX_MODULE_BYTES = 60_000
MIN_CONTRAST, MIN_GRAPHIC_CONTRAST = 4.5, 3.0
WIDTHS = (1280, 390, 320)
LUMINANCE = """
([text, page]) => {
    const channels = (colour) => {
        const c = Object.assign(document.createElement("canvas"), {width: 1, height: 1}).getContext("2d");
        c.fillStyle = colour;
        c.fillRect(0, 0, 1, 1);
        return [...c.getImageData(0, 0, 1, 1).data].slice(0, 3).map((v) => v / 255);
    };
    const light = (colour) => channels(colour)
        .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
        .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
    const [a, b] = [light(text), light(page)].sort((x, y) => y - x);
    return (a + 0.05) / (b + 0.05);
}
"""


@pytest.fixture(scope="module")
def done(opened):
    """A function that opens the page and has it analyse its sample."""

    def open_sample(width: int = 1280, **options):
        page = opened(width, **options)
        page.click("#sample")
        page.wait_for_selector("body[data-state=done]")
        return page

    return open_sample


def test_published_library_makes_a_small_module_without_imports(build):
    module = build.compile_module()
    assert len(module) <= MAX_MODULE_BYTES
    assert build.IMPORT_SECTION not in build.sections(module)


def test_module_with_an_import_is_refused(build, tmp_path):
    for folder in ("include", "src"):
        (tmp_path / folder).mkdir()
        for path in (build.LIBRARY / folder).iterdir():
            (tmp_path / folder / path.name).write_bytes(path.read_bytes())
    source = tmp_path / "src" / "tinystride.c"
    external = '__attribute__((import_module("env"), import_name("f"))) void f(void);\n'
    text = source.read_text().replace(
        "int tinystride_reset(tinystride_t *ts)\n{", "int tinystride_reset(tinystride_t *ts)\n{ f();"
    )
    assert "f();" in text
    keep = (
        '__attribute__((export_name("r"))) int r(tinystride_t *ts);\n'
        "int r(tinystride_t *ts) { return tinystride_reset(ts); }\n"
    )
    source.write_text(external + text + keep)
    with pytest.raises(build.BuildError, match="imports"):
        build.compile_module(tmp_path)


def test_build_twice_same_bytes(build, sample, page_path):
    module = build.compile_module(page_path.parent / "c")
    assert build.assemble(module, build.sample_csv()) == page_path.read_text(encoding="utf-8")


def test_page_is_one_file_that_names_no_address(page_path):
    text = page_path.read_text(encoding="utf-8")
    assert not re.findall(r"https?://|//[a-z]+\.[a-z]+/", text)
    assert not re.findall(r"<(?:script|link|img)[^>]+(?:src|href)=\"(?!data:)", text)


def test_policy_blocks_every_request(browser, page_path):
    received = []

    class Listener(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            received.append(self.path)
            self.send_error(404)

        do_POST = do_GET

    server = http.server.HTTPServer(("127.0.0.1", 0), Listener)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    page = browser.new_page()
    page.set_default_timeout(300_000)
    page.goto(page_path.as_uri())
    blocked = page.evaluate(
        """async (address) => {
            const broken = [];
            const note = (event) => broken.push(event.effectiveDirective);
            document.addEventListener("securitypolicyviolation", note);
            await fetch(`${address}/upload`, {method: "POST", body: "x"}).catch(() => {});
            new Image().src = `${address}/pixel`;
            navigator.sendBeacon(`${address}/beacon`, "x");
            await new Promise((resolve) => setTimeout(resolve, 300));
            return broken;
        }""",
        f"http://127.0.0.1:{server.server_port}",
    )
    page.close()
    server.shutdown()
    assert sorted(blocked) == ["connect-src", "connect-src", "img-src"]
    assert received == []


def test_sample_is_marked_simulated(done):
    page = done()
    assert "simulated walk" in page.inner_text("#files-help")
    assert page.inner_text("#status").startswith("Simulated sample: ")
    assert "simulated_walk.csv" in page.inner_text("#file-list")
    assert downloaded(page, "#save-sample").startswith("# simulated walk")


def test_walk_is_drawn_stride_by_stride(done):
    page = done(reduced_motion="no-preference")
    counts = page.evaluate(
        """async () => {
            const counts = [];
            const total = document.querySelectorAll("#strides tbody tr").length;
            while (counts.at(-1) !== total) {
                await new Promise(requestAnimationFrame);
                const now = Number(document.getElementById("plan").dataset.drawn || 0);
                if (counts.at(-1) !== now) counts.push(now);
            }
            return counts;
        }"""
    )
    assert len(counts) > 10
    assert counts == sorted(counts)


def test_reduced_motion_setting_draws_without_animation(done):
    page = done()
    strides = len(columns_of(downloaded(page, "#save-csv"))["start_s"])
    assert (
        page.get_attribute("#plan", "data-drawn")
        == page.get_attribute("#lengths", "data-drawn")
        == str(strides)
    )


@pytest.mark.parametrize("canvas", ["plan", "lengths"])
def test_drawing_shows_feet_and_flags_in_their_colours(done, canvas):
    page = done()
    colours = page.evaluate(
        """(id) => {
            const canvas = document.getElementById(id);
            const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
            const found = {};
            for (const name of ["left", "right", "flagged"]) {
                const probe = document.createElement("canvas").getContext("2d");
                probe.fillStyle = getComputedStyle(canvas).getPropertyValue(`--${name}`);
                probe.fillRect(0, 0, 1, 1);
                const [r, g, b] = probe.getImageData(0, 0, 1, 1).data;
                found[name] = 0;
                for (let i = 0; i < data.length; i += 4) {
                    if (data[i] === r && data[i + 1] === g && data[i + 2] === b) found[name]++;
                }
            }
            return found;
        }""",
        canvas,
    )
    assert min(colours.values()) > 30, colours


def test_loop_of_the_sample_closes_in_the_drawing(done):
    page = done()
    page.evaluate("document.getElementById('plan').scrollIntoView()")
    # The sample walks a rectangle: both drawn paths turn by about 360 degrees.
    size = page.evaluate(
        "(({clientWidth, clientHeight}) => [clientWidth, clientHeight])(document.getElementById('plan'))"
    )
    assert size[1] > 200  # a straight path would be flat


def test_keyboard_alone_reaches_the_result(opened):
    page = opened()
    reached = []
    for _ in range(12):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.id || document.activeElement.tagName"))
        if reached[-1] == "sample":
            break
    assert {"files", "sample"} <= set(reached)
    page.keyboard.press("Enter")
    page.wait_for_selector("body[data-state=done]")
    assert page.evaluate("document.activeElement.id") == "plan-title"
    for _ in range(3):  # draw again, the scrollable table, save
        page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "save-csv"
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"


def test_every_control_has_a_name(done):
    page = done()
    unnamed = page.eval_on_selector_all(
        "button, input, select, summary, canvas, progress, [role=region]",
        """all => all.filter((one) => {
            const text = !["SELECT", "CANVAS"].includes(one.tagName) && one.textContent.trim();
            return !text && !one.getAttribute("aria-label") && !(one.labels && one.labels.length);
        }).map((one) => one.outerHTML)""",
    )
    assert unnamed == []
    assert page.get_attribute("html", "lang") == "en"
    levels = page.eval_on_selector_all("h1, h2, h3", "all => all.map((one) => Number(one.tagName[1]))")
    assert levels[0] == 1 and levels.count(1) == 1


def test_result_and_error_are_announced_to_screen_readers(opened, tmp_path):
    page = opened()
    assert page.get_attribute("#status", "role") == "status"
    assert page.get_attribute("#error", "role") == "alert"
    path = tmp_path / "walk.csv"
    path.write_text("nothing\n")
    page.set_input_files("#files", str(path))
    page.wait_for_selector("body[data-state=error]")
    assert "walk.csv: " in page.inner_text("#error")
    page.click("#sample")
    page.wait_for_selector("body[data-state=done]")
    assert page.inner_text("#error") == ""
    assert re.search(r"\d+ strides, \d+ % without flags", page.inner_text("#status"))
    for canvas in ("plan", "lengths"):
        assert re.search(r"\d+ strides", page.get_attribute(f"#{canvas}", "aria-label"))


def test_table_holds_every_stride_of_the_drawing(opened, tmp_path):
    text = frame(walk(13, strides=40)).drop(columns="time_s").to_csv(index=False)
    head, body = text.split("\n", 1)
    path = tmp_path / "walk_R.csv"
    path.write_text(head + "\n" + 8 * body)
    page = opened()
    page.evaluate("document.forms[0].elements.rateHz.value = '100'")
    page.set_input_files("#files", str(path))
    page.wait_for_selector("body[data-state=done]")
    page.click("#table-details summary")
    while page.is_visible("#more"):
        page.click("#more")
    shown = page.locator("#strides tbody tr").all_inner_texts()
    csv = columns_of(downloaded(page, "#save-csv"))
    assert len(shown) == len(csv["start_s"]) > 200
    for row, length, flags in zip(shown, csv["stride_length_cm"], csv["flags"], strict=True):
        cells = row.split("\t")
        assert float(cells[4]) == pytest.approx(float(length), abs=0.06)
        assert cells[6] == (flags or "–")


@pytest.mark.parametrize("width", WIDTHS)
def test_no_width_scrolls_sideways(done, tmp_path, width):
    page = done(width)
    for details in ("#options", "#live", "#table-details"):
        page.click(f"{details} summary")
    scroll = "document.documentElement.scrollWidth"
    assert page.evaluate(scroll) <= width
    path = tmp_path / ("a_very_long_name_of_a_recording_" * 4 + ".csv")
    path.write_text("nothing\n")
    page.set_input_files("#files", str(path))
    page.wait_for_selector("body[data-state=error]")
    assert page.evaluate(scroll) <= width


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast_of_text_and_drawing(done, scheme):
    page = done(color_scheme=scheme)

    def colour(selector: str, name: str) -> str:
        return page.eval_on_selector(selector, f"one => getComputedStyle(one)['{name}']")

    card, body = colour(".card", "backgroundColor"), colour("body", "backgroundColor")
    for text, behind in [
        (colour("h1", "color"), body),
        (colour(".lead", "color"), body),
        (colour("footer", "color"), body),
        (colour(".help", "color"), card),
        (colour("td", "color"), card),
        (colour(".primary", "color"), colour(".primary", "backgroundColor")),
        (colour("#sample", "color"), colour("#sample", "backgroundColor")),
    ]:
        assert page.evaluate(LUMINANCE, [text, behind]) >= MIN_CONTRAST, (text, behind)
    for name in ("left", "right", "flagged", "error"):
        drawn = page.evaluate(f"getComputedStyle(document.body).getPropertyValue('--{name}')")
        assert page.evaluate(LUMINANCE, [drawn, card]) >= MIN_GRAPHIC_CONTRAST, name
    assert page.evaluate(LUMINANCE, [body, "white" if scheme == "dark" else "black"]) > 10


def test_change_of_scheme_redraws(done):
    page = done(color_scheme="light")
    picture = "document.getElementById('lengths').toDataURL()"
    light = page.evaluate(picture)
    page.emulate_media(color_scheme="dark")
    wait_until(page, f"({picture}) !== {light!r}")
    assert page.get_attribute("#lengths", "data-drawn") == page.get_attribute("#plan", "data-drawn")


def test_dropped_files_are_analysed(opened, tmp_path):
    page = opened()
    texts = {f"walk_{foot}.csv": frame(walk(8, foot=foot)).to_csv(index=False) for foot in ("left", "right")}
    page.evaluate(
        """(texts) => {
            const transfer = new DataTransfer();
            for (const [name, text] of Object.entries(texts)) transfer.items.add(new File([text], name));
            const event = new DragEvent("drop", {dataTransfer: transfer, bubbles: true});
            document.getElementById("drop").dispatchEvent(event);
        }""",
        texts,
    )
    page.wait_for_selector("body[data-state=done]")
    assert set(columns_of(downloaded(page, "#save-csv"))["recording"]) == set(texts)


def test_cancel_stops_the_analysis_and_the_page_stays_usable(opened, tmp_path):
    text = write_recording(walk(5), tmp_path / "one_R.csv").read_text()
    head, body = text.split("\n", 1)
    path = tmp_path / "walk_R.csv"
    path.write_text(head + "\n" + 150 * body)
    page = opened()
    page.set_input_files("#files", str(path))
    page.wait_for_selector("body[data-state=running]")
    page.click("#cancel")
    assert page.get_attribute("body", "data-state") == "idle"
    assert page.inner_text("#status") == "Cancelled."
    page.click("#sample")
    page.wait_for_selector("body[data-state=done]")
