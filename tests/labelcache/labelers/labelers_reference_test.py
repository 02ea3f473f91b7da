# SPDX-License-Identifier: Apache-2.0
"""Every network labeler against its network written in PyTorch, on the same weights and on images as people
have them: odd sizes, greyscale, CMYK, EXIF-rotated. And importers against what torch.save and numpy.save write."""

import json
import math
import os
import subprocess
import sys
import unittest
from fractions import Fraction

import numpy
import timm
import torch
import torch.nn.functional as F
from PIL import Image
from safetensors.numpy import load_file

from remixer_python import FolderTest, run_tool

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..")
WEIGHTS = os.path.join(ROOT, ".deps", "weights")
sys.path.insert(0, os.path.join(ROOT, "labelcache", "export"))
import classifier as exporter

COLUMNS = ["image", "class", "x0", "y0", "x1", "y1", "mask", "foreground", "background"]


def picture(height, width, channels, seed):
    """Smooth colours with a bright blob, so that networks have something to say."""
    rng = numpy.random.default_rng(seed)
    y, x = numpy.mgrid[0:height, 0:width]
    planes = []
    for _ in range(channels):
        a, b, c = rng.uniform(0.02, 0.2, 3)
        blob = numpy.exp(-(((y - height * 0.4) / (height * 0.2)) ** 2 + ((x - width * 0.6) / (width * 0.2)) ** 2))
        planes.append(90 + 60 * numpy.sin(a * x + b * y + c) * (1 - blob) + rng.uniform(60, 110) * blob)
    return numpy.clip(numpy.stack(planes, -1), 0, 255).astype(numpy.uint8)


def write_images(folder):
    """→ ids of images in every form that the readers know."""
    os.makedirs(os.path.join(folder, "train", "a"))
    path = lambda name: os.path.join(folder, "train", "a", name)
    Image.fromarray(picture(61, 87, 3, 0)).save(path("odd.png"))
    Image.fromarray(picture(75, 53, 1, 1)[..., 0]).save(path("grey.jpg"), quality=95)
    Image.fromarray(picture(64, 90, 4, 2), "CMYK").save(path("cmyk.jpg"), quality=95)
    rotated = Image.fromarray(picture(97, 71, 3, 3))
    exif = Image.Exif()
    exif[0x0112] = 6  # a viewer would turn it; training does not
    rotated.save(path("exif.jpg"), exif=exif, quality=95)
    Image.fromarray(picture(333, 250, 3, 4)).save(path("large.jpg"), quality=95)
    return sorted(f"train/a/{name}" for name in os.listdir(os.path.join(folder, "train", "a")))


def write_dataset(folder, ids):
    with open(os.path.join(folder, "train.tsv"), "w", encoding="utf-8") as file:
        file.write("\t".join(COLUMNS) + "\n")
        for identity in ids:
            file.write("\t".join([identity, "a"] + [""] * 7) + "\n")
    manifest = {"format": 1, "spec": {"builder": "test", "version": 1}, "classes": ["a"], "image_size": 0,
                "mean": [0.5] * 3, "deviation": [0.2] * 3, "splits": {"train": len(ids)},
                "content_sha256": "d" * 64}
    with open(os.path.join(folder, "manifest.json"), "w", encoding="utf-8") as file:
        json.dump(manifest, file)


def axis_weights(size, wanted):
    """[wanted, size]: the mean over each cell where an axis shrinks, straight lines between centres where it grows.

    In whole 65536ths, as the product keeps them: otherwise a pixel that lies on a half, of which there are many,
    may be rounded to the other side.
    """
    whole = 65536
    weights = numpy.zeros((wanted, size))
    for i in range(wanted):
        if wanted < size:
            begin, end, covered, given = Fraction(i * size, wanted), Fraction((i + 1) * size, wanted), 0, 0
            for j in range(int(begin), min(size, math.ceil(end))):
                covered += max(0, min(end, j + 1) - max(begin, j)) * Fraction(wanted, size)
                until = math.floor(covered * whole + Fraction(1, 2))
                weights[i, j] = (until - given) / whole
                given = until
        else:
            centre = min(max(Fraction((2 * i + 1) * size, 2 * wanted) - Fraction(1, 2), 0), size - 1)
            low = min(int(centre), max(size - 2, 0))
            high = math.floor((centre - low) * whole + Fraction(1, 2)) / whole
            weights[i, low] += 1 - high
            if high > 0:
                weights[i, low + 1] += high
    return weights


