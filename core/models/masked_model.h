// What the families share: κ of each block, and the checks on what forward is given.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/layers/attention.h"
#include "core/layers/parameters.h"
#include "core/models/model.h"
#include "core/models/registry.h"

namespace remixer::models {

class MaskedModel : public Model {
 public:
  at::Tensor forward(const at::Tensor& images, const std::optional<at::Tensor>& distance,
                     const ForwardMode& mode) final;

 protected:
  // What forward knows of the batch besides its tokens.
  struct Pass {
    const ForwardMode& mode;
    std::optional<at::Tensor> distance;
  };

  MaskedModel(const ModelSpec& spec, const Architecture& architecture);
  virtual at::Tensor logits(const at::Tensor& images, const Pass& pass) = 0;

  static std::string block_name(int64_t block) { return "blocks." + std::to_string(block); }
  // Adds blocks.{block}.remixer.kappa, where the model has κ. Call once a block, in order.
  void add_kappa(layers::ParameterMaker& maker, int64_t block);
  // The mask of a block: nothing in a plain model.
  std::optional<layers::PatchMask> mask(int64_t block, const Pass& pass) const;

 private:
  std::vector<at::Tensor> kappa_;  // by block; empty in a plain model
};

}  // namespace remixer::models
