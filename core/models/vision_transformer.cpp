// SPDX-License-Identifier: Apache-2.0
// DeiT, and ConViT: the same blocks, but the first ones have gated positional attention over
// patches only; [CLS] joins after those.
#include <ATen/ops/cat.h>

#include "core/models/families.h"
#include "core/models/masked_model.h"

namespace remixer::models {
namespace {

using layers::Initial;

constexpr int64_t kMlpRatio = 4;
const Initial kWeight = Initial::normal(0.02), kZero = Initial::constant(0);

struct TransformerBlock {
  layers::LayerNorm norm1, norm2;
  bool is_local = false;
  layers::Attention attention;             // in a block that is not local
  layers::GatedPositionalAttention local;  // in a local block
  layers::Mlp mlp;
  double drop_path = 0;
};

class VisionTransformer : public MaskedModel {
 public:
  VisionTransformer(const ModelSpec& spec, const Architecture& architecture, int64_t local_blocks,
                    std::optional<uint64_t> seed)
      : MaskedModel(spec, architecture), local_blocks_(local_blocks) {
    layers::ParameterMaker maker(seed, parameters_, buffers_);
    const int64_t dim = architecture.dim, patch = architecture.patch, patches = grid_ * grid_;
    cls_token_ = maker.parameter("cls_token", {1, 1, dim}, kWeight);
    // ConViT's [CLS] has no position embedding.
    pos_embed_ =
        maker.parameter("pos_embed", {1, patches + (local_blocks == 0 ? 1 : 0), dim}, kWeight);
    const Initial embed = layers::fan_in_uniform(3 * patch * patch);
    patch_embed_ = {maker, "patch_embed.proj", patch, dim, embed, embed};
    for (int64_t i = 0; i < architecture.depth; ++i) add_block(maker, architecture, i);
    norm_ = {maker, "norm", dim};
    head_ = {maker, "head", dim, spec.num_classes, kWeight, kZero};
    add_token_head(maker, dim, kWeight, kZero);
  }

 private:
  void add_block(layers::ParameterMaker& maker, const Architecture& architecture, int64_t i) {
    const std::string name = block_name(i);
    const int64_t dim = architecture.dim;
    TransformerBlock block;
    block.norm1 = {maker, name + ".norm1", dim};
    block.is_local = i < local_blocks_;
    if (block.is_local) {
      block.local = {maker, name + ".attn", dim, architecture.heads, architecture.qkv_bias, grid_};
    } else {
      block.attention = {maker, name + ".attn", dim, architecture.heads, architecture.qkv_bias};
    }
    block.norm2 = {maker, name + ".norm2", dim};
    block.mlp = {maker, name + ".mlp", dim, kMlpRatio * dim, kWeight, kWeight, kZero};
    // The rate of stochastic depth grows linearly from 0 to its maximum.
    const int64_t last = architecture.depth - 1;
    block.drop_path =
        last == 0 ? 0 : spec_.drop_path * static_cast<double>(i) / static_cast<double>(last);
    add_kappa(maker, i);
    blocks_.push_back(std::move(block));
  }

  at::Tensor with_cls(const at::Tensor& x) const {
    return at::cat({cls_token_.expand({x.size(0), 1, x.size(2)}), x}, 1);
  }

  at::Tensor run_block(int64_t i, at::Tensor x, const Pass& pass) const {
    const TransformerBlock& block = blocks_[i];
    const auto block_mask = mask(i, pass);
    const layers::PatchMask* given = block_mask ? &*block_mask : nullptr;
    const at::Tensor normed = block.norm1(x);
    at::Tensor mixed;
    if (block.is_local) {
      mixed = block.local(normed, given, pass.mode.trace);
    } else if (pass.wants_tokens || i + 1 < static_cast<int64_t>(blocks_.size())) {
      mixed = block.attention(normed, given, /*prefix_tokens=*/1, pass.mode.trace);
    } else {
      // The patches are not used after the last block.
      mixed = block.attention.first_token(normed, given, pass.mode.trace);
      x = x.slice(1, 0, 1);
    }
    x = x + layers::drop_path(mixed, block.drop_path, pass.mode);
    return x + layers::drop_path(block.mlp(block.norm2(x)), block.drop_path, pass.mode);
  }

  Outputs outputs(const at::Tensor& images, const Pass& pass) override {
    at::Tensor x = patch_embed_(images);
    if (local_blocks_ == 0) x = with_cls(x);
    x = x + pos_embed_;
    for (int64_t i = 0; i < static_cast<int64_t>(blocks_.size()); ++i) {
      if (i == local_blocks_ && i > 0) x = with_cls(x);
      x = run_block(i, x, pass);
    }
    if (!pass.wants_tokens) return {head_(norm_(x.select(1, 0))), {}};
    x = norm_(x);
    return {head_(x.select(1, 0)), judge_tokens(x.slice(1, 1), pass)};
  }

  int64_t local_blocks_;
  at::Tensor cls_token_, pos_embed_;
  layers::PatchEmbed patch_embed_;
  std::vector<TransformerBlock> blocks_;
  layers::LayerNorm norm_;
  layers::Linear head_;
};

}  // namespace

std::unique_ptr<Model> make_vision_transformer(const ModelSpec& spec,
                                               const Architecture& architecture,
                                               int64_t local_blocks, std::optional<uint64_t> seed) {
  return std::make_unique<VisionTransformer>(spec, architecture, local_blocks, seed);
}

}  // namespace remixer::models
