# SPDX-License-Identifier: Apache-2.0
"""The dashboard in a real Chromium, on a real grid that a real worker runs."""
import json
import time
import unittest

from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from study import Study, chromium, set_size

# The ratio of two colours' luminances, after WCAG 2.
CONTRAST = """
const channel = (c) => { c /= 255; return c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4; };
const luminance = (rgb) => 0.2126 * channel(rgb[0]) + 0.7152 * channel(rgb[1]) + 0.0722 * channel(rgb[2]);
const parse = (text) => (text.match(/[\\d.]+/g) ?? []).map(Number);
const ground = (node) => {
  for (; node; node = node.parentElement) {
    const rgb = parse(getComputedStyle(node).backgroundColor);
    if (rgb.length === 3 || rgb[3] === 1) return rgb;
  }
  return [255, 255, 255];
};
const poor = [];
for (const node of document.querySelectorAll('main *, .bar *, .errors *, .foot *')) {
  const own = [...node.childNodes].some((child) => child.nodeType === 3 && child.textContent.trim());
  if (!own || node.offsetParent === null) continue;
  const a = luminance(parse(getComputedStyle(node).color)), b = luminance(ground(node));
  const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  if (ratio < 4.5) poor.push(`${node.tagName}.${node.className} "${node.textContent.slice(0, 30)}" ${ratio.toFixed(2)}`);
}
return poor;
"""

# What a screen reader could not name, and ids that stand twice.
UNNAMED = """
const wrong = [];
for (const node of document.querySelectorAll('a, button, select, input, canvas, table, dialog, [role=progressbar], [role=img]')) {
  const named = node.getAttribute('aria-label') || node.getAttribute('aria-labelledby') || node.textContent.trim() ||
    node.labels?.length > 0 || node.title;
  if (!named) wrong.push(node.outerHTML.slice(0, 100));
}
const ids = [...document.querySelectorAll('[id]')].map((node) => node.id);
for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) wrong.push('id ' + id);
if (document.querySelectorAll('main h1').length !== 1) wrong.push('not one h1');
return wrong;
"""


class DashboardTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.study = Study()
        cls.addClassCleanup(cls.study.close)
        cls.browser = chromium()
        cls.addClassCleanup(cls.browser.quit)
        cls.study.remixer("submit", str(cls.study.grid))
        cls.browser.get(cls.study.link)
        cls.wait_for(".place")

    @classmethod
    def wait(cls, condition, seconds=30):
        return WebDriverWait(cls.browser, seconds, 0.1).until(lambda _: condition())

    @classmethod
    def wait_for(cls, selector, seconds=30):
        return cls.wait(lambda: cls.browser.find_elements(By.CSS_SELECTOR, selector), seconds)[0]

    def run_script(self, text, *values):
        return self.browser.execute_script(text, *values)

    def go(self, place):
        self.run_script("location.hash = arguments[0]", place)

    def text(self, selector):
        return self.run_script("return document.querySelector(arguments[0])?.textContent ?? ''", selector)

    def setUp(self):
        set_size(self.browser, 1280, 900)
        self.go("#/")
        self.wait_for(".place")

    def tasks(self, kind):
        return [task for task in self.study.get("/tasks")["tasks"] if task["kind"] == kind]

    # In alphabetical order: the first look at the running grid, the others at the finished one.

    def test_0_goes_live_while_the_grid_runs(self):
        self.wait(lambda: self.text("#connection") == "live")
        self.assertIn("small", self.text("main h1"))
        self.wait(lambda: "train" in self.text("[aria-label=Running]"), 60)
        run = self.wait_for("[aria-label=Running] a")
        run.click()
        self.wait(lambda: "attempt 1 of" in self.text(".log"), 30)
        length = len(self.text(".log"))
        self.wait(lambda: len(self.text(".log")) > length or "done" in self.text("main .state"), 150)
        self.study.wait_for_end(200)

    def test_a_link_works_once_and_the_cookie_is_out_of_reach(self):
        self.assertEqual(self.run_script("return document.cookie"), "")
        status, text = self.study.ask(self.study.link[len(self.study.address):], token=False)
        self.assertEqual(status, 403)
        self.assertIn("remixer dashboard", text)
        self.assertEqual(self.study.ask("/", token=False)[0], 401)
        self.assertEqual(self.study.ask("/assets/app.js", token=False)[0], 401)
        self.assertEqual(self.study.ask("/api/v1/status", token=False)[0], 401)
        fresh = self.study.remixer("dashboard")
        self.assertIn("/open?key=", fresh)

    def test_b_errors_come_first_and_name_the_file(self):
        self.wait(lambda: self.study.torn.name in self.text("#errors"))
        self.assertLess(self.run_script("return document.querySelector('#errors').getBoundingClientRect().top"),
                        self.run_script("return document.querySelector('main').getBoundingClientRect().top"))
        self.browser.find_element(By.TAG_NAME, "body").send_keys("e", Keys.ENTER)
        self.wait(lambda: "failed" in self.text("main .head"))
        self.wait(lambda: self.study.torn.name in self.text("[aria-label=Record]"))

    def test_c_matrix_by_keyboard(self):
        self.wait(lambda: len(self.browser.find_elements(By.CSS_SELECTOR, ".place b")) == 2)
        places = self.browser.find_elements(By.CSS_SELECTOR, ".place")
        self.assertEqual([each.get_attribute("data-state") for each in places], ["failed", "failed"])
        figures = {cell["labeler"]: figure["value"] for cell in self.study.get("/grids/small")["cell_list"]
                   for figure in cell["figures"] if figure["eval_set"] == "original" and figure["metric"] == "top1"}
        self.assertIn(f"{figures['none']:.1f}", places[0].text)
        self.run_script("arguments[0].focus()", places[0])
        active = lambda: self.browser.switch_to.active_element.get_attribute("data-key")
        first = active()
        self.browser.switch_to.active_element.send_keys(Keys.ARROW_RIGHT)
        self.assertNotEqual(active(), first)
        self.browser.switch_to.active_element.send_keys(Keys.ENTER)
        self.wait(lambda: "bbox_grabcut" in self.text(".detail h3"))
        self.assertIn(f"{figures['bbox_grabcut']:.1f}", self.text(".detail"))
        gain = figures["bbox_grabcut"] - figures["none"]
        self.assertIn(f"({'−' if round(gain, 1) < 0 else '+'}{abs(gain):.1f})", self.text(".detail"))
        self.assertIn(f"{abs(gain):.1f})", places[1].text, "the gain over the plain model")
        # Esc closes it, and the keyboard is where it was.
        self.browser.switch_to.active_element.send_keys(Keys.ESCAPE)
        self.wait(lambda: self.run_script("return document.querySelector('.detail').hidden"))
        self.assertEqual(active(), "0/bbox_grabcut")
        options = self.run_script("return [...document.querySelector('[data-key=\"Evaluated on\"]').options].map((o) => o.text)")
        self.assertIn("no_fg ↓", options)
        self.assertIn("original", options)

    def test_d_comparison_shows_only_what_differs(self):
        for key in ("0/none", "0/bbox_grabcut"):
            place = self.wait_for(f"[data-key='{key}']")
            self.run_script("arguments[0].focus()", place)
            self.browser.switch_to.active_element.send_keys("x")
        self.wait(lambda: self.text("#basket") == "2")
        self.browser.find_element(By.TAG_NAME, "body").send_keys("c")
        self.wait(lambda: "labeler" in self.text(".differs"))
        # Of No-FG a low figure is the better one.
        starred = self.run_script("""for (const row of document.querySelectorAll('.differs tbody tr'))
            if (row.cells[0].textContent === 'no_fg ↓')
              return [...row.cells].slice(1).map((cell) => [parseFloat(cell.textContent), cell.textContent.includes('★')]);""")
        self.assertEqual([star for _, star in starred], [value == min(each for each, _ in starred) for value, _ in starred])
        rows = [each.text for each in self.browser.find_elements(By.CSS_SELECTOR, ".differs tbody th[scope=row]")]
        self.assertIn("original", rows)
        self.assertFalse([row for row in rows if "architecture" in row or row.startswith("recipe.")], rows)
        self.wait(lambda: self.browser.find_elements(By.CSS_SELECTOR, "main canvas"))
        self.browser.find_element(By.CSS_SELECTOR, "[data-key=clear]").click()
        self.wait(lambda: "Nothing is chosen" in self.text("main"))

    def test_e_curves_are_drawn_smoothed_and_grouped(self):
        self.wait(lambda: len(self.browser.find_elements(By.CSS_SELECTOR, ".series button")) == 2)
        drawn = """const canvas = document.querySelector('main canvas');
            const pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
            let sum = 0; for (let i = 0; i < pixels.length; i += 4) if (pixels[i + 3] > 200) sum = (sum * 31 + pixels[i] + i) % 1e9; return sum;"""
        before = self.wait(lambda: self.run_script(drawn))
        self.run_script("""const range = document.querySelector('input[type=range]'); range.value = 0.9;
            range.dispatchEvent(new Event('input', {bubbles: true}))""")
        self.wait(lambda: self.run_script(drawn) != before)  # the chart is drawn in a later frame
        self.run_script("""const list = document.querySelector('[data-key="One line a"]'); list.value = 'model';
            list.dispatchEvent(new Event('change', {bubbles: true}))""")
        self.wait(lambda: "(2)" in self.text(".series"))
        self.browser.find_element(By.CSS_SELECTOR, ".series button").send_keys(Keys.ENTER)
        self.assertEqual(self.wait_for(".series button").get_attribute("aria-pressed"), "false")
        self.run_script("localStorage.clear()")

    def test_f_arithmetic_of_curves(self):
        results = self.browser.execute_async_script("""
            const done = arguments[arguments.length - 1];
            import('/assets/series.js').then(({smooth, mean, group}) => done({
              same: smooth([[0, 0, 4], [1, 0, 4], [2, 0, 4]], 0.9).map((p) => p[2]),
              half: smooth([[0, 0, 0], [1, 0, 3]], 0.5).map((p) => p[2]),
              gap: smooth([[0, 0, 1], [1, 0, null], [2, 0, 1]], 0.5).map((p) => p[2]),
              mean: mean([[[0, 0, 1], [10, 1, 3]], [[0, 0, 3], [5, 0.5, 4], [10, 1, 5]]]),
              groups: group([{architecture: 'a', spatial_prior: 'none', labeler: 'x', seed: 0, recipe: 'r'},
                             {architecture: 'a', spatial_prior: 'convit', labeler: 'x', seed: 0, recipe: 'r'}], 'model').map((g) => g[0]),
            }));""")
        self.assertEqual([round(value, 9) for value in results["same"]], [4, 4, 4])
        self.assertEqual([round(value, 9) for value in results["half"]], [0, 2])
        self.assertEqual(results["gap"][1], None)
        self.assertEqual([(each["step"], each["mean"], each["least"], each["most"]) for each in results["mean"]],
                         [(0, 2, 1, 3), (5, 3, 2, 4), (10, 4, 3, 5)])
        self.assertEqual(results["groups"], ["a", "a + convit"])

    def test_f_no_two_lines_look_alike_and_the_legend_is_whole(self):
        looks = self.browser.execute_async_script("""
            const done = arguments[arguments.length - 1];
            import('/assets/plot.js').then(({Plot}) => {
              const plot = new Plot('many');
              document.querySelector('main').append(plot.node);
              plot.show([...Array(40).keys()].map((i) => ({name: `run ${i}`, points: [[0, i], [1, i + 1], [2, i]]})));
              const sets = plot.chart.data.datasets;
              const legend = plot.node.querySelector('.series');
              const keys = [...legend.querySelectorAll('button')].map((b) => b.style.getPropertyValue('--series') + b.querySelector('.key').dataset.mark);
              done({colours: sets.map((s) => s.borderColor), marks: sets.slice(0, 11).map((s) => `${s.pointStyle} ${s.pointBackgroundColor === s.borderColor}`),
                drawn: sets.every((s) => s.pointRadius.some((r) => r > 0)), keys,
                cut: legend.scrollHeight > legend.clientHeight + 1});
              plot.destroy();
              plot.node.remove();
            });""")
        self.assertEqual(len(set(looks["colours"])), 40)
        self.assertEqual(len(set(looks["marks"])), 11)
        self.assertEqual(len(set(looks["keys"])), 40)
        self.assertTrue(looks["drawn"])
        self.assertFalse(looks["cut"])

    def test_g_run_shows_kappa_machine_log_and_surroundings(self):
        train = next(task for task in self.tasks("train") if "bbox_grabcut" in task["title"])
        self.go(f"#/run/{train['task_id']}")
        self.wait(lambda: "block 0" in self.text("main") and "block" in self.text(".columns"))
        self.wait(lambda: "loss, smoothed" in self.text(".columns"))
        self.wait(lambda: "attempt 1 of" in self.text(".log"))
        # Measured on the images held out, after each epoch.
        self.wait(lambda: "Accuracy on images held out" in (self.run_script(
            "return [...document.querySelectorAll('main canvas')].map((c) => c.getAttribute('aria-label')).join()")))
        last = train and self.study.get(f"/tasks/{train['task_id']}")["attempts"][-1]
        self.assertGreater(last["step"], 0)
        self.assertEqual(last["step"], last["total_steps"], "a done run says its last step")
        self.assertIn(f"{last['step']:,} of {last['total_steps']:,}", self.text("[aria-label=Task]"))
        self.assertRegex(self.text("[aria-label=Task]"), r"done at (\d{4}-\d\d-\d\d )?\d\d:\d\d")
        record = self.text("[aria-label=Record]")
        for word in ("commit", "libtorch", "processor", "threads per rank", "kappa_lr", "model_sha256"):
            self.assertIn(word, record)

    def test_g_tables_are_those_of_the_report(self):
        self.browser.find_element(By.TAG_NAME, "body").send_keys("r")
        self.wait(lambda: self.browser.find_elements(By.CSS_SELECTOR, "#table1 td"))
        printed = self.study.remixer("report", "small", "--table", "1", "--format", "json")
        wanted = {f"{each['value']:.2f}" for each in json.loads(printed) if each["value"] is not None}
        shown = self.text("#table1 table")
        self.assertEqual([value for value in wanted if value.replace("-", "−") not in shown], [])
        self.assertIn("BG-Gap ↓", shown)
        self.assertIn("lie outside noise", self.text("#table1 .notes"))
        link = self.browser.find_element(By.CSS_SELECTOR, "#table1 a.value")
        task = self.study.get("/tasks/" + link.get_attribute("href").split("/")[-1])
        self.assertEqual(task["kind"], "evaluate")
        # Table 4's picture is drawn once it is asked for.
        self.wait(lambda: self.run_script("return document.querySelector('#table4 img')?.naturalWidth > 100"), 60)
        self.assertIn("says", self.browser.find_element(By.CSS_SELECTOR, "#table4 img").get_attribute("alt"))
        self.browser.find_element(By.CSS_SELECTOR, "[data-key=paper]").click()
        time.sleep(0.5)
        report = self.browser.find_element(By.CSS_SELECTOR, "[data-key=report]").get_attribute("href")
        self.browser.get(report)
        self.assertIn("Table 1", self.text("#table1"))
        self.assertTrue(self.browser.find_elements(By.CSS_SELECTOR, "img.maps"))
        status, _ = self.study.ask(report[len(self.study.address):], token=False)
        self.assertEqual(status, 401)
        self.browser.get(self.study.address + "/")
        self.wait_for(".place")
        self.run_script("localStorage.clear()")

    def test_g_a_phone_shows_whole_columns(self):
        set_size(self.browser, 390, 844, 2, True)
        self.wait_for(".place")
        for place, box in (("#/", ".matrix-box"), ("#/tables", "#table1 .figures-box")):
            self.go(place)
            self.wait_for(box + " th")
            time.sleep(0.4)
            cut = self.run_script("""const box = document.querySelector(arguments[0]), edge = box.getBoundingClientRect().right;
                return [...box.querySelectorAll('thead th')].filter((th) => {
                  const r = th.getBoundingClientRect(); return r.left < edge - 3 && r.right > edge + 3; }).map((th) => th.textContent)""", box)
            self.assertEqual(cut, [], place)
            spilled = self.run_script("""return [...document.querySelectorAll(arguments[0] + ' :is(th, td, button)')]
                .filter((each) => each.scrollWidth > each.clientWidth + 2).map((each) => each.textContent)""", box)
            self.assertEqual(spilled, [], place)

    def test_h_workers(self):
        self.browser.find_element(By.TAG_NAME, "body").send_keys("w")
        self.wait(lambda: "idle" in self.text("[aria-label=Workers]"))
        self.assertEqual(self.browser.find_element(By.CSS_SELECTOR, "[data-view=workers]").get_attribute("aria-current"), "page")

    def test_i_light_dark_and_narrow(self):
        train = self.tasks("train")[0]["task_id"]
        for place in ("#/", "#/tables", f"#/run/{train}", "#/compare", "#/workers"):
            self.go(place)
            self.wait_for("main h1")
            time.sleep(0.4)
            self.assertEqual(self.run_script(UNNAMED), [], place)
            for theme in ("light", "dark"):
                self.run_script("document.documentElement.dataset.theme = arguments[0]", theme)
                self.assertEqual(self.run_script(CONTRAST), [], f"{place} {theme}")
            set_size(self.browser, 390, 844, 2, True)
            time.sleep(0.2)
            self.assertLessEqual(self.run_script("return document.documentElement.scrollWidth"), 390, place)
            set_size(self.browser, 1280, 900)
        self.go("#/")
        theme = self.run_script("return document.documentElement.dataset.theme")
        self.browser.find_element(By.TAG_NAME, "body").send_keys("t")
        self.assertNotEqual(self.run_script("return document.documentElement.dataset.theme"), theme)
        self.run_script("localStorage.clear()")

    def test_j_help(self):
        self.browser.find_element(By.TAG_NAME, "body").send_keys("?")
        self.assertTrue(self.run_script("return document.querySelector('#help').open"))
        self.browser.switch_to.active_element.send_keys(Keys.ESCAPE)
        self.wait(lambda: not self.run_script("return document.querySelector('#help').open"))

    def test_k_orders_are_asked_back_and_given(self):
        failed = next(task for task in self.tasks("evaluate") if task["state"] == "failed")
        self.go(f"#/run/{failed['task_id']}")
        self.wait_for("[data-key=retry]").click()
        self.browser.switch_to.alert.accept()
        self.wait(lambda: "attempt 2 of" in self.text(".log"), 60)
        # A foreign page cannot give orders with the cookie, nor can one without an Origin.
        for headers in ({"Origin": "http://evil.example"}, {"Cookie": "remixer=1"}):
            self.assertIn(self.study.ask("/api/v1/shutdown", "POST", token=False, headers=headers, body=b"{}")[0], (401, 403))

    def test_y_nothing_went_wrong_in_the_page(self):
        # Refusals that the tests provoked are not the page's.
        errors = [each for each in self.browser.get_log("browser") if each["level"] == "SEVERE"]
        self.assertEqual(errors, [])

    def test_z_says_when_the_daemon_has_gone(self):
        self.wait(lambda: self.text("#connection") == "live")
        self.study.stop()
        self.wait(lambda: "does not answer" in self.text("#connection"))
        self.assertTrue(self.browser.find_elements(By.CSS_SELECTOR, ".place"), "what was known stays")


if __name__ == "__main__":
    unittest.main(verbosity=2)
