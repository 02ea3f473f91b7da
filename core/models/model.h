// SPDX-License-Identifier: Apache-2.0
// A patch-based classification model with or without ReMixer.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/layers/forward_mode.h"

namespace remixer::models {

// What to build. Names as in docs/models.md; `deit_small_convit` and convit_* can be given by name,
// or as a DeiT with spatial_prior "convit".
struct ModelSpec {
  std::string architecture;
  std::string spatial_prior = "none";
  int64_t num_classes = 1000;
  int64_t image_size = 224;
  bool remixer = false;  // a κ in every block
  double drop_path = 0;  // largest rate of stochastic depth, distributed by the model's own rule
  // Classes of aux_head, which classifies each patch's last token (TokenLabeling); 0: no aux_head.
  int64_t token_classes = 0;
};

// Output of a model with aux_head: for images and for their patches.
struct Outputs {
  at::Tensor logits;        // [B, num_classes]
  at::Tensor token_logits;  // [B, N, token_classes]
};

using layers::ForwardMode;

// Names, shapes and meaning of parameters are timm's; κ of block i is "blocks.{i}.remixer.kappa",
// one element, initially 0. One thread at a time.
class Model {
 public:
  virtual ~Model() = default;

  // images [B, 3, S, S], normalised, float; distance [B, N, N] for a ReMixer model (N = patches,
  // see grid()), absent for a plain one; → logits [B, num_classes].
  virtual at::Tensor forward(const at::Tensor& images, const std::optional<at::Tensor>& distance,
                             const ForwardMode& mode) = 0;
  // The same with aux_head's output; only for a model that has one.
  virtual Outputs forward_with_tokens(const at::Tensor& images,
                                      const std::optional<at::Tensor>& distance,
                                      const ForwardMode& mode) = 0;

  using NamedTensor = std::pair<std::string, at::Tensor>;
  // In a fixed order. The tensors are the model's own: writing to them (under no-grad) changes the
  // model.
  const std::vector<NamedTensor>& parameters() const { return parameters_; }
  const std::vector<NamedTensor>& buffers() const { return buffers_; }
  const ModelSpec& spec() const { return spec_; }
  // Patches along one side of the image; N = grid()².
  int64_t grid() const { return grid_; }

 protected:
  explicit Model(ModelSpec spec) : spec_(std::move(spec)) {}
  ModelSpec spec_;
  int64_t grid_ = 0;
  std::vector<NamedTensor> parameters_;
  std::vector<NamedTensor> buffers_;
};

// Builds and initialises a model like timm (the same distributions), from `seed` alone. Parameters
// require gradients. Throws InputError on an unknown name or an impossible combination.
std::unique_ptr<Model> create_model(const ModelSpec& spec, uint64_t seed);

// The same without random initial values, for a caller that sets every parameter (load_weights):
// large models take seconds to draw. Constant parameters are set.
std::unique_ptr<Model> create_model_to_load(const ModelSpec& spec);

// All architecture names that create_model knows, sorted.
std::vector<std::string> architecture_names();

// Moves parameters and buffers to a device, in place: all holders of these tensors see the
// change.
void move_to(Model& model, at::Device device);

bool is_kappa(const std::string& parameter_name);
// True for parameters of aux_head, used in training only unless evaluation asks for it.
bool is_token_head(const std::string& parameter_name);

}  // namespace remixer::models
