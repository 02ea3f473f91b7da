// SPDX-License-Identifier: Apache-2.0
// An example of a user's own architecture: even blocks mix patches by a depthwise convolution, odd
// ones by attention. Both ask for ReMixer's masked layers, so the model has a κ in every block and
// works with and without ReMixer. docs/extending.md walks through it.
#include "core/layers/attention.h"
#include "core/layers/patch_mixing.h"
#include "core/models/masked_model.h"

namespace remixer::extensions::hybrid {
namespace {

using experiments::Architecture;
using layers::Initial;

struct Block {
  layers::LayerNorm norm1, norm2;
  layers::SpatialConv convolution;  // of an even block
  layers::Attention attention;      // of an odd one
  layers::Mlp mlp;
};

class Hybrid : public models::MaskedModel {
 public:
  Hybrid(const models::ModelSpec& spec, const Architecture& architecture,
         std::optional<uint64_t> seed)
      : MaskedModel(spec, architecture) {
    layers::ParameterMaker maker(seed, parameters_, buffers_);
    const int64_t dim = architecture.dim, patch = architecture.patch;
    const Initial embed = layers::fan_in_uniform(3 * patch * patch);
    embed_ = {maker, "patch_embed.proj", patch, dim, embed, embed};
    for (int64_t i = 0; i < architecture.depth; ++i) add_block(maker, architecture, i);
    norm_ = {maker, "norm", dim};
    head_ = {maker, "head", dim, spec.num_classes, kWeight, kZero};
    add_token_head(maker, dim, kWeight, kZero);
  }

 private:
  static constexpr Initial kWeight = {Initial::Kind::kNormal, 0.02};
  static constexpr Initial kZero = {Initial::Kind::kConstant, 0};

  void add_block(layers::ParameterMaker& maker, const Architecture& architecture, int64_t i) {
    const std::string name = block_name(i);
    const int64_t dim = architecture.dim;
    Block block;
    block.norm1 = {maker, name + ".norm1", dim};
    if (i % 2 == 0) {
      block.convolution = {maker, name + ".conv", dim, architecture.kernel, /*shared=*/false};
    } else {
      block.attention = {maker, name + ".attn", dim, architecture.heads, architecture.qkv_bias};
    }
    block.norm2 = {maker, name + ".norm2", dim};
    block.mlp = {maker, name + ".mlp", dim, 4 * dim, kWeight, kWeight, kZero};
    add_kappa(maker, i);
    blocks_.push_back(std::move(block));
  }

  // x [B, N, C].
  at::Tensor mix(int64_t i, const at::Tensor& x, const Pass& pass) const {
    const auto given = mask(i, pass);
    const layers::PatchMask* patch_mask = given ? &*given : nullptr;
    if (i % 2 == 1) return blocks_[i].attention(x, patch_mask, /*prefix_tokens=*/0);
    const at::Tensor planes = x.view({x.size(0), grid_, grid_, x.size(2)}).permute({0, 3, 1, 2});
    return blocks_[i].convolution(planes, patch_mask).flatten(2).transpose(1, 2);
  }

  models::Outputs outputs(const at::Tensor& images, const Pass& pass) override {
    at::Tensor x = embed_(images);
    for (int64_t i = 0; i < static_cast<int64_t>(blocks_.size()); ++i) {
      const Block& block = blocks_[i];
      x = x + layers::drop_path(mix(i, block.norm1(x), pass), spec_.drop_path, pass.mode);
      x = x + layers::drop_path(block.mlp(block.norm2(x)), spec_.drop_path, pass.mode);
    }
    if (pass.mode.trace != nullptr) pass.mode.trace->tokens = x;  // for `remixer model explain`
    x = norm_(x);
    return {head_(x.mean(1)), judge_tokens(x, pass)};
  }

  layers::PatchEmbed embed_;
  std::vector<Block> blocks_;
  layers::LayerNorm norm_;
  layers::Linear head_;
};

}  // namespace

std::unique_ptr<models::Model> make(const models::ModelSpec& spec, const Architecture& architecture,
                                    std::optional<uint64_t> seed) {
  return std::make_unique<Hybrid>(spec, architecture, seed);
}

}  // namespace remixer::extensions::hybrid
