# SPDX-License-Identifier: Apache-2.0
"""`remixer model evaluate`, `challenge` and `explain` on a built dataset: figures and answers counted again
in Python from the image files, panels looked at pixel by pixel."""

import json
import os
import shutil
import unittest

import numpy
import torch
from PIL import Image
from remixer_python import FolderTest, run_tool
from safetensors import safe_open
from safetensors.torch import load_file, save_file

NANO = "deit_nano_patch4_32"


class ModelCommands(FolderTest):
    @classmethod
    def setUpClass(cls):
        import tempfile
        cls.shared = tempfile.TemporaryDirectory(prefix="remixer-")
        cls.data = os.path.join(cls.shared.name, "data")
        run_tool("dataset", "build", "fashion-bg", "train_images=200", "test_images=40", "--output", cls.data)
        with open(os.path.join(cls.data, "manifest.json")) as file:
            cls.manifest = json.load(file)
        cls.labels = os.path.join(cls.shared.name, "original.labels")
        run_tool("labels", "build", "bbox_grabcut", "--dataset", cls.data, "--split", "original", "--output", cls.labels)
        for name, *flags in (("plain",), ("masked", "--remixer")):
            cls.make_weights(os.path.join(cls.shared.name, name), *flags)

    @classmethod
    def tearDownClass(cls):
        cls.shared.cleanup()

    @classmethod
    def make_weights(cls, path, *flags):
        """Untrained, with a head large enough to tell images apart and κ away from 0."""
        run_tool("model", "create", "--arch", NANO, "--num-classes", 10, *flags, "--output", path)
        tensors = load_file(path)
        tensors["head.weight"] *= 30
        for name in tensors:
            if name.endswith("kappa"):
                tensors[name] += 3
        save_file(tensors, path, {"image_size": "32"})
        # As a training run would leave it: classes, normalisation and labeler of the dataset.
        cls.import_weights(path, path)

    @classmethod
    def import_weights(cls, source, target, *flags):
        run_tool("model", "import", "--arch", NANO, "--weights", source, "--trained-on", cls.data, *flags,
                 "--output", target)

    def weights(self, name):
        return os.path.join(self.shared.name, name)

    def rows(self, split):
        with open(os.path.join(self.data, split + ".tsv")) as file:
            names, *rows = [line.rstrip("\n").split("\t") for line in file]
        return [dict(zip(names, row)) for row in rows]

    def image(self, name):
        return torch.from_numpy(numpy.array(Image.open(os.path.join(self.data, name)).convert("RGB"))).float() / 255

    def logits(self, pixels, weights, labels=None):
        """Of images [B, H, W, 3] in [0, 1], by `remixer model forward`."""
        mean, deviation = (torch.tensor(self.manifest[key]) for key in ("mean", "deviation"))
        inputs = {"images": ((pixels - mean) / deviation).permute(0, 3, 1, 2)}
        if labels is not None:
            inputs["labels"] = labels
        run_tool("model", "forward", "--arch", NANO, "--weights", weights, "--input", self.save("x", inputs),
                 "--output", self.path("y"))
        return self.load("y")["logits"]

    def test_evaluate(self):
        run = run_tool("model", "evaluate", "--arch", NANO, "--weights", self.weights("plain"), "--dataset", self.data,
                       "--set", "mixed_rand", "--answers", self.path("answers"), "--format", "json")
        figures = {row["metric"]: (row["value"], row["n"]) for row in json.loads(run[0])}
        rows = self.rows("mixed_rand")
        truth = torch.tensor([self.manifest["classes"].index(row["class"]) for row in rows])
        logits = self.logits(torch.stack([self.image(row["image"]) for row in rows]), self.weights("plain"))
        order = torch.argsort(logits, dim=1, descending=True, stable=True)
        right = order == truth[:, None]
        self.assertTrue(0 < right[:, 0].sum() < len(rows))
        self.assertEqual(figures["top1"], (100 * float(right[:, 0].double().mean()), len(rows)))
        self.assertEqual(figures["top5"], (100 * float(right[:, :5].double().sum(1).mean()), len(rows)))
        answers = self.load("answers")
        self.assertTrue(torch.equal(answers["labels"], truth.int()))
        self.assertTrue(torch.equal(answers["raw.classes"][:, 0].long(), order[:, 0]))
        # Ten classes are kept whole: every probability can be had again.
        again = torch.empty_like(logits).scatter(1, answers["raw.classes"].long(), answers["raw.logits"])
        self.assertLess(float((again - logits).abs().max()), 1e-4)
        probabilities = (again - answers["raw.normalizer"][:, None]).exp()
        self.assertLess(float((probabilities - logits.softmax(1)).abs().max()), 1e-5)

    def test_evaluate_needs_labels_for_a_remixer_model(self):
        _, error = run_tool("model", "evaluate", "--arch", NANO, "--weights", self.weights("masked"), "--dataset",
                            self.data, "--set", "original", expected_code=2)
        self.assertIn("patch labels", error)
        out, _ = run_tool("model", "evaluate", "--arch", NANO, "--weights", self.weights("masked"), "--dataset", self.data,
                          "--set", "original", "--labels", self.labels, "--format", "csv")
        self.assertIn("original,top1,", out)

    def test_challenge(self):
        out, _ = run_tool("model", "challenge", "--arch", NANO, "--weights", self.weights("plain"), "--dataset", self.data,
                          "--format", "json")
        outcome = json.loads(out)
        self.assertFalse(outcome["true_masks"])
        foregrounds, backgrounds = self.rows("only_fg"), self.rows("only_bg_t")
        behind = torch.stack([self.image(row["image"]) for row in backgrounds])
        for i in (0, 7, 21):
            mask = Image.open(os.path.join(self.data, foregrounds[i]["mask"])).convert("L")
            mask = torch.from_numpy(numpy.array(mask))[:, :, None] > 127
            answers = self.logits(torch.where(mask, self.image(foregrounds[i]["image"]), behind),
                                  self.weights("plain")).argmax(1)
            wrong = (answers != self.manifest["classes"].index(foregrounds[i]["class"])).nonzero()
            self.assertEqual(outcome["flipped_by"][i], int(wrong[0]) if len(wrong) else -1)
        unbroken = sum(flipped < 0 for flipped in outcome["flipped_by"])
        self.assertAlmostEqual(outcome["adversarial"], 100 * unbroken / len(foregrounds))

    def described(self, name, **changes):
        """A copy of weights whose description is changed."""
        path = self.weights(name)
        with safe_open(path, "pt") as file:
            metadata = file.metadata()
        description = json.loads(metadata["evaluation"])
        description.update(changes)
        metadata["evaluation"] = json.dumps(description)
        save_file(load_file(path), self.path("described"), metadata)
        return self.path("described")

    def top1(self, weights, *flags, dataset=None):
        out, _ = run_tool("model", "evaluate", "--arch", NANO, "--weights", weights, "--dataset", dataset or self.data,
                          "--set", "mixed_rand", *flags, "--format", "json")
        return json.loads(out)[0]["value"]

    def test_challenge_gives_a_remixer_model_labels_by_its_own_labeler(self):
        entry = {"name": "bbox_grabcut", "version": 1, "scale": 1}
        for weights, *flags, wanted in (
                (self.weights("masked"), "--true-masks", True),
                (self.described("masked", labeler=entry, distance="l1"), False),
                (self.described("masked", labeler=entry, distance="l1"), "--true-masks", True)):
            out, _ = run_tool("model", "challenge", "--arch", NANO, "--weights", weights, "--dataset", self.data,
                              "--foregrounds", "only_fg", *flags, "--format", "json")
            self.assertEqual(json.loads(out)["true_masks"], wanted)
        out, _ = run_tool("model", "challenge", "--arch", NANO, "--weights", self.weights("masked"), "--dataset",
                          self.data, "--true-masks")
        self.assertIn("with true masks", out)
        for labeler, words in ((None, "--true-masks"), ({"name": "imported_maps", "version": 1, "labels_sha256": "0" * 64},
                                                        "imported")):
            _, error = run_tool("model", "challenge", "--arch", NANO, "--weights",
                                self.described("masked", labeler=labeler), "--dataset", self.data, expected_code=2)
            self.assertIn(words, error)

    def test_a_model_is_evaluated_as_it_was_trained_whatever_the_set(self):
        figure = self.top1(self.weights("plain"))
        # The same images under another normalisation are the same figure.
        other = self.path("other")
        shutil.copytree(self.data, other)
        manifest = dict(self.manifest, mean=[0.1, 0.2, 0.3], deviation=[0.5, 0.6, 0.7])
        with open(os.path.join(other, "manifest.json"), "w") as file:
            json.dump(manifest, file)
        self.assertEqual(self.top1(self.weights("plain"), dataset=other), figure)
        self.top1(self.weights("plain"), "--answers", self.path("own"))
        self.top1(self.weights("plain"), "--mean", 0.9, 0.1, 0.5, "--std", 2, 1, 0.1, "--answers", self.path("wished"))
        difference = self.load("own")["raw.normalizer"] - self.load("wished")["raw.normalizer"]
        self.assertGreater(float(difference.abs().max()), 0.1)
        # Classes in another order are found by name; renamed ones are refused, not counted by place.
        order = list(reversed(range(10)))
        tensors = load_file(self.weights("plain"))
        for name in ("head.weight", "head.bias"):
            tensors[name] = tensors[name][order].contiguous()
        with safe_open(self.weights("plain"), "pt") as file:
            metadata = file.metadata()
        description = json.loads(metadata["evaluation"])
        description["classes"] = [self.manifest["classes"][i] for i in order]
        save_file(tensors, self.path("reversed"), dict(metadata, evaluation=json.dumps(description)))
        self.assertEqual(self.top1(self.path("reversed")), figure)
        renamed = self.described("plain", classes=[f"class {i}" for i in range(10)])
        _, error = run_tool("model", "evaluate", "--arch", NANO, "--weights", renamed, "--dataset", self.data,
                            "--set", "mixed_rand", expected_code=2)
        self.assertIn("none of", error)
        self.assertEqual(self.top1(renamed, "--trained-on", self.data), figure)
        # Weights that say nothing are not guessed at.
        save_file(load_file(self.weights("plain")), self.path("bare"), {"image_size": "32"})
        _, error = run_tool("model", "evaluate", "--arch", NANO, "--weights", self.path("bare"), "--dataset", self.data,
                            "--set", "mixed_rand", expected_code=2)
        self.assertIn("--trained-on", error)
        self.assertEqual(self.top1(self.path("bare"), "--trained-on", self.data), figure)

    def test_labels_of_another_labeler_are_refused(self):
        entry = {"name": "saliency", "version": 1, "input_size": 96}
        weights = self.described("masked", labeler=entry, distance="l1")
        arguments = ("model", "evaluate", "--arch", NANO, "--weights", weights, "--dataset", self.data, "--set",
                     "original", "--labels", self.labels)
        _, error = run_tool(*arguments, expected_code=2)
        self.assertIn("saliency", error)
        run_tool(*arguments, "--any-labeler")

    def test_export_says_its_new_size(self):
        tiny = "deit_tiny_patch16_224"
        run_tool("model", "create", "--arch", tiny, "--num-classes", 10, "--output", self.path("t"))
        run_tool("model", "import", "--arch", tiny, "--weights", self.path("t"), "--trained-on", self.data, "--crop", 0.5,
                 "--output", self.path("imported"))
        run_tool("model", "export", "--arch", tiny, "--weights", self.path("imported"), "--image-size", 384, "--output",
                 self.path("e"))
        with safe_open(self.path("e"), "pt") as file:
            metadata = file.metadata()
        self.assertEqual(metadata["image_size"], "384")
        description = json.loads(metadata["evaluation"])
        self.assertEqual((description["image_size"], description["crop"]), (384, 0.5))
        self.assertEqual(description["classes"], self.manifest["classes"])

    def test_explain(self):
        panel = self.path("panel.png")
        out, _ = run_tool("model", "explain", "--arch", NANO, "--baseline", self.weights("plain"), "--remixer",
                          self.weights("masked"), "--dataset", self.data, "--set", "original", "--labels", self.labels,
                          "--count", 3, "--output", panel)
        self.assertEqual(len(out.splitlines()), 3)
        image = numpy.array(Image.open(panel).convert("RGB")).astype(int)
        size, gap = 192, 6  # 32 pixels enlarged six times
        self.assertEqual(image.shape, (3 * size + 2 * gap, 3 * size + 2 * gap, 3))
        for number, line in enumerate(out.splitlines()):
            top = number * (size + gap)
            original = (self.image(line.split(":")[0]) * 255).round().numpy().astype(int)
            shown = image[top : top + size : 6, : size : 6]
            self.assertTrue((shown == original).all())
            baseline, masked = (image[top : top + size, left : left + size]
                                for left in (size + gap, 2 * (size + gap)))
            self.assertGreater(numpy.abs(baseline - masked).mean(), 0.1, "both maps are the same")
        # One sample, by id, in a folder.
        name = out.splitlines()[1].split(":")[0]
        run_tool("model", "explain", "--arch", NANO, "--baseline", self.weights("plain"), "--dataset", self.data,
                 "--sample", name, "--of", "answer", "--output", self.path("folder"))
        (only,) = os.listdir(self.path("folder"))
        one = numpy.array(Image.open(os.path.join(self.path("folder"), only)).convert("RGB")).astype(int)
        self.assertEqual(one.shape, (size, 2 * size + gap, 3))
        self.assertTrue((one[:, :size] == image[size + gap : 2 * size + gap, :size]).all())

    def test_a_dataset_is_named_as_its_workspace_calls_it(self):
        workspace = self.path("workspace")
        named = os.path.join(workspace, "datasets", "0123")
        shutil.copytree(self.data, named)
        with open(os.path.join(named, "manifest.json"), "w") as file:
            json.dump(dict(self.manifest, name="photos"), file)
        here = ("-w", workspace, "--dataset", "photos")
        figure = self.top1(self.weights("plain"))
        out, _ = run_tool("model", "evaluate", "--arch", NANO, "--weights", self.weights("plain"), *here, "--set",
                          "mixed_rand", "--trained-on", "photos", "--format", "json")
        self.assertEqual(json.loads(out)[0]["value"], figure)
        run_tool("model", "challenge", "--arch", NANO, "--weights", self.weights("plain"), *here)
        run_tool("model", "explain", "--arch", NANO, "--baseline", self.weights("plain"), *here, "--count", 1,
                 "--output", self.path("panel.png"))
        run_tool("model", "import", "--arch", NANO, "--weights", self.weights("plain"), "-w", workspace,
                 "--trained-on", "photos", "--output", self.path("imported"))
        _, error = run_tool("model", "evaluate", "--arch", NANO, "--weights", self.weights("plain"), "-w", workspace,
                            "--dataset", "paintings", expected_code=2)
        self.assertIn("paintings", error)

    def test_explain_says_what_is_missing(self):
        for arguments, words in (
                (("--remixer", self.weights("masked")), "--labels"),
                ((), "--baseline"),
                (("--baseline", self.weights("plain"), "--sample", "nowhere.png"), "nowhere.png")):
            _, error = run_tool("model", "explain", "--arch", NANO, "--dataset", self.data, *arguments, "--output",
                                self.path("p.png"), expected_code=2)
            self.assertIn(words, error)
            self.assertEqual(error.count("\n"), 1, error)


if __name__ == "__main__":
    unittest.main(verbosity=2)
