// SPDX-License-Identifier: Apache-2.0
#include "core/models/work.h"

#include "experiments/spec/architectures.h"

namespace remixer::models {

double multiply_adds(const Model& model) {
  const auto& architecture = experiments::find_architecture(model.spec().architecture);
  const double patches = static_cast<double>(model.grid() * model.grid());
  const double dim = static_cast<double>(architecture.dim);
  double sum = 0;
  for (const auto& [name, tensor] : model.parameters()) {
    if (tensor.dim() < 2 || name == "pos_embed" || name == "cls_token") continue;
    const double weights = static_cast<double>(tensor.numel());
    if (name.starts_with("head")) {
      sum += weights;
    } else if (name.find("mlp_tokens") != std::string::npos) {
      sum += weights * dim;  // the same map for every channel
    } else if (tensor.dim() == 4 && tensor.size(1) == 1 && tensor.size(0) == 1) {
      sum += weights * dim * patches;  // one kernel for all channels
    } else {
      sum += weights * patches;
    }
    // q kᵀ and A v.
    if (name.ends_with("attn.qkv.weight") || name.ends_with("attn.qk.weight")) {
      sum += 2 * patches * patches * dim;
    }
  }
  return sum;
}

}  // namespace remixer::models
