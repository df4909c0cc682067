from __future__ import annotations

import json
import re
import shutil
from base64 import b64decode
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from archbuild.evaluation.collapse import occupancy
from archbuild.figures.projection import Projection
from archbuild.registry import default_vocabulary
from archbuild.report import (
    LIMIT,
    Categories,
    Measure,
    Remark,
    Report,
    Section,
    hover_images,
    hover_series,
    hover_table,
    map_document,
    quality_in_words,
    render_page,
    stage_in_words,
)
from archbuild.report.page import json_for_script
from archbuild.report.pictures import embed
from archbuild.spec import make_plan, spec_from_tree

HOSTILE = "</script><img src=x onerror=window.hacked=1>&\u2028'\""
SPEC = {
    "spec_version": 1,
    "name": "small",
    "batch_size": 8,
    "layers": [
        {"type": "Input", "output_shape": [1, 8, 8]},
        {"type": "Dense", "num_units": 20},
        {"type": "Dense", "num_units": 3},
    ],
}
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture
def picture(tmp_path) -> Path:
    path = tmp_path / "clusters-kld.png"
    noise = np.random.default_rng(0).integers(0, 255, (300, 1200, 3), np.uint8)
    Image.fromarray(noise).save(path)
    return path


@pytest.fixture
def report(picture):
    """A report on 40 images, with hostile names wherever there are names."""

    def make(**changes) -> Report:
        vocabulary = default_vocabulary()
        return Report(
            **{
                "title": HOSTILE,
                "subtitle": "small",
                "facts": {"rows": "40", HOSTILE: HOSTILE},
                "summary": [Remark("All is well."), Remark(HOSTILE, is_warning=True)],
                "metrics": [{"space": HOSTILE, "method": "head", "acc": 0.5}],
                "scatter": scatter(hover_images(some((40, 8, 8, 1)))),
                "sections": [Section("Clusters", {picture: HOSTILE})],
                "plan": make_plan(spec_from_tree(SPEC, vocabulary), vocabulary),
                "spec": HOSTILE,
                "environment": {"data": HOSTILE},
                **changes,
            }
        )

    return make


def some(shape):
    return np.random.default_rng(0).random(shape).astype(np.float32)


