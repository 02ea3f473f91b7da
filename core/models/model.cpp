// SPDX-License-Identifier: Apache-2.0
#include "core/models/model.h"

#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cassert>

#include "base/error.h"
#include "core/models/families.h"
#include "core/models/masked_model.h"

namespace remixer::models {
namespace {

constexpr std::string_view kKappaSuffix = ".remixer.kappa";
constexpr std::string_view kTokenHead = "aux_head";

void check_spec(const ModelSpec& spec, const Architecture& architecture) {
  if (spec.spatial_prior != "none" && spec.spatial_prior != "convit") {
    fail_input("spatial_prior '{}' is not known: use 'none' or 'convit'", spec.spatial_prior);
  }
  if (spec.spatial_prior == "convit" && architecture.prior_local_blocks == 0) {
    fail_input("spatial_prior 'convit' is gated attention: '{}' has no attention to gate",
               spec.architecture);
  }
  if (spec.num_classes < 1) fail_input("num_classes must be at least 1, not {}", spec.num_classes);
  if (spec.image_size < architecture.patch || spec.image_size % architecture.patch != 0) {
    fail_input("image_size {} cannot be cut into patches of {} pixels, as '{}' does",
               spec.image_size, architecture.patch, spec.architecture);
  }
  if (!(spec.drop_path >= 0 && spec.drop_path < 1)) {
    fail_input("drop_path must be at least 0 and below 1, not {}", spec.drop_path);
  }
  if (spec.token_classes < 0) {
    fail_input("token_classes must be at least 0, not {}", spec.token_classes);
  }
}

std::unique_ptr<Model> make(const ModelSpec& spec, std::optional<uint64_t> seed) {
  const Architecture& architecture = experiments::find_architecture(spec.architecture);
  check_spec(spec, architecture);
  const std::string& family = architecture.family;
  if (family == "deit" || family == "convit") {
    const bool prior = spec.spatial_prior == "convit";
    return make_vision_transformer(
        spec, architecture, prior ? architecture.prior_local_blocks : architecture.local_blocks,
        seed);
  }
  if (family == "mixer") return make_mlp_mixer(spec, architecture, seed);
  if (family == "convmixer") return make_conv_mixer(spec, architecture, seed);
  if (auto model = make_extension(spec, architecture, seed)) return model;
  fail("architecture '{}' is of family '{}', which nothing builds", spec.architecture, family);
}

}  // namespace

MaskedModel::MaskedModel(const ModelSpec& spec, const Architecture& architecture) : Model(spec) {
  grid_ = spec.image_size / architecture.patch;
}

at::Tensor MaskedModel::forward(const at::Tensor& images, const std::optional<at::Tensor>& distance,
                                const ForwardMode& mode) {
  check(images, distance, mode);
  return outputs(images, Pass{mode, distance, /*wants_tokens=*/false}).logits;
}

Outputs MaskedModel::forward_with_tokens(const at::Tensor& images,
                                         const std::optional<at::Tensor>& distance,
                                         const ForwardMode& mode) {
  assert(spec_.token_classes > 0);
  check(images, distance, mode);
  return outputs(images, Pass{mode, distance, /*wants_tokens=*/true});
}

void MaskedModel::check(const at::Tensor& images, const std::optional<at::Tensor>& distance,
                        const ForwardMode& mode) const {
  const int64_t size = spec_.image_size, patches = grid_ * grid_;
  if (images.dim() != 4 || images.size(1) != 3 || images.size(2) != size ||
      images.size(3) != size) {
    fail_input("images must be [B, 3, {}, {}], not {}", size, size, c10::str(images.sizes()));
  }
  if (spec_.remixer && !distance) {
    fail_input("a ReMixer model needs the distance between its patches' labels");
  }
  if (!spec_.remixer && distance) fail_input("a plain model takes no distance");
  if (distance && (distance->dim() != 3 || distance->size(0) != images.size(0) ||
                   distance->size(1) != patches || distance->size(2) != patches)) {
    fail_input("distance must be [{}, {}, {}], not {}", images.size(0), patches, patches,
               c10::str(distance->sizes()));
  }
  if (mode.training && spec_.drop_path > 0 && mode.random == nullptr && mode.paths == nullptr) {
    fail("training with drop_path needs random numbers: set ForwardMode::random");
  }
}

void MaskedModel::add_token_head(layers::ParameterMaker& maker, int64_t dim, layers::Initial weight,
                                 layers::Initial bias) {
  if (spec_.token_classes == 0) return;
  token_head_ = {maker, std::string(kTokenHead), dim, spec_.token_classes, weight, bias};
}

at::Tensor MaskedModel::judge_tokens(const at::Tensor& tokens, const Pass& pass) const {
  return pass.wants_tokens ? token_head_(tokens) : at::Tensor();
}

void MaskedModel::add_kappa(layers::ParameterMaker& maker, int64_t block) {
  if (!spec_.remixer) return;
  kappa_.push_back(maker.parameter(block_name(block) + std::string(kKappaSuffix), {1},
                                   layers::Initial::constant(0)));
}

std::optional<layers::PatchMask> MaskedModel::mask(int64_t block, const Pass& pass) const {
  if (!pass.distance) return std::nullopt;
  return layers::PatchMask{*pass.distance, kappa_[block]};
}

std::unique_ptr<Model> create_model(const ModelSpec& spec, uint64_t seed) {
  return make(spec, seed);
}

std::unique_ptr<Model> create_model_to_load(const ModelSpec& spec) {
  return make(spec, std::nullopt);
}

std::vector<std::string> architecture_names() {
  std::vector<std::string> names;
  for (const Architecture& known : experiments::architectures()) names.push_back(known.name);
  std::sort(names.begin(), names.end());
  return names;
}

void move_to(Model& model, at::Device device) {
  const at::NoGradGuard no_grad;
  for (const auto* list : {&model.parameters(), &model.buffers()}) {
    for (const auto& [name, tensor] : *list) {
      if (tensor.device() != device) tensor.set_data(tensor.to(device));
    }
  }
}

bool is_kappa(const std::string& parameter_name) {
  return std::string_view(parameter_name).ends_with(kKappaSuffix);
}

bool is_token_head(const std::string& parameter_name) {
  return std::string_view(parameter_name).starts_with(kTokenHead);
}

}  // namespace remixer::models
