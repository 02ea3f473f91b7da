# SPDX-License-Identifier: Apache-2.0
"""Makes a timm classifier a TorchScript network for ReLabel maps: logits in each cell of its last features.

    classifier.py --model dm_nfnet_f6 --input-size 576 --output FOLDER [--checkpoint FILE]

Writes FOLDER/MODEL.pt and its description FOLDER/MODEL.toml; `remixer labels pin FOLDER/MODEL.toml` then
says what a grid writes to use it. Weights are timm's published ones, or those of --checkpoint.
Needs timm (0.5 or newer) and torch.
"""

import argparse
import os
import sys

import timm
import torch


class Unsuitable(Exception):
    """The model is not one whose classifier can be applied to each cell; the text says why."""


class Cells(torch.nn.Module):
    """images [B, 3, S, S] → logits [B, K, h, w]: the model's classifier as a 1 × 1 convolution."""

    def __init__(self, model):
        super().__init__()
        linear = model.get_classifier()
        if not isinstance(linear, (torch.nn.Linear, torch.nn.Conv2d)):
            raise Unsuitable(f"its classifier is a {type(linear).__name__}, not one linear layer")
        self.model = model
        self.weight = torch.nn.Parameter(linear.weight.detach().flatten(1)[:, :, None, None].clone())
        bias = linear.bias if linear.bias is not None else torch.zeros(linear.weight.shape[0])
        self.bias = torch.nn.Parameter(bias.detach().clone())

    def forward(self, images):
        features = self.model.forward_features(images)
        if features.dim() == 3:  # tokens: those beyond a square grid come first
            side = int(features.shape[1] ** 0.5)
            features = features[:, features.shape[1] - side * side :].transpose(1, 2)
            features = features.reshape(features.shape[0], features.shape[1], side, side)
        if features.dim() != 4:
            raise Unsuitable("its features have no places: it pools them before forward_features() returns")
        return torch.nn.functional.conv2d(features, self.weight, self.bias)


@torch.no_grad()
def check(model, cells, size):
    """A classifier that pools, then multiplies, says of the whole what its cells say on average."""
    images = torch.randn(2, 3, size, size, generator=torch.Generator().manual_seed(0))
    whole, mean = model(images), cells(images).mean((2, 3))
    difference = (whole - mean).abs().max() / whole.abs().max().clamp_min(1e-6)
    if difference > 1e-3:
        raise Unsuitable(f"the mean over its cells is not its answer (off by {float(difference):.1e} of the largest)")


def export(name, size, folder, checkpoint=None, pretrained=True):
    """→ the description's path."""
    model = timm.create_model(name, pretrained=pretrained and not checkpoint, checkpoint_path=checkpoint or "").eval()
    cells = Cells(model).eval()
    if not getattr(model, "global_pool", "avg") == "token":
        check(model, cells, size)
    os.makedirs(folder, exist_ok=True)
    with torch.no_grad():
        traced = torch.jit.trace(cells, torch.zeros(1, 3, size, size), check_trace=False)
    traced.save(os.path.join(folder, f"{name}.pt"))
    config = model.default_cfg
    path = os.path.join(folder, f"{name}.toml")
    with open(path, "w", encoding="utf-8") as file:
        file.write(
            f'kind = "classifier"\nmodel = "{name}.pt"\ninput_size = {size}\n'
            f'mean = {[float(x) for x in config["mean"]]}\ndeviation = {[float(x) for x in config["std"]]}\n'
        )
    return path


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", required=True, help="timm's name, such as dm_nfnet_f6")
    parser.add_argument("--input-size", type=int, required=True, help="pixels a side; a cell is usually 32 of them")
    parser.add_argument("--output", required=True, metavar="FOLDER")
    parser.add_argument("--checkpoint", metavar="FILE", help="weights of your own")
    parser.add_argument("--random", action="store_true", help="random weights, to try things out")
    arguments = parser.parse_args()
    print(export(arguments.model, arguments.input_size, arguments.output, arguments.checkpoint, not arguments.random))


if __name__ == "__main__":
    try:
        main()
    except (Unsuitable, OSError, RuntimeError) as error:
        sys.exit(f"classifier.py: {error}")