def scatter(hover, count=40, **options):
    """Forty points on a grid, that no two of them can be confused."""
    rows = 10 * np.arange(count)
    grid = np.column_stack([np.arange(count) % 8, np.arange(count) // 8]).astype(float)
    spaces = {"raw": Projection(rows, -grid, "PCA"), "kld": Projection(rows, grid)}
    colourings = [
        Categories("class", np.arange(count) % 2, ["even", HOSTILE], [0, 1]),
        Categories("cluster of kld", np.arange(count) % 3 - 1, ["a", "b"], [2, 13]),
        Measure("confidence of kld", np.linspace(0.2, 1, count)),
    ]
    return map_document(rows, spaces, colourings, hover, **{"total": 400, **options})


# -- the text --------------------------------------------------------------------------------------


def test_nothing_from_outside_is_markup(report):
    page = render_page(report())
    assert "<img src=x" not in page
    assert "&lt;/script&gt;&lt;img src=x" in page
    assert page.count("</script>") == 2


def test_json_in_a_script_says_the_same_and_ends_nothing():
    value = {"names": [HOSTILE, "\u2029", "<!--", "é"], "x": 1.5}
    text = json_for_script(value)
    assert not set(text) & set("<>&\u2028\u2029")
    assert json.loads(text) == value


def test_the_page_fetches_nothing(report):
    page = render_page(report())
    assert "default-src 'none'" in page
    assert not re.search(r"""(src|href)=["']?(https?:|//)|@import|url\(""", page)


def test_without_a_map_there_is_neither_section_nor_link(report):
    page = render_page(report(scatter=None, metrics=[], sections=[]))
    assert 'id="map"' not in page
    assert 'href="#map"' not in page
    assert "<table>" not in page


def test_the_network_is_an_hourglass_in_which_the_latent_stands_out(report):
    page = render_page(report())
    parts = re.findall(r'<li class="(\w+)">.*?width:([\d.]+)%', page)
    assert [part for part, _ in parts] == ["encoder"] * 2 + ["latent"] + ["decoder"] * 3
    widths = [float(width) for _, width in parts]
    assert min(widths) == widths[2]
    assert max(widths) == 100


def test_pictures_beyond_the_limit_are_all_shrunk(picture):
    whole, small = embed([picture])[picture], embed([picture], limit=200_000)[picture]
    assert (whole.width, whole.height) == (1200, 300)
    assert b64decode(whole.uri.partition(",")[2]) == picture.read_bytes()
    assert small.width < 600
    assert len(small.uri) < 4 / 3 * 200_000 + 100


# -- the map's data --------------------------------------------------------------------------------


def test_points_fill_the_extent_whatever_their_scale():
    document = scatter({"kind": "table"})
    for space in document["spaces"]:
        assert (min(space["x"]), max(space["x"])) == (0, document["extent"])
    flat = Projection(np.arange(3), np.array([[0.0, 5.0], [1.0, 5.0], [4.0, 5.0]]))
    (space,) = map_document(np.arange(3), {"raw": flat}, [], {}, total=3)["spaces"]
    assert space["x"] == [0, 2500, 10_000]
    assert space["y"] == [5000] * 3


def test_rows_go_by_number_or_by_the_name_that_the_user_knows():
    document = scatter({}, count=3)
    assert document["rows"] == ["row 0", "row 10", "row 20"]
    assert document["note"] == "3 of 400 rows are shown, drawn by chance."
    named = scatter({}, count=2, ids=np.array(["a.png", HOSTILE]), total=2)
    assert named["rows"] == ["a.png", HOSTILE]
    assert named["note"] == "All 2 rows are shown."


def test_thumbnails_stand_in_the_order_of_the_rows():
    images = np.linspace(0, 1, 7).reshape(7, 1, 1, 1) * np.ones((1, 8, 4, 1))
    hover = hover_images(images)
    sheet = opened(hover["sheet"])
    assert sheet.size == (3 * 4, 3 * 8)
    cells = [sheet.getpixel((i % 3 * 4 + 1, i // 3 * 8 + 1)) for i in range(7)]
    assert cells == np.rint(255 * np.linspace(0, 1, 7)).tolist()


def test_large_photographs_become_smaller_until_they_fit():
    photographs = some((30, 160, 120, 3))
    sides = [hover_images(photographs, limit)["height"] for limit in (10**6, 12_000)]
    assert sides == [64, 32]
    hover = hover_images(photographs, 12_000)
    assert hover["sheet"].startswith("data:image/jpeg")
    assert opened(hover["sheet"]).size == (6 * 24, 5 * 32)


def opened(uri):
    return Image.open(BytesIO(b64decode(uri.partition(",")[2])))


def test_a_table_shows_names_and_values_in_its_own_units():
    hover = hover_table(np.array([[1.0, 12345.678], [-0.5, 0]]), ("age", HOSTILE))
    assert hover["names"] == ["age", HOSTILE]
    assert hover["values"] == [[1.0, 12350.0], [-0.5, 0.0]]
    assert hover_table(np.zeros((2, 3)))["names"] == ["0", "1", "2"]


def test_of_a_wide_table_each_row_shows_what_is_unusual_about_it():
    rows = np.zeros((50, 100))
    rows[7, 42] = 3.0
    hover = hover_table(rows)
    assert hover["shown"][7][0] == 42
    assert hover["values"][7][0] == 3.0
    assert {len(shown) for shown in hover["shown"]} == {12}


def test_series_become_few_bytes():
    series = np.stack([np.linspace(-2, 3, 1000), np.zeros(1000)], axis=-1)[np.newaxis]
    hover = hover_series(series)
    levels = np.frombuffer(b64decode(hover["levels"]), np.uint8).reshape(1, 64, 2)
    assert levels[0, [0, -1], 0].tolist() == [0, 255]
    assert set(levels[0, :, 1]) == {102}
    assert (hover["low"], hover["high"], hover["length"]) == (-2, 3, 1000)


def test_the_largest_page_stays_below_fifteen_megabytes(report, picture):
    codes, confidences = np.arange(LIMIT) % 10, some(LIMIT)
    rows, points = np.arange(LIMIT), some((LIMIT, 2))
    names = [f"class {i}" for i in range(10)]
    heads = [Categories("cluster", codes, names, range(10)), Measure("confidence", confidences)] * 6
    spaces = {f"space {i}": Projection(rows, points) for i in range(8)}
    hover = hover_images(some((LIMIT, 32, 32, 3)))
    large = map_document(rows, spaces, heads, hover, total=70_000)
    pictures = {picture.with_name(f"{i}.png"): "one" for i in range(12)}
    for path in pictures:
        shutil.copy(picture, path)
    page = render_page(report(scatter=large, sections=[Section("Clusters", pictures)]))
    assert 5e6 < len(page.encode()) < 15e6


# -- the words -------------------------------------------------------------------------------------


def summary_of(clusters, n_clusters):
    spread = vars(occupancy(np.asarray(clusters), n_clusters))
    return {"converged": True, "seconds": 61.4, "occupancy": spread}


def test_a_healthy_stage_is_told_in_one_paragraph():
    history = [{"loss": 2.0}, {"loss": 0.25}]
    (remark,) = stage_in_words("cluster-kld", history, summary_of([0, 1, 2], 3))
    assert remark.text.startswith(
        "Stage cluster-kld settled after 2 epochs, in 61 s. Its loss went from 2 to 0.25. 3 of 3"
    )
    assert remark.text.endswith("Nothing points to a collapse.")
    assert not remark.is_warning


def test_of_one_epoch_there_is_one_loss():
    (remark,) = stage_in_words(
        "pretrain", [{"loss": 2.0}], {**summary_of([0], 1), "occupancy": None}
    )
    assert remark.text == "Stage pretrain settled after 1 epoch, in 61 s. Its loss was 2."


def test_a_collapse_is_a_warning():
    remarks = stage_in_words("train-gmm", [{"loss": None}], summary_of([0, 0, 0, 1], 3))
    assert [remark.is_warning for remark in remarks] == [False, True]
    assert remarks[1].text.startswith("The clusters of train-gmm: 1 cluster is empty")
    assert "collapse" not in remarks[0].text


def test_a_stage_that_is_not_finished_says_so():
    (remark,) = stage_in_words("pretrain", [{"loss": 1.0}] * 3, None)
    assert remark == Remark("Stage pretrain is not finished: it is at epoch 3.", True)


def test_quality_with_labels_names_each_head_and_k_means_beside_it():
    metrics = [
        {"space": "raw", "method": "k-means", "acc": 0.5},
        {"space": "kld", "method": "k-means", "acc": 0.9},
        {"space": "kld", "method": "head", "acc": 0.8, "silhouette": 0.3},
    ]
    agreement = {"acc": 0.8, "nmi": 0.7, "ari": 0.6}
    first, second = quality_in_words({"kld": agreement}, metrics, n_heads=1)
    assert "80.0% of the rows" in first.text
    assert "NMI 0.700" in first.text
    assert second.text == "K-means, for comparison: 50.0% on the raw data."


def test_quality_without_labels_or_heads_or_metrics_says_what_is_missing():
    metrics = [{"space": "kld", "method": "head", "silhouette": 0.31}]
    texts = [remark.text for remark in quality_in_words(None, metrics, n_heads=1)]
    assert "silhouette of 0.31" in texts[0]
    assert "no labels" in texts[1]
    texts = " ".join(remark.text for remark in quality_in_words({}, [], n_heads=0))
    assert "--cluster" in texts
    assert "--metrics" in texts


# -- in a browser ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def driver():
    """A headless browser, started once."""
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
    browser = next(filter(None, map(shutil.which, CHROMIUM)), None)
    chromedriver = shutil.which("chromedriver")
    if browser is None or chromedriver is None:
        pytest.skip(f"needs chromedriver and one of {', '.join(CHROMIUM)} on the PATH")
    options = webdriver.ChromeOptions()
    options.binary_location = browser
    # without its sandbox, as containers run their tests as root
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    service = webdriver.ChromeService(executable_path=chromedriver)
    with webdriver.Chrome(options=options, service=service) as running:
        yield running


class Page:
    """A page as its reader has it."""

    def __init__(self, driver):
        self.driver = driver

    def run(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def settled(self):
        """After the next frame, when what was asked for is drawn."""
        self.driver.execute_async_script(
            "requestAnimationFrame(() => requestAnimationFrame(() => arguments[0]()))"
        )
        return self

    def find(self, selector):
        return self.driver.find_element("css selector", selector)

    def overflows(self):
        return self.run(
            "const page = document.documentElement; return page.scrollWidth > page.clientWidth"
        )

    def pixels(self):
        self.settled()
        return self.run("return document.getElementById('points').toDataURL()")

    def choose(self, select, text):
        for option in self.find(f"#{select}").find_elements("css selector", "option"):
            if option.text == text:
                option.click()
        self.settled()

    def press(self, keys):
        self.find("#points").send_keys(keys)
        self.settled()

    def hover(self, x, y):
        from selenium.webdriver import ActionChains

        canvas = self.find("#points")
        self.run("arguments[0].scrollIntoView({block: 'center'})", canvas)
        left, top = round(x - canvas.size["width"] / 2), round(y - canvas.size["height"] / 2)
        ActionChains(self.driver, duration=0).move_to_element_with_offset(
            canvas, left, top
        ).perform()
        self.settled()

    @property
    def tip(self):
        return self.find("#tip").text


@pytest.fixture
def opened_page(driver, tmp_path):
    """Open a report at a width of so many pixels; afterwards nothing may have gone wrong."""

    def open_page(content, width=1280):
        path = tmp_path / "report.html"
        path.write_text(render_page(content), encoding="utf-8")
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        driver.get(path.as_uri())
        return Page(driver).settled()

    yield open_page
    assert driver.get_log("browser") == []
    assert driver.execute_script("return window.hacked") is None


@pytest.mark.parametrize("width", [1280, 400])
def test_the_page_fits_its_window_and_fetches_nothing(opened_page, report, width):
    page = opened_page(report(), width)
    assert not page.overflows()
    assert page.find("h1").text == " ".join(HOSTILE.split())
    assert page.find("#legend").text
    names = page.run("return performance.getEntriesByType('resource').map(each => each.name)")
    assert all(name.startswith("data:") for name in names)


def test_the_row_under_the_mouse_is_the_one_that_is_told(opened_page, report):
    page = opened_page(report())
    assert not page.find("#tip").is_displayed()
    width, height = page.run(
        "const {clientWidth, clientHeight} = document.getElementById('points');"
        "return [clientWidth, clientHeight]"
    )
    # column 3 of 8 and row 1 of 5, counted from below, within the margin
    page.hover(18 + 3 / 7 * (width - 36), height - 18 - 1 / 4 * (height - 36))
    assert page.tip.splitlines()[:3] == ["row 110", "class", " ".join(HOSTILE.split())]
    assert "cluster of kld\nb\nconfidence of kld\n0.426" in page.tip
    page.hover(1, 1 + height / 8)
    assert not page.find("#tip").is_displayed()


def test_the_thumbnail_is_that_of_the_row(opened_page, report):
    images = np.zeros((40, 8, 8, 1))
    images[1::2] = 1.0
    page = opened_page(report(scatter=scatter(hover_images(images))))
    look = (
        "const picture = document.querySelector('#tip canvas');"
        "return [picture.width, picture.getContext('2d').getImageData(9, 9, 1, 1).data[0]]"
    )
    page.press("n")
    assert page.run(look) == [112, 0]
    page.press("n")
    assert page.run(look) == [112, 255]


def test_colours_and_spaces_can_be_chosen(opened_page, report):
    page = opened_page(report())
    seen = [page.pixels()]
    assert "even" in page.find("#legend").text
    page.choose("colouring", "cluster of kld")
    assert "unlabelled" in page.find("#legend").text
    seen.append(page.pixels())
    page.choose("colouring", "confidence of kld")
    assert page.find("#legend").text.split() == ["confidence", "of", "kld", "0.200", "1.00"]
    seen.append(page.pixels())
    page.choose("space", "raw (PCA)")
    seen.append(page.pixels())
    assert len(set(seen)) == 4


def test_an_entry_of_the_legend_shows_its_points_alone(opened_page, report):
    page = opened_page(report())
    before, entry = page.pixels(), page.find("#legend button")
    entry.click()
    assert entry.get_attribute("aria-pressed") == "true"
    assert page.pixels() != before
    entry.click()
    assert page.pixels() == before


def test_the_keyboard_is_enough(opened_page, report):
    page = opened_page(report())
    whole = page.pixels()
    page.press("p")
    assert page.tip.startswith("row 390")
    page.press("\ue00c")  # Escape
    assert not page.find("#tip").is_displayed()
    page.press("+")
    closer = page.pixels()
    page.press("\ue014")  # arrow to the right
    assert len({whole, closer, page.pixels()}) == 3
    page.press("0")
    assert page.pixels() == whole


def test_the_mouse_moves_and_zooms(opened_page, report):
    from selenium.webdriver import ActionChains
    from selenium.webdriver.common.actions.wheel_input import ScrollOrigin

    page = opened_page(report())
    canvas, whole = page.find("#points"), page.pixels()
    page.find("#closer").click()
    closer = page.pixels()
    ActionChains(page.driver, duration=0).drag_and_drop_by_offset(canvas, 60, 20).perform()
    moved = page.pixels()
    origin = ScrollOrigin.from_element(canvas)
    ActionChains(page.driver).scroll_from_origin(origin, 0, -300).perform()
    assert len({whole, closer, moved, page.pixels()}) == 4
    page.find("#whole").click()
    page.hover(1, 1)
    assert page.pixels() == whole


def test_tables_and_series_show_their_rows(opened_page, report):
    table = hover_table(np.arange(80.0).reshape(40, 2), ("age", HOSTILE))
    page = opened_page(report(scatter=scatter(table)))
    page.press("nn")
    assert page.tip.endswith(f"age\n2\n{' '.join(HOSTILE.split())}\n3")
    page = opened_page(report(scatter=scatter(hover_table(some((40, 100))))))
    page.press("n")
    assert "12 of 100 features" in page.tip
    page = opened_page(report(scatter=scatter(hover_series(some((40, 30, 14))))))
    page.press("n")
    assert "30 steps, from 0.000" in page.tip
    assert page.tip.endswith("12 of 14 channels")
    drawn = page.run(
        "const picture = document.querySelector('#tip canvas');"
        "return picture.getContext('2d').getImageData(0, 0, 240, 96).data.some(Boolean)"
    )
    assert drawn


def test_without_colours_or_without_a_map_the_page_works(opened_page, report):
    rows = np.arange(4)
    flat = Projection(rows, np.zeros((4, 2)), "PCA")
    plain = map_document(rows, {"raw": flat}, [], hover_table(some((4, 2))), total=4)
    page = opened_page(report(scatter=plain))
    assert not page.find("#colouring").is_displayed()
    page.press("n")
    assert page.tip.startswith("row 0")
    opened_page(report(scatter=None))


def test_a_picture_can_be_seen_in_full_size(opened_page, report):
    page = opened_page(report(), width=400)
    picture, button = page.find(".frame img"), page.find(".enlarge")
    assert picture.size["width"] < 400
    button.click()
    assert picture.size["width"] == 1200
    assert not page.overflows()
    button.click()
    assert picture.size["width"] < 400
