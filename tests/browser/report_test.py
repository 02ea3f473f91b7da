# SPDX-License-Identifier: Apache-2.0
"""The report's page in Debian's Chromium: on a phone, on a screen and in print."""
import os
import unittest

from study import chromium, set_size

PAGE = "file://" + os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "reports",
                                "golden", "study.html")


class ReportPage(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.browser = chromium()

    @classmethod
    def tearDownClass(cls):
        cls.browser.quit()

    def script(self, text):
        return self.browser.execute_script(text)

    def open(self, width, mobile=False):
        set_size(self.browser, width, 900, mobile=mobile)
        self.browser.get(PAGE)

    def test_the_page_is_never_wider_than_the_screen(self):
        for width, mobile in ((390, True), (1280, False)):
            self.open(width, mobile)
            self.assertLessEqual(self.script("return document.documentElement.scrollWidth"), width)
            # What is wider scrolls in its own box, and the model's name stays.
            for box in self.browser.find_elements("css selector", ".scroll"):
                self.assertEqual("auto", box.value_of_css_property("overflow-x"))

    def test_on_a_phone_a_model_and_its_first_figure_are_seen_together(self):
        self.open(390, mobile=True)
        right = self.script("return document.querySelector('#table1 tbody td:nth-child(3)')"
                            ".getBoundingClientRect().right")
        self.assertLessEqual(right, 390)

    def test_on_a_phone_columns_are_whole_and_rows_say_their_labeler(self):
        self.open(390, mobile=True)
        cut = self.script("""
            const cut = [];
            for (const box of document.querySelectorAll('.scroll')) {
              const edge = box.getBoundingClientRect().right;
              for (const th of box.querySelectorAll('table.figures:not(.intervals) thead th')) {
                const r = th.getBoundingClientRect();
                if (r.width && r.left < edge - 3 && r.right > edge + 3) cut.push(th.textContent);
              }
            }
            return cut;""")
        self.assertEqual([], cut)
        self.assertIn("ReLabel", self.script("return document.querySelector('#table1 tbody').innerText"))

    def test_names_and_bars_of_a_forest_plot_do_not_meet(self):
        self.open(1280)
        met = self.script("""
            const met = [];
            for (const svg of document.querySelectorAll('figure[id$=_gains] svg')) {
              const marks = [...svg.querySelectorAll('circle, path, polygon, rect')].map((m) => m.getBoundingClientRect());
              for (const name of [...svg.querySelectorAll('text')].filter((t) => t.textContent.includes('ReMixer'))) {
                const a = name.getBoundingClientRect();
                if (marks.some((b) => a.left < b.right && b.left < a.right && a.top + 2 < b.bottom && b.top + 2 < a.bottom)) met.push(name.textContent);
              }
            }
            return met;""")
        self.assertEqual([], met)

    def test_nothing_is_asked_of_anyone_and_nothing_complains(self):
        self.open(1280)
        self.assertEqual(0, self.script("return performance.getEntriesByType('resource').length"))
        self.assertEqual([], self.browser.get_log("browser"))

    def test_a_box_unfolds_the_intervals(self):
        self.open(1280)
        folded = self.browser.find_element("css selector", "#table1 .folded")
        self.assertFalse(folded.is_displayed())
        self.browser.find_element("css selector", "#table1 .fold + label").click()
        self.assertTrue(folded.is_displayed())

    def test_print_loses_nothing_and_parts_no_heading_from_its_table(self):
        self.open(1280)
        # A4 across, without its margins of 12 mm, at 96 pixels an inch.
        set_size(self.browser, 1032, 703)
        self.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
        try:
            folded = self.browser.find_elements("css selector", ".folded")
            self.assertTrue(folded and all(each.is_displayed() for each in folded))
            widest = self.script("return Math.max(...[...document.querySelectorAll('table, svg')]"
                                 ".map(e => e.getBoundingClientRect().right))")
            self.assertLessEqual(widest, 1032)
            style = "return getComputedStyle(document.querySelector('{}')).{}"
            self.assertEqual("avoid", self.script(style.format("h2", "breakAfter")))
            self.assertEqual("avoid", self.script(style.format(".whole", "breakInside")))
        finally:
            self.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})


if __name__ == "__main__":
    unittest.main()