def network_input(path, height, width):
    """[1, 3, height, width], 0 to 255, as PIL reads the file."""
    pixels = numpy.asarray(Image.open(path).convert("RGB")).astype(numpy.float64)
    resized = numpy.einsum("hy,yxc,wx->hwc", axis_weights(pixels.shape[0], height), pixels,
                           axis_weights(pixels.shape[1], width))
    return torch.tensor(numpy.floor(resized + 0.5)).permute(2, 0, 1)[None].float()


def lanczos_input(path, height, width):
    """The same by Pillow's own filter, as the published tool resizes."""
    image = Image.open(path).convert("RGB").resize((width, height), Image.LANCZOS)
    return torch.tensor(numpy.asarray(image).copy()).permute(2, 0, 1)[None].float()


def image_size(path):
    with Image.open(path) as image:
        return image.height, image.width


def stored(saliency, height, width):
    """A map as a label file keeps it: at most the image's size, 8 bits."""
    size = (min(height, saliency.shape[0]), min(width, saliency.shape[1]))
    small = F.adaptive_avg_pool2d(saliency[None, None], size)[0, 0]
    return (small.double().clamp(0, 1) * 255).round() / 255


class Block(torch.nn.Module):
    def __init__(self, inside, outside, dilation=1):
        super().__init__()
        self.conv_s1 = torch.nn.Conv2d(inside, outside, 3, padding=dilation, dilation=dilation)
        self.bn_s1 = torch.nn.BatchNorm2d(outside)

    def forward(self, x):
        return F.relu(self.bn_s1(self.conv_s1(x)))


def enlarged(x, like):
    return F.interpolate(x, size=like.shape[2:], mode="bilinear", align_corners=False)


class Stage(torch.nn.Module):
    """A residual U-block; `pooled` halves between levels, the other kind dilates instead."""

    def __init__(self, levels, inside, middle, outside, pooled=True):
        super().__init__()
        self.levels, self.pooled = levels, pooled
        self.rebnconvin = Block(inside, outside)
        for level in range(1, levels + 1):
            dilation = (2 if level == levels else 1) if pooled else 2 ** (level - 1)
            setattr(self, f"rebnconv{level}", Block(outside if level == 1 else middle, middle, dilation))
            if level < levels:
                dilation = 1 if pooled else 2 ** (level - 1)
                setattr(self, f"rebnconv{level}d", Block(2 * middle, outside if level == 1 else middle, dilation))

    def forward(self, x):
        entry = self.rebnconvin(x)
        outputs = [self.rebnconv1(entry)]
        for level in range(2, self.levels + 1):
            y = outputs[-1]
            if self.pooled and level < self.levels:
                y = F.max_pool2d(y, 2, 2, ceil_mode=True)
            outputs.append(getattr(self, f"rebnconv{level}")(y))
        y = outputs[-1]
        for level in range(self.levels - 1, 0, -1):
            skip = outputs[level - 1]
            y = getattr(self, f"rebnconv{level}d")(torch.cat([enlarged(y, skip), skip], 1))
        return y + entry


