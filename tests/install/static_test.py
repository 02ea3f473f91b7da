# SPDX-License-Identifier: Apache-2.0
"""The statically linked remixer in a root folder that holds nothing else: no C library, /proc or /etc."""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

SOURCE = pathlib.Path(os.environ["REMIXER_SOURCE"])
BUILD = pathlib.Path(os.environ["REMIXER_BUILD"]) / "static"

GRID = """
name = "bare"
[dataset.fashion-bg]
builder = "fashion-bg"
train_images = 640
test_images = 100
[recipe.short]
epochs = 1
warmup_epochs = 0
shards = 2
shard_size = 32
[[cells]]
architecture = "deit_nano_patch4_32"
labeler = ["none", "bbox_grabcut"]
[[evaluation]]
sets = ["original", "mixed_rand"]
"""


def checked(*command):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if done.returncode != 0:
        raise AssertionError(f"{command}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


class StaticProgram(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        checked("cmake", "-S", SOURCE, "-B", BUILD, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release",
                "-DREMIXER_TORCH=OFF", "-DREMIXER_STATIC=ON")
        checked("cmake", "--build", BUILD, "--target", "remixer")

    def setUp(self):
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="remixer-root-"))
        shutil.copy(BUILD / "bin/remixer", self.root / "remixer")
        (self.root / "grid.toml").write_text(GRID)
        self.daemon = None

    def tearDown(self):
        if self.daemon:
            self.daemon.send_signal(signal.SIGKILL)
            self.daemon.wait()
        shutil.rmtree(self.root)

    def command(self, *arguments):
        enter = [] if os.geteuid() == 0 else [shutil.which("unshare"), "--user", "--map-root-user"]
        chroot = shutil.which("chroot", path=os.environ["PATH"] + ":/usr/sbin:/sbin")
        return [*enter, chroot, str(self.root), "/remixer", *arguments]

    def remixer(self, *arguments, code=0):
        done = subprocess.run(self.command(*arguments), capture_output=True, text=True, env={}, timeout=60)
        self.assertEqual(done.returncode, code, f"{arguments}: {done.stdout}{done.stderr}")
        return done.stdout if code == 0 else done.stderr

    def start_daemon(self, *options):
        self.daemon = subprocess.Popen(self.command("up", "--workers", "0", *options), env={},
                                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for _ in range(100):
            if (self.root / "workspace/access.json").exists():
                return
            if self.daemon.poll() is not None:
                break
            time.sleep(0.1)
        self.daemon.kill()
        self.fail(f"no daemon: {self.daemon.communicate()[0]}")

    def write(self, file, text):
        (self.root / file).parent.mkdir(exist_ok=True)
        (self.root / file).write_text(text)

    def test_it_needs_no_library(self):
        self.assertIn("statically linked", checked("file", BUILD / "bin/remixer"))

    def test_everyday_commands(self):
        self.assertIn("2 cells", self.remixer("plan", "/grid.toml").replace("\n", " "))
        self.start_daemon()
        self.assertIn("2 cells", self.remixer("submit", "/grid.toml"))
        # Not one more: what was submitted is on the disk.
        self.assertIn("to run", self.remixer("submit", "/grid.toml", "--dry-run"))
        grids = json.loads(self.remixer("status", "--format", "json"))
        self.assertIn("bare", json.dumps(grids))
        self.assertIn("deit_nano_patch4_32",
                      self.remixer("query", "SELECT architecture, labeler FROM cells ORDER BY labeler"))
        self.assertIn("Original", self.remixer("report", "bare", "--table", "1"))
        self.remixer("down")
        self.assertEqual(self.daemon.wait(timeout=20), 0)
        # And without the daemon, from the database.
        self.assertIn("bare", self.remixer("status"))

    # The C library would load the plugins that this file names, of another version, and crash.
    def test_host_names(self):
        self.write("etc/nsswitch.conf", "hosts: sss mymachines files dns\npasswd: sss systemd files\n")
        self.write("etc/hosts", "127.0.0.1 login.cluster\n")
        self.start_daemon("--address", "auto", "--announce", "login.cluster")
        access = json.loads((self.root / "workspace/access.json").read_text())
        self.assertEqual(access["address"], "login.cluster")
        self.assertIn("no grid", self.remixer("status").lower())

        (self.root / "etc/hosts").unlink()
        refused = self.remixer("up", "--workers", "0", "--address", "login.cluster", "--workspace", "/other", code=2)
        self.assertIn("is not an IP address", refused)


if __name__ == "__main__":
    unittest.main()
