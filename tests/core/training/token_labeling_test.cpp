// SPDX-License-Identifier: Apache-2.0
#include "core/training/token_labeling.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"
#include "base/random.h"
#include "core/layers/basic.h"
#include "core/training/mixup.h"
#include "core/training/objective.h"
#include "tests/core/training/tiny_cell.h"

namespace remixer::training {
namespace {

at::Tensor drawn(uint64_t seed, at::IntArrayRef shape) {
  at::Tensor tensor = at::empty(shape, at::kDouble);
  Random random(seed, RandomPurpose::kTest);
  for (int64_t i = 0; i < tensor.numel(); ++i) tensor.data_ptr<double>()[i] = random.normal();
  return tensor;
}

// −Σ t log softmax(l) of one row, in plain loops.
double plain_cross_entropy(const at::Tensor& logits, const at::Tensor& targets) {
  const auto* l = logits.const_data_ptr<double>();
  const auto* t = targets.const_data_ptr<double>();
  double total = 0, sum = 0;
  for (int64_t c = 0; c < logits.numel(); ++c) total += std::exp(l[c]);
  for (int64_t c = 0; c < logits.numel(); ++c) sum -= t[c] * (l[c] - std::log(total));
  return sum;
}

TEST(TokenLabelingLossTest, EqualsThePlainSumsAndHasTheirGradient) {
  models::Outputs outputs{drawn(1, {3, 4}).requires_grad_(), drawn(2, {3, 5, 6}).requires_grad_()};
  const at::Tensor targets = drawn(3, {3, 4}).softmax(1), tokens = drawn(4, {3, 5, 6}).softmax(2);
  double image = 0, token = 0;
  for (int64_t b = 0; b < 3; ++b) {
    image += plain_cross_entropy(outputs.logits[b].contiguous(), targets[b].contiguous()) / 3;
    for (int64_t n = 0; n < 5; ++n) {
      token +=
          plain_cross_entropy(outputs.token_logits[b][n].contiguous(), tokens[b][n].contiguous()) /
          15;
    }
  }
  const at::Tensor loss = token_labeling_loss(outputs, targets, tokens, 0.5);
  EXPECT_NEAR(loss.item<double>(), image + 0.5 * token, 1e-12);
  loss.backward();
  // softmax − target, over images or over weighted patches.
  const at::Tensor by_image = (outputs.logits.detach().softmax(1) - targets) / 3;
  const at::Tensor by_token = (outputs.token_logits.detach().softmax(2) - tokens) / 15 * 0.5;
  EXPECT_LT((outputs.logits.grad() - by_image).abs().max().item<double>(), 1e-12);
  EXPECT_LT((outputs.token_logits.grad() - by_token).abs().max().item<double>(), 1e-12);
}

TEST(TokenVoteTest, AddsHalfOfThePatchesLargest) {
  const models::Outputs outputs{at::tensor({1.0, 2.0}).view({1, 2}),
                                at::tensor({3.0, -1.0, 0.0, 5.0, -2.0, 4.0}).view({1, 3, 2})};
  EXPECT_TRUE(at::equal(with_token_vote(outputs), at::tensor({2.5, 4.5}).view({1, 2})));
}

TEST(TokenClassesTest, LabelsMustSayWhatTheRecipeWants) {
  auto cell = remixer::testing::tiny_cell("deit_nano_patch4_32", true);
  EXPECT_EQ(token_classes(cell, 1, 3), 0);
  cell.recipe.token_labeling = "oamixer";
  EXPECT_EQ(token_weight(cell.recipe), 0.5);
  EXPECT_EQ(token_classes(cell, 1000, 3), 1000);
  EXPECT_THROW(token_classes(cell, 1, 3), InputError);
  cell.recipe.token_labeling = "original";
  EXPECT_EQ(token_weight(cell.recipe), 1);
  EXPECT_EQ(token_classes(cell, 3, 3), 3);
  EXPECT_THROW(token_classes(cell, 1000, 3), InputError);
  cell.recipe.token_weight = 0.25;
  EXPECT_EQ(token_weight(cell.recipe), 0.25);
}

// Against logits pooled over the whole image first.
TEST(PooledTargetsTest, AreTheSoftmaxOfTheMeanLogits) {
  const at::Tensor logits = drawn(6, {2, 9, 5}) * 8;
  EXPECT_LT(
      (pooled_targets(logits.softmax(-1)) - logits.mean(1).softmax(-1)).abs().max().item<double>(),
      1e-12);
  // Not the mean of the probabilities.
  EXPECT_GT((logits.softmax(-1).mean(1) - logits.mean(1).softmax(-1)).abs().max().item<double>(),
            0.05);
}

TEST(MixTokenTest, CutsWholePatches) {
  double mean = 0;
  for (uint64_t i = 0; i < 4000; ++i) {
    Random random(8, RandomPurpose::kMix, i);
    const Mix mix = draw_mix_token(224, 14, random);
    ASSERT_EQ(mix.kind, Mix::Kind::kCutMix);
    for (int64_t edge : {mix.box.top, mix.box.left, mix.box.bottom, mix.box.right}) {
      ASSERT_EQ(edge % 16, 0);
      ASSERT_TRUE(edge >= 0 && edge <= 224);
    }
    const int64_t area = (mix.box.bottom - mix.box.top) * (mix.box.right - mix.box.left);
    ASSERT_NEAR(mix.weight, 1 - static_cast<double>(area) / (224 * 224), 1e-12);
    mean += mix.weight / 4000;
  }
  EXPECT_GT(mean, 0.55);
  EXPECT_LT(mean, 0.75);
}

// What MixToken does to tokens after the embedding, done here to pixels: equal tokens.
TEST(MixTokenTest, OfPixelsIsThatOfTokens) {
  const auto model = models::create_model(
      {.architecture = "deit_nano_patch4_32", .num_classes = 3, .image_size = 32}, 3);
  const auto parameter = [&](const std::string& name) {
    for (const auto& [candidate, tensor] : model->parameters()) {
      if (candidate == name) return tensor;
    }
    return at::Tensor();
  };
  const layers::PatchEmbed embed = [&] {
    layers::PatchEmbed made;
    made.weight = parameter("patch_embed.proj.weight");
    made.bias = parameter("patch_embed.proj.bias");
    return made;
  }();
  Batch batch;
  batch.images = drawn(9, {2, 3, 32, 32}).to(at::kFloat);
  batch.classes = at::zeros({2}, at::kLong);
  const at::NoGradGuard no_grad;
  const at::Tensor tokens = embed(batch.images).view({2, 8, 8, -1});
  const Mix mix{Mix::Kind::kCutMix, 0.8125, {8, 4, 20, 20}};
  at::Tensor expected = tokens.clone();
  expected.slice(1, 2, 5).slice(2, 1, 5).copy_(tokens.flip(0).slice(1, 2, 5).slice(2, 1, 5));
  apply_mix(mix, batch, 8, 3, 0);
  EXPECT_TRUE(at::allclose(embed(batch.images).view({2, 8, 8, -1}), expected, 1e-5, 1e-6));
}

// What is mixed into an image is mixed into its patches' targets: a model that says exactly what
// the mixed labels say has the smallest loss there is, and one that says what they were before has
// not.
TEST(TokenTargetsTest, AreMixedWithTheImages) {
  for (const Mix& mix :
       {Mix{Mix::Kind::kMixup, 0.7, {}}, Mix{Mix::Kind::kCutMix, 0.75, {0, 0, 4, 4}}}) {
    Batch batch;
    batch.images = at::zeros({2, 3, 8, 8});
    batch.patch_labels = drawn(5, {2, 4, 3}).softmax(2).to(at::kFloat);
    batch.classes = at::tensor({int64_t{0}, int64_t{2}});
    const at::Tensor before = batch.patch_labels.clone();
    const at::Tensor targets = apply_mix(mix, batch, 2, 3, 0);
    const auto token_loss = [&](const at::Tensor& said) {
      const models::Outputs outputs{at::zeros_like(targets), said.log()};
      return token_labeling_loss(outputs, at::zeros_like(targets), batch.patch_labels, 1)
          .item<double>();
    };
    const double least = -(batch.patch_labels * batch.patch_labels.log()).sum().item<double>() / 8;
    EXPECT_NEAR(token_loss(batch.patch_labels), least, 1e-5);
    EXPECT_GT(token_loss(before), least + 1e-3);
  }
}

}  // namespace
}  // namespace remixer::training
