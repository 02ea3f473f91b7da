# SPDX-License-Identifier: Apache-2.0
"""timm models, patched in place."""

from __future__ import annotations

from typing import Dict, Iterator, Optional, Tuple

import torch
from torch import Tensor, nn

from .layers import Batch, Kappa, Masked, MaskedAttention, MaskedConv2d, MaskedMixerBlock
from .ops import label_distance

_derived: Dict[Tuple[type, type], type] = {}


def _become(module: nn.Module, mixin: type) -> None:
    """Makes `module` an instance of a class derived from its own, with `mixin` before it."""
    base = type(module)
    if (mixin, base) not in _derived:
        _derived[mixin, base] = type(mixin.__name__, (mixin, base), {"__module__": mixin.__module__})
    module.__class__ = _derived[mixin, base]


class Remixed(nn.Module):
    """A patched model: forward(images, labels) masks its mixing, forward(images) does not."""

    def forward(self, images: Tensor, labels: Optional[Tensor] = None, *arguments, **options):
        batch: Batch = self.__dict__["batch"]
        batch.distance = None if labels is None else label_distance(labels, self.__dict__["metric"])
        try:
            return super().forward(images, *arguments, **options)
        finally:
            batch.distance = None


def remix(model: nn.Module, metric: str = "cosine") -> nn.Module:
    """Patches a timm DeiT (or other plain ViT), MLP-Mixer or ConvMixer in place, and returns it.

    Block i gets its mask scale as `blocks.{i}.remixer.kappa`, 0 at first: the model computes what it did. Call it
    with labels [B, N, K] of its N patches, `model(images, labels)`; without labels nothing is masked. After each
    optimiser step call `project_kappas(model)`, which keeps κ >= 0. metric: 'cosine' for class maps (softmaxed
    ReLabel maps), 'l1' for saliency. State dicts have timm's names, so `remixer model import` reads them.

    Raises TypeError if the model has no blocks that it knows, and ValueError if it is patched already.
    """
    if metric not in ("l1", "cosine"):
        raise ValueError(f"remixer: unknown metric {metric!r}; known are 'cosine' and 'l1'")
    if isinstance(model, Remixed):
        raise ValueError("remixer: this model is patched already")
    batch = Batch()
    masked = [_masked_layer(block, i) for i, block in enumerate(getattr(model, "blocks", ()))]
    if not masked:
        raise TypeError(f"remixer: {type(model).__name__} has no blocks; known are timm's DeiT, MLP-Mixer and "
                        "ConvMixer")
    for block, (layer, mixin) in zip(model.blocks, masked):
        kappa = Kappa().to(next(layer.parameters()))
        block.add_module("remixer", kappa)
        _become(layer, mixin)
        layer.set_mask(kappa, batch)
    _become(model, Remixed)
    model.__dict__["batch"], model.__dict__["metric"] = batch, metric
    return model


def _masked_layer(block: nn.Module, i: int) -> Tuple[nn.Module, type]:
    """The layer of a block that mixes patches, and what masks it."""
    attention = getattr(block, "attn", None)
    if hasattr(attention, "qkv") and hasattr(attention, "num_heads"):
        dropout = getattr(attention, "attn_drop", None)
        if isinstance(dropout, nn.Dropout) and dropout.p > 0:
            raise ValueError(f"remixer: blocks.{i}: dropout of attention weights is not supported; use attn_drop=0")
        return attention, MaskedAttention
    if hasattr(block, "mlp_tokens") and hasattr(block.mlp_tokens, "fc1"):
        return block, MaskedMixerBlock
    first = block[0] if isinstance(block, nn.Sequential) else None
    convolution = first.fn[0] if hasattr(first, "fn") else None
    if isinstance(convolution, nn.Conv2d) and convolution.groups == convolution.in_channels:
        return convolution, MaskedConv2d
    raise TypeError(f"remixer: blocks.{i} is a {type(block).__name__}; known are the blocks of timm's DeiT, "
                    "MLP-Mixer and ConvMixer")


def kappas(model: nn.Module) -> Iterator[Tensor]:
    """The mask scale κ of each patched block, in order."""
    for module in model.modules():
        if isinstance(module, Kappa):
            yield module.kappa


def project_kappas(model: nn.Module) -> None:
    """Sets each negative κ to 0: call it after each optimiser step."""
    with torch.no_grad():
        for kappa in kappas(model):
            kappa.clamp_(min=0)
