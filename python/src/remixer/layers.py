# SPDX-License-Identifier: Apache-2.0
"""timm's mixing modules with ReMixer's mask. Each stands in place of the class it is derived from."""

from __future__ import annotations

from typing import Optional

import torch
from torch import Tensor, nn

from .ops import masked_attention, masked_conv2d, masked_linear


class Batch:
    """The distances of the batch that a model works on; all its layers share it."""

    distance: Optional[Tensor] = None  # [B, N, N]; None: no mask


class Kappa(nn.Module):
    """The mask scale κ >= 0 of one layer: one number. As a module it passes its input on."""

    def __init__(self) -> None:
        super().__init__()
        # One dimension, so that optimisers which spare vectors from weight decay spare κ.
        self.kappa = nn.Parameter(torch.zeros(1))

    def forward(self, x: Tensor) -> Tensor:
        return x


class Masked(nn.Module):
    """What a masked layer knows besides its parameters; κ itself belongs to the block around it."""

    def set_mask(self, kappa: Kappa, batch: Batch) -> None:
        # Not registered: the block owns κ.
        self.__dict__["mask_scale"], self.__dict__["batch"] = kappa, batch

    @property
    def kappa(self) -> Tensor:
        return self.__dict__["mask_scale"].kappa


class MaskedAttention(Masked):
    """timm's Attention. Tokens before the patches ([CLS], distillation) have M = 1."""

    def forward(self, x: Tensor, *arguments, **options) -> Tensor:
        distance = self.batch.distance
        if distance is None:
            return super().forward(x, *arguments, **options)
        if any(argument is not None for argument in (*arguments, *options.values())):
            raise NotImplementedError("remixer: an attention mask beside ReMixer's")
        images, tokens, width = x.shape
        prefix = tokens - distance.shape[-1]
        if prefix < 0:
            raise ValueError(f"remixer: labels for {distance.shape[-1]} patches, but the model has {tokens} tokens")
        q, k, v = self.qkv(x).reshape(images, tokens, 3, self.num_heads, -1).permute(2, 0, 3, 1, 4).unbind(0)
        if hasattr(self, "q_norm"):
            q, k = self.q_norm(q), self.k_norm(k)
        mixed = masked_attention(q, k, v, distance.to(q.dtype), self.kappa, prefix, float(self.scale))
        mixed = mixed.transpose(1, 2).reshape(images, tokens, -1)
        if isinstance(getattr(self, "norm", None), nn.Module):
            mixed = self.norm(mixed)
        return self.proj_drop(self.proj(mixed))


class MaskedMixerBlock(Masked):
    """timm's MixerBlock: f(x) - ((1 - M) ⊙ W2 W1) x in place of f(x)."""

    def forward(self, x: Tensor) -> Tensor:
        distance = self.batch.distance
        if distance is None:
            return super().forward(x)
        patches, mlp = self.norm1(x), self.mlp_tokens
        product = mlp.fc2.weight @ mlp.fc1.weight
        mixed = mlp(patches.transpose(1, 2)).transpose(1, 2)
        mixed = mixed - masked_linear(patches, product, distance.to(patches.dtype), self.kappa, True)
        x = x + self.drop_path(mixed)
        return x + self.drop_path(self.mlp_channels(self.norm2(x)))


class MaskedConv2d(Masked):
    """A depthwise convolution over patches."""

    def forward(self, x: Tensor) -> Tensor:
        distance = self.batch.distance
        if distance is None:
            return super().forward(x)
        return masked_conv2d(x, self.weight, self.bias, distance.to(x.dtype), self.kappa)
