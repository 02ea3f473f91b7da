# SPDX-License-Identifier: Apache-2.0
"""ReMixer's masked mixing for PyTorch (Kang, Mo, Shin).

Patch i of an image listens to patch j with weight M_ij = exp(-κ·d(y_i, y_j)): y are labels of the
patches, κ >= 0 is learned for each layer.

`remix(model)` patches a timm DeiT, MLP-Mixer or ConvMixer in place. The operators alone are
`label_distance`, `masked_attention`, `masked_linear` and `masked_conv2d`, also under `torch.ops.remixer`.
"""

from .models import kappas, project_kappas, remix
from .ops import label_distance, masked_attention, masked_conv2d, masked_linear

__all__ = ["kappas", "label_distance", "masked_attention", "masked_conv2d", "masked_linear", "project_kappas",
           "remix"]
__version__ = "0.1.0"
