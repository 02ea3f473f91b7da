// SPDX-License-Identifier: Apache-2.0
#include "core/explain/relevance.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/bmm.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/eye.h>
#include <torch/csrc/autograd/autograd.h>

#include "base/error.h"

namespace remixer::explain {
namespace {

std::vector<at::Tensor> gradients(const at::Tensor& score, std::vector<at::Tensor> of) {
  return torch::autograd::grad({score}, of, {}, /*retain_graph=*/false);
}

// Adds [CLS] in front of R: so far it depends on itself only.
at::Tensor with_cls(const at::Tensor& relevance) {
  at::Tensor joined = at::constant_pad_nd(relevance, {1, 0, 1, 0});
  joined.select(1, 0).select(1, 0).fill_(1);
  return joined;
}

at::Tensor through_attention(const std::vector<at::Tensor>& attention, const at::Tensor& score) {
  const std::vector<at::Tensor> slopes = gradients(score, attention);
  const int64_t first = attention.front().size(3);
  at::Tensor relevance =
      at::eye(first, score.options()).expand({attention.front().size(0), first, first});
  for (size_t i = 0; i < attention.size(); ++i) {
    const at::Tensor step = (slopes[i] * attention[i].detach()).relu().mean(1);
    if (relevance.size(2) + 1 == step.size(2)) relevance = with_cls(relevance);
    // A block that only computes [CLS] only updates its row.
    relevance = relevance.slice(1, 0, step.size(1)) + at::bmm(step, relevance);
  }
  return relevance.select(1, 0).slice(1, 1);
}

at::Tensor through_activations(const at::Tensor& tokens, const at::Tensor& score) {
  const at::Tensor slope = gradients(score, {tokens})[0];
  const at::Tensor weights = slope.mean(1, /*keepdim=*/true);
  return (weights * tokens.detach()).sum(2).relu();
}

}  // namespace

Relevance relevance(models::Model& model, const at::Tensor& images,
                    const std::optional<at::Tensor>& distance, const at::Tensor& classes) {
  const at::AutoGradMode with_gradients(true);
  layers::ForwardTrace trace;
  const at::Tensor logits = model.forward(images, distance, {.trace = &trace});
  const at::Tensor score = logits.gather(1, classes.unsqueeze(1)).sum();
  if (trace.attention.empty() && !trace.tokens.defined()) {
    fail_input("architecture '{}' leaves nothing to explain it by: fill ForwardMode::trace",
               model.spec().architecture);
  }
  const bool through = !trace.attention.empty();
  const at::Tensor patches = through ? through_attention(trace.attention, score)
                                     : through_activations(trace.tokens, score);
  return {patches.detach().reshape({images.size(0), model.grid(), model.grid()}), through};
}

}  // namespace remixer::explain
