// SPDX-License-Identifier: Apache-2.0
// MLP-Mixer.
#include <cmath>

#include "core/layers/patch_mixing.h"
#include "core/models/families.h"
#include "core/models/masked_model.h"

namespace remixer::models {
namespace {

using layers::Initial;

struct MixerBlock {
  layers::LayerNorm norm1, norm2;
  layers::TokenMlp mlp_tokens;
  layers::Mlp mlp_channels;
};

// Glorot's uniform distribution.
Initial glorot(int64_t in, int64_t out) {
  return Initial::uniform(std::sqrt(6.0 / static_cast<double>(in + out)));
}

// LeCun's normal distribution as in timm: widened as for a cut at two deviations.
Initial lecun(int64_t fan_in) {
  constexpr double kDeviationOfCutNormal = 0.87962566103423978;
  return Initial::normal(1 / std::sqrt(static_cast<double>(fan_in)) / kDeviationOfCutNormal);
}

class MlpMixer : public MaskedModel {
 public:
  MlpMixer(const ModelSpec& spec, const Architecture& architecture, std::optional<uint64_t> seed)
      : MaskedModel(spec, architecture) {
    layers::ParameterMaker maker(seed, parameters_, buffers_);
    const int64_t dim = architecture.dim, patch = architecture.patch;
    stem_ = {maker, "stem.proj", patch, dim, lecun(3 * patch * patch), Initial::constant(0)};
    for (int64_t i = 0; i < architecture.depth; ++i) add_block(maker, dim, i);
    norm_ = {maker, "norm", dim};
    head_ = {maker, "head", dim, spec.num_classes, Initial::constant(0), Initial::constant(0)};
    add_token_head(maker, dim, Initial::constant(0), Initial::constant(0));
  }

 private:
  void add_block(layers::ParameterMaker& maker, int64_t dim, int64_t i) {
    const std::string name = block_name(i);
    const int64_t patches = grid_ * grid_, token_hidden = dim / 2, channel_hidden = 4 * dim;
    const Initial bias = Initial::normal(1e-6);
    MixerBlock block;
    block.norm1 = {maker, name + ".norm1", dim};
    block.mlp_tokens = {maker,        name + ".mlp_tokens",          patches,
                        token_hidden, glorot(patches, token_hidden), glorot(token_hidden, patches),
                        bias};
    block.norm2 = {maker, name + ".norm2", dim};
    block.mlp_channels = {maker,
                          name + ".mlp_channels",
                          dim,
                          channel_hidden,
                          glorot(dim, channel_hidden),
                          glorot(channel_hidden, dim),
                          bias};
    add_kappa(maker, i);
    blocks_.push_back(std::move(block));
  }

  Outputs outputs(const at::Tensor& images, const Pass& pass) override {
    at::Tensor x = stem_(images);
    for (int64_t i = 0; i < static_cast<int64_t>(blocks_.size()); ++i) {
      const MixerBlock& block = blocks_[i];
      const auto block_mask = mask(i, pass);
      // Stochastic depth has one rate for all blocks.
      x = x +
          layers::drop_path(block.mlp_tokens(block.norm1(x), block_mask ? &*block_mask : nullptr),
                            spec_.drop_path, pass.mode);
      x = x + layers::drop_path(block.mlp_channels(block.norm2(x)), spec_.drop_path, pass.mode);
    }
    if (pass.mode.trace != nullptr) pass.mode.trace->tokens = x;
    x = norm_(x);
    return {head_(x.mean(1)), judge_tokens(x, pass)};
  }

  layers::PatchEmbed stem_;
  std::vector<MixerBlock> blocks_;
  layers::LayerNorm norm_;
  layers::Linear head_;
};

}  // namespace

std::unique_ptr<Model> make_mlp_mixer(const ModelSpec& spec, const Architecture& architecture,
                                      std::optional<uint64_t> seed) {
  return std::make_unique<MlpMixer>(spec, architecture, seed);
}

}  // namespace remixer::models
