// SPDX-License-Identifier: Apache-2.0
// aux_head: what it says of each patch, and that a model is otherwise the same with or without it.
#include <ATen/core/grad_mode.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/linear.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "core/models/weights.h"
#include "tests/core/kernels/numeric.h"
#include "tests/core/models/folder.h"
#include "tests/core/models/plain_model.h"

namespace remixer::models {
namespace {

using remixer::testing::difference;
using remixer::testing::Draw;
using remixer::testing::random_model;
using remixer::testing::small_spec;

struct Variant {
  const char *architecture, *prior;
};
constexpr Variant kVariants[] = {{"deit_nano_patch4_32", "none"},
                                 {"deit_nano_patch4_32", "convit"},
                                 {"mixer_nano_patch4_32", "none"},
                                 {"convmixer_nano_patch4_32", "none"}};

ModelSpec spec_of(const Variant& variant, int64_t token_classes) {
  ModelSpec spec = small_spec(variant.architecture, true, variant.prior);
  spec.token_classes = token_classes;
  return spec;
}

at::Tensor parameter(const Model& model, const std::string& name) {
  for (const auto& [candidate, tensor] : model.parameters()) {
    if (candidate == name) return tensor;
  }
  ADD_FAILURE() << "no parameter " << name;
  return {};
}

TEST(TokenHead, LeavesTheLogitsAlone) {
  const at::NoGradGuard no_grad;
  for (const Variant& variant : kVariants) {
    const auto model = random_model(spec_of(variant, 7));
    const at::Tensor images = Draw(81).normal({2, 3, 12, 12});
    const at::Tensor distance = Draw(82).uniform({2, 9, 9}, 0, 1);
    const Outputs outputs = model->forward_with_tokens(images, distance, {});
    EXPECT_EQ(outputs.token_logits.sizes(), (std::vector<int64_t>{2, 9, 7}));
    EXPECT_LT(difference(outputs.logits, model->forward(images, distance, {})), 1e-12);
  }
}

// Where the image's logits are the head's answer to the mean token, the same head asked token by
// token must have them as its mean.
TEST(TokenHead, IsAskedAboutEveryToken) {
  const at::NoGradGuard no_grad;
  for (const Variant& variant : {kVariants[2], kVariants[3]}) {
    const auto model = random_model(spec_of(variant, 5));
    parameter(*model, "aux_head.weight").copy_(parameter(*model, "head.weight"));
    parameter(*model, "aux_head.bias").copy_(parameter(*model, "head.bias"));
    const Outputs outputs = model->forward_with_tokens(Draw(83).normal({2, 3, 12, 12}),
                                                       Draw(84).uniform({2, 9, 9}, 0, 1), {});
    EXPECT_LT(difference(outputs.token_logits.mean(1), outputs.logits), 1e-9);
    EXPECT_GT(outputs.token_logits.std(1).min().item<double>(), 1e-5);
  }
}

// With blocks that add nothing, DeiT's patch tokens are their embeddings and positions: [CLS],
// which stands before them, is not judged.
TEST(TokenHead, JudgesDeitsPatchesInTheirOrder) {
  const at::NoGradGuard no_grad;
  const auto model = random_model(spec_of(kVariants[0], 7));
  for (const auto& [name, tensor] : model->parameters()) {
    if (name.find(".proj.") != std::string::npos && name.starts_with("blocks.")) tensor.zero_();
    if (name.find(".fc2.") != std::string::npos) tensor.zero_();
  }
  const at::Tensor images = Draw(87).normal({2, 3, 12, 12});
  const auto value = [&](const std::string& name) { return parameter(*model, name); };
  const at::Tensor tokens =
      at::conv2d(images, value("patch_embed.proj.weight"), value("patch_embed.proj.bias"), 4)
          .flatten(2)
          .transpose(1, 2) +
      value("pos_embed").slice(1, 1);
  const at::Tensor normed =
      at::layer_norm(tokens, {64}, value("norm.weight"), value("norm.bias"), 1e-6);
  const at::Tensor expected = at::linear(normed, value("aux_head.weight"), value("aux_head.bias"));
  const Outputs outputs = model->forward_with_tokens(images, Draw(88).uniform({2, 9, 9}, 0, 1), {});
  EXPECT_LT(difference(outputs.token_logits, expected), 1e-9);
}

TEST(TokenHead, OtherParametersBeginAsWithoutIt) {
  for (const Variant& variant : kVariants) {
    const auto plain = create_model(spec_of(variant, 0), 3);
    const auto headed = create_model(spec_of(variant, 7), 3);
    ASSERT_EQ(headed->parameters().size(), plain->parameters().size() + 2);
    for (const auto& [name, tensor] : plain->parameters()) {
      EXPECT_TRUE(at::equal(tensor, parameter(*headed, name))) << name;
    }
  }
}

// Data-parallel training waits for a gradient of every parameter, κ of the last block included.
TEST(TokenHead, EveryParameterHasAGradient) {
  for (const Variant& variant : kVariants) {
    const auto model = random_model(spec_of(variant, 7));
    const Outputs outputs = model->forward_with_tokens(
        Draw(85).normal({2, 3, 12, 12}), Draw(86).uniform({2, 9, 9}, 0, 1), {.training = true});
    (outputs.logits.square().mean() + outputs.token_logits.square().mean()).backward();
    for (const auto& [name, tensor] : model->parameters()) {
      EXPECT_TRUE(tensor.grad().defined()) << name;
    }
  }
}

using TokenHeadFiles = remixer::testing::FolderTest;

TEST_F(TokenHeadFiles, LoadWithAndWithoutIt) {
  const auto headed = create_model(spec_of(kVariants[0], 7), 3);
  const auto path = folder_ / "headed.safetensors";
  save_weights(*headed, path);
  EXPECT_EQ(spec_of_weights(io::read_safetensors(path), "deit_nano_patch4_32").token_classes, 7);
  const auto plain = create_model(spec_of(kVariants[0], 0), 4);
  load_weights(*plain, path);
  EXPECT_TRUE(at::equal(parameter(*plain, "head.weight"), parameter(*headed, "head.weight")));
  const auto again = create_model(spec_of(kVariants[0], 7), 4);
  load_weights(*again, path);
  EXPECT_TRUE(
      at::equal(parameter(*again, "aux_head.weight"), parameter(*headed, "aux_head.weight")));
  save_weights(*plain, folder_ / "plain.safetensors");
  EXPECT_THROW(load_weights(*again, folder_ / "plain.safetensors"), InputError);
}

}  // namespace
}  // namespace remixer::models
