# SPDX-License-Identifier: Apache-2.0
"""Every answer of a real daemon against docs/openapi.json. Drives a grid through all its states by
the workers' own routes, and asks every route that the description has."""
import http.client
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

import jsonschema

ROOT = pathlib.Path(__file__).resolve().parents[3]
PROGRAM = pathlib.Path(os.environ["REMIXER_PROGRAMS"]) / "remixer"
API = json.loads((ROOT / "docs" / "openapi.json").read_text())

GRID = """name = "described"
[dataset.fashion-bg]
builder = "fashion-bg"
train_images = 320
test_images = 40
[recipe.short]
epochs = 1
warmup_epochs = 0
shards = 2
shard_size = 16
[[cells]]
architecture = "deit_nano_patch4_32"
labeler = "none"
dataset = "fashion-bg"
recipe = "short"
seed = [0, 1]
[[evaluation]]
sets = ["original"]
"""


class AnswersTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="remixer-openapi-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder, True)
        cls.workspace = cls.folder / "workspace"
        cls.daemon = subprocess.Popen([PROGRAM, "--workspace", cls.workspace, "up", "--workers", "0"],
                                      stdout=subprocess.DEVNULL)
        cls.addClassCleanup(cls.stop)
        end = time.monotonic() + 30
        while not (cls.workspace / "access.json").exists() and time.monotonic() < end:
            time.sleep(0.05)
        cls.access = json.loads((cls.workspace / "access.json").read_text())
        (cls.folder / "grid.toml").write_text(GRID)
        cls.asked = set()

    @classmethod
    def stop(cls):
        cls.daemon.send_signal(signal.SIGTERM)
        cls.daemon.wait(30)

    def ask(self, route, body=None, **parameters):
        """Asks "GET /api/v1/tasks/{id}?x=1" and checks status, type and form of the answer."""
        method, pattern = route.split(" ")
        path = pattern.split("?")[0]
        described = API["paths"][path][method.lower()]
        for name, value in parameters.items():
            pattern = pattern.replace("{%s}" % name, value)
        connection = http.client.HTTPConnection("127.0.0.1", self.access["port"], timeout=20)
        connection.request(method, pattern, json.dumps(body) if body is not None else ("{}" if method == "POST" else None),
                           {"Authorization": "Bearer " + self.access["token"]})
        answer = connection.getresponse()
        self.asked.add(f"{method} {path}")
        content = described["responses"]["200"]["content"]
        if "text/event-stream" in content:
            self.assertEqual(answer.status, 200)
            self.assertEqual(answer.headers["Content-Type"], "text/event-stream")
            text = answer.read1(1 << 20).decode()
            connection.close()
            return text
        text = answer.read().decode()
        connection.close()
        if body is not None and "schema" in described["requestBody"]["content"]["application/json"]:
            self.check(body, described["requestBody"]["content"]["application/json"]["schema"])
        self.assertEqual(answer.status, 200, f"{route}: {text}")
        self.assertIn(answer.headers["Content-Type"].split(";")[0], {each.split(";")[0] for each in content} | {"text/javascript"})
        if answer.headers["Content-Type"] != "application/json":
            return text
        value = json.loads(text)
        self.check(value, next(iter(content.values()))["schema"], route)
        return value

    def check(self, value, schema, what=""):
        whole = {"$schema": "https://json-schema.org/draft/2020-12/schema", "components": API["components"], **schema}
        errors = list(jsonschema.Draft202012Validator(whole).iter_errors(value))
        self.assertEqual([f"{what}: {error.message} at {list(error.absolute_path)}" for error in errors[:3]], [])

    def queries(self, task, cell):
        for route in ("/ping", "/proof?nonce=" + 64 * "a", "/status", "/grids", "/workers", "/openapi.json", "/tasks", "/tasks?state=done&kind=train",
                      "/tasks?like=train&after=1&limit=1",
                      f"/compare?cells={cell}", "/events?log=" + task):
            self.ask_api(route)
        for route in ("/grids/{id}", "/grids/{id}?limit=1", "/grids/{id}/matrix", "/grids/{id}/curves",
                      "/grids/{id}/report", "/grids/{id}/report?paper=true", "/grids/{id}/pictures"):
            self.ask(f"GET /api/v1{route}", id="described")
        self.assertIn("described", self.ask("GET /reports/{id}", id="described"))
        for route in ("/tasks/{id}", "/tasks/{id}/log", "/tasks/{id}/metrics"):
            self.ask(f"GET /api/v1{route}", id=task)
        for route in ("/metrics", "/", "/open?key=none"):
            if route.startswith("/open"):
                continue
            self.ask(f"GET {route}")
        self.ask("GET /assets/{name}", name="app.js")

    def ask_api(self, route):
        return self.ask(f"GET /api/v1{route}")

    def test_every_route_answers_as_described(self):
        subprocess.run([PROGRAM, "--workspace", self.workspace, "submit", self.folder / "grid.toml"], check=True,
                       stdout=subprocess.DEVNULL)
        tasks = self.ask_api("/tasks")["tasks"]
        cell = next(task["cell_id"] for task in tasks if task["cell_id"])
        self.queries(tasks[0]["task_id"], cell)
        worker = self.ask("POST /api/v1/workers", {
            "name": "test:1", "host": "test", "pid": 1, "ranks": 1, "device": "cpu", "boot_id": "b", "version": "0",
            "environment": {"processor": "none"}})["worker_id"]
        ends = 0
        for _ in range(60):
            reply = self.ask("POST /api/v1/claim", {"worker_id": worker})
            assignment = reply["assignment"]
            if not assignment:
                break
            about = {"worker_id": worker, **{name: assignment[name] for name in ("task_id", "attempt", "fence")}}
            metrics = [{"step": 1, "epoch": 0.1, "name": "loss", "value": 2.5}, {"step": 2, "epoch": 0.2, "name": "loss", "value": None}]
            self.ask("POST /api/v1/heartbeat", {**about, "step": 1, "total_steps": 9, "activity": "training", "metrics": metrics})
            log = self.workspace / assignment["folder"] / "log.txt"
            log.parent.mkdir(parents=True)
            log.write_text("one line\n")
            self.queries(assignment["task_id"], cell)
            kind = assignment["task"]["spec"]["kind"]
            failed = kind == "evaluate" and ends == 0
            ends += kind == "evaluate"
            figures = [{"weights": "raw", "eval_set": "original", "metric": "top1", "value": 50.0, "n": 40}]
            reply = self.ask("POST /api/v1/result", {
                **about, "ending": "bad_input" if failed else "done", "reason": "as the test wanted" if failed else "",
                "result": None if failed else {"seconds": 1}, "figures": figures if kind == "evaluate" and not failed else [],
                "metrics": [], "publish": []})
            self.assertTrue(reply["accepted"], reply)
        self.assertEqual(ends, 2)
        self.queries(tasks[0]["task_id"], cell)
        done = next(task["task_id"] for task in self.ask_api("/tasks?state=done&kind=train")["tasks"])
        last = self.ask("GET /api/v1/tasks/{id}", id=done)["attempts"][-1]
        self.assertEqual((last["step"], last["total_steps"]), (9, 9), "a done run says its last step")
        states = {task["state"] for task in self.ask_api("/tasks")["tasks"]}
        self.assertEqual(states, {"done", "failed"})
        failed = next(task["task_id"] for task in self.ask_api("/tasks")["tasks"] if task["state"] == "failed")
        self.assertGreater(self.ask("POST /api/v1/tasks/{id}/retry", id=failed)["tasks"], 0)
        self.ask("POST /api/v1/tasks/{id}/cancel", id=failed)
        self.ask("POST /api/v1/grids/{id}/retry", id="described")
        self.ask("POST /api/v1/grids/{id}/adopt", id="described")
        for order, body in (("pause", {"now": False}), ("settings", {"priority": 1, "max_running": 0, "ranks": 0, "gpus": 0}),
                            ("resume", None)):
            self.ask("POST /api/v1/grids/{id}/" + order, body, id="described")
            self.ask_api("/grids")
        self.ask("POST /api/v1/gc", {"dry_run": True})
        self.ask("POST /api/v1/grids/{id}/cancel", id="described")
        text = self.ask("GET /metrics")
        for line in text.splitlines():
            self.assertRegex(line, r"^(# (HELP|TYPE) \w+ .+|\w+(\{\w+=\"([^\"\\]|\\.)*\"(,\w+=\"([^\"\\]|\\.)*\")*\})? (NaN|[-+0-9.e]+))$")
        self.assertIn('remixer_grid_tasks{grid="1",name="described",state="done"}', text)
        url = self.ask("POST /api/v1/links")["url"]
        self.ask("GET " + url[url.index("/open"):].split("?")[0] + "?" + url.split("?")[1])
        empty = {"name": "empty", "description": "", "text": "", "cells": [], "tasks": []}
        self.ask("POST /api/v1/grids", empty)
        again = self.ask("POST /api/v1/grids/file", {"text": GRID, "file": "grid.toml"})
        self.assertEqual(again["cells"], 2)
        self.errors()
        self.ask("POST /api/v1/tasks/{id}/remove", id=failed)
        self.ask("POST /api/v1/grids/{id}/remove", id="described")
        self.ask("GET /api/v1/slurm")
        self.ask("POST /api/v1/slurm/resume")
        for order in ("up", "down"):
            self.asked.add("POST /api/v1/slurm/" + order)  # with a real Slurm, in tests/slurm
        self.ask("POST /api/v1/shutdown")
        described = {f"{method.upper()} {path}" for path, methods in API["paths"].items() for method in methods}
        self.assertEqual(described - self.asked, set(), "described, and not asked by this test")

    def errors(self):
        for method, path, status in (("GET", "/api/v1/grids/none", 404), ("POST", "/api/v1/ping", 405), ("GET", "/api/v1/tasks?state=x", 400)):
            connection = http.client.HTTPConnection("127.0.0.1", self.access["port"], timeout=20)
            connection.request(method, path, "{}", {"Authorization": "Bearer " + self.access["token"]})
            answer = connection.getresponse()
            self.assertEqual(answer.status, status)
            self.check(json.loads(answer.read()), {"$ref": "#/components/schemas/Error"})
            connection.close()


if __name__ == "__main__":
    unittest.main(verbosity=2)
