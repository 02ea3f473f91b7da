# SPDX-License-Identifier: Apache-2.0
"""The operators, with names and types. All are differentiable in every real-valued tensor argument."""

from __future__ import annotations

import os
import pathlib
from typing import Optional

import torch
from torch import Tensor


def _load() -> None:
    beside = pathlib.Path(__file__).parent / "libremixer_ops.so"
    library = os.environ.get("REMIXER_OPERATORS", str(beside))
    if not os.path.exists(library):
        raise ImportError(f"{library} is missing: install the package with pip, or set REMIXER_OPERATORS to a "
                          "libremixer_ops.so that was built with this torch")
    try:
        torch.ops.load_library(library)
    except OSError as error:
        raise ImportError(f"{library} does not load into torch {torch.__version__}: {error}; build it again with "
                          "this torch") from error


if not hasattr(torch.ops.remixer, "masked_attention"):
    _load()


def label_distance(y: Tensor, metric: str) -> Tensor:
    """Distances between the patch labels of each image.

    y: [B, N, K], one label of K numbers for each of N patches. metric: 'l1', the sum of |y_ik - y_jk| over k, or
    'cosine', 1 - y_i·y_j / (|y_i| |y_j|). Returns [B, N, N], >= 0.
    """
    return torch.ops.remixer.label_distance(y, metric)


def masked_attention(q: Tensor, k: Tensor, v: Tensor, distance: Tensor, kappa: Tensor, prefix_tokens: int = 0,
                     scale: Optional[float] = None) -> Tensor:
    """softmax(q kᵀ·scale) ⊙ M, renormalised, times v: equal to softmax(q kᵀ·scale - κ·d) v.

    q, k, v: [B, H, T, D]. distance: [B, N, N], T = prefix_tokens + N. kappa: one element. Prefix tokens ([CLS])
    come first; their rows and columns have M = 1. scale is 1/√D unless given. Returns [B, H, T, D].
    """
    return torch.ops.remixer.masked_attention(q, k, v, distance, kappa, prefix_tokens, scale)


def masked_linear(x: Tensor, weight: Tensor, distance: Tensor, kappa: Tensor, complement: bool = False) -> Tensor:
    """A linear map over patches with reweighted entries: y_bic = Σ_j M_bij W_ij x_bjc.

    x: [B, N, C]. weight: [N, N]. distance: [B, N, N]. kappa: one element. With complement, 1 - M in place of M.
    Returns [B, N, C].
    """
    return torch.ops.remixer.masked_linear(x, weight, distance, kappa, complement)


def masked_conv2d(x: Tensor, weight: Tensor, bias: Optional[Tensor], distance: Tensor, kappa: Tensor) -> Tensor:
    """A depthwise convolution with zero 'same' padding and reweighted terms: y_i = Σ_j M_ij w(j - i) x_j + bias.

    x: [B, C, H, W]. weight: [1 or C, 1, S, S], S odd; 1: one kernel for all channels. bias: [1 or C] or None.
    distance: [B, H·W, H·W] over patches in row order. kappa: one element. Returns [B, C, H, W].
    """
    return torch.ops.remixer.masked_conv2d(x, weight, bias, distance, kappa)
