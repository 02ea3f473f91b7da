// SPDX-License-Identifier: Apache-2.0
// ConvMixer. Activations are channels-last throughout, so that a 1 × 1 convolution is a matrix
// product without reordering memory.
#include <ATen/ops/linear.h>
#include <ATen/ops/relu.h>

#include "core/kernels/gelu.h"
#include "core/layers/patch_mixing.h"
#include "core/models/families.h"
#include "core/models/masked_model.h"

namespace remixer::models {
namespace {

struct ConvMixerBlock {
  layers::SpatialConv spatial;
  layers::BatchNorm spatial_norm, channel_norm;
  at::Tensor channel_weight, channel_bias;  // of the 1 × 1 convolution
};

class ConvMixer : public MaskedModel {
 public:
  ConvMixer(const ModelSpec& spec, const Architecture& architecture, std::optional<uint64_t> seed)
      : MaskedModel(spec, architecture), relu_(architecture.relu) {
    layers::ParameterMaker maker(seed, parameters_, buffers_);
    const int64_t dim = architecture.dim, patch = architecture.patch;
    const layers::Initial head = layers::fan_in_uniform(dim);
    const layers::Initial embed = layers::fan_in_uniform(3 * patch * patch);
    head_ = {maker, "head", dim, spec.num_classes, head, head};
    stem_ = {maker, "stem.0", patch, dim, embed, embed};
    stem_norm_ = {maker, "stem.2", dim};
    for (int64_t i = 0; i < architecture.depth; ++i) add_block(maker, architecture, i);
    add_token_head(maker, dim, head, head);
  }

 private:
  void add_block(layers::ParameterMaker& maker, const Architecture& architecture, int64_t i) {
    const std::string name = block_name(i);
    const int64_t dim = architecture.dim;
    const layers::Initial channel = layers::fan_in_uniform(dim);
    ConvMixerBlock block;
    block.spatial = {maker, name + ".0.fn.0", dim, architecture.kernel, architecture.shared_kernel};
    block.spatial_norm = {maker, name + ".0.fn.2", dim};
    block.channel_weight = maker.parameter(name + ".1.weight", {dim, dim, 1, 1}, channel);
    block.channel_bias = maker.parameter(name + ".1.bias", {dim}, channel);
    block.channel_norm = {maker, name + ".3", dim};
    add_kappa(maker, i);
    blocks_.push_back(std::move(block));
  }

  at::Tensor activate(const at::Tensor& x) const { return relu_ ? at::relu(x) : kernels::gelu(x); }

  // The 1 × 1 convolution and its activation.
  at::Tensor mix_channels(const ConvMixerBlock& block, const at::Tensor& x) const {
    const at::Tensor rows = x.permute({0, 2, 3, 1}), weight = block.channel_weight.flatten(1);
    const at::Tensor mixed = relu_ ? at::relu(at::linear(rows, weight, block.channel_bias))
                                   : kernels::linear_gelu(rows, weight, block.channel_bias);
    return mixed.permute({0, 3, 1, 2});
  }

  Outputs outputs(const at::Tensor& images, const Pass& pass) override {
    const at::Tensor tokens = stem_(images);
    at::Tensor x =
        tokens.view({tokens.size(0), grid_, grid_, tokens.size(2)}).permute({0, 3, 1, 2});
    x = stem_norm_(activate(x), pass.mode);
    for (int64_t i = 0; i < static_cast<int64_t>(blocks_.size()); ++i) {
      const ConvMixerBlock& block = blocks_[i];
      const auto block_mask = mask(i, pass);
      const at::Tensor mixed = block.spatial(x, block_mask ? &*block_mask : nullptr);
      x = x + block.spatial_norm(activate(mixed), pass.mode);
      x = block.channel_norm(mix_channels(block, x), pass.mode);
    }
    // Rows of patches: the gradient of their mean is channels-last, as x is.
    const at::Tensor patches = x.permute({0, 2, 3, 1}).flatten(1, 2);
    if (pass.mode.trace != nullptr) pass.mode.trace->tokens = patches;
    return {head_(patches.mean(1)), judge_tokens(patches, pass)};
  }

  bool relu_;
  layers::Linear head_;
  layers::PatchEmbed stem_;
  layers::BatchNorm stem_norm_;
  std::vector<ConvMixerBlock> blocks_;
};

}  // namespace

std::unique_ptr<Model> make_conv_mixer(const ModelSpec& spec, const Architecture& architecture,
                                       std::optional<uint64_t> seed) {
  return std::make_unique<ConvMixer>(spec, architecture, seed);
}

}  // namespace remixer::models