class U2Net(torch.nn.Module):
    """U²-Net as published; widths are (inside, middle, outside) by stage."""

    FULL = [(3, 32, 64), (64, 32, 128), (128, 64, 256), (256, 128, 512), (512, 256, 512), (512, 256, 512),
            (1024, 256, 512), (1024, 128, 256), (512, 64, 128), (256, 32, 64), (128, 16, 64)]

    def __init__(self, widths):
        super().__init__()
        names = ["stage1", "stage2", "stage3", "stage4", "stage5", "stage6", "stage5d", "stage4d", "stage3d",
                 "stage2d", "stage1d"]
        levels = [7, 6, 5, 4, 4, 4, 4, 4, 5, 6, 7]
        for name, level, width in zip(names, levels, widths):
            setattr(self, name, Stage(level, *width, pooled=name not in ("stage5", "stage6", "stage5d")))
        outside = [widths[10][2], widths[9][2], widths[8][2], widths[7][2], widths[6][2], widths[5][2]]
        for side, width in enumerate(outside, 1):
            setattr(self, f"side{side}", torch.nn.Conv2d(width, 1, 3, padding=1))
        self.outconv = torch.nn.Conv2d(6, 1, 1)

    def forward(self, x):
        encoded = []
        for number in range(1, 7):
            if encoded:
                x = F.max_pool2d(encoded[-1], 2, 2, ceil_mode=True)
            encoded.append(getattr(self, f"stage{number}")(x))
        outputs = [encoded[-1]]
        for number in range(5, 0, -1):
            skip = encoded[number - 1]
            outputs.append(getattr(self, f"stage{number}d")(torch.cat([enlarged(outputs[-1], skip), skip], 1)))
        sides = [getattr(self, f"side{number}")(outputs[6 - number]) for number in range(1, 7)]
        sides = [sides[0]] + [enlarged(side, sides[0]) for side in sides[1:]]
        return torch.sigmoid(self.outconv(torch.cat(sides, 1)))


class Pair(torch.nn.Module):
    def __init__(self, inside, outside):
        super().__init__()
        layers = []
        for width in (inside, outside):
            layers += [torch.nn.Conv2d(width, outside, 3, padding=1), torch.nn.BatchNorm2d(outside), torch.nn.ReLU()]
        self.double_conv = torch.nn.Sequential(*layers)

    def forward(self, x):
        return self.double_conv(x)


class Down(torch.nn.Module):
    def __init__(self, inside, outside):
        super().__init__()
        self.maxpool_conv = torch.nn.Sequential(torch.nn.MaxPool2d(2), Pair(inside, outside))

    def forward(self, x):
        return self.maxpool_conv(x)


