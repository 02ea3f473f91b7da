# SPDX-License-Identifier: Apache-2.0
"""timm's models with weights drawn at random, and the same with ReMixer's mask put in, plainly."""

import math
from functools import partial

import timm
import torch
from timm.models.convit import ConViT
from timm.models.convmixer import ConvMixer
from torch import nn


def create(architecture, num_classes=1000, image_size=224):
    """timm's model of one of our names; of the shared ConvMixer, the one with a kernel a channel."""
    if architecture.startswith("convmixer_512_8"):
        return ConvMixer(dim=512, depth=8, kernel_size=9, patch_size=16, num_classes=num_classes)
    if architecture == "deit_small_convit":
        return ConViT(img_size=image_size, num_classes=num_classes, embed_dim=64, num_heads=6, depth=12,
                      qkv_bias=True, local_up_to_layer=10, norm_layer=partial(nn.LayerNorm, eps=1e-6))
    return timm.create_model(architecture, num_classes=num_classes, img_size=image_size)


def draw_weights(model, seed):
    """Moves every parameter and running statistic away from its initial value, so that nothing is 0
    or 1 by chance and no branch is silent."""
    generator = torch.Generator().manual_seed(seed)

    def noise(tensor, deviation):
        return torch.randn(tensor.shape, generator=generator) * deviation

    with torch.no_grad():
        for name, parameter in model.named_parameters():
            deviation = 0.1 if parameter.dim() == 1 else 0.5 / math.sqrt(parameter[0].numel())
            parameter.add_(noise(parameter, deviation))
        for name, buffer in model.named_buffers():
            if name.endswith("running_mean"):
                buffer.add_(noise(buffer, 0.1))
            elif name.endswith("running_var"):
                buffer.mul_(torch.rand(buffer.shape, generator=generator) + 0.5)
    return model.eval()


def share_kernels(model):
    """Gives all channels of a ConvMixer's depthwise convolutions the first channel's kernel."""
    with torch.no_grad():
        for block in model.blocks:
            convolution = block[0].fn[0]
            convolution.weight.copy_(convolution.weight[:1].expand_as(convolution.weight).clone())
            convolution.bias.copy_(convolution.bias[:1].expand_as(convolution.bias).clone())


def our_tensors(model, shared=False):
    """What our file of this model holds, by name: of a shared kernel, the one there is."""
    tensors = {}
    for name, tensor in model.state_dict().items():
        if name.endswith("num_batches_tracked"):
            continue
        tensors[name] = tensor[:1] if shared and ".0.fn.0." in name else tensor
    return tensors


def our_gradients(model, shared=False):
    """The same of gradients: a shared kernel's is the sum over its copies."""
    gradients = {}
    for name, parameter in model.named_parameters():
        gradient = parameter.grad
        gradients[name] = gradient.sum(0, keepdim=True) if shared and ".0.fn.0." in name else gradient
    return gradients


# --- ReMixer, from its equations --------------------------------------------------------------


def label_distance(labels, metric):
    """d_ij of labels y [B, N, K]: the sum of |y_i - y_j|, or 1 - their cosine."""
    if metric == "l1":
        return (labels[:, :, None] - labels[:, None]).abs().sum(-1)
    unit = labels / labels.norm(dim=-1, keepdim=True)
    return 1 - unit @ unit.transpose(1, 2)


class Masked(nn.Module):
    """Stands in the place of a module that mixes patches; `forward` masks its mixing.

    What the model's forward cannot pass down, the batch's distance, lies in `batch`.
    """

    def __init__(self, module, kappa, batch):
        super().__init__()
        self.module, self.kappa, self.batch = module, kappa, batch

    def mask(self, prefix=0):
        mask = torch.exp(-self.kappa * self.batch["distance"])
        return nn.functional.pad(mask, (prefix, 0, prefix, 0), value=1.0)


def heads(tensor, parts, count):
    batch, tokens, width = tensor.shape
    return tensor.reshape(batch, tokens, parts, count, width // (parts * count)).permute(2, 0, 3, 1, 4)


class MaskedAttention(Masked):
    def forward(self, x):
        q, k, v = heads(self.module.qkv(x), 3, self.module.num_heads)
        attention = torch.softmax(q @ k.transpose(2, 3) / math.sqrt(q.shape[-1]), -1)
        attention = attention * self.mask(prefix=1)[:, None]
        attention = attention / attention.sum(-1, keepdim=True)
        return self.module.proj((attention @ v).transpose(1, 2).reshape(x.shape))


class MaskedGatedAttention(Masked):
    def forward(self, x):
        self.module.rel_indices = self.module.get_rel_indices(x.shape[1]).to(x.dtype)
        attention = self.module.get_attention(x) * self.mask()[:, None]
        attention = attention / attention.sum(-1, keepdim=True)
        v = heads(self.module.v(x), 1, self.module.num_heads)[0]
        return self.module.proj((attention @ v).transpose(1, 2).reshape(x.shape))


class MaskedTokenMlp(Masked):
    def forward(self, x):  # [B, C, N]
        linear = self.module.fc2.weight @ self.module.fc1.weight
        masked = torch.einsum("bij,ij,bcj->bci", self.mask(), linear, x)
        return self.module(x) - x @ linear.T + masked


class MaskedConvolution(Masked):
    def forward(self, x):
        batch, channels, height, width = x.shape
        side = self.module.weight.shape[-1]
        # Row i of the mask at the places of the kernel around patch i.
        planes = self.mask().reshape(batch, height * width, height, width)
        around = nn.functional.unfold(planes.reshape(-1, 1, height, width), side, padding=side // 2)
        around = around.reshape(batch, height * width, side * side, height * width)
        at_patch = around.diagonal(dim1=1, dim2=3)  # [B, S², N]
        terms = nn.functional.unfold(x, side, padding=side // 2).reshape(batch, channels, side * side, -1)
        weight = self.module.weight.reshape(channels, side * side)
        mixed = torch.einsum("bcsn,bsn,cs->bcn", terms, at_patch, weight) + self.module.bias[:, None]
        return mixed.reshape(x.shape)


def put_masks_in(model, kappas, distance):
    """Masks every block's mixing, in place; kappas by block, distance [B, N, N]."""
    batch = {"distance": distance}
    for block, kappa in zip(model.blocks, kappas):
        if hasattr(block, "mlp_tokens"):
            block.mlp_tokens = MaskedTokenMlp(block.mlp_tokens, kappa, batch)
        elif isinstance(block, nn.Sequential):
            block[0].fn[0] = MaskedConvolution(block[0].fn[0], kappa, batch)
        else:
            kind = MaskedGatedAttention if hasattr(block.attn, "gating_param") else MaskedAttention
            block.attn = kind(block.attn, kappa, batch)
    return model
