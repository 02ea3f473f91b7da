# SPDX-License-Identifier: Apache-2.0
"""Requests made up from docs/openapi.json, right and wrong ones, against a real daemon: nothing may
fail inside it, answers must have their described form, and what the description forbids is refused.

Needs schemathesis (`pip install schemathesis==4.32.5`): `st` in $PATH, or named by $REMIXER_SCHEMATHESIS."""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[3]
PROGRAM = pathlib.Path(os.environ["REMIXER_PROGRAMS"]) / "remixer"
SCHEMATHESIS = os.environ.get("REMIXER_SCHEMATHESIS") or shutil.which("st")

# Not asked: what ends the daemon, never ends itself, asks a Slurm, or is for browsers.
LEFT_OUT = ["/api/v1/shutdown", "/api/v1/events", "/api/v1/slurm/up", "/api/v1/slurm/resume", "/api/v1/slurm/down",
            "/", "/open", "/assets/{name}", "/metrics"]

GRID = """name = "described"
[dataset.fashion-bg]
builder = "fashion-bg"
[recipe.short]
epochs = 1
warmup_epochs = 0
[[cells]]
architecture = "deit_nano_patch4_32"
labeler = "none"
dataset = "fashion-bg"
recipe = "short"
seed = [0, 1]
[[evaluation]]
sets = ["original"]
"""


@unittest.skipUnless(SCHEMATHESIS, "schemathesis is not installed")
class SchemathesisTest(unittest.TestCase):
    def test_the_daemon_does_what_its_description_says(self):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="remixer-schemathesis-"))
        self.addCleanup(shutil.rmtree, folder, True)
        workspace = folder / "workspace"
        daemon = subprocess.Popen([PROGRAM, "--workspace", workspace, "up", "--workers", "0"], stdout=subprocess.DEVNULL)
        self.addCleanup(lambda: (daemon.send_signal(signal.SIGTERM), daemon.wait(30)))
        end = time.monotonic() + 30
        while not (workspace / "access.json").exists() and time.monotonic() < end:
            time.sleep(0.05)
        access = json.loads((workspace / "access.json").read_text())
        (folder / "grid.toml").write_text(GRID)
        subprocess.run([PROGRAM, "--workspace", workspace, "submit", folder / "grid.toml"], check=True,
                       stdout=subprocess.DEVNULL)
        command = [SCHEMATHESIS, "run", str(ROOT / "docs" / "openapi.json"), "--url", f"http://127.0.0.1:{access['port']}",
                   "--header", f"Authorization: Bearer {access['token']}", "--seed", os.environ.get("REMIXER_SEED", "1"),
                   "--max-examples", os.environ.get("REMIXER_EXAMPLES", "60"), "--phases", "examples,coverage,fuzzing",
                   "--checks", "not_a_server_error,status_code_conformance,content_type_conformance,"
                               "response_schema_conformance,negative_data_rejection",
                   "--request-timeout", "20", "--no-color"]
        for path in LEFT_OUT:
            command += ["--exclude-path", path]
        run = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=900)
        self.assertEqual(run.returncode, 0, run.stdout[-12000:] + run.stderr[-2000:])
        self.assertIsNone(daemon.poll(), "the daemon ended")
        print(run.stdout[-600:])


if __name__ == "__main__":
    unittest.main(verbosity=2)
