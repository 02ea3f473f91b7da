// SPDX-License-Identifier: Apache-2.0
// Base class of the model families: κ of each block, aux_head, and checks of forward's input.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/layers/attention.h"
#include "core/layers/basic.h"
#include "core/layers/parameters.h"
#include "core/models/model.h"
#include "experiments/spec/architectures.h"

namespace remixer::models {

class MaskedModel : public Model {
 public:
  at::Tensor forward(const at::Tensor& images, const std::optional<at::Tensor>& distance,
                     const ForwardMode& mode) final;
  Outputs forward_with_tokens(const at::Tensor& images, const std::optional<at::Tensor>& distance,
                              const ForwardMode& mode) final;

 protected:
  // State of one forward pass besides its tokens.
  struct Pass {
    const ForwardMode& mode;
    std::optional<at::Tensor> distance;
    bool wants_tokens;  // whether token_logits are requested
  };

  MaskedModel(const ModelSpec& spec, const experiments::Architecture& architecture);
  // token_logits may stay undefined if they are not requested.
  virtual Outputs outputs(const at::Tensor& images, const Pass& pass) = 0;

  static std::string block_name(int64_t block) { return "blocks." + std::to_string(block); }
  // Adds blocks.{block}.remixer.kappa, if the model has κ. Call once per block, in order.
  void add_kappa(layers::ParameterMaker& maker, int64_t block);
  // Adds aux_head over tokens of width `dim`, if the model has one. Call it last: the other
  // parameters then have the same initial values as without it.
  void add_token_head(layers::ParameterMaker& maker, int64_t dim, layers::Initial weight,
                      layers::Initial bias);
  // aux_head's output for tokens [B, N, dim]; undefined if it is not requested.
  at::Tensor judge_tokens(const at::Tensor& tokens, const Pass& pass) const;
  // The mask of a block; none in a plain model.
  std::optional<layers::PatchMask> mask(int64_t block, const Pass& pass) const;

 private:
  void check(const at::Tensor& images, const std::optional<at::Tensor>& distance,
             const ForwardMode& mode) const;

  std::vector<at::Tensor> kappa_;  // by block; empty in a plain model
  layers::Linear token_head_;
};

}  // namespace remixer::models