class Up(torch.nn.Module):
    def __init__(self, inside, outside):
        super().__init__()
        self.up = torch.nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True)
        self.conv = Pair(inside, outside)

    def forward(self, x, skip):
        x = self.up(x)
        rows, columns = skip.shape[2] - x.shape[2], skip.shape[3] - x.shape[3]
        x = F.pad(x, [columns // 2, columns - columns // 2, rows // 2, rows - rows // 2])
        return self.conv(torch.cat([skip, x], 1))


class Out(torch.nn.Module):
    def __init__(self, inside, outside):
        super().__init__()
        self.conv = torch.nn.Conv2d(inside, outside, 1)

    def forward(self, x):
        return self.conv(x)


class UNet(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.inc = Pair(3, 64)
        for number, (inside, outside) in enumerate([(64, 128), (128, 256), (256, 512), (512, 512)], 1):
            setattr(self, f"down{number}", Down(inside, outside))
        for number, (inside, outside) in enumerate([(1024, 256), (512, 128), (256, 64), (128, 64)], 1):
            setattr(self, f"up{number}", Up(inside, outside))
        self.outc = Out(64, 2)

    def forward(self, x):
        levels = [self.inc(x)]
        for number in range(1, 5):
            levels.append(getattr(self, f"down{number}")(levels[-1]))
        x = levels[-1]
        for number in range(1, 5):
            x = getattr(self, f"up{number}")(x, levels[4 - number])
        return self.outc(x)


def randomise(model, seed):
    """Weights at which activations neither die nor explode, and batch norms do something."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for module in model.modules():
            if isinstance(module, torch.nn.Conv2d):
                fan = module.weight[0].numel()
                module.weight.copy_(torch.randn(module.weight.shape, generator=generator) * (2 / fan) ** 0.5)
                if module.bias is not None:
                    module.bias.copy_(torch.randn(module.bias.shape, generator=generator) * 0.1)
            if isinstance(module, torch.nn.BatchNorm2d):
                for tensor, low, high in ((module.weight, 0.7, 1.2), (module.bias, -0.1, 0.2),
                                          (module.running_mean, -0.2, 0.2), (module.running_var, 0.7, 1.4)):
                    tensor.copy_(torch.rand(tensor.shape, generator=generator) * (high - low) + low)
    return model.eval()


class LabelersTest(FolderTest):
    def setUp(self):
        super().setUp()
        torch.set_num_threads(1)
        self.dataset = self.path("dataset")
        self.ids = write_images(self.dataset)
        write_dataset(self.dataset, self.ids)

    def maps(self, labeler, *parameters, weights=WEIGHTS):
        output = self.path("a.labels")
        run_tool("labels", "build", labeler, *parameters, "--dataset", self.dataset, "--split", "train",
                 "--output", output, "--weights", weights, "--threads", "1")
        run_tool("labels", "verify", output)
        return {name: json.loads(run_tool("labels", "inspect", output, name, "--format", "json")[0])
                for name in self.ids}

    def convert(self, network, model):
        """The model's state through the converter; → its pin."""
        source = self.path(f"{network}.pth")
        torch.save(model.state_dict(), source)
        environment = dict(os.environ, PYTHONPATH=os.path.join(ROOT, ".deps", "python"))
        done = subprocess.run(["/usr/bin/python3", os.path.join(ROOT, "labelcache", "weights", "convert.py"),
                               f"--{network}", source, "--output", self.path("weights")],
                              capture_output=True, text=True, env=environment, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        line = [text for text in done.stdout.splitlines() if text.startswith("weights_sha256")][0]
        return line.replace(" ", "").replace('"', "")

    def expect_saliency(self, maps, reference):
        for name in self.ids:
            path = os.path.join(self.dataset, name)
            height, width = image_size(path)
            with torch.no_grad():
                wanted = stored(reference(path, height, width), height, width)
            found = torch.tensor(maps[name]["values"]).double().view(maps[name]["height"], maps[name]["width"])
            self.assertEqual(found.shape, wanted.shape, name)
            self.assertGreater(float(wanted.std()), 0.01, f"{name}: says nothing")
            self.assertLess(float((found - wanted).abs().mean()), 1e-3, name)

    def u2net_reference(self, model, size, read=network_input):
        mean = torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1)
        deviation = torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1)

        def reference(path, *_):
            pixels = read(path, size, size)
            answer = model((pixels / pixels.max() - mean) / deviation)[0, 0]
            return (answer - answer.min()) / (answer.max() - answer.min())

        return reference

    def test_saliency_is_u2netp(self):
        # Batch norms are folded in the published file: the reference's are left neutral.
        widths = [(3, 16, 64)] + [(64, 16, 64)] * 5 + [(128, 16, 64)] * 5
        model = U2Net(widths).eval()
        state = {}
        for name, array in load_file(os.path.join(WEIGHTS, "u2netp.safetensors")).items():
            parts = name.split(".")
            if len(parts) == 2 and not parts[0].startswith("stage"):
                state[name] = torch.tensor(array)
                continue
            level = "in" if parts[1] == "in" else parts[2] + ("d" if parts[1] == "decoder" else "")
            state[f"{parts[0]}.rebnconv{level}.conv_s1.{parts[-1]}"] = torch.tensor(array)
        missing, unexpected = model.load_state_dict(state, strict=False)
        self.assertFalse(unexpected)
        self.assertTrue(all(".bn_s1." in name for name in missing))
        for module in model.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.eps = 1e-30  # folded away; PyTorch wants one above 0
        self.expect_saliency(self.maps("saliency"), self.u2net_reference(model, 96))

    def test_u2net_in_full(self):
        model = randomise(U2Net(U2Net.FULL), 1)
        self.assertEqual(sum(p.numel() for p in model.parameters()), 44009869)
        pin = self.convert("u2net", model)
        for options, read in ((("input_size=64",), network_input), (("input_size=64", "lanczos=1"), lanczos_input)):
            self.expect_saliency(self.maps("u2net", *options, pin, weights=self.path("weights")),
                                 self.u2net_reference(model, 64, read))

    def test_bigbigan(self):
        model = randomise(UNet(), 2)
        self.assertEqual(sum(p.numel() for p in model.parameters()), 13395394)
        pin = self.convert("bigbigan", model)

        def reference_of(scale, shift):
            def reference(path, height, width):
                shorter = min(height, width)
                size = [int(edge * 72 / shorter) for edge in (height, width)]  # as torchvision cuts
                return 1 - model(network_input(path, *size) / scale - shift).softmax(1)[0, 0]
            return reference

        # In [-1, 1] as its authors, or in [0, 1] as OAMixer's released code.
        for options, reference in (((), reference_of(127.5, 1)), (("unit_range=1",), reference_of(255, 0))):
            self.expect_saliency(self.maps("bigbigan", "short_edge=72", *options, pin, weights=self.path("weights")),
                                 reference)

    def expect_logits(self, maps, reference, top_k=5):
        def labels(values, whole):
            """Probabilities of the k classes, the others' logits being 0."""
            return values.exp() / (values.exp().sum(2, keepdim=True) + whole.size(0) - top_k)

        for name in self.ids:
            with torch.no_grad():
                # As a label file keeps them.
                wanted = reference(os.path.join(self.dataset, name))[0].half().float()
            found = maps[name]
            self.assertEqual((found["channels"], found["height"], found["width"]), tuple(wanted.shape))
            values = torch.tensor(found["values"]).view(found["height"], found["width"], top_k)
            classes = torch.tensor(found["indices"]).view(found["height"], found["width"], top_k)
            # The k largest, in order, and each what the reference says of that very class.
            largest = wanted.permute(1, 2, 0).topk(top_k).values
            own = wanted.permute(1, 2, 0).gather(2, classes)
            for theirs in (largest, own):
                # As labels, which is what training sees; and as logits.
                difference = float((labels(values, wanted) - labels(theirs, wanted)).abs().mean())
                self.assertLess(difference, 1e-3, name)
                self.assertLess(float((values - theirs).abs().mean()), 2e-3 * max(float(theirs.abs().mean()), 1), name)

    def test_relabel_is_efficientnet_lite0(self):
        model = timm.create_model("tf_efficientnet_lite0", pretrained=False).eval()
        ours = load_file(os.path.join(WEIGHTS, "efficientnet_lite0.safetensors"))
        state = model.state_dict()
        wanted = [name for name in state if not name.endswith("num_batches_tracked")]

        def order(name):
            stages = ["stem", "blocks", "head", "classifier"]
            parts = name.split(".")
            block = int(parts[1]) if parts[0] == "blocks" else 0
            layer = ["expand", "depthwise", "project"].index(parts[2]) if parts[0] == "blocks" else 0
            kind = ["conv", "bn"].index(parts[-2]) if parts[-2] in ("conv", "bn") else 0
            suffix = ["weight", "bias", "running_mean", "running_var"].index(parts[-1])
            return stages.index(parts[0]), block, layer, kind, suffix

        names = sorted(ours, key=order)
        self.assertEqual(len(names), len(wanted))
        model.load_state_dict({theirs: torch.tensor(ours[name]) for theirs, name in zip(wanted, names)}, strict=False)

        def reference(path):
            features = model.forward_features((network_input(path, 160, 160) - 127) / 128)
            return F.conv2d(features, model.classifier.weight[:, :, None, None], model.classifier.bias)

        self.expect_logits(self.maps("relabel", "input_size=160"), reference)

    def test_any_timm_classifier_by_the_export_script(self):
        torch.manual_seed(3)
        path = exporter.export("nf_regnet_b0", 96, self.path("export"), pretrained=False)
        stdout, _ = run_tool("labels", "pin", path, "--weights", self.path("weights"))
        pin = [line for line in stdout.splitlines() if line.startswith("weights_sha256")][0]
        torch.manual_seed(3)
        model = timm.create_model("nf_regnet_b0", pretrained=False).eval()
        mean = torch.tensor(model.default_cfg["mean"]).view(1, 3, 1, 1)
        deviation = torch.tensor(model.default_cfg["std"]).view(1, 3, 1, 1)

        def reference(image):
            features = model.forward_features((network_input(image, 96, 96) / 255 - mean) / deviation)
            return F.conv2d(features, model.head.fc.weight[:, :, None, None], model.head.fc.bias)

        maps = self.maps("script_relabel", "top_k=3", pin.replace(" ", "").replace('"', ""),
                         weights=self.path("weights"))
        self.expect_logits(maps, reference, top_k=3)

    def test_the_export_script_refuses_what_does_not_commute(self):
        with self.assertRaises(exporter.Unsuitable):
            exporter.export("vit_tiny_patch16_224", 224, self.path("export"), pretrained=False)

    def test_any_saliency_network(self):
        torch.manual_seed(4)
        model = torch.nn.Sequential(torch.nn.Conv2d(3, 8, 5, padding=2), torch.nn.ReLU(), torch.nn.Conv2d(8, 2, 3, padding=1))
        torch.jit.trace(model.eval(), torch.zeros(1, 3, 48, 48)).save(self.path("net.pt"))
        with open(self.path("net.toml"), "w", encoding="utf-8") as file:
            file.write('kind = "saliency"\nmodel = "net.pt"\ninput_size = 48\nmean = [0.5, 0.4, 0.3]\n'
                       'deviation = [0.1, 0.2, 0.3]\nactivation = "softmax"\nchannel = 1\n')
        stdout, _ = run_tool("labels", "pin", self.path("net.toml"), "--weights", self.path("weights"))
        pin = [line for line in stdout.splitlines() if line.startswith("weights_sha256")][0]

        def reference(path, *_):
            mean, deviation = torch.tensor([0.5, 0.4, 0.3]), torch.tensor([0.1, 0.2, 0.3])
            x = (network_input(path, 48, 48) / 255 - mean.view(1, 3, 1, 1)) / deviation.view(1, 3, 1, 1)
            return model(x).softmax(1)[0, 1]

        self.expect_saliency(self.maps("script_saliency", pin.replace(" ", "").replace('"', ""),
                                       weights=self.path("weights")), reference)

    def imported(self, form, *arguments):
        output = self.path("imported.labels")
        run_tool("labels", "import", form, self.path("maps"), "--dataset", self.dataset, "--split", "train",
                 "--output", output, *arguments)
        return {name: json.loads(run_tool("labels", "inspect", output, name, "--format", "json")[0])
                for name in self.ids}

    def test_maps_that_torch_saved(self):
        os.makedirs(self.path("maps/a"))
        generator, wanted = torch.Generator().manual_seed(5), {}
        for name in self.ids:
            values = torch.randn(18, 18, 1000, generator=generator) * 5
            top = values.topk(5)
            released = torch.stack([top.values.half(), top.indices.half()]).permute(0, 3, 1, 2)
            torch.save(released, self.path("maps/a/" + os.path.basename(name).split(".")[0] + ".pt"))
            wanted[name] = released
        maps = self.imported("tokenlabeling")
        for name in self.ids:
            values = torch.tensor(maps[name]["values"]).view(18, 18, 5).permute(2, 0, 1)
            classes = torch.tensor(maps[name]["indices"]).view(18, 18, 5).permute(2, 0, 1)
            self.assertTrue(torch.equal(values, wanted[name][0].float()))
            self.assertTrue(torch.equal(classes, wanted[name][1].long()))
            height, width = image_size(os.path.join(self.dataset, name))
            left, top, right, bottom = maps[name]["cover"]
            self.assertAlmostEqual((right - left) * width, min(height, width), places=3)
            self.assertAlmostEqual((bottom - top) * height, min(height, width), places=3)
        for name, one in self.imported("tokenlabeling", "--as-released").items():
            self.assertEqual(one["cover"], [0, 0, 1, 1], name)

    def test_masks_that_numpy_saved(self):
        os.makedirs(self.path("maps/a"))
        rng, wanted = numpy.random.default_rng(6), {}
        for number, name in enumerate(self.ids):
            mask = rng.random((20, 30)) < 0.3
            if number % 2:
                mask = numpy.asfortranarray(mask)
            numpy.save(self.path("maps/a/" + os.path.basename(name).split(".")[0] + ".npy"), mask)
            wanted[name] = mask
        for name, one in self.imported("npy").items():
            self.assertTrue(numpy.array_equal(numpy.array(one["values"]).reshape(20, 30), wanted[name]), name)


if __name__ == "__main__":
    unittest.main()
