# SPDX-License-Identifier: Apache-2.0
"""A real daemon with a real worker on a small grid, and a Chromium to look at it."""
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

from selenium import webdriver
from selenium.webdriver.chrome.service import Service

PROGRAMS = pathlib.Path(os.environ["REMIXER_PROGRAMS"])

GRID = """name = "small"
description = "Two models, plain and with labels, on a few hundred images"

[dataset.fashion-bg]
builder = "fashion-bg"
train_images = {train_images}
test_images = {test_images}

[recipe.short]
epochs = {epochs}
shards = 2
shard_size = 16
learning_rate = 1.5e-3
learning_rate_batch = 0
kappa_lr = 1e-2
warmup_epochs = 1
schedule_unit = "step"
mixup = 0
cutmix = 0
drop_path = 0
ema_decay = 0
hold_out = 0.1

[[cells]]
architecture = {architectures}
labeler = ["none", "bbox_grabcut"]
dataset = "fashion-bg"
recipe = "short"
seed = {seeds}

[[evaluation]]
sets = {sets}

[saliency]
set = "original"
count = 3
"""


class Study:
    """The workspace, its daemon and what it is asked. close() ends everything."""

    def __init__(self, train_images=320, test_images=40, epochs=6, seeds=(0,),
                 architectures=("deit_nano_patch4_32",), torn=True,
                 sets=("original", "mixed_same", "mixed_rand", "no_fg")):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="remixer-browser-"))
        self.workspace = self.folder / "workspace"
        self.grid = self.folder / "small.toml"
        self.grid.write_text(GRID.format(
            train_images=train_images, test_images=test_images, epochs=epochs, seeds=list(seeds),
            architectures=json.dumps(list(architectures)), sets=json.dumps(list(sets))))
        self.torn = None
        if torn:
            self.remixer("dataset", "build", "fashion-bg", f"train_images={train_images}",
                         f"test_images={test_images}")
            images = sorted(p for p in self.workspace.glob("datasets/*/mixed_rand/**/*") if p.is_file())
            self.torn = images[0]
            self.torn.write_bytes(self.torn.read_bytes()[:100])
        self.output = open(self.folder / "up.txt", "w+")
        self.daemon = subprocess.Popen(
            [PROGRAMS / "remixer", "--workspace", self.workspace, "up", "--workers", "1", "--ranks", "1"],
            stdout=self.output, stderr=subprocess.STDOUT, start_new_session=True)
        self.link = self._wait(lambda: re.search(r"http://\S+/open\?key=\w+", (self.folder / "up.txt").read_text()),
                               "the daemon printed no link").group(0)
        self.access = json.loads((self.workspace / "access.json").read_text())
        self.address = self.link[:self.link.index("/open")]

    def remixer(self, *words):
        done = subprocess.run([PROGRAMS / "remixer", "--workspace", self.workspace, *words],
                              capture_output=True, text=True, timeout=120)
        if done.returncode != 0:
            raise AssertionError(f"remixer {' '.join(words)}: {done.stdout}{done.stderr}")
        return done.stdout

    def ask(self, path, method="GET", token=None, headers=None, body=None):
        """(status, body as text)"""
        request = urllib.request.Request(self.address + path, method=method, data=body, headers=headers or {})
        if token is not False:
            request.add_header("Authorization", f"Bearer {token or self.access['token']}")
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def get(self, path):
        status, text = self.ask("/api/v1" + path)
        assert status == 200, (path, status, text)
        return json.loads(text)

    def wait_for_end(self, seconds=100):
        self._wait(lambda: self.get("/grids/small")["state"] != "running", "the grid does not end", seconds)

    @staticmethod
    def _wait(condition, what, seconds=30):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            found = condition()
            if found:
                return found
            time.sleep(0.1)
        raise AssertionError(what)

    def stop(self):
        if self.daemon.poll() is None:
            self.daemon.send_signal(signal.SIGTERM)
            try:
                self.daemon.wait(25)
            except subprocess.TimeoutExpired:
                os.killpg(self.daemon.pid, signal.SIGKILL)
                self.daemon.wait()

    def close(self):
        self.stop()
        self.output.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def chromium(width=1280, height=900, dark=False):
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for word in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu",
                 "--hide-scrollbars", f"--window-size={width},{height}"):
        options.add_argument(word)
    if dark:
        options.add_argument("--force-dark-mode")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    return webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=options)


def set_size(browser, width, height, scale=1, mobile=False):
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                            {"width": width, "height": height, "deviceScaleFactor": scale, "mobile": mobile})
