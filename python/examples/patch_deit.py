# SPDX-License-Identifier: Apache-2.0
"""A timm DeiT-S with ReMixer, in ten lines: one training step on random images."""

import timm
import torch

import remixer

model = remixer.remix(timm.create_model("deit_small_patch16_224", num_classes=9), metric="cosine")
optimizer = torch.optim.AdamW(model.parameters(), lr=5e-4)
images, targets = torch.randn(4, 3, 224, 224), torch.randint(9, (4,))
labels = torch.randn(4, 196, 1000).softmax(-1)  # one distribution over classes for each patch
loss = torch.nn.functional.cross_entropy(model(images, labels), targets)
loss.backward()
optimizer.step()
remixer.project_kappas(model)
print("loss", float(loss.detach()), "kappa", [round(float(kappa), 4) for kappa in remixer.kappas(model)])
