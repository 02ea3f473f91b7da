# SPDX-License-Identifier: Apache-2.0
"""Takes docs/dashboard-*.png from a real grid: PYTHONPATH=tests/browser REMIXER_PROGRAMS=build/bin
/usr/bin/python3 tests/browser/screenshots.py docs"""
import base64
import pathlib
import sys
import time

from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from study import Study, chromium, set_size


def main(folder):
    study = Study(train_images=1600, test_images=200, epochs=3, seeds=(0, 1),
                  architectures=("deit_nano_patch4_32", "mixer_nano_patch4_32"))
    browser = chromium()
    try:
        study.remixer("submit", str(study.grid))
        browser.get(study.link)
        ask = lambda text, *values: browser.execute_script(text, *values)
        wait = lambda condition, seconds=400: WebDriverWait(browser, seconds, 0.2).until(lambda _: condition())

        def picture(name, width, theme, height=None, mobile=False):
            ask("document.documentElement.dataset.theme = arguments[0]; localStorage.setItem('remixer.theme', arguments[0])", theme)
            set_size(browser, width, 900, 2 if mobile else 1.5, mobile)
            time.sleep(1.5)
            whole = height or ask("return document.documentElement.scrollHeight")
            set_size(browser, width, whole, 2 if mobile else 1.5, mobile)
            time.sleep(1)
            image = browser.execute_cdp_cmd("Page.captureScreenshot", {"format": "png", "captureBeyondViewport": False})
            (pathlib.Path(folder) / f"dashboard-{name}.png").write_bytes(base64.b64decode(image["data"]))
            print(name, width, whole, flush=True)

        # Something done, something failed, something running.
        wait(lambda: study.get("/grids/small")["cells_done"] + study.get("/grids/small")["cells_failed"] >= 4)
        wait(lambda: any(run["kind"] == "train" and run["step"] > 20 for run in study.get("/status")["running"]))
        ask("location.reload()")
        wait(lambda: len(browser.find_elements(By.CSS_SELECTOR, ".series button")) > 3)
        picture("grid", 1280, "light")
        run = next(run for run in study.get("/status")["running"] if run["kind"] == "train")
        ask("location.hash = arguments[0]", f"#/run/{run['task_id']}")
        wait(lambda: browser.find_elements(By.CSS_SELECTOR, ".columns .series button"))
        picture("phone", 390, "light", 844, True)
        study.wait_for_end(600)
        done = next(task for task in study.get("/tasks?kind=train")["tasks"] if "bbox_grabcut" in task["title"] and task["state"] == "done")
        ask("location.hash = arguments[0]", f"#/run/{done['task_id']}")
        wait(lambda: "block 0" in ask("return document.querySelector('main').textContent"))
        picture("run", 1280, "dark")
        cells = [cell["cell_id"] for cell in study.get("/grids/small")["cell_list"]][:4]
        ask("sessionStorage.setItem('remixer.basket', JSON.stringify(arguments[0])); location.hash = '#/compare'; location.reload()", cells)
        wait(lambda: browser.find_elements(By.CSS_SELECTOR, ".differs") and browser.find_elements(By.CSS_SELECTOR, ".series button"))
        picture("compare", 1280, "light")
    finally:
        browser.quit()
        study.close()


if __name__ == "__main__":
    main(sys.argv[1])
